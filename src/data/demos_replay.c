/* SPDX-License-Identifier: MIT
 *
 * demos_replay.c -- demonstrations in the layout of Diffusion Policy's replay buffers, whatever holds the arrays.
 *   data/action        [steps, numbers], taken as they are
 *   data/KEY           [steps, ...]: state and, where asked for, others; a step's numbers in one row (keypoint [9, 2] is 18)
 *   meta/episode_ends  [episodes] one past the last step of each
 * The layout does not name its task; a state of five numbers beside actions of two is Push-T's.
 */
#include "data/demos_replay.h"

#include "core/alloc.h"
#include "data/demos_read.h"
#include "data/table.h"

#include <stdio.h>
#include <string.h>

#define ENDS "meta/episode_ends"
#define ACTION "data/action"
#define USUAL_KEY "state"

enum { MOST_RANK = 3 }; /* beyond these an array is pictures */

typedef struct reader {
  const lfm_source *source;
  const lfm_arrays *arrays;
  lfm_offer offer;
  int64_t *chosen, keys, obs_dim;
  double *ends; /* [episodes] */
  int64_t episodes, steps, action_dim;
  lfm_demos *demos;
} reader;

static lfm_status read_ends(reader *r) {
  lfm_extent extent;
  LFM_TRY(r->arrays->extent(r->arrays->context, ENDS, &extent));
  if (!extent.is_numbers || extent.rank != 1 || extent.rows < 1)
    return lfm_fail(LFM_E_FORMAT, "%s: " ENDS ": is no row of numbers, one an episode", r->source->name);
  r->episodes = extent.rows;
  LFM_TRY(r->arrays->check(r->arrays->context, ENDS));
  LFM_TRY(LFM_ALLOC(&r->ends, r->episodes));
  LFM_TRY(r->arrays->read(r->arrays->context, ENDS, r->episodes, 1, r->ends, 1, 0));
  for (int64_t i = 0; i < r->episodes; i++) {
    double before = i ? r->ends[i - 1] : 0.0;
    bool grows = r->ends[i] > before && r->ends[i] <= (double)r->steps;
    if (!grows || r->ends[i] != (double)(int64_t)r->ends[i])
      return lfm_fail(LFM_E_FORMAT, "%s: " ENDS ": episode %lld ends at %.15g, behind %.15g; data has %lld steps",
                      r->source->name, (long long)i, r->ends[i], before, (long long)r->steps);
  }
  if (r->ends[r->episodes - 1] == (double)r->steps) return LFM_OK;
  return lfm_fail(LFM_E_FORMAT, "%s: " ENDS ": the last episode ends at %.15g; data has %lld steps", r->source->name,
                  r->ends[r->episodes - 1], (long long)r->steps);
}

static lfm_status measure_actions(reader *r) {
  lfm_extent extent;
  LFM_TRY(r->arrays->extent(r->arrays->context, ACTION, &extent));
  if (extent.is_numbers && extent.rank == 1)
    return lfm_fail(LFM_E_DATA,
                    "%s: " ACTION ": has the shape [%lld]; [steps, numbers] is due, [%lld, 1] where an action is one number",
                    r->source->name, (long long)extent.rows, (long long)extent.rows);
  if (!extent.is_numbers || extent.rank != 2 || extent.rows < 1 || extent.width < 1)
    return lfm_fail(LFM_E_DATA, "%s: " ACTION ": is no table of numbers, a row a step", r->source->name);
  r->steps = extent.rows;
  r->action_dim = extent.width;
  return r->arrays->check(r->arrays->context, ACTION);
}

static void path_of(const char *name, char path[512]) { snprintf(path, 512, "data/%s", name); }

/* Whether no array is asked for by its name, so that all are taken. */
static bool takes_all(const reader *r, const lfm_listing *names) {
  for (int64_t i = 0; i < names->count; i++)
    if (lfm_offer_asks(r->source, USUAL_KEY, names->names[i])) return false;
  return true;
}

/* Numbers, but not for every step: an error where they are asked for by name. */
static lfm_status note_misfit(reader *r, const char *name, int64_t rows) {
  char misfit[sizeof r->offer.misfit];
  const lfm_table_options *options = r->source->options;
  snprintf(misfit, sizeof misfit, "data/%.64s has %lld rows, " ACTION " %lld", name, (long long)rows, (long long)r->steps);
  if (!r->offer.misfit[0]) memcpy(r->offer.misfit, misfit, sizeof misfit);
  if (!options || !options->observations || !lfm_offer_asks(r->source, USUAL_KEY, name)) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s: %s", r->source->name, misfit);
}

/* An array that cannot be read fails when it is asked for; else it is no numbers, as pictures are, and a note says so where
 * it would have been taken with all the others. */
static lfm_status offer_key(reader *r, const char *name, bool all) {
  char path[512];
  lfm_extent extent = {0};
  path_of(name, path);
  if (strcmp(path, ACTION) == 0) return LFM_OK;
  lfm_status status = r->arrays->extent(r->arrays->context, path, &extent);
  if (status != LFM_E_UNSUPPORTED || lfm_offer_asks(r->source, USUAL_KEY, name)) LFM_TRY(status);
  else if (all) lfm_note(LFM_NOTE, "%s; it is left out", lfm_error());
  bool is_numbers = extent.is_numbers && extent.rank <= MOST_RANK, fits = is_numbers && extent.rows == r->steps;
  if (is_numbers && !fits) LFM_TRY(note_misfit(r, name, extent.rows));
  return lfm_offer_add(&r->offer, name, fits ? extent.width : 0);
}

static lfm_status check_chosen(const reader *r) {
  for (int64_t k = 0; k < r->keys; k++) {
    char path[512];
    path_of(r->offer.names.names[r->chosen[k]], path);
    LFM_TRY(r->arrays->check(r->arrays->context, path));
  }
  return LFM_OK;
}

static lfm_status choose_keys(reader *r) {
  lfm_listing names = {0};
  lfm_status status = r->arrays->list(r->arrays->context, &names);
  bool all = takes_all(r, &names);
  for (int64_t i = 0; status == LFM_OK && i < names.count; i++) status = offer_key(r, names.names[i], all);
  lfm_listing_free(&names);
  LFM_TRY(status);
  LFM_TRY(lfm_offer_choose(r->source, &r->offer, USUAL_KEY, &r->chosen, &r->keys, &r->obs_dim));
  return check_chosen(r);
}

static lfm_status read_array(reader *r, const char *path, double *out, int64_t cols, int64_t first, int64_t width) {
  LFM_TRY(r->arrays->read(r->arrays->context, path, r->steps, width, out, cols, first));
  return lfm_demos_check_finite(r->source, path, out, r->steps, cols, first, width);
}

static lfm_status read_steps(reader *r) {
  lfm_demos *demos = r->demos;
  int64_t first = 0;
  for (int64_t i = 0; i < r->episodes; i++) demos->ends[i] = (int64_t)r->ends[i];
  LFM_TRY(read_array(r, ACTION, demos->actions, r->action_dim, 0, r->action_dim));
  for (int64_t k = 0; k < r->keys; k++) {
    char path[512];
    int64_t width = r->offer.dims[r->chosen[k]];
    path_of(r->offer.names.names[r->chosen[k]], path);
    LFM_TRY(read_array(r, path, demos->obs, r->obs_dim, first, width));
    first += width;
  }
  return LFM_OK;
}

static bool is_pusht(const reader *r) {
  for (int64_t i = 0; r->action_dim == 2 && i < r->offer.names.count; i++)
    if (strcmp(r->offer.names.names[i], "state") == 0 && r->offer.dims[i] == 5) return true;
  return false;
}

static lfm_status read_all(reader *r) {
  LFM_TRY(lfm_demos_check_options(r->source));
  LFM_TRY(measure_actions(r));
  LFM_TRY(read_ends(r));
  LFM_TRY(choose_keys(r));
  LFM_TRY(lfm_demos_make(r->episodes, r->steps, r->obs_dim, r->action_dim, &r->demos));
  LFM_TRY(lfm_demos_name_keys(&r->offer, r->chosen, r->keys, r->demos));
  if (is_pusht(r)) LFM_TRY(lfm_alloc_text(&r->demos->task, "pusht"));
  return read_steps(r);
}

lfm_status lfm_extent_changed(const char *name) {
  return lfm_fail(LFM_E_FORMAT, "%s: changed while it was read; try again", name);
}

lfm_status lfm_replay_read(const lfm_source *source, const lfm_arrays *arrays, lfm_table **out) {
  reader r = {.source = source, .arrays = arrays};
  lfm_status status = read_all(&r);
  lfm_offer_free(&r.offer);
  lfm_free(r.chosen);
  lfm_free(r.ends);
  if (status == LFM_OK) return lfm_table_of_demos(r.demos, out);
  lfm_demos_destroy(r.demos);
  return status;
}
