#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Where does a chain pay?  The tree density, N blocks and the steps between them swept at equal training compute (24,000
# batches of the demo's network over all blocks), read on validation rows: the mean gap to the entropy, in nats.
#   bench/sweep_tree.sh [BUILD] [OUT]            some ten minutes on two cores; $DENSITY: tree, or the path of a picture;
#                                                $SEED is the training seed
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build} out=${2:-runs/sweep_tree} density=${DENSITY:-tree} seed=${SEED:-0}
if [ "$density" = tree ]; then "$build/kit" tree "$out"; else "$build/kit" picture "$density" "$out"; fi
"$build/kit" truth "$density" "$out"

# run NAME BATCHES HKS
run() {
  "$build/lfm" train "$out/train.csv" --valid "$out/valid.csv" --seed "$seed" -o "$out/$1" --resume --config demo/tree.yaml \
    --set "max_batch=$2" --set "hks=$3" >/dev/null 2>&1
  "$build/lfm" score "$out/$1" "$out/test.csv" -o "$out/$1.csv" >/dev/null 2>&1
  printf '%-28s ' "$3"
  awk -F'[:,]' '/valid_nll/ { v = $2 } /train_flops/ { t = $2 } /push_flops/ { p = $2 }
                END { printf "valid NLL %.4f   training %.2e flop, push %.2e   ", v, t, p }' "$out/$1/result.json"
  "$build/kit" gap "$out" "$1"
}

run fm 24000 '[null]'
run two-small 12000 '[0.1, null]'
run two-half 12000 '[0.5, null]'
run two-one 12000 '[1.0, null]'
run four-small 6000 '[0.05, 0.15, 0.5, null]'
run four-even 6000 '[0.3, 0.3, 0.3, null]'
run six-small 4000 '[0.025, 0.05, 0.1, 0.2, 0.4, null]'
