# SPDX-License-Identifier: MIT
#
# test_eval.sh -- lfm eval: pictures judged, those of a model and those of somebody else; its manners, and what it refuses.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pictures.sh"
cd "$work"

pictures train 120 8
pictures test 80 8 1000
pictures fresh 80 8 2000
pictures small 60 6
pictures few 30 8
noise noise 60 8
cp fresh-images-idx3-ubyte bare
printf 'a,b\n1,2\n3,4\n' >rows.csv
real="test-images-idx3-ubyte --train train-images-idx3-ubyte --judge judge.safetensors"
expect_exit 0 "$lfm" features train train-images-idx3-ubyte -o judge.safetensors --epochs 12 --valid test-images-idx3-ubyte
expect_exit 0 "$lfm" features train small-images-idx3-ubyte -o other.safetensors --epochs 1
expect_exit 0 "$lfm" train train-images-idx3-ubyte -o run --set conditional=true --set 'hks=[0.5, null]' --set hidden_dim=32 \
  --set 'unet_dim_mults=[1, 1]' --set res_depth=1 --set attention_resolution=4 --set batch_size=16 --set max_batch=4 \
  --set push_tol=1e-2 --set patience=0

# ---- wrong lines
expect_usage "HELDOUT is missing" "$lfm" eval run --train a --judge b
expect_usage "--train DATA is missing" "$lfm" eval run test-images-idx3-ubyte --judge judge.safetensors
expect_usage "lfm features train" "$lfm" eval run test-images-idx3-ubyte --train train-images-idx3-ubyte
for nfe in 0 x 2,x 2,, 2,0 -1 2.5 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17; do
  expect_usage "--nfe" "$lfm" eval run $real --nfe "$nfe"
done
expect_usage "exclude each other" "$lfm" eval run $real --nfe 4 --tol 1e-3
for how in "nfe 4" "solver euler" "tol 1e-3" "guidance 2"; do
  # shellcheck disable=SC2086
  expect_usage "--${how% *}: bare is no model" "$lfm" eval bare $real --$how
done
expect_usage "--rows" "$lfm" eval run $real -n 39
expect_usage "2 blocks" "$lfm" eval run $real --nfe 8,1
expect_usage "class: the model knows no 'shirt'; it knows 0, 1" "$lfm" sample run -n 1 -o x.png --class shirt
expect_usage "did you mean --judge?" "$lfm" eval run $real --juge x

# ---- what does not fit
expect_refused "none" "$lfm" eval none $real
expect_refused "is not a judge" "$lfm" eval run test-images-idx3-ubyte --train train-images-idx3-ubyte --judge bare
expect_refused "6 x 6" "$lfm" eval run $real --judge other.safetensors
expect_refused "generated pictures: there are 30" "$lfm" eval few-images-idx3-ubyte $real -n 40
expect_refused "generated pictures: there are 30; 40 or more are due" "$lfm" eval few-images-idx3-ubyte $real
expect_refused "training pictures: there are 30; 40 or more are due" \
  "$lfm" eval run test-images-idx3-ubyte --train few-images-idx3-ubyte --judge judge.safetensors
expect_refused "pictures are due" "$lfm" eval run rows.csv --train train-images-idx3-ubyte --judge judge.safetensors
expect_refused "no labels" "$lfm" eval bare $real --retrain
mkdir full && touch full/x
expect_refused "holds files already" "$lfm" eval run $real -o full
expect_refused "bare: is no folder" "$lfm" eval run $real -o bare
expect_refused "dequantise=uniform" "$lfm" score run test-images-idx3-ubyte --seed 3 # which would draw its probes
expect_usage "nor be missing" "$lfm" score run test-images-idx3-ubyte --drop-missing
{ bytes 0 0 8 3 0 0 0 1 0 0 0 1 0 0 78 32; head -c 20000 /dev/zero; } >wide
expect_refused "wide: pictures of 20000 x 1 pixels" "$lfm" info wide
mkdir -p others/0 others/2
"$lfm" sample run -n 40 --nfe 2 --class 0 -o others/0/ 2>err >out
"$lfm" sample run -n 40 --nfe 2 --class 1 -o others/2/ 2>err >out
expect_refused "--retrain: HELDOUT has a class that is never drawn: class: the model knows no '2'" \
  "$lfm" eval run others --train train-images-idx3-ubyte --judge judge.safetensors --retrain
expect_usage "guidance" "$lfm" eval bare $real --against run --guidance x
crowd=$((4 * $(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) + 1))
expect_exit 0 "$lfm" features apply judge.safetensors others -o features.npy --threads $crowd
check "a note is said once, though two teams of so many are made" test "$(grep -c "^note: threads: $crowd on" err)" -eq 1
check "nothing was left behind" test ! -e new

# ---- pictures of somebody else
expect_exit 0 "$lfm" eval fresh-images-idx3-ubyte $real -o quality
for line in 'Frechet +-?[0-9.]+ \(-?[0-9.]+ to -?[0-9.]+\) +-?[0-9.]+ \(' 'precision +[0-9.]+ %' 'recall +[0-9.]+ %' 'nearest +[0-9.]+' \
  'recognised +[0-9.]+ %' 'above the floor +-?[0-9.]+ \(-?[0-9.]+ to -?[0-9.]+\)' 'closer +[0-9.]+ %' 'memorised +[0-9.]+ %' \
  '  0 +[0-9.]+ %' 'pictures +80 judged beside 80'; do
  check "a line like '$line'" grep -qE "^$line" out
done
check "a warning: there are few" grep -q "some thousands are due" err
check "nobody has seen a mirror" test "$(grep -c mirror err)" -eq 0
for file in samples.png nearest.png; do check "$file" test "$(head -c 4 quality/$file | tail -c 3)" = PNG; done
expect_json "$lfm" eval fresh-images-idx3-ubyte $real --threads 1 --json -o again
expect_fields model rows train_rows heldout_rows manifold_rows above above_low above_high frechet fitted floor precision recall \
  density coverage floor_precision nearest heldout_nearest closer memorised memorised_due copies recognised classes \
  class_recognised heldout_recognised seconds
check "no evaluations were made" grep -q '"nfe": null' out
check "what is printed is in the folder" cmp -s out again/result.json
same() { cmp -s <(sed 's/"seconds.*//' "$1") <(sed 's/"seconds.*//' "$2"); }
check "the same numbers for any number of threads" same quality/result.json again/result.json
check "the same pictures for any number of threads" cmp -s quality/nearest.png again/nearest.png
check "no leftovers" test "$(ls quality | wc -l)" -eq 3
expect_refused "holds files already" "$lfm" eval fresh-images-idx3-ubyte $real -o quality

pictures large 60 12
expect_exit 0 "$lfm" eval large-images-idx3-ubyte $real
check "other sizes are told of" grep -q "large-images-idx3-ubyte: 12 x 12 grey is taken as 8 x 8 grey" err
check "and no others" test "$(grep -c "is taken as" err)" -eq 1

# ---- a model
expect_exit 0 "$lfm" eval run $real -n 60 --nfe 2,4 --against noise-images-idx3-ubyte -o budgets
check "a line a budget" test "$(grep -cE '^ +[24]  +-?[0-9.]+ \(.*%.*%.*\(' out)" -eq 2
check "and what the judge recognises" grep -qE '^ +nfe .* recognised ' out
check "beside real ones" grep -qE '^ +real  0( +[0-9.]+ %){3}$' out
check "what is known meanwhile" grep -q '^nfe 2: ' err
for file in samples-2.png samples-4.png nearest-2.png nearest-4.png curve.png result.json; do
  check "$file" test -s budgets/$file
done
check "lists in JSON" grep -qE '"nfe": \[2, 4\].*"above": \[[^]]*,[^]]*\].*"difference": \[' budgets/result.json
expect_json "$lfm" eval run $real -n 60 --solver euler --nfe 2 --guidance 2 --retrain --json
expect_fields nfe flops retrained retrained_floor retrained_lost
check "guidance takes twice the operations" awk 'NR == FNR { match($0, /"flops": \[[^,]*/); one = substr($0, RSTART + 10, RLENGTH - 10); next }
  { match($0, /"flops": [^,]*/); exit !(substr($0, RSTART + 9, RLENGTH - 9) == 2 * one) }' budgets/result.json out

# ---- stopped between two numbers of evaluations, the second of which would take days: the first is told, and kept
# cut FOLDER CMD...: does CMD when the first is done, and stops it
cut() {
  : >err # what another run said is not this one's
  # shellcheck disable=SC2086
  env --default-signal=INT "$lfm" eval run $real -n 60 --nfe 2,1000000 -o "$1" >out 2>err </dev/null &
  local evaluation=$!
  until grep -q '^nfe 2: ' err || ! kill -0 "$evaluation" 2>kill.err; do sleep 0.1; done
  "${@:2}"
  kill -INT "$evaluation"
  code=0
  wait "$evaluation" || code=$?
  check "a stopped evaluation exits with 1" test "$code" -eq 1
  check "what is done is told" grep -q '^above the floor  ' out
  check "and that it is not all" grep -qx 'stopped          after 1 of 2 numbers of evaluations' out
}
cut half true
check "it is kept" grep -q '"nfe": 2, .*"above": .*"complete": false, ' half/result.json
check "with its own pictures alone" test "$(ls half | paste -sd' ')" = "nearest-2.png result.json samples-2.png"
cut barred mkdir barred/result.json
check "a result that cannot be put in place is told of" grep -q 'barred/result.json: cannot be written: Is a directory' err
check "and not left beside it" test ! -e barred/result.json.partial
check "others are all there is" grep -q '"complete": true' budgets/result.json

# ---- unless more are asked for, ten thousand say enough
{ bytes 0 0 8 3 0 0 39 17 0 0 0 8 0 0 0 8; head -c 640064 "$lfm"; } >many # 10,001 pictures of any bytes
expect_json "$lfm" eval many test-images-idx3-ubyte --train many --judge judge.safetensors --manifold 40 --json
check "10,000 are judged" grep -q '"rows": 10000,' out

# ---- who learnt from mirrored pictures
expect_exit 0 "$lfm" train train-images-idx3-ubyte -o mirrored --set flip=true --set 'hks=[null]' --set hidden_dim=32 \
  --set 'unet_dim_mults=[1, 1]' --set res_depth=1 --set attention_resolution=4 --set batch_size=16 --set max_batch=1
for what in mirrored "fresh-images-idx3-ubyte --flip"; do
  # shellcheck disable=SC2086
  expect_exit 0 "$lfm" eval $what $real -n 40
  check "$what: copies are looked for in a mirror" grep -q "copies are looked for in a mirror, too" err
done

finish
