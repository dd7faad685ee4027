/* SPDX-License-Identifier: MIT
 *
 * agreement.c -- a run that is gone on with is the run that was begun.
 * Its configuration is the resolved one that it left, in the checkpoint or in RUN's config.yaml, and is not resolved anew: a
 * clock would choose other steps.  Keys that are given all the same must say what is stored.  They are read as they were then
 * and compared once they are resolved: a comparison as they are written was refused, since it would turn away the schedule
 * that gave the stored chain, and so the very command that began the run.
 * A finished run, and a student that has been taught, are asked the same before they are called finished.
 */
#include "flow/resolve.h"
#include "flow/trainer.h"

#include "core/file.h"
#include "flow/ou.h"

#include <math.h>
#include <string.h>

/* ---- the run's own configuration ---------------------------------------------------------------------------- */

/* A run that was stopped before its first checkpoint has left its resolved configuration: it is the run that was meant. */
static lfm_status config_of_folder(const char *run, lfm_config **out) {
  char path[LFM_PATH_SIZE];
  LFM_TRY(lfm_path_join(path, sizeof path, run, "config.yaml"));
  if (!lfm_path_exists(path)) {
    lfm_note(LFM_NOTE, "%s: there is no run to go on with; a new one begins", run);
    return LFM_OK;
  }
  lfm_note(LFM_NOTE, "%s: has no checkpoint yet; its run begins again, by its config.yaml", run);
  LFM_TRY(lfm_config_create(out));
  LFM_TRY(lfm_config_load(*out, path));
  bool is_resolved = lfm_config_is_set(*out, "microbatch") && lfm_config_is_set(*out, "checkpoint_every");
  if (is_resolved) lfm_config_settle(*out); /* a key that it lacks is newer than the run; one by hand is completed */
  return LFM_OK;
}

/* A resumed run keeps its resolved configuration. */
lfm_status lfm_trainer_configure(lfm_trainer *trainer, bool *resumed) {
  const lfm_train_options *options = trainer->options;
  const lfm_config *given = options->config;
  *resumed = false;
  if (options->resume) LFM_TRY(lfm_checkpoint_config(options->run, &trainer->config));
  if (options->resume && !trainer->config) LFM_TRY(config_of_folder(options->run, &trainer->config));
  *resumed = trainer->config != NULL;
  if (*resumed && options->time_limit > 0.0)
    lfm_note(LFM_NOTE, "the time limit is left out of account: a run's steps are chosen when it begins");
  if (*resumed) return LFM_OK;
  return given ? lfm_config_copy(given, &trainer->config) : lfm_config_create(&trainer->config);
}

/* ---- what is asked beside it -------------------------------------------------------------------------------- */

static bool is_chain(const lfm_config *stored, const double *gammas, int blocks) {
  if (blocks != stored->blocks) return false;
  for (int n = 0; n < blocks; n++) {
    double step = stored->hks[n];
    if (isnan(step) ? !isnan(gammas[n]) : !(fabs(gammas[n] - step) <= 1e-12 * step)) return false; /* rho is rounded */
  }
  return true;
}

/* May the stored chain be of a schedule with the given parts?  It states no schedule: the other parts are what the chain says
 * of them, and the kind is any. */
static bool may_be_of_schedule(const lfm_config *stored, const lfm_config *given) {
  lfm_config schedule = *given;
  double gammas[LFM_MAX_BLOCKS];
  int blocks;
  schedule.blocks = 0;
  if (!lfm_config_is_set(given, "schedule.blocks")) schedule.schedule_blocks = stored->blocks;
  if (!lfm_config_is_set(given, "schedule.c")) schedule.schedule_c = stored->hks[0];
  if (!lfm_config_is_set(given, "schedule.rho"))
    schedule.schedule_rho = stored->blocks > 2 ? stored->hks[1] / stored->hks[0] : 1.0;
  for (int kind = LFM_SCHEDULE_EXPONENTIAL; kind <= LFM_SCHEDULE_LINEAR; kind++) {
    if (lfm_config_is_set(given, "schedule.kind") && kind != (int)given->schedule_kind) continue;
    schedule.schedule_kind = (lfm_schedule_kind)kind;
    if (lfm_ou_schedule(&schedule, gammas, &blocks) == LFM_OK && is_chain(stored, gammas, blocks)) return true;
  }
  return false;
}

/* The given keys over the stored ones. */
static lfm_status lay_over(const lfm_config *stored, const lfm_config *given, lfm_config *out) {
  const char *name, *fallback, *help;
  *out = *stored;
  for (int k = 0; lfm_config_key(k, &name, &fallback, &help); k++)
    if (lfm_config_is_set(given, name)) lfm_config_take(out, given, name);
  if (!lfm_config_is_set(given, "schedule") || lfm_config_is_set(given, "hks")) return LFM_OK;
  LFM_TRY(lfm_config_set(out, "hks=auto")); /* the chain is then the schedule's */
  if (!may_be_of_schedule(stored, given)) return LFM_OK;
  out->blocks = stored->blocks;
  memcpy(out->hks, stored->hks, sizeof out->hks);
  return LFM_OK;
}

lfm_status lfm_resolve_agreement(const lfm_config *stored, const lfm_config *given, const lfm_data_shape *shape) {
  lfm_config asked;
  if (!given) return LFM_OK;
  LFM_TRY(lay_over(stored, given, &asked));
  lfm_status resolved = lfm_resolve_shape(&asked, shape);
  memcpy(asked.set, given->set, sizeof asked.set); /* these are compared */
  if (!lfm_config_is_set(given, "hks") && !lfm_config_is_set(given, "schedule")) asked.blocks = 0;
  LFM_TRY(lfm_config_agrees(stored, &asked)); /* before what could not be resolved: it names the key that was changed */
  return resolved;
}

/* ---- of what is finished ------------------------------------------------------------------------------------ */

/* A finished run as well: to ask for more batches, or for other rows, and to be told "finished" would mislead. */
lfm_status lfm_trainer_check_finished(const lfm_train_options *options) {
  lfm_model *model;
  LFM_TRY(lfm_checkpoint_check_rows(options));
  if (!lfm_checkpoint_exists(options->run))
    lfm_note(LFM_WARNING, "%s: has no checkpoint any more, so whether it was trained on these rows cannot be told",
             options->run);
  LFM_TRY(lfm_model_load(options->run, &model));
  lfm_config_settle(model->config); /* a key that it lacks is newer than the run */
  lfm_data_shape shape = {.dim = model->normaliser->dim, .picture = options->train->images, .windows = model->windows};
  lfm_status status = lfm_trainer_check_columns(model, options->train);
  if (status == LFM_OK) status = lfm_trainer_count_rows(options, model->config, &shape.rows);
  if (status == LFM_OK) status = lfm_resolve_agreement(model->config, options->config, &shape);
  lfm_model_destroy(model);
  return status;
}

lfm_status lfm_trainer_check_taught(const lfm_model *student, const lfm_config *asked, int64_t rows) {
  lfm_data_shape shape = {
      .rows = rows, .dim = student->normaliser->dim, .picture = student->picture, .windows = student->windows};
  return lfm_resolve_agreement(student->config, asked, &shape);
}
