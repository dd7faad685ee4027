#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Training in bfloat16 against single precision, scored in single precision (as all scores are): the difference paired by
# seed, beside the spread over seeds.  BSDS300 patches at a tenth of the published length; the tree by the demo's recipe.
#   bench/precision.sh BSDS.hdf5 [BUILD] [OUT]         $SEEDS="1..3"  $LENGTH=.1  $ROWS=2000; - for a file: the tree only
# An hour and a half on two cores with 100,000 training rows (as for bench/bsds_tenth.sh); with a million the push alone takes
# another five.
# lfm sweep trains, scores and compares, and skips runs that are finished.
set -euo pipefail
build=${2:-build} out=${3:-runs/precision} seeds=${SEEDS:-1..3}
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"

# both NAME CONFIG KEY=VALUE...
both() {
  local name=$1 config=$2
  shift 2
  printf '\n%s, precision:\n\n' "$name"
  set -- "${extra[@]}" "$@"
  "$lfm" sweep "$config" "${data[@]}" -o "$out/$name" --seeds "$seeds" --over precision=fp32,bf16 --test "$test" \
    --rows "$ROWS" "${@/#/--set=}" 2>"$out/$name.log" || { tail -n 3 "$out/$name.log" >&2 && return 1; }
}

if [ "$1" != - ]; then
  tables "$1"
  both bsds300 bsds300@A "max_batch=$(times "${LENGTH:-.1}" 30000)"
fi
[ -e "$out/tree-data/test.csv" ] || "$kit" tree "$out/tree-data" >/dev/null
tables "$out/tree-data"
both tree demo/tree.yaml
