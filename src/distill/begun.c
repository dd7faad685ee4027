/* SPDX-License-Identifier: MIT
 *
 * begun.c -- a distillation that is gone on with is the one that was begun: its folder, the plan and the method that it keeps
 * there; and a finished one is asked the same before it is called finished.
 */
#include "core/alloc.h"
#include "core/file.h"
#include "distill/ask.h"
#include "distill/distillation.h"
#include "distill/lesson.h"

#include <stdio.h>
#include <string.h>

/* ---- the folder ---------------------------------------------------------------------------------------------------- */

lfm_status lfm_distill_file(const lfm_distillation *d, const char *folder, const char *name, char path[LFM_PATH_SIZE]) {
  char inner[LFM_PATH_SIZE];
  LFM_TRY(lfm_path_join(inner, sizeof inner, d->options->run, folder));
  return *name ? lfm_path_join(path, LFM_PATH_SIZE, inner, name)
               : lfm_path_join(path, LFM_PATH_SIZE, d->options->run, folder);
}

/* ---- whose it is ------------------------------------------------------------------------------------------------- */

lfm_status lfm_distill_stand_of(const char *run, bool *is_begun, bool *is_finished) {
  char path[LFM_PATH_SIZE];
  bool is_distilled;
  LFM_TRY(lfm_path_join(path, sizeof path, run, "result.json"));
  *is_finished = lfm_path_exists(path);
  return lfm_run_folder_holds(run, is_begun, &is_distilled);
}

/* Another's run would be written over. */
lfm_status lfm_distill_check_ours(const lfm_distillation *d) {
  const char *run = d->options->run;
  bool is_run, is_ours;
  LFM_TRY(lfm_run_folder_holds(run, &is_run, &is_ours));
  if (is_ours || !is_run) return LFM_OK;
  return lfm_fail(LFM_E_EXISTS, "%s: holds a run that is no distillation; --resume leaves it alone, another -o begins one",
                  run);
}

/* ---- what it was begun with -------------------------------------------------------------------------------------- */

/* RUN/checkpoint/plan.txt: plan and method that a run was begun with, a line each. */
static lfm_status read_plan(const lfm_distillation *d, char **text) {
  char path[LFM_PATH_SIZE];
  uint8_t *bytes;
  size_t size;
  *text = NULL;
  LFM_TRY(lfm_distill_file(d, "checkpoint", "plan.txt", path));
  if (!lfm_path_exists(path)) return LFM_OK;
  LFM_TRY(lfm_file_read(path, &bytes, &size));
  lfm_status status = lfm_alloc_array(text, size + 1, 1);
  if (status == LFM_OK) memcpy(*text, bytes, size);
  lfm_free(bytes);
  return status;
}

static lfm_status begun_with(const char *what, const char *then, const char *now) {
  return lfm_fail(LFM_E_USAGE, "%s: the run was begun with %s, not %s; go on with that, or begin another run", what, then,
                  now);
}

/* Both must be what is asked for.  Of a plan that was to be chosen that is the number of students, and the plan is taken. */
static lfm_status agree(lfm_distillation *d, char *text) {
  char now[LFM_MERGE_TEXT], then[16], *method = strchr(text, '\n');
  if (method) *method++ = 0, method[strcspn(method, "\n")] = 0;
  if (d->plan.count) {
    lfm_merge_plan_format(&d->plan, now);
    if (strcmp(text, now) != 0) return begun_with("plan", text, now);
  } else {
    LFM_TRY(lfm_merge_plan_parse(text, d->teacher->blocks * d->how.split, &d->plan));
    snprintf(now, sizeof now, "%d", d->options->steps);
    snprintf(then, sizeof then, "%d", d->plan.students);
    if (strcmp(then, now) != 0) return begun_with("steps", then, now);
    lfm_distill_count_merges(d);
  }
  const char *asked = lfm_asked_method(d->options);
  return method && strcmp(method, asked) == 0 ? LFM_OK : begun_with("method", method ? method : "another", asked);
}

lfm_status lfm_distill_go_on(lfm_distillation *d) {
  char *then;
  LFM_TRY(read_plan(d, &then));
  lfm_status status = then ? agree(d, then) : LFM_OK;
  lfm_free(then);
  return status;
}

lfm_status lfm_distill_check_new(const lfm_distillation *d, const char *states) {
  char plan[LFM_PATH_SIZE];
  LFM_TRY(lfm_distill_file(d, "checkpoint", "plan.txt", plan));
  if (!lfm_path_exists(plan)) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s: is gone, the rows from which the run's students learn; another -o begins another run",
                  states);
}

lfm_status lfm_distill_keep_plan(const lfm_distillation *d) {
  char path[LFM_PATH_SIZE], plan[LFM_MERGE_TEXT], text[LFM_MERGE_TEXT + 16];
  LFM_TRY(lfm_distill_file(d, "checkpoint", "plan.txt", path));
  if (lfm_path_exists(path)) return LFM_OK;
  lfm_merge_plan_format(&d->plan, plan);
  snprintf(text, sizeof text, "%s\n%s\n", plan, lfm_asked_method(d->options));
  return lfm_file_write(path, text, strlen(text));
}

/* ---- what is finished -------------------------------------------------------------------------------------------- */

/* Once the run is finished, and not before, since one that is stopped needs them: then only where they came from. */
lfm_status lfm_distill_drop_rows(lfm_states *states, const char *path) {
  lfm_states_release(states);
  return lfm_states_write(states, path);
}

/* Of a run that was killed when all but that was done; or that is, at this moment. */
static lfm_status drop_late(lfm_distillation *d, const char *path) {
  LFM_TRY(lfm_run_folder_claim(d->options->run, true, &d->claim));
  return lfm_distill_drop_rows(&d->states, path);
}

/* Without its model a finished run is none; what would make that once more, the teacher's rows, is no longer kept. */
static lfm_status check_model(const char *run) {
  bool is_there;
  lfm_status status = lfm_run_folder_has_model(run, &is_there);
  if (status == LFM_E_FORMAT) return lfm_fail(status, "%s; distill into another folder", lfm_error());
  LFM_TRY(status);
  if (is_there) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s: was finished, but has lost its model.safetensors; distill into another folder", run);
}

/* A finished run as well: to ask for another teacher, or for more steps, and to be told "finished" would mislead. */
lfm_status lfm_distill_check_finished(lfm_distillation *d) {
  char path[LFM_PATH_SIZE];
  lfm_config *asked;
  lfm_model *model = NULL;
  LFM_TRY(check_model(d->options->run));
  LFM_TRY(lfm_distill_go_on(d));
  LFM_TRY(lfm_distill_file(d, "checkpoint", "states.safetensors", path));
  if (!lfm_path_exists(path)) return LFM_OK; /* somebody has tidied up */
  LFM_TRY(lfm_states_check(path, d->teacher, &d->how, &d->states));
  if (d->states.rows) LFM_TRY(drop_late(d, path));
  LFM_TRY(lfm_distill_configure(d, lfm_distill_last(d), &asked));
  lfm_status status = lfm_config_set(asked, "hks=auto"); /* of all students, and so the plan's */
  if (status == LFM_OK) status = lfm_model_load(d->options->run, &model);
  if (status == LFM_OK)
    status = lfm_trainer_check_taught(model, asked, lfm_lesson_rows(d->states.drawn - d->result->rows_dropped));
  lfm_model_destroy(model);
  lfm_config_destroy(asked);
  return status;
}
