#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Bits per dimension of test pictures, and whether the errors that are stated for the random probes are true: the same pictures
# scored with few and with many probes, each with others.  Two estimates differ by their probes alone, so that a difference in
# units of the standard errors that both state is a draw of a normal law: |z| is below 2 nineteen times in twenty.
#   bench/bits.sh FOLDER PRESET [BUILD] [OUT]          FOLDER: IDX files named as MNIST's; PRESET: fashion, mnist
#   $TIME=15m of training; $PROBES="2 8 64"; $ROWS=200 pictures; $SEEDS="0"; $TOL=1e-4; $KEYS as elsewhere
# Fifteen minutes a seed on two cores, and some twenty for the scores.
set -euo pipefail
folder=$1 preset=$2 build=${3:-build} out=${4:-runs/bits-$2} SEEDS=${SEEDS:-0} PROBES=${PROBES:-2 8 64} ROWS=${ROWS:-200}
folder=$(cd "$folder" && pwd)
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
pictures_of "$folder"

printf '| model | probes | bits a dimension, se over pictures | nats a picture | se of the probes | z to the most probes |\n'
printf '|---|---|---|---|---|---|\n'
for seed in $SEEDS; do
  train "lfm-$seed" --preset "$preset" --seed "$seed" --set dequantise=uniform --time "${TIME:-15m}"
  for probes in $PROBES; do score "$out/lfm-$seed" "lfm-$seed-$probes" --tol "$TOL" --probes "$probes" --seed "$probes"; done
  many=$out/lfm-$seed-${PROBES##* }.json
  for probes in $PROBES; do
    from=$out/lfm-$seed-$probes.json
    z=$(awk -v a="$(number "$from" nll)" -v b="$(number "$many" nll)" -v sa="$(number "$from" probe_se)" \
      -v sb="$(number "$many" probe_se)" 'BEGIN { if (a != b) printf "%+.2f", (a - b) / sqrt(sa * sa + sb * sb) }')
    printf '| lfm-%s | %s | %.4f ± %.4f | %.3f | %.3f | %s |\n' "$seed" "$probes" "$(number "$from" bits_per_dim)" \
      "$(number "$from" bits_se)" "$(number "$from" nll)" "$(number "$from" probe_se)" "$z"
  done
done
