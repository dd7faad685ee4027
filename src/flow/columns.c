/* SPDX-License-Identifier: MIT
 *
 * columns.c -- see columns.h.
 */
#include "flow/columns.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/order.h"
#include "data/pixels.h"
#include "data/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool lfm_columns_find_change(const lfm_model *model, const lfm_table *table, const int64_t *place, int64_t *row,
                             int64_t *col) {
  const lfm_normaliser *normaliser = model->normaliser;
  for (int64_t j = 0, k = 0; j < model->cols; j++) {
    if (k < normaliser->dim && normaliser->varying[k] == j) {
      k++;
      continue;
    }
    for (*col = j, *row = 0; *row < table->rows; ++*row)
      if (table->values[*row * table->cols + (place ? place[j] : j)] != normaliser->constant[j]) return true;
  }
  return false;
}

static lfm_status check_constants(const lfm_model *model, const lfm_table *table, const int64_t *place) {
  int64_t row, col;
  if (!lfm_columns_find_change(model, table, place, &row, &col)) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "row %lld: column '%s' is %.9g, but was always %.9g in training: its density is zero there",
                  (long long)lfm_table_number(table, row) + 1, model->names[col],
                  table->values[row * table->cols + place[col]], model->normaliser->constant[col]);
}

/* A table without names may be in the order of the file that was learnt from, or in the model's own: of what the model drew,
 * say. */
static lfm_status ambiguous(const char *whose, char *const *names, int64_t cols) {
  char list[300];
  return lfm_fail(
      LFM_E_DATA,
      "the table's columns have no names, and those of %s are %s: whether they lie there in this order cannot be "
      "told; name them in a CSV or, where they lie as in the file that was learnt from, choose them as then (--columns)",
      whose, lfm_quote_list(names, cols, list, sizeof list));
}

/* place [cols] of the wanted names in the table; `whose` columns they are, for error lines. */
static lfm_status match(const char *whose, char *const *names, int64_t cols, const lfm_table *table, int64_t *place) {
  const char *missing = NULL;
  int64_t found = 0;
  bool is_moved = false;
  for (int64_t j = 0; j < cols; j++) {
    place[j] = lfm_table_find(table, names[j]);
    found += place[j] >= 0;
    is_moved |= place[j] != j;
    if (place[j] < 0 && !missing) missing = names[j];
  }
  if (!table->is_named && table->cols == cols) {
    if (!missing && is_moved) return ambiguous(whose, names, cols);
    found = 0;
  }
  if (missing && table->cols != cols)
    return lfm_fail(LFM_E_DATA, "%s has %lld column%s, the table %lld, and none of them is called '%s'", whose,
                    (long long)cols, cols == 1 ? "" : "s", (long long)table->cols, missing);
  if (missing && found)
    return lfm_fail(LFM_E_DATA, "the table has some columns of %s, but none called '%s'; rename the one that it is", whose,
                    missing);
  if (missing)
    lfm_note(LFM_NOTE, "no column of the table is named as in %s ('%s', ...): taken in their order", whose, missing);
  for (int64_t j = 0; missing && j < cols; j++) place[j] = j;
  return LFM_OK;
}

static lfm_status match_pictures(const lfm_images *model, const lfm_images *table) {
  if (table && lfm_images_same_shape(table, model)) return LFM_OK;
  char shape[64] = "columns of numbers";
  if (table)
    snprintf(shape, sizeof shape, "pictures of %lld x %lld x %lld", (long long)table->channels, (long long)table->height,
             (long long)table->width);
  return lfm_fail(LFM_E_DATA, "the model is of pictures of %lld x %lld x %lld (channels, height, width), the data are %s%s",
                  (long long)model->channels, (long long)model->height, (long long)model->width, shape,
                  table && model->height == model->width ? "; --size scales them" : "");
}

static lfm_status match_windows(const lfm_model *model, const lfm_table *table) {
  if (table->windows) return lfm_windows_compare(model->windows, table->windows, "the table");
  return lfm_fail(LFM_E_DATA, "the model is a policy, of actions given observations; the data are %s, not demonstrations",
                  table->images ? "pictures" : "columns of numbers");
}

lfm_status lfm_columns_match(const lfm_model *model, const lfm_table *table, int64_t *place) {
  if (model->windows) {
    for (int64_t j = 0; j < model->cols && place; j++) place[j] = j;
    return match_windows(model, table);
  }
  if (table->images && !model->picture)
    return lfm_fail(LFM_E_DATA, "the model is of %lld columns of numbers, the data are pictures", (long long)model->cols);
  if (model->picture) return match_pictures(model->picture, table->images);
  LFM_TRY(match("the model", model->names, model->cols, table, place));
  return check_constants(model, table, place);
}

/* in_density [table's cols] |= `bit` where the model, which matches the table, has a density. */
static lfm_status mark_density(const lfm_model *model, const lfm_table *table, int bit, uint8_t *in_density) {
  const lfm_normaliser *normaliser = model->normaliser;
  int64_t *place;
  LFM_TRY(LFM_ALLOC(&place, model->cols));
  lfm_status status = match("the model", model->names, model->cols, table, place);
  for (int64_t k = 0; status == LFM_OK && k < normaliser->dim; k++) in_density[place[normaliser->varying[k]]] |= (uint8_t)bit;
  lfm_free(place);
  return status;
}

/* As many windows are cut of an episode as it takes to act through it. */
static lfm_status compare_windows(const lfm_model *a, const lfm_model *b) {
  int64_t first = a->windows->horizons.action, second = b->windows->horizons.action;
  if (first == second) return LFM_OK;
  return lfm_fail(LFM_E_DATA,
                  "action_horizon: %lld of the first model, %lld of the second; densities of other windows do not compare",
                  (long long)first, (long long)second);
}

lfm_status lfm_columns_compare(const lfm_model *a, const lfm_model *b, const lfm_table *table) {
  uint8_t *in_density;
  if (table->images) return LFM_OK; /* what matches them is all of them */
  if (table->windows) return compare_windows(a, b);
  LFM_TRY(LFM_ALLOC(&in_density, table->cols));
  lfm_status status = mark_density(a, table, 1, in_density);
  if (status == LFM_OK) status = mark_density(b, table, 2, in_density);
  for (int64_t j = 0; j < table->cols && status == LFM_OK; j++)
    if (in_density[j] == 1 || in_density[j] == 2)
      status = lfm_fail(LFM_E_DATA,
                        "column '%s' is in the density of the %s model only; densities over other columns do not compare",
                        table->names[j], in_density[j] == 1 ? "first" : "second");
  lfm_free(in_density);
  return status;
}

lfm_status lfm_columns_match_border(const lfm_model *model, const lfm_table *table, int64_t *place) {
  if (table->images)
    return lfm_fail(LFM_E_DATA, "rows of a border are numbers, as lfm push writes them to .npy, not pictures");
  if (model->picture && table->cols == model->cols) { /* so many need no names */
    for (int64_t j = 0; j < table->cols; j++) place[j] = j;
    return LFM_OK;
  }
  lfm_table *border; /* for its names */
  LFM_TRY(lfm_table_make(0, model->normaliser->dim, &border));
  lfm_status status = match("a border of the model", border->names, border->cols, table, place);
  lfm_table_destroy(border);
  return status;
}

/* Column k of those that vary spreads so far; W^-1 is [dim, dim] and its rows are of unit variance. */
static double spread(const lfm_normaliser *normaliser, int64_t k) {
  double squares = 0;
  for (int64_t i = 0; i < normaliser->dim; i++) squares += pow(normaliser->inverse[i * normaliser->dim + k], 2);
  return sqrt(squares);
}

/* The network computes in single precision: behind a hundred-millionth of a column's spread its digits say nothing, though
 * a data file may have had all the digits of a double.  Where none are recorded, those up to there are written if the column
 * is far from zero: nine digits of a time in seconds since 1970 would leave nothing of the spread of an hour. */
static int fit_decimals(const lfm_normaliser *normaliser, int64_t k, int recorded) {
  if (normaliser->kind == LFM_NORMALISE_NONE) return recorded;
  double sd = spread(normaliser, k);
  int most = (int)fmin(fmax(0, 8 - floor(log10(sd))), LFM_DECIMALS_MAX);
  bool is_far = fabs(normaliser->mean[k]) > sd;
  return recorded > most || (recorded < 0 && is_far) ? most : recorded;
}

/* Constants come back as they were. */
static void set_decimals(const lfm_model *model, int *decimals) {
  const lfm_normaliser *normaliser = model->normaliser;
  for (int64_t j = 0; j < model->cols; j++) decimals[j] = model->decimals[j] < 0 ? LFM_AS_DOUBLE : model->decimals[j];
  for (int64_t k = 0; k < normaliser->dim; k++) {
    int64_t j = normaliser->varying[k];
    decimals[j] = fit_decimals(normaliser, k, model->decimals[j]);
  }
}

static lfm_status make_pictures(const lfm_images *like, int64_t rows, lfm_table **out) {
  lfm_images *images;
  LFM_TRY(lfm_images_make(rows, like->channels, like->height, like->width, &images));
  return lfm_table_of_images(images, out);
}

/* A row is a chunk in the data's numbers: column xJ.K is number J of the action at its step K. */
static lfm_status make_actions(const lfm_windows *w, int64_t rows, int64_t extra, lfm_table **out) {
  LFM_TRY(lfm_table_make(rows, w->horizons.prediction * w->action_dim + extra, out));
  for (int64_t j = 0; j < w->horizons.prediction * w->action_dim; j++) {
    char name[48];
    snprintf(name, sizeof name, "x%lld.%lld", (long long)(j % w->action_dim), (long long)(j / w->action_dim));
    lfm_status status = lfm_table_rename(*out, j, name);
    if (status != LFM_OK) return lfm_table_destroy(*out), *out = NULL, status;
  }
  return LFM_OK;
}

lfm_status lfm_columns_make(const lfm_model *model, int64_t rows, int64_t extra, lfm_table **out) {
  lfm_table *table;
  *out = NULL;
  if (model->picture) return make_pictures(model->picture, rows, out);
  if (model->windows) return make_actions(model->windows, rows, extra, out);
  LFM_TRY(lfm_table_make(rows, model->cols + extra, &table));
  for (int64_t j = 0; j < model->cols; j++) {
    lfm_status status = lfm_table_rename(table, j, model->names[j]);
    if (status != LFM_OK) return lfm_table_destroy(table), status;
  }
  set_decimals(model, table->decimals);
  *out = table;
  return LFM_OK;
}

lfm_status lfm_columns_choose(const lfm_table *table, int64_t wanted, int64_t **row, int64_t *count) {
  if (table->rows < 1) return lfm_fail(LFM_E_DATA, "the table has no rows to score");
  if (wanted < 0) return lfm_fail(LFM_E_USAGE, "rows: %lld is below 1", (long long)wanted);
  LFM_TRY(lfm_table_check_finite("the table", table, "drop or mend the row"));
  *count = wanted && wanted < table->rows ? wanted : table->rows;
  LFM_TRY(LFM_ALLOC(row, *count));
  for (int64_t i = 0; i < *count; i++) (*row)[i] = lfm_spaced(i, table->rows, *count);
  return LFM_OK;
}

/* So many more than the rows that are left, or than all that were read. */
static bool has_surplus(const lfm_table *group, const lfm_table *table, int64_t surplus) {
  int64_t rows = group->rows - surplus;
  return rows == table->rows || (table->number && rows == table->read);
}

/* Of a CSV: one row too many or too few, where its first line was taken for what it is not. */
static void blame_first_line(const lfm_table *group, const lfm_table *table, char *taken, char *advice, size_t room) {
  char name[LFM_QUOTE_MAX];
  bool is_text = group->path && (lfm_path_ends_with(group->path, ".csv") || lfm_path_ends_with(group->path, ".csv.gz"));
  taken[0] = 0;
  snprintf(advice, room, "one for each is needed");
  if (is_text && !group->is_named && has_surplus(group, table, 1)) {
    snprintf(taken, room, " (its first line was taken for one)");
    snprintf(advice, room, "if that line is the column's name, put a letter into it");
  } else if (is_text && group->is_named && has_surplus(group, table, -1)) {
    snprintf(taken, room, " (its first line, %s, was taken for a name)",
             lfm_quote(group->names[0], strlen(group->names[0]), name));
    snprintf(advice, room, "if that line is a cluster, put a name above it");
  }
}

static lfm_status refuse_group(const lfm_table *group, const lfm_table *table) {
  char all[64] = "", taken[128], advice[128];
  const char *name = group->path ? group->path : "group";
  if (group->images) return lfm_fail(LFM_E_DATA, "%s: holds pictures; one column of numbers or words is needed", name);
  if (group->cols != 1)
    return lfm_fail(LFM_E_DATA, "%s: has %lld columns; the clusters are one", name, (long long)group->cols);
  if (table->number && table->read != table->rows)
    snprintf(all, sizeof all, " (of %lld that were read)", (long long)table->read);
  blame_first_line(group, table, taken, advice, sizeof taken);
  return lfm_fail(LFM_E_DATA, "%s: has %lld clusters%s, the data %lld rows%s; %s", name, (long long)group->rows, taken,
                  (long long)table->rows, all, advice);
}

lfm_status lfm_columns_group(const lfm_table *group, const lfm_table *table, const int64_t *row, int64_t count,
                             double **out) {
  if (group->images || group->cols != 1 || !lfm_table_is_beside(group, table)) return refuse_group(group, table);
  LFM_TRY(LFM_ALLOC(out, count));
  for (int64_t i = 0; i < count; i++) (*out)[i] = group->values[lfm_table_row_beside(group, table, row[i])];
  return LFM_OK;
}

static void put_picture(const lfm_model *model, const double *y, uint8_t *pixels) {
  enum { CHUNK = 256 };
  bool dequantised = model->config->dequantise == LFM_DEQUANTISE_UNIFORM;
  for (int64_t j = 0; j < model->cols; j += CHUNK) {
    float part[CHUNK];
    int64_t count = model->cols - j < CHUNK ? model->cols - j : CHUNK;
    for (int64_t k = 0; k < count; k++) part[k] = (float)y[j + k];
    lfm_pixels_from_row(part, (size_t)count, dequantised, pixels + j);
  }
}

static void put_actions(const lfm_model *model, const double *y, double *actions) {
  const lfm_windows *w = model->windows;
  for (int64_t k = 0; k < w->horizons.prediction; k++, y += w->width, actions += w->action_dim)
    lfm_windows_action(w, y, actions);
}

void lfm_columns_put(const lfm_model *model, const double *y, lfm_table *table, int64_t row) {
  if (table->images) put_picture(model, y, table->images->pixels + row * model->cols);
  else if (model->windows) put_actions(model, y, table->values + row * table->cols);
  else lfm_normaliser_invert(model->normaliser, y, table->values + row * table->cols);
}

/* Grey levels as numbers; where the model takes a level for a step, each picture at its own place in it, always the same. */
static lfm_status gather_pictures(const lfm_model *model, const lfm_images *images, const int64_t *rows, int64_t count,
                                  double **x) {
  float *row;
  lfm_pixels how = {.dequantise = model->config->dequantise == LFM_DEQUANTISE_UNIFORM};
  LFM_TRY(match_pictures(model->picture, images));
  LFM_TRY(LFM_ALLOC(&row, model->cols));
  lfm_status status = LFM_ALLOC_ROWS(x, count * model->cols);
  for (int64_t i = 0; status == LFM_OK && i < count; i++) {
    lfm_pixels_to_row(images, rows[i], &how, row);
    for (int64_t j = 0; j < model->cols; j++) (*x)[i * model->cols + j] = ((double)row[j] + 1.0) / model->normaliser->scale;
  }
  lfm_free(row);
  return status;
}

lfm_status lfm_columns_gather(const lfm_model *model, const lfm_table *table, const int64_t *rows, int64_t count,
                              double **x) {
  int64_t *place;
  if (model->picture) return gather_pictures(model, table->images, rows, count, x);
  LFM_TRY(LFM_ALLOC(&place, model->cols));
  lfm_status status = lfm_columns_match(model, table, place);
  if (status == LFM_OK) status = LFM_ALLOC_ROWS(x, count * model->cols);
  for (int64_t i = 0; status == LFM_OK && i < count; i++)
    for (int64_t j = 0; j < model->cols; j++) (*x)[i * model->cols + j] = table->values[rows[i] * table->cols + place[j]];
  lfm_free(place);
  return status;
}

lfm_status lfm_columns_windows(const lfm_model *model, const lfm_table *table, lfm_table **out) {
  *out = NULL;
  return model->windows && table->demos ? lfm_windows_cut(model->windows, table->demos, out) : LFM_OK;
}

lfm_status lfm_columns_given(const lfm_model *model, const lfm_table *table, const int64_t *rows, int64_t count,
                             float **given) {
  *given = NULL;
  if (!model->windows) return LFM_OK;
  LFM_TRY(match_windows(model, table));
  size_t each = (size_t)lfm_net_given(model->net);
  LFM_TRY(LFM_ALLOC_ROWS(given, (size_t)count * each));
  for (int64_t i = 0; i < count; i++)
    memcpy(*given + (size_t)i * each, table->windows->given + (size_t)rows[i] * each, each * sizeof **given);
  return LFM_OK;
}
