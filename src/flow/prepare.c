/* SPDX-License-Identifier: MIT
 *
 * prepare.c -- from options to a trainer that stands before its first step.
 *   1. hold out a tenth, unless validation rows were given; cut demonstrations into windows
 *   2. fit the normaliser on the training rows
 *   3. resolve the configuration: shape, network, speed
 *   4. make the chain, the workers, the first pool
 *   5. read the checkpoint, or begin block 1
 */
#include "flow/trainer.h"

#include "core/alloc.h"
#include "core/file.h"
#include "data/pixels.h"
#include "data/redundancy.h"
#include "flow/columns.h"
#include "flow/resolve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FEW_ROWS = 200, VALID_POOL_ROWS = 10000, LEAST_TIMED_STEPS = 8 };

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

int64_t lfm_trainer_block_steps(const lfm_trainer *trainer, int block) {
  const lfm_config *config = trainer->config;
  return config->max_batch.of[config->max_batch.count > 1 ? block : 0];
}

/* ---- the rows ----------------------------------------------------------------------------------------------- */

/* A tenth of the rows (of demonstrations, of the episodes), by a permutation that the seed names; both parts keep the table's
 * order. */
static lfm_status hold_out(lfm_trainer *trainer, const lfm_table *table) {
  int64_t rows = lfm_table_units(table), held = rows / 10;
  if (held < 1)
    return lfm_fail(LFM_E_DATA, "%lld %s are too few to train on: at least 10 are needed, some hundreds to learn anything",
                    (long long)rows, table->demos ? "episodes" : "rows");
  int64_t *train = NULL, *valid = NULL, trained = 0, validated = 0;
  lfm_rng rng = {.seed = trainer->config->seed, .purpose = LFM_FOR_SPLIT};
  lfm_status status = LFM_ALLOC_ROWS(&train, rows);
  if (status == LFM_OK) status = LFM_ALLOC_ROWS(&valid, rows);
  for (int64_t i = 0; status == LFM_OK && i < rows; i++)
    if (lfm_rng_permute(&rng, 0, rows, i) < held) valid[validated++] = i;
    else train[trained++] = i;
  if (status == LFM_OK) status = lfm_table_take(table, train, trained, &trainer->split_train);
  if (status == LFM_OK) status = lfm_table_take(table, valid, validated, &trainer->split_valid);
  lfm_free(train);
  lfm_free(valid);
  return status;
}

static lfm_status check_table(const lfm_table *table, const lfm_table *valid) {
  if (table->rows < 2) return lfm_fail(LFM_E_DATA, "one row is too few to train on");
  if (valid && valid->cols != table->cols)
    return lfm_fail(LFM_E_DATA, "the validation table has %lld column%s, the training table %lld", (long long)valid->cols,
                    valid->cols == 1 ? "" : "s", (long long)table->cols);
  if (valid && valid->rows < 1) return lfm_fail(LFM_E_DATA, "the validation table has no rows");
  LFM_TRY(lfm_table_check_finite("the training table", table, "drop or mend the row"));
  return valid ? lfm_table_check_finite("the validation table", valid, "drop or mend the row") : LFM_OK;
}

static const lfm_table *train_table(const lfm_trainer *trainer) {
  return trainer->split_train ? trainer->split_train : trainer->options->train;
}

/* Demonstrations become tables of windows, in the units of those to train on. */
static lfm_status cut_windows(lfm_trainer *trainer) {
  const lfm_table *train = train_table(trainer), *valid = trainer->valid_table;
  lfm_windows *windows;
  lfm_table *cut[2] = {NULL, NULL};
  if (!train->demos && !valid->demos) return LFM_OK;
  if (!train->demos || !valid->demos)
    return lfm_fail(LFM_E_DATA, "the %s data are demonstrations, the others are not",
                    train->demos ? "training" : "validation");
  LFM_TRY(lfm_windows_fit(train->demos, lfm_chain_horizons(trainer->config), &windows));
  lfm_status status = lfm_windows_cut(windows, train->demos, &cut[0]);
  if (status == LFM_OK) status = lfm_windows_cut(windows, valid->demos, &cut[1]);
  lfm_windows_destroy(windows);
  if (status != LFM_OK) {
    lfm_table_destroy(cut[0]);
    return status;
  }
  lfm_table_destroy(trainer->split_train);
  lfm_table_destroy(trainer->split_valid);
  trainer->split_train = cut[0];
  trainer->valid_table = trainer->split_valid = cut[1];
  return LFM_OK;
}

/* Of what the configuration says that classes are shown, which a resumed run's own does. */
static lfm_status check_classes(const lfm_trainer *trainer) {
  const lfm_table *train = trainer->options->train, *valid = trainer->valid_table;
  if (!trainer->config->conditional) return LFM_OK;
  if (!lfm_table_labels(train) || !lfm_table_labels(valid))
    return lfm_fail(LFM_E_DATA,
                    "conditional: the %s have no classes; labels are read from the file beside the pictures, or are the "
                    "folders that they lie in",
                    lfm_table_labels(train) ? "validation data" : "data");
  for (int64_t i = 0; i < valid->rows; i++)
    if (lfm_table_labels(valid)[i] >= lfm_table_classes(train))
      return lfm_fail(LFM_E_DATA, "conditional: picture %lld of the validation data is of class %d; the data have 0 to %lld",
                      (long long)i + 1, lfm_table_labels(valid)[i], (long long)lfm_table_classes(train) - 1);
  return LFM_OK;
}

/* A density of a column that repeats its values is not one: its NLL falls without bound as the model sharpens. */
static lfm_status warn_discrete(const lfm_table *table) {
  char names[512] = "";
  size_t used = 0;
  int count = 0;
  for (int64_t j = 0; j < table->cols; j++) {
    double share;
    LFM_TRY(lfm_table_share_equal(table, j, &share));
    bool all_differ = share * (double)table->rows < 1.5;
    if (share <= 0.01 || share == 1.0 || all_differ) continue;
    int length =
        snprintf(names + used, sizeof names - used, "%s%s (%.3g %%)", count ? ", " : "", table->names[j], 100.0 * share);
    if (length > 0 && used + (size_t)length < sizeof names) used += (size_t)length;
    else names[used] = 0;
    count++;
  }
  if (count)
    lfm_note(LFM_WARNING,
             "%d column%s with over 1 %% of equal values: %s; the NLL of such a table means little (add noise within "
             "the resolution, or --drop)",
             count, count > 1 ? "s" : "", names);
  return LFM_OK;
}

/* Of the whole table, since a copy on either side of the split is no less one. */
static lfm_status warn_redundant(const lfm_trainer *trainer) {
  const lfm_table *table = trainer->options->train;
  const char *advice = trainer->options->valid ? "a network learns them by heart; keep one of each"
                                               : "held-out rows have been seen in training; keep one of each";
  return lfm_redundancy_warn(table->values, table->rows, table->cols, table->names, advice);
}

static int64_t spaced(int64_t i, int64_t rows, int64_t count) { return (int64_t)((double)i * (double)rows / (double)count); }

/* Where a grey level is taken for a step, each picture has its place in it from the seed, for good: the blocks behind learn
 * from what was pushed, and that is this. */
static void fill_with_pictures(const lfm_model *model, const lfm_images *images, int64_t count, float *z, lfm_pool *pool) {
  lfm_pixels how = {.dequantise = model->config->dequantise == LFM_DEQUANTISE_UNIFORM, .seed = model->config->seed};
  for (int64_t i = 0; i < count; i++) {
    int64_t from = spaced(i, images->count, count);
    lfm_pixels_to_row(images, from, &how, z);
    lfm_pool_put(pool, i, z);
    if (pool->given) pool->given[i] = (float)images->labels[from];
  }
  pool->rows = count;
}

/* Chunks of actions, and what is given of them. */
static void fill_with_windows(const lfm_model *model, const lfm_table *table, int64_t count, double *y, float *z,
                              lfm_pool *pool) {
  size_t given = (size_t)pool->givens;
  for (int64_t i = 0; i < count; i++) {
    int64_t row = spaced(i, table->rows, count);
    lfm_normaliser_apply(model->normaliser, table->values + row * table->cols, y);
    for (int64_t j = 0; j < pool->dim; j++) z[j] = (float)y[j];
    lfm_pool_put(pool, i, z);
    memcpy(pool->given + (size_t)i * given, table->windows->given + (size_t)row * given, given * sizeof *pool->given);
  }
  pool->rows = count;
}

/* `count` evenly spaced rows of the table through the normaliser, in single precision: x [cols], y and z [dim] are scratch.
 */
static void normalise_rows(const lfm_model *model, const lfm_table *table, const int64_t *place, int64_t count, double *x,
                           double *y, float *z, lfm_pool *pool) {
  int64_t dim = model->normaliser->dim;
  for (int64_t i = 0; i < count; i++) {
    int64_t row = spaced(i, table->rows, count);
    for (int64_t j = 0; j < model->cols; j++) x[j] = table->values[row * table->cols + place[j]];
    lfm_normaliser_apply(model->normaliser, x, y);
    for (int64_t j = 0; j < dim; j++) z[j] = (float)y[j];
    lfm_pool_put(pool, i, z);
  }
  pool->rows = count;
}

/* Columns go by their names, as when the model is scored: validation rows may have them in another order. */
lfm_status lfm_trainer_fill_pool(const lfm_trainer *trainer, const lfm_table *table, int64_t count, lfm_pool *pool) {
  const lfm_model *model = trainer->model;
  int64_t *place = NULL;
  double *x = NULL, *y = NULL;
  float *z = NULL;
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&z, pool->dim), done);
  if (model->picture) {
    LFM_TRY_GOTO(lfm_columns_match(model, table, NULL), done);
    fill_with_pictures(model, table->images, count, z, pool);
    goto done;
  }
  LFM_TRY_GOTO(LFM_ALLOC(&place, model->cols), done);
  LFM_TRY_GOTO(LFM_ALLOC(&x, model->cols), done);
  LFM_TRY_GOTO(LFM_ALLOC(&y, model->normaliser->dim), done);
  LFM_TRY_GOTO(lfm_columns_match(model, table, place), done);
  if (model->windows) fill_with_windows(model, table, count, y, z, pool);
  else normalise_rows(model, table, place, count, x, y, z, pool);
done:
  lfm_free(z);
  lfm_free(place);
  lfm_free(x);
  lfm_free(y);
  return status;
}

static int64_t valid_pool_rows(const lfm_trainer *trainer) {
  return trainer->valid_table->rows < VALID_POOL_ROWS ? trainer->valid_table->rows : VALID_POOL_ROWS;
}

/* A column that varies in the held-out tenth alone: that is an accident of the split, and the caller's to settle. */
static lfm_status check_split(const lfm_trainer *trainer) {
  const lfm_table *table = trainer->options->train;
  const lfm_model *model = trainer->model;
  int64_t row, col;
  if (!trainer->split_valid || model->picture || model->windows) return LFM_OK;
  if (!lfm_columns_find_change(model, table, NULL, &row, &col)) return LFM_OK;
  return lfm_fail(
      LFM_E_DATA,
      "row %lld: column '%s' is %.9g, and %.9g in every row that is not held out for validation: leave the column "
      "out (--drop), or give validation rows of your own (--valid)",
      (long long)lfm_table_number(table, row) + 1, model->names[col], table->values[row * table->cols + col],
      model->normaliser->constant[col]);
}

static lfm_status fill_pools(lfm_trainer *trainer) {
  const lfm_table *table = train_table(trainer);
  LFM_TRY(check_split(trainer));
  LFM_TRY(lfm_trainer_fill_pool(trainer, table, table->rows, &trainer->pool));
  lfm_status status = lfm_trainer_fill_pool(trainer, trainer->valid_table, valid_pool_rows(trainer), &trainer->valid);
  return status == LFM_OK ? LFM_OK : lfm_fail(status, "the validation table: %s", lfm_error());
}

/* ---- the configuration -------------------------------------------------------------------------------------- */

/* A run that was stopped before its first checkpoint has left its resolved configuration: it is the run that was meant. */
static lfm_status config_of_folder(const char *run, lfm_config **out) {
  char path[4096];
  LFM_TRY(lfm_path_join(path, sizeof path, run, "config.yaml"));
  if (!lfm_path_exists(path)) {
    lfm_note(LFM_NOTE, "%s: there is no run to go on with; a new one begins", run);
    return LFM_OK;
  }
  lfm_note(LFM_NOTE, "%s: has no checkpoint yet; its run begins again, by its config.yaml", run);
  LFM_TRY(lfm_config_create(out));
  return lfm_config_load(*out, path);
}

/* A resumed run keeps its resolved configuration. */
static lfm_status copy_config(lfm_trainer *trainer, bool *resumed) {
  const lfm_train_options *options = trainer->options;
  const lfm_config *given = options->config;
  *resumed = false;
  if (options->resume) LFM_TRY(lfm_checkpoint_config(options->run, &trainer->config));
  if (options->resume && !trainer->config) LFM_TRY(config_of_folder(options->run, &trainer->config));
  *resumed = trainer->config != NULL;
  if (*resumed && options->time_limit > 0.0)
    lfm_note(LFM_NOTE, "the time limit is left out of account: a run's steps are chosen when it begins");
  if (*resumed) return LFM_OK;
  return given ? lfm_config_copy(given, &trainer->config) : lfm_config_create(&trainer->config);
}

/* Of the training part of the options' table, under the run's configuration: rows, or windows of demonstrations. */
static lfm_status count_training_rows(const lfm_train_options *options, lfm_config *config, int64_t *rows) {
  const lfm_table *table = options->train;
  lfm_trainer split = {.options = options, .config = config};
  *rows = options->valid ? table->rows : table->rows - table->rows / 10;
  if (!table->demos) return LFM_OK;
  lfm_status status = options->valid ? LFM_OK : hold_out(&split, table);
  if (status == LFM_OK) *rows = lfm_windows_count(train_table(&split)->demos, lfm_chain_horizons(config));
  lfm_table_destroy(split.split_train);
  lfm_table_destroy(split.split_valid);
  return status;
}

/* A finished run as well: to ask for more batches, or for other rows, and to be told "finished" would mislead. */
lfm_status lfm_trainer_check_finished(const lfm_train_options *options) {
  lfm_model *model;
  LFM_TRY(lfm_checkpoint_check_rows(options));
  LFM_TRY(lfm_model_load(options->run, &model));
  lfm_data_shape shape = {.dim = model->normaliser->dim, .picture = options->train->images, .windows = model->windows};
  lfm_status status = count_training_rows(options, model->config, &shape.rows);
  if (status == LFM_OK) status = lfm_resolve_agreement(model->config, options->config, &shape);
  lfm_model_destroy(model);
  return status;
}

lfm_status lfm_trainer_check_taught(const lfm_model *student, const lfm_config *asked, int64_t rows) {
  lfm_data_shape shape = {
      .rows = rows, .dim = student->normaliser->dim, .picture = student->picture, .windows = student->windows};
  return lfm_resolve_agreement(student->config, asked, &shape);
}

/* ---- the work space ----------------------------------------------------------------------------------------- */

/* Steps in bf16 have a network of their own, whose masters are floats like the model's; and so have mean velocities, with a
 * span. */
static lfm_status create_net(lfm_trainer *trainer) {
  const lfm_config *config = trainer->config;
  const lfm_kernels *kernels = lfm_kernels_best();
  bool halves = config->precision == LFM_PRECISION_BF16, span = config->objective == LFM_OBJECTIVE_MEANFLOW;
  trainer->net = trainer->model->net;
  if (halves) LFM_TRY(lfm_kernels_bf16(&kernels));
  return halves || span ? lfm_chain_net(trainer->model, kernels, span, &trainer->net) : LFM_OK;
}

static lfm_status create_steps(lfm_trainer *trainer) {
  LFM_TRY(create_net(trainer));
  const lfm_config *config = trainer->config;
  const lfm_net *net = trainer->net;
  lfm_optim_config optim;
  LFM_TRY(LFM_ALLOC(&trainer->workers, lfm_team_size(trainer->team)));
  for (int w = 0; w < lfm_team_size(trainer->team); w++) {
    LFM_TRY(lfm_matching_create(net, LFM_RUN_TRAIN, config->microbatch, &trainer->workers[w]));
    if (config->target_rows) LFM_TRY(lfm_matching_average(trainer->workers[w], config->target_rows));
  }
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
  LFM_TRY(LFM_ALLOC(&trainer->lane_loss, config->lanes));
  for (int lane = 0; lane < config->lanes; lane++) LFM_TRY(LFM_ALLOC(&trainer->grads[lane], lfm_net_param_count(net)));
  LFM_TRY(LFM_ALLOC(&trainer->valid_loss, trainer->valid.rows / config->microbatch + 1));
  return LFM_OK;
}

static lfm_status create_pools(lfm_trainer *trainer) {
  int64_t rows = train_table(trainer)->rows, valid = valid_pool_rows(trainer), dim = trainer->model->normaliser->dim;
  int64_t givens = lfm_net_given(trainer->model->net);
  bool in_halves = trainer->config->pool_precision == LFM_POOL_FP16;
  LFM_TRY(lfm_pool_make(rows, dim, in_halves, givens, &trainer->pool));
  LFM_TRY(lfm_pool_make(valid, dim, in_halves, givens, &trainer->valid));
  LFM_TRY(LFM_ALLOC_ROWS(&trainer->push_nfe, most(rows, valid)));
  LFM_TRY(LFM_ALLOC_ROWS(&trainer->push_failed, most(rows, valid)));
  return fill_pools(trainer);
}

/* Room for every record, and for a block's last where none was due. */
static lfm_status create_records(lfm_trainer *trainer) {
  for (int n = 0; n < trainer->model->blocks; n++) {
    int64_t steps = lfm_trainer_block_steps(trainer, n);
    trainer->record_capacity += steps / lfm_record_every(steps) + 1;
  }
  return LFM_ALLOC(&trainer->records, trainer->record_capacity);
}

/* Seconds of a step, from some on the real pool, for half a second but a hundredth of the limit at most; the weights are made
 * anew afterwards. */
static lfm_status time_steps(lfm_trainer *trainer, double limit, double *seconds) {
  trainer->config->max_batch.count = 1;
  trainer->config->max_batch.of[0] = INT64_MAX / 2; /* for the learning rate only */
  lfm_trainer_begin_block(trainer);
  LFM_TRY(lfm_trainer_step(trainer)); /* pages and caches are cold */
  double begun = lfm_seconds(), passed = 0.0;
  int steps = 0;
  for (; steps < LEAST_TIMED_STEPS || passed < fmin(0.5, 0.01 * limit); steps++) {
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

static lfm_status fit_normaliser(const lfm_config *config, const lfm_table *table, lfm_normaliser **out) {
  if (table->images) return lfm_normaliser_pixels(table->cols, config->dequantise == LFM_DEQUANTISE_UNIFORM, out);
  if (table->windows) return lfm_chain_units(table->windows, out);
  return lfm_normaliser_fit((lfm_normalise)config->normalise, table, out);
}

/* All that the chain's size and the pools' decide: work space, number of steps, rhythm. */
static lfm_status build_steps(lfm_trainer *trainer, const lfm_data_shape *shape) {
  lfm_config *config = trainer->config;
  lfm_resolve_lanes(config, lfm_run_rows_advised(trainer->model->net, LFM_RUN_TRAIN));
  LFM_TRY(create_steps(trainer));
  if (!config->max_batch.count) {
    double seconds, limit = trainer->options->time_limit > 0.0 ? trainer->options->time_limit : 600.0;
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
  const lfm_table *table = train_table(trainer);
  lfm_normaliser *normaliser;
  LFM_TRY(fit_normaliser(config, table, &normaliser));
  lfm_data_shape shape = {.rows = table->rows,
                          .dim = normaliser->dim,
                          .valid_rows = valid_pool_rows(trainer),
                          .picture = table->images,
                          .windows = table->windows};
  lfm_status status = lfm_resolve_shape(config, &shape); /* a resolved one stays as it is */
  if (status == LFM_OK && resumed) status = lfm_resolve_agreement(config, trainer->options->config, &shape);
  if (status != LFM_OK) {
    lfm_normaliser_destroy(normaliser);
    return status;
  }
  warn_few(config, shape.rows);
  LFM_TRY(lfm_chain_create(config, table, normaliser, &trainer->model));
  LFM_TRY(create_pools(trainer));
  lfm_table_destroy(trainer->split_train); /* its rows are in the pool */
  trainer->split_train = NULL;
  LFM_TRY(lfm_carry_create(trainer->team, trainer->model->net, false, &trainer->carry));
  LFM_TRY(build_steps(trainer, &shape));
  return lfm_preview_create(trainer, &trainer->preview);
}

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

/* The rows to train on and to validate by, checked, and warned about. */
static lfm_status take_tables(lfm_trainer *trainer) {
  const lfm_train_options *options = trainer->options;
  if (!options->valid) LFM_TRY(hold_out(trainer, options->train));
  trainer->valid_table = options->valid ? options->valid : trainer->split_valid;
  LFM_TRY(cut_windows(trainer));
  LFM_TRY(check_classes(trainer));
  if (!options->run || options->train->images || options->train->demos) return LFM_OK; /* nobody asks for a density */
  LFM_TRY(warn_discrete(train_table(trainer)));
  return warn_redundant(trainer);
}

/* What a student learns from is there; its teacher says the rest. */
static lfm_status build_student(lfm_trainer *trainer, const lfm_model *teacher, lfm_lesson *lesson, bool resumed) {
  lfm_data_shape shape = {.rows = lesson->left.rows,
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
  if (options->run) LFM_TRY_GOTO(lfm_run_folder_claim(options->run, options->resume, &trainer->lock), fail);
  LFM_TRY_GOTO(copy_config(trainer, &resumed), fail);
  if (!lesson) LFM_TRY_GOTO(check_objective(trainer->config), fail);
  if (!lesson) LFM_TRY_GOTO(take_tables(trainer), fail);
  LFM_TRY_GOTO(lfm_team_create(options->threads, &trainer->team), fail);
  LFM_TRY_GOTO(lesson ? build_student(trainer, teacher, lesson, resumed) : build(trainer, resumed), fail);
  LFM_TRY_GOTO(enter(trainer, resumed), fail);
  if (options->run) lfm_trainer_note_memory(trainer);
  *out = trainer;
  return LFM_OK;
fail:
  if (trainer->lock > 0) lfm_run_folder_abandon(options->run);
  lfm_trainer_destroy(trainer);
  return status;
}

lfm_status lfm_trainer_create(const lfm_train_options *options, lfm_trainer **out) {
  LFM_TRY(check_table(options->train, options->valid));
  return create(options, NULL, NULL, out);
}

lfm_status lfm_trainer_create_student(const lfm_train_options *options, const lfm_model *teacher, lfm_lesson *lesson,
                                      lfm_trainer **out) {
  return create(options, teacher, lesson, out);
}

lfm_model *lfm_trainer_take_model(lfm_trainer *trainer) {
  lfm_model *model = trainer->model;
  if (trainer->net != model->net) lfm_net_destroy(trainer->net);
  trainer->model = NULL;
  return model;
}

void lfm_trainer_destroy(lfm_trainer *trainer) {
  if (!trainer) return;
  for (int w = 0; trainer->workers && w < lfm_team_size(trainer->team); w++) lfm_matching_destroy(trainer->workers[w]);
  for (int lane = 0; trainer->grads && lane < trainer->config->lanes; lane++) lfm_free(trainer->grads[lane]);
  lfm_free(trainer->workers);
  lfm_free(trainer->grads);
  lfm_free(trainer->lane_loss);
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
  if (trainer->model && trainer->net != trainer->model->net) lfm_net_destroy(trainer->net);
  lfm_model_destroy(trainer->model);
  lfm_team_destroy(trainer->team);
  lfm_table_destroy(trainer->split_train);
  lfm_table_destroy(trainer->split_valid);
  lfm_config_destroy(trainer->config);
  lfm_run_folder_release(trainer->lock);
  lfm_free(trainer);
}
