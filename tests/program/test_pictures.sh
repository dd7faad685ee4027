#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# test_pictures.sh -- tiny made-up pictures through the program: the presets for two cores, training that shows itself, and the
# demo of pictures from end to end.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pictures.sh"
here=$PWD
cd "$work"

pictures train 60 4
pictures t10k 60 4 1000
seq 0 20 | sed 's/.*/&,1&2/; 1s/.*/a,b/' >rows.csv
learn() { "$lfm" train train-images-idx3-ubyte --valid t10k-images-idx3-ubyte --threads 2 --seed 1 "$@"; }

# ---- presets
for preset in mnist-fm cifar10-small; do
  expect_exit 0 learn -o "of-$preset" --preset "$preset" --set max_batch=1 --preview 0
  check "no pictures where none are wanted" test ! -e "of-$preset/preview.png"
done

# ---- pictures to validate by in the colours of those to learn
{ printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (8, 4, 4, 3), }"
  head -c 384 t10k-images-idx3-ubyte; } >colours.npy
expect_exit 0 "$lfm" train train-images-idx3-ubyte --valid colours.npy -o grey --preset mnist-fm --set conditional=false \
  --set max_batch=1 --preview 0
pictures large 60 8
expect_error "the validation pictures are 8 x 8 of 1 channels, the training pictures 4 x 4 of 1; read them alike (--size)" \
  "$lfm" train train-images-idx3-ubyte --valid large-images-idx3-ubyte -o new --preset mnist-fm --set max_batch=1
expect_exit 0 learn -o sized --preset mnist-fm --size 8 --set max_batch=1 --preview 0
check "the size is part of the run" grep -qx 'image_size: 8' sized/config.yaml
expect_exit 0 learn -o again --config sized/config.yaml --preview 0
check "which makes the same again" cmp -s sized/model.safetensors again/model.safetensors
seq 0 20 | sed 's/.*/&,g/; 1s/.*/a,class/' >words.csv
expect_refused "words.csv: pictures are due here, not a table" \
  "$lfm" train train-images-idx3-ubyte --valid words.csv -o new --preset mnist-fm --set max_batch=1
expect_refused "train-images-idx3-ubyte: a table is due here, not pictures" \
  "$lfm" train rows.csv --valid train-images-idx3-ubyte -o new --set max_batch=1
expect_usage "rows.csv: holds no pictures" "$lfm" train rows.csv -o new --size 8 --set max_batch=1

# ---- previews
expect_exit 0 learn -o shown --preset fashion --set max_batch=3 --preview 2
check "says where to look" grep -q "shown/preview.png and strip.png show every 2 batches" err
check "a grid" test -s shown/preview.png
check "a strip" test -s shown/strip.png
expect_exit 0 learn -o blind --preset fashion --set max_batch=3 --preview 0
check "the model is the same" cmp -s shown/model.safetensors blind/model.safetensors
check "and what it is made again from" cmp -s shown/config.yaml blind/config.yaml
expect_exit 0 learn -o auto --preset fashion --set max_batch=3
check "pictures are shown unless one says no" cmp -s shown/preview.png auto/preview.png
evaluations=$((16 * $("$lfm" info shown --json | grep -o '"blocks": [0-9]*' | grep -o '[0-9]*$')))
expect_exit 0 "$lfm" sample shown -n 64 -o drawn.png --nfe "$evaluations" --seed 1
check "the last grid is what sampling draws" cmp -s drawn.png shown/preview.png
expect_exit 0 "$lfm" sample shown -n 4 -o drawn/ --nfe "$evaluations"
expect_refused "drawn: holds files that are of no run (000000.png)" "$lfm" train drawn -o drawn --set max_batch=1
check "pictures stay among themselves" test "$(ls drawn)" = "$(printf '00000%d.png\n' 0 1 2 3)"
expect_exit 0 "$lfm" sample sized -n 2 -o mixed/ --nfe 4
cp drawn/000000.png mixed/of-4.png
expect_exit 0 "$lfm" info mixed --json
expect_fields sizes least_height least_width most_height most_width
check "info tells different sizes" grep -qE '^note: mixed: pictures of 2 sizes; .*--size N makes all of them N x N$' err
expect_refused "--size N makes all of them N x N" "$lfm" train mixed -o mixed-run --set max_batch=1
touch taken
for out in taken taken/; do # told before a billion are drawn
  expect_refused "taken: is no folder" "$lfm" sample shown -n 1e9 -o $out
done
expect_usage "preview: " "$lfm" train rows.csv -o new --preview 3
expect_usage "--preview" "$lfm" train rows.csv -o new --preview -3
check "nothing was left behind" test ! -e new

# ---- the demo
mkdir data
for file in train t10k; do
  for part in images-idx3-ubyte labels-idx1-ubyte; do gzip -c "$file-$part" >"data/$file-$part.gz"; done
done
export DATA=$work/data ROWS=40 KEYS="--set max_batch=2"
expect_exit 0 bash "$here/demo/images.sh" "$(dirname "$lfm")" "$work/demo"
for file in grid.png judge.safetensors lfm/preview.png lfm/strip.png quality/result.json quality/nearest.png; do
  check "the demo leaves $file" test -s "demo/$file"
done
check "says how far from real ones they are" grep -qi "frechet" out
run bash "$here/demo/images.sh" "$(dirname "$lfm")" "$work/demo"
check "it leaves what is there alone" test "$code" -eq 1
check "and says what to do" grep -q "demo exists; remove it" err
DATA=$work/none run bash "$here/demo/images.sh" "$(dirname "$lfm")" "$work/other"
check "and names what it lacks" grep -q "apt-get install dataset-fashion-mnist" err
finish
