# SPDX-License-Identifier: MIT
#
# test_distill.sh -- a chain distilled through the program: what it says, a kill at any moment, and what is refused.
. "$(dirname "$0")/lib.sh"
cd "$work"

awk 'BEGIN { srand(3); print "x,y"; for (i = 0; i < 600; i++) { a = 6.2831853 * rand(); printf "%.4f,%.4f\n", cos(a), sin(a) + .3 * cos(2 * a) } }' >data.csv
expect_exit 0 "$lfm" train data.csv -o run --set 'hks=[0.1,0.2,null]' --set hidden_dim=16 --set num_hidden=2 --set max_batch=40
small=(--pairs 200 --budget 300 --set batch_size=64 --set checkpoint_every=20 --seed 4)

# ---- a run, its words and its files
expect_json "$lfm" distill run -o fast --steps 2 "${small[@]}" --json
expect_fields students steps seconds loss model train_flops teacher_flops rows_dropped was_finished
check "two students" grep -qF '"students": 2, "steps": 300' out
for file in fast/model.safetensors fast/config.yaml fast/result.json fast/blocks-1-1/loss.png fast/blocks-2-3/metrics.jsonl; do
  check "$file is there" test -s "$file"
done
expect_exit 0 "$lfm" info fast
check "info names the plan" grep -qE '^plan +1 \| \(2 3\)$' out
expect_exit 0 "$lfm" sample fast -n 50 -o new.csv
check "one evaluation a student" grep -qE '^evaluations +2 a row' out
check "the data's header" grep -qx 'x,y' <(head -1 new.csv)
expect_exit 0 "$lfm" distill run -o told --plan '1 | (2 3)' "${small[@]}"
check "a plan in words is the same one" cmp -s told/model.safetensors fast/model.safetensors

expect_exit 0 "$lfm" distill run -o chosen --plan auto --steps 2 "${small[@]}"
check "what was chosen is said" grep -qE 'the plan is .*: by the predicted errors for s = ' err
expect_exit 0 "$lfm" distill run -o chosen --plan auto --steps 2 "${small[@]}" --resume
check "and was done" grep -q 'finished before' out
expect_usage "steps: the run was begun with 2, not 1" "$lfm" distill run -o chosen --plan auto --steps 1 "${small[@]}" --resume
expect_usage "method: the run was begun with residual, not reflow" \
  "$lfm" distill run -o chosen --plan auto --steps 2 --method reflow "${small[@]}" --resume

# ---- killed while it trains, it goes on to the same bytes
expect_error "holds a run already" "$lfm" distill run -o fast --steps 2 "${small[@]}"
expect_exit 0 "$lfm" distill run -o fast --steps 2 "${small[@]}" --resume
check "there was nothing to do" grep -q 'finished before' out
long=(--pairs 200 --budget 4000 --set batch_size=64 --set checkpoint_every=20 --seed 4)
expect_exit 0 "$lfm" distill run -o whole --steps 2 "${long[@]}"
"$lfm" distill run -o killed --steps 2 "${long[@]}" >/dev/null 2>&1 &
pid=$!
for ((i = 0; i < 400; i++)); do
  [ -e killed/blocks-2-3/checkpoint/state.safetensors ] && break
  sleep 0.02
done
kill -9 "$pid"
wait "$pid" 2>/dev/null
check "it was on its way" test -d killed/blocks-2-3
expect_exit 0 "$lfm" info killed
check "info says what it is" grep -qxE 'kind +distillation' out
check "and how to go on" grep -q 'killed: is a distillation that is not finished; lfm distill --resume goes on with it' err
check "its students are told apart" grep -qE '^  blocks-2-3 +run not finished$' out
expect_refused "has one once lfm distill --resume has finished it" "$lfm" sample killed -n 1 -o new.csv
expect_usage "killed: is the folder of a distillation; data are due here" "$lfm" train killed -o x
expect_exit 0 "$lfm" distill run -o killed --steps 2 "${long[@]}" --resume
check "the same bytes as without the kill" cmp -s killed/model.safetensors whole/model.safetensors

# ---- refusals
expect_usage "MODEL is missing" "$lfm" distill -o x
expect_usage "say how many evaluations" "$lfm" distill run -o x
expect_usage "5 asked of 3 blocks" "$lfm" distill run -o x --steps 5
expect_usage "block 2" "$lfm" distill run -o x --plan '1 | 3'
expect_usage "hidden_dim: a student has it" "$lfm" distill run -o x --steps 2 --set hidden_dim=8
expect_usage "single steps already" "$lfm" distill fast -o x --steps 1
expect_usage "the model is distilled" "$lfm" plan fast --steps 1
expect_usage "one step of euler each" "$lfm" sample fast -n 5 --nfe 8 -o x.csv
expect_usage "knows no classes" "$lfm" distill run -o x --steps 2 --guidance 2
expect_refused "no flow density" "$lfm" score fast data.csv
expect_refused "no flow density" "$lfm" push fast data.csv -o x.csv
check "nothing was made" test ! -e x -a ! -e x.csv
finish
