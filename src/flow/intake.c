/* SPDX-License-Identifier: MIT
 *
 * intake.c -- the rows of a training run: from the caller's tables to the pools that steps draw from.
 *   the two parts   a tenth held out, unless validation rows were given; demonstrations cut into windows, in the units of
 *                   those to train on; what cannot be learnt from is refused, what means little is warned of
 *   into the pools  through the normaliser in single precision, with what is given of each row
 * What is held out follows from the seed and a row's number alone, so a resumed run has the same tenth without a list in its
 * checkpoint.  The last tenth of the table was refused: tables are often in an order that means something.
 * Nothing is mended in silence: a value that is not finite, or a column that varies in the held-out tenth alone, is the
 * caller's to settle.
 */
#include "flow/trainer.h"

#include "core/alloc.h"
#include "core/order.h"
#include "data/outliers.h"
#include "data/pixels.h"
#include "data/redundancy.h"
#include "flow/columns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VALID_POOL_ROWS = 10000, LEAST_EQUAL = 5 };

/* ---- the two parts ------------------------------------------------------------------------------------------ */

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

static lfm_status check_pictures(const lfm_images *train, const lfm_images *valid) {
  if (!train || !valid || lfm_images_same_shape(train, valid)) return LFM_OK;
  return lfm_fail(LFM_E_DATA,
                  "the validation pictures are %lld x %lld of %lld channels, the training pictures %lld x %lld of %lld; read "
                  "them alike (--size)",
                  (long long)valid->width, (long long)valid->height, (long long)valid->channels, (long long)train->width,
                  (long long)train->height, (long long)train->channels);
}

lfm_status lfm_trainer_check_tables(const lfm_table *table, const lfm_table *valid) {
  if (table->rows < 2) return lfm_fail(LFM_E_DATA, "one row is too few to train on");
  if (valid) LFM_TRY(check_pictures(table->images, valid->images));
  if (valid && valid->cols != table->cols)
    return lfm_fail(LFM_E_DATA, "the validation table has %lld column%s, the training table %lld", (long long)valid->cols,
                    valid->cols == 1 ? "" : "s", (long long)table->cols);
  if (valid && valid->rows < 1) return lfm_fail(LFM_E_DATA, "the validation table has no rows");
  LFM_TRY(lfm_table_check_finite("the training table", table, "drop or mend the row"));
  return valid ? lfm_table_check_finite("the validation table", valid, "drop or mend the row") : LFM_OK;
}

const lfm_table *lfm_trainer_table(const lfm_trainer *trainer) {
  return trainer->split_train ? trainer->split_train : trainer->options->train;
}

/* Demonstrations become tables of windows, in the units of those to train on. */
static lfm_status cut_windows(lfm_trainer *trainer) {
  const lfm_table *train = lfm_trainer_table(trainer), *valid = trainer->valid_table;
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

/* Labels may skip numbers: what is asked of such a class later is of nothing. */
static void warn_of_empty(const lfm_table *train) {
  int64_t classes = lfm_table_classes(train), pictures[LFM_MOST_CLASSES] = {0}, empty = 0, first = -1;
  for (int64_t i = 0; i < train->rows; i++) pictures[lfm_table_labels(train)[i]]++;
  for (int64_t k = classes - 1; k >= 0; k--)
    if (!pictures[k]) empty++, first = k;
  if (empty)
    lfm_note(LFM_WARNING,
             "conditional: %lld of the %lld classes, '%s' for one, have no training picture, and samples of them are "
             "of nothing that was learnt",
             (long long)empty, (long long)classes, lfm_table_class(train, first));
}

/* Of what the configuration says that classes are shown, which a resumed run's own does. */
lfm_status lfm_trainer_check_kind(const lfm_config *config, const lfm_table *train, const lfm_table *valid) {
  LFM_TRY(lfm_chain_check_network(config, train->images, train->demos));
  if (!config->conditional) return LFM_OK;
  if (!lfm_table_labels(train) || !lfm_table_labels(valid))
    return lfm_fail(LFM_E_DATA,
                    "conditional: the %s have no classes; labels are read from the file beside the pictures, or are the "
                    "folders that they lie in",
                    lfm_table_labels(train) ? "validation data" : "data");
  int64_t stranger = lfm_images_find_stranger(train->images, valid->images);
  if (stranger >= 0)
    return lfm_fail(LFM_E_DATA,
                    "conditional: picture %lld of the validation data is of class '%s', which is none of the %lld of the "
                    "training data",
                    (long long)stranger + 1, lfm_table_class(valid, lfm_table_labels(valid)[stranger]),
                    (long long)lfm_table_classes(train));
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
    bool by_chance = share * (double)table->rows < LEAST_EQUAL - 0.5; /* of few rows, written with few digits */
    if (share <= 0.01 || share == 1.0 || by_chance) continue;
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
  return lfm_redundancy_warn(table->values, table->rows, table->cols, table->names, NULL, advice);
}

static bool have_same_columns(const lfm_table *a, const lfm_table *b) {
  bool same = a->cols == b->cols;
  for (int64_t j = 0; same && j < a->cols; j++) same = strcmp(a->names[j], b->names[j]) == 0;
  return same;
}

/* Validation rows of the caller's that are among those to train on, as where one file is named twice. */
static lfm_status warn_shared(const lfm_trainer *trainer) {
  const lfm_table *train = trainer->options->train, *valid = trainer->options->valid;
  int64_t shared, copies;
  if (!valid || valid->images || valid->demos || !have_same_columns(train, valid)) return LFM_OK;
  if (train->cols < 2 || train->rows > LFM_MOST_COMPARED_ROWS) return LFM_OK; /* numbers of one column meet by chance */
  LFM_TRY(lfm_shared_rows(train->values, train->rows, valid->values, valid->rows, train->cols, &shared));
  if (shared * 100 < valid->rows) return LFM_OK;
  LFM_TRY(lfm_redundant_rows(train->values, train->rows, train->cols, NULL, &copies)); /* and so do rounded rows */
  if ((double)shared / (double)valid->rows > 2.0 * (double)copies / (double)train->rows + 0.01)
    lfm_note(
        LFM_WARNING,
        "%lld of the %lld validation rows are also among those to train on: their loss says less, and nothing of what is "
        "learnt by heart; give others, or none, and a tenth is held out",
        (long long)shared, (long long)valid->rows);
  return LFM_OK;
}

/* The rows to train on and to validate by, checked, and warned about. */
lfm_status lfm_trainer_take_tables(lfm_trainer *trainer) {
  const lfm_train_options *options = trainer->options;
  if (!options->valid) LFM_TRY(hold_out(trainer, options->train));
  trainer->valid_table = options->valid ? options->valid : trainer->split_valid;
  LFM_TRY(cut_windows(trainer));
  LFM_TRY(lfm_trainer_check_kind(trainer->config, options->train, trainer->valid_table));
  if (trainer->config->conditional) warn_of_empty(options->train);
  if (!options->run || options->train->images || options->train->demos) return LFM_OK; /* nobody asks for a density */
  LFM_TRY(warn_discrete(lfm_trainer_table(trainer)));
  if (trainer->config->normalise != LFM_NORMALISE_NONE) LFM_TRY(lfm_outliers_check(options->train));
  LFM_TRY(warn_shared(trainer));
  return warn_redundant(trainer);
}

/* Of the training part of the options' table, under the run's configuration: rows, or windows of demonstrations. */
lfm_status lfm_trainer_count_rows(const lfm_train_options *options, lfm_config *config, int64_t *rows) {
  const lfm_table *table = options->train;
  lfm_trainer split = {.options = options, .config = config};
  *rows = options->valid ? table->rows : table->rows - table->rows / 10;
  if (!table->demos) return LFM_OK;
  lfm_status status = options->valid ? LFM_OK : hold_out(&split, table);
  if (status == LFM_OK) *rows = lfm_windows_count(lfm_trainer_table(&split)->demos, lfm_chain_horizons(config));
  lfm_table_destroy(split.split_train);
  lfm_table_destroy(split.split_valid);
  return status;
}

/* ---- into the pools ----------------------------------------------------------------------------------------- */

/* Where a grey level is taken for a step, each picture has its place in it from the seed, for good: the blocks behind learn
 * from what was pushed, and that is this.  A class is the training data's of its name: folders number theirs by themselves.
 */
static void fill_with_pictures(const lfm_trainer *trainer, const lfm_images *images, int64_t count, float *z,
                               lfm_pool *pool) {
  const lfm_config *config = trainer->model->config;
  lfm_pixels how = {.dequantise = config->dequantise == LFM_DEQUANTISE_UNIFORM, .seed = config->seed};
  int32_t of[LFM_MOST_CLASSES];
  lfm_images_match_classes(lfm_trainer_table(trainer)->images, images, of);
  for (int64_t i = 0; i < count; i++) {
    int64_t from = lfm_spaced(i, images->count, count);
    lfm_pixels_to_row(images, from, &how, z);
    lfm_pool_put(pool, i, z);
    if (pool->given) pool->given[i] = (float)of[images->labels[from]];
  }
  pool->rows = count;
}

/* Chunks of actions, and what is given of them. */
static void fill_with_windows(const lfm_model *model, const lfm_table *table, int64_t count, double *y, float *z,
                              lfm_pool *pool) {
  size_t given = (size_t)pool->givens;
  for (int64_t i = 0; i < count; i++) {
    int64_t row = lfm_spaced(i, table->rows, count);
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
    int64_t row = lfm_spaced(i, table->rows, count);
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
    fill_with_pictures(trainer, table->images, count, z, pool);
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

int64_t lfm_trainer_valid_rows(const lfm_trainer *trainer) {
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

static lfm_status beyond(const lfm_model *model, const lfm_pool *pool, int64_t line, int64_t j) {
  bool is_of_a_column = model->names && !lfm_normaliser_mixes(model->normaliser);
  return lfm_fail(LFM_E_DATA, "row %lld%s%s%s: in the flow's units it is beyond what %s hold; %s", (long long)line,
                  is_of_a_column ? ", column '" : "", is_of_a_column ? model->names[model->normaliser->varying[j]] : "",
                  is_of_a_column ? "'" : "", pool->halves ? "halves (pool_precision: fp16)" : "floats",
                  model->normaliser->kind == LFM_NORMALISE_NONE ? "set normalise=standardise, or rescale the column"
                                                                : "is the row an error?");
}

/* Rows to train on that would be infinities, or be cut down to the largest half. */
static lfm_status check_reach(const lfm_trainer *trainer, const lfm_table *table, float *room) {
  const lfm_pool *pool = &trainer->pool;
  const float most = pool->halves ? 65504.0F : INFINITY;
  for (int64_t i = 0; i < pool->rows; i++) {
    const float *x = lfm_pool_row(pool, i, room);
    for (int64_t j = 0; j < pool->dim; j++)
      if (!(fabsf(x[j]) < most)) return beyond(trainer->model, pool, lfm_table_number(table, i) + 1, j);
  }
  return LFM_OK;
}

lfm_status lfm_trainer_fill_pools(lfm_trainer *trainer) {
  const lfm_table *table = lfm_trainer_table(trainer);
  float *room;
  LFM_TRY(check_split(trainer));
  LFM_TRY(lfm_trainer_fill_pool(trainer, table, table->rows, &trainer->pool));
  LFM_TRY(LFM_ALLOC(&room, trainer->pool.dim));
  lfm_status reached = check_reach(trainer, table, room);
  lfm_free(room);
  LFM_TRY(reached);
  lfm_status status = lfm_trainer_fill_pool(trainer, trainer->valid_table, lfm_trainer_valid_rows(trainer), &trainer->valid);
  return status == LFM_OK ? LFM_OK : lfm_fail(status, "the validation table: %s", lfm_error());
}
