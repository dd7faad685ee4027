#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Densities that are known, learnt from a CSV through the program: how many nats are lost, and can samples be told apart?
#   gaussian  dimension 8, rotated, condition number 1e4, whitened
#   mixture   dimension 5, six components
# For each: the paired mean gap to the true log p on 10,000 test rows and its row RMS, LFM and both FM twins; then
# the classifier two-sample test on 10,000 samples for ten sampling seeds, and the fitted Gaussian's under the same test.
# The twins have the chain's training compute and nothing for its push, which is about a twentieth of that; the wider one has
# .96 (Gaussian) and 1.02 (mixture) times the chain's parameters, and as much of its training compute.
#   bench/closed_forms.sh [BUILD] [OUT]          some six minutes on two cores; $KINDS="gaussian mixture" chooses,
#                                              $SEED is the training seed, TELL=no leaves the two-sample tests out,
#                                              $LENGTH=1: a share of the batches, for a trial
set -euo pipefail
build=${1:-build} seed=${SEED:-0} length=${LENGTH:-1}
out=${2:-runs/closed_forms-$seed}
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"

# run FOLDER NAME KEYS...
run() {
  local out=$1 name=$2
  tables "$out"
  shift 2
  train "$name" --seed "$seed" "${@/#/--set=}"
  logged "$out/$name-score.log" "$lfm" score "$out/$name" "$test" -o "$out/$name.csv"
  "$kit" gap "$out" "$name"
}

# three FOLDER BATCHES WIDE KEYS...: the chain of two blocks, and its twins
three() {
  local folder=$1 batches=$2 wide=$3
  shift 3
  run "$folder" lfm "max_batch=$(times "$length" "$batches")" "$@"
  run "$folder" fm-long 'hks=[null]' "max_batch=$(times "$length" "$((2 * batches))")" "$@"
  run "$folder" fm-wide 'hks=[null]' "max_batch=$(times "$length" "$batches")" "$@" "hidden_dim=$wide"
}

for kind in ${KINDS:-gaussian mixture}; do
  folder=$out/$kind
  mkdir -p "$folder"
  echo "== $kind =="
  "$kit" "$kind" "$folder"
  "$kit" truth "$kind" "$folder"
  case $kind in
    gaussian) three "$folder" 6000 92 normalise=whiten hidden_dim=64 num_hidden=2 batch_size=1024 ;;
    mixture) three "$folder" 24000 184 hidden_dim=128 num_hidden=3 batch_size=256 ;;
  esac
  [ "${TELL:-yes}" = yes ] || continue
  for draw in 1 2 3 4 5 6 7 8 9 10; do
    logged "$folder/lfm-samples.log" "$lfm" sample "$folder/lfm" -n 10000 --seed "$draw" -o "$folder/lfm-samples.csv"
    "$kit" tell-apart "$folder" lfm
  done
done
