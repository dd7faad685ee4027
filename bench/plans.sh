#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Which merges a plan should make: a chain distilled with the same budget by the plan of least predicted error and by even
# merges, or other named strategies.  A student's error is what the theory predicts of it, the mean square distance between the
# rows that it and its teacher (under error control) make of the same noise, here as a share of the rows' variance; the
# difference to even merges is paired by row.
#   bench/plans.sh DATA [BUILD] [OUT]      DATA: a folder as kit makes it (kit gaussian, kit mixture: variances around 1)
#   $PLANS="auto; (1 2 3 4) | 5; 1 | (2 (3 4)) | 5": beside even; boot, consistency, progressive, or in words: those here are
#   the best for s = 0.5 and a kit's gaussian, of two and three networks
#   $SEEDS="0 1 2" $STEPS="2 3" $BUDGETS="100 400 3000": batches of all students   $LENGTH=4000: batches a block
#   $PAIRS=20000   $SAMPLES=16000
#   $KEYS="hks=[0.1,0.15,0.225,0.3375,null] interp=linear normalise=none": the columns as they are, since standardised ones
#   have variances of 1, which decide nothing
# Some eight minutes a seed on two cores.
set -euo pipefail
build=${2:-build} out=${3:-runs/plans} SEEDS=${SEEDS:-0 1 2} STEPS=${STEPS:-2 3} LENGTH=${LENGTH:-4000}
BUDGETS=${BUDGETS:-100 400 3000} PLANS=${PLANS:-auto; (1 2 3 4) | 5; 1 | (2 (3 4)) | 5} PAIRS=${PAIRS:-20000} SAMPLES=${SAMPLES:-16000}
KEYS=${KEYS:-hks=[0.1,0.15,0.225,0.3375,null] interp=linear normalise=none}
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
tables "$1"
mapfile -t plans < <(tr ';' '\n' <<<"$PLANS" | sed 's/^ *//; s/ *$//')

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

# student SEED STEPS BUDGET PLAN: its name;  networks PLAN STEPS: has the plan, if it is in words, so many?
student() { printf 'lfm-%s-%s-%s-%s' "$1" "$2" "$3" "$(sed 's/[ ()]//g; s/|/_/g' <<<"$4")"; }
networks() { [[ $1 != *[0-9]* ]] || [ "$(tr -cd '|' <<<"$1" | wc -c)" -eq $(($2 - 1)) ]; }

# compare SEED STEPS BUDGET PLAN TOTAL: a line of the table
compare() {
  local name even
  name=$(student "$@") even=$(student "$1" "$2" "$3" even)
  squares "$name" "lfm-$1" >"$out/$name.squares"
  paste "$out/$name.squares" "$out/$even.squares" |
    awk -v total="$5" -v begin="| $1 | $2 | $3 | ${4/*[0-9]*/given} |" -v plan="$(head -1 "$out/$name/checkpoint/plan.txt")" -v asked="$4" '
      { a += $1; aa += $1 ^ 2; d += $1 - $2; dd += ($1 - $2) ^ 2 }
      function se(sum, squares) { return sqrt((squares / NR - (sum / NR) ^ 2) / NR) / total }
      END {
        gsub(/\|/, "\\|", plan) # within a table
        mean = d / NR / total; wide = 1.96 * se(d, dd)
        printf "%s `%s` | %.5f ± %.5f |", begin, plan, a / NR / total, se(a, aa)
        if (asked != "even") printf " %+.5f (%.5f to %.5f)", mean, mean - wide, mean + wide
        printf " |\n" }'
}

printf '| seed | networks | batches | strategy | plan | error, share of the variance | minus even, paired (95 %%) |\n'
printf '|---|---|---|---|---|---|---|\n'
for seed in $SEEDS; do
  train "lfm-$seed" --seed "$seed" --set "max_batch=$LENGTH"
  draw "lfm-$seed" --tol 1e-6
  total=$(variance "lfm-$seed")
  for steps in $STEPS; do
    for budget in $BUDGETS; do
      for plan in even "${plans[@]}"; do
        networks "$plan" "$steps" || continue
        name=$(student "$seed" "$steps" "$budget" "$plan")
        distil "lfm-$seed" "$name" "$budget" --plan "$plan" --steps "$steps" --pairs "$PAIRS" --seed "$seed"
        draw "$name"
        compare "$seed" "$steps" "$budget" "$plan" "$total"
      done
    done
  done
done
