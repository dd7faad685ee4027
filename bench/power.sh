#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A month of household power by the minute, six columns, by the MAF recipe and with noise that fills the meter's steps
# (numbers of the two are not to be compared: kit/power.c): the chain power@A in smaller batches, standardised, ended early
# by its validation loss, and both FM twins at its whole compute; Gaussian and mixture beside them.
#   bench/power.sh TABLE.csv [BUILD] [OUT]             $RECIPES="maf whole"  $SEEDS="0 1 2"  $BATCHES=10000 a block at most
# A run takes up to a quarter of an hour on two cores; 18 of them with their scores, some three hours.
# For a trial: $BATCHES, $ROWS, $KEYS.
set -euo pipefail
table=$(realpath "$1") build=${2:-build} out=${3:-runs/power} SEEDS=${SEEDS:-0 1 2} BATCHES=${BATCHES:-10000}
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
base=$out mixture="Gaussian mixture, up to 40 components"
step=$(times "$BATCHES" .01) patience=$(times "$BATCHES" .2) # the published hundred decays of a block

for recipe in ${RECIPES:-maf whole}; do
  out=$base/$recipe
  mkdir -p "$out"
  once "$out/split.txt" "$table" "$recipe $table" "$kit" power "$recipe" "$table" "$out"
  tables "$out"
  for seed in $SEEDS; do
    trio "$seed" --preset power@A --set normalise=standardise --set batch_size=2048 --set "max_batch=$BATCHES" \
      --set "lr_step=$step" --set "patience=$patience"
    for name in lfm fm wide; do score "$out/$name-$seed" "$name-$seed" --tol "$TOL"; done
  done
  once "$out/mixture.txt" "$test" "$ROWS" "$kit" rivals "$out" --rows "$ROWS"
  printf '\nPOWER, a month, recipe %s, seeds %s:\n\n' "$recipe" "$SEEDS"
  compare ""
  printf '\n'
  costs_of_trios
done
