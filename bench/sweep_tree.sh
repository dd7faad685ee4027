#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Where does a chain pay?  The tree density, N blocks and the steps between them swept at equal training compute (24,000
# batches of the demo's network over all blocks).  The NLL of validation rows is there to choose by; the gap to the true log p,
# in nats, is of test rows.
#   bench/sweep_tree.sh [BUILD] [OUT]            some ten minutes on two cores; $DENSITY: tree, or the path of a picture;
#                                                $SEED is the training seed; $LENGTH=1: a share of the batches, for a trial
set -euo pipefail
build=${1:-build} density=${DENSITY:-tree} seed=${SEED:-0}
out=${2:-runs/sweep-$(basename "${density%.*}")-$seed}
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
if [ "$density" = tree ]; then "$kit" tree "$out"; else "$kit" picture "$density" "$out"; fi
"$kit" truth "$density" "$out"
tables "$out"

# run NAME BATCHES HKS
run() {
  train "$1" --seed "$seed" --config demo/tree.yaml --set "max_batch=$(times "${LENGTH:-1}" "$2")" --set "hks=$3"
  logged "$out/$1-score.log" "$lfm" score "$out/$1" "$test" -o "$out/$1.csv"
  printf '%-28s ' "$3"
  awk -F'[:,]' '/"valid_nll"/ { v = $2 } /train_flops/ { t = $2 } /push_flops/ { p = $2 }
                END { printf "valid NLL %.4f   training %.2e flop, push %.2e   ", v, t, p }' "$out/$1/result.json"
  "$kit" gap "$out" "$1"
}

run fm 24000 '[null]'
run two-small 12000 '[0.1, null]'
run two-third 12000 '[0.3, null]'
run two-half 12000 '[0.5, null]'
run two-one 12000 '[1.0, null]'
run four-small 6000 '[0.05, 0.15, 0.5, null]'
run four-even 6000 '[0.3, 0.3, 0.3, null]'
run six-small 4000 '[0.025, 0.05, 0.1, 0.2, 0.4, null]'
