#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Pictures in few evaluations: the chains and the plain flows that bench/images.sh has trained, each distilled by the same method at
# the same whole compute, the teacher's pictures included.  Frechet distances above the floor beside those of the teachers under
# error control, and the students' differences to the chain's, paired.
#   bench/distil_images.sh FOLDER PRESET [BUILD] [OUT]     as bench/images.sh, with the OUT that it has filled
#   $SEEDS="0" $STEPS="1 2 4" $METHOD=residual $BUDGET=3000: batches of all students $PAIRS=10000 $ROWS=10000 $TOL=1e-3
# Some ten minutes a student on two cores, and as long for the pictures of a teacher.
set -euo pipefail
folder=$1 preset=$2 build=${3:-build} out=${4:-runs/images-$2} SEEDS=${SEEDS:-0} STEPS=${STEPS:-1 2 4} ROWS=${ROWS:-10000}
METHOD=${METHOD:-residual} BUDGET=${BUDGET:-3000} PAIRS=${PAIRS:-10000} TOL=${TOL:-1e-3}
folder=$(cd "$folder" && pwd)
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
pictures_of "$folder"
judge_of_pictures
most=$(tr ' ' '\n' <<<"$STEPS" | sort -n | tail -1)

# split NAME: pieces of a block, so that there are as many as the most evaluations, or more
split() {
  awk -v most="$most" -v blocks="$(number "$out/$1/result.json" blocks)" 'BEGIN { print int((most + blocks - 1) / blocks) }'
}

for seed in $SEEDS; do
  judge "$out/lfm-$seed" "lfm-$seed-adaptive" --tol "$TOL"
  judge "$out/fm-$seed" "fm-$seed-adaptive" --tol "$TOL" --against "$out/lfm-$seed"
  for steps in $STEPS; do
    name=$seed-$METHOD-$steps options=(--pairs "$PAIRS" --tol "$TOL" --steps "$steps" --method "$METHOD" --seed "$seed")
    distil "lfm-$seed" "lfm-$name" "$BUDGET" "${options[@]}" --split "$(split "lfm-$seed")"
    budget=$(equal_budget "$(list "$out/fm-$seed-adaptive.json" flops 1)" "lfm-$name")
    distil "fm-$seed" "fm-$name" "$budget" "${options[@]}" --split "$(split "fm-$seed")"
    judge "$out/lfm-$name" "lfm-$name-judged"
    judge "$out/fm-$name" "fm-$name-judged" --against "$out/lfm-$name"
  done
done

# line SEED LABEL MODEL JUDGED
line() {
  local from=$out/$4.json paired=
  [ "$3" = lfm ] || paired=$(printf '%+.2f (%.2f to %.2f)' "$(list "$from" difference 1)" "$(list "$from" difference_low 1)" \
    "$(list "$from" difference_high 1)")
  printf '| %s | %s | %s | %.1f | %.2e | %.2f (%.2f to %.2f) | %s | %.3f | %.3f |\n' "$1" "$2" "$3" "$(list "$from" nfe 1)" \
    "$(list "$from" flops 1)" "$(list "$from" above 1)" "$(list "$from" above_low 1)" "$(list "$from" above_high 1)" "$paired" \
    "$(list "$from" precision 1)" "$(list "$from" recall 1)"
}
printf '\n%s, %s pictures a set, students by %s:\n\n' "$preset" "$ROWS" "$METHOD"
printf '| seed | | model | evaluations | flop a picture | Frechet above the floor (95 %%) | minus lfm, paired | precision | recall |\n'
printf '|---|---|---|---|---|---|---|---|---|\n'
for seed in $SEEDS; do
  for model in lfm fm; do line "$seed" "error control" "$model" "$model-$seed-adaptive"; done
  for steps in $STEPS; do
    for model in lfm fm; do line "$seed" "distilled to $steps" "$model" "$model-$seed-$METHOD-$steps-judged"; done
  done
done
names=()
for seed in $SEEDS; do
  names+=("lfm-$seed" "fm-$seed")
  for steps in $STEPS; do names+=("lfm-$seed-$METHOD-$steps" "fm-$seed-$METHOD-$steps"); done
done
printf '\n'
costs "" "" "${names[@]}"
