# shellcheck shell=bash disable=SC2154,SC2034 # names pass between this and the script that sources it
# SPDX-License-Identifier: MIT
#
# lib.sh -- what the scripts of the evidence share: data by name, runs that go on where they were stopped, the twins of a
# chain at its whole compute, scores that are made once, tables.  A script sets build and out, and calls `tables DATA`.
#   $SEEDS   training seeds                                      $KEYS   keys for all models, as "normalise=whiten pool=ou"
#   $ROWS    rows to score, evenly spaced; the same for all      $TOL    of the converged score
cd "$(dirname "$0")/.." || exit
lfm=$build/lfm kit=$build/kit
ROWS=${ROWS:-2000} TOL=${TOL:-1e-4}
read -ra extra <<<"${KEYS:-}"
mkdir -p "$out"

# without PATTERN WHY: a script ends where $KEYS has such a key
without() {
  local each
  for each in "${extra[@]}"; do
    # shellcheck disable=SC2053 # it is a pattern
    [[ $each != $1 ]] || { printf 'KEYS=%s: %s\n' "$each" "$2" >&2 && exit 2; }
  done
}

# tables DATA: what to train on (data) and to test on (test, group), from a file of the MAF layout with the picture of each
# row beside it, or from a folder as kit makes it.
tables() {
  if [ -d "$1" ]; then
    data=("$1/train.csv" --valid "$1/valid.csv") test=$1/test.csv valid=$1/valid.csv group=() valid_group=()
  else
    data=("$1::train" --valid "$1::validation") test=$1::test valid=$1::validation
    group=(--group "$1::test_image") valid_group=(--group "$1::validation_image")
  fi
}

# key FILE NAME: of a config.yaml;  number FILE NAME: of a flat JSON object;  list FILE NAME I: the I-th of a list there,
# or the number where there is but one
key() { sed -nE "s/^$2: *([^#]*[^# ]).*/\1/p" "$1"; }
number() { tr -d '\n' <"$1" | sed -nE "s/.*\"$2\": *([^,}]*[^,} ]).*/\1/p"; }
list() {
  local all
  all=$(tr -d '\n' <"$1" | sed -nE "s/.*\"$2\": *\[([^]]*)\].*/\1/p" | tr -d ' ')
  if [ -n "$all" ]; then cut -d, -f"$3" <<<"$all"; else number "$1" "$2"; fi
}
# times A B: their product, rounded, at least 1
times() { awk -v a="$1" -v b="$2" 'BEGIN { n = a * b; printf "%.0f", n < 1 ? 1 : n }'; }
# named PREFIX SUFFIX: PREFIX-SEED SUFFIX of every seed, with commas between
named() {
  local each list=
  for each in $SEEDS; do list+=${list:+,}$1-$each$2; done
  printf '%s' "$list"
}

# logged LOG CMD...: all that it says goes to LOG, the end of which is shown where it fails
logged() { "${@:2}" >"$1" 2>&1 || { tail -n 3 "$1" >&2 && return 1; }; }

# once FILE OF CALL CMD...: what CMD prints about OF, in FILE; made anew for another CALL, which is kept beside it, or where OF
# is newer.  CMD's exit code.
once() {
  local call=${1%.*}.call log=${1%.*}.log code=0
  if [ -e "$1" ] && [ "$(cat "$call" 2>/dev/null)" = "$3" ] && [ ! "$2" -nt "$1" ]; then return; fi
  rm -f "$1" # half of what it is made of may be written anew
  "${@:4}" >"$1.partial" 2>"$log" || code=$?
  [ "$code" -eq 0 ] || { tail -n 3 "$log" >&2 && rm -f "$1.partial" && return "$code"; }
  printf '%s\n' "$3" >"$call"
  mv "$1.partial" "$1"
}

# train NAME OPTIONS...: $out/NAME, whatever it takes to finish it; a finished one is left alone, another configuration
# refused.
train() { logged "$out/$1.log" "$lfm" train "${data[@]}" -o "$out/$1" "${extra[@]/#/--set=}" "${@:2}" --resume; }

# batch_of NAME: flop of one of a run's batches;  spent NAME: of all, with its push, or its teacher's rows;
# batches_for FLOP BATCH: how many batches of so many flop that is
batch_of() {
  awk -v f="$(number "$out/$1/result.json" train_flops)" -v n="$(number "$out/$1/result.json" steps)" 'BEGIN { print f / n }'
}
spent() {
  awk -v a="$(number "$out/$1/result.json" train_flops)" -v b="$(number "$out/$1/result.json" push_flops)" 'BEGIN { print a + b }'
}
batches_for() { awk -v all="$1" -v one="$2" 'BEGIN { n = all / one; printf "%.0f", n < 1 ? 1 : n }'; }

# distil TEACHER NAME BUDGET OPTIONS...: a student of so many batches, whatever it takes to finish it
distil() { logged "$out/$2.log" "$lfm" distill "$out/$1" -o "$out/$2" --budget "$3" "${@:4}" --resume; }

# equal_budget ROW NAME: batches after which a distillation whose teacher takes ROW flop for each of its $PAIRS rows has spent
# what student NAME has
equal_budget() {
  batches_for "$(awk -v all="$(spent "$2")" -v row="$1" -v pairs="$PAIRS" 'BEGIN { print all - row * pairs }')" "$(batch_of "$2")"
}

# twin RUN [wide]: the keys of one free block that spends what the chain RUN spent, the push included: the same network for
# more batches, or one with as many parameters as the whole chain.  Rates fall, and patience lasts, as much more slowly.
twin() {
  "$lfm" info "$1" --json | awk -v wide="${2:-}" -v train="$(number "$1/result.json" train_flops)" \
    -v push="$(number "$1/result.json" push_flops)" -v steps="$(number "$1/result.json" steps)" \
    -v width="$(key "$1/config.yaml" hidden_dim)" -v layers="$(key "$1/config.yaml" num_hidden)" \
    -v lr_step="$(key "$1/config.yaml" lr_step)" -v patience="$(key "$1/config.yaml" patience)" \
    -v waves="$(key "$1/config.yaml" waves)" '
    # multiplications of a row, with t and waves among what is seen; a step makes three products of each, but no gradient of
    # its input
    function weights(h) { return seen * h + (layers - 1) * h * h + h * d }
    function parameters(h) { return weights(h) + layers * h + d }
    function flops(h) { return 6 * weights(h) - 2 * seen * h }
    /"blocks":/ { blocks = $2 + 0 }
    /"parameters":/ { all = $2 + 0 }
    /"blocks.0.net.0.weight"/ { first = 1 }
    first && /"shape":/ { gsub(/[^0-9,]/, "", $NF); seen = $NF + 0; first = 0 }
    END {
      d = seen == 3 + 2 * waves ? 2 : (seen - 1) / (1 + 2 * waves)
      h = width
      if (wide) while (parameters(h) < all) h++
      if (wide && all - parameters(h - 1) < parameters(h) - all) h--
      batches = (train + push) / (train / steps * flops(h) / flops(width))
      longer = batches / (steps / blocks)
      printf "hks=[null]\nmax_batch=%.0f\nlr_step=%.0f\npatience=%.0f\nhidden_dim=%d\n", batches, lr_step * longer,
        patience * longer, h
    }'
}

# trio SEED OPTIONS...: a chain and both its twins: lfm-SEED, fm-SEED, wide-SEED
trio() {
  local text keys seed=$1
  shift
  train "lfm-$seed" --seed "$seed" "$@"
  text=$(twin "$out/lfm-$seed")
  mapfile -t keys <<<"$text"
  train "fm-$seed" --seed "$seed" "$@" "${keys[@]/#/--set=}"
  text=$(twin "$out/lfm-$seed" wide)
  mapfile -t keys <<<"$text"
  train "wide-$seed" --seed "$seed" "$@" "${keys[@]/#/--set=}"
}

# score MODEL NAME OPTIONS...: $out/NAME.csv with the log p of each row and $out/NAME.json, of the test rows
score() {
  once "$out/$2.json" "$1" "$1 $test $ROWS ${*:3}" \
    "$lfm" score "$1" "$test" "${group[@]}" --rows "$ROWS" "${@:3}" -o "$out/$2.csv" --json
}

# pictures_of FOLDER: what to train on and to test on, as `tables` says it of tables.  All training pictures are trained on; the
# validation losses that a run shows are of the test pictures, so nothing may be chosen by them.
pictures_of() {
  pictures=$1/train-images-idx3-ubyte.gz test=$1/t10k-images-idx3-ubyte.gz group=()
  data=("$pictures" --valid "$test")
  without 'patience=[!0]*' "the losses that would end a block are of the test pictures; leave it out"
}

# judge_of_pictures: their judge, which learns from the training labels
judge_of_pictures() {
  judge=$out/judge.safetensors
  [ -e "$judge" ] || logged "$out/judge.log" "$lfm" features train "$pictures" -o "$judge" --epochs 3
}

# judge MODEL NAME OPTIONS...: $out/NAME.json, and the pictures in the folder $out/NAME
judge() { once "$out/$2.json" "$1" "$1 $test $ROWS ${*:3}" evaluate "$@"; }
evaluate() {
  rm -rf "${out:?}/$2" # of a call that was stopped, or another
  "$lfm" eval "$1" "$test" --train "$pictures" --judge "$judge" -n "$ROWS" -o "$out/$2" "${@:3}" --json
}

# costs TITLE CELL NAMES...: what runs took, as a table, with a column more, which CELL NAME prints; "" "" without one
costs() {
  local name result cell=$2
  printf '| run | batches | training, flop | push or teacher, flop | time |%s\n' "${cell:+ $1 |}"
  printf '|---|---|---|---|---|%s\n' "${cell:+---|}"
  for name in "${@:3}"; do
    result=$out/$name/result.json
    printf '| %s | %s | %.2e | %.2e | %.1f min |%s\n' "$name" "$(number "$result" steps)" "$(number "$result" train_flops)" \
      "$(number "$result" push_flops)" "$(awk -v s="$(number "$result" seconds)" 'BEGIN { print s / 60 }')" \
      "${cell:+ $("$cell" "$name") |}"
  done
}
# costs_of_trios: of the three models of every seed, with their converged scores
costs_of_trios() {
  local names
  IFS=, read -ra names <<<"$(named lfm ""),$(named fm ""),$(named wide "")"
  costs "converged NLL, solver error" converged "${names[@]}"
}
converged() { printf '%.2f, %.1g' "$(number "$out/$1.json" nll)" "$(number "$out/$1.json" solver_error)"; }

# columns of kit compare: the runs of the three models and the rivals that there are, by one protocol (a suffix of the names)
compare() {
  local rivals=()
  if [ -e "$out/mixture.csv" ] && [ -z "$1" ]; then rivals=("${mixture:-Gaussian mixture}=mixture" Gaussian=gaussian); fi
  "$kit" compare "$out" "lfm=$(named lfm "$1")" "FM, same network=$(named fm "$1")" \
    "FM, the chain's parameters=$(named wide "$1")" "${rivals[@]}" "${group[@]}" --md
}
