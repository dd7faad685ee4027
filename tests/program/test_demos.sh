# SPDX-License-Identifier: MIT
#
# test_demos.sh -- lfm demos: a file of demonstrations and a contact sheet, its manners, and what it refuses.
. "$(dirname "$0")/lib.sh"
cd "$work"

# ---- wrong lines
expect_usage "TASK is missing" "$lfm" demos -n 2 -o lift.hdf5
expect_usage "-n N is missing" "$lfm" demos lift -o lift.hdf5
expect_usage "-o FILE is missing" "$lfm" demos lift -n 2
expect_usage "--episodes" "$lfm" demos lift -n 0 -o lift.hdf5
run "$lfm" demos lift -n 1 -o lift.csv
if grep -q 'built without simulators' err; then
  check "says what to install" grep -q 'libmujoco-dev' err
  finish
fi
expect_usage "unknown task 'lifting'; there are lift, can, square" "$lfm" demos lifting -n 2 -o lift.hdf5
expect_usage "task 'pusht' has no scripted expert; lift, can, square have one" "$lfm" demos pusht -n 2 -o lift.hdf5
expect_usage "lift.csv" "$lfm" demos lift -n 2 -o lift.csv
expect_usage "sheet.jpg" "$lfm" demos lift -n 2 -o lift.hdf5 --sheet sheet.jpg
expect_refused "nowhere" "$lfm" demos lift -n 2 -o nowhere/lift.hdf5
check "nothing was left behind" test ! -e lift.hdf5

# ---- record
expect_exit 0 "$lfm" demos lift -n 3 -o lift.hdf5 --seed 5 --threads 1
check "says how many, and where" grep -qE '^episodes +3, in lift.hdf5$' out
check "says how good the expert is" grep -qE '^expert +succeeded in 3 of [0-9]+: [0-9.]+ % \(95 % interval [0-9.]+ to [0-9.]+\)$' out
expect_json "$lfm" demos lift -n 3 -o again.hdf5 --seed 5 --threads 2 --json
expect_fields task episodes tried success success_low success_high steps seconds
check "the same bytes for any number of threads" cmp -s lift.hdf5 again.hdf5
expect_exit 0 "$lfm" info lift.hdf5
check "info knows demonstrations" grep -qE '^kind +demonstrations' out
check "of three episodes" grep -qE '^episodes +3$' out
expect_exit 0 "$lfm" info again.hdf5::valid
check "one of them is valid" grep -qE '^episodes +1$' out
run "$lfm" demos lift -n 1 -o sheet.hdf5 --sheet sheet.png
if ! grep -q OSMesa err; then
  check "a contact sheet" test "$(head -c 4 sheet.png | tail -c 3)" = PNG
fi

# ---- stop
:>err # what another command said is not this one's
"$lfm" demos can -n 5000 -o stopped.hdf5 >out 2>err & # in the background SIGINT would be ignored: SIGTERM asks the same
pid=$!
for ((i = 0; i < 600; i++)); do
  [ ! -s err ] || break # it shows how far it is, and so hears
  sleep 0.05
done
kill -TERM "$pid"
wait "$pid"
check "a stop leaves nothing, not even under another name" test -z "$(find . -name '*stopped*')"
check "and says so" grep -q 'nothing is written' err

finish
