#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What waves of the columns are worth (docs/decisions/waves.md): without a preset, the chain and flow matching of the same
# network at the chain's whole compute, with and without them; converged NLL of the same test rows, paired.
#   kit power maf TABLE.csv FOLDER                     or kit magic, kit tree: train.csv, valid.csv, test.csv
#   bench/waves.sh FOLDER [BUILD] [OUT]                $WAVES="0 6", $BATCHES=8000 a block, $SEEDS="0 1 2", $ROWS=2000
# A run of 8,000 batches a block: a minute on two cores, its twin as long.  The first of $WAVES is what others are paired with.
set -euo pipefail
build=${2:-build} out=${3:-runs/waves} SEEDS=${SEEDS:-0 1 2}
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
tables "$1"

columns=()
for waves in ${WAVES:-0 6}; do
  for seed in $SEEDS; do
    name=lfm-$waves-$seed
    train "$name" --seed "$seed" --set "waves=$waves" --set "max_batch=${BATCHES:-8000}"
    text=$(twin "$out/$name")
    mapfile -t keys <<<"$text"
    train "fm-$waves-$seed" --seed "$seed" --set "waves=$waves" "${keys[@]/#/--set=}"
    for model in lfm fm; do score "$out/$model-$waves-$seed" "$model-$waves-$seed" --tol "$TOL"; done
  done
  columns+=("lfm, $waves waves=$(named "lfm-$waves" "")" "FM, $waves waves=$(named "fm-$waves" "")")
done
"$kit" compare "$out" "${columns[@]}" --md
