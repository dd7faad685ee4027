/* SPDX-License-Identifier: MIT
 *
 * prepare.c -- from options to a trainer that stands before its first step.
 *   1. hold out a tenth, unless validation rows were given; cut demonstrations into windows     [intake.c]
 *   2. fit the normaliser on the training rows
 *   3. resolve the configuration: shape, network, speed                                         [resolve.c, agreement.c]
 *   4. make the chain, the workers, the first pool                                              [chain.c, intake.c]
 *   5. read the checkpoint, or begin block 1                                                    [checkpoint.c, step.c]
 * A student of a teacher has its lesson in place of 1 and 2.  lfm_train_check asks 1 to 4 what they would refuse, and makes
 * nothing of it.
 */
#include "flow/trainer.h"

#include "core/alloc.h"
#include "core/order.h"
#include "flow/columns.h"
#include "flow/resolve.h"

#include <math.h>
#include <string.h>

enum { FEW_ROWS = 200, LEAST_TIMED_STEPS = 8 };

/* ---- the work space ----------------------------------------------------------------------------------------- */

/* Steps in bf16, or of split products, have a network of their own, whose masters are floats like the model's; and so have
 * mean velocities, with a span.  All others have the model's. */
static lfm_status make_net(const lfm_config *config, const lfm_model *model, lfm_net **out) {
  const lfm_kernels *kernels = lfm_kernels_training();
  bool span = config->objective == LFM_OBJECTIVE_MEANFLOW;
  *out = model->net;
  if (config->precision == LFM_PRECISION_BF16) LFM_TRY(lfm_kernels_bf16(&kernels));
  return kernels != lfm_net_kernels(model->net) || span ? lfm_chain_net(model, kernels, span, out) : LFM_OK;
}

/* One a thread; or, with factors, one a part of the batch, and for validation not fewer than threads. */
static lfm_status create_workers(lfm_trainer *trainer) {
  const lfm_config *config = trainer->config;
  int threads = lfm_team_size(trainer->team), parts = 0;
  if (lfm_resolve_keeps_factors(config, lfm_net_wants_factors(trainer->net))) {
    parts = (int)lfm_resolve_microbatches(config);
    LFM_TRY(lfm_net_factors(trainer->net, config->microbatch, parts, threads, &trainer->factors));
  }
  trainer->tasks = parts ? parts : config->lanes;
  trainer->worker_count = (int)lfm_most(threads, parts);
  LFM_TRY(LFM_ALLOC(&trainer->workers, trainer->worker_count));
  for (int w = 0; w < trainer->worker_count; w++) {
    lfm_matching **worker = &trainer->workers[w];
    LFM_TRY(w < parts ? lfm_matching_create_part(trainer->net, trainer->factors, w, worker)
                      : lfm_matching_create(trainer->net, LFM_RUN_TRAIN, config->microbatch, worker));
    if (config->target_rows) LFM_TRY(lfm_matching_average(*worker, config->target_rows));
  }
  return LFM_OK;
}

static lfm_status create_steps(lfm_trainer *trainer) {
  const lfm_config *config = trainer->config;
  LFM_TRY(make_net(config, trainer->model, &trainer->net));
  const lfm_net *net = trainer->net;
  if (net != trainer->model->net) trainer->own_net = trainer->net;
  lfm_optim_config optim;
  LFM_TRY(create_workers(trainer));
  lfm_optim_defaults(&optim);
  optim.decoupled_decay = config->adamw;
  optim.beta1 = config->beta1, optim.beta2 = config->beta2;
  optim.weight_decay = config->weight_decay;
  optim.grad_clip = config->grad_clip;
  optim.ema_decay = config->ema_decay;
  LFM_TRY(lfm_optim_create(net, &optim, &trainer->optim));
  LFM_TRY(lfm_params_create(net, &trainer->params));
  if (config->ema_decay > 0.0) LFM_TRY(lfm_params_create_untrained(net, &trainer->average));
  LFM_TRY(LFM_ALLOC(&trainer->grads, config->lanes));
  LFM_TRY(LFM_ALLOC(&trainer->task_loss, trainer->tasks));
  for (int lane = 0; lane < config->lanes; lane++) LFM_TRY(LFM_ALLOC(&trainer->grads[lane], lfm_net_param_count(net)));
  trainer->valid_draws = lfm_resolve_valid_draws(config, trainer->valid.rows);
  LFM_TRY(LFM_ALLOC(&trainer->valid_loss, trainer->valid_draws * (trainer->valid.rows / config->microbatch + 1)));
  return LFM_OK;
}

/* The push has the kernels of training where its tolerance is above what they lose, 4e-6 of a velocity.  Pictures, which are
 * looked at on the way, gain nothing by them. */
static lfm_status create_carry(lfm_trainer *trainer) {
  const double least_tol = 1e-5;
  lfm_model *model = trainer->model;
  const lfm_kernels *kernels = lfm_kernels_training();
  bool pays = model->blocks > 1 && trainer->config->push_tol >= least_tol && !model->picture;
  if (pays && kernels != lfm_net_kernels(model->net)) {
    LFM_TRY(lfm_chain_net(model, kernels, false, &trainer->push_net));
    LFM_TRY(lfm_params_create_untrained(trainer->push_net, &trainer->push_params));
  }
  return lfm_carry_create(trainer->team, trainer->push_net ? trainer->push_net : model->net, false, &trainer->carry);
}

static lfm_status create_pools(lfm_trainer *trainer) {
  int64_t rows = lfm_trainer_table(trainer)->rows, valid = lfm_trainer_valid_rows(trainer);
  int64_t dim = trainer->model->normaliser->dim, givens = lfm_net_given(trainer->model->net);
  bool in_halves = trainer->config->pool_precision == LFM_POOL_FP16;
  LFM_TRY(lfm_pool_make(rows, dim, in_halves, givens, &trainer->pool));
  LFM_TRY(lfm_pool_make(valid, dim, in_halves, givens, &trainer->valid));
  LFM_TRY(LFM_ALLOC_ROWS(&trainer->push_nfe, lfm_most(rows, valid)));
  LFM_TRY(LFM_ALLOC_ROWS(&trainer->push_failed, lfm_most(rows, valid)));
  return lfm_trainer_fill_pools(trainer);
}

/* Room for every record, and for a block's last where none was due. */
static lfm_status create_records(lfm_trainer *trainer) {
  for (int n = 0; n < trainer->model->blocks; n++) {
    int64_t steps = lfm_trainer_block_steps(trainer, n);
    trainer->record_capacity += steps / lfm_record_every(steps) + 1;
  }
  return LFM_ALLOC(&trainer->records, trainer->record_capacity);
}

/* ---- the number of steps ------------------------------------------------------------------------------------ */

/* Seconds of a step, from some on the real pool: for half a second or a hundredth of the limit, and eight of them at least;
 * the weights are made anew afterwards. */
static lfm_status time_steps(lfm_trainer *trainer, double limit, double *seconds) {
  trainer->config->max_batch.count = 1;
  trainer->config->max_batch.of[0] = INT64_MAX / 2; /* for the learning rate only */
  lfm_trainer_begin_block(trainer);
  lfm_meter_phase(&trainer->meter, LFM_PHASE_TRIAL, 0, 0, 0, LEAST_TIMED_STEPS);
  LFM_TRY(lfm_trainer_step(trainer)); /* pages and caches are cold */
  double begun = lfm_seconds(), passed = 0.0;
  int steps = 0;
  for (; steps < LEAST_TIMED_STEPS || passed < fmin(0.5, 0.01 * limit); steps++) {
    if (lfm_meter_tick(&trainer->meter, lfm_least(steps, LEAST_TIMED_STEPS - 1)))
      return lfm_fail(LFM_E_INTERRUPTED, "stopped before the first step");
    LFM_TRY(lfm_trainer_step(trainer));
    passed = lfm_seconds() - begun;
  }
  *seconds = passed / steps;
  trainer->config->max_batch.count = 0;
  trainer->config->max_batch.of[0] = 0;
  trainer->step = trainer->steps_done = 0;
  trainer->train_flops = 0.0;
  return LFM_OK;
}

/* All that the chain's size and the pools' decide: work space, number of steps, rhythm. */
static lfm_status build_steps(lfm_trainer *trainer, const lfm_data_shape *shape) {
  lfm_config *config = trainer->config;
  const lfm_net *net = trainer->model->net;
  lfm_resolve_lanes(config, lfm_net_wants_factors(net), lfm_run_rows_advised(net, LFM_RUN_TRAIN));
  LFM_TRY(create_steps(trainer));
  if (!config->max_batch.count) {
    double seconds = 0.0, limit = lfm_time_limit(trainer->options->time_limit);
    LFM_TRY(time_steps(trainer, limit, &seconds));
    lfm_resolve_steps(config, shape, seconds, limit);
  }
  lfm_resolve_rhythm(config, shape);
  lfm_config_settle(config);
  lfm_config_destroy(trainer->model->config); /* the model file states the resolved one */
  trainer->model->config = NULL;
  LFM_TRY(lfm_config_copy(config, &trainer->model->config));
  return create_records(trainer);
}

/* ---- from rows, or from a lesson ---------------------------------------------------------------------------- */

static lfm_status fit_normaliser(const lfm_config *config, const lfm_table *table, lfm_normaliser **out) {
  if (table->images) return lfm_normaliser_pixels(table->cols, config->dequantise == LFM_DEQUANTISE_UNIFORM, out);
  if (table->windows) return lfm_chain_units(table->windows, out);
  return lfm_normaliser_fit((lfm_normalise)config->normalise, table, out);
}

/* The loss of a training step against means is below that of a pair's own target, whatever was learnt. */
static void warn_few(const lfm_config *config, int64_t rows) {
  if (rows < FEW_ROWS)
    lfm_note(LFM_WARNING, "%lld rows to train on are few: a network can learn them by heart; %s", (long long)rows,
             config->target_rows
                 ? "`lfm ledger RUN HELD_OUT --train DATA` says how far it has (the two losses are of different "
                   "targets: target_rows)"
                 : "compare loss and validation loss");
}

static lfm_status build(lfm_trainer *trainer, bool resumed) {
  lfm_config *config = trainer->config;
  const lfm_table *table = lfm_trainer_table(trainer);
  lfm_normaliser *normaliser;
  LFM_TRY(fit_normaliser(config, table, &normaliser));
  lfm_data_shape shape = {.rows = table->rows,
                          .dim = normaliser->dim,
                          .valid_rows = lfm_trainer_valid_rows(trainer),
                          .picture = table->images,
                          .windows = table->windows};
  lfm_status status = lfm_resolve_shape(config, &shape); /* a resolved one stays as it is */
  if (status == LFM_OK && resumed) status = lfm_resolve_agreement(config, trainer->options->config, &shape);
  if (status != LFM_OK) {
    lfm_normaliser_destroy(normaliser);
    return status;
  }
  if (trainer->options->run) warn_few(config, shape.rows); /* else they are nobody's */
  LFM_TRY(lfm_chain_create(config, table, normaliser, &trainer->model));
  LFM_TRY(create_pools(trainer));
  lfm_table_destroy(trainer->split_train); /* its rows are in the pool */
  trainer->split_train = NULL;
  LFM_TRY(create_carry(trainer));
  LFM_TRY(build_steps(trainer, &shape));
  return lfm_preview_create(trainer, &trainer->preview);
}

/* What a student learns from is there; its teacher says the rest. */
static lfm_status build_student(lfm_trainer *trainer, const lfm_model *teacher, lfm_lesson *lesson, bool resumed) {
  lfm_data_shape shape = {.rows = lesson->left.rows,
                          .taught = true,
                          .dim = lesson->left.dim,
                          .valid_rows = lesson->valid_left.rows,
                          .picture = teacher->picture,
                          .windows = teacher->windows};
  trainer->lesson = lesson;
  memcpy(trainer->data, lesson->origin, sizeof trainer->data);
  LFM_TRY(lfm_resolve_shape(trainer->config, &shape));
  if (resumed) LFM_TRY(lfm_resolve_agreement(trainer->config, trainer->options->config, &shape));
  LFM_TRY(lfm_chain_like(teacher, trainer->config, &trainer->model));
  trainer->pool = lesson->left, lesson->left = (lfm_pool){0};
  trainer->valid = lesson->valid_left, lesson->valid_left = (lfm_pool){0};
  return build_steps(trainer, &shape);
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

/* The checkpoint's state, or block 1 from its first step. */
static lfm_status enter(lfm_trainer *trainer, bool resumed) {
  bool found = false;
  if (resumed) LFM_TRY(lfm_checkpoint_read(trainer, &found));
  if (!trainer->options->run) return lfm_trainer_begin_block(trainer), LFM_OK;
  LFM_TRY(lfm_run_folder_begin(trainer->options->run, trainer->config));
  if (found) {
    lfm_trainer_enter_block(trainer);
    return lfm_run_folder_metrics(trainer);
  }
  lfm_trainer_begin_block(trainer);
  return lfm_run_folder_metrics(trainer);
}

static lfm_status check_objective(const lfm_config *config) {
  if (config->objective == LFM_OBJECTIVE_FLOW || config->objective == LFM_OBJECTIVE_MEANFLOW) return LFM_OK;
  return lfm_fail(LFM_E_USAGE,
                  "objective: residual and reflow are learnt from a teacher: lfm distill MODEL; flow and meanflow "
                  "from data");
}

/* A teacher and its lesson, or NULL and the tables of the options. */
static lfm_status create(const lfm_train_options *options, const lfm_model *teacher, lfm_lesson *lesson, lfm_trainer **out) {
  *out = NULL;
  lfm_trainer *trainer;
  bool resumed = false;
  LFM_TRY(LFM_ALLOC(&trainer, 1));
  trainer->options = options;
  lfm_meter_begin(&trainer->meter, options->progress, options->context);
  lfm_status status;
  if (options->run) LFM_TRY_GOTO(lfm_run_folder_claim(options->run, options->resume, &trainer->claim), fail);
  LFM_TRY_GOTO(lfm_trainer_configure(trainer, &resumed), fail);
  if (!lesson) LFM_TRY_GOTO(check_objective(trainer->config), fail);
  if (!lesson) LFM_TRY_GOTO(lfm_trainer_take_tables(trainer), fail);
  LFM_TRY_GOTO(lfm_team_create(options->threads, &trainer->team), fail);
  LFM_TRY_GOTO(lesson ? build_student(trainer, teacher, lesson, resumed) : build(trainer, resumed), fail);
  LFM_TRY_GOTO(enter(trainer, resumed), fail);
  if (options->run) lfm_trainer_note_memory(trainer);
  *out = trainer;
  return LFM_OK;
fail:
  if (options->run) lfm_run_folder_abandon(options->run, &trainer->claim);
  lfm_trainer_destroy(trainer);
  return status;
}

/* ---- asked beforehand --------------------------------------------------------------------------------------- */

/* A table of no windows, of these demonstrations. */
static lfm_status cut_none(const lfm_config *config, const lfm_demos *demos, lfm_table **out) {
  lfm_windows *windows;
  LFM_TRY(lfm_windows_fit(demos, lfm_chain_horizons(config), &windows));
  lfm_status status = lfm_table_make(0, windows->horizons.prediction * windows->width, out);
  if (status == LFM_OK) status = lfm_windows_alike(windows, 0, &(*out)->windows);
  lfm_windows_destroy(windows);
  return status;
}

/* The chain without its blocks.  The units of columns are not those of a training, which changes nothing in what is refused;
 * which of them vary is. */
static lfm_status plan(lfm_config *config, const lfm_table *table, int64_t rows, lfm_model **out) {
  lfm_normaliser *normaliser;
  bool is_numbers = !table->images && !table->windows;
  LFM_TRY(is_numbers ? lfm_normaliser_fit(LFM_NORMALISE_NONE, table, &normaliser)
                     : fit_normaliser(config, table, &normaliser));
  lfm_data_shape shape = {.rows = rows, .dim = normaliser->dim, .picture = table->images, .windows = table->windows};
  lfm_status status = lfm_resolve_shape(config, &shape);
  if (status == LFM_OK) return lfm_chain_plan(config, table, normaliser, out);
  lfm_normaliser_destroy(normaliser);
  return status;
}

/* By columns and kind, and what is constant. */
lfm_status lfm_trainer_check_columns(const lfm_model *model, const lfm_table *rows) {
  int64_t *place;
  if (!rows || rows->demos) return LFM_OK; /* windows are cut, and compared, when they are scored */
  LFM_TRY(LFM_ALLOC(&place, model->cols));
  lfm_status status = lfm_columns_match(model, rows, place);
  lfm_free(place);
  return status;
}

lfm_status lfm_train_check(const lfm_train_options *options, const lfm_table *scored, bool *is_scored) {
  const lfm_table *table = options->train, *valid = options->valid ? options->valid : table;
  lfm_config *config = NULL;
  lfm_table *windows = NULL;
  lfm_model *model = NULL;
  lfm_net *net = NULL;
  int64_t rows;
  lfm_status status;
  if (!table) return lfm_fail(LFM_E_USAGE, "training needs a table");
  LFM_TRY_GOTO(options->config ? lfm_config_copy(options->config, &config) : lfm_config_create(&config), done);
  LFM_TRY_GOTO(check_objective(config), done);
  LFM_TRY_GOTO(lfm_trainer_check_tables(table, options->valid), done);
  LFM_TRY_GOTO(lfm_trainer_check_kind(config, table, valid), done);
  LFM_TRY_GOTO(lfm_trainer_count_rows(options, config, &rows), done);
  if (table->demos) LFM_TRY_GOTO(cut_none(config, table->demos, &windows), done);
  LFM_TRY_GOTO(plan(config, windows ? windows : table, rows, &model), done);
  LFM_TRY_GOTO(make_net(config, model, &net), done);
  if (net != model->net) lfm_net_destroy(net);
  status = lfm_trainer_check_columns(model, scored);
  if (status != LFM_OK) status = lfm_fail(status, "the rows to score: %s", lfm_error());
  if (status != LFM_OK) goto done;
  *is_scored = lfm_trainer_has_nll(model);
done:
  lfm_model_destroy(model);
  lfm_table_destroy(windows);
  lfm_config_destroy(config);
  return status;
}

/* ---- the trainer -------------------------------------------------------------------------------------------- */

lfm_status lfm_trainer_create(const lfm_train_options *options, lfm_trainer **out) {
  LFM_TRY(lfm_trainer_check_tables(options->train, options->valid));
  LFM_TRY(lfm_time_limit_check(options->time_limit));
  return create(options, NULL, NULL, out);
}

lfm_status lfm_trainer_create_student(const lfm_train_options *options, const lfm_model *teacher, lfm_lesson *lesson,
                                      lfm_trainer **out) {
  return create(options, teacher, lesson, out);
}

lfm_model *lfm_trainer_take_model(lfm_trainer *trainer) {
  lfm_model *model = trainer->model;
  trainer->model = NULL;
  return model;
}

void lfm_trainer_destroy(lfm_trainer *trainer) {
  if (!trainer) return;
  for (int w = 0; trainer->workers && w < trainer->worker_count; w++) lfm_matching_destroy(trainer->workers[w]);
  lfm_factors_destroy(trainer->factors);
  for (int lane = 0; trainer->grads && lane < trainer->config->lanes; lane++) lfm_free(trainer->grads[lane]);
  lfm_free(trainer->workers);
  lfm_free(trainer->grads);
  lfm_free(trainer->task_loss);
  lfm_free(trainer->valid_loss);
  lfm_pool_release(&trainer->pool);
  lfm_pool_release(&trainer->valid);
  lfm_free(trainer->push_nfe);
  lfm_free(trainer->push_failed);
  lfm_free(trainer->records);
  lfm_preview_destroy(trainer->preview);
  lfm_carry_destroy(trainer->carry);
  lfm_optim_destroy(trainer->optim);
  lfm_params_destroy(trainer->params);
  lfm_params_destroy(trainer->average);
  lfm_params_destroy(trainer->push_params);
  lfm_net_destroy(trainer->own_net);
  lfm_net_destroy(trainer->push_net);
  lfm_model_destroy(trainer->model);
  lfm_team_destroy(trainer->team);
  lfm_table_destroy(trainer->split_train);
  lfm_table_destroy(trainer->split_valid);
  lfm_config_destroy(trainer->config);
  lfm_run_folder_release(&trainer->claim);
  lfm_free(trainer);
}
