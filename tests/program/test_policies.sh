# SPDX-License-Identifier: MIT
#
# test_policies.sh -- demonstrations to a policy on the command line: train, resume, info, sample --given, score; what is refused.
. "$(dirname "$0")/lib.sh"
cd "$work"

run "$lfm" demos lift -n 12 -o lift.hdf5 --seed 3
if grep -q 'built without simulators' err; then echo 'skipped: built without simulators'; exit 77; fi
small=(--preset lift --set hidden_dim=8 --set unet_dim_mults=[1,2] --set batch_size=16 --set push_tol=0.1)
expect_exit 0 "$lfm" train lift.hdf5 -o policy "${small[@]}" --set max_batch=3 --threads 1
expect_exit 0 "$lfm" train lift.hdf5 -o again "${small[@]}" --set max_batch=3 --threads 2
check "the same bytes for any number of threads" cmp -s policy/model.safetensors again/model.safetensors
expect_exit 0 "$lfm" train lift.hdf5 -o policy "${small[@]}" --set max_batch=3 --resume
check "a finished run is finished" grep -q 'finished before' out

# ---- what it is
expect_exit 0 "$lfm" info policy
check "poses" grep -qE '^action +pose' out
check "of lift" grep -qE '^task +lift' out
check "chunks of sixteen" grep -qE '^prediction_horizon +16' out
check "what is observed" grep -qE '^ +robot0_eef_pos +numbers 3' out

# ---- draws
expect_usage "--given" "$lfm" sample policy -n 5 -o chunks.csv
expect_exit 0 "$lfm" sample policy -n 5 -o chunks.csv --given lift.hdf5 --nfe 2 --seed 1
check "a line for each of five windows" test "$(wc -l <chunks.csv)" = 6
check "sixteen actions of seven numbers" test "$(head -n 1 chunks.csv | tr , '\n' | wc -l)" = 112
check "the third number of the second action" test "$(head -n 1 chunks.csv | cut -d, -f10)" = x2.1

# ---- log p
expect_exit 0 "$lfm" score policy lift.hdf5 --rows 3 --tol 1e-2 -o scores.csv
check "a line for each of three windows" test "$(wc -l <scores.csv)" = 4
expect_exit 0 "$lfm" train lift.hdf5 -o plain "${small[@]}" --set network=mlp --set max_batch=1
expect_usage "--seed has no effect without --probes" "$lfm" score plain lift.hdf5 --rows 3 --seed 2
printf 'a,b\n1,2\n3,4\n' >table.csv
printf 'a,class\n1,g\n3,h\n' >words.csv # no advice for a table, since none is due
for rows in table.csv words.csv; do
  expect_refused "$rows: demonstrations are due here, not a table" "$lfm" score policy $rows
  expect_refused "$rows: demonstrations are due here, not a table" "$lfm" sample policy -n 5 -o chunks.csv --given $rows
  expect_refused "$rows: demonstrations are due here, not a table" "$lfm" train lift.hdf5 --valid $rows -o new "${small[@]}"
done

# ---- other observations
expect_exit 0 "$lfm" train lift.hdf5 -o blind "${small[@]}" --set max_batch=1 --observations robot0_eef_pos,object
expect_exit 0 "$lfm" sample blind -n 2 -o chunks.csv --given lift.hdf5 --nfe 2
expect_usage "robot0_eef_poss" "$lfm" train lift.hdf5 -o typo "${small[@]}" --observations robot0_eef_poss

finish
