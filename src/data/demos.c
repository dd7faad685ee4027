/* SPDX-License-Identifier: MIT
 *
 * demos.c -- the object that demos.h describes, and a table of it.
 * Doubles throughout, as the table has them; of a file's float32 they are exact.  One block of observations and one of
 * actions: training reads windows of consecutive steps, and an episode is a range of rows.
 */
#include "data/demos.h"

#include "core/alloc.h"
#include "core/bytes.h"
#include "data/table.h"

#include <string.h>

static lfm_status too_large(int64_t steps) {
  return lfm_fail(LFM_E_USAGE, "demonstrations of %lld steps are too large, or empty", (long long)steps);
}

lfm_status lfm_demos_make(int64_t episodes, int64_t steps, int64_t obs_dim, int64_t action_dim, lfm_demos **out) {
  lfm_demos *demos;
  lfm_status status;
  size_t obs, actions;
  *out = NULL;
  if (episodes < 1 || steps < episodes || obs_dim < 1 || action_dim < 1) return too_large(steps);
  if (!lfm_size_multiply((size_t)steps, (size_t)obs_dim, &obs) ||
      !lfm_size_multiply((size_t)steps, (size_t)action_dim, &actions))
    return too_large(steps);
  LFM_TRY(LFM_ALLOC(&demos, 1));
  demos->episodes = episodes, demos->steps = steps, demos->obs_dim = obs_dim, demos->action_dim = action_dim;
  LFM_TRY_GOTO(LFM_ALLOC(&demos->ends, episodes), failed);
  LFM_TRY_GOTO(LFM_ALLOC_ROWS(&demos->obs, obs), failed);
  LFM_TRY_GOTO(LFM_ALLOC_ROWS(&demos->actions, actions), failed);
  *out = demos;
  return LFM_OK;
failed:
  lfm_demos_destroy(demos);
  return status;
}

void lfm_demos_destroy(lfm_demos *demos) {
  if (!demos) return;
  for (int64_t k = 0; demos->key && k < demos->keys; k++) lfm_free(demos->key[k]);
  lfm_listing_free(&demos->others);
  lfm_listing_free(&demos->filters);
  lfm_free(demos->key);
  lfm_free(demos->key_dim);
  lfm_free(demos->task);
  lfm_free(demos->ends);
  lfm_free(demos->obs);
  lfm_free(demos->actions);
  lfm_free(demos);
}

int64_t lfm_demos_begin(const lfm_demos *demos, int64_t episode) { return episode ? demos->ends[episode - 1] : 0; }

lfm_status lfm_table_of_demos(lfm_demos *demos, lfm_table **out) {
  lfm_status status = lfm_table_make(0, demos->action_dim, out);
  if (status != LFM_OK) return lfm_demos_destroy(demos), status;
  lfm_free((*out)->values);
  (*out)->demos = demos;
  (*out)->rows = demos->steps;
  (*out)->values = demos->actions;
  return LFM_OK;
}

/* What the episodes have in common; keys counts the names that destroy has to free. */
static lfm_status copy_schema(const lfm_demos *from, lfm_demos *to) {
  to->kind = from->kind;
  if (from->task) LFM_TRY(lfm_alloc_text(&to->task, from->task));
  LFM_TRY(LFM_ALLOC(&to->key, from->keys));
  LFM_TRY(LFM_ALLOC(&to->key_dim, from->keys));
  for (; to->keys < from->keys; to->keys++) {
    LFM_TRY(lfm_alloc_text(&to->key[to->keys], from->key[to->keys]));
    to->key_dim[to->keys] = from->key_dim[to->keys];
  }
  for (int64_t i = 0; i < from->others.count; i++) LFM_TRY(lfm_listing_add(&to->others, from->others.names[i]));
  for (int64_t i = 0; i < from->filters.count; i++) LFM_TRY(lfm_listing_add(&to->filters, from->filters.names[i]));
  return LFM_OK;
}

static void copy_steps(const double *from, int64_t first, int64_t count, int64_t width, double *to) {
  memcpy(to, from + first * width, (size_t)count * (size_t)width * sizeof *to);
}

lfm_status lfm_demos_take(const lfm_demos *demos, const int64_t *index, int64_t count, lfm_demos **out) {
  int64_t steps = 0, at = 0;
  *out = NULL;
  for (int64_t i = 0; i < count; i++) steps += demos->ends[index[i]] - lfm_demos_begin(demos, index[i]);
  LFM_TRY(lfm_demos_make(count, steps, demos->obs_dim, demos->action_dim, out));
  lfm_status status = copy_schema(demos, *out);
  if (status != LFM_OK) {
    lfm_demos_destroy(*out);
    *out = NULL;
    return status;
  }
  for (int64_t i = 0; i < count; i++) {
    int64_t begin = lfm_demos_begin(demos, index[i]), length = demos->ends[index[i]] - begin;
    copy_steps(demos->obs, begin, length, demos->obs_dim, (*out)->obs + at * demos->obs_dim);
    copy_steps(demos->actions, begin, length, demos->action_dim, (*out)->actions + at * demos->action_dim);
    (*out)->ends[i] = at += length;
  }
  return LFM_OK;
}

const char *lfm_action_kind_name(lfm_action_kind kind) {
  static const char *const names[] = {"plain", "pose", "delta"};
  return names[kind];
}
