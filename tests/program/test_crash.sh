#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# However training ends, `lfm train --resume` must go on to the same model, to the byte.  A small chain of three blocks is
# trained once undisturbed; then it is crashed at every file operation of training (tests/support/crash_shim.c: before,
# after, in the middle of a write, with all unsynced bytes lost), interrupted by SIGINT and SIGTERM, killed at random
# moments, and run out of disk; after each the resumed run's model.safetensors is compared with the undisturbed one.
#
# usage: test_crash.sh LFM      LFM_CRASH_POINTS=all tries every operation; the default, 12, spreads that many per way
set -u
lfm=$1
shim=$(dirname "$lfm")/crash_shim.so
[ -e "$shim" ] || { echo "skipped: no $shim"; exit 77; }
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0
failures=0
fail() { echo "FAILED: $1"; failures=$((failures + 1)); }

awk 'BEGIN { srand(7); print "x,y"; for (i = 0; i < 300; i++) { x = rand() + rand() - 1; printf "%.5f,%.5f\n", x, x * x + rand() / 4 } }' \
  >"$work/data.csv"

# compose RUN [argument]...: fills call; always the same configuration.
compose() {
  call=("$lfm" train "$work/data.csv" -o "$1" --seed 5 --threads 1 --set 'hks=[0.2, 0.3, null]' --set hidden_dim=16 --set num_hidden=2
    --set batch_size=64 --set max_batch=24 --set checkpoint_every=9 --set valid_every=10 "${@:2}")
}

# train RUN [argument]...: the environment says what goes wrong.
train() {
  local call
  compose "$@"
  "${call[@]}" >"$work/out" 2>"$work/err"
}

# resumed WHAT: the run in $work/run, resumed, ends with the undisturbed run's model.
resumed() {
  checks=$((checks + 1))
  train "$work/run" --resume || { fail "$1: --resume exits with $?: $(cat "$work/err")"; return; }
  cmp -s "$work/whole/model.safetensors" "$work/run/model.safetensors" || fail "$1: the resumed model differs"
  local litter
  litter=$(find "$work/run" -name '*.partial')
  [ -z "$litter" ] || fail "$1: left behind: $litter"
}

# shimmed VARIABLE=VALUE...: trains afresh into $work/run under the shim.
shimmed() {
  rm -rf "$work/run"
  (export LFM_CRASH_DIR=$work/run LFM_CRASH_COUNT=$work/count "$@"; export LD_PRELOAD=$shim; train "$work/run")
}

# points COUNT: the operations to try, of 1..COUNT, evenly spaced with both ends.
points() {
  local wanted=${LFM_CRASH_POINTS:-12}
  [ "$wanted" = all ] && wanted=$1
  [ "$wanted" -gt "$1" ] && wanted=$1
  awk -v n="$1" -v k="$wanted" 'BEGIN { for (i = 0; i < k; i++) print k > 1 ? 1 + int(i * (n - 1) / (k - 1) + 0.5) : 1 }'
}

# ---- undisturbed, and how many operations there are ----------------------------------------------------------
began=${EPOCHREALTIME/./}
train "$work/whole" || { echo "FAILED: the undisturbed run: $(cat "$work/err")"; exit 1; }
whole_us=$((${EPOCHREALTIME/./} - began))
shimmed LFM_CRASH_AT=0 || fail "the run under the shim: $(cat "$work/err")"
cmp -s "$work/whole/model.safetensors" "$work/run/model.safetensors" || fail "two undisturbed runs differ"
count=$(cat "$work/count")
[ "$count" -ge 20 ] || fail "only $count file operations seen: checkpoints are not written through write(), or not at all"

train "$work/run" --resume || fail "--resume of a finished run exits with $?"
cmp -s "$work/whole/model.safetensors" "$work/run/model.safetensors" || fail "--resume of a finished run changed the model"
rm -rf "$work/run"
train "$work/run" --resume || fail "--resume without a checkpoint exits with $?"
cmp -s "$work/whole/model.safetensors" "$work/run/model.safetensors" || fail "--resume without a checkpoint: the model differs"

# ---- crashes at chosen operations ----------------------------------------------------------------------------
for when in before after half; do
  for at in $(points "$count"); do
    shimmed LFM_CRASH_AT="$at" LFM_CRASH_WHEN=$when LFM_CRASH_LOSE=$((at % 2))
    status=$?
    [ $status -eq 137 ] || fail "crash $when operation $at of $count: exit status $status, not 137"
    resumed "crash $when operation $at of $count"
  done
done

# Twice in one run: the second crash comes while resuming.
shimmed LFM_CRASH_AT=$((count / 3)) LFM_CRASH_WHEN=after
(export LFM_CRASH_DIR=$work/run LFM_CRASH_AT=$((count / 3)) LFM_CRASH_WHEN=half LFM_CRASH_LOSE=1 LD_PRELOAD=$shim; train "$work/run" --resume)
[ $? -eq 137 ] || fail "the second crash did not come"
resumed "two crashes"

# ---- polite interruptions: exit code 1, and a message that says how to go on -----------------------------------
for signal in INT TERM; do
  for at in $((count / 4)) $((count / 2)); do
    shimmed LFM_CRASH_AT="$at" LFM_CRASH_WHEN=$signal
    status=$?
    [ $status -eq 1 ] || fail "SIG$signal at operation $at: exit status $status, not 1"
    grep -q -e --resume "$work/err" || fail "SIG$signal: the message does not say how to resume: $(cat "$work/err")"
    resumed "SIG$signal at operation $at"
  done
done

# ---- kill -9 at random moments of the time that the undisturbed run took ------------------------------------------
compose "$work/run"
for try in 1 2 3 4 5 6; do
  rm -rf "$work/run"
  "${call[@]}" >"$work/out" 2>"$work/err" &
  sleep "$(awk -v us=$((whole_us * (RANDOM % 100) / 100)) 'BEGIN { printf "%.6f", us / 1e6 }')"
  kill -KILL $! 2>/dev/null
  wait $! 2>/dev/null
  resumed "kill -9, try $try"
done

# ---- the disk is full from some operation on ---------------------------------------------------------------------
for at in $(points "$count" | awk 'NR % 3 == 2'); do
  shimmed LFM_ENOSPC_AT="$at"
  status=$?
  [ $status -eq 1 ] || fail "disk full from operation $at: exit status $status, not 1"
  grep -qi 'no space' "$work/err" || fail "disk full from operation $at: the message does not say so: $(cat "$work/err")"
  resumed "disk full from operation $at"
done

echo "$checks interrupted runs resumed, $count file operations a run, $failures failures"
exit $((failures > 0))
