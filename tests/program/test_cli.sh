# SPDX-License-Identifier: MIT
#
# test_cli.sh -- the manners of the command line: exit codes, help, messages that name what was meant, JSON, where output
# goes.  What the numbers are worth is tested elsewhere; the model here is trained for a moment only.
. "$(dirname "$0")/lib.sh"
cd "$work"

# ---- the program itself
expect_exit 0 "$lfm" --help
for verb in train sweep sample score ledger eval push plan distill import export features demos info bench selftest; do
  check "the overview names $verb" grep -qE "^  $verb +[a-z]" out
done
cp out overview
for words in help -h "help help" "help --help"; do
  expect_exit 0 "$lfm" $words
  check "lfm $words is the overview" cmp -s overview out
done
expect_exit 0 "$lfm" version
expect_exit 0 "$lfm" --version
check "a version" grep -qE '^lfm [0-9]+\.[0-9]+\.[0-9]+$' out
expect_exit 2 "$lfm"
check "the overview on standard error" grep -q '^usage: lfm' err
check "nothing on standard output" test ! -s out
expect_usage "did you mean train?" "$lfm" trian
expect_usage "did you mean sample?" "$lfm" smaple x
expect_usage "see lfm --help" "$lfm" frobnicate
expect_usage "unknown option --verbose in the place of a verb" "$lfm" --verbose train
expect_usage "did you mean train?" "$lfm" help trian

# ---- help of each verb of the overview: an example, words on every option of its usage line, 80 columns
"$lfm" help | sed -nE 's/^  ([a-z]+)  .*/\1/p' >verbs
check "the verbs are in the overview" test "$(wc -l <verbs)" -ge 18
for verb in $(cat verbs); do
  expect_exit 0 "$lfm" "$verb" --help
  check "nothing on standard error" test ! -s err
  for words in "help $verb" "$verb -h"; do check "lfm $words is the same" cmp -s out <("$lfm" $words); done
  check "help of $verb has a usage line" grep -q "^usage: lfm $verb" out
  check "help of $verb has an example" grep -qE "^  lfm $verb" out
  check "help of $verb fits 80 columns" awk 'length > 80 { bad = 1 } END { exit bad }' out
  awk '/^ +(-[a-zA-Z], )?--/ { print entry; entry = $0; next } /^      / { entry = entry $0 } END { print entry }' out >entries
  for option in --help --json $(sed '/^$/q' out | grep -oE -- '--[a-z][a-z-]*'); do
    check "help of $verb explains $option" grep -qE -e "$option( [^ ]+)?  .*[a-z]{3}" entries
  done
done
"$lfm" help train >train_help
check "help of train names what a key can be" grep -qF 'linear|trig' train_help
check "help of train names the presets" grep -qE 'bsds300@A( |$)' train_help
"$lfm" help import >import_help
check "help of import names the tensors" grep -q 'blocks.N.net.K.weight' import_help
for solver in euler midpoint heun rk4; do # of fixed steps, for which there is no --nfe
  expect_usage "$solver" "$lfm" ledger model data.csv --solver $solver
  check "what ledger does not take it does not name" bash -c "! grep -q nfe err"
done
for verb in score ledger; do
  tr -s ' \n' ' ' <<<"$("$lfm" $verb --help)" >out
  check "help of $verb says what has probes unasked" grep -qF 'of pictures and convolutional policies 2' out
  check "help of $verb takes what train takes" grep -qF 'or, as lfm train takes them, pictures or demonstrations' out
done
expect_exit 0 "$lfm" sample --nonsense --help # whoever asks for help gets it

# ---- wrong lines
awk 'BEGIN { print "length,width,label"; srand(5)
  for (i = 0; i < 400; i++) printf "%.4f,%.4f,%s\n", rand() + rand(), i % 7 + rand(), i % 2 ? "g" : "h" }' >data.csv
expect_usage "DATA is missing" "$lfm" train -o new
expect_usage "-o RUN is missing" "$lfm" train data.csv
expect_usage "DATA is missing" "$lfm" sweep base.yaml -o new
expect_usage "-o FOLDER is missing" "$lfm" sweep base.yaml data.csv
expect_usage "-n N is missing" "$lfm" sample model -o x.csv
expect_usage "--rows 1e99: must be from 1" "$lfm" sample model -n 1e99 -o x.csv
expect_usage "--rows '1e99x': not a whole number" "$lfm" sample model -n 1e99x -o x.csv
expect_usage "DATA is missing" "$lfm" score model
expect_usage "DATA is missing" "$lfm" ledger model
expect_usage "DATA is missing" "$lfm" push model -o x.csv
expect_usage "-o OUT is missing" "$lfm" push model data.csv
expect_usage "--to" "$lfm" push model data.csv -o x.csv --to -1
expect_usage "exclude each other" "$lfm" push model data.csv -o x.csv --tol 1e-5 --nfe 10
expect_usage "MODEL is missing" "$lfm" plan --steps 2
expect_usage "MODEL and --variances exclude each other" "$lfm" plan model --variances 1,2 --steps 2
expect_usage "--steps K is missing" "$lfm" plan model
expect_usage "need the chain's steps" "$lfm" plan --variances 1,2 --steps 1
expect_usage "--hks: a model has its own steps" "$lfm" plan model --hks .1,free --steps 1
expect_usage "--data, --rows, --seed and --threads are of a model" "$lfm" plan --variances 1,2 --hks .1,free --steps 1 --data data.csv
expect_usage "--seed and --threads are of a model" "$lfm" plan --variances 1,2 --hks .1,free --steps 1 --seed 3
for numbers in "" , 1,,2 1x "1;2" free nan; do
  expect_usage "--variances" "$lfm" plan --variances "$numbers" --hks .1,free --steps 1
done
expect_usage "--hks '.1,freed'" "$lfm" plan --variances 1,2 --hks .1,freed --steps 1
expect_usage "step 1 is free, but only the last" "$lfm" plan --variances 1,2 --hks free,.1 --steps 1
expect_usage "3 students of a chain of 2 blocks: 1 to 2" "$lfm" plan --variances 1,2 --hks .1,free --steps 3
expect_usage "block 2 is missing" "$lfm" plan --variances 1,2 --hks .1,.1,free --steps 2 --plan '1 | 3'
expect_usage "FILE is missing" "$lfm" import --config c.yaml -o x.safetensors
expect_usage "--config FILE is missing" "$lfm" import w.safetensors -o x.safetensors
expect_usage "-o MODEL is missing" "$lfm" import w.safetensors --config c.yaml
expect_usage "MODEL is missing" "$lfm" export -o x.safetensors
expect_usage "-o FILE is missing" "$lfm" export model
expect_usage "FILE is missing" "$lfm" info
expect_usage "'extra' is one argument too many" "$lfm" train data.csv extra -o new
expect_usage "--out needs a value" "$lfm" train data.csv -o
expect_usage "--set needs a value" "$lfm" train data.csv -o new --set --json
expect_usage "is empty" "$lfm" train data.csv -o ""
expect_usage "--resume takes no value" "$lfm" train data.csv -o new --resume=yes
expect_usage "did you mean --threads?" "$lfm" train data.csv -o new --thread 2
expect_usage "did you mean --threads?" "$lfm" train data.csv -o new --theads=2
expect_usage "did you mean --solver?" "$lfm" sample model -n 1 -o x.csv --sovler euler
expect_usage "unknown option -x" "$lfm" sample model -x
expect_usage "did you mean dopri5?" "$lfm" sample model -n 1 -o x.csv --solver dopri
expect_usage "from 0 to 2^53" "$lfm" train data.csv -o new --seed 9007199254740993
expect_usage "did you mean paper?" "$lfm" score model data.csv --protocol papr
expect_usage "exclude each other" "$lfm" train data.csv -o new --preset bsds300@A --config c.yaml
expect_usage "--seed and --set both give seed" "$lfm" train data.csv -o new --seed 1 --set seed=2
expect_usage "--size and --set both give image_size" "$lfm" train data.csv -o new --size 8 --set image_size=12
expect_usage "network: unet is for pictures; the data are columns of numbers" "$lfm" train data.csv -o new --preset mnist --drop label
expect_usage "exclude each other" "$lfm" train data.csv -o new --columns a --drop b
expect_usage "exclude each other" "$lfm" sample model -n 1 -o x.csv --tol 1e-5 --nfe 10
for verb in "rollout" "export -o x.c"; do
  expect_usage "--guidance has no effect without --rtc" "$lfm" $verb model --guidance 3
done
expect_usage "--s has no effect without --plan auto" "$lfm" distill model -o new --s 2
expect_usage "--s has no effect without --plan auto" "$lfm" distill model -o new --s 2 --plan even
expect_usage "--rows has no effect without --test" "$lfm" sweep base.yaml data.csv -o new --rows 5
for option in "--task lift" "--solver euler" "--nfe 4"; do
  expect_usage "have no effect without --rollouts" "$lfm" guard model demos.hdf5 -o x.safetensors $option
done
for threads in 0 -1 1025 two 1.5 ""; do
  expect_usage "--threads" "$lfm" train data.csv -o new --threads "$threads"
done
for time in 10 10x 1ms -5m m "10 m" nan 0s 100d 1e999h ""; do
  expect_usage "--time" "$lfm" train data.csv -o new --time "$time"
done
for memory in 10 10x -5M G "4 G" 4GB nanM 100K,5M 1e99T 0M 1023K0 ""; do
  expect_usage "--memory" "$lfm" train data.csv -o new --memory "$memory"
done
for seed in -1 1.5 x 0x10 18446744073709551616 " 1"; do
  expect_usage "--seed" "$lfm" sample model -n 1 -o x.csv --seed "$seed"
done
for rows in 0 -3 1e3x 1.5 99999999999999999999 nan; do
  expect_usage "--rows" "$lfm" sample model -o x.csv -n "$rows"
done
for tol in 0 -1 1 nan inf small; do
  expect_usage "--tol" "$lfm" score model data.csv --tol "$tol"
done
expect_usage "did you mean 'hidden_dim'?" "$lfm" train data.csv -o new --set hiden_dim=8
expect_usage "hidden_dim" "$lfm" train data.csv -o new --set hidden_dim=wide
expect_usage "bsds300@A" "$lfm" train data.csv -o new --preset bsds300@a
expect_error "nothing.csv" "$lfm" train nothing.csv -o new
expect_error "nothing" "$lfm" sample nothing -n 1 -o x.csv
expect_refused "nothing: there is no such file" "$lfm" info nothing
expect_usage "is a folder" "$lfm" train . -o new
expect_refused "data.csv: is not a model; a model is a run folder" "$lfm" score data.csv run
expect_error "label" "$lfm" train data.csv -o new
expect_error "no folder nowhere" "$lfm" score nothing data.csv -o nowhere/x.csv
expect_error "no folder nowhere" "$lfm" push nothing data.csv -o nowhere/x.csv
expect_error "make that first" "$lfm" train data.csv --drop label -o nowhere/new
check "no run folder was made by a wrong line" test ! -e new

# ---- a run, long options in both spellings
quick="--set hidden_dim=16 --set=num_hidden=1 --set max_batch=20 --set batch_size=64 --set schedule.blocks=2"
expect_json "$lfm" train data.csv --out=run $quick --drop label --seed 3 --time=1m30s --threads 1 --json
expect_fields blocks steps seconds loss valid_nll model train_flops push_flops rows_dropped memory_tables memory_pool \
  memory_model memory_lanes memory_workers memory_in_files
check "the JSON names the model" grep -qF '"model": "run/model.safetensors"' out
keys=0
for key in schedule.blocks $(grep -oE '^[a-z0-9_]+' run/config.yaml); do # every key but the schedule's others is in there
  keys=$((keys + 1)) # what is told of it stands behind it or, where it is long, in the line below
  check "help of train explains the key $key" \
    awk -v key="$key" '$1 == key && (NF > 1 || (getline > 0 && /^ +[a-zA-Z]/)) { found = 1 } END { exit !found }' train_help
done
check "a run names all keys" test "$keys" -ge 50
check "progress on standard error" grep -qE 'block [0-9]+/[0-9]+' err
expect_error "run" "$lfm" train data.csv -o run $quick --drop label
check "an existing run exits with 1" test "$code" -eq 1
expect_exit 0 "$lfm" train data.csv -o run $quick --drop label --seed 3 --resume
check "a finished run says so" grep -q 'finished before' out
expect_error "no folder nowhere" "$lfm" sample run -n 1 -o nowhere/x.csv # before the solve
expect_usage "ending" "$lfm" sample run -n 1 -o x.parquet
sed '$d' data.csv >fewer.csv
expect_error "was trained on other rows than these" "$lfm" train fewer.csv -o run $quick --drop label --seed 3 --resume
cut -d, -f1,2 data.csv >unlabelled.csv
expect_exit 0 "$lfm" train data.csv --valid unlabelled.csv -o apart $quick --drop label
expect_exit 0 "$lfm" train data.csv --valid data.csv -o both $quick --drop label
check "rows to validate by may be without the dropped column" cmp -s apart/model.safetensors both/model.safetensors
awk -F, '{ print (NR == 1 ? "note" : "word") "," $2 "," $1 }' unlabelled.csv >more.csv
expect_exit 0 "$lfm" train unlabelled.csv --valid more.csv -o more $quick
check "or have others, and another order" cmp -s apart/model.safetensors more/model.safetensors
expect_usage "class_drop: no classes are shown" "$lfm" train data.csv -o new $quick --drop label --set class_drop=0.2
expect_usage "scale_shift: the data are no pictures" "$lfm" train data.csv -o new $quick --drop label --set scale_shift=true
expect_exit 0 "$lfm" train data.csv -o other $quick --columns length,width --seed 4
check "the result names the model" grep -q '^model .*other/model.safetensors$' out

# ---- sample
expect_json "$lfm" sample run -n50 -o a.csv --seed 1 --json
expect_fields rows probe_se nfe_mean seconds failed
expect_exit 0 "$lfm" sample run -n 50 --out b.csv --seed=1
check "the same seed gives the same file" cmp -s a.csv b.csv
check "the header of the data" grep -qx 'length,width' <(head -1 a.csv)
check "fifty rows and a header" test "$(wc -l <a.csv)" -eq 51
expect_exit 0 "$lfm" sample -o c.csv -n 5e1 --seed 2 --logp -- run
check "another seed gives other rows" test "$(cut -d, -f1,2 c.csv | cksum)" != "$(cksum <a.csv)"
check "a column of log p" grep -qx 'length,width,logp' <(head -1 c.csv)
expect_exit 0 "$lfm" sample run -n 5 -o c.csv --logp --probes 3
check "probes leave a column of their error" grep -qx 'length,width,logp,logp_se' <(head -1 c.csv)
check "the result has the probes' error" grep -qE '^probe error  +[0-9]' out
check "that fits 80 columns" awk 'length > 80 { bad = 1 } END { exit bad }' out
expect_exit 0 "$lfm" sample run -n 5 -o c.csv --logp --probes 1
check "one probe's error is not known" grep -q '^probe error .*not known' out
expect_usage "logp" "$lfm" sample run -n 5 -o c.csv --probes 3
for class in none 0; do
  expect_usage "class: the model knows none" "$lfm" sample run -n 5 -o c.csv --class $class
done
expect_error "nowhere" "$lfm" sample run -n 5 -o nowhere/x.csv

# ---- score: the model's columns are found by name beside a column of text
printf 'length,width\n1e12,0\n1,1\n' >far.csv
expect_exit 0 "$lfm" score run far.csv
check "a vast nll is not cut off" grep -qE '^nll +[0-9.]+e\+[0-9]+ (±|\+-) [0-9.]+e\+[0-9]+ nats' out
expect_exit 0 "$lfm" score run data.csv --rows 20 --probes 1
check "one probe's error is not known" grep -q '^probe error .*not known' out
expect_exit 0 "$lfm" score run data.csv --rows 20 --protocol paper
check "the biased protocol says so" grep -q '^protocol .*biased' out
expect_exit 0 "$lfm" score run data.csv --rows 20 --nfe 48
check "so many evaluations, and how far they are off" bash -c "grep -qE '^evaluations +48 ' out && grep -qE '^solver error .* under error control' out"
expect_usage "exclude each other" "$lfm" score run data.csv --tol 1e-5 --nfe 48
expect_exit 0 "$lfm" score run data.csv --rows 20 --nfe 8 --columns length,width
expect_refused "no such file or folder" "$lfm" train nowhere -o never
expect_usage "--allow-drift has no effect without --resume" "$lfm" train data.csv -o never --allow-drift
expect_usage "both give it" "$lfm" bench train --set precision=bf16 --precision fp32
expect_refused "is a checkpoint" "$lfm" sample run/checkpoint/state.safetensors -n 1 -o never.csv
expect_refused "cannot be written" bash -c 'ulimit -f 20; exec "$0" sample run -n 20000 -o large.csv' "$lfm"
check "nothing half-written is left" test -z "$(ls large.csv* 2>/dev/null)"

# ---- a finished run that has lost something
cp -r run lost && rm lost/model.safetensors
again=$(sed -nE 's/^max_batch: *//p' run/config.yaml)
expect_exit 0 "$lfm" train data.csv -o lost --columns length,width --set "max_batch=$again" --resume
check "the model is made once more, to the byte" cmp run/model.safetensors lost/model.safetensors
rm -r lost/checkpoint
expect_exit 0 "$lfm" train data.csv -o lost --columns length,width --resume
check "what cannot be compared any more is said" grep -q 'has no checkpoint any more' err
expect_json "$lfm" score run data.csv --json
expect_fields rows nll nll_se nll_standardised solver_error probe_se seconds failed nfe_mean
check "the trace is exact" grep -qF '"probe_se": null' out
cp out plain.json
expect_json "$lfm" score run data.csv --drop label --json
check "--drop gives the same" test "$(grep -o '"nll": [^,]*' out)" = "$(grep -o '"nll": [^,]*' plain.json)"
awk 'BEGIN { print "cluster"; for (i = 0; i < 400; i++) print int(i / 4) }' >group.csv
expect_json "$lfm" score run data.csv --against other --group group.csv --rows 40 -o scores.csv --json
expect_fields against_failed against_nll diff diff_se diff_low diff_high
check "forty rows were scored" grep -qF '"rows": 40,' out
check "a table of scores" grep -qx 'row,logp,status,logp_against' <(head -1 scores.csv)
check "a line for each scored row" test "$(wc -l <scores.csv)" -eq 41
expect_exit 0 "$lfm" score run data.csv --rows 40 --against other
for line in nll standardised against difference better rows 'solver error' evaluations time; do
  check "the result has $line" grep -qE "^$line  +[^ ]" out
done
check "the result fits 80 columns" awk 'length > 80 { bad = 1 } END { exit bad }' out
check "nothing was lost" bash -c "! grep -qE '^failed|both solved' out"
awk -F, '{ print NR == 1 ? $1 "," $2 : $1 * 1e-10 "," $2 * 1e-10 }' data.csv >tiny.csv
expect_exit 0 "$lfm" train tiny.csv -o tiny $quick
printf 'length,width\n1e30,0\n1,1\n1.01,1\n' >far.csv # the first row is beyond single precision in the units of tiny
expect_exit 0 "$lfm" score run far.csv --against tiny
check "what the second model alone loses is told" grep -qx 'failed         0 rows, and 1 of tiny: in neither mean' out
check "the better one is so on the rest" grep -qx 'better         run, on the rows that both solved' out
expect_json "$lfm" score tiny far.csv --against run --json
check "and which one lost it" grep -qE '"rows": 2,.*"failed": 1,.*"against_failed": 0,' out
expect_json "$lfm" score run data.csv --probes 1 --seed 2 --rows 40 --json
check "one probe knows no error" grep -qF '"probe_se": null' out
expect_json "$lfm" score run data.csv --probes 4 --rows 40 --json
check "four probes know theirs" grep -qE '"probe_se": [0-9]' out
expect_exit 0 "$lfm" score run data.csv --probes 4 --rows 40
check "the result has the probes' error" grep -qE '^probe error  +[^ ]' out
check "that fits 80 columns too" awk 'length > 80 { bad = 1 } END { exit bad }' out
expect_usage "probes" "$lfm" score run data.csv --probes 0
expect_usage "probes" "$lfm" score run data.csv --probes 1001
expect_json "$lfm" score run data.csv --group group.csv --rows 200 --json
cp out numbers.json
awk 'NR > 1 { $0 = "picture " $0 ".png" } 1' group.csv >words.csv
expect_json "$lfm" score run data.csv --group words.csv --rows 200 --json
check "clusters of words are those of numbers" test "$(grep -o '"nll_se": [^,]\{12\}' out)" = "$(grep -o '"nll_se": [^,]\{12\}' numbers.json)"
expect_exit 0 "$lfm" ledger run data.csv --group words.csv --rows 40
head -11 group.csv >short.csv
expect_refused "short.csv: has 10 clusters, the data 400 rows; one for each is needed" "$lfm" score run data.csv --group short.csv
for verb in score ledger; do
  expect_usage "--seed has no effect without --probes" "$lfm" $verb run data.csv --seed 2
done
# the disk is full when the scores are written: what was found out is printed all the same
expect_exit 1 bash -c "trap '' XFSZ; ulimit -f 4; '$lfm' score run data.csv -o lost.csv"
check "the result is printed" grep -q '^nll  ' out
check "which names no table" bash -c "! grep -q '^scores' out"
check "and the fault is" grep -q 'lost.csv: cannot be written: File too large' err
check "nothing of it is left" bash -c "! ls lost.csv* 2>ls.err"

printf '2019,2020\n' >years.csv
awk 'BEGIN { srand(3); for (i = 0; i < 60; i++) print rand() "," rand() }' >>years.csv
expect_exit 0 "$lfm" train years.csv -o years --header yes --set max_batch=2
expect_exit 0 "$lfm" sample years -n 1 -o drawn.csv
check "a row of numbers that is called a header is one" grep -qx '"2019","2020"' drawn.csv
expect_exit 0 "$lfm" score years years.csv
check "and it is one when the model is asked about the file" bash -c "! grep -q 'taken in their order' err"
expect_usage "--header" "$lfm" train years.csv -o other --header maybe
expect_exit 0 "$lfm" sample years -n 20 -o drawn.npy
expect_exit 0 "$lfm" score years drawn.npy
check "an array has no names: its columns are taken in their order" grep -q 'taken in their order' err
expect_exit 0 "$lfm" train drawn.npy -o turned --columns x1,x0 --set max_batch=2
expect_exit 0 "$lfm" sample turned -n 20 -o back.npy
expect_error "columns have no names, and those of the model are x1, x0" "$lfm" score turned back.npy
expect_exit 0 "$lfm" score turned drawn.npy --columns x1,x0
awk 'BEGIN { srand(4); for (i = 0; i < 60; i++) print rand() ",word," rand() }' >placed.csv
expect_exit 0 "$lfm" train placed.csv -o placed --drop x1 --set max_batch=2
expect_exit 0 "$lfm" score placed placed.csv # the places of some columns are no order of all

printf 'length,width\n1,1\n1,\n1.2,1.1\n,1\n1.4,1.2\n' >holes.csv
expect_exit 0 "$lfm" score run holes.csv --drop-missing -o numbered.csv
check "rows have the numbers of DATA" test "$(cut -d, -f1 numbered.csv | paste -sd' ')" = "row 1 3 5"
expect_exit 0 "$lfm" score run holes.csv --drop-missing --rows 2 -o numbered.csv
check "so they have when some are chosen" test "$(cut -d, -f1 numbered.csv | paste -sd' ')" = "row 1 3"

# beside a table with holes: a row for each that was read, or for each that is left
printf 'group\na\nb\na\nb\nb\n' >groups_read.csv && printf 'group\na\na\nb\n' >groups_left.csv
printf 'logp\n-1\n0\n-2\n0\n-3\n' >truth_read.csv && printf 'logp\n-1\n-2\n-3\n' >truth_left.csv
for verb in "score run holes.csv" "ledger run holes.csv"; do
  for kind in read left; do
    # shellcheck disable=SC2086
    expect_json "$lfm" $verb --drop-missing --group groups_$kind.csv --json
    sed "s/\"seconds\": [^,}]*//" out >"groups_$kind.json"
  done
  check "$verb: clusters go with their rows" cmp -s groups_read.json groups_left.json
done
for kind in read left; do
  expect_json "$lfm" ledger run holes.csv --drop-missing --truth "truth_$kind.csv" --json
  sed "s/\"seconds\": [^,}]*//" out >"truth_$kind.json"
done
check "so does the truth" cmp -s truth_read.json truth_left.json
(cat groups_left.csv; echo b) >groups_four.csv
expect_exit 1 "$lfm" score run holes.csv --drop-missing --group groups_four.csv
check "neither so many nor so many" grep -q "groups_four.csv: has 4 clusters .*, the data 3 rows (of 5 that were read); " err
awk 'BEGIN { for (i = 0; i <= 400; i++) print int(i / 4) }' >counted.csv # as pandas names a series without a name: 0
awk 'BEGIN { for (i = 0; i < 400; i++) print "a" int(i / 4) }' >headless.csv
expect_refused "counted.csv: has 401 clusters (its first line was taken for one), the data 400 rows; if that line is the column's name, put a letter into it" \
  "$lfm" score run data.csv --group counted.csv
expect_refused 'headless.csv: has 399 clusters (its first line, "a0", was taken for a name), the data 400 rows; if that line is a cluster, put a name above it' \
  "$lfm" score run data.csv --group headless.csv

# ---- ledger: a number a border, what each option adds, and the same nll as score
expect_json "$lfm" ledger run data.csv --json
expect_fields blocks gamma kl kl_se theory rows failed nll nll_se solver_error widest chance above_1 above_2 a1_broken \
  chi2_infinite free_block nfe_mean seconds
check "three borders, the last at noise" grep -qE '"kl": \[[^,]+, [^,]+, 0\]' out
check "the free block has no step" grep -qE '"gamma": \[null, [0-9.]+, null\]' out
check "nothing is said that was not asked" bash -c "! grep -qE 'over_fit|excess|probe_se' out"
check "nll is that of score" test "$(grep -o '"nll": [^,]\{10\}' out)" = "$(grep -o '"nll": [^,]\{10\}' plain.json)"
awk 'BEGIN { print "row,logp"; for (i = 0; i < 400; i++) printf "%d,%d\n", i + 1, -1 - i % 2 }' >truth.csv
expect_json "$lfm" ledger run data.csv --train data.csv --truth truth.csv --rows 40 --json
expect_fields train_nll train_failed over_fit over_fit_se excess excess_se true_kl true_kl_se
check "forty rows" grep -qF '"rows": 40,' out
check "rows that were learnt are no over-fit" grep -qE '"over_fit": (0|-?[0-9.]+e-1[0-9]),' out
expect_exit 0 "$lfm" ledger run data.csv --train data.csv --truth truth.csv
for line in data 'block 1' 'block 2' nll excess over-fit 'solver error' rows 'where the theory stops'; do
  check "the ledger has $line" grep -qE "^$line" out
done
check "the ledger fits 80 columns" awk 'length > 80 { bad = 1 } END { exit bad }' out
printf 'length,width\n1e100,0\n1,1\n2,1\n' >lost.csv
expect_exit 0 "$lfm" ledger run data.csv --train lost.csv
check "a training row that is lost is told" grep -qx 'failed         1 training rows, not in the over-fit: likewise' out
expect_exit 0 "$lfm" score run data.csv -o truth-of-run.csv # its own log p: cells of ten decimals
expect_exit 0 "$lfm" ledger run data.csv --truth truth-of-run.csv
check "the cells of a border are apart" grep -qE "^block 2 .* - +-?[0-9]" out
expect_json "$lfm" ledger run data.csv --group group.csv --probes 3 --seed 2 --json
expect_fields probe_se
expect_exit 0 "$lfm" ledger run data.csv --train data.csv --group group.csv --rows 40
check "an over-fit without an error says why" grep -qx 'over-fit error not known: --train has no clusters; --train-group names them' out
expect_json "$lfm" ledger run data.csv --train data.csv --group group.csv --train-group words.csv --rows 40 --json
check "with both it has one" grep -qE '"over_fit_se": [0-9]' out
expect_usage "train-group" "$lfm" ledger run data.csv --train-group group.csv
expect_error "group" "$lfm" ledger run a.csv --group group.csv
expect_error "the truth has 400 rows, the table 50" "$lfm" ledger run a.csv --truth truth.csv
expect_error "'logp'" "$lfm" ledger run data.csv --truth group.csv
expect_json "$lfm" ledger run data.csv --truth truth.csv --json
sed 's/"seconds": [^,}]*//' out >truth.json
awk '{ print (NR == 1 ? "name" : "a word") "," $0 }' truth.csv >named.csv
expect_json "$lfm" ledger run data.csv --truth named.csv --json
check "of the truth its log p alone is read" cmp -s <(sed 's/"seconds": [^,}]*//' out) truth.json
cut -d, -f1,2 named.csv >nameless.csv
expect_refused "logp" "$lfm" ledger run data.csv --truth nameless.csv
expect_error "nothing.csv" "$lfm" ledger run data.csv --train nothing.csv

# ---- push: to the noise side and back in units and decimals, beside a column of text; borders by number
expect_json "$lfm" push run data.csv -o noise.csv --tol 1e-7 --json
expect_fields rows columns border blocks back nfe_mean seconds
check "the noise side is the default" grep -qF '"columns": 2, "border": 2, "blocks": 2, "back": false' out
check "the columns of a border" grep -qx 'x0,x1' <(head -1 noise.csv)
expect_exit 0 "$lfm" push run noise.csv --back -o again.csv --tol 1e-7
check "the result says from where" grep -qx 'from          border 2 of 2 (noise side)' out
check "every row came back, but the label" awk -F, 'NR == FNR { a[FNR] = $1; b[FNR] = $2; n = FNR; next }
  FNR > 1 && ($1 - a[FNR] > 2e-4 || a[FNR] - $1 > 2e-4 || $2 - b[FNR] > 2e-4 || b[FNR] - $2 > 2e-4) { bad = 1 }
  END { exit bad || FNR != n || n != 401 }' data.csv again.csv
check "names are those of the data" grep -qx 'length,width' <(head -1 again.csv)
check "decimals are those of the data" grep -qE '^-?[0-9]+\.[0-9]{4},-?[0-9]+\.[0-9]{4}$' <(sed -n 2p again.csv)
expect_exit 0 "$lfm" push run data.csv --to 1 -o border.npy --nfe 40
expect_exit 0 "$lfm" push run border.npy --to 1 --back -o from.csv --nfe 40
check "as many rows from border 1" test "$(wc -l <from.csv)" -eq 401
expect_usage "border 3 does not exist" "$lfm" push run data.csv --to 3 -o x.csv
expect_usage "border 3 does not exist" "$lfm" push run noise.csv --to 3 --back -o x.csv
expect_error "label" "$lfm" push run data.csv --back -o x.csv
expect_error "a border of the model has 2 columns" "$lfm" push run scores.csv --drop row --back -o x.csv
mkdir folder.csv
expect_error "folder.csv" "$lfm" push run data.csv -o folder.csv
check "a refused push writes nothing" test ! -e x.csv
expect_exit 0 "$lfm" push run holes.csv --drop-missing -o kept.csv
check "what is left out has no row" test "$(wc -l <kept.csv)" -eq 4
check "and that is said" grep -q 'left out 2 of 5 rows' err
expect_exit 0 "$lfm" push --help
check "and in the help" bash -c "tr -s ' \n' ' ' <out | grep -qF 'not counting those that --drop-missing leaves out'"
check "which says how pictures are written" bash -c "tr -s ' \n' ' ' <out | grep -qF 'pictures, with --back: .png'"
printf 'length,width\n1,\n1,1\n1e100,1\n' >far.csv
run "$lfm" push run far.csv --drop-missing -o x.csv
check "a row that fails has its number in DATA" grep -q 'row 3: its solve failed; leave the row out' err

# ---- plan: of numbers, the published example; of a model, by its own rows or by data
example="--variances 0.2,1.4,6 --hks .1,.15,.225,.3375,free"
expect_json "$lfm" plan $example --steps 4 --json
expect_fields blocks steps s best error bound variance strategies vanilla boot consistency progressive even plan
check "the published best" grep -qF '"best": "1 | (2 3) | 4 | 5"' out
check "it is proved" test "$(grep -o '"error": [^,]*' out | head -1)" = "\"error\": $(sed 's/.*"bound": \([^,]*\).*/\1/' out)"
expect_exit 0 "$lfm" plan $example --steps 1 --plan '(1 (2 (3 (4 5))))'
for line in best vanilla boot consistency progressive even given; do
  check "the table has $line" grep -qE "^$line  +[0-9.e-]+ +[0-9.e-]+ %   \(" out
done
check "boot is what was given" test "$(awk '$1 == "boot" { print $2 }' out)" = "$(awk '$1 == "given" { print $2 }' out)"
expect_json "$lfm" plan run --steps 1 --threads 1 --json
check "the model has two blocks" grep -qF '"blocks": 2, "steps": 1' out
cp out drawn.json
expect_exit 0 "$lfm" plan run --steps 1 --threads 2 --json
check "drawn rows are the same for any threads" cmp -s out drawn.json
expect_json "$lfm" plan run --steps 1 --data data.csv --json
check "the variance of two standardised columns" grep -qE '"variance": 2\.0' out
expect_error "nothing.csv" "$lfm" plan run --steps 1 --data nothing.csv
expect_usage "--seed: is of rows that the model draws" "$lfm" plan run --steps 1 --data data.csv --seed 3

# ---- export and import: the same log p to the last digit, and a fault names its tensor
expect_json "$lfm" export run -o weights.safetensors --json
expect_fields weights blocks
cp weights.safetensors kept.safetensors
echo old >weights.safetensors
expect_exit 0 "$lfm" export run -o weights.safetensors
check "an older file gives way" cmp -s weights.safetensors kept.safetensors
expect_usage ".safetensors" "$lfm" export run -o weights.bin
expect_refused "other/model.safetensors: is the model of a run" "$lfm" export run -o other/model.safetensors
mkdir -p plain && cp run/config.yaml plain/
expect_exit 0 "$lfm" import weights.safetensors --config plain/config.yaml -o plain/model.safetensors # which is no run
expect_error "no folder nowhere" "$lfm" export run -o nowhere/w.safetensors
expect_error "not an lfm model" "$lfm" score weights.safetensors data.csv
expect_json "$lfm" import weights.safetensors --config run/config.yaml -o again.safetensors --columns length,width --json
expect_fields model columns blocks
for model in run again.safetensors; do expect_exit 0 "$lfm" score "$model" data.csv -o "${model%.*}.scores.csv"; done
check "log p is the same" cmp -s run.scores.csv again.scores.csv
expect_exit 0 "$lfm" sample again.safetensors -n 5 -o d.csv
check "columns have the names that were given" grep -qx 'length,width' <(head -1 d.csv)

# ---- what is read is never replaced, under whatever name
cp again.safetensors kept.safetensors
cp data.csv kept.csv
ln -s again.safetensors link.safetensors
echo >groups.csv
cp -r run copy
expect_usage "would be lost" "$lfm" export again.safetensors -o link.safetensors
expect_usage "would be lost" "$lfm" export copy -o copy/model.safetensors
expect_usage "would be lost" "$lfm" import again.safetensors --config run/config.yaml -o ./again.safetensors
expect_usage "would be lost" "$lfm" score run data.csv -o ./data.csv
expect_usage "would be lost" "$lfm" score run data.csv --group groups.csv -o groups.csv
expect_usage "would be lost" "$lfm" push run data.csv -o data.csv
expect_usage "would be lost" "$lfm" guard copy data.csv -o copy/model.safetensors
check "model and data are what they were" cmp -s again.safetensors kept.safetensors
check "the run's model is what it was" cmp -s copy/model.safetensors run/model.safetensors
check "the data are what they were" cmp -s data.csv kept.csv
expect_exit 0 "$lfm" sample run -n 3 -o all.npz::a
expect_usage "would be lost" "$lfm" push run all.npz::a -o all.npz::b
cp all.npz kept.npz
expect_refused "the file holds a, which would be lost" "$lfm" sample run -n 3 -o all.npz::b
check "the archive is what it was" cmp -s all.npz kept.npz
expect_exit 0 "$lfm" sample run -n 3 -o old.csv
cp old.csv kept.csv
echo old >old.csv
expect_exit 0 "$lfm" sample run -n 3 -o old.csv
check "an older table gives way" cmp -s old.csv kept.csv

printf 'hidden_dim: 32\nnum_hidden: 1\nact: silu\nhks: [0.1, null]\n' >wide.yaml
expect_error "tensor 'blocks.0.net.0.weight' is F32 [16, 131], expected F32 [32, 3]" \
  "$lfm" import weights.safetensors --config wide.yaml -o x.safetensors
printf 'hiden_dim: 16\n' >typo.yaml
expect_usage "did you mean 'hidden_dim'?" "$lfm" import weights.safetensors --config typo.yaml -o x.safetensors
expect_usage "columns" "$lfm" import weights.safetensors --config run/config.yaml -o x.safetensors --columns length
expect_error "data.csv" "$lfm" import data.csv --config run/config.yaml -o x.safetensors
check "a refused import writes nothing" test ! -e x.safetensors

# ---- info, and where output goes
expect_exit 0 "$lfm" info run/model.safetensors
check "info names the columns" grep -q width out
for file in run/model.safetensors run a.csv data.csv; do
  expect_exit 0 "$lfm" info "$file"
  expect_exit 0 "$lfm" info --json "$file"
  if command -v python3 >/dev/null; then check "info --json $file is JSON" python3 -m json.tool out /dev/null; fi
done
for line in "info run" "export run -o w.safetensors" "import weights.safetensors --config run/config.yaml -o w.safetensors" \
  "bench latency --model run -r 1"; do # verbs without progress
  expect_exit 0 env LFM_KERNELS=none "$lfm" $line
  check "lfm ${line%% *} passes on what the library says" grep -q '^warning: LFM_KERNELS: there are no kernels none' err
done
for verb in "--help" "info run" "sample run -n 2 -o d.csv --json" "push run data.csv -o d.csv"; do
  expect_exit 1 bash -c "'$lfm' $verb >/dev/full"
  check "a full disk is named" grep -q 'cannot write to standard output' err
  expect_exit 1 bash -c "'$lfm' $verb >&-"
done
expect_exit 0 bash -c "'$lfm' sample run -n 2 -o e.csv 2>&-"
check "a closed standard error is no table" test "$(wc -l <e.csv)" -eq 3

# ---- what may not be read is not missing
mkdir -p closed/run shut pictures/closed && cp run/model.safetensors closed/run && cp run/model.safetensors shut
chmod 755 "$work" && chmod 0 closed pictures/closed shut/model.safetensors
if as_nobody "$lfm" --version >as_nobody 2>&1; then
  for line in "info closed" "sample closed -n 1 -o /dev/null" "info closed/run" "sample closed/run -n 1 -o x.csv" "info shut" \
    "sample shut -n 1 -o x.csv" "train closed -o x" "train closed/run -o x" "info pictures" "train pictures -o x"; do
    expect_refused "Permission denied" as_nobody "$lfm" $line
  done
fi
chmod 700 "$work" closed pictures/closed

# ---- what makes a density mean little is said once by training, and by scoring
awk 'BEGIN { print "cm,kg,inch"; srand(6); for (i = 0; i < 300; i++) {
  row = sprintf("%.2f,%.2f,", 150 + 50 * (c = rand()), 50 + 50 * rand()); row = row sprintf("%.3f", (150 + 50 * c) / 2.54)
  print row; if (i % 10 == 0) print row } }' >twice.csv
expect_exit 0 "$lfm" train twice.csv -o twice $quick
check "copies are told once" test "$(grep -c '^warning: 30 of 330 rows .* held-out rows have been seen' err)" -eq 1
check "and columns that follow from others" test "$(grep -c '^warning: 1 column is a linear function.*"inch" (of "cm")' err)" -eq 1
awk -F, 'NR == 122 { $1 = "1e300" } 1' OFS=, twice.csv >huge.csv
expect_refused 'row 121, column "cm": 1e+300 is too large' "$lfm" train huge.csv -o new $quick
expect_exit 0 "$lfm" score twice twice.csv
check "scoring tells copies" grep -q '^warning: 30 of 330 rows .* standard error .*--group' err
check "and columns" grep -q '^warning: 1 column is a linear function.*"inch" (of "cm")' err

# ---- samples look like the data: whole numbers whole, prices with cents, and no digits that single precision has not
awk 'BEGIN { print "age,\"price, net\",ratio,visits"; srand(6)
  for (i = 0; i < 400; i++) printf "%d,%.2f,%.17f,%d.0\n", 20 + 50 * rand(), 100 * rand(), rand(), 1000 * rand() }' >mixed.csv
expect_exit 0 "$lfm" train mixed.csv -o mixed $quick
expect_exit 0 "$lfm" sample mixed -n 50 -o f.csv
check "the header is the data's" cmp -s <(head -1 mixed.csv) <(head -1 f.csv)
check "and so are the numbers" test "$(tail -n +2 f.csv | grep -cE '^-?[0-9]+,-?[0-9]+\.[0-9]{2},-?[0-9]\.[0-9]{9},-?[0-9]+$')" -eq 50
expect_exit 0 "$lfm" export mixed -o mixed.safetensors
expect_exit 0 "$lfm" import mixed.safetensors --config mixed/config.yaml -o m.safetensors
expect_exit 0 "$lfm" sample m.safetensors -n 50 -o g.csv
check "through an export, too" cmp -s f.csv g.csv

# ---- a table whose columns do not fit exits with 1, a column that the line names wrongly with 2, whatever the verb
awk 'BEGIN { print "length,other"; for (i = 0; i < 50; i++) print i ",1" }' >some.csv
awk 'BEGIN { print "a,b,c"; for (i = 0; i < 50; i++) print i ",1,2" }' >three.csv
awk 'BEGIN { print "length,other,label"; for (i = 0; i < 50; i++) print i ",1,g" }' >words.csv
while read -r table missing; do
  expect_refused "$missing" "$lfm" score run $table
  expect_refused "$missing" "$lfm" ledger run $table
  expect_refused "$missing" "$lfm" ledger run data.csv --train $table
  expect_refused "$missing" "$lfm" push run $table -o x.csv
done <<<"some.csv width
three.csv length
words.csv width"
expect_refused "the training table: " "$lfm" ledger run data.csv --train three.csv
expect_refused "x0" "$lfm" push run words.csv --back -o x.csv
expect_refused "some.csv: the model has 3 columns, the table 2" "$lfm" sweep run/config.yaml three.csv --test some.csv -o grid
awk 'BEGIN { print "length,width"; for (i = 0; i < 50; i++) print i / 7 "," i % 3 }' >few.csv
expect_refused "the validation table has 3" "$lfm" train few.csv --valid three.csv -o new $quick
expect_exit 1 "$lfm" train few.csv --valid some.csv -o new $quick
check "says which table has no width" grep -q "^lfm train: the validation table: .* 'width'" err
expect_refused "some.csv: has 2 columns" "$lfm" score run data.csv --group some.csv
expect_refused "some.csv: has 2 columns" "$lfm" ledger run data.csv --group some.csv
for line in "score run" "ledger run" "push run -o x.csv" "train -o new" "sweep run/config.yaml -o grid"; do
  expect_usage 'has no column "widht"' "$lfm" $line data.csv --columns length,widht
done
check "a refused table leaves no run" test ! -e new

# ---- stop and go on: the signal is sent once the first line of progress says that training has begun
# stop SIGNALS RUN: a training that would take days gets it; env, because whoever runs this test may ignore SIGHUP
stop() {
  : >err # what another run said is not this one's
  env --default-signal=HUP,TERM "$lfm" train data.csv -o "$2" --drop label --set hidden_dim=64 \
    --set max_batch=100000000 --threads 1 >out 2>err </dev/null &
  local training=$! signal
  until grep -q 'block 1/' err || ! kill -0 "$training" 2>kill.err; do sleep 0.1; done
  for signal in $1; do kill "-$signal" "$training"; done
  code=0
  wait "$training" || code=$?
  check "a run stopped by $1 exits with 1" test "$code" -eq 1
}
stop "HUP HUP" hung # by the terminal that closes, and by the shell in it
check "a closed terminal leaves a checkpoint" test -e hung/checkpoint
stop TERM "it's long"
check "says how to go on" grep -qF -- "-o 'it'\\''s long' --drop label" err
check "with --resume" grep -qE -- '^to go on: .* --resume$' err
check "a checkpoint is there" test -e "it's long/checkpoint"

finish
