# SPDX-License-Identifier: MIT
#
# test_example.sh -- the example trains, samples and scores through lfm.h, and leaves a model that the program takes.
. "$(dirname "$0")/lib.sh"
example=$(dirname "$lfm")/train_and_sample
cd "$work"

check "the example was built beside lfm" test -x "$example"
expect_exit 2 "$example"
expect_exit 0 "$example" moons
check "it trained" grep -q '^trained 2 blocks' out
check "it drew rows" grep -q '^drew 500 rows' out
# Of the data -log p is 1.60 nats; the best Gaussian has 1.99, and is what a flow that learnt nothing would come to.
check "it scored" awk '/^unseen rows/ { nll = $6; found = 1 } END { exit !(found && nll > 1.5 && nll < 1.9) }' out
expect_exit 0 "$lfm" sample moons -n 10 -o new.csv
check "the names of the columns are kept" grep -qx 'east,north' <(head -1 new.csv)
check "three decimals are kept" grep -qE '^-?[0-9]+\.[0-9]{3},-?[0-9]+\.[0-9]{3}$' <(tail -1 new.csv)
expect_exit 1 "$example" moons
check "an existing folder is named" grep -q moons err
finish
