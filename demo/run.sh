#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The demo: train, score and sample a real table and a known density, each with Local Flow Matching and with ordinary flow
# matching at equal compute, and leave a folder to look at.  Some two minutes on two cores.
#   demo/run.sh [BUILD] [OUT]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build} out=${2:-demo-out}
lfm=$build/lfm kit=$build/kit

# Each program's own words, as they would be typed.
say() { printf '\n$ %s\n' "$*"; "$@"; }
quiet() { printf '\n$ %s\n' "$*"; "$@" >/dev/null; }

# Three models of one folder: the chain of N blocks, and both twins that spend its training compute on one block.
#   train FOLDER CONFIG N_TIMES_THE_BATCHES WIDTH_OF_N_TIMES_THE_PARAMETERS SAMPLES
train() {
  quiet "$lfm" train "$1/train.csv" --valid "$1/valid.csv" -o "$1/lfm" --config "$2"
  quiet "$lfm" train "$1/train.csv" --valid "$1/valid.csv" -o "$1/fm-long" --config "$2" --set 'hks=[null]' --set "max_batch=$3"
  quiet "$lfm" train "$1/train.csv" --valid "$1/valid.csv" -o "$1/fm-wide" --config "$2" --set 'hks=[null]' --set "hidden_dim=$4"
  for name in lfm fm-long fm-wide; do
    quiet "$lfm" score "$1/$name" "$1/test.csv" -o "$1/$name.csv"
    quiet "$lfm" sample "$1/$name" -n "$5" -o "$1/$name-samples.csv"
  done
}

if [ -e "$out" ]; then
  echo "$out exists; remove it or name another folder: demo/run.sh $build OUT" >&2
  exit 1
fi
mkdir -p "$out/magic" "$out/tree"

echo "== A real table: the MAGIC gamma telescope, ten columns =="
say "$kit" magic demo/data/magic.csv.gz "$out/magic"
train "$out/magic" demo/magic.yaml 6000 184 4000
"$kit" rivals "$out/magic"
"$kit" pairs "$out/magic" lfm

echo
echo "== A density that is known: a fractal tree in the plane =="
say "$kit" tree "$out/tree"
train "$out/tree" demo/tree.yaml 16000 257 20000
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
