#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Samples in few evaluations, on a table: a chain and the plain flow that costs as much, each by Euler, midpoint and Heun at
# several numbers of evaluations and under error control; both distilled by the same method at the same whole compute, the
# teacher's rows included; and mean velocities from the data alone, at the compute of chain and distillation together.
# Distances to test rows above those of other real rows, and what a classifier tells apart; a table, and a curve over
# evaluations.
#   bench/distil.sh DATA [BUILD] [OUT]     DATA: a folder as kit makes it, or a file of the MAF layout
#   $SEEDS="0" $STEPS="1 2 4" $METHODS="residual" $NFES="4 8 16 32"   $LENGTH=8000: batches a block   $BUDGET=12000: batches of
#   all students   $PAIRS=20000   $SAMPLES=16000
#   $KEYS="hks=[0.1,0.2,0.4,null] interp=linear": straight paths, since a trigonometric one over a short OU step is an arc,
#   which a single step of Euler's leaves
# Of a tree, a seed: some ten minutes on two cores.
set -euo pipefail
build=${2:-build} out=${3:-runs/distil} SEEDS=${SEEDS:-0} STEPS=${STEPS:-1 2 4} METHODS=${METHODS:-residual}
NFES=${NFES:-4 8 16 32} LENGTH=${LENGTH:-8000} BUDGET=${BUDGET:-12000} PAIRS=${PAIRS:-20000} SAMPLES=${SAMPLES:-16000}
KEYS=${KEYS:-hks=[0.1,0.2,0.4,null] interp=linear}
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
tables "$1"
most=$(tr ' ' '\n' <<<"$STEPS" | sort -n | tail -1)
lines=()

# draw MODEL NAME OPTIONS...: NAME-samples.csv and what a row took; 2 where the options make no sense for the chain
draw() {
  once "$out/$2.json" "$out/$1" "$1 $SAMPLES ${*:3}" \
    "$lfm" sample "$out/$1" -n "$SAMPLES" --seed 7 -o "$out/$2-samples.csv" "${@:3}" --json
}

# mean_batches SEED NAME: batches of mean velocities, each two passes more than a batch of the flow, that cost what chain and
# distillation did
mean_batches() {
  awk -v all="$(spent "lfm-$1")" -v more="$(spent "$2")" -v steps="$(number "$out/fm-$1/result.json" steps)" \
    -v train="$(number "$out/fm-$1/result.json" train_flops)" 'BEGIN { printf "%.0f", (all + more) / (train / steps * 5 / 3) }'
}

# add LABEL EVALUATIONS NAME-PREFIX NAME-SUFFIX
add() { lines+=("$1 @ $2=$(named "$3" "$4")"); }

for seed in $SEEDS; do
  train "lfm-$seed" --seed "$seed" --set "max_batch=$LENGTH"
  text=$(twin "$out/lfm-$seed")
  mapfile -t keys <<<"$text"
  train "fm-$seed" --seed "$seed" --set "max_batch=$LENGTH" "${keys[@]/#/--set=}"
  for model in lfm fm; do
    draw "$model-$seed" "$model-$seed-adaptive" --tol 1e-4
    for nfe in $NFES; do
      for solver in euler midpoint heun; do
        draw "$model-$seed" "$model-$seed-$solver-$nfe" --solver "$solver" --nfe "$nfe" || [ $? -eq 2 ]
      done
    done
  done
  for method in $METHODS; do
    for steps in $STEPS; do
      distil "lfm-$seed" "lfm-$seed-$method-$steps" "$BUDGET" --pairs "$PAIRS" --steps "$steps" --method "$method" --seed "$seed"
      budget=$(equal_budget "$(number "$out/fm-$seed-adaptive.json" flops)" "lfm-$seed-$method-$steps")
      distil "fm-$seed" "fm-$seed-$method-$steps" "$budget" --pairs "$PAIRS" --steps "$steps" --split "$most" --method "$method" --seed "$seed"
      for model in lfm fm; do draw "$model-$seed-$method-$steps" "$model-$seed-$method-$steps"; done
    done
  done
  method=${METHODS%% *}
  train "mean-$seed" --seed "$seed" --set objective=meanflow --set 'hks=[null]' \
    --set "max_batch=$(mean_batches "$seed" "lfm-$seed-$method-$most")"
  draw "mean-$seed" "mean-$seed"
done

first=${SEEDS%% *}
for model in lfm fm; do
  add "$model, error control" "$(number "$out/$model-$first-adaptive.json" nfe_mean | cut -d. -f1)" "$model" -adaptive
  for solver in euler midpoint heun; do
    for nfe in $NFES; do
      [ ! -e "$out/$model-$first-$solver-$nfe.json" ] || add "$model, $solver" "$nfe" "$model" "-$solver-$nfe"
    done
  done
  for method in $METHODS; do
    for steps in $STEPS; do add "$model, $method" "$steps" "$model" "-$method-$steps"; done
  done
done
add "mean velocities" 1 mean ""

"$kit" quality "$test" "$valid" "$out" "${lines[@]}" --rows "$((SAMPLES / 8))" | tee "$out/quality.md"

# the curve: what is told apart, over evaluations
awk -F'|' 'NR > 3 && split($2, part, " @ ") == 2 {
    gsub(/^ +| +$/, "", part[1]); gsub(/,/, "", part[1]); nfe = part[2] + 0; split($7, told, " ")
    if (!(part[1] in column)) { column[part[1]] = ++columns; name[columns] = part[1] }
    if (!(nfe in row)) { row[nfe] = ++rows; at[rows] = nfe }
    value[nfe, part[1]] = told[1]
  }
  END {
    printf "evaluations"; for (k = 1; k <= columns; k++) printf ",%s", name[k]; printf "\n"
    for (r = 1; r <= rows; r++) {
      printf "%s", at[r]; for (k = 1; k <= columns; k++) printf ",%s", value[at[r], name[k]]; printf "\n"
    }
  }' "$out/quality.md" | { read -r head && printf '%s\n' "$head" && sort -t, -n; } >"$out/curve.csv"
"$kit" curves "$out/curve.csv" "$out/curve.png" "Told apart from test rows, over evaluations"

printf '\n| run | flop of training | of push or teacher | evaluations | flop a row |\n|---|---|---|---|---|\n'
runs=("lfm-$first" "fm-$first")
for method in $METHODS; do
  for steps in $STEPS; do runs+=("lfm-$first-$method-$steps" "fm-$first-$method-$steps"); done
done
for name in "${runs[@]}" "mean-$first"; do
  json=$out/$name.json
  [ -e "$json" ] || json=$out/$name-adaptive.json
  printf '| %s | %.2e | %.2e | %.1f | %.2e |\n' "$name" "$(number "$out/$name/result.json" train_flops)" \
    "$(number "$out/$name/result.json" push_flops)" "$(number "$json" nfe_mean)" "$(number "$json" flops)"
done
