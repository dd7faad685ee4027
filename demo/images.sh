#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The demo of pictures: Local Flow Matching learns Fashion-MNIST for four minutes, and a judge that learnt from the labels says
# how good what it draws is, beside real pictures.  Some six minutes on two cores.
#   demo/images.sh [BUILD] [OUT]     $DATA: a folder with IDX files named as MNIST's;  $TIME: how long to train;  $ROWS: how many
#                                    pictures to judge;  $KEYS: further words for `lfm train`
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build} out=${2:-demo-images-out}
data=${DATA:-/usr/share/datasets/fashion-mnist} time=${TIME:-4m} rows=${ROWS:-2000} keys=${KEYS:-}
lfm=$build/lfm train=$data/train-images-idx3-ubyte.gz test=$data/t10k-images-idx3-ubyte.gz

# Each program's own words, as they would be typed.
say() { printf '\n$ %s\n' "$*"; "$@"; }

if [ -e "$out" ]; then
  echo "$out exists; remove it or name another folder: demo/images.sh $build OUT" >&2
  exit 1
fi
for file in "$train" "$test"; do
  [ -e "$file" ] || { echo "$file is missing; on Debian: apt-get install dataset-fashion-mnist" >&2; exit 1; }
done
mkdir -p "$out"

echo "== Learn and draw =="
# shellcheck disable=SC2086 # words
say "$lfm" train "$train" -o "$out/lfm" --preset fashion --time "$time" $keys
say "$lfm" sample "$out/lfm" -n 100 -o "$out/grid.png" --nfe 32

echo
echo "== Judge =="
say "$lfm" features train "$train" -o "$out/judge.safetensors" --epochs 1
say "$lfm" eval "$out/lfm" "$test" --train "$train" --judge "$out/judge.safetensors" -n "$rows" --nfe 16 -o "$out/quality"
echo
echo "Look at $out/grid.png (a column a class), $out/lfm/strip.png (data to the noise and back), $out/lfm/loss.png and"
echo "$out/quality/nearest.png (drawn pictures beside the nearest that were learnt from)"
