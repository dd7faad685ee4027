# SPDX-License-Identifier: MIT
#
# test_bench.sh -- lfm bench: every form of its output is well made and of positive numbers; what it refuses.  How fast a
# machine is, is no test.
. "$(dirname "$0")/lib.sh"
cd "$work"
seq 1 300 | awk 'BEGIN { print "a,b" } { printf "%.3f,%.3f\n", sin($1), cos($1 * $1) }' >data.csv
run "$lfm" train data.csv -o model --set hidden_dim=8 --set max_batch=20
check "a model to measure" test -s model/model.safetensors

# figures NAME...: standard output has a CSV line for each, of a positive median between its extremes
figures() {
  check "the header" grep -qx 'name,unit,median,min,max,sd,repetitions,peak_fraction' out
  check "as many figures" test "$(wc -l <out)" -eq $(($# + 1))
  for name in "$@"; do
    check "the figure $name" awk -F, -v name="$name" \
      'index($1, name) == 1 && $3 > 0 && $4 <= $3 && $3 <= $5 && $7 == 2 { found = 1 } END { exit !found }' out
  done
}
expect_exit 0 "$lfm" bench train --preset tree@A -r 2 --csv
figures peak "tree@A bare step" "tree@A loop step"
small=(--set hidden_dim=32 --set unet_dim_mults=1 --set res_depth=1 --set batch_size=4)
expect_exit 0 "$lfm" bench train --picture 1x4x6 "${small[@]}" -r 2 --csv
figures peak "1x4x6 bare step of 4" "1x4x6 loop step of 4"
expect_exit 0 "$lfm" bench train --preset cifar10 --picture 3x4x4 "${small[@]}" -r 2 --csv
figures peak "cifar10 bare step of 4" "cifar10 loop step of 4"
for preset in fashion mnist-fm cifar10-small; do
  expect_exit 0 "$lfm" bench train --preset $preset "${small[@]}" -r 2 --csv
  figures peak "$preset bare step of 4" "$preset loop step of 4"
done
for preset in lift can-fm square pusht; do
  expect_exit 0 "$lfm" bench train --preset $preset --set hidden_dim=16 --set batch_size=4 -r 2 --csv
  figures peak "$preset bare step of 4" "$preset loop step of 4"
done
expect_usage "--picture 3x32: write channels, height and width, as 3x32x32" "$lfm" bench train --picture 3x32
expect_usage "hidden_dimm" "$lfm" bench train --set hidden_dimm=3
expect_exit 0 "$lfm" bench sample --model model --rows 50 -r 2 --csv
figures "sample 50 rows"
expect_exit 0 "$lfm" bench score --model model --rows 5 -r 2 --csv
figures "exact log p of 5 rows"
expect_exit 0 "$lfm" bench latency --model model -r 2 --csv
figures "one evaluation"
expect_exit 0 "$lfm" bench latency --model model -r 1 --json
check "a JSON list of one object" grep -qE '^\[\{"name": "one evaluation", "unit": "us", "median": [0-9.e-]+, .*"sd": null, "repetitions": 1, "peak_fraction": null\}$' out
check "the list ends" test "$(tail -n 1 out)" = "]"
expect_exit 0 "$lfm" bench latency --model model -r 1 --csv
check "what there is not is an empty field" grep -qE '^one evaluation,us,[0-9.e-]+,[0-9.e-]+,[0-9.e-]+,,1,$' out
expect_exit 0 "$lfm" bench latency --model model -r 1 --md
check "a markdown table" grep -qE '^\| one evaluation \| [0-9.]+ us \| ' out

# chunks of a policy
narrow=(--set hidden_dim=16 --set batch_size=4 --rows 20 --nfe 4)
expect_exit 0 "$lfm" bench latency --preset can-fm "${narrow[@]}" --precision bf16 --csv
check "the header" grep -qx 'name,unit,p50,p99,p99_9,max' out
check "quantiles that rise" awk -F, 'NR == 2 && $1 == "can-fm bf16 of 4 evaluations" && 0 < $3 && $3 <= $4 && $4 <= $5 && $5 <= $6 { found = 1 }
  END { exit !found }' out
expect_exit 0 "$lfm" bench latency --preset lift "${narrow[@]}" --set network=mlp --json
check "a JSON list of one object" grep -qE '^\[\{"name": "lift fp32 of 4 evaluations", "unit": "us", "p50": .*"nfe": 4, "chunks": 20\}$' out
expect_exit 0 "$lfm" bench latency --preset pusht "${narrow[@]}" --md
expect_exit 0 "$lfm" bench latency --preset square "${narrow[@]}"
expect_usage "no actions" "$lfm" bench latency --preset tree@A

# bf16 where the processor has it; else a line that says so
if DNNL_MAX_CPU_ISA=ALL "$lfm" bench train --preset tree@A --precision bf16 -r 2 --csv >out 2>err; then
  figures peak "tree@A bf16 bare step of 10000" "tree@A bf16 loop step of 10000"
else check "no bfloat16 is said" grep -q 'no bfloat16 arithmetic.*precision fp32' err
fi
expect_error "no bfloat16 arithmetic" env DNNL_MAX_CPU_ISA=AVX2 "$lfm" bench train --preset tree@A --precision bf16
expect_usage "models are evaluated in fp32" "$lfm" bench score --model model --precision bf16
expect_usage "neither fp32 nor bf16" "$lfm" bench train --precision fp16

# ---- an option that has no meaning for WHAT
while IFS=: read -r option words; do
  expect_usage "--$option: has no meaning for ${words%% *}" "$lfm" bench $words
done <<<"model:train --model model
preset:sample --preset tree@A --model model
set:score --set hidden_dim=8 --model model
picture:latency --picture 1x4x6 --model model
rows:peak --rows 3
nfe:train --nfe 3
rtc:score --rtc --model model
tol:latency --tol 1e-3 --model model"
expect_usage "--rows: has no meaning for latency of a model that is no policy" "$lfm" bench latency --model model --rows 3
expect_usage "--model: has no meaning for latency of a preset" "$lfm" bench latency --preset lift --model model
expect_usage "--repetitions: has no meaning for latency of a preset" "$lfm" bench latency --preset lift -r 2

expect_usage "lfm bench: score needs a model (--model)" "$lfm" bench score
expect_usage "everything: is nothing to measure; there are peak, train, sample" "$lfm" bench everything
expect_usage "nearest first: bsds300" "$lfm" bench train --preset bsds
expect_error "nowhere" "$lfm" bench latency --model nowhere
expect_usage "exclude each other" "$lfm" bench peak --json --md
finish
