/* SPDX-License-Identifier: MIT
 *
 * power.c -- household power as the tables of density models have it (Papamakarios et al. 2017, the MAF data sets): six of
 * the eight columns, shuffled, with uniform noise, since meters round.
 *   maf    the noise of the published recipe.  It fills half of a step only: active power is stored in steps of 0.002 but
 *          gets 0.001, and the minute of the day none at all.  So the density has gaps that a model is rewarded for.
 *   whole  noise as wide as the steps that the meter really makes
 * Numbers of the two are not to be compared.  Standardising is the normaliser's: `nll_standardised` of lfm score is what is
 * published, up to the split that its mean and variance come from.
 */
#include "core/alloc.h"
#include "core/rng.h"
#include "kit/kit.h"

#include <string.h>

static const struct {
  const char *name;
  double maf, whole; /* width of the noise */
} columns[] = {{"global_active_power", 0.001, 0.002}, {"voltage", 0.01, 0.01},      {"sub_metering_1", 1.0, 1.0},
               {"sub_metering_2", 1.0, 1.0},          {"sub_metering_3", 1.0, 1.0}, {"minute_of_day", 0.0, 1.0}};
enum { COLUMNS = sizeof columns / sizeof *columns };

static lfm_status read_columns(const char *source, lfm_table **out) {
  char names[256] = "";
  for (int j = 0; j < COLUMNS; j++) {
    if (j) strcat(names, ",");
    strcat(names, columns[j].name);
  }
  return kit_read_numbers(source, &(lfm_table_options){.columns = names}, out);
}

static lfm_status shuffle(const lfm_table *table, lfm_table **out) {
  int64_t *order;
  lfm_rng rng = {.purpose = LFM_FOR_SPLIT};
  LFM_TRY(LFM_ALLOC(&order, table->rows));
  for (int64_t i = 0; i < table->rows; i++) order[lfm_rng_permute(&rng, 0, table->rows, i)] = i;
  lfm_status status = lfm_table_take(table, order, table->rows, out);
  lfm_free(order);
  return status;
}

static void add_noise(lfm_table *table, bool whole) {
  lfm_rng rng = {.purpose = LFM_FOR_DATA};
  for (int64_t i = 0; i < table->rows; i++)
    for (int j = 0; j < COLUMNS; j++)
      table->values[i * COLUMNS + j] += lfm_rng_uniform(&rng, i, (uint32_t)j) * (whole ? columns[j].whole : columns[j].maf);
  for (int j = 0; j < COLUMNS; j++) table->decimals[j] += 5; /* what the noise needs to survive the file */
}

lfm_status kit_make_power(const char *recipe, const char *source, const char *folder) {
  lfm_table *table, *shuffled;
  bool whole = strcmp(recipe, "whole") == 0;
  if (!whole && strcmp(recipe, "maf") != 0) return lfm_fail(LFM_E_USAGE, "power: the recipe is maf or whole, not %s", recipe);
  LFM_TRY(read_columns(source, &table));
  LFM_TRY(shuffle(table, &shuffled));
  add_noise(shuffled, whole);
  lfm_status status = kit_split(shuffled, shuffled->rows / 10, folder);
  lfm_table_destroy(table);
  lfm_table_destroy(shuffled);
  return status;
}
