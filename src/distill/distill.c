/* SPDX-License-Identifier: MIT
 *
 * distill.c -- Algorithm A.1 of the paper: a chain of N flows becomes K networks that are evaluated once each.
 *
 *   states = rows that the teacher draws, z ~ N(0, I), at every border on their way to data          [states.c]
 *   plan = as asked, or the one of least predicted error                                     [ask.c, choose.c, search.c]
 *   for each merge of the plan, its parts before it:
 *     pairs = where the teacher was, what the merge's parts make of that                              [lesson.c]
 *     a network that starts from the noisiest part learns  x_l ~ x_r - v(1, x_r)                      [student.c]
 *       (reflow: first the straight flow between them, v(t, I_t) ~ x_r - x_l for all t;
 *        meanflow: the mean velocity of that flow over any span of time, and so over the whole)
 *   chain = the networks that are left, one step each
 *
 * A student is the trainer's one block, its pairs given: steps, checkpoints, averages and files are those of training.  Each
 * has a run folder of its own in RUN, and none but its parts decides its bytes.  Who goes on with a run makes nothing again
 * that is finished, and counts what that took as if it had been made now (cost.h).
 */
#include "core/alloc.h"
#include "core/file.h"
#include "distill/ask.h"
#include "distill/choose.h"
#include "distill/cost.h"
#include "distill/lesson.h"
#include "distill/student.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LEAST_CHOSEN = 1000, FEW_PAIRS = 10000, MANY_PAIRS = 50000, TRIAL = 100, LEAST_PILOT = 20 };

/* All pilots together take one in so many steps of the budget. */
enum { PILOTS_ONE_IN = 100 };

/* The share of the time that is left for what is still to come, however long the teacher took. */
static const double LEAST_LEFT = 0.05;

typedef struct distillation {
  const lfm_distill_options *options;
  const lfm_model *teacher;
  lfm_merge_plan plan;
  int merges, trained; /* students to teach, parts of others among them; trainings so far */
  lfm_objective method;
  lfm_states_options how;
  lfm_states states;
  lfm_team *team;
  lfm_carry *carry;
  lfm_model *student[LFM_MERGE_MOST_NODES]; /* by node */
  lfm_train_result *result;
  double evaluations; /* of the teacher and of parts, while lessons were made */
  double pilot_flops;
  double before; /* seconds that the calls which this one resumes have spent on what is left of them */
  lfm_meter meter;
  int lock;
} distillation;

/* ---- the trainings --------------------------------------------------------------------------------------------- */

static bool is_taught(const lfm_merge_plan *plan, int node) {
  bool is_student = false;
  for (int k = 0; k < plan->students; k++) is_student |= plan->student[k] == node;
  return is_student || plan->node[node].children;
}

/* Of all students; reflow takes two each. */
static int trainings_of(const distillation *d) { return d->merges * (d->method == LFM_OBJECTIVE_REFLOW ? 2 : 1); }

static lfm_status set_budget(const distillation *d, lfm_config *config) {
  int64_t trainings = trainings_of(d);
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
static lfm_status configure(const distillation *d, lfm_objective objective, lfm_config **out) {
  LFM_TRY(lfm_student_configure(d->teacher, objective, d->options->config, out));
  lfm_status status = set_budget(d, *out);
  if (status == LFM_OK) status = lfm_config_validate(*out);
  if (status == LFM_OK) return LFM_OK;
  lfm_config_destroy(*out);
  *out = NULL;
  return status;
}

/* Asked before any work, and thrown away. */
static lfm_status check_config(const distillation *d) {
  lfm_config *config;
  LFM_TRY(configure(d, d->method, &config));
  lfm_config_destroy(config);
  return LFM_OK;
}

/* The last node is a student; of a plan that is still to come so many at least. */
static void count_merges(distillation *d) {
  d->merges = d->plan.count ? 1 : d->options->steps;
  for (int node = 0; node + 1 < d->plan.count; node++) d->merges += is_taught(&d->plan, node);
}

/* All that is asked for, before any work. */
static lfm_status choose(distillation *d) {
  d->teacher = d->options->teacher;
  LFM_TRY(lfm_asked_take(d->options, &d->plan, &d->method, &d->how));
  count_merges(d);
  return check_config(d);
}

/* ---- files and time -------------------------------------------------------------------------------------------- */

static lfm_status file_in(const distillation *d, const char *folder, const char *name, char path[LFM_PATH_SIZE]) {
  char inner[LFM_PATH_SIZE];
  LFM_TRY(lfm_path_join(inner, sizeof inner, d->options->run, folder));
  return *name ? lfm_path_join(path, LFM_PATH_SIZE, inner, name)
               : lfm_path_join(path, LFM_PATH_SIZE, d->options->run, folder);
}

/* What a run leaves behind, ours as any other, and a student's; and what only a distillation does. */
static const char *const signs[] = {"config.yaml", "model.safetensors", "result.json", "checkpoint/state.safetensors", NULL};
static const char *const own_signs[] = {"checkpoint/plan.txt", "checkpoint/states.safetensors", NULL};

static lfm_status holds_any(const char *run, const char *const *names, bool *holds) {
  char path[LFM_PATH_SIZE];
  *holds = false;
  for (; *names; names++) {
    LFM_TRY(lfm_path_join(path, sizeof path, run, *names));
    *holds |= lfm_path_exists(path);
  }
  return LFM_OK;
}

/* A file may say anything. */
static void add_before(distillation *d, double seconds) {
  if (seconds > 0.0 && isfinite(seconds)) d->before += seconds;
}

/* Seconds, over all calls that made the run. */
static double spent(const distillation *d) { return d->before + lfm_seconds() - d->meter.begun; }

static double seconds_left(const distillation *d) {
  double limit = lfm_time_limit(d->options->time_limit);
  return fmax(limit - spent(d), LEAST_LEFT * limit);
}

/* Seconds of each of the trainings that are left, the first of which begins now. */
static double share_of_time(const distillation *d) { return seconds_left(d) / (trainings_of(d) - d->trained); }

/* ---- the teacher's rows ---------------------------------------------------------------------------------------- */

/* As many as the teacher draws in a quarter of the time, up to the usual number: a trial says how long a row takes. */
static lfm_status choose_rows(distillation *d) {
  const lfm_model *teacher = d->teacher;
  int64_t usual = teacher->picture || teacher->windows ? FEW_PAIRS : MANY_PAIRS;
  double limit = lfm_time_limit(d->options->time_limit);
  lfm_states trial;
  lfm_meter quiet;
  d->how.rows = usual;
  if (d->options->budget) return LFM_OK;
  lfm_states_options how = d->how;
  how.rows = TRIAL;
  lfm_meter_begin(&quiet, NULL, NULL);
  lfm_status status = lfm_states_record(teacher, &how, d->carry, &quiet, &trial);
  double rows = 0.25 * limit / (trial.seconds / TRIAL);
  lfm_states_release(&trial);
  LFM_TRY(status);
  if (rows >= (double)usual) return LFM_OK;
  d->how.rows = rows < LEAST_CHOSEN ? LEAST_CHOSEN : (int64_t)rows;
  lfm_note(LFM_NOTE, "the teacher draws %lld rows, not %lld, for want of time; --pairs names another number",
           (long long)d->how.rows, (long long)usual);
  return LFM_OK;
}

/* Once a run: they are kept until it is finished. */
static lfm_status record(distillation *d) {
  char path[LFM_PATH_SIZE];
  LFM_TRY(file_in(d, "checkpoint", "states.safetensors", path));
  if (lfm_path_exists(path)) {
    LFM_TRY(lfm_states_read(path, d->teacher, &d->how, &d->states));
    return add_before(d, d->states.seconds), LFM_OK;
  }
  if (!d->how.rows) LFM_TRY(choose_rows(d));
  lfm_status status = lfm_states_record(d->teacher, &d->how, d->carry, &d->meter, &d->states);
  if (status == LFM_E_INTERRUPTED)
    return lfm_fail(status, "stopped while the teacher drew its rows; none are kept, and it will draw them again");
  LFM_TRY(status);
  LFM_TRY(lfm_states_do_without(d->states.drawn - d->states.rows, d->states.drawn, "the teacher's solve"));
  return lfm_states_write(&d->states, path);
}

/* ---- the students ---------------------------------------------------------------------------------------------- */

/* The lesson of plan.node[node].  Nobody is taught by that of a student that is finished, so that it is not made again: its
 * times, and how many rows it had, are what is asked of it. */
static lfm_status make_lesson(distillation *d, int node, const char *name, bool is_finished, lfm_lesson *out) {
  lfm_syllabus syllabus = {d->teacher, &d->states, &d->how, &d->plan, d->student, d->carry, &d->meter};
  lfm_cost cost = {0};
  char file[72], path[LFM_PATH_SIZE];
  double begun = lfm_seconds();
  snprintf(file, sizeof file, "%s.json", name);
  LFM_TRY(file_in(d, "checkpoint", file, path));
  if (is_finished) LFM_TRY(lfm_cost_recall(path, &cost));
  if (cost.rows > 0.0) {
    lfm_span span = lfm_lesson_span(d->how.split, &d->plan.node[node]);
    out->t_left = span.left, out->t_right = span.right;
    out->left.rows = (int64_t)cost.rows;
    add_before(d, cost.seconds);
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
static void add_result(distillation *d, const lfm_train_result *one, double elapsed) {
  lfm_train_result *sum = d->result;
  sum->steps += one->steps;
  sum->loss += one->loss;
  sum->train_flops += one->train_flops;
  if (bytes_of(&one->memory) > bytes_of(&sum->memory)) sum->memory = one->memory;
  add_before(d, one->seconds - elapsed);
  d->trained++;
}

/* The student in that folder, from wherever it stands; only one that has not begun is told how long it may take. */
static lfm_status train(distillation *d, const char *run, const lfm_config *config, bool is_begun, double seconds,
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
static lfm_status learn(distillation *d, int node, lfm_objective objective, const lfm_model *from, lfm_model **out) {
  const lfm_merge_node *merge = &d->plan.node[node];
  lfm_lesson lesson = {0};
  lfm_config *config = NULL;
  char name[64], run[LFM_PATH_SIZE];
  bool is_begun, is_finished;
  double seconds = share_of_time(d);
  lfm_status status;
  snprintf(name, sizeof name, "blocks-%d-%d%s", merge->first, merge->last,
           objective == LFM_OBJECTIVE_REFLOW ? "-reflow" : "");
  LFM_TRY(file_in(d, name, "", run));
  LFM_TRY(holds_any(run, signs, &is_begun));
  LFM_TRY(holds_any(run, (const char *const[]){"result.json", NULL}, &is_finished));
  LFM_TRY_GOTO(configure(d, objective, &config), done);
  LFM_TRY_GOTO(make_lesson(d, node, name, d->options->resume && is_finished, &lesson), done);
  lesson.at_noise = objective == LFM_OBJECTIVE_RESIDUAL;
  lesson.number = d->trained * d->merges / trainings_of(d) + 1, lesson.of = d->merges;
  if (from) lesson.start = from->params[0];
  LFM_TRY_GOTO(train(d, run, config, d->options->resume && is_begun, seconds, &lesson, out), done);
done:
  lfm_lesson_release(&lesson);
  lfm_config_destroy(config);
  return status;
}

/* What a student is in the end. */
static lfm_objective last_objective(const distillation *d) {
  return d->method == LFM_OBJECTIVE_MEANFLOW ? LFM_OBJECTIVE_MEANFLOW : LFM_OBJECTIVE_RESIDUAL;
}

static lfm_status teach(distillation *d, int node) {
  lfm_model *straight = NULL;
  lfm_status status = LFM_OK;
  if (d->method == LFM_OBJECTIVE_REFLOW) status = learn(d, node, LFM_OBJECTIVE_REFLOW, NULL, &straight);
  if (status == LFM_OK) status = learn(d, node, last_objective(d), straight, &d->student[node]);
  lfm_model_destroy(straight);
  return status;
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

/* RUN/checkpoint/plan.txt: plan and method that a run was begun with, a line each. */
static lfm_status read_plan(const distillation *d, char **text) {
  char path[LFM_PATH_SIZE];
  uint8_t *bytes;
  size_t size;
  *text = NULL;
  LFM_TRY(file_in(d, "checkpoint", "plan.txt", path));
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
static lfm_status agree(distillation *d, char *text) {
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
    count_merges(d);
  }
  const char *asked = lfm_asked_method(d->options);
  return method && strcmp(method, asked) == 0 ? LFM_OK : begun_with("method", method ? method : "another", asked);
}

static lfm_status go_on(distillation *d) {
  char *then;
  LFM_TRY(read_plan(d, &then));
  lfm_status status = then ? agree(d, then) : LFM_OK;
  lfm_free(then);
  return status;
}

static lfm_status keep_plan(const distillation *d) {
  char path[LFM_PATH_SIZE], plan[LFM_MERGE_TEXT], text[LFM_MERGE_TEXT + 16];
  LFM_TRY(file_in(d, "checkpoint", "plan.txt", path));
  if (lfm_path_exists(path)) return LFM_OK;
  lfm_merge_plan_format(&d->plan, plan);
  snprintf(text, sizeof text, "%s\n%s\n", plan, lfm_asked_method(d->options));
  return lfm_file_write(path, text, strlen(text));
}

/* Of a training, if the plan is an even one; 0: the time decides. */
static int64_t steps_of_training(const distillation *d, const lfm_config *config) {
  if (d->options->budget) return d->options->budget / trainings_of(d);
  return config->max_batch.count ? config->max_batch.of[0] : 0;
}

/* RUN/checkpoint/pilots.json. */
static lfm_status keep_pilots(const distillation *d, double seconds) {
  char path[LFM_PATH_SIZE];
  LFM_TRY(file_in(d, "checkpoint", "pilots.json", path));
  return lfm_cost_keep(&(lfm_cost){.seconds = seconds, .flops = d->pilot_flops}, path);
}

/* Those that a call before has flown, if any. */
static lfm_status recall_pilots(distillation *d) {
  char path[LFM_PATH_SIZE];
  lfm_cost cost;
  LFM_TRY(file_in(d, "checkpoint", "pilots.json", path));
  LFM_TRY(lfm_cost_recall(path, &cost));
  d->pilot_flops = cost.flops;
  add_before(d, cost.seconds);
  return LFM_OK;
}

/* By what the teacher drew. */
static lfm_status choose_by_error(distillation *d) {
  const lfm_distill_options *options = d->options;
  double s, begun = lfm_seconds();
  char text[LFM_MERGE_TEXT];
  lfm_config *config;
  LFM_TRY(lfm_student_configure(d->teacher, LFM_OBJECTIVE_RESIDUAL, options->config, &config));
  int64_t steps = steps_of_training(d, config), pilot = steps * trainings_of(d) / PILOTS_ONE_IN / LFM_CHOICE_PILOTS;
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
                       .seconds = share_of_time(d),
                       .s = options->s};
  lfm_status status = lfm_choose_plan(&choice, &d->plan, &s, &d->pilot_flops);
  lfm_config_destroy(config);
  LFM_TRY(status);
  LFM_TRY(keep_pilots(d, lfm_seconds() - begun));
  lfm_merge_plan_format(&d->plan, text);
  if (s > 0.0) lfm_note(LFM_NOTE, "the plan is %s: by the predicted errors for s = %.3g", text, s);
  return LFM_OK;
}

/* Once the run is finished, and not before, since one that is stopped needs them: then only where they came from. */
static lfm_status drop_rows(lfm_states *states, const char *path) {
  lfm_states_release(states);
  return lfm_states_write(states, path);
}

static lfm_status finish(distillation *d) {
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
  d->result->loss /= trainings_of(d);
  d->result->train_flops += d->pilot_flops;
  d->result->valid_nll = (double)NAN;
  d->result->push_flops = (d->states.evaluations + d->evaluations) * lfm_net_forward_flops(d->teacher->net);
  d->result->rows_dropped = d->states.drawn - d->states.rows;
  d->result->seconds = spent(d);
  LFM_TRY(lfm_run_folder_result(d->options->run, d->result));
  LFM_TRY(file_in(d, "checkpoint", "states.safetensors", path));
  return drop_rows(&d->states, path);
}

/* Of a run that was killed when all but that was done; or that is, at this moment. */
static lfm_status drop_late(distillation *d, const char *path) {
  LFM_TRY(lfm_run_folder_claim(d->options->run, true, &d->lock));
  return drop_rows(&d->states, path);
}

/* A finished run as well: to ask for another teacher, or for more steps, and to be told "finished" would mislead. */
static lfm_status check_finished(distillation *d) {
  char path[LFM_PATH_SIZE];
  lfm_config *asked;
  lfm_model *model = NULL;
  LFM_TRY(go_on(d));
  LFM_TRY(file_in(d, "checkpoint", "states.safetensors", path));
  if (!lfm_path_exists(path)) return LFM_OK; /* somebody has tidied up */
  LFM_TRY(lfm_states_check(path, d->teacher, &d->how, &d->states));
  if (d->states.rows) LFM_TRY(drop_late(d, path));
  LFM_TRY(configure(d, last_objective(d), &asked));
  lfm_status status = lfm_config_set(asked, "hks=auto"); /* of all students, and so the plan's */
  if (status == LFM_OK) status = lfm_model_load(d->options->run, &model);
  if (status == LFM_OK)
    status = lfm_trainer_check_taught(model, asked, lfm_lesson_rows(d->states.drawn - d->result->rows_dropped));
  lfm_model_destroy(model);
  lfm_config_destroy(asked);
  return status;
}

/* Another's run would be written over.  Where somebody has tidied up, the model of a distillation still has its plan. */
static lfm_status check_ours(const distillation *d) {
  const char *run = d->options->run;
  bool is_run, is_ours, has_model;
  lfm_model *model;
  LFM_TRY(holds_any(run, signs, &is_run));
  LFM_TRY(holds_any(run, own_signs, &is_ours));
  LFM_TRY(holds_any(run, (const char *const[]){"model.safetensors", NULL}, &has_model));
  if (has_model && !is_ours) {
    LFM_TRY(lfm_model_load(run, &model));
    is_ours = model->plan != NULL;
    lfm_model_destroy(model);
  }
  if (is_ours || !is_run) return LFM_OK;
  return lfm_fail(LFM_E_EXISTS, "%s: holds a run that is no distillation; --resume leaves it alone, another -o begins one",
                  run);
}

static lfm_status distill(distillation *d) {
  LFM_TRY(lfm_run_folder_claim(d->options->run, d->options->resume, &d->lock));
  LFM_TRY(go_on(d)); /* before any work */
  LFM_TRY(lfm_team_create(d->options->threads, &d->team));
  LFM_TRY(lfm_carry_create(d->team, d->teacher->net, false, &d->carry));
  LFM_TRY(record(d));
  LFM_TRY(d->plan.count ? recall_pilots(d) : choose_by_error(d));
  count_merges(d);
  LFM_TRY(check_config(d)); /* the plan may take more trainings than were reckoned with */
  LFM_TRY(keep_plan(d));
  for (int node = 0; node < d->plan.count; node++)
    if (is_taught(&d->plan, node)) LFM_TRY(teach(d, node));
  return finish(d);
}

void lfm_distill_defaults(lfm_distill_options *options) {
  *options = (lfm_distill_options){.split = 1, .guidance = 1.0, .time_limit = LFM_USUAL_SECONDS};
}

lfm_status lfm_distill(const lfm_distill_options *options, lfm_train_result *result) {
  lfm_train_result unasked;
  if (!result) result = &unasked;
  distillation d = {.options = options, .result = result};
  memset(result, 0, sizeof *result);
  lfm_meter_begin(&d.meter, options->progress, options->context);
  LFM_TRY(lfm_time_limit_check(options->time_limit));
  LFM_TRY(choose(&d));
  if (options->resume) LFM_TRY(check_ours(&d));
  if (options->resume) LFM_TRY(lfm_run_folder_read_result(options->run, result, &result->was_finished));
  lfm_status status = result->was_finished ? check_finished(&d) : distill(&d);
  if (status != LFM_OK && d.lock > 0) lfm_run_folder_abandon(options->run);
  for (int node = 0; node < d.plan.count; node++) lfm_model_destroy(d.student[node]);
  lfm_states_release(&d.states);
  lfm_carry_destroy(d.carry);
  lfm_team_destroy(d.team);
  lfm_run_folder_release(d.lock);
  return status;
}
