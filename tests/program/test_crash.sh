#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# However training ends, `lfm train --resume` must go on to the same model, to the byte.  A small chain of three blocks is
# trained once undisturbed; then it is crashed at its file operations (tests/support/crash_shim.c: before, after, in the
# middle of a write, with all unsynced bytes lost), interrupted by SIGINT and SIGTERM, killed at random moments, and run out
# of disk; after each the resumed run's model.safetensors is compared with the undisturbed one.  The same for rows in files.
# A table that is cut short while it is read ends with a line that says so.
#
# usage: test_crash.sh LFM      LFM_CRASH_POINTS=all tries every operation; the default, 12, spreads that many per way
# lib.sh sets lfm, work and code, and calls the helpers:
# shellcheck disable=SC2154,SC2317
set -u
# shellcheck source=tests/program/lib.sh
. tests/program/lib.sh "$@"
shim=$(dirname "$lfm")/crash_shim.so
[ -e "$shim" ] || { echo "skipped: no $shim"; exit 77; }
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0

awk 'BEGIN { srand(7); print "x,y"; for (i = 0; i < 300; i++) { x = rand() + rand() - 1; printf "%.5f,%.5f\n", x, x * x + rand() / 4 } }' \
  >"$work/data.csv"
train=("$lfm" train "$work/data.csv" --seed 5 --threads 1 --set 'hks=[0.2, 0.3, null]' --set hidden_dim=16 --set num_hidden=2
  --set batch_size=64 --set max_batch=24 --set checkpoint_every=9 --set valid_every=10)

same_model() { cmp -s "$work/whole/model.safetensors" "$work/run/model.safetensors"; }
no_litter() { [ -z "$(find "$work/run" -name '*.partial')" ]; }
operations() { test "$(cat "$work/count")" "$1" "$2"; } # of the last shimmed run

# shimmed VARIABLE=VALUE... [--resume]: trains into $work/run under the shim.
shimmed() {
  local how=()
  [ "${*: -1}" != --resume ] || how=(--resume)
  [ ${#how[@]} -gt 0 ] || rm -rf "$work/run"
  run env LFM_CRASH_DIR="$work/run" LFM_CRASH_COUNT="$work/count" LD_PRELOAD="$shim" "${@:1:$#-${#how[@]}}" \
    "${train[@]}" -o "$work/run" "${how[@]}"
}

# ended CODE WHAT: how the last run ended.
ended() { check "$2: expected exit code $1" [ "$code" -eq "$1" ]; }

# resumes WHAT: the run in $work/run, resumed, ends with the undisturbed run's model.
resumes() {
  expect_exit 0 "${train[@]}" -o "$work/run" --resume
  check "$1: the resumed model differs" same_model
  check "$1: *.partial left behind" no_litter
}

# points COUNT: the operations to try, of 1..COUNT, evenly spaced with both ends.
points() {
  local wanted=${LFM_CRASH_POINTS:-12}
  { [ "$wanted" != all ] && [ "$wanted" -lt "$1" ]; } || wanted=$1
  awk -v n="$1" -v k="$wanted" 'BEGIN { for (i = 0; i < k; i++) print(k > 1 ? 1 + int(i * (n - 1) / (k - 1) + 0.5) : 1) }'
}

# ---- undisturbed, and how many operations there are ------------------------------------------------------------
began=${EPOCHREALTIME/[.,]/}
expect_exit 0 "${train[@]}" -o "$work/whole"
whole_us=$((${EPOCHREALTIME/[.,]/} - began))
shimmed LFM_CRASH_AT=0
ended 0 "under the shim"
check "two undisturbed runs differ" same_model
check "checkpoints are not written through write(), or not at all" operations -ge 20
count=$(cat "$work/count")

resumes "a finished run"
rm -rf "$work/run"
resumes "no run at all"

# ---- crashes at chosen operations ------------------------------------------------------------------------------
for when in before after half; do
  for at in $(points "$count"); do
    shimmed LFM_CRASH_AT="$at" LFM_CRASH_WHEN=$when LFM_CRASH_LOSE=$((at % 2))
    ended 137 "crash $when operation $at of $count"
    resumes "crash $when operation $at of $count"
  done
done

# What the checkpoint holds is not done again.
shimmed LFM_CRASH_AT=$((count * 4 / 5)) LFM_CRASH_WHEN=before
shimmed LFM_CRASH_AT=0 --resume
ended 0 "resumed late"
check "resuming began from the start" operations -lt $((count / 2))

# The second crash comes while resuming from the first.
shimmed LFM_CRASH_AT=$((count / 3)) LFM_CRASH_WHEN=after
shimmed LFM_CRASH_AT=$((count / 3)) LFM_CRASH_WHEN=half LFM_CRASH_LOSE=1 --resume
ended 137 "crash while resuming"
resumes "crash while resuming"

# ---- polite interruptions: exit code 1, and a message that says how to go on -------------------------------------
for signal in INT TERM; do
  for at in $((count / 4)) $((count / 2)); do
    shimmed LFM_CRASH_AT="$at" LFM_CRASH_WHEN=$signal
    ended 1 "SIG$signal at operation $at"
    check "SIG$signal: once it is said that it was heard" test "$(grep -c '^stopping at the next step' "$work/err")" = 1
    check "SIG$signal: the message does not say how to resume" grep -q -e --resume "$work/err"
    resumes "SIG$signal at operation $at"
  done
done

# ---- kill -9 at random moments of the time that the undisturbed run took -------------------------------------------
for try in 1 2 3 4 5 6; do
  rm -rf "$work/run"
  "${train[@]}" -o "$work/run" >"$work/out" 2>"$work/err" &
  sleep "$(awk -v us=$((whole_us * (RANDOM % 100) / 100)) 'BEGIN { printf "%.6f", us / 1e6 }')"
  kill -KILL $! 2>/dev/null
  wait $! 2>/dev/null
  resumes "kill -9, try $try"
done

# ---- the disk is full from some operation on; after the last write, which is among the last ten, it would not be noticed ----
for at in $(points $((count - 10)) | awk 'NR % 3 == 2'); do
  shimmed LFM_ENOSPC_AT="$at"
  ended 1 "disk full from operation $at"
  check "disk full: the message does not say so" grep -qi 'no space' "$work/err"
  resumes "disk full from operation $at"
done

# ---- rows in files: crashed, and out of disk; the same bytes as in memory (amid a push: flow.memory) ----------------
awk 'BEGIN { srand(8); print "x,y"; for (i = 0; i < 4000; i++) { x = rand() + rand() - 1; printf "%.5f,%.5f\n", x, x * x + rand() / 4 } }' \
  >"$work/rows.csv"
train=("$lfm" train "$work/rows.csv" --seed 5 --threads 1 --set 'hks=[0.2, null]' --set hidden_dim=16 --set num_hidden=2
  --set batch_size=64 --set max_batch=24 --set checkpoint_every=9)
rm -rf "$work/whole"
expect_exit 0 "${train[@]}" -o "$work/whole"
check "rows are in files, and nobody asked for it" grep -q '"memory_in_files": 0' "$work/whole/result.json"
train+=(--memory 1K)
shimmed LFM_CRASH_AT=0
ended 0 "rows in files"
check "rows in files: the model differs" same_model
check "rows in files: they are in memory" grep -q '"memory_in_files": [1-9]' "$work/run/result.json"
count=$(cat "$work/count")
for at in $((count / 3)) $((count / 2)) $((count * 2 / 3)); do
  shimmed LFM_CRASH_AT="$at" LFM_CRASH_WHEN=half LFM_CRASH_LOSE=1
  ended 137 "rows in files, crash at operation $at of $count"
  check "rows in files: a file of them was left behind" test -z "$(find "$work" -name 'lfm-rows-*')"
  resumes "rows in files, crash at operation $at of $count"
done
for at in 1 5; do # a table, and what is made of it
  rm -rf "$work/run"
  mkdir "$work/run" # the files lie in it, if it is there
  shimmed LFM_ENOSPC_AT=$at --resume
  ended 1 "no room for rows, at operation $at"
  check "no room for rows: the message does not say so" grep -qi "$work/run: no room for .* no space" "$work/err"
done
resumes "no room for rows"

# ---- a table that another program cuts short while it is read, and other bus errors ---------------------------------
cp "$work/data.csv" "$work/cut.csv"
expect_refused "a file was cut short by another program while it was read; " \
  env LFM_CUT="$work/cut.csv" LD_PRELOAD="$shim" "$lfm" train "$work/cut.csv" -o "$work/cut"
check "a table was mapped and not cut" [ ! -s "$work/cut.csv" ]
shimmed LFM_CRASH_AT=5 LFM_CRASH_WHEN=BUS
ended 135 "SIGBUS that comes of no file"

finish
