#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Time to a given density: the seconds of training, the push included, until the converged NLL of fixed validation rows is
# reached, by lfm and by the method in PyTorch, each with the chain and with FM on the same network.  A long run passes a
# value with its learning rate still high, so the answer is sought among runs of growing length, each with the whole of its
# own schedule: shares of the published batches, doubling; the first that reaches the target, and between it and the run
# before the seconds are interpolated in their logarithm.  Both programs' models are scored by lfm.  lfm's seconds count its
# validation losses and checkpoints, which PyTorch's recipe has not; reading the table
# and compiling count for neither.  Only on an idle machine: PyTorch's threads wait for each other where another program has
# one of the cores.
#   bench/time_to.sh BSDS.hdf5 [BUILD] [OUT]           BSDS300 at $TARGET=-152, then the tree at entropy + 0.2
#   bench/time_to.sh tree [BUILD] [OUT]                the tree only
#   $BY="own lfm": by our configurations without a preset (bench/bsds300.yaml, demo/tree.yaml), and by the preset
#   $TORCH: a python with bench/torch/requirements.txt, without it lfm only; $SHARES="1/64 1/32 ... 1"; $SEED=0; $ROWS=500
# With 100,000 training rows (as for bench/bsds_tenth.sh) BSDS300 takes some hours by each, and the tree some three.  A
# million rows make each run of a chain an hour longer, for the push does not shrink with the share: then begin $SHARES near
# the answer.
set -euo pipefail
build=${2:-build} out=${3:-runs/time_to} ROWS=${ROWS:-500} seed=${SEED:-0}
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
[ -z "${TORCH:-}" ] || without 'normalise=[!n]*' "PyTorch's weights come without their normaliser; leave out the key, or TORCH"
by=${BY:-own lfm}
if [ -n "${TORCH:-}" ] && [[ " $by " != *" lfm "* ]]; then
  echo "PyTorch's weights are read by the configuration of lfm's runs by the preset: BY needs lfm" >&2 && exit 2
fi
base=$out
read -ra shares <<<"${SHARES:-1/64 1/32 1/16 1/8 1/4 1/2 1}"

# Each trains SHARE of PRESET as $out/NAME (a finished run is left alone) and prints the model and the seconds that it took.
by_lfm() { # PRESET NAME BATCHES LR_STEP
  train "$2" --preset "$1" --seed "$seed" --set "max_batch=$3" --set "lr_step=$4"
  printf '%s %s\n' "$out/$2" "$(number "$out/$2/result.json" seconds)"
}
own() { case $1 in tree*) echo demo/tree.yaml ;; *) echo bench/bsds300.yaml ;; esac; }
by_own() { # the same by our configuration: rates fall as a cosine; of the tree the network sees waves
  local blocks=()
  [[ $1 != *-fm@* ]] || blocks=("hks=[null]" "max_batch=$((2 * $3))") # as many batches as the two blocks have
  train "$2" --config "$(own "$1")" --seed "$seed" --set "max_batch=$3" "${blocks[@]/#/--set=}"
  printf '%s %s\n' "$out/$2" "$(number "$out/$2/result.json" seconds)"
}
by_torch() { # the same as by_lfm; lfm's first run says what network the weights are of
  local run=$out/$2 set=("${extra[@]}" "max_batch=$3" "lr_step=$4") network=$out/lfm-$1-${shares[0]/\//_}/config.yaml
  [ -e "$run/result.json" ] ||
    "$TORCH" bench/torch/lfm_torch.py "${data[0]}" -o "$run" --preset "$1" --seed "$seed" --compile \
      "${set[@]/#/--set=}" \
      >"$run.log" 2>&1 ||
    { tail -n 3 "$run.log" >&2 && return 1; }
  [ -e "$run/lfm.safetensors" ] ||
    "$lfm" import "$run/model.safetensors" --config "$network" -o "$run/lfm.safetensors" >/dev/null
  printf '%s ' "$run/lfm.safetensors"
  "$TORCH" -c 'import json, sys; r = json.load(open(sys.argv[1])); print(sum(r["train_seconds"] + r["push_seconds"]))' \
    "$run/result.json"
}

# reach PROGRAM PRESET TARGET: a line of the table
reach() {
  local share part name model seconds nll before="" line config=configs/$2.yaml recipe=$2
  [ "$1" != own ] || config=$(own "$2") recipe=${2%@*} # no preset
  for share in "${shares[@]}"; do
    part=$(awk -v s="$share" 'BEGIN { n = split(s, f, "/"); print n == 2 ? f[1] / f[2] : s }')
    name=$1-$2-${share/\//_}
    read -r model seconds < <("by_$1" "$2" "$name" "$(times "$part" "$(key "$config" max_batch)")" \
      "$(times "$part" "$(key "$config" lr_step)")")
    score "$model" "$name-valid" --tol "$TOL"
    nll=$(number "$out/$name-valid.json" nll)
    printf '%s: share %s, %.0f s, NLL %.3f\n' "$1 $2" "$share" "$seconds" "$nll" >&2
    line=$(awk -v nll="$nll" -v seconds="$seconds" -v target="$3" -v before="$before" 'BEGIN {
      if (nll > target) exit
      if (before == "") { printf "at most %.0f s", seconds; exit }
      split(before, b, " ")
      part = (b[1] - target) / (b[1] - nll)
      at = exp(log(b[2]) + part * log(seconds / b[2]))
      printf "**%.0f s** (%.0f s: %.2f; %.0f s: %.2f)", at, b[2], b[1], seconds, nll }')
    [ -z "$line" ] || break
    before="$nll $seconds"
  done
  printf '| %s | %s | %s |\n' "$1" "$recipe" "${line:-$(printf 'not within %.0f s (%.2f)' "$seconds" "$nll")}"
}

# race DATA PRESET VERSION TARGET
race() {
  tables "$1"
  test=$valid group=("${valid_group[@]}")
  printf '\n| program | preset | seconds to a validation NLL of %.3f, push included (runs around it) |\n|---|---|---|\n' "$4"
  for program in $by ${TORCH:+torch}; do
    reach "$program" "$2@$3" "$4"
    reach "$program" "$2-fm@$3" "$4"
  done
}

if [ "$1" != tree ]; then
  out=$base/bsds300
  mkdir -p "$out"
  race "$1" bsds300 A "${TARGET:--152}"
fi
out=$base/tree
[ -e "$out/test.csv" ] || "$kit" tree "$out" >"$base/tree.log"
entropy=$("$kit" truth tree "$out" | awk '{ print $2 }')
race "$out" tree B "$(awk -v e="$entropy" -v above="${ABOVE:-.2}" 'BEGIN { print e + above }')"
