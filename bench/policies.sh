#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Policies judged: a chain and flow matching of as many parameters and at its whole compute, the push included, act from the
# same starts at equal numbers of evaluations of the whole chain; and the chain distilled, whose students' compute comes on
# top: flow matching does not get it.  Differences to flow matching at the most evaluations are paired, start by start.  What a
# chunk costs stands beside it: a chain's networks are smaller.
#   bench/policies.sh TASK [DEMOS] [BUILD] [OUT]       TASK: lift, can, square, pusht; DEMOS: a file of demonstrations, without
#                                                      which the scripted expert records 200
#   $TIME=20m for the chain's training; $SEEDS="0"; $NFES="2 4 8"; $STEPS="2 1": evaluations of the students; $BUDGET=3000:
#   their batches; $EPISODES=400; $FIRST=100000: the seed of the starts; $KEYS for both models
# The clock gives the chain's batches for the first seed; the others, and flow matching, are given batches.
# Twice TIME a seed on two cores, and some minutes for the episodes of each line of the table.
set -euo pipefail
task=$1 build=${3:-build} out=${4:-runs/policies-$1} SEEDS=${SEEDS:-0} NFES=${NFES:-2 4 8} STEPS=${STEPS-2 1}
EPISODES=${EPISODES:-400} FIRST=${FIRST:-100000} BUDGET=${BUDGET:-3000}
demos=${2:-}
[ -z "$demos" ] || demos=$(cd "$(dirname "$demos")" && pwd)/$(basename "$demos")
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
if [ -z "$demos" ]; then
  demos=$out/demos.hdf5
  [ -e "$demos" ] || logged "$out/demos.log" "$lfm" demos "$task" -n 200 -o "$demos"
fi
data=("$demos")

# roll MODEL NAME OPTIONS...: $out/NAME.csv and .json
roll() {
  once "$out/$2.json" "$out/$1" "$1 $task $EPISODES $FIRST ${*:3}" \
    "$lfm" rollout "$out/$1" --task "$task" -n "$EPISODES" --seed "$FIRST" -o "$out/$2.csv" "${@:3}" --json
}

train probe --preset "$task-fm" --set max_batch=1
length=(--time "${TIME:-20m}")
for seed in $SEEDS; do
  train "lfm-$seed" --preset "$task" --seed "$seed" "${length[@]}"
  length=(--set "max_batch=$(key "$out/lfm-$seed/config.yaml" max_batch)")
  train "fm-$seed" --preset "$task-fm" --seed "$seed" \
    --set "max_batch=$(batches_for "$(spent "lfm-$seed")" "$(batch_of probe)")"
  for steps in $STEPS; do
    distil "lfm-$seed" "student-$seed-$steps" "$BUDGET" --given "$demos" --steps "$steps" --seed "$seed"
    roll "student-$seed-$steps" "student-$seed-$steps"
  done
  for nfe in $NFES; do
    for model in lfm fm; do roll "$model-$seed" "$model-$seed-$nfe" --nfe "$nfe"; done
  done
done

most=$(tr ' ' '\n' <<<"$NFES" | sort -n | tail -1)
lines=("flow matching, $most evaluations=$(named fm "-$most")")
for nfe in $NFES; do
  [ "$nfe" = "$most" ] || lines+=("flow matching, $nfe=$(named fm "-$nfe")")
done
for nfe in $NFES; do lines+=("chain, $nfe=$(named lfm "-$nfe")"); done
for steps in $STEPS; do lines+=("chain, distilled to $steps (compute on top)=$(named student "-$steps")"); done
printf '\n%s, seeds %s; starts from %s on:\n\n' "$task" "$SEEDS" "$FIRST"
"$kit" episodes "$out" "${lines[@]}"

names=()
for seed in $SEEDS; do
  names+=("lfm-$seed" "fm-$seed")
  for steps in $STEPS; do names+=("student-$seed-$steps"); done
done
evaluation() { awk -v f="$(batch_of "$1")" -v n="$(key "$out/$1/config.yaml" batch_size)" 'BEGIN { printf "%.2e", f / n / 3 }'; }
printf '\n'
costs "flop an evaluation" evaluation "${names[@]}"
