#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# How long to train on few rows: the first $SIZES="300 1000 3000" of MAGIC's training rows and of the tree's, without a key,
# and with a quarter and four times the batches that follows from; converged NLL of 1,000 test rows.
#   bench/small_tables.sh [BUILD] [OUT]                some ten minutes on two cores; $TABLES="magic tree"
# docs/decisions/small-tables.md
set -euo pipefail
build=${1:-build} out=${2:-runs/small} ROWS=${ROWS:-1000} TOL=${TOL:-1e-3}
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
group=()

[ -e "$out/magic/test.csv" ] || "$kit" magic demo/data/magic.csv.gz "$out/magic" >"$out/magic.log"
[ -e "$out/tree/test.csv" ] || "$kit" tree "$out/tree" >"$out/tree.log"
printf '| rows | a quarter | as it follows | four times |\n|---|---|---|---|\n'
for table in ${TABLES:-magic tree}; do
  test=$out/$table/test.csv
  for size in ${SIZES:-300 1000 3000}; do
    few=$table-$size
    head -n $((size + 1)) "$out/$table/train.csv" >"$out/$few-rows.csv"
    data=("$out/$few-rows.csv")
    train "$few"
    batches=$(key "$out/$few/config.yaml" max_batch)
    line="| $table, $size |"
    for factor in .25 1 4; do
      name=$few-$factor
      if [ "$factor" = 1 ]; then name=$few; else train "$name" --set "max_batch=$(times "$factor" "$batches")"; fi
      score "$out/$name" "$name" --tol "$TOL"
      line+=$(printf ' %.3f ± %.3f |' "$(number "$out/$name.json" nll)" "$(number "$out/$name.json" nll_se)")
    done
    printf '%s\n' "$line"
  done
done
