# SPDX-License-Identifier: MIT
#
# lib.sh -- what the tests of the program share.  A test sources it with the path of `lfm` in $1, works in an empty folder
# $work that is removed at the end, and ends with `finish`.  Every command leaves $work/out, $work/err and $code behind; a
# check that fails says so with all three and lets the next one run.

[ -x "${1:-}" ] || { echo "usage: bash $0 PATH/TO/lfm"; exit 2; }
lfm=$(realpath "$1")
work=$(mktemp -d)
trap '[ "$BASHPID" != $$ ] || rm -rf "$work"' EXIT # not by a child that a signal meets before it is another program
export XDG_RUNTIME_DIR=$work # a lock of long runs of this test's own
checks=0 failures=0 code=0

# run CMD...: keeps what it prints and its exit code.
run() {
  code=0
  "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
}

# fail TEXT CMD...: one check has failed.
fail() {
  failures=$((failures + 1))
  echo "FAILED: $1: ${*:2}"
  echo "  exit code $code"
  sed 's/^/  out: /' "$work/out" | head -20
  sed 's/^/  err: /' "$work/err" | head -20
}

# check TEXT CMD...: CMD itself is the check.
check() {
  checks=$((checks + 1))
  "${@:2}" || fail "$1" "${@:2}"
}

# expect_exit CODE CMD...
expect_exit() {
  checks=$((checks + 1))
  run "${@:2}"
  [ "$code" -eq "$1" ] || fail "expected exit code $1" "${@:2}"
}

# expect_error TEXT CMD...: a failure with one line on standard error that holds TEXT, and nothing on standard output.
expect_error() {
  checks=$((checks + 1))
  run "${@:2}"
  { [ "$code" -eq 1 ] || [ "$code" -eq 2 ]; } || fail "expected a failure" "${@:2}"
  grep -qF -e "$1" "$work/err" || fail "expected '$1' on standard error" "${@:2}"
  [ "$(wc -l <"$work/err")" -eq 1 ] || fail "expected one line on standard error" "${@:2}"
  [ ! -s "$work/out" ] || fail "expected nothing on standard output" "${@:2}"
}

# expect_usage TEXT CMD...: the same, with exit code 2.
expect_usage() {
  expect_error "$@"
  [ "$code" -eq 2 ] || fail "expected exit code 2" "${@:2}"
}

# expect_refused TEXT CMD...: the same, with exit code 1: the line makes sense, but what its files hold does not fit.
expect_refused() {
  expect_error "$@"
  [ "$code" -eq 1 ] || fail "expected exit code 1" "${@:2}"
}

# expect_json CMD...: exit code 0 and one JSON object on standard output.
expect_json() {
  expect_exit 0 "$@"
  [ "$(wc -l <"$work/out")" -eq 1 ] || fail "expected one line on standard output" "$@"
  if command -v python3 >/dev/null; then python3 -m json.tool <"$work/out" >/dev/null || fail "expected JSON" "$@"
  elif command -v jq >/dev/null; then jq -e 'type == "object"' <"$work/out" >/dev/null || fail "expected JSON" "$@"
  else grep -qE '^\{"[a-z_]+": .*\}$' "$work/out" || fail "expected a JSON object" "$@"
  fi
}

# expect_fields NAME...: the object in $work/out has them.
expect_fields() {
  local name
  for name in "$@"; do
    check "expected the field $name" grep -qF -e "\"$name\": " "$work/out"
  done
}

# as_nobody CMD...: as a user whom permissions bind; fails where the superuser cannot become one who may run CMD.
as_nobody() {
  if [ "$(id -u)" -ne 0 ]; then "$@"
  else setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
  fi
}

finish() {
  if [ "$checks" -eq 0 ]; then echo "no check was made"; exit 1; fi
  echo "$checks checks, $failures failed"
  [ "$failures" -eq 0 ]
  exit $?
}
