# SPDX-License-Identifier: MIT
#
# test_features.sh -- lfm features: a judge learns made-up pictures and is asked about others; its manners, and what it refuses.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pictures.sh"
cd "$work"

pictures train 60 6
pictures test 20 6 1000
pictures large 4 8
cp test-images-idx3-ubyte bare
printf 'a,b\n1,2\n3,4\n' >rows.csv

# ---- help and wrong lines
expect_exit 0 "$lfm" features --help
for part in train apply; do check "help names $part" grep -q "^usage: lfm features $part" out; done
expect_exit 0 "$lfm" features train --help
check "help of one part is of that part" test "$(grep -c '^usage:' out)" -eq 1
expect_usage "train or apply is missing" "$lfm" features
expect_usage "did you mean train?" "$lfm" features trian
expect_usage "train or apply is due" "$lfm" features frobnicate
expect_usage "DATA is missing" "$lfm" features train -o j.safetensors
expect_usage "-o FILE is missing" "$lfm" features train train-images-idx3-ubyte
expect_usage ".safetensors" "$lfm" features train train-images-idx3-ubyte -o judge.bin
expect_usage "--epochs" "$lfm" features train train-images-idx3-ubyte -o j.safetensors --epochs 0
expect_usage "did you mean --epochs?" "$lfm" features train train-images-idx3-ubyte -o j.safetensors --epoch 2
expect_usage "--size" "$lfm" features train train-images-idx3-ubyte -o j.safetensors --size 129
expect_usage "FILE is missing" "$lfm" features apply -o x.npy
expect_usage "-o OUT is missing" "$lfm" features apply j.safetensors bare
expect_refused "none.npy" "$lfm" features train none.npy -o j.safetensors
expect_refused "no labels" "$lfm" features train bare -o j.safetensors
expect_refused "pictures are due" "$lfm" features train rows.csv -o j.safetensors
printf 'a,class\n1,g\n3,h\n' >words.csv # no advice for a table, since none is due
expect_refused "words.csv: pictures are due here, not a table" "$lfm" features train words.csv -o j.safetensors
expect_refused "8 x 8" "$lfm" features train train-images-idx3-ubyte --valid large-images-idx3-ubyte -o j.safetensors
check "nothing was left behind" test ! -e j.safetensors

# ---- learn
expect_exit 0 "$lfm" features train train-images-idx3-ubyte -o judge.safetensors --valid test-images-idx3-ubyte --epochs 12 \
  --threads 1
check "says how often it is right, and how sure that is" grep -qE '^accuracy +[0-9.]+ %, 95 % interval [0-9.]+ to [0-9.]+; [0-9]+ of 20 held out$' out
expect_json "$lfm" features train train-images-idx3-ubyte -o again.safetensors --valid test-images-idx3-ubyte --epochs 12 \
  --threads 2 --json
expect_fields accuracy accuracy_low accuracy_high right rows loss pictures epochs best_epoch seconds
check "the same bytes for any number of threads" cmp -s judge.safetensors again.safetensors
expect_exit 0 "$lfm" features train train-images-idx3-ubyte -o other.safetensors --epochs 1 --seed 3 --flip --size 4
check "another judge" test "$(cmp -s judge.safetensors other.safetensors; echo $?)" -eq 1
expect_exit 0 "$lfm" info judge.safetensors
check "info knows a judge" grep -qE '^kind +judge' out

# ---- apply
expect_exit 0 "$lfm" features apply judge.safetensors test-images-idx3-ubyte -o features.csv
check "all are right" grep -qE '^accuracy +100\.00 %, .*; 20 of 20 pictures$' out
check "a row a picture" test "$(wc -l <features.csv)" -eq 21
check "128 columns" test "$(head -1 features.csv | tr ',' '\n' | wc -l)" -eq 128
expect_json "$lfm" features apply judge.safetensors test-images-idx3-ubyte -o logits.csv --logits --json
expect_fields accuracy accuracy_low accuracy_high right rows columns
check "a logit a class" test "$(head -1 logits.csv)" = '"0","1"'
expect_json "$lfm" features apply judge.safetensors bare -o features.npy --json
check "no accuracy without labels" test "$(grep -c accuracy out)" -eq 0
cp test-images-idx3-ubyte more-images-idx3-ubyte
{ bytes 0 0 8 1 0 0 0 20; bytes 7; head -c 27 test-labels-idx1-ubyte | tail -c 19; } >more-labels-idx1-ubyte
expect_exit 0 "$lfm" features apply judge.safetensors more-images-idx3-ubyte -o more.csv
check "nor with labels that the judge does not know" test "$(grep -c accuracy out)" -eq 0
check "which a note says" grep -q "class '7' is none of the 2 that it learnt" err
check "and the features are the same" cmp -s more.csv features.csv
expect_exit 0 "$lfm" features apply other.safetensors large-images-idx3-ubyte -o scaled.npy
check "larger pictures are scaled" grep -q "4 rows of 128" out
check "arrays, too" test "$(head -c 6 features.npy | tail -c 5)" = NUMPY

# ---- Ctrl-C, once the workers are there: the program ends, and no file is begun
{ bytes 0 0 8 3 0 0 195 80 0 0 0 6 0 0 0 6; head -c 1800000 /dev/zero; } >many # 50,000 pictures
env --default-signal=INT "$lfm" features apply judge.safetensors many -o stopped.npy --threads 2 >out 2>err </dev/null &
applying=$!
until [ "$(ls "/proc/$applying/task" 2>ls.err | wc -l)" -gt 1 ] || ! kill -0 "$applying" 2>kill.err; do sleep 0.01; done
kill -INT "$applying"
code=0
wait "$applying" || code=$?
check "it did not go on" test "$code" -ne 0
check "nothing of the file is there" bash -c "! ls stopped.npy* 2>ls.err"

# ---- what does not fit
expect_usage "is read by this command" "$lfm" features apply judge.safetensors rows.csv -o rows.csv
expect_usage "no data format" "$lfm" features apply judge.safetensors bare -o features.txt
expect_refused "is not a judge" "$lfm" features apply rows.csv bare -o x.npy
for rows in rows.csv words.csv; do
  expect_refused "$rows: pictures are due here, not a table" "$lfm" features apply judge.safetensors $rows -o x.npy
done
head -c 5000 judge.safetensors >short.safetensors
expect_refused "short.safetensors" "$lfm" features apply short.safetensors bare -o x.npy
check "nothing was left behind" test ! -e x.npy

finish
