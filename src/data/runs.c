/* SPDX-License-Identifier: MIT
 *
 * runs.c -- see runs.h.
 * A run is told by its config.yaml, which is there from the first step on; a distillation has one only at its end, a sweep
 * none.  A file that says "this is a run" was refused: it would be one more thing to lose, and what is needed to go on with a
 * run, or to compare its runs, is there anyway.
 */
#include "data/runs.h"

#include "core/file.h"

#include <string.h>

#define CONFIG "config.yaml"
#define MODEL "model.safetensors"

static lfm_status has(const char *folder, const char *name, bool *found) {
  char path[LFM_PATH_SIZE];
  LFM_TRY(lfm_path_join(path, sizeof path, folder, name));
  return lfm_path_find(path, found);
}

lfm_status lfm_runs_is_distillation(const char *folder, bool *is_one) {
  LFM_TRY(has(folder, LFM_RUNS_PLAN, is_one));
  return *is_one ? LFM_OK : has(folder, "checkpoint/states.safetensors", is_one);
}

lfm_status lfm_runs_recognise(const char *folder, lfm_runs_kind *kind) {
  bool is_run, is_sweep, is_distilled;
  *kind = LFM_RUNS_NONE;
  if (!lfm_path_is_folder(folder)) return LFM_OK;
  LFM_TRY(has(folder, CONFIG, &is_run));
  LFM_TRY(has(folder, "sweep.csv", &is_sweep));
  LFM_TRY(lfm_runs_is_distillation(folder, &is_distilled));
  if (is_run) *kind = LFM_RUNS_ONE;
  else if (is_sweep) *kind = LFM_RUNS_SWEEP;
  else if (is_distilled) *kind = LFM_RUNS_DISTILLATION;
  return LFM_OK;
}

lfm_status lfm_runs_refuse(const char *folder) {
  static const char *const what[] = {[LFM_RUNS_ONE] = "a run folder",
                                     [LFM_RUNS_DISTILLATION] = "the folder of a distillation",
                                     [LFM_RUNS_SWEEP] = "the folder of a sweep"};
  lfm_runs_kind kind;
  LFM_TRY(lfm_runs_recognise(folder, &kind));
  return kind == LFM_RUNS_NONE ? LFM_OK : lfm_fail(LFM_E_USAGE, "%s: is %s; data are due here", folder, what[kind]);
}

static bool is_among(const lfm_listing *names, const char *name) {
  for (int64_t i = 0; i < names->count; i++)
    if (strcmp(names->names[i], name) == 0) return true;
  return false;
}

bool lfm_runs_is_inside(const lfm_listing *names) {
  return is_among(names, CONFIG) && (is_among(names, "checkpoint") || is_among(names, MODEL));
}

lfm_status lfm_runs_list(const char *folder, lfm_listing *out) {
  lfm_listing all, inside;
  *out = (lfm_listing){0};
  LFM_TRY(lfm_listing_read(folder, &all));
  lfm_status status = LFM_OK;
  for (int64_t i = 0; status == LFM_OK && i < all.count; i++) {
    status = lfm_listing_inside(folder, all.names[i], &inside);
    if (status == LFM_OK && lfm_runs_is_inside(&inside)) status = lfm_listing_add(out, all.names[i]);
    if (status == LFM_E_IO) status = LFM_OK; /* what is closed to us may be anything */
    lfm_listing_free(&inside);
  }
  lfm_listing_free(&all);
  if (status != LFM_OK) lfm_listing_free(out);
  return status;
}
