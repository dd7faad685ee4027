/* SPDX-License-Identifier: MIT
 *
 * distill.c -- Algorithm A.1 of the paper: a chain of N flows becomes K networks that are evaluated once each.
 *
 *   states = rows that the teacher draws, z ~ N(0, I), at every border on their way to data          [states.c]
 *   plan = as asked, or the one of least predicted error                                     [ask.c, choose.c, search.c]
 *   for each merge of the plan, its parts before it:                                                  [teach.c]
 *     pairs = where the teacher was, what the merge's parts make of that                              [lesson.c]
 *     a network that starts from the noisiest part learns  x_l ~ x_r - v(1, x_r)                      [student.c]
 *       (reflow: first the straight flow between them, v(t, I_t) ~ x_r - x_l for all t;
 *        meanflow: the mean velocity of that flow over any span of time, and so over the whole)
 *   chain = the networks that are left, one step each
 *
 * A student is the trainer's one block, its pairs given: steps, checkpoints, averages and files are those of training.  Each
 * has a run folder of its own in RUN, and none but its parts decides its bytes.  Who goes on with a run [begun.c] makes
 * nothing again that is finished, and counts what that took as if it had been made now [cost.h].
 */
#include "core/alloc.h"
#include "core/file.h"
#include "distill/ask.h"
#include "distill/choose.h"
#include "distill/cost.h"
#include "distill/distillation.h"
#include "distill/student.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LEAST_CHOSEN = 1000, FEW_PAIRS = 10000, MANY_PAIRS = 50000, LEAST_TRIAL = 8, TRIAL = 128, LEAST_PILOT = 20 };

/* All pilots together take one in so many steps of the budget, or, where that is too few, one in MOST_PILOTS at most. */
enum { PILOTS_ONE_IN = 100, MOST_PILOTS = 5 };

/* Asked before any work, and thrown away. */
static lfm_status check_config(const lfm_distillation *d) {
  lfm_config *config;
  LFM_TRY(lfm_distill_configure(d, d->method, &config));
  lfm_config_destroy(config);
  return LFM_OK;
}

/* All that is asked for, before any work. */
static lfm_status choose(lfm_distillation *d) {
  d->teacher = d->options->teacher;
  LFM_TRY(lfm_asked_take(d->options, &d->plan, &d->method, &d->how));
  lfm_distill_count_merges(d);
  return check_config(d);
}

/* ---- the teacher's rows ---------------------------------------------------------------------------------------- */

/* Seconds of a row: of so many as take a hundredth of the limit, or of TRIAL. */
static lfm_status time_row(lfm_distillation *d, double limit, double *seconds) {
  lfm_states_options how = d->how;
  for (how.rows = LEAST_TRIAL;; how.rows *= 2) {
    lfm_states trial;
    lfm_status status = lfm_states_record(d->teacher, &how, d->carry, &d->meter, &trial);
    *seconds = trial.seconds / (double)how.rows;
    bool is_enough = how.rows >= TRIAL || trial.seconds > 0.01 * limit;
    lfm_states_release(&trial);
    if (status != LFM_OK || is_enough) return status;
  }
}

/* As many as the teacher draws in a quarter of the time, up to the usual number: a trial says how long a row takes. */
static lfm_status choose_rows(lfm_distillation *d) {
  const lfm_model *teacher = d->teacher;
  int64_t usual = teacher->picture || teacher->windows ? FEW_PAIRS : MANY_PAIRS;
  double limit = lfm_time_limit(d->options->time_limit);
  double seconds;
  d->how.rows = usual;
  if (d->options->budget) return LFM_OK;
  LFM_TRY(time_row(d, limit, &seconds));
  double rows = 0.25 * limit / seconds;
  if (rows >= (double)usual) return LFM_OK;
  d->how.rows = rows < LEAST_CHOSEN ? LEAST_CHOSEN : (int64_t)rows;
  lfm_note(LFM_NOTE, "the teacher draws %lld rows, not %lld, for want of time; --pairs names another number",
           (long long)d->how.rows, (long long)usual);
  return LFM_OK;
}

/* Once a run: they are kept until it is finished. */
static lfm_status record(lfm_distillation *d) {
  char path[LFM_PATH_SIZE];
  LFM_TRY(lfm_distill_file(d, "checkpoint", "states.safetensors", path));
  if (lfm_path_exists(path)) {
    LFM_TRY(lfm_states_read(path, d->teacher, &d->how, &d->states));
    return lfm_distill_add_before(d, d->states.seconds), LFM_OK;
  }
  LFM_TRY(lfm_distill_check_new(d, path));
  if (!d->how.rows) LFM_TRY(choose_rows(d));
  lfm_status status = lfm_states_record(d->teacher, &d->how, d->carry, &d->meter, &d->states);
  if (status == LFM_E_INTERRUPTED)
    return lfm_fail(status, "stopped while the teacher drew its rows; none are kept, and it will draw them again");
  LFM_TRY(status);
  LFM_TRY(lfm_states_do_without(d->states.drawn - d->states.rows, d->states.drawn, "the teacher's solve"));
  return lfm_states_write(&d->states, path);
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

/* RUN/checkpoint/pilots.json. */
static lfm_status keep_pilots(const lfm_distillation *d, double seconds) {
  char path[LFM_PATH_SIZE];
  LFM_TRY(lfm_distill_file(d, "checkpoint", "pilots.json", path));
  return lfm_cost_keep(&(lfm_cost){.seconds = seconds, .flops = d->pilot_flops}, path);
}

/* Those that a call before has flown, if any. */
static lfm_status recall_pilots(lfm_distillation *d) {
  char path[LFM_PATH_SIZE];
  lfm_cost cost;
  LFM_TRY(lfm_distill_file(d, "checkpoint", "pilots.json", path));
  LFM_TRY(lfm_cost_recall(path, &cost));
  d->pilot_flops = cost.flops;
  lfm_distill_add_before(d, cost.seconds);
  return LFM_OK;
}

/* Of so few steps no pilot tells how far a student gets.  [docs/decisions/merging.md] */
static bool is_too_short(const lfm_distillation *d, int64_t steps) {
  return steps && d->options->s == 0.0 &&
         steps * lfm_distill_trainings(d) < (int64_t)LEAST_PILOT * LFM_CHOICE_PILOTS * MOST_PILOTS;
}

static lfm_status choose_even(lfm_distillation *d) {
  lfm_note(LFM_NOTE, "too few steps for a pilot to tell how far a student gets: even merges are taken; --s says how far");
  return lfm_merge_plan_even(LFM_MERGE_VANILLA, d->states.parts, d->options->steps, &d->plan);
}

/* By what the teacher drew. */
static lfm_status choose_by_error(lfm_distillation *d) {
  const lfm_distill_options *options = d->options;
  double s, begun = lfm_seconds();
  char text[LFM_MERGE_TEXT];
  lfm_config *config;
  LFM_TRY(lfm_student_configure(d->teacher, LFM_OBJECTIVE_RESIDUAL, options->config, &config));
  int64_t steps = lfm_distill_steps(d, config);
  if (is_too_short(d, steps)) return lfm_config_destroy(config), choose_even(d);
  int64_t pilot = steps * lfm_distill_trainings(d) / PILOTS_ONE_IN / LFM_CHOICE_PILOTS;
  lfm_choice choice = {.teacher = d->teacher,
                       .states = &d->states,
                       .how = &d->how,
                       .carry = d->carry,
                       .meter = &d->meter,
                       .config = config,
                       .students = options->steps,
                       .threads = options->threads,
                       .steps = steps,
                       .pilot_steps = pilot > LEAST_PILOT ? pilot : LEAST_PILOT,
                       .seconds = lfm_distill_share_of_time(d),
                       .s = options->s};
  lfm_status status = lfm_choose_plan(&choice, &d->plan, &s, &d->pilot_flops);
  lfm_config_destroy(config);
  LFM_TRY(status);
  LFM_TRY(keep_pilots(d, lfm_seconds() - begun));
  lfm_merge_plan_format(&d->plan, text);
  if (s > 0.0) lfm_note(LFM_NOTE, "the plan is %s: by the predicted errors for s = %.3g", text, s);
  return LFM_OK;
}

static lfm_status finish(lfm_distillation *d) {
  const lfm_model *left[LFM_MAX_BLOCKS];
  lfm_model *model;
  char path[LFM_PATH_SIZE];
  for (int k = 0; k < d->plan.students; k++) left[k] = d->student[d->plan.student[k]];
  LFM_TRY(lfm_students_join(d->teacher, &d->plan, d->how.split, left, &model));
  lfm_status status = lfm_path_join(path, sizeof path, d->options->run, "model.safetensors");
  if (status == LFM_OK) status = lfm_chain_write(model, path);
  if (status == LFM_OK) status = lfm_run_folder_begin(d->options->run, model->config);
  lfm_model_destroy(model);
  LFM_TRY(status);
  d->result->blocks = d->plan.students;
  d->result->loss /= lfm_distill_trainings(d);
  d->result->train_flops += d->pilot_flops;
  d->result->valid_nll = d->result->valid_nll_se = (double)NAN;
  d->result->push_flops = (d->states.evaluations + d->evaluations) * lfm_net_forward_flops(d->teacher->net);
  d->result->rows_dropped = d->states.drawn - d->states.rows;
  d->result->seconds = lfm_distill_spent(d);
  LFM_TRY(lfm_run_folder_result(d->options->run, d->result));
  LFM_TRY(lfm_distill_file(d, "checkpoint", "states.safetensors", path));
  return lfm_distill_drop_rows(&d->states, path);
}

static lfm_status distill(lfm_distillation *d) {
  LFM_TRY(lfm_run_folder_claim(d->options->run, d->options->resume, &d->claim));
  LFM_TRY(lfm_distill_go_on(d)); /* before any work */
  LFM_TRY(lfm_team_create(d->options->threads, &d->team));
  LFM_TRY(lfm_carry_create(d->team, d->teacher->net, false, &d->carry));
  LFM_TRY(record(d));
  LFM_TRY(d->plan.count ? recall_pilots(d) : choose_by_error(d));
  lfm_distill_count_merges(d);
  LFM_TRY(check_config(d)); /* the plan may take more trainings than were reckoned with */
  LFM_TRY(lfm_distill_keep_plan(d));
  for (int node = 0; node < d->plan.count; node++)
    if (lfm_distill_is_taught(&d->plan, node)) LFM_TRY(lfm_distill_teach(d, node));
  return finish(d);
}

void lfm_distill_defaults(lfm_distill_options *options) {
  *options = (lfm_distill_options){.split = 1, .guidance = 1.0, .time_limit = LFM_USUAL_SECONDS};
}

lfm_status lfm_distill(const lfm_distill_options *options, lfm_train_result *result) {
  lfm_train_result unasked;
  if (!result) result = &unasked;
  lfm_distillation d = {.options = options, .result = result};
  memset(result, 0, sizeof *result);
  lfm_meter_begin(&d.meter, options->progress, options->context);
  LFM_TRY(lfm_time_limit_check(options->time_limit));
  LFM_TRY(choose(&d));
  if (options->resume) LFM_TRY(lfm_distill_check_ours(&d));
  if (options->resume) LFM_TRY(lfm_run_folder_read_result(options->run, result, &result->was_finished));
  lfm_status status = result->was_finished ? lfm_distill_check_finished(&d) : distill(&d);
  if (status != LFM_OK) lfm_run_folder_abandon(options->run, &d.claim);
  for (int node = 0; node < d.plan.count; node++) lfm_model_destroy(d.student[node]);
  lfm_states_release(&d.states);
  lfm_carry_destroy(d.carry);
  lfm_team_destroy(d.team);
  lfm_run_folder_release(&d.claim);
  return status;
}
