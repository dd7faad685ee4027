/* SPDX-License-Identifier: MIT
 *
 * step.c -- one optimisation step of one block, and the loss that judges it.
 *
 * A batch of batch_size * num_tk rows is cut into microbatches, and these are shared out in one of two ways:
 *   factors   each is a task, whose backward pass leaves dz and h of every layer; the optimiser multiplies them, dW = dz' h
 *             over the whole batch, some rows of W at a time [graph/factors.h]: for linear maps, and batches of few rows
 *   lanes     a lane is a task; microbatch c adds its gradient to lane c mod lanes, in order, and a fixed tree sums the lanes
 *             inside the optimiser
 * Whichever thread takes a task, it is the same task: the bytes do not depend on the number of threads.
 */
#include "flow/trainer.h"

#include "core/order.h"
#include "flow/meanflow.h"
#include "flow/posterior.h"

#include <math.h>

/* Where the pairs of the block at work come from. */
static lfm_pairs pairs_of(const lfm_trainer *trainer, const lfm_pool *pool, int64_t batch, int times, bool validating) {
  const lfm_config *config = trainer->config;
  const lfm_lesson *lesson = trainer->lesson;
  bool is_meanflow = config->objective == LFM_OBJECTIVE_MEANFLOW;
  bool from_data = config->pool == LFM_POOL_OU && !lesson;
  double before = from_data ? lfm_ou_time_before(config->hks, trainer->block) : 0.0;
  return (lfm_pairs){
      .pool = pool,
      .right = !lesson      ? NULL
               : validating ? &lesson->valid_right
                            : &lesson->right,
      .t_left = lesson ? lesson->t_left : 0.0,
      .t_right = lesson ? lesson->t_right : 1.0,
      .at_noise = lesson && (lesson->at_noise || (validating && is_meanflow)), /* for what is wanted of them in the end */
      .is_meanflow = is_meanflow,
      .drops = config->dropout > 0.0 && !validating,
      .given_drop = validating || !config->conditional ? 0.0 : config->class_drop,
      .dim = trainer->model->normaliser->dim,
      .pairing = {.coupling = config->coupling,
                  .seed = config->seed,
                  .block = (uint32_t)trainer->block,
                  .pool_rows = pool->rows,
                  .batch = batch},
      .ou_to_right = lfm_ou_step(config->hks[trainer->block]),
      .ou_to_left = lfm_ou_step(before),
      .interp = config->interp,
      .beta_times = config->beta_sample_t == LFM_TIME_BETA,
      .alpha = config->alpha,
      .beta = config->beta,
      .times = times,
      .target_rows = validating ? 0 : config->target_rows,
      .mirror = config->flip && !validating && trainer->model->picture ? trainer->model->picture->width : 0,
      .defensive = validating ? 0.0 : config->defensive,
      .noise_for = validating ? LFM_FOR_VALID : LFM_FOR_NOISE,
      .time_for = validating ? LFM_FOR_VALID_TIME : LFM_FOR_TIME,
  };
}

/* ---- a step ------------------------------------------------------------------------------------------------- */

typedef struct step_work {
  lfm_trainer *trainer;
  lfm_pairs pairs;
  int64_t rows, microbatch;
  double numbers;            /* rows * dim: the loss is a mean over both */
  const lfm_params *weights; /* that are judged; a step has the moving ones */
} step_work;

static lfm_status run_task(void *context, int worker, int64_t task) {
  step_work *work = context;
  lfm_trainer *trainer = work->trainer;
  lfm_matching *matching = trainer->workers[lfm_trainer_hand(trainer, worker, task)];
  float *lane = lfm_trainer_lane(trainer, task);
  trainer->task_loss[task] = 0.0;
  for (int64_t c = task; c * work->microbatch < work->rows; c += trainer->tasks) {
    int64_t first = c * work->microbatch;
    LFM_TRY(lfm_matching_gradient(matching, &work->pairs, trainer->params, trainer->step, first,
                                  lfm_least(work->microbatch, work->rows - first), work->numbers, lane, c != task,
                                  &trainer->task_loss[task]));
  }
  return LFM_OK;
}

static lfm_status not_finite(const lfm_trainer *trainer, const char *what, double value) {
  const char *run = lfm_checkpoint_exists(trainer->options->run) ? trainer->options->run : NULL;
  return lfm_fail(LFM_E_NUMERIC,
                  "%s is %g at step %lld of block %d: training stopped%s%s%s; a smaller lr or grad_clip=1 usually helps",
                  what, value, (long long)trainer->step + 1, trainer->block + 1, run ? "; the last good state is " : "",
                  run ? run : "", run ? "/checkpoint" : "");
}

static void keep_means(lfm_trainer *trainer, double loss) {
  trainer->loss_sum += loss;
  trainer->loss_count++;
  double shown = trainer->meter.at.loss; /* a running mean over some fifty steps, for the progress line */
  trainer->meter.at.loss = isnan(shown) ? loss : shown + 0.02 * (loss - shown);
}

/* The running mean begins behind the warm-up; by the power law its memory grows with the steps instead. */
static double ema_decay_at(const lfm_config *config, int64_t step) {
  if (config->ema_power > 0.0) return fmin(1.0 - pow(1.0 + (double)step, -config->ema_power), config->ema_decay);
  return step < config->warmup ? 0.0 : config->ema_decay;
}

lfm_status lfm_trainer_step(lfm_trainer *trainer) {
  const lfm_config *config = trainer->config;
  step_work work = {
      .trainer = trainer,
      .pairs = pairs_of(trainer, &trainer->pool, config->batch_size, config->num_tk, false),
      .rows = config->batch_size * config->num_tk,
      .microbatch = config->microbatch,
  };
  work.numbers = (double)work.rows * (double)work.pairs.dim;

  /* forward and backward */
  LFM_TRY(lfm_team_run(trainer->team, trainer->tasks, run_task, &work));
  double loss = 0.0;
  for (int task = 0; task < trainer->tasks; task++) loss += trainer->task_loss[task];
  loss /= work.numbers;
  if (!isfinite(loss)) return not_finite(trainer, "the loss", loss);

  /* multiply the factors or sum the lanes, clip, Adam, average */
  double ema_decay = ema_decay_at(config, trainer->step), lr = lfm_lr_at(&trainer->lr, trainer->step);
  lfm_gradient gradient = lfm_trainer_gradient(trainer);
  lfm_status status =
      lfm_optim_step(trainer->optim, trainer->team, trainer->params, &gradient, lr, ema_decay, &trainer->grad_norm);
  if (status == LFM_E_NUMERIC) return not_finite(trainer, "the gradient's norm", trainer->grad_norm);
  LFM_TRY(status);

  trainer->step++;
  trainer->steps_done++;
  trainer->train_flops += (double)work.rows * (lfm_net_train_flops(trainer->net) +
                                               (work.pairs.is_meanflow ? lfm_meanflow_flops(trainer->net) : 0.0) +
                                               lfm_posterior_flops(config->target_rows, work.pairs.dim));
  keep_means(trainer, loss);
  return LFM_OK;
}

/* ---- the validation loss ------------------------------------------------------------------------------------ */

const lfm_params *lfm_trainer_weights(lfm_trainer *trainer) {
  if (!trainer->average) return trainer->params;
  lfm_params_set(trainer->average, lfm_optim_ema(trainer->optim));
  return trainer->average;
}

/* The first draw's parts, then the second's, ... */
static lfm_status run_valid_part(void *context, int worker, int64_t part) {
  step_work *work = context;
  lfm_trainer *trainer = work->trainer;
  int64_t parts = lfm_parts_of(work->rows, work->microbatch), draw = part / parts, first = part % parts * work->microbatch;
  trainer->valid_loss[part] = 0.0;
  return lfm_matching_loss(trainer->workers[worker], &work->pairs, work->weights, draw, first,
                           lfm_least(work->microbatch, work->rows - first), &trainer->valid_loss[part]);
}

/* Weights into the chain. */
static void keep(lfm_trainer *trainer, const lfm_params *weights) {
  lfm_params *kept = trainer->model->params[trainer->block];
  const lfm_lesson *lesson = trainer->lesson;
  if (trainer->config->objective != LFM_OBJECTIVE_MEANFLOW) lfm_params_copy(kept, weights);
  else lfm_params_fold(kept, weights, lesson ? lesson->t_right - lesson->t_left : 1.0);
}

static void warn_of_validation(lfm_trainer *trainer) {
  if (trainer->warned_of_validation) return;
  trainer->warned_of_validation = true;
  lfm_note(
      LFM_WARNING, "block %d: the validation loss is not finite at step %lld%s; look for held-out values out of all range",
      trainer->block + 1, (long long)trainer->step, trainer->config->patience ? ", and cannot tell the best weights" : "");
}

/* Every validation row, once or where there are few several times, with noise and times that are the same at every call: two
 * losses differ by the weights alone. */
lfm_status lfm_trainer_validate(lfm_trainer *trainer) {
  if (!trainer->valid.rows) return LFM_OK;
  step_work work = {
      .trainer = trainer,
      .pairs = pairs_of(trainer, &trainer->valid, trainer->valid.rows, 1, true),
      .rows = trainer->valid.rows,
      .microbatch = trainer->config->microbatch,
      .weights = lfm_trainer_weights(trainer),
  };
  int64_t draws = trainer->valid_draws, parts = draws * lfm_parts_of(work.rows, work.microbatch);
  LFM_TRY(lfm_team_run(trainer->team, parts, run_valid_part, &work));
  double loss = 0.0;
  for (int64_t part = 0; part < parts; part++) loss += trainer->valid_loss[part];
  loss /= (double)(draws * work.rows) * (double)work.pairs.dim;
  trainer->last_valid = trainer->meter.at.valid_loss = loss;
  if (!isfinite(loss)) warn_of_validation(trainer);
  if (trainer->config->patience && loss < trainer->best_loss) {
    trainer->best_loss = loss;
    trainer->best_step = trainer->step;
    keep(trainer, work.weights);
  }
  return LFM_OK;
}

/* ---- the ends of a block ------------------------------------------------------------------------------------ */

void lfm_trainer_enter_block(lfm_trainer *trainer) {
  const lfm_config *config = trainer->config;
  trainer->lr = (lfm_lr){.base = config->lr,
                         .decay = config->lr_decay,
                         .every = config->lr_step,
                         .warmup = config->warmup,
                         .cosine = config->cosine,
                         .total = lfm_trainer_block_steps(trainer, trainer->block)};
}

/* The teacher's, those of the block before, or new ones. */
static void begin_weights(lfm_trainer *trainer) {
  const lfm_config *config = trainer->config;
  const lfm_lesson *lesson = trainer->lesson;
  int n = trainer->block;
  lfm_params *kept = trainer->model->params[n]; /* where nothing is kept yet */
  bool warm = n > 0 && config->warm_start, means = config->objective == LFM_OBJECTIVE_MEANFLOW;
  const lfm_params *from = lesson ? lesson->start : warm ? trainer->model->params[n - 1] : NULL;
  if (!from) lfm_params_init(means ? kept : trainer->params, config->seed, (uint32_t)n);
  if (means) lfm_params_widen(trainer->params, from ? from : kept);
  else if (from) lfm_params_copy(trainer->params, from);
}

void lfm_trainer_begin_block(lfm_trainer *trainer) {
  begin_weights(trainer);
  lfm_optim_restart(trainer->optim, trainer->params);
  trainer->best_loss = (double)INFINITY;
  trainer->best_step = 0;
  trainer->last_valid = trainer->meter.at.valid_loss = trainer->meter.at.loss = (double)NAN;
  trainer->loss_sum = 0.0;
  trainer->loss_count = 0;
  lfm_trainer_enter_block(trainer);
}

void lfm_trainer_show_block(lfm_trainer *trainer) {
  lfm_progress *at = &trainer->meter.at;
  const lfm_lesson *lesson = trainer->lesson;
  int blocks = trainer->model->blocks;
  at->all_total = 0;
  for (int n = 0; n < blocks; n++) {
    if (n == trainer->block) at->all_before = at->all_total;
    at->all_total += lfm_trainer_block_steps(trainer, n);
  }
  lfm_meter_phase(&trainer->meter, LFM_PHASE_TRAIN, lesson ? lesson->number : trainer->block + 1,
                  lesson ? lesson->of : blocks, trainer->step, lfm_trainer_block_steps(trainer, trainer->block));
}

bool lfm_trainer_has_best(const lfm_trainer *trainer) { return trainer->config->patience && isfinite(trainer->best_loss); }

bool lfm_trainer_is_block_done(const lfm_trainer *trainer) {
  if (trainer->step >= lfm_trainer_block_steps(trainer, trainer->block)) return true;
  return lfm_trainer_has_best(trainer) && trainer->step - trainer->best_step >= trainer->config->patience;
}

/* The block's weights for push and sampling: the best of the validation losses, else the average, else the moving ones. */
void lfm_trainer_end_block(lfm_trainer *trainer) {
  int64_t steps = lfm_trainer_block_steps(trainer, trainer->block);
  trainer->meter.at.all_before += steps;
  if (trainer->step < steps)
    lfm_note(LFM_NOTE, "block %d: ended after %lld of %lld batches, %lld of them without a better validation loss (patience)",
             trainer->block + 1, (long long)trainer->step, (long long)steps, (long long)(trainer->step - trainer->best_step));
  if (lfm_trainer_has_best(trainer)) return; /* kept as they came */
  keep(trainer, lfm_trainer_weights(trainer));
}
