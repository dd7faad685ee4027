#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The demo: train, score and sample a real table and a known density, each with Local Flow Matching and with ordinary flow
# matching at equal compute, and leave a folder to look at.  Some two minutes on two cores.
#   demo/run.sh [BUILD] [OUT]          $SEED: another training seed than 0
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build} out=${2:-demo-out}
lfm=$build/lfm kit=$build/kit seed=${SEED:-0}

# Each program's own words, as they would be typed.
say() { printf '\n$ %s\n' "$*"; "$@"; }
quiet() { printf '\n$ %s\n' "$*"; "$@" >/dev/null; }

# What a chain spent, training and carrying its rows, over its training alone.
spent() { awk -F'[:,]' '/train_flops/ { t = $2 } /push_flops/ { p = $2 } END { print (t + p) / t }' "$1/result.json"; }
times() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f", a * b }'; }

# Three models of one folder: the chain of BLOCKS, and both twins that spend its compute, the push included, on one block:
# the same network for more batches, and BLOCKS times the parameters (WIDE).
#   train FOLDER CONFIG BLOCKS BATCHES WIDE SAMPLES
train() {
  local share
  quiet "$lfm" train "$1/train.csv" --valid "$1/valid.csv" --seed "$seed" -o "$1/lfm" --config "$2"
  share=$(spent "$1/lfm")
  quiet "$lfm" train "$1/train.csv" --valid "$1/valid.csv" --seed "$seed" -o "$1/fm-long" --config "$2" --set 'hks=[null]' \
    --set "max_batch=$(times "$(($3 * $4))" "$share")"
  quiet "$lfm" train "$1/train.csv" --valid "$1/valid.csv" --seed "$seed" -o "$1/fm-wide" --config "$2" --set 'hks=[null]' \
    --set "max_batch=$(times "$4" "$share")" --set "hidden_dim=$5"
  for name in lfm fm-long fm-wide; do
    quiet "$lfm" score "$1/$name" "$1/test.csv" -o "$1/$name.csv"
    quiet "$lfm" sample "$1/$name" -n "$6" -o "$1/$name-samples.csv"
  done
}

if [ -e "$out" ]; then
  echo "$out exists; remove it or name another folder: demo/run.sh $build OUT" >&2
  exit 1
fi
mkdir -p "$out/magic" "$out/tree"

echo "== A real table: the MAGIC gamma telescope, ten columns =="
say "$kit" magic demo/data/magic.csv.gz "$out/magic"
train "$out/magic" demo/magic.yaml 2 6000 184 4000
"$kit" rivals "$out/magic"
"$kit" pairs "$out/magic" lfm

echo
echo "== A density that is known: a fractal tree in the plane =="
say "$kit" tree "$out/tree"
train "$out/tree" demo/tree.yaml 2 12000 189 20000
"$kit" rivals "$out/tree"
entropy=$("$kit" truth tree "$out/tree")
"$kit" panel "$out/tree" lfm fm-long

echo
echo "== Results, rows never trained on =="
echo
echo "MAGIC"
"$kit" compare "$out/magic" lfm fm-long fm-wide mixture gaussian
echo
echo "Tree: $entropy"
"$kit" compare "$out/tree" lfm fm-long fm-wide mixture gaussian truth
for name in lfm fm-long fm-wide; do "$kit" gap "$out/tree" "$name"; done
echo
echo "Look at $out/tree/panel.png, $out/magic/pairs.png, $out/*/*/loss.png and $out/*/*-samples.csv"
