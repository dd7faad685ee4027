#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# test_sweep.sh -- lfm sweep: every combination and seed is trained, each in a folder that says so; the table is what the
# runs' own result.json say; a sweep that was killed or stopped goes on to the same table and the same models; what is
# mistyped is refused before the first training; a second sweep is told who has the machine.
#
# lib.sh sets lfm, work and code, and calls the helpers:
# shellcheck disable=SC2154,SC2317,SC2016
# shellcheck source=tests/program/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/program/pictures.sh
. "$(dirname "$0")/pictures.sh"
cd "$work" || exit 1

awk 'BEGIN { srand(7); print "x,y"; for (i = 0; i < 400; i++) { x = rand() + rand() - 1; printf "%.5f,%.5f\n", x, x * x + rand() / 4 } }' >all.csv
head -301 all.csv >data.csv
{ head -1 all.csv; tail -100 all.csv; } >test.csv
cat >base.yaml <<'END'
hidden_dim: 16
num_hidden: 2
batch_size: 64
max_batch: 24
checkpoint_every: 9
valid_every: 10
END
validated=("$lfm" sweep base.yaml data.csv --seeds 1..2 --threads 1 --over 'lr=1e-3,1e-2' --over 'hks=[0.1, null],[null]')
sweep=("${validated[@]}" --test test.csv)

# ---- undisturbed: four combinations, two seeds
expect_exit 0 "${sweep[@]}" -o grid
cp out printed.md
for name in lr=1e-3,hks=0.1_null lr=1e-3,hks=null lr=1e-2,hks=0.1_null lr=1e-2,hks=null; do
  for seed in 1 2; do
    check "a finished run in $name,seed=$seed" test -e "grid/$name,seed=$seed/result.json"
  done
done
check "and no other runs" test "$(find grid -mindepth 1 -maxdepth 1 -type d | wc -l)" -eq 8
check "the values went in" grep -qE '^lr: 0.01$' "grid/lr=1e-2,hks=null,seed=2/config.yaml"
check "the seed went in" grep -q '^seed: 2$' "grid/lr=1e-2,hks=null,seed=2/config.yaml"
check "the table is printed and kept" cmp -s printed.md grid/sweep.md
check "a line a combination" test "$(grep -c '^| `' printed.md)" -eq 4
check "a line a combination in CSV" test "$(wc -l <grid/sweep.csv)" -eq 5
check "a line a run" test "$(wc -l <grid/runs.csv)" -eq 9
check "no *.partial left" test -z "$(find grid -name '*.partial')"

# A run is what lfm train makes of the same keys, and its nll what lfm score says.
expect_exit 0 "$lfm" train data.csv -o alone --config base.yaml --set lr=1e-2 --set 'hks=[null]' --seed 2 --threads 1
check "the same model as lfm train's" cmp -s alone/model.safetensors "grid/lr=1e-2,hks=null,seed=2/model.safetensors"
expect_json "$lfm" score alone test.csv --json
check "the same nll as lfm score's" awk -v nll="$(sed -E 's/.*"nll": ([^,]*),.*/\1/' out)" -F, '
  /^"lr=1e-2,hks=null,seed=2"/ { n = split($0, f, ","); d = f[n - 6] - nll; found = d < 1e-9 && d > -1e-9 } END { exit !found }' grid/runs.csv

# ---- the numbers, from the runs' own result.json: without --test it is their valid_nll
ln -s ../elsewhere grid/sweep.md.partial
expect_exit 0 "${validated[@]}" -o grid
check "a link in the place of the partial file is not written through" test ! -e elsewhere
check "nothing was trained again" bash -c "! grep -q block err"
recompute() { # the table of values, as sweep.csv has it, from result.json alone
  local k=0 name seed
  for name in lr=1e-3,hks=0.1_null lr=1e-3,hks=null lr=1e-2,hks=0.1_null lr=1e-2,hks=null; do
    for seed in 1 2; do
      sed -E "s/.*\"valid_nll\": *([^,}]*).*/$k $seed \1/; t; d" <(tr -d '\n' <"grid/$name,seed=$seed/result.json")
    echo; done
    k=$((k + 1))
  done | awk 'NF { v[$1, $2] = $3 } END { for (k = 0; k < 4; k++) {
    m = (v[k, 1] + v[k, 2]) / 2; d1 = v[k, 1] - v[0, 1]; d2 = v[k, 2] - v[0, 2]; d = (d1 + d2) / 2
    sd = sqrt((v[k, 1] - m) ^ 2 + (v[k, 2] - m) ^ 2); se = sqrt(((d1 - d) ^ 2 + (d2 - d) ^ 2) / 2)
    printf "2,0,%.12g,%.12g,2,%.12g,%.12g\n", m, sd, d, se } }'
}
recompute >expected
tail -n +2 grid/sweep.csv | sed -E 's/^("[^"]*",)*//' >shown
check "four lines were recomputed" test "$(grep -c '^2,0,[-0-9]' expected)" -eq 4
check "the table is what result.json say" awk -F, 'NR == FNR { for (i = 1; i <= 7; i++) e[FNR, i] = $i; next }
  { for (i = 1; i <= 7; i++) { d = $i - e[FNR, i]; if (d > 1e-9 || d < -1e-9) bad = 1 } if (NF != 7) bad = 1 } END { exit bad || FNR != 4 }' expected shown
expect_json "${validated[@]}" -o grid --json
expect_fields scored_on combinations n failed nll sd pairs difference difference_se
check "the JSON names the combinations" grep -qF '"lr=1e-2,hks=0.1_null"' out

# ---- killed at several moments, and resumed: the same models and the same table
expect_exit 0 "${sweep[@]}" -o grid # back to the test rows
goes_on() {
  expect_exit 0 "${sweep[@]}" -o killed
  check "$1: another table" cmp -s grid/sweep.csv killed/sweep.csv
  check "$1: another printed table" cmp -s printed.md out
  local run
  for run in grid/*/; do
    check "$1: another model in $run" cmp -s "$run/model.safetensors" "killed/$(basename "$run")/model.safetensors"
  done
}
for moment in 'lr=1e-3,hks=0.1_null,seed=1/checkpoint/state.safetensors' 'lr=1e-2,hks=0.1_null,seed=1/metrics.jsonl' \
  'lr=1e-3,hks=null,seed=2/config.yaml'; do
  rm -rf killed
  "${sweep[@]}" -o killed >out 2>err </dev/null &
  victim=$!
  until [ -e "killed/$moment" ] || ! kill -0 "$victim" 2>kill.err; do sleep 0.01; done
  kill -9 "$victim" 2>kill.err
  wait "$victim" 2>kill.err || true
  goes_on "killed at $moment"
done

# ---- stopped, while a second one asks for the machine
"$lfm" sweep base.yaml data.csv -o "it's long" --seeds 4 --threads 1 --set hks='[null]' --set max_batch=100000000 >out2 2>err2 </dev/null &
long=$!
until grep -q 'block 1/' err2 || ! kill -0 "$long" 2>kill.err; do sleep 0.1; done
expect_error "another long run has this machine (process $long, since" "${sweep[@]}" -o second
check "it is told which command line" grep -qF "sweep base.yaml data.csv -o 'it'\\''s long'" err
check "a second sweep exits with 1" test "$code" -eq 1
check "and has made nothing" test ! -e second
expect_error "another long run has this machine (process $long, since" "$lfm" bench peak -r 1
expect_exit 0 "$lfm" ledger alone test.csv # short work takes no lock
kill -TERM "$long"
code=0
wait "$long" || code=$?
cp out2 out; cp err2 err
check "a stopped sweep exits with 1" test "$code" -eq 1
check "says how to go on" grep -qE "^to go on: .*sweep base.yaml data.csv -o 'it'.*max_batch=100000000\$" err
check "has a checkpoint" test -e "it's long/seed=4/checkpoint/state.safetensors"
expect_exit 0 "$lfm" info "it's long" # before its first table
check "its run is told" grep -qxE ' +seed=4 +run not finished' out
expect_exit 0 "${sweep[@]}" -o grid # the lock went with its holder
expect_exit 0 env XDG_RUNTIME_DIR="$work/nowhere" TMPDIR="$work" "${sweep[@]}" -o grid
check "without a runtime folder, in the temporary one" test -s "lfm-$(id -u).lock"
rm "lfm-$(id -u).lock"
expect_exit 0 env -u XDG_RUNTIME_DIR TMPDIR="$work" "${sweep[@]}" -o grid
check "also where none is named" test -s "lfm-$(id -u).lock"
ln -sf "$work/data.csv" "lfm-$(id -u).lock"
expect_exit 1 env -u XDG_RUNTIME_DIR TMPDIR="$work" "${sweep[@]}" -o grid
check "a link is not followed" grep -q '^x,y$' data.csv
check "a lock that cannot be is named" grep -qE 'lfm-[0-9]+\.lock: cannot be opened as the lock' err

# ---- a run that breaks down does not take the others with it
expect_exit 1 "$lfm" sweep base.yaml data.csv -o broken --seeds 1..2 --threads 1 --set num_hidden=8 --set act=silu --set ema_decay=.999 --over lr=1e-3,10
check "the failure is told" grep -qE '^this run failed: ' err
check "and counted" grep -qF '2 of 4 runs failed' err
check "the other runs are in the table" grep -qE '^"1e-3",2,0,[-0-9.]+,' broken/sweep.csv
check "a combination without a run is empty" grep -qx '"10",0,2,,,0,,' broken/sweep.csv
check "and its failures are counted in the table" grep -qF '| `10` | 0 (2 failed) |' broken/sweep.md

# nor one whose seed holds out the only row that is like it
awk 'BEGIN { srand(7); print "x,flag"; for (i = 0; i < 400; i++) printf "%.5f,%d\n", rand(), i == 123 }' >rare.csv
expect_exit 1 "$lfm" sweep base.yaml rare.csv -o rare --seeds 1..3 --threads 1
check "the row is named" grep -q "^this run failed: row 124: column 'flag'" err
check "the others are in the table" grep -qF '| 2 (1 failed) |' rare/sweep.md
expect_usage "rare: is the folder of a sweep; data are due here" "$lfm" train rare -o refused
expect_refused "rare: is the folder of a sweep; a model is one of its runs, as seed=" "$lfm" sample rare -n 1 -o refused.csv
expect_exit 0 "$lfm" info rare
check "info says what it is" grep -qxE 'kind +sweep' out
check "and how many of its runs are finished" grep -qxE 'finished +2' out
cp rare/sweep.csv kept.csv
sed -i '$d' rare.csv
expect_exit 1 "$lfm" sweep base.yaml rare.csv -o rare --seeds 1..3 --threads 1
check "other rows end a sweep" grep -q "^lfm sweep: .*was trained on other rows than these" err
check "the table of a sweep whose rows are others is left alone" cmp -s rare/sweep.csv kept.csv

# ---- a folder of somebody's
mkdir mine && echo "my results" >mine/runs.csv
expect_error "mine: holds a table, which is of no sweep; name a new folder" "${sweep[@]}" -o mine
mkdir notes && touch notes/read.me
expect_error "notes: holds read.me, which is of no sweep" "${sweep[@]}" -o notes
check "nothing was written over" grep -q "my results" mine/runs.csv
touch grid/notes.txt grid/.hidden # beside runs they are nobody's business
expect_exit 0 "${sweep[@]}" -o grid
awk 'NR > 1 { $0 = "1e60,1e60" } 1' data.csv >far.csv # a sweep of which nothing is left but its tables goes on, too
for i in 1 2; do
  expect_exit 1 "$lfm" sweep base.yaml data.csv -o lost --valid far.csv --seeds 1 --threads 1 --set lr=10 --set num_hidden=8
  rm -rf lost/seed=1
done
check "its tables are its own" bash -c "! grep -q 'of no sweep' err"

# ---- refused before the first training
refused() { expect_usage "$1" "$lfm" sweep base.yaml data.csv -o refused "${@:2}"; }
refused "did you mean 'hidden_dim'?" --over hiden_dim=8,16
refused "--over: lr: 'fast' is not a number" --over lr=1e-3,fast
refused "--set: lr: 'fast' is not a number" --over hidden_dim=8,16 --set lr=fast
refused "hks and schedule are both given" --over 'hks=[null]' --over schedule.blocks=2,3
refused "max_batch lists 3 numbers" --over 'hks=[0.1,null],[0.1,0.2,null]' --set 'max_batch=[10,10,10]'
refused "write key=a,b" --over lr
refused "write key=a,b" --over =3
refused "a value is missing" --over lr=
refused "a value is missing" --over lr=1e-3,,1e-2
refused "a value is missing" --over lr=1e-3,
refused "has no partner" --over 'hks=[0.1,null'
refused "has no partner" --over 'hks=0.1]'
refused "write key=a,b" --over ' = 3'
refused "use --seeds" --over seed=1,2
refused "use --seeds" --over ' seed =1,2'
refused "is there twice" --over lr=1e-3 --over lr=1e-2
refused "is there twice" --over lr=1e-3 --over 'lr = 1e-2'
refused "would share the folder" --over 'hks=[null],[ null ]'
refused "are the same" --over lr=1e-3,0.001
for seeds in x -1 1.. ..3 1..x 3..1 '1,,2' '1,2,' 1,1 1..3,2 0..5000 18446744073709551616; do
  refused "--seeds" --seeds "$seeds"
done
refused "more than 1000 runs" --seeds 1..300 --over lr=1e-3,1e-2,1e-1,1
refused "--seeds: seed: '9007199254740993' is not" --seeds 1,9007199254740993
refused "network: unet is for pictures" --over network=mlp,unet
refused "are learnt from a teacher" --over objective=flow,residual
for test in "" "--test test.csv"; do
  # shellcheck disable=SC2086 # two words, or none
  refused "objective=meanflow: the model has no log p" --over objective=flow,meanflow --set pool=ou $test
done
refused "lfm sweep: the model has no log p" --set objective=meanflow --set 'hks=[null]'
refused "--over and --set both give lr" --over lr=1e-3,1e-2 --set lr=1e-4
refused "--over and --set both give lr" --over 'lr =1e-3,1e-2' --set 'lr = 1e-4'
refused "--set seed: use --seeds" --set seed=3
refused "--over image_size: the pictures are read once" --over image_size=8,16
sed '1s/y/why/' test.csv >renamed.csv
expect_error "renamed.csv: the table has some columns of the model, but none called 'y'" \
  "$lfm" sweep base.yaml data.csv -o refused --test renamed.csv
check "and nothing was made" test ! -e refused
sed '1s/$/,still/; 2,$s/$/,2/' data.csv >still.csv
sed '1s/$/,still/; 2,$s/$/,3/' data.csv >moved.csv
expect_error "moved.csv: row 1: column 'still' is 3, but was always 2" "$lfm" sweep base.yaml still.csv -o refused --test moved.csv
expect_error "nothing.yaml" "$lfm" sweep nothing.yaml data.csv -o refused
expect_error "nothing.yml" "$lfm" sweep nothing.yml data.csv -o refused
expect_error "nowhere/base" "$lfm" sweep nowhere/base data.csv -o refused
expect_usage "unknown preset 'tree@X'; there are, nearest first: tree@A" "$lfm" sweep tree@X data.csv -o refused
expect_usage "unknown preset 'fashon'; there are, nearest first: fashion" "$lfm" sweep fashon data.csv -o refused
expect_error "nothing.csv" "$lfm" sweep base.yaml nothing.csv -o refused
refused "exclude each other" --drop x --columns y
awk -F, '{ print $1 }' test.csv >narrow.csv
expect_refused "narrow.csv: the model has 2 columns, the table 1" "$lfm" sweep base.yaml data.csv --test narrow.csv -o refused
mkdir run && touch run/model.safetensors
expect_refused "is itself a run" "$lfm" sweep base.yaml data.csv -o run --seeds 1
expect_usage "bf16" "$lfm" sweep base.yaml data.csv -o refused --over cat_t=first,all --set precision=bf16
check "nothing was made by a refused line" test ! -e refused
expect_exit 2 "${sweep[@]}" -o grid --set hidden_dim=8
check "a folder of other runs is refused" grep -qF 'hidden_dim: the run was begun with 16, not 8' err
expect_error "File exists" "${sweep[@]}" -o data.csv

# ---- a preset as CONFIG, and one seed without --over
expect_exit 0 "$lfm" sweep tree@B data.csv -o preset --seeds 5 --threads 1 --set max_batch=3 --set batch_size=32 --set hidden_dim=8
check "one run" test -e preset/seed=5/result.json
check "no difference to compare" bash -c "! grep -q difference out"
check "a line" grep -qE '^\| 1 \| [-0-9.]+ \|  \|$' out
pictures drawn 40 4
of_pictures=("$lfm" sweep fashion drawn-images-idx3-ubyte -o of-pictures --seeds 5 --threads 1 --set max_batch=1)
expect_usage "the model has no log p" "${of_pictures[@]}"
expect_exit 0 "${of_pictures[@]}" --set dequantise=uniform
check "which have a log p" grep -qE '^\| 1 \| [-0-9.]+ \|  \|$' out
check "a preset of pictures" grep -q '^network: unet$' of-pictures/seed=5/config.yaml
cp base.yaml fashion
expect_exit 0 "$lfm" sweep fashion data.csv -o of-rows --seeds 5 --threads 1
check "a file by the name of a preset comes before it" grep -q '^hidden_dim: 16$' of-rows/seed=5/config.yaml
finish
