/* SPDX-License-Identifier: MIT
 *
 * states.c -- see states.h.
 */
#include "distill/states.h"

#include "core/alloc.h"
#include "flow/columns.h"

#include <stdio.h>
#include <string.h>

void lfm_states_release(lfm_states *states) {
  for (int n = 0; n <= LFM_MAX_BLOCKS; n++) lfm_pool_release(&states->border[n]);
  states->rows = 0;
}

void lfm_states_origin(const lfm_model *teacher, const lfm_states_options *options, char out[LFM_FINGERPRINT]) {
  const lfm_solve *solve = &options->solve;
  double numbers[] = {(double)options->split, (double)options->rows,      (double)options->seed, (double)options->in_halves,
                      options->guidance,      (double)solve->fixed_steps, (double)solve->solver, solve->tol,
                      (double)solve->crowds};
  uint64_t hash = lfm_fingerprint_model(lfm_fingerprint_begin(), teacher);
  hash = lfm_fingerprint_bytes(hash, numbers, sizeof numbers);
  if (options->given) hash = lfm_fingerprint_table(hash, options->given);
  lfm_fingerprint_end(hash, out);
}

lfm_part lfm_part_of(int split, int number) {
  int piece = (number - 1) % split;
  return (lfm_part){.block = (number - 1) / split, .span = {(piece + 1.0) / split, (double)piece / split}};
}

/* ---- recording ---------------------------------------------------------------------------------------------- */

static lfm_status draw_noise(const lfm_states_options *options, lfm_pool *pool) {
  float *z;
  lfm_rng rng = {.seed = options->seed, .purpose = LFM_FOR_TEACHER};
  LFM_TRY(LFM_ALLOC(&z, pool->dim));
  for (int64_t i = 0; i < pool->rows; i++) {
    lfm_rng_normal(&rng, i, z, (size_t)pool->dim);
    lfm_pool_put(pool, i, z);
  }
  lfm_free(z);
  return LFM_OK;
}

/* What the teacher is given of each row: the windows of the demonstrations, or the classes, one after the other. */
static lfm_status fill_given(const lfm_model *teacher, const lfm_states_options *options, lfm_pool *pool) {
  int64_t classes = lfm_model_classes(teacher), count = 0, *row = NULL;
  lfm_table *windows = NULL;
  float *of = NULL;
  size_t givens = (size_t)pool->givens;
  if (!teacher->windows) {
    for (int64_t i = 0; i < pool->rows && classes; i++) pool->given[i] = (float)(i % classes);
    return LFM_OK;
  }
  LFM_TRY(lfm_columns_windows(teacher, options->given, &windows));
  lfm_status status = lfm_columns_choose(windows, 0, &row, &count);
  if (status == LFM_OK) status = lfm_columns_given(teacher, windows, row, count, &of);
  for (int64_t i = 0; status == LFM_OK && i < pool->rows; i++)
    memcpy(pool->given + (size_t)i * givens, of + (size_t)(i % count) * givens, givens * sizeof *of);
  lfm_free(of);
  lfm_free(row);
  lfm_table_destroy(windows);
  return status;
}

static lfm_status make_borders(const lfm_model *teacher, const lfm_states_options *options, lfm_states *s) {
  for (int n = 0; n <= s->parts; n++)
    LFM_TRY(lfm_pool_make(options->rows, teacher->normaliser->dim, options->in_halves, n ? 0 : lfm_net_given(teacher->net),
                          &s->border[n]));
  LFM_TRY(draw_noise(options, &s->border[s->parts]));
  return fill_given(teacher, options, &s->border[0]);
}

/* A row that failed anywhere is a row nowhere: the borders' rows belong together. */
static void drop_failed(lfm_states *s, const uint8_t *failed) {
  int64_t kept = 0;
  for (int64_t i = 0; i < s->rows; i++) {
    if (failed[i]) continue;
    for (int n = 0; n <= s->parts; n++) lfm_pool_move(&s->border[n], kept, i);
    kept++;
  }
  for (int n = 0; n <= s->parts; n++) s->border[n].rows = kept;
  s->rows = kept;
}

lfm_status lfm_states_do_without(int64_t lost, int64_t rows, const char *solve) {
  if ((double)lost > 1e-3 * (double)rows)
    return lfm_fail(LFM_E_NUMERIC, "%s failed for %lld of %lld rows, more than 0.1 %%: it cannot teach", solve,
                    (long long)lost, (long long)rows);
  if (lost)
    lfm_note(LFM_WARNING, "%s failed for %lld of %lld rows, which were dropped", solve, (long long)lost, (long long)rows);
  return LFM_OK;
}

static lfm_status through_blocks(const lfm_model *teacher, const lfm_states_options *options, lfm_carry *carry,
                                 uint8_t *failed, int64_t *nfe, lfm_meter *meter, lfm_states *s) {
  size_t bytes = (size_t)(s->rows * s->border[0].dim) * lfm_pool_number_size(&s->border[0]);
  double passes = lfm_carry_passes(s->border[0].given, options->guidance);
  for (int n = s->parts - 1; n >= 0; n--) {
    lfm_part part = lfm_part_of(options->split, n + 1);
    lfm_path path = lfm_solve_path(&options->solve, teacher, part.block, part.span.right, part.span.left);
    lfm_pool *to = &s->border[n];
    memcpy(lfm_pool_numbers(to), lfm_pool_numbers(&s->border[n + 1]), bytes);
    lfm_rows rows = {.count = s->rows,
                     .f16 = to->halves,
                     .f32 = to->values,
                     .failed = failed,
                     .nfe = nfe,
                     .given = s->border[0].given,
                     .guidance = options->guidance};
    lfm_meter_phase(meter, LFM_PHASE_SAMPLE, s->parts - n, s->parts, 0, s->rows);
    LFM_TRY(lfm_carry_rows(carry, teacher->params[part.block], &path, &rows, meter));
  }
  for (int64_t i = 0; i < s->rows; i++) s->evaluations += passes * (double)nfe[i];
  return LFM_OK;
}

lfm_status lfm_states_record(const lfm_model *teacher, const lfm_states_options *options, lfm_carry *carry, lfm_meter *meter,
                             lfm_states *out) {
  uint8_t *failed = NULL;
  int64_t *nfe = NULL;
  lfm_status status;
  double begun = lfm_seconds();
  *out = (lfm_states){.parts = teacher->blocks * options->split, .rows = options->rows, .drawn = options->rows};
  lfm_states_origin(teacher, options, out->origin);
  LFM_TRY(make_borders(teacher, options, out));
  LFM_TRY_GOTO(LFM_ALLOC_ROWS(&failed, options->rows), done);
  LFM_TRY_GOTO(LFM_ALLOC_ROWS(&nfe, options->rows), done);
  LFM_TRY_GOTO(through_blocks(teacher, options, carry, failed, nfe, meter, out), done);
  drop_failed(out, failed);
  out->seconds = lfm_seconds() - begun;
done:
  lfm_free(failed);
  lfm_free(nfe);
  return status;
}

/* ---- the file ------------------------------------------------------------------------------------------------ */

enum { COUNTS = 3 };

static const char *border_name(int n, char out[24]) {
  snprintf(out, 24, "border.%d", n);
  return out;
}

static lfm_status add_states(const lfm_states *s, const double counts[COUNTS], lfm_archive *archive) {
  char name[24];
  LFM_TRY(lfm_archive_meta(archive, "origin", s->origin));
  LFM_TRY(lfm_archive_add(archive, "counts", LFM_F64, 1, (int64_t[]){COUNTS}, counts));
  for (int n = 0; s->rows && n <= s->parts; n++)
    LFM_TRY(lfm_archive_add(archive, border_name(n, name), lfm_pool_dtype(&s->border[n]), 2,
                            (int64_t[]){s->rows, s->border[n].dim}, lfm_pool_numbers(&s->border[n])));
  const lfm_pool *data = &s->border[0];
  return data->given ? lfm_archive_add(archive, "given", LFM_F32, 2, (int64_t[]){s->rows, data->givens}, data->given)
                     : LFM_OK;
}

lfm_status lfm_states_write(const lfm_states *states, const char *path) {
  double counts[COUNTS] = {states->evaluations, (double)states->drawn, states->seconds};
  lfm_archive *archive;
  LFM_TRY(lfm_archive_create(&archive));
  lfm_status status = add_states(states, counts, archive);
  if (status == LFM_OK) status = lfm_archive_write(archive, path);
  lfm_archive_destroy(archive);
  return status;
}

static lfm_status take(const lfm_archive *archive, const char *name, lfm_dtype type, int64_t rows, int64_t cols, void *to) {
  const lfm_tensor *tensor;
  LFM_TRY(lfm_archive_require(archive, name, type, 2, (int64_t[]){rows, cols}, &tensor));
  memcpy(to, tensor->data, (size_t)(rows * cols) * lfm_dtype_size(type));
  return LFM_OK;
}

/* All but the rows, of which there may be none. */
static lfm_status take_origin(const lfm_archive *archive, const lfm_model *teacher, const lfm_states_options *options,
                              lfm_states *s) {
  const lfm_tensor *counts;
  const char *origin = lfm_archive_meta_find(archive, "origin");
  lfm_states_options how = *options;
  LFM_TRY(lfm_archive_require(archive, "counts", LFM_F64, 1, (int64_t[]){COUNTS}, &counts));
  const double *count = counts->data;
  if (!how.rows && count[1] >= 1.0 && count[1] <= 0x1p53) how.rows = (int64_t)count[1];
  lfm_states_origin(teacher, &how, s->origin);
  if (!origin || strcmp(origin, s->origin) != 0)
    return lfm_fail(LFM_E_DATA,
                    "%s: was recorded from another teacher, or otherwise: give the same model, data, pairs, seed, guidance "
                    "and solver, or begin another run",
                    lfm_archive_path(archive));
  s->evaluations = count[0], s->drawn = how.rows, s->seconds = count[2];
  return LFM_OK;
}

static lfm_status take_states(const lfm_archive *archive, const lfm_model *teacher, const lfm_states_options *options,
                              lfm_states *s) {
  char name[24];
  const lfm_tensor *first = lfm_archive_find(archive, "border.0");
  LFM_TRY(take_origin(archive, teacher, options, s));
  if (!first || first->dims != 2 || first->shape[0] < 2 || first->shape[0] > s->drawn)
    return lfm_fail(LFM_E_FORMAT, "%s: tensor 'border.0' is missing or of another shape", lfm_archive_path(archive));
  s->rows = first->shape[0];
  for (int n = 0; n <= s->parts; n++) {
    lfm_pool *pool = &s->border[n];
    LFM_TRY(lfm_pool_make(s->rows, teacher->normaliser->dim, options->in_halves, n ? 0 : lfm_net_given(teacher->net), pool));
    LFM_TRY(take(archive, border_name(n, name), lfm_pool_dtype(pool), s->rows, pool->dim, lfm_pool_numbers(pool)));
  }
  lfm_pool *data = &s->border[0];
  return data->given ? take(archive, "given", LFM_F32, s->rows, data->givens, data->given) : LFM_OK;
}

lfm_status lfm_states_read(const char *path, const lfm_model *teacher, const lfm_states_options *options, lfm_states *out) {
  lfm_archive *archive;
  *out = (lfm_states){.parts = teacher->blocks * options->split};
  LFM_TRY(lfm_archive_open(path, &archive));
  lfm_status status = take_states(archive, teacher, options, out);
  lfm_archive_destroy(archive);
  return status;
}

lfm_status lfm_states_check(const char *path, const lfm_model *teacher, const lfm_states_options *options, lfm_states *out) {
  lfm_archive *archive;
  *out = (lfm_states){.parts = teacher->blocks * options->split};
  LFM_TRY(lfm_archive_open(path, &archive));
  lfm_status status = take_origin(archive, teacher, options, out);
  const lfm_tensor *first = lfm_archive_find(archive, "border.0");
  if (first && first->dims == 2) out->rows = first->shape[0];
  lfm_archive_destroy(archive);
  return status;
}
