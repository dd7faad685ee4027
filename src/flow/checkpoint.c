/* SPDX-License-Identifier: MIT
 *
 * checkpoint.c -- the whole state of a training run, to one file and back.
 *
 *   RUN/checkpoint/state.safetensors   finished blocks, the block at work (weights, moments, average, best), the place on
 *                                      the path, running means, records
 *   RUN/checkpoint/pool-N.safetensors  the rows that block N starts from; written once, before the state that refers to it
 *
 * No state of a random generator: there is none.  The pool of block 0 is the data, given again.  Each file is written
 * under another name, synced and renamed, the pool before the state and the old pool removed after it, so that a crash at
 * any point leaves a state whose pool is there.
 */
#include "flow/trainer.h"

#include "core/alloc.h"
#include "core/file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is not a weight: numbers below 2^53, so doubles hold them all exactly. */
typedef struct place {
  double block, step, steps_done, seconds;
  double best_loss, best_step, last_valid;
  double loss_sum, loss_count, shown_loss, grad_norm;
  double train_flops, push_flops, rows_dropped, optim_steps;
  double pool_rows, valid_rows;
} place;
enum { PLACE_NUMBERS = sizeof(place) / sizeof(double) };

static lfm_status checkpoint_path(const char *run, const char *name, char out[LFM_PATH_SIZE]) {
  char folder[LFM_PATH_SIZE];
  LFM_TRY(lfm_path_join(folder, sizeof folder, run, "checkpoint"));
  return lfm_path_join(out, LFM_PATH_SIZE, folder, name);
}

static lfm_status pool_path(const lfm_trainer *trainer, int block, char out[LFM_PATH_SIZE]) {
  char name[48];
  snprintf(name, sizeof name, "pool-%d.safetensors", block);
  return checkpoint_path(trainer->options->run, name, out);
}

/* Training starts from the table; a pool that was carried is in a file. */
static bool has_pool_file(const lfm_trainer *trainer, int block) {
  return block > 0 && block < trainer->model->blocks && trainer->config->pool == LFM_POOL_PUSHED;
}

/* What decides the bits besides configuration and data. */
static void identity(const lfm_trainer *trainer, char out[512]) {
  const lfm_net *push = trainer->push_net ? trainer->push_net : trainer->model->net;
  snprintf(out, 512, "lfm %s, %s; push: %s; %s", LFM_VERSION, lfm_kernels_identity(lfm_net_kernels(trainer->net)),
           lfm_kernels_identity(lfm_net_kernels(push)), __VERSION__);
}

/* Names, shapes and values of the training rows, and of the validation rows where they were given: the same must come back.
 */
static void hash_rows(const lfm_train_options *options, char out[LFM_FINGERPRINT]) {
  uint64_t hash = lfm_fingerprint_table(lfm_fingerprint_begin(), options->train);
  if (options->valid) hash = lfm_fingerprint_table(hash, options->valid);
  lfm_fingerprint_end(hash, out);
}

/* Worked out once: a table may be larger than memory. */
static const char *fingerprint(lfm_trainer *trainer) {
  if (!*trainer->data) hash_rows(trainer->options, trainer->data);
  return trainer->data;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

static place place_of(const lfm_trainer *t) {
  return (place){
      .block = t->block,
      .step = (double)t->step,
      .steps_done = (double)t->steps_done,
      .seconds = t->seconds_before + lfm_seconds() - t->meter.begun,
      .best_loss = t->best_loss,
      .best_step = (double)t->best_step,
      .last_valid = t->last_valid,
      .loss_sum = t->loss_sum,
      .loss_count = (double)t->loss_count,
      .shown_loss = t->meter.at.loss,
      .grad_norm = t->grad_norm,
      .train_flops = t->train_flops,
      .push_flops = t->push_flops,
      .rows_dropped = (double)t->rows_dropped,
      .optim_steps = (double)lfm_optim_steps(t->optim),
      .pool_rows = (double)t->pool.rows,
      .valid_rows = (double)t->valid.rows,
  };
}

static lfm_status add_state(lfm_trainer *trainer, const place *at, lfm_archive *archive) {
  const lfm_net *net = trainer->net; /* of what moves; what is kept is the model's */
  char text[512];
  identity(trainer, text);
  LFM_TRY(lfm_chain_describe(trainer->model, archive));
  LFM_TRY(lfm_archive_meta(archive, "identity", text));
  LFM_TRY(lfm_archive_meta(archive, "data", fingerprint(trainer)));
  for (int n = 0; n < trainer->block; n++) LFM_TRY(lfm_chain_add_block(trainer->model, n, archive));
  LFM_TRY(lfm_chain_add_vector(net, "params.", lfm_params_values(trainer->params), archive));
  LFM_TRY(lfm_chain_add_vector(net, "first_moment.", lfm_optim_first_moment(trainer->optim), archive));
  LFM_TRY(lfm_chain_add_vector(net, "second_moment.", lfm_optim_second_moment(trainer->optim), archive));
  if (trainer->average) LFM_TRY(lfm_chain_add_vector(net, "ema.", lfm_optim_ema(trainer->optim), archive));
  if (lfm_trainer_has_best(trainer))
    LFM_TRY(lfm_chain_add_vector(trainer->model->net, "best.", lfm_params_values(trainer->model->params[trainer->block]),
                                 archive));
  LFM_TRY(lfm_archive_add(archive, "place", LFM_F64, 1, (int64_t[]){PLACE_NUMBERS}, at));
  return lfm_archive_add(archive, "records", LFM_F64, 2, (int64_t[]){trainer->record_count, LFM_RECORD_NUMBERS},
                         trainer->records);
}

lfm_status lfm_checkpoint_write(lfm_trainer *trainer) {
  char path[LFM_PATH_SIZE];
  place at = place_of(trainer);
  lfm_archive *archive;
  LFM_TRY(checkpoint_path(trainer->options->run, "state.safetensors", path));
  LFM_TRY(lfm_archive_create(&archive));
  lfm_status status = add_state(trainer, &at, archive);
  if (status == LFM_OK) status = lfm_archive_write(archive, path);
  lfm_archive_destroy(archive);
  LFM_TRY(status);
  if (!has_pool_file(trainer, trainer->block - 1)) return LFM_OK;
  LFM_TRY(pool_path(trainer, trainer->block - 1, path)); /* no state refers to it any more */
  return lfm_file_remove(path);
}

static lfm_status add_pool(const lfm_pool *pool, const char *rows, const char *given, lfm_archive *archive) {
  LFM_TRY(
      lfm_archive_add(archive, rows, lfm_pool_dtype(pool), 2, (int64_t[]){pool->rows, pool->dim}, lfm_pool_numbers(pool)));
  if (!pool->given) return LFM_OK;
  return lfm_archive_add(archive, given, LFM_F32, 2, (int64_t[]){pool->rows, pool->givens}, pool->given);
}

lfm_status lfm_checkpoint_write_pool(lfm_trainer *trainer) {
  if (!has_pool_file(trainer, trainer->block)) return LFM_OK;
  char path[LFM_PATH_SIZE];
  lfm_archive *archive;
  LFM_TRY(pool_path(trainer, trainer->block, path));
  LFM_TRY(lfm_archive_create(&archive));
  lfm_status status = add_pool(&trainer->pool, "pool", "pool_given", archive);
  if (status == LFM_OK) status = add_pool(&trainer->valid, "valid", "valid_given", archive);
  if (status == LFM_OK) status = lfm_archive_write(archive, path);
  lfm_archive_destroy(archive);
  return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

/* The state's archive, or NULL when there is none. */
static lfm_status open_state(const char *run, lfm_archive **out) {
  char path[LFM_PATH_SIZE];
  *out = NULL;
  LFM_TRY(checkpoint_path(run, "state.safetensors", path));
  return lfm_path_exists(path) ? lfm_archive_open(path, out) : LFM_OK;
}

bool lfm_checkpoint_exists(const char *run) {
  char path[LFM_PATH_SIZE];
  return run && checkpoint_path(run, "state.safetensors", path) == LFM_OK && lfm_path_exists(path);
}

lfm_status lfm_checkpoint_config(const char *run, lfm_config **out) {
  *out = NULL;
  lfm_archive *archive;
  LFM_TRY(open_state(run, &archive));
  if (!archive) return LFM_OK;
  const char *text = lfm_archive_meta_find(archive, "config");
  lfm_status status =
      text ? lfm_config_create(out) : lfm_fail(LFM_E_FORMAT, "%s: is not a checkpoint", lfm_archive_path(archive));
  if (status == LFM_OK) status = lfm_config_parse(*out, text, strlen(text), lfm_archive_path(archive));
  if (status == LFM_OK) lfm_config_settle(*out);
  lfm_archive_destroy(archive);
  return status;
}

static lfm_status check_rows(const lfm_archive *archive, const char *here, bool taught) {
  const char *then = lfm_archive_meta_find(archive, "data");
  if (then && strcmp(then, here) == 0) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s: was %s; give the same %s, or begin another run", lfm_archive_path(archive),
                  taught ? "taught by another model than this" : "trained on other rows than these",
                  taught ? "model" : "data");
}

lfm_status lfm_checkpoint_check_rows(const lfm_train_options *options) {
  char here[LFM_FINGERPRINT];
  lfm_archive *archive;
  LFM_TRY(open_state(options->run, &archive));
  if (!archive) return LFM_OK;
  hash_rows(options, here);
  lfm_status status = check_rows(archive, here, false);
  lfm_archive_destroy(archive);
  return status;
}

static lfm_status check_origin(lfm_trainer *trainer, const lfm_archive *archive) {
  char here[512];
  identity(trainer, here);
  const char *then = lfm_archive_meta_find(archive, "identity");
  LFM_TRY(check_rows(archive, fingerprint(trainer), trainer->lesson != NULL));
  if ((!then || strcmp(then, here) != 0) && !trainer->options->allow_drift)
    return lfm_fail(
        LFM_E_UNSUPPORTED,
        "%s: was made by '%s', this is '%s': the result would differ in the last bits; --allow-drift resumes all the same",
        lfm_archive_path(archive), then ? then : "unknown", here);
  return LFM_OK;
}

static lfm_status bad_place(const lfm_archive *archive) {
  return lfm_fail(LFM_E_FORMAT, "%s: its place on the path makes no sense; the file was altered", lfm_archive_path(archive));
}

/* A whole number that an int64_t holds: casts of anything else are undefined. */
static bool is_count(double number) { return number >= 0.0 && number <= 9007199254740992.0 && floor(number) == number; }

static lfm_status read_place(lfm_trainer *t, const lfm_archive *archive) {
  const lfm_tensor *tensor;
  place at;
  LFM_TRY(lfm_archive_require(archive, "place", LFM_F64, 1, (int64_t[]){PLACE_NUMBERS}, &tensor));
  memcpy(&at, tensor->data, sizeof at);
  bool counts = is_count(at.steps_done) && is_count(at.best_step) && is_count(at.loss_count) && is_count(at.rows_dropped) &&
                is_count(at.optim_steps);
  bool fits = counts && at.block >= 0 && at.block < t->model->blocks && at.step >= 0 &&
              at.step <= (double)lfm_trainer_block_steps(t, (int)at.block) && at.pool_rows >= 1 &&
              at.pool_rows <= (double)t->pool.rows && at.valid_rows >= 0 && at.valid_rows <= (double)t->valid.rows;
  if (!fits) return bad_place(archive);
  t->block = (int)at.block;
  t->step = (int64_t)at.step;
  t->steps_done = (int64_t)at.steps_done;
  t->seconds_before = at.seconds;
  t->best_loss = at.best_loss;
  t->best_step = (int64_t)at.best_step;
  t->last_valid = t->meter.at.valid_loss = at.last_valid;
  t->loss_sum = at.loss_sum, t->loss_count = (int64_t)at.loss_count;
  t->meter.at.loss = at.shown_loss;
  t->grad_norm = at.grad_norm;
  t->train_flops = at.train_flops, t->push_flops = at.push_flops;
  t->rows_dropped = (int64_t)at.rows_dropped;
  t->pool.rows = (int64_t)at.pool_rows, t->valid.rows = (int64_t)at.valid_rows;
  lfm_optim_set_steps(t->optim, (int64_t)at.optim_steps);
  return LFM_OK;
}

static lfm_status read_records(lfm_trainer *trainer, const lfm_archive *archive) {
  const lfm_tensor *tensor = lfm_archive_find(archive, "records");
  bool fits = tensor && tensor->dtype == LFM_F64 && tensor->dims == 2 && tensor->shape[1] == LFM_RECORD_NUMBERS &&
              tensor->shape[0] <= trainer->record_capacity;
  if (!fits) return lfm_fail(LFM_E_FORMAT, "%s: tensor 'records' is missing or of another shape", lfm_archive_path(archive));
  trainer->record_count = tensor->shape[0];
  memcpy(trainer->records, tensor->data, (size_t)trainer->record_count * sizeof *trainer->records);
  return LFM_OK;
}

static lfm_status read_params(const lfm_net *net, const char *prefix, const lfm_archive *archive, lfm_params *params) {
  LFM_TRY(lfm_chain_read_vector(net, prefix, archive, lfm_params_data(params)));
  lfm_params_pack(params);
  return LFM_OK;
}

static lfm_status read_weights(lfm_trainer *trainer, const lfm_archive *archive) {
  const lfm_net *net = trainer->net;
  for (int n = 0; n < trainer->block; n++) LFM_TRY(lfm_chain_read_block(trainer->model, n, archive));
  LFM_TRY(read_params(net, "params.", archive, trainer->params));
  LFM_TRY(lfm_chain_read_vector(net, "first_moment.", archive, lfm_optim_first_moment(trainer->optim)));
  LFM_TRY(lfm_chain_read_vector(net, "second_moment.", archive, lfm_optim_second_moment(trainer->optim)));
  if (trainer->average) LFM_TRY(lfm_chain_read_vector(net, "ema.", archive, lfm_optim_ema(trainer->optim)));
  if (lfm_trainer_has_best(trainer))
    LFM_TRY(read_params(trainer->model->net, "best.", archive, trainer->model->params[trainer->block]));
  return LFM_OK;
}

static lfm_status take_pool(const lfm_archive *archive, const char *rows, const char *given, lfm_pool *pool) {
  const lfm_tensor *numbers, *beside;
  LFM_TRY(lfm_archive_require(archive, rows, lfm_pool_dtype(pool), 2, (int64_t[]){pool->rows, pool->dim}, &numbers));
  memcpy(lfm_pool_numbers(pool), numbers->data, (size_t)(pool->rows * pool->dim) * lfm_pool_number_size(pool));
  if (!pool->given) return LFM_OK;
  LFM_TRY(lfm_archive_require(archive, given, LFM_F32, 2, (int64_t[]){pool->rows, pool->givens}, &beside));
  memcpy(pool->given, beside->data, (size_t)(pool->rows * pool->givens) * sizeof *pool->given);
  return LFM_OK;
}

static lfm_status read_pool(lfm_trainer *trainer) {
  if (!has_pool_file(trainer, trainer->block)) return LFM_OK;
  char path[LFM_PATH_SIZE];
  lfm_archive *archive;
  LFM_TRY(pool_path(trainer, trainer->block, path));
  LFM_TRY(lfm_archive_open(path, &archive));
  lfm_status status = take_pool(archive, "pool", "pool_given", &trainer->pool);
  if (status == LFM_OK) status = take_pool(archive, "valid", "valid_given", &trainer->valid);
  lfm_archive_destroy(archive);
  return status;
}

lfm_status lfm_checkpoint_read(lfm_trainer *trainer, bool *found) {
  lfm_archive *archive;
  LFM_TRY(open_state(trainer->options->run, &archive));
  *found = archive != NULL;
  if (!archive) return LFM_OK;
  lfm_status status = check_origin(trainer, archive);
  if (status == LFM_OK) status = read_place(trainer, archive);
  if (status == LFM_OK) status = read_weights(trainer, archive);
  if (status == LFM_OK) status = read_records(trainer, archive);
  lfm_archive_destroy(archive);
  return status == LFM_OK ? read_pool(trainer) : status;
}
