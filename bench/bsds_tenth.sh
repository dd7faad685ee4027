#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# BSDS300 patches at a tenth of the published length, here and in PyTorch: same configuration, same rows, same test rows.
# The pool is 100,000 rows instead of a million, for both: a tenth of the batches sees them fifteen times over, and the push
# of a million would take longer than the training.
#   bench/make_bsds.py BSDS300/images BSDS.hdf5 100000 10000 50000    rows to train on, to choose by, to test on; default seed
#   bench/bsds_tenth.sh BSDS.hdf5 TORCH_PYTHON [BUILD] [OUT]          $SEEDS="1 2"
set -euo pipefail
python=$2 build=${3:-build} out=${4:-runs/bsds_tenth} SEEDS=${SEEDS:-1 2} ROWS=${ROWS:-100} TOL=${TOL:-1e-5}
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
tables "$1"
for seed in $SEEDS; do
  train "lfm-$seed" --preset bsds300@A --set max_batch=3000 --seed "$seed"
  once "$out/torch-$seed.txt" "$1" "$ROWS ${extra[*]}" \
    "$python" bench/torch/lfm_torch.py "${data[0]}" -o "$out/torch-$seed" --preset bsds300@A --fraction 0.1 --seed "$seed" \
    "${extra[@]/#/--set=}" --test "$test" "${group[@]}" --rows "$ROWS"
  score "$out/lfm-$seed" "lfm-$seed-converged" --tol "$TOL"
  score "$out/lfm-$seed" "lfm-$seed-paper" --protocol paper
done
