#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# test_evidence.sh -- the scripts of bench/ on tables and budgets so small that their numbers mean nothing: each ends with its
# table, spends on a chain's twins what the chain spent, and does nothing twice; kit compares by hand-made numbers.
#
# shellcheck disable=SC2154,SC2317,SC2016
# shellcheck source=tests/program/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pictures.sh"
here=$(cd "$(dirname "$0")/../.." && pwd)
build=$(dirname "$lfm")
kit=$build/kit
[ -x "$kit" ] || exit 77
cd "$work" || exit 1
export KEYS="hidden_dim=8 num_hidden=2 batch_size=32 max_batch=12" ROWS=20

# ---- kit compare: two recipes, one with two runs; the second is worse by 0, 0, 2, 2 nats
scores() { awk -v v="$2" 'BEGIN { print "row,logp,status"; n = split(v, f, " "); for (i = 1; i <= n; i++) print 2 * i "," f[i] ",0" }' >"$1.csv"; }
scores a "-1 -2 -3 -4"
scores b1 "-1 -2 -4 -5"
scores b2 "-1 -2 -6 -7"
scores short "-1 -2"
scores holes "-1 -2 -3 -4"
sed -i "s/^4,.*/4,,1/" holes.csv # as lfm score leaves a row whose solve failed
printf '%s\n' picture sky sky sky sky sea sea sea sea >clusters.csv
expect_exit 0 "$kit" compare . a=a,a "two runs=b1,b2" --md --group clusters.csv
check "the first" grep -qF '| a | 2.500 ±' out
check "a mean over runs, its difference with an error over two clusters, and each run" \
  grep -qE '^\| two runs \| 3\.500 ± [0-9.]+ \| 3\.000 / 4\.000 \| \+1\.000 \(-11\.7[0-9]+ to 13\.7[0-9]+\) \| \+0\.500 / \+1\.500 \|$' out
expect_exit 0 "$kit" compare . a b2
check "without clusters the interval is narrower" grep -qE '^b2 .*\+1\.500 \(-1\.2[0-9]+ to \+4\.2[0-9]+\)$' out
expect_exit 1 "$kit" compare . a short
check "other rows are named" grep -q 'short.csv: scores other rows' err
expect_exit 0 "$kit" compare . a holes --md
check "a row that one model failed on is nobody's" grep -q '^1 of 4 rows are left out' out
check "and is not counted" grep -qF '| 3 rows |' out
scores lost "-1 -2 -3 -5000"
expect_exit 0 "$kit" compare . a lost --md --group clusters.csv
check "a row that one model loses is counted" grep -q '^lost loses 1 of 4 rows: over 1000 nats' out
check "and stays in the first table" grep -qF '| lost | 1251.500 ±' out
check "but not in the second" grep -qE '^\| lost \| 2\.000 ± .*\| \+0\.000' out

# ---- the manners of kit
expect_exit 2 "$kit"
check "the manual on standard error" grep -q '^usage: kit ACT' err
expect_exit 0 "$kit" --help
check "the manual fits 80 columns, but for a usage" test "$(grep -cE '^.{85}' out)" -eq 0
for act in magic power tree gaussian mixture picture truth rivals compare quality episodes gap tell-apart panel pairs curves; do
  check "help tells of $act" awk -v act="$act" '{ sub(/^  gaussian FOLDER, /, "  gaussian FOLDER\n  ") }
    index("\n" $0, "\n  " act " ") && (/   +[a-zA-Z]/ || (getline > 0 && /^          +[a-zA-Z]/)) { found = 1 } END { exit !found }' out
done
expect_usage "rivls: no such act" "$kit" rivls data
expect_usage "gap: no such act, or not with so many words" "$kit" gap data
expect_usage "compare: too many or too few words" "$kit" compare .
expect_usage "rivals: --row is no option of it" "$kit" rivals data --row 5
expect_usage "compare: --group is no option of it, or its value is missing" "$kit" compare . a b1 --group
expect_usage "tree: --rows is no option of it" "$kit" tree data --rows 5
for line in --help "compare . a b1"; do
  expect_exit 1 bash -c "'$kit' $line >/dev/full"
  check "kit $line: a full disk is named" grep -qx 'kit: cannot write to standard output: No space left on device' err
done
for number in abc 5x -1 0 "" 99999999999; do
  expect_usage "--rows '$number': not a whole number from 1" "$kit" rivals data --rows "$number"
done
expect_usage "--components K is missing" "$kit" rivals a.csv b1.csv data
expect_usage "are of TRAIN TEST FOLDER" "$kit" rivals data --components 3

# ---- kit gap: a model that loses 0, 1, 1, 2 nats
scores truth "-1 -1 -2 -2"
expect_exit 0 "$kit" gap . a
check "nats lost, their interval, root mean square and worst" \
  grep -qE '^a +gap to the truth 1\.0000 \+- 0\.4082 nats \(95 %: -0\.29[0-9]+ to 2\.29[0-9]+\), row RMS 1\.2247, worst row 2\.0$' out
expect_exit 1 "$kit" gap . short
check "another number of rows is an error" grep -q 'short.csv and truth.csv have different rows' err

# ---- a folder of data
mkdir data
for part in train valid test; do
  awk -v seed="$part" 'BEGIN { srand(length(seed)); print "x,y,z"
    for (i = 0; i < 300; i++) { a = rand() + rand() - 1; print a "," a * a + rand() / 4 "," rand() } }' >"data/$part.csv"
done
expect_exit 0 "$kit" rivals data/train.csv data/test.csv rivals --components 3 --iterations 5 --fit-rows 200 --rows 50
check "the rows are those that lfm score takes" test "$(cut -d, -f1 rivals/mixture.csv | sed -n 3p)" -eq 7

# ---- tables that do not go together
mkdir other && cp data/*.csv other && cut -d, -f1,2 data/test.csv >other/test.csv && cp other/test.csv other/same-samples.csv
expect_refused "other/test.csv: has 2 columns and gaussian 8" "$kit" truth gaussian other
expect_refused "other/test.csv: has 2 columns and train.csv 3" "$kit" rivals other
expect_refused "other/train.csv: has 3 columns and test.csv 2" "$kit" tell-apart other same
cp data/test.csv other && cut -d, -f1,2 data/valid.csv >other/valid.csv
expect_refused "other/valid.csv: has 2 columns and train.csv 3" "$kit" rivals other
expect_refused "other/same-samples.csv: has 2 columns and test.csv 3" "$kit" tell-apart other same
check "nothing was scored" test ! -e other/truth.csv -a ! -e other/gaussian.csv

# ---- kit quality and kit tell-apart: the test rows themselves, and the same moved by a standard deviation of one column of three
mkdir told && cp data/train.csv data/test.csv told && cp data/test.csv told/same-samples.csv
awk -F, 'NR > 1 { n++; sum += $1; square += $1 * $1 } { x[NR] = $1; rest[NR] = "," $2 "," $3 }
  END { print x[1] rest[1]; by = sqrt(square / n - (sum / n) ^ 2); for (i = 2; i <= NR; i++) printf "%.9g%s\n", x[i] + by, rest[i] }' \
  data/test.csv >told/moved-samples.csv
# number LABEL COLUMN: what stands first in that column of kit quality's line
number() { awk -F'|' -v label=" $1 " -v column="$2" '$2 == label { split($column, part, " "); print part[1] }' out; }
expect_exit 0 "$kit" quality data/test.csv data/test.csv told same moved both=same,moved --rows 150
check "rows are at no distance from themselves" grep -qF '| same | 0.0000 ± 0.0000 | +0.0000 (0.0000 to 0.0000) | | 0.00 ± 0.00 |' out
check "moved ones at the root of a third" awk -v d="$(number moved 3)" 'BEGIN { exit !(d > .55 && d < .61) }'
check "and told apart" awk -v told="$(number moved 7)" 'BEGIN { exit !(told > .75) }'
check "with the standard error of a share of 300 rows" awk -F'|' '$2 == " moved " { split($7, part, " ")
  exit !((part[3] - sqrt(part[1] * (1 - part[1]) / 300)) ^ 2 < 1e-8) }' out
check "two runs: their mean, and each" grep -qE "^\| both \| .* \| 0\.0000 / $(number moved 3) \|" out
check "the mean is a half" awk -v both="$(number both 3)" -v moved="$(number moved 3)" 'BEGIN { exit !((2 * both - moved) ^ 2 < 1e-7) }'
expect_exit 0 "$kit" tell-apart told same
check "the test rows are not told from themselves" grep -qE '^samples of same +told apart in 0\.[0-5][0-9]+ of cases .*: not rejected$' out
check "a Gaussian is told from a bent law" grep -qE '^fitted Gaussian +told apart in 0\.[5-9][0-9]+ of cases .*: rejected$' out
expect_exit 0 "$kit" tell-apart told moved
check "moved rows are" grep -qE '^samples of moved +told apart in 0\.[7-9][0-9]+ of cases .*: rejected$' out

# script NAME ARGUMENTS...
script() { expect_exit 0 env "$@"; }

# ---- a chain and its twins
bsds() { script COMPONENTS=2 LENGTH=.0004 SEEDS="0 1" bash "$here/bench/bsds.sh" "$work/data" "$build" "$work/bsds"; }
bsds
check "three models and two rivals" test "$(grep -c '^| \(lfm |\|FM\|Gaussian\)' out)" -eq 8
spent() { tr -d '\n' <"bsds/$1/result.json" | sed -E 's/.*"train_flops": ([^,]*),.*"push_flops": ([^,]*),.*/\1 \2/'; }
for twin in fm-0 wide-0 fm-1 wide-1; do
  check "$twin spends what its chain spent" awk -v a="$(spent "lfm-${twin#*-}")" -v b="$(spent "$twin")" \
    'BEGIN { split(a, x, " "); split(b, y, " "); r = (y[1] + y[2]) / (x[1] + x[2]); exit !(r > 0.9 && r < 1.1) }'
done
check "the wide one has the chain's parameters" awk -v a="$("$lfm" info bsds/lfm-0 --json | sed -n 's/.*"parameters": //p')" \
  -v b="$("$lfm" info bsds/wide-0 --json | sed -n 's/.*"parameters": //p')" 'BEGIN { r = b / a; exit !(r > 0.9 && r < 1.1) }'
cp out first.md
find bsds -name 'model.safetensors' -o -name '*.csv' | sort | xargs cksum >before
touch mark
bsds
check "the same table" cmp -s out first.md
check "nothing was trained or scored again" test -z "$(find bsds \( -name model.safetensors -o -name '*.csv' \) -newer mark)"

script CONFIG=bench/bsds300.yaml COMPONENTS=2 LENGTH=.0002 bash "$here/bench/bsds.sh" "$work/data" "$build" "$work/own"
check "the same by a file" grep -q '^bsds300, hidden_dim=8 .* 12 batches a block, seeds 0; converged:$' out
check "and its two blocks" grep -qxF 'hks: [0.3, null]' own/lfm-0/config.yaml

# ---- curve over Euler steps
script STEPS="5 80" bash "$here/bench/euler_bias.sh" "$work/data" "$build" "$work/bias" "$work/bsds/lfm-0" "$work/bsds/fm-0"
check "a line for each number of steps" test "$(grep -c 'Euler steps a block' out)" -eq 4
check "more steps, less bias" awk -F, 'NR == 2 { a = $3 ^ 2 } NR == 3 { exit !($3 ^ 2 < a) }' bias/bias.csv
check "and a picture" test -s bias/bias.png

# ---- few evaluations: a chain and its twin, both distilled, beside samplers and mean velocities
few() { script STEPS="1 2" NFES="2 4" METHODS="residual meanflow" LENGTH=12 BUDGET=8 PAIRS=100 SAMPLES=240 bash "$here/bench/distil.sh" "$work/data" "$build" "$work/few"; }
KEYS="hidden_dim=8 num_hidden=2 batch_size=32 hks=[0.3,null]" few
check "two teachers, ten samplers (of two evaluations the chain has one), eight students, mean velocities" \
  test "$(grep -c '^| .* @ ' out)" -eq 21
check "the twin spends on students what the chain does" awk -F'|' '/-residual-2/ { all[++n] = $3 + $4 } END { exit !(n == 2 && all[1] < 1.3 * all[2] && all[2] < 1.3 * all[1]) }' out
check "a curve" test -s few/curve.png
check "evaluations rise" awk -F, 'NR > 2 && $1 <= last { bad = 1 } { last = $1 } END { exit bad }' few/curve.csv
mkdir broken && ln -s "$kit" broken/kit # a lfm that cannot draw by one of the solvers
printf '#!/bin/sh\ncase "$*" in *midpoint*) echo "no room" >&2; exit 1 ;; esac\nexec "%s" "$@"\n' "$lfm" >broken/lfm
chmod +x broken/lfm
KEYS="hidden_dim=8 num_hidden=2 batch_size=32 hks=[0.3,null]" expect_exit 1 env NFES=8 LENGTH=12 SAMPLES=240 \
  bash "$here/bench/distil.sh" "$work/data" "$work/broken" "$work/few"
check "rows that could not be drawn end the script, with the reason" grep -qx 'no room' err

# ---- plans of merges
KEYS="hidden_dim=8 num_hidden=2 batch_size=32 hks=[0.1,0.2,null] normalise=none" script SEEDS=0 STEPS=2 LENGTH=12 BUDGETS=8 \
  PLANS="auto; 1 | (2 3); 1 | 2 | 3" PAIRS=100 SAMPLES=240 bash "$here/bench/plans.sh" "$work/data" "$build" "$work/plans"
check "even, planned and given merges, of two networks each" \
  test "$(grep -cE '^\| 0 \| 2 \| 8 \| (even|auto|given) \| `[^`|]*\\\|[^`|]*` \| [0-9.]+ ± [0-9.]+ \|' out)" -eq 3
check "the difference to even ones" grep -qE '^\| 0 \| 2 \| 8 \| auto .* \| [-+][0-9.]+ \(-?[0-9.]+ to -?[0-9.]+\) \|$' out

# ---- power, a month
awk 'BEGIN { srand(1); print "global_active_power,voltage,sub_metering_1,sub_metering_2,sub_metering_3,minute_of_day"
  for (i = 0; i < 600; i++) printf "%.3f,%.2f,%d,%d,%d,%d\n", rand() * 4, 240 + rand(), rand() * 9, rand() * 3, rand() * 20, i }' >power.csv
power=(SEEDS=0 RECIPES=whole BATCHES=10 bash "$here/bench/power.sh")
script "${power[@]}" "$work/power.csv" "$build" "$work/power"
check "three models and two rivals of power" test "$(grep -c '^| \(lfm |\|FM\|Gaussian\)' out)" -eq 5
{ head -n 1 power.csv && tail -n +2 power.csv | tac; } >other.csv
expect_exit 1 env "${power[@]}" "$work/other.csv" "$build" "$work/power"
check "runs of another table are not passed for this one's" grep -q 'was trained on other rows' err

# ---- precision and time, on the tree
script SEEDS=1 bash "$here/bench/precision.sh" - "$build" "$work/precision" || true
if grep -q 'no bfloat16' err; then failures=$((failures - 1)); else
  check "a line a precision" test "$(grep -cE '^\| `(fp32|bf16)` \|' out)" -eq 2
fi
script TARGET=1e6 ABOVE=90 SHARES=1/25000 bash "$here/bench/time_to.sh" "$work/data" "$build" "$work/time"
check "patches by our configuration, and by the preset" \
  test "$(grep -cE '^\| (own \| bsds300(-fm)?|lfm \| bsds300(-fm)?@A) \| at most [0-9]+ s \|$' out)" -eq 4
check "which says its own chain" grep -qxF 'hks: [0.3, null]' "time/bsds300/own-bsds300@A-1_25000/config.yaml"
check "a line for the chain and for FM" test "$(grep -cE '^\| lfm \| tree(-fm)?@B \| at most [0-9]+ s \|$' out)" -eq 2
check "and by the demo's configuration" test "$(grep -cE '^\| own \| tree(-fm)? \| at most [0-9]+ s \|$' out)" -eq 2
expect_exit 2 env TORCH=true KEYS="$KEYS normalise=whiten" bash "$here/bench/time_to.sh" tree "$build" "$work/time"
check "weights that come without their normaliser are not scored" grep -q "^KEYS=normalise=whiten: PyTorch's weights come without" err

# ---- densities that are known: gaps to the truth
script KINDS=gaussian LENGTH=.001 TELL=no bash "$here/bench/closed_forms.sh" "$build" "$work/closed"
check "a gap of the chain and of both twins" test "$(grep -cE '^(lfm|fm-long|fm-wide) +gap to the truth [0-9.]+ \+- [0-9.]+ nats' out)" -eq 3
check "the longer twin has all the batches" grep -q '"steps": 12,' closed/gaussian/fm-long/result.json
script LENGTH=.0005 bash "$here/bench/sweep_tree.sh" "$build" "$work/sweep"
check "eight chains with their gaps" test "$(grep -cE '^\[.*null\] +valid NLL [0-9.]+ .* gap to the truth [0-9.]+' out)" -eq 8
check "of one training compute" test "$(grep -oE 'training [^ ]+' out | sort -u | wc -l)" -eq 1

# ---- waves
script BATCHES=6 SEEDS="0 1" ROWS=20 WAVES="0 2" bash "$here/bench/waves.sh" "$work/sweep" "$build" "$work/waves"
check "both models with and without waves, paired" test "$(grep -cE '^\| (lfm|FM), [02] waves \| [0-9.]+ ± ' out)" -eq 4
check "a network that sees waves" grep -q '^waves: 2$' waves/fm-2-1/config.yaml
check "at equal compute, the push included" test "$(grep -oE '"steps": [0-9]+' waves/fm-2-0/result.json | grep -oE '[0-9]+')" -gt 12

# ---- few rows
script SIZES=60 bash "$here/bench/small_tables.sh" "$build" "$work/small"
check "two tables, three lengths" test "$(grep -cE '^\| (magic|tree), 60 \|( [-0-9.]+ ± [0-9.]+ \|){3}$' out)" -eq 2
for run in magic-60-.25:6 magic-60:24 tree-60-4:96; do # of two blocks, 12 batches each
  check "a quarter of the batches, all, four times as many" grep -q "\"steps\": ${run#*:}," "small/${run%:*}/result.json"
done

# ---- a tenth of BSDS300, with a Python that does nothing
script SEEDS=1 bash "$here/bench/bsds_tenth.sh" "$work/data" true "$build" "$work/tenth"
check "rows scored by both protocols" test "$(cat tenth/lfm-1-{converged,paper}.csv | wc -l)" -eq 42
expect_exit 1 env SEEDS=1 ROWS=10 bash "$here/bench/bsds_tenth.sh" "$work/data" false "$build" "$work/tenth"
check "a PyTorch that fails ends it" test ! -e tenth/torch-1.txt

# ---- pictures: a chain and its twins, judged
mkdir idx && cd idx && pictures train 60 8 && pictures t10k 50 8 1000 && gzip ./*ubyte && cd ..
expect_error "holds pictures or demonstrations" "$kit" rivals idx/t10k-images-idx3-ubyte.gz idx/t10k-images-idx3-ubyte.gz . --components 2
images() {
  script NFE=2,4 ROWS=40 SEEDS=0 WIDE="unet_dim_mults=[1,2]" bash "$here/bench/images.sh" "$work/idx" mnist "$build" "$work/images"
}
export KEYS="hidden_dim=32 unet_dim_mults=[1,1] attention_resolution=4 batch_size=16 max_batch=3 patience=0"
images
check "a line a budget and model" test "$(grep -cE '^\| 0 \| [24] \| (lfm|fm|wide) \|' out)" -eq 6
check "the twin spends what its chain spent" test "$(grep -cE '^\| (lfm|fm)-0 \| 6 \|' out)" -eq 2
cp out first.md
expect_exit 2 env KEYS="$KEYS patience=2" bash "$here/bench/images.sh" "$work/idx" mnist "$build" "$work/images"
check "no run ends by the test pictures" grep -q '^KEYS=patience=2: the losses' err
touch mark
images
check "the same table of pictures" cmp -s out first.md
check "nothing was trained or judged again" test -z "$(find images \( -name '*.safetensors' -o -name result.json \) -newer mark)"

rm -r images/lfm-0-judged.json && touch images/lfm-0-judged/half.png # stopped while it was judged
script NFE=4 ROWS=48 SEEDS=0 WIDE="unet_dim_mults=[1,2]" bash "$here/bench/images.sh" "$work/idx" mnist "$build" "$work/images"
check "another number of evaluations is judged anew" test "$(grep -cE '^\| 0 \| 4 \| (lfm|fm|wide) \|' out)" -eq 3
check "and the numbers are not those of the first of before" \
  test "$(sed -nE 's/^\| 0 \| 4 \| lfm \| ([^ ]*) .*/\1/p' out)" = "$(sed -nE 's/^\| 0 \| 4 \| lfm \| ([^ ]*) .*/\1/p' first.md)"

# ---- and distilled
script STEPS="1 3" BUDGET=6 PAIRS=100 ROWS=40 TOL=1e-2 bash "$here/bench/distil_images.sh" "$work/idx" mnist "$build" "$work/images"
check "a line for both teachers and four students" test "$(grep -cE '^\| 0 \| (error control|distilled to [13]) \| (lfm|fm) \|' out)" -eq 6
check "students take one evaluation and three, of two blocks in two pieces each" test "$(grep -cE '^\| 0 \| distilled to ([13]) \| (lfm|fm) \| \1\.0 \|' out)" -eq 4

# ---- bits per dimension by several numbers of probes
script PROBES="2 4" ROWS=6 TOL=1e-2 bash "$here/bench/bits.sh" "$work/idx" mnist "$build" "$work/bits"
check "a line for each number of probes" test "$(grep -cE '^\| lfm-0 \| [24] \| [0-9.]+ ± [0-9.]+ \|' out)" -eq 2
check "a difference in standard errors" grep -qE '^\| lfm-0 \| 2 \| .* \| [-+][0-9.]+ \|$' out

# ---- kit episodes: a pair of recipes, one with two runs, from four starts
episodes() { awk -v v="$2" 'BEGIN { print "episode,success,score,steps"; n = split(v, f, " "); for (i = 1; i <= n; i++) print i - 1 "," f[i] "," f[i] / 2 ",9" }' >"$1.csv"; }
episodes a "1 1 1 0"
episodes b "1 0 1 0"
episodes c "1 0 0 0"
expect_exit 0 "$kit" episodes . a "two=b,c"
check "successes in per cent" grep -qE '^\| a \| 75\.0 \(30\.1 to 95\.4\) \| 75\.0 \|' out
check "a mean over runs, each of them, and a paired difference" \
  grep -qE '^\| two \| 37\.5 \([0-9.]+ to [0-9.]+\) \| 50\.0 / 25\.0 \| -37\.5 \(-113\.[0-9] to 38\.[0-9]\) \| 0\.188 ±' out
episodes short "1 0"
expect_exit 1 "$kit" episodes . a short
check "other starts are named" grep -q 'short.csv: has 2 episodes, and the first 4' err

# ---- policies: a chain, flow matching, students, from the same starts
run "$lfm" demos lift -n 12 -o demos.hdf5
if ! grep -q "built without simulators" err; then
  KEYS="hidden_dim=8 unet_dim_mults=[1,2] batch_size=32 max_batch=6 observation_horizon=1" script EPISODES=2 BUDGET=8 NFES="2 4" \
    bash "$here/bench/policies.sh" lift "$work/demos.hdf5" "$build" "$work/policies"
  check "two models at two numbers of evaluations, two students" test "$(grep -cE '^\| (flow matching|chain)' out)" -eq 6
  check "students say that their compute comes on top" test "$(grep -c '^| chain, distilled to [12] (compute on top) |' out)" -eq 2
  check "flow matching spends what the chain spent" awk -F'|' '/^\| (lfm|fm)-0 / { all[++n] = $4 + $5 } END { exit !(n == 2 && all[1] / all[2] > .9 && all[1] / all[2] < 1.1) }' out
fi
finish
