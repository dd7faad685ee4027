/* SPDX-License-Identifier: MIT
 *
 * columns.c -- see columns.h.
 */
#include "columns.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef const char *(*name_fn)(const void *of, int64_t col);

static const char *name_in_model(const void *model, int64_t col) { return lfm_model_name(model, col); }
static const char *name_in_table(const void *table, int64_t col) { return lfm_table_name(table, col); }

/* Column names as lfm_table_options wants them, "a,b"; NULL when memory is refused: then all columns are read. */
static char *join_names(name_fn name, const void *of, int64_t count) {
  size_t size = 1;
  for (int64_t col = 0; col < count; col++) size += strlen(name(of, col)) + 1;
  char *names = calloc(size, 1), *at = names;
  for (int64_t col = 0; names && col < count; col++) {
    if (col > 0) *at++ = ',';
    at = stpcpy(at, name(of, col));
  }
  return names;
}

/* "x0,x1,...", the columns of a border. */
static char *number_names(int64_t count) {
  enum { LONGEST = 24 };
  char *names = calloc((size_t)count, LONGEST), *at = names;
  for (int64_t col = 0; names && col < count; col++) at += snprintf(at, LONGEST, "%sx%" PRId64, col > 0 ? "," : "", col);
  return names;
}

lfm_status app_read_pictures(const char *path, const lfm_table_options *chosen, int64_t channels, int64_t height,
                             int64_t width, lfm_table **out) {
  lfm_table_options alike = *chosen;
  if (height == width) alike.size = height;
  alike.channels = channels;
  alike.tell = true;
  alike.due = LFM_ROWS_PICTURES;
  return lfm_table_read(path, &alike, out);
}

/* What has none of these observations, the library says itself. */
lfm_status app_read_demos(const char *path, const lfm_table_options *chosen, const lfm_model *model, lfm_table **out) {
  lfm_table_options alike = *chosen, plain = *chosen;
  alike.due = plain.due = LFM_ROWS_DEMOS;
  if (!alike.observations) alike.observations = lfm_model_observations(model);
  lfm_status status = lfm_table_read(path, &alike, out);
  return status == LFM_E_USAGE ? lfm_table_read(path, &plain, out) : status;
}

static bool is_csv(const char *path) { return app_ends_with(path, ".csv") || app_ends_with(path, ".csv.gz"); }

/* By these names where they are all there, if need be in a first row that looks like numbers; else as chosen. */
static lfm_status read_named(const char *path, const lfm_table_options *chosen, const char *names, lfm_table **out) {
  lfm_table_options by_name = *chosen;
  by_name.columns = names;
  by_name.own_names = true;
  if (names) by_name.drop = NULL;
  lfm_status status = lfm_table_read(path, &by_name, out);
  if (status == LFM_E_USAGE && names && !chosen->header && is_csv(path)) {
    by_name.header = "yes";
    status = lfm_table_read(path, &by_name, out);
    if (status != LFM_OK) by_name.header = NULL, status = LFM_E_USAGE;
  }
  if (status != LFM_E_USAGE || !names) return status; /* no name is missing; other failures would come again */
  status = lfm_table_read(path, chosen, out);
  /* The missing name tells more than the word in another column; but it was not the user's word, so it stays LFM_E_DATA. */
  if (status == LFM_E_DATA && lfm_table_read(path, &by_name, out) == LFM_OK) status = LFM_OK;
  return status;
}

lfm_status app_read_column(const char *path, const char *name, lfm_table **out) {
  return read_named(path, &(lfm_table_options){0}, name, out);
}

lfm_status app_read_columns(const char *path, const lfm_table_options *chosen, const lfm_model *model, bool at_border,
                            lfm_table **out) {
  int64_t channels, height, width;
  if (chosen->columns || chosen->drop) return lfm_table_read(path, chosen, out);
  if (lfm_model_picture(model, &channels, &height, &width))
    return at_border ? lfm_table_read(path, chosen, out) : app_read_pictures(path, chosen, channels, height, width, out);
  if (lfm_model_observations(model)) return app_read_demos(path, chosen, model, out);
  char *names =
      at_border ? number_names(lfm_model_border_dim(model)) : join_names(name_in_model, model, lfm_model_dim(model));
  lfm_status status = read_named(path, chosen, names, out);
  free(names);
  return status;
}

int app_check_probe_seed(const app_command *command, const lfm_model *model, const app_seed *seed, int64_t probes) {
  if (!seed->given || probes > 0 || lfm_model_is_probed(model)) return APP_DONE;
  return app_usage_error(command,
                         "--seed has no effect without --probes: the trace of this model is computed, not estimated");
}

lfm_status app_read_beside(const char *path, const lfm_table_options *chosen, const lfm_table *data, lfm_table **out) {
  lfm_table_options alike = *chosen;
  int64_t height, width;
  alike.drop_absent = true;
  alike.due = lfm_table_kind(data);
  bool is_picture = lfm_table_picture(data, &alike.channels, &height, &width);
  if (is_picture || alike.columns || !lfm_table_name(data, 0)) return lfm_table_read(path, &alike, out);
  char *names = join_names(name_in_table, data, lfm_table_cols(data));
  lfm_status status = read_named(path, &alike, names, out);
  free(names);
  return status;
}
