#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The demo of policies: a scripted expert shows how a cube is lifted, Local Flow Matching learns it from two hundred
# demonstrations, and what has been learnt acts in fifty episodes that nobody has shown.  Some five minutes on two cores.
#   demo/policy.sh [BUILD] [OUT]     $TASK: lift, can or square;  $EPISODES: demonstrations;  $TIME: how long to train;
#                                    $KEYS: further words for `lfm train`
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build} out=${2:-demo-policy-out}
task=${TASK:-lift} episodes=${EPISODES:-200} time=${TIME:-4m} keys=${KEYS:-}
lfm=$build/lfm

# Each program's own words, as they would be typed.
say() { printf '\n$ %s\n' "$*"; "$@"; }

if [ -e "$out" ]; then
  echo "$out exists; remove it or name another folder: demo/policy.sh $build OUT" >&2
  exit 1
fi
mkdir -p "$out"

echo "== Show =="
say "$lfm" demos "$task" -n "$episodes" -o "$out/$task.hdf5" --sheet "$out/expert.png"

echo
echo "== Learn =="
# shellcheck disable=SC2086 # words
say "$lfm" train "$out/$task.hdf5" -o "$out/lfm" --preset "$task" --time "$time" $keys

echo
echo "== Act =="
say "$lfm" rollout "$out/lfm" -n 50 --nfe 4 --seed 1000 -o "$out/episodes.csv" --record "$out/policy.png"
say "$lfm" export "$out/lfm" -o "$out/policy.c" --nfe 4 --precision bf16
echo
echo "Look at $out/expert.png, $out/policy.png (six episodes, a strip of moments each) and $out/lfm/loss.png;"
echo "$out/policy.c is all that a robot would need"
