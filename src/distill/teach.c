/* SPDX-License-Identifier: MIT
 *
 * teach.c -- the trainings of a distillation: how many there are and how long each may be, the lesson of each, and the
 * student from wherever it stands.  A training that is finished is not made again, and what it took is counted as if it had
 * been made now (cost.h).
 */
#include "core/alloc.h"
#include "core/file.h"
#include "distill/cost.h"
#include "distill/distillation.h"
#include "distill/lesson.h"
#include "distill/student.h"

#include <math.h>
#include <stdio.h>

/* The share of the time that is left for what is still to come, however long the teacher took. */
static const double LEAST_LEFT = 0.05;

/* ---- the trainings --------------------------------------------------------------------------------------------- */

bool lfm_distill_is_taught(const lfm_merge_plan *plan, int node) {
  bool is_student = false;
  for (int k = 0; k < plan->students; k++) is_student |= plan->student[k] == node;
  return is_student || plan->node[node].children;
}

/* Of all students; reflow takes two each. */
int lfm_distill_trainings(const lfm_distillation *d) { return d->merges * (d->method == LFM_OBJECTIVE_REFLOW ? 2 : 1); }

static lfm_status set_budget(const lfm_distillation *d, lfm_config *config) {
  int64_t trainings = lfm_distill_trainings(d);
  if (!d->options->budget) return LFM_OK;
  if (lfm_config_is_set(config, "max_batch"))
    return lfm_fail(LFM_E_USAGE, "budget: it says how many steps each student takes, and so does max_batch, which is set; "
                                 "leave one of the two out");
  if (d->options->budget < trainings)
    return lfm_fail(LFM_E_USAGE, "budget: %lld steps are fewer than the %lld trainings that this plan takes",
                    (long long)d->options->budget, (long long)trainings);
  char text[48];
  snprintf(text, sizeof text, "max_batch=%lld", (long long)(d->options->budget / trainings));
  return lfm_config_set(config, text);
}

/* How one student is trained. */
lfm_status lfm_distill_configure(const lfm_distillation *d, lfm_objective objective, lfm_config **out) {
  LFM_TRY(lfm_student_configure(d->teacher, objective, d->options->config, out));
  lfm_status status = set_budget(d, *out);
  if (status == LFM_OK) status = lfm_config_validate(*out);
  if (status == LFM_OK) return LFM_OK;
  lfm_config_destroy(*out);
  *out = NULL;
  return status;
}

/* The last node is a student; of a plan that is still to come so many at least. */
void lfm_distill_count_merges(lfm_distillation *d) {
  d->merges = d->plan.count ? 1 : d->options->steps;
  for (int node = 0; node + 1 < d->plan.count; node++) d->merges += lfm_distill_is_taught(&d->plan, node);
}

/* Of a training, if the plan is an even one; 0: the time decides. */
int64_t lfm_distill_steps(const lfm_distillation *d, const lfm_config *config) {
  if (d->options->budget) return d->options->budget / lfm_distill_trainings(d);
  return config->max_batch.count ? config->max_batch.of[0] : 0;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

/* A file may say anything. */
void lfm_distill_add_before(lfm_distillation *d, double seconds) {
  if (seconds > 0.0 && isfinite(seconds)) d->before += seconds;
}

/* Seconds, over all calls that made the run. */
double lfm_distill_spent(const lfm_distillation *d) { return d->before + lfm_seconds() - d->meter.begun; }

static double seconds_left(const lfm_distillation *d) {
  double limit = lfm_time_limit(d->options->time_limit);
  return fmax(limit - lfm_distill_spent(d), LEAST_LEFT * limit);
}

/* Seconds of each of the trainings that are left, the first of which begins now. */
double lfm_distill_share_of_time(const lfm_distillation *d) {
  return seconds_left(d) / (lfm_distill_trainings(d) - d->trained);
}

/* ---- the students ---------------------------------------------------------------------------------------------- */

/* The lesson of plan.node[node].  Nobody is taught by that of a student that is finished, so that it is not made again: its
 * times, and how many rows it had, are what is asked of it. */
static lfm_status make_lesson(lfm_distillation *d, int node, const char *name, bool is_finished, lfm_lesson *out) {
  lfm_syllabus syllabus = {d->teacher, &d->states, &d->how, &d->plan, d->student, d->carry, &d->meter};
  lfm_cost cost = {0};
  char file[72], path[LFM_PATH_SIZE];
  double begun = lfm_seconds();
  snprintf(file, sizeof file, "%s.json", name);
  LFM_TRY(lfm_distill_file(d, "checkpoint", file, path));
  if (is_finished) LFM_TRY(lfm_cost_recall(path, &cost));
  if (cost.rows > 0.0) {
    lfm_span span = lfm_lesson_span(d->how.split, &d->plan.node[node]);
    out->t_left = span.left, out->t_right = span.right;
    out->left.rows = (int64_t)cost.rows;
    lfm_distill_add_before(d, cost.seconds);
  } else {
    LFM_TRY(lfm_lesson_make(&syllabus, node, out, &cost.evaluations));
    cost.rows = (double)out->left.rows, cost.seconds = lfm_seconds() - begun;
    LFM_TRY(lfm_cost_keep(&cost, path));
  }
  d->evaluations += cost.evaluations;
  return LFM_OK;
}

static int64_t bytes_of(const lfm_memory *m) { return m->tables + m->pool + m->model + m->lanes + m->workers; }

/* A training that took `elapsed` seconds of this call; all that it took besides was of calls before. */
static void add_result(lfm_distillation *d, const lfm_train_result *one, double elapsed) {
  lfm_train_result *sum = d->result;
  sum->steps += one->steps;
  sum->loss += one->loss;
  sum->train_flops += one->train_flops;
  if (bytes_of(&one->memory) > bytes_of(&sum->memory)) sum->memory = one->memory;
  lfm_distill_add_before(d, one->seconds - elapsed);
  d->trained++;
}

/* The student in that folder, from wherever it stands; only one that has not begun is told how long it may take. */
static lfm_status train(lfm_distillation *d, const char *run, const lfm_config *config, bool is_begun, double seconds,
                        lfm_lesson *lesson, lfm_model **out) {
  lfm_train_options options = {.config = config,
                               .run = run,
                               .time_limit = is_begun ? 0.0 : seconds,
                               .threads = d->options->threads,
                               .resume = is_begun,
                               .allow_drift = d->options->allow_drift,
                               .progress = d->options->progress,
                               .context = d->options->context};
  lfm_train_result result;
  double begun = lfm_seconds();
  LFM_TRY(lfm_student_train(d->teacher, &options, lesson, out, &result));
  add_result(d, &result, lfm_seconds() - begun);
  return LFM_OK;
}

/* One training of plan.node[node]; begun from `from` where it is not NULL. */
static lfm_status learn(lfm_distillation *d, int node, lfm_objective objective, const lfm_model *from, lfm_model **out) {
  const lfm_merge_node *merge = &d->plan.node[node];
  lfm_lesson lesson = {0};
  lfm_config *config = NULL;
  char name[64], run[LFM_PATH_SIZE];
  bool is_begun, is_finished;
  double seconds = lfm_distill_share_of_time(d);
  lfm_status status;
  snprintf(name, sizeof name, "blocks-%d-%d%s", merge->first, merge->last,
           objective == LFM_OBJECTIVE_REFLOW ? "-reflow" : "");
  LFM_TRY(lfm_distill_file(d, name, "", run));
  LFM_TRY(lfm_distill_stand_of(run, &is_begun, &is_finished));
  LFM_TRY_GOTO(lfm_distill_configure(d, objective, &config), done);
  LFM_TRY_GOTO(make_lesson(d, node, name, d->options->resume && is_finished, &lesson), done);
  lesson.at_noise = objective == LFM_OBJECTIVE_RESIDUAL;
  lesson.number = d->trained * d->merges / lfm_distill_trainings(d) + 1, lesson.of = d->merges;
  if (from) lesson.start = from->params[0];
  LFM_TRY_GOTO(train(d, run, config, d->options->resume && is_begun, seconds, &lesson, out), done);
done:
  lfm_lesson_release(&lesson);
  lfm_config_destroy(config);
  return status;
}

/* What a student is in the end. */
lfm_objective lfm_distill_last(const lfm_distillation *d) {
  return d->method == LFM_OBJECTIVE_MEANFLOW ? LFM_OBJECTIVE_MEANFLOW : LFM_OBJECTIVE_RESIDUAL;
}

lfm_status lfm_distill_teach(lfm_distillation *d, int node) {
  lfm_model *straight = NULL;
  lfm_status status = LFM_OK;
  if (d->method == LFM_OBJECTIVE_REFLOW) status = learn(d, node, LFM_OBJECTIVE_REFLOW, NULL, &straight);
  if (status == LFM_OK) status = learn(d, node, lfm_distill_last(d), straight, &d->student[node]);
  lfm_model_destroy(straight);
  return status;
}
