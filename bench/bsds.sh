#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# BSDS300 patches at a share of the published length: the chain bsds300@A and both FM twins at its whole compute, the push
# included, on the same test rows: converged and by the paper's protocol, paired, with errors clustered by picture; beside
# them a Gaussian and a mixture of 200.  The preset's learning rates step as published, every 4,000 batches of a block (a
# twin's as much later as it is longer), whatever the length.
#   bench/make_bsds.py BSDS300/images BSDS.hdf5        patches in the MAF layout, with the picture of each row
#   bench/bsds.sh BSDS.hdf5 [BUILD] [OUT]              $LENGTH=.25: of the published batches a block; $SEEDS="0"
#   KEYS=normalise=whiten bench/bsds.sh ...            all three so (pool=ou, precision=bf16); each its own OUT
#   CONFIG=bench/bsds300.yaml bench/bsds.sh ...        by that file in place of the preset
# A seed of a quarter: some two hours on two cores (the chain 55 minutes, most of which is the push of a million rows; each
# twin as many operations in half the time; scores 25 minutes); of the whole: some three.  The mixture: about four minutes.
# For a trial: $ROWS, $PRESET, $COMPONENTS, $ITERATIONS, $FIT_ROWS.
set -euo pipefail
build=${2:-build} length=${LENGTH:-.25}
config=${CONFIG:-configs/${PRESET:-bsds300@A}.yaml} recipe=$(basename "${CONFIG:-${PRESET:-bsds300@A}}" .yaml)
out=${3:-runs/$recipe-$length${KEYS:+-${KEYS// /-}}} SEEDS=${SEEDS:-0}
components=${COMPONENTS:-200} mixture="Gaussian mixture, $components components"
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
tables "$1"

batches=$(times "$length" "$(key "$config" max_batch)")
for seed in $SEEDS; do
  trio "$seed" --config "$config" --set "max_batch=$batches"
  for name in lfm fm wide; do
    score "$out/$name-$seed" "$name-$seed" --tol "$TOL"
    score "$out/$name-$seed" "$name-$seed-paper" --protocol paper
  done
done
rivals=(--components "$components" --iterations "${ITERATIONS:-100}" --fit-rows "${FIT_ROWS:-100000}" --rows "$ROWS")
once "$out/mixture.txt" "${1%%::*}" "${rivals[*]}" "$kit" rivals "${data[0]}" "$test" "$out" "${rivals[@]}"

printf '\n%s, %s batches a block, seeds %s; converged:\n\n' "$recipe${KEYS:+, $KEYS}" "$batches" "$SEEDS"
compare ""
printf '\nby the paper'\''s protocol (biased):\n\n'
compare -paper
printf '\n'
costs_of_trios
