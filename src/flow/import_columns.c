/* SPDX-License-Identifier: MIT
 *
 * import_columns.c -- how columns become x, and what they are called: by the file, or as they are, under the names that the
 * caller gives.
 */
#include "flow/import.h"

#include "core/alloc.h"
#include "core/utf8.h"
#include "data/table.h"
#include "data/text.h"

#include <math.h>
#include <string.h>

/* ---- the normaliser ------------------------------------------------------------------------------------------ */

/* out [dim], from a tensor of either float type. */
static lfm_status read_numbers(const lfm_import_source *s, const char *name, double *out) {
  const lfm_tensor *tensor = lfm_archive_find(s->archive, name);
  bool is_double = tensor && tensor->dtype == LFM_F64;
  LFM_TRY(lfm_archive_require(s->archive, name, is_double ? LFM_F64 : LFM_F32, 1, &s->dim, &tensor));
  for (int64_t i = 0; i < s->dim; i++) {
    out[i] = is_double ? ((const double *)tensor->data)[i] : (double)((const float *)tensor->data)[i];
    if (!isfinite(out[i])) return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' holds a number that is not finite", s->path, name);
  }
  return LFM_OK;
}

/* Where the file has a normaliser.scale, its columns are scaled one by one; where it has none, they are taken as they are. */
static lfm_status fill_diagonal(const lfm_import_source *s, lfm_normaliser *m) {
  double *scale;
  LFM_TRY(LFM_ALLOC(&scale, s->dim));
  lfm_status status = LFM_OK;
  for (int64_t i = 0; i < s->dim; i++) scale[i] = 1.0;
  if (s->form == LFM_FORM_SCALE) status = read_numbers(s, "normaliser.mean", m->mean);
  if (s->form == LFM_FORM_SCALE && status == LFM_OK) status = read_numbers(s, "normaliser.scale", scale);
  for (int64_t i = 0; i < s->dim && status == LFM_OK; i++) {
    if (!(scale[i] > 0.0 && isnormal(1.0 / scale[i])))
      status = lfm_fail(LFM_E_FORMAT, "%s: tensor 'normaliser.scale' holds %g; a standard deviation is due there", s->path,
                        scale[i]);
    m->varying[i] = i;
    m->forward[i * s->dim + i] = 1.0 / scale[i];
    m->inverse[i * s->dim + i] = scale[i];
    m->logdet -= log(scale[i]);
  }
  lfm_free(scale);
  return status;
}

static lfm_normalise kind_of(const lfm_normaliser *m) {
  if (m->kind == LFM_NORMALISE_RADIAL) return m->kind;
  lfm_normalise kind = LFM_NORMALISE_NONE;
  for (int64_t i = 0; i < m->dim; i++)
    for (int64_t j = 0; j < m->dim; j++) {
      double w = m->forward[i * m->dim + j], back = m->inverse[i * m->dim + j];
      if (i != j && (w != 0.0 || back != 0.0)) return LFM_NORMALISE_WHITEN;
      if (i == j && (w != 1.0 || back != 1.0 || m->mean[i] != 0.0)) kind = LFM_NORMALISE_STANDARDISE;
    }
  return kind;
}

/* All of an export's. */
static lfm_status read_whole(const lfm_import_source *s, lfm_normaliser **out) {
  const lfm_tensor *constant = lfm_archive_find(s->archive, "normaliser.constant");
  int64_t cols = constant && constant->dims == 1 && constant->shape[0] <= 1 << 20 ? constant->shape[0] : 0;
  if (cols < 1) return lfm_fail(LFM_E_FORMAT, "%s: tensor 'normaliser.constant' is missing, empty or too long", s->path);
  bool is_radial = lfm_archive_find(s->archive, "normaliser.radial") != NULL;
  return lfm_chain_read_normaliser(s->archive, is_radial ? LFM_NORMALISE_RADIAL : LFM_NORMALISE_WHITEN, cols, out);
}

lfm_status lfm_import_normaliser(const lfm_import_source *s, const lfm_config *config, lfm_normaliser **out) {
  *out = NULL;
  lfm_status status;
  if (s->picture) return lfm_normaliser_pixels(s->dim, config->dequantise == LFM_DEQUANTISE_UNIFORM, out);
  if (s->windows) return lfm_chain_units(s->windows, out);
  if (s->form == LFM_FORM_WHOLE) {
    status = read_whole(s, out);
  } else {
    LFM_TRY(lfm_normaliser_make(LFM_NORMALISE_NONE, s->dim, s->dim, out));
    status = fill_diagonal(s, *out);
  }
  if (status == LFM_OK) (*out)->kind = kind_of(*out);
  else {
    lfm_normaliser_destroy(*out);
    *out = NULL;
  }
  return status;
}

/* ---- the names of the columns -------------------------------------------------------------------------------- */

/* "a , b" into the columns of an empty table. */
static bool name_columns(char *text, lfm_table *schema, lfm_status *status) {
  int64_t named = 0;
  for (char *name = text, *end; *status == LFM_OK; name = end + 1) {
    name += strspn(name, " ");
    end = name + strcspn(name, ",");
    bool is_last = *end == 0;
    for (char *last = end; last > name && last[-1] == ' ';) *--last = 0;
    *end = 0;
    if (!*name || named == schema->cols || !lfm_utf8_is_text(name)) return false;
    *status = lfm_table_rename(schema, named++, name);
    if (is_last) break;
  }
  return named == schema->cols || *status != LFM_OK;
}

/* The names and decimals that an export has kept; a file written elsewhere has none of them, and leaves x0, x1, ... */
static lfm_status take_kept(const lfm_archive *archive, lfm_table *schema) {
  const char *name, *twice;
  if (!lfm_archive_meta_find(archive, "column.0")) return LFM_OK;
  for (int64_t j = 0; j < schema->cols; j++) {
    LFM_TRY(lfm_chain_find_column(archive, j, &name, &schema->decimals[j]));
    LFM_TRY(lfm_table_rename(schema, j, name));
  }
  LFM_TRY(lfm_table_unique_names(schema->names, schema->cols, &twice));
  return twice ? lfm_fail(LFM_E_FORMAT, "%s: two columns are named '%s'", lfm_archive_path(archive), twice) : LFM_OK;
}

/* No pictures, of the file's size. */
static lfm_status make_picture(const lfm_import_source *s, const char *columns, lfm_table **out) {
  lfm_images *none;
  if (columns) return lfm_fail(LFM_E_USAGE, "columns: %s holds a model of pictures, which have none", s->path);
  LFM_TRY(lfm_images_alike(s->picture, 0, &none));
  return lfm_table_of_images(none, out);
}

/* No windows, of the file's actions and observations. */
static lfm_status make_windows(const lfm_import_source *s, const char *columns, lfm_table **out) {
  if (columns) return lfm_fail(LFM_E_USAGE, "columns: %s holds a policy, which has none", s->path);
  LFM_TRY(lfm_table_make(0, s->dim, out));
  return lfm_windows_alike(s->windows, 0, &(*out)->windows);
}

/* An empty table under the names the caller gives, else those of the file. */
static lfm_status make_schema(const lfm_archive *archive, const char *columns, int64_t cols, lfm_table **out) {
  char *text, quoted[LFM_QUOTE_MAX];
  const char *twice = NULL;
  lfm_status status = LFM_OK;
  LFM_TRY(lfm_table_make(0, cols, out));
  LFM_TRY(take_kept(archive, *out));
  if (!columns) return LFM_OK;
  LFM_TRY(lfm_alloc_text(&text, columns));
  bool fit = name_columns(text, *out, &status);
  lfm_free(text);
  LFM_TRY(status);
  if (fit) LFM_TRY(lfm_table_unique_names((*out)->names, cols, &twice));
  if (fit && !twice) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "columns: %s is not a list of %lld different name%s with commas between",
                  lfm_quote(columns, strlen(columns), quoted), (long long)cols, cols == 1 ? "" : "s");
}

lfm_status lfm_import_schema(const lfm_import_source *s, const char *columns, int64_t cols, lfm_table **out) {
  if (s->picture) return make_picture(s, columns, out);
  if (s->windows) return make_windows(s, columns, out);
  return make_schema(s->archive, columns, cols, out);
}
