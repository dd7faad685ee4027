#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Which merges a plan should make: a chain distilled with the same budget by the plan of least predicted error and by even
# merges, or other named strategies.  A student's error is what the theory predicts of it, the mean square distance between the
# rows that it and its teacher (under error control) make of the same noise, here as a share of the rows' variance; the
# difference to even merges is paired by row.
#   bench/plans.sh DATA [BUILD] [OUT]      DATA: a folder as kit makes it (kit gaussian, kit mixture: variances around 1)
#   $SEEDS="0 1 2" $STEPS="2 3 4" $PLANS="auto": beside even; boot, consistency, progressive   $LENGTH=4000: batches a block
#   $BUDGET=6000: batches of all students   $PAIRS=20000   $SAMPLES=16000
#   $KEYS="hks=[0.1,0.15,0.225,0.3375,null] interp=linear normalise=none": the columns as they are, since standardised ones
#   have variances of 1, which decide nothing
# Some four minutes a seed on two cores.
set -euo pipefail
build=${2:-build} out=${3:-runs/plans} SEEDS=${SEEDS:-0 1 2} STEPS=${STEPS:-2 3 4} LENGTH=${LENGTH:-4000} BUDGET=${BUDGET:-6000}
PLANS=${PLANS:-auto} PAIRS=${PAIRS:-20000} SAMPLES=${SAMPLES:-16000}
KEYS=${KEYS:-hks=[0.1,0.15,0.225,0.3375,null] interp=linear normalise=none}
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
tables "$1"

draw() { # MODEL OPTIONS...
  once "$out/$1.json" "$out/$1" "$1 $SAMPLES ${*:2}" \
    "$lfm" sample "$out/$1" -n "$SAMPLES" --seed 7 -o "$out/$1.csv" "${@:2}" --json
}

# squares NAME TEACHER: of each row's distance to the teacher's of the same noise, a line a row
squares() {
  paste -d, <(tail -n +2 "$out/$2.csv") <(tail -n +2 "$out/$1.csv") |
    awk -F, '{ s = 0; for (j = 1; j <= NF / 2; j++) s += ($j - $(j + NF / 2)) ^ 2; print s }'
}

# variance NAME: of its rows, over all columns
variance() {
  tail -n +2 "$out/$1.csv" | awk -F, '{ for (j = 1; j <= NF; j++) { s[j] += $j; q[j] += $j ^ 2 } }
    END { for (j in s) v += q[j] / NR - (s[j] / NR) ^ 2; print v }'
}

printf '| seed | networks | strategy | plan | error, share of the variance | minus even, paired (95 %%) |\n|---|---|---|---|---|---|\n'
for seed in $SEEDS; do
  teacher=lfm-$seed
  train "$teacher" --seed "$seed" --set "max_batch=$LENGTH"
  draw "$teacher" --tol 1e-6
  total=$(variance "$teacher")
  for steps in $STEPS; do
    for plan in even $PLANS; do
      name=$teacher-$plan-$steps
      distil "$teacher" "$name" "$BUDGET" --plan "$plan" --steps "$steps" --pairs "$PAIRS" --seed "$seed"
      draw "$name"
      squares "$name" "$teacher" >"$out/$name.squares"
      paste "$out/$name.squares" "$out/$teacher-even-$steps.squares" |
        awk -v total="$total" -v seed="$seed" -v steps="$steps" -v plan="$plan" -v text="$(head -1 "$out/$name/checkpoint/plan.txt")" '
          { a += $1; aa += $1 ^ 2; d += $1 - $2; dd += ($1 - $2) ^ 2 }
          function se(sum, squares) { return sqrt((squares / NR - (sum / NR) ^ 2) / NR) / total }
          END {
            gsub(/\|/, "\\|", text) # within a table
            printf "| %s | %s | %s | `%s` | %.5f ± %.5f |", seed, steps, plan, text, a / NR / total, se(a, aa)
            if (plan != "even") printf " %+.5f (%.5f to %.5f)", d / NR / total, d / NR / total - 1.96 * se(d, dd), d / NR / total + 1.96 * se(d, dd)
            printf " |\n" }'
    done
  done
done
