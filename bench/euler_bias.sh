#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What the paper's protocol makes of a likelihood, as a curve: the NLL of the same rows by 149 (as published) and more Euler
# steps a block, beside the converged one.  The bias falls as 1 / steps where Euler has begun to converge.
#   bench/euler_bias.sh DATA BUILD OUT RUN...          tables, OUT/bias.csv and OUT/bias.png; DATA as for bench/bsds.sh; RUN:
#                                                      of lfm train, or any folder with a model.safetensors
#                                                      $STEPS="149 298 596 1192 2384"  $ROWS=100
# bsds300@A, 100 rows, all five numbers of steps: 10 to 20 minutes for a chain of four blocks on two cores, a quarter of that
# for one block; a line takes time in proportion to rows, steps and blocks.
set -euo pipefail
build=$2 out=$3 ROWS=${ROWS:-100} TOL=${TOL:-1e-5}
STEPS=${STEPS:-149 298 596 1192 2384}
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
tables "$1"
shift 3

header=steps
for run; do
  name=$(basename "$run") header+=,$(basename "$run")
  lines=("converged=$name")
  blocks=$("$lfm" info "$run" --json | tr -d '\n' | sed -E 's/.*"blocks": *([0-9]+).*/\1/')
  score "$run" "$name" --tol "$TOL"
  for steps in $STEPS; do
    score "$run" "$name-$steps" --protocol paper --nfe "$((steps * blocks))"
    lines+=("$steps Euler steps a block=$name-$steps")
  done
  printf '\n%s; solver error of the converged %.1g nats:\n\n' "$name" "$(number "$out/$name.json" solver_error)"
  "$kit" compare "$out" "${lines[@]}" "${group[@]}" --md
done

printf '%s\n' "$header" >"$out/bias.csv"
for steps in $STEPS; do
  line=$steps
  for run; do
    name=$(basename "$run") converged=$(number "$out/$(basename "$run").json" nll)
    line+=,$(awk -v a="$(number "$out/$name-$steps.json" nll)" -v b="$converged" 'BEGIN { printf "%.5f", a - b }')
  done
  printf '%s\n' "$line" >>"$out/bias.csv"
done
"$kit" curves "$out/bias.csv" "$out/bias.png" "NLL by Euler steps minus converged NLL, nats a row"
