#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Generated pictures judged: a chain and both FM twins at its whole compute, the same network for more batches and one with
# the chain's parameters, at equal numbers of evaluations over the whole chain.  Frechet distances above the floor, by the
# features of a judge that learnt from the training labels, against test pictures; the twins' differences to the chain are
# paired.  An evaluation of the wider twin costs more: the table says how much.
#   bench/images.sh FOLDER PRESET [BUILD] [OUT]        FOLDER: IDX files named as MNIST's; PRESET: fashion, mnist
#   $TIME=15m for the chain's training; $SEEDS="0"; $NFE=2,4,8,16; $ROWS=10000 pictures a set; $KEYS for all three models
#   $WIDE="unet_dim_mults=[1,3,3]": the keys, with | between them, that give a twin the chain's parameters
# The clock gives the chain's batches for the first seed; the others, and the twins, are given operations.
# Some three times TIME a seed on two cores, and the judging.
set -euo pipefail
folder=$1 preset=$2 build=${3:-build} out=${4:-runs/images-$2} SEEDS=${SEEDS:-0} ROWS=${ROWS:-10000} NFE=${NFE:-2,4,8,16}
folder=$(cd "$folder" && pwd)
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
pictures_of "$folder"
judge_of_pictures
IFS='|' read -ra wide_keys <<<"${WIDE:-unet_dim_mults=[1,3,3]}"

train probe --preset "$preset" --set 'hks=[null]' --set max_batch=1 "${wide_keys[@]/#/--set=}"
length=(--time "${TIME:-15m}")
for seed in $SEEDS; do
  train "lfm-$seed" --preset "$preset" --seed "$seed" "${length[@]}"
  length=(--set "max_batch=$(key "$out/lfm-$seed/config.yaml" max_batch)")
  whole=$(spent "lfm-$seed")
  train "fm-$seed" --preset "$preset-fm" --seed "$seed" --set "max_batch=$(batches_for "$whole" "$(batch_of "lfm-$seed")")"
  train "wide-$seed" --preset "$preset-fm" --seed "$seed" "${wide_keys[@]/#/--set=}" \
    --set "max_batch=$(batches_for "$whole" "$(batch_of probe)")"
  judge "$out/lfm-$seed" "lfm-$seed-judged" --nfe "$NFE"
  for name in fm wide; do judge "$out/$name-$seed" "$name-$seed-judged" --nfe "$NFE" --against "$out/lfm-$seed"; done
done

IFS=, read -ra budgets <<<"$NFE"
real=$out/lfm-${SEEDS%% *}-judged.json
printf '\n%s, %s pictures a set; real ones: floor %.2f, precision %.3f, recall %.3f, recognised %.3f\n\n' "$preset" "$ROWS" \
  "$(number "$real" floor)" "$(number "$real" floor_precision)" "$(number "$real" floor_recall)" \
  "$(number "$real" heldout_recognised)"
printf '| seed | NFE | model | flop a picture | Frechet above the floor (95 %%) | minus lfm, paired | precision | recall | recognised |\n'
printf '|---|---|---|---|---|---|---|---|---|\n'
for seed in $SEEDS; do
  for i in "${!budgets[@]}"; do
    for name in lfm fm wide; do
      from=$out/$name-$seed-judged.json at=$((i + 1)) paired=
      [ "$name" = lfm ] || paired=$(printf '%+.2f (%.2f to %.2f)' "$(list "$from" difference $at)" \
        "$(list "$from" difference_low $at)" "$(list "$from" difference_high $at)")
      printf '| %s | %s | %s | %.2e | %.2f (%.2f to %.2f) | %s | %.3f | %.3f | %.3f |\n' "$seed" "${budgets[i]}" "$name" \
        "$(list "$from" flops $at)" "$(list "$from" above $at)" "$(list "$from" above_low $at)" \
        "$(list "$from" above_high $at)" "$paired" "$(list "$from" precision $at)" "$(list "$from" recall $at)" \
        "$(list "$from" recognised $at)"
    done
  done
done
names=()
for seed in $SEEDS; do names+=("lfm-$seed" "fm-$seed" "wide-$seed"); done
printf '\n'
costs "" "" "${names[@]}"
