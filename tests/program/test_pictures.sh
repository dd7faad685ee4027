#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# test_pictures.sh -- tiny made-up pictures through the program: training that shows itself.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pictures.sh"
cd "$work"

pictures train 60 4
pictures t10k 20 4
seq 0 20 | sed 's/.*/&,1&2/; 1s/.*/a,b/' >rows.csv
learn() { "$lfm" train train-images-idx3-ubyte --valid t10k-images-idx3-ubyte --threads 2 --seed 1 --set conditional=true "$@"; }

# ---- previews
expect_exit 0 learn -o shown --set max_batch=3 --preview 2
check "says where to look" grep -q "shown/preview.png and strip.png show every 2 batches" err
check "a grid" test -s shown/preview.png
check "a strip" test -s shown/strip.png
expect_exit 0 learn -o blind --set max_batch=3 --preview 0
check "the model is the same" cmp -s shown/model.safetensors blind/model.safetensors
check "and what it is made again from" cmp -s shown/config.yaml blind/config.yaml
expect_exit 0 learn -o auto --set max_batch=3
check "pictures are shown unless one says no" cmp -s shown/preview.png auto/preview.png
evaluations=$((16 * $("$lfm" info shown --json | grep -o '"blocks": [0-9]*' | grep -o '[0-9]*$')))
expect_exit 0 "$lfm" sample shown -n 64 -o drawn.png --nfe "$evaluations" --seed 1
check "the last grid is what sampling draws" cmp -s drawn.png shown/preview.png
expect_usage "preview: " "$lfm" train rows.csv -o new --preview 3
expect_usage "--preview" "$lfm" train rows.csv -o new --preview -3
check "nothing was left behind" test ! -e new
finish
