/* SPDX-License-Identifier: MIT
 *
 * train.c -- Algorithm 1 of the paper: a chain of flow-matching blocks, each one OU step towards N(0, I).
 *
 *   pool = data, normalised
 *   for n = 1 .. N
 *     for each batch: x_l ~ pool;  x_r = e^{-g_n} x' + sqrt(1 - e^{-2 g_n}) z  (a free last block: x_r = z);  t ~ law
 *                     step on  | v_n(I_t, t) - dI_t/dt |^2                                  [step.c, matching.c]
 *     pool = solution of dx/dt = v_n from t = 0 to 1, for the whole pool, once               [push.c]
 *     v_{n+1} starts from v_n when warm_start
 *
 * With pool: ou nothing is pushed: x_l is then the process itself, started from a row of the data, at the sum of the steps
 * before [step.c: pairs_of].  N = 1 with a free block is ordinary flow matching: the baseline is this file.
 * Everything random is addressed by (seed, purpose, block, step, row), so a run that was stopped anywhere goes on from its
 * checkpoint to the same bytes.
 */
#include "flow/trainer.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/order.h"
#include "flow/likelihood.h"
#include "flow/score.h"

#include <math.h>
#include <string.h>

enum { PROBED = 64 }; /* rows that are scored at the end where the trace is estimated, by probes */

/* A checkpoint, and then the caller hears how things stand. */
static lfm_status stop_here(lfm_trainer *trainer) {
  LFM_TRY(lfm_checkpoint_write(trainer));
  const lfm_lesson *lesson = trainer->lesson;
  return lfm_fail(LFM_E_INTERRUPTED, "stopped at step %lld of %s %d; what was done is in %s/checkpoint",
                  (long long)trainer->step, lesson ? "student" : "block", lesson ? lesson->number : trainer->block + 1,
                  trainer->options->run);
}

/* The steps of one block, from wherever its checkpoint stood. */
static lfm_status train_block(lfm_trainer *trainer) {
  const lfm_config *config = trainer->config;
  int64_t steps = lfm_trainer_block_steps(trainer, trainer->block);
  int64_t record_every = lfm_record_every(steps);
  lfm_trainer_show_block(trainer);
  lfm_alloc_expect(lfm_pool_numbers(&trainer->pool), true); /* a batch takes its rows anywhere */
  while (!lfm_trainer_is_block_done(trainer)) {
    LFM_TRY(lfm_trainer_step(trainer));
    bool is_last = trainer->step == steps;
    if (is_last || trainer->step % config->valid_every == 0) LFM_TRY(lfm_trainer_validate(trainer));
    if (is_last || trainer->step % record_every == 0) LFM_TRY(lfm_run_folder_record(trainer));
    if (trainer->step % config->checkpoint_every == 0 && !is_last) LFM_TRY(lfm_checkpoint_write(trainer));
    if (lfm_trainer_is_preview_due(trainer) && !is_last) LFM_TRY(lfm_trainer_preview(trainer, lfm_trainer_weights(trainer)));
    if (lfm_meter_tick(&trainer->meter, trainer->step) && !is_last) return stop_here(trainer);
  }
  LFM_TRY(lfm_run_folder_record(trainer)); /* what patience cut short of a record */
  lfm_trainer_end_block(trainer);
  return lfm_trainer_preview(trainer, trainer->model->params[trainer->block]);
}

/* From one block to the next: the trained block is safe before the push begins, the pushed pool before the next block does.
 */
static lfm_status leave_block(lfm_trainer *trainer) {
  bool is_last = trainer->block == trainer->model->blocks - 1;
  lfm_alloc_expect(lfm_pool_numbers(&trainer->pool), false);
  LFM_TRY(lfm_checkpoint_write(trainer));
  if (!is_last && trainer->config->pool == LFM_POOL_PUSHED) LFM_TRY(lfm_trainer_push(trainer));
  trainer->block++;
  trainer->step = 0;
  if (is_last) return LFM_OK;
  lfm_trainer_begin_block(trainer);
  LFM_TRY(lfm_checkpoint_write_pool(trainer));
  return lfm_checkpoint_write(trainer);
}

/* Not pictures whose grey levels stand for their middle, nor what single steps draw, nor a model that never saw a picture
 * without its class. */
bool lfm_trainer_has_nll(const lfm_model *model) {
  bool is_points = model->picture && model->config->dequantise == LFM_DEQUANTISE_NONE;
  return lfm_chain_is_flow(model) && !lfm_chain_needs_class(model) && !is_points;
}

/* The model's log-likelihood of held-out rows, in the data's units: exact, or of pictures by probes.  Rows that no solve gets
 * through are told, and do not keep a trained chain from its end. */
static lfm_status score_valid(lfm_trainer *trainer, lfm_train_result *result) {
  lfm_score_options options;
  lfm_score_defaults(&options);
  result->valid_nll = result->valid_nll_se = (double)NAN;
  const lfm_model *model = trainer->model;
  if (!lfm_trainer_has_nll(model)) return LFM_OK;
  options.rows = lfm_likelihood_rows_advised(model, trainer->valid_table->rows);
  if (lfm_model_is_probed(model)) options.rows = lfm_least(options.rows, PROBED), options.solve.tol = 1e-3;
  options.threads = trainer->options->threads;
  options.progress = trainer->options->progress;
  options.context = trainer->options->context;
  lfm_score_result score;
  lfm_status status = lfm_score_quietly(trainer->model, trainer->valid_table, &options, NULL, &score);
  if (status != LFM_OK && status != LFM_E_NUMERIC) return status;
  if (status == LFM_OK) result->valid_nll = score.nll, result->valid_nll_se = score.nll_se;
  result->valid_failed = score.failed;
  int64_t scored = score.rows + score.failed;
  if (score.failed)
    lfm_note(LFM_WARNING, "valid_nll leaves out %lld of %lld held-out rows, whose solve failed", (long long)score.failed,
             (long long)scored);
  return LFM_OK;
}

/* The mean over the last two records, which is a hundredth of a block's steps. */
static double last_loss(const lfm_trainer *trainer) {
  int64_t count = trainer->record_count;
  if (!count) return (double)NAN;
  const lfm_record *last = &trainer->records[count - 1];
  bool pair = count > 1 && last[-1].block == last->block;
  return pair ? 0.5 * (last->loss + last[-1].loss) : last->loss;
}

static void fill_result(const lfm_trainer *trainer, lfm_train_result *result) {
  result->blocks = trainer->model->blocks;
  result->steps = trainer->steps_done;
  result->seconds = trainer->seconds_before + lfm_seconds() - trainer->meter.begun;
  result->loss = last_loss(trainer);
  result->train_flops = trainer->train_flops;
  result->push_flops = trainer->push_flops;
  result->rows_dropped = trainer->rows_dropped;
  result->memory = lfm_trainer_memory(trainer);
}

/* The chain is trained: its files, the last of which (result.json) says that the run is finished. */
static lfm_status finish(lfm_trainer *trainer, lfm_train_result *result) {
  char path[LFM_PATH_SIZE];
  LFM_TRY(lfm_path_join(path, sizeof path, trainer->options->run, "model.safetensors"));
  LFM_TRY(lfm_chain_write(trainer->model, path));
  LFM_TRY(lfm_run_folder_curves(trainer));
  LFM_TRY(score_valid(trainer, result));
  fill_result(trainer, result);
  return lfm_run_folder_result(trainer->options->run, result);
}

lfm_status lfm_trainer_run(lfm_trainer *trainer, lfm_train_result *result) {
  while (trainer->block < trainer->model->blocks) {
    LFM_TRY(train_block(trainer));
    LFM_TRY(leave_block(trainer));
  }
  return finish(trainer, result);
}

void lfm_train_defaults(lfm_train_options *options) {
  *options = (lfm_train_options){.time_limit = LFM_USUAL_SECONDS, .preview_every = LFM_PREVIEW_AUTO};
}

lfm_status lfm_train(const lfm_train_options *options, lfm_train_result *result) {
  lfm_train_result unasked;
  if (!result) result = &unasked;
  bool has_model;
  *result = (lfm_train_result){0};
  if (!options->train || !options->run) return lfm_fail(LFM_E_USAGE, "training needs a table and a run folder");
  if (options->preview_every > 0 && !options->train->images)
    return lfm_fail(LFM_E_USAGE, "preview: the data are no pictures; only those can be looked at");
  if (options->resume) {
    LFM_TRY(lfm_run_folder_check_trained(options->run));
    LFM_TRY(lfm_run_folder_read_result(options->run, result, &result->was_finished));
    LFM_TRY(lfm_run_folder_has_model(options->run, &has_model)); /* without, its checkpoint makes it once more */
    if (result->was_finished && has_model) return lfm_trainer_check_finished(options);
    *result = (lfm_train_result){0};
  }
  lfm_trainer *trainer;
  LFM_TRY(lfm_trainer_create(options, &trainer));
  lfm_status status = lfm_trainer_run(trainer, result);
  lfm_trainer_destroy(trainer);
  return status;
}
