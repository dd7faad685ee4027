# SPDX-License-Identifier: MIT
#
# test_rollout.sh -- a policy acts: episodes by `lfm rollout`, and one C file by `lfm export`, which compiles as C99 without a
# warning and whose self-test passes to the bit, here where the processor fuses, and on aarch64 where there is an emulator.
. "$(dirname "$0")/lib.sh"
root=$(realpath "$(dirname "$0")/../..")
cd "$work"

run "$lfm" demos lift -n 12 -o lift.hdf5 --seed 3
if grep -q 'built without simulators' err; then echo 'skipped: built without simulators'; exit 77; fi
expect_exit 0 "$lfm" train lift.hdf5 -o policy --preset lift --set hidden_dim=8 --set 'unet_dim_mults=[1, 2]' \
  --set step_embed_dim=8 --set batch_size=16 --set push_tol=0.1 --set max_batch=3

# ---- episodes
expect_json "$lfm" rollout policy -n 2 --nfe 2 --seed 5 -o a.csv --json
for field in episodes success success_low success_high mean_score nfe latency_us p50 p99 p99_9 max missed; do
  check "it tells $field" grep -q "\"$field\"" out
done
expect_exit 0 "$lfm" rollout policy -n 2 --nfe 2 --seed 5 -o b.csv --threads 1
check "the same episodes on any number of threads" cmp -s a.csv b.csv
check "a row an episode" test "$(wc -l <a.csv)" = 3
expect_exit 0 "$lfm" rollout policy -n 1 --nfe 2 --seed 5
check "one episode has no spread" grep -qE '^score +[0-9]\.[0-9]{4}: the best' out
expect_exit 0 env LC_ALL=C.UTF-8 "$lfm" rollout policy -n 2 --nfe 2 --seed 5
check "two have, in the user's letters" grep -qE '^score +[0-9.]+ ± [0-9.]+: the best' out
run "$lfm" rollout policy -n 2 --nfe 2 --seed 5 -o a.csv --record sheet.png
if ! grep -q 'draw' err; then check "a contact sheet" test "$(head -c 4 sheet.png | tail -c 3)" = PNG; fi
if command -v cc >/dev/null && mkdir hollow && cc -shared -x c /dev/null -o hollow/libOSMesa.so.8; then
  expect_refused "lacks a function" env LD_LIBRARY_PATH=hollow "$lfm" rollout policy -n 100 --nfe 2 -o c.csv --record c.png
  check "what cannot be drawn is refused before the episodes" test ! -e c.csv
  expect_refused "lacks a function" env LD_LIBRARY_PATH=hollow "$lfm" demos lift -n 500 -o c.hdf5 --sheet c.png
fi
if [ -e sheet.png ]; then # what has been found is told, whatever becomes of the picture
  mkdir taken && rm -f d.csv
  run bash -c "ulimit -f 1; trap '' XFSZ; exec \"$lfm\" rollout policy -n 2 --nfe 2 --seed 5 -o d.csv --record taken/sheet.png"
  check "the sheet did not fit" grep -q 'sheet.png: cannot be written' err
  check "the results are told" grep -q '^success ' out
  check "the episodes are written" cmp -s a.csv d.csv
  check "nothing half-written" test -z "$(ls -A taken)"
fi
expect_exit 0 "$lfm" rollout policy -n 2 --nfe 2 --seed 5 --range 1000 --delay 4 --rtc -o c.csv
check "how chunks go on from each other" grep -qE '^jump +[0-9]' out
rm c.csv
expect_usage "delay: 8 steps; 0 to 7 are possible" "$lfm" rollout policy -n 2 --nfe 2 --delay 8
expect_usage "at least 2" "$lfm" rollout policy -n 2 --nfe 1 -o c.csv
expect_refused "pusht: the model observes" "$lfm" rollout policy --task pusht -o c.csv
check "nothing half-written" test ! -e c.csv
seq 30 | sed 's/.*/&,&5/; 1i a,b' >table.csv
expect_exit 0 "$lfm" train table.csv -o density --set max_batch=2 --set hidden_dim=8 --set num_hidden=1
expect_usage "demonstrations" "$lfm" rollout density
expect_usage "demonstrations" "$lfm" export density -o density.c

# ---- in one evaluation a block, distilled
expect_exit 0 "$lfm" distill policy -o fast --steps 2 --given lift.hdf5 --pairs 100 --budget 6 --nfe 4
expect_json "$lfm" rollout fast -n 2 --seed 5 --json
check "two evaluations a chunk" grep -q '"nfe": 2' out
expect_usage "one step of euler each" "$lfm" rollout fast -n 2 --nfe 4
expect_exit 0 "$lfm" export fast -o fast.c

# ---- a guard
expect_usage "guard: the model has none" "$lfm" rollout policy -n 1 --nfe 2 --guard count
expect_exit 0 "$lfm" guard policy lift.hdf5 -o guarded.safetensors --alpha 0.5 --batches 5
check "it says how often it alarms falsely" grep -qE '^false alarms  [0-9] of 3 other good episodes: ' out
expect_json "$lfm" guard policy lift.hdf5 -o again.safetensors --alpha 0.5 --batches 5 --json
check "the same guard again" cmp -s guarded.safetensors again.safetensors
expect_refused "it takes 19 at least" "$lfm" guard policy lift.hdf5 -o none.safetensors --batches 5
expect_refused "it takes 19 at least" "$lfm" guard policy lift.hdf5 -o none.safetensors --batches 5 --rollouts 20
check "nothing half-written" test ! -e none.safetensors
expect_exit 0 "$lfm" info guarded.safetensors
check "info tells of it" grep -q '^guard_alpha *0.5' out
expect_exit 0 "$lfm" rollout guarded.safetensors -n 2 --nfe 2 --seed 5 -o a.csv
check "who does not ask for it has the episodes of before" cmp -s a.csv b.csv
expect_json "$lfm" rollout guarded.safetensors -n 2 --nfe 2 --seed 5 --guard stop -o a.csv --json
check "alarms in JSON" grep -q '"alarms_in_failures": {"of": 2, ' out
check "and in the table" grep -q '^episode,success,score,steps,broken,alarm$' a.csv

# ---- the example of a control loop
expect_exit 0 "$(dirname "$lfm")/control_loop" policy 1
check "it acts twenty times a second" grep -q '^steps 20, ' out
expect_exit 0 "$(dirname "$lfm")/control_loop" policy 1 rtc
check "so does one whose chunks go on from each other" grep -q "^steps 20, " out
expect_exit 1 "$(dirname "$lfm")/control_loop" density 1

# ---- one C file
if ! command -v cc >/dev/null; then finish; fi
expect_usage "of a policy's source" "$lfm" export policy -o weights.safetensors --nfe 4
expect_exit 0 "$lfm" export policy -o floats.c --nfe 4
expect_exit 0 "$lfm" export guarded.safetensors -o guarded.c --nfe 4 --guard stop
check "floats are C99" cc -std=c99 -Wall -Wextra -Werror -fsyntax-only floats.c
expect_exit 0 "$lfm" export policy -o policy.c --nfe 4 --precision bf16
main='-std=c99 -Wall -Wextra -Werror -O2 -DPOLICY_MAIN -DPOLICY_CHUNKS=20'
# shellcheck disable=SC2086 # words of the command line
check "halves are C99" cc $main -march=native policy.c -o here -lm
expect_exit 0 ./here
if grep -qw fma /proc/cpuinfo; then check "to the bit" grep -q 'largest difference 0$' out; fi
if command -v tcc >/dev/null; then
  check "a compiler that is neither GCC nor Clang takes it" tcc -DPOLICY_MAIN -DPOLICY_CHUNKS=20 policy.c -o plain -lm
  expect_exit 0 ./plain
fi
if grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
  # shellcheck disable=SC2086
  check "also for narrower vectors" cc $main -march=x86-64-v3 policy.c -o narrow -lm
  expect_exit 0 ./narrow
  check "to the bit" grep -q 'largest difference 0$' out
fi
# shellcheck disable=SC2086
if grep -qw fma /proc/cpuinfo; then
  check "GNU C is C99 here" cc $main -std=gnu99 -march=native policy.c -o gnu -lm
  expect_exit 0 ./gnu
  check "to the bit, though GNU C fuses what it likes" grep -q 'largest difference 0$' out
  if command -v clang >/dev/null; then
    check "clang takes it" clang $main -march=native policy.c -o clang-there -lm
    expect_exit 0 ./clang-there
    check "to the bit, by clang" grep -q 'largest difference 0$' out
  fi
fi
# shellcheck disable=SC2086
check "who takes no number for one is refused" test -z "$(cc $main -ffast-math policy.c -o loose -lm 2>/dev/null && echo made)"
# shellcheck disable=SC2086
check "unless they hide it" cc $main -ffinite-math-only -U__FINITE_MATH_ONLY__ policy.c -o loose -lm
expect_exit 1 ./loose
check "and the self-test tells" grep -q '^self-test failed' out
check "it calls neither allocator nor lock" test -z "$(nm here | grep -E ' U (malloc|calloc|realloc|free|pthread)')"
# shellcheck disable=SC2086
check "a guarded one is C99" cc $main -march=native guarded.c -o guarded -lm
expect_exit 0 ./guarded
if grep -qw fma /proc/cpuinfo; then check "to the bit, guard and all" grep -q 'largest difference 0$' out; fi
expect_exit 0 "$lfm" export policy -o guided.c --nfe 4 --rtc --delay 2
# shellcheck disable=SC2086
check "guided chunks are C99" cc $main -march=native guided.c -o there -lm
expect_exit 0 ./there
if grep -qw fma /proc/cpuinfo; then check "to the bit, with gradients" grep -q 'largest difference 0$' out; fi

# ---- beside the library's policy, observation by observation
# replay FILE.c MODEL: the first six codes of an episode are left in `out`.
library=$(dirname "$lfm")
replay() {
  # shellcheck disable=SC2086
  check "$1 stands in another program" cc $main -UPOLICY_MAIN -march=native -DEXPORTED="\"$work/$1\"" -I "$root/include" \
    "$root/tests/program/replay.c" -o replay -L "$library" -Wl,-rpath,"$library" -llfm -lm
  expect_exit 0 ./replay "$2"
}
if ! grep -qw fma /proc/cpuinfo || nm -D "$library/liblfm.so" | grep -qE ' U __[at]san_init'; then
  echo 'replay: bits differ without fused multiply-adds, and a sanitizer wants the whole program; left out'
else
  replay policy.c policy
  check "codes of what is not finite and of what is out of range" grep -qx 'codes 2 1 2 0 0 2' out
  replay guided.c policy
  expect_exit 0 "$lfm" export policy -o clamped.c --nfe 8 --seed 7 --range 1.5 --clamp
  replay clamped.c policy
  check "what is clamped is not refused" grep -qx 'codes 0 1 0 0 0 0' out
  for guard in count hold stop; do
    expect_exit 0 "$lfm" export guarded.safetensors -o $guard.c --nfe 4 --guard $guard --range 50
    replay $guard.c guarded.safetensors
    cp out $guard.codes
  done
  check "a guard that counts" grep -qx 'codes 0 1 2 0 0 0' count.codes
  check "a guard that holds, once there is an action" grep -qx 'codes 5 1 2 5 0 0' hold.codes
  check "a guard that stops" grep -qx 'codes 4 1 2 4 4 4' stop.codes
fi
if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then
  # shellcheck disable=SC2086
  check "it compiles for aarch64" aarch64-linux-gnu-gcc $main -static policy.c -o there -lm
  expect_exit 0 qemu-aarch64 ./there
  check "to the bit, on aarch64" grep -q 'largest difference 0$' out
else
  echo 'aarch64: no compiler or no emulator here, left out'
fi

finish
