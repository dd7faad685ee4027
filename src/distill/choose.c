/* SPDX-License-Identifier: MIT
 *
 * choose.c -- see choose.h.
 * A pilot is the start of the plainest plan there is, an even cut whose groups are merged at once: so many steps of a
 * student, and its error before and after.  Of what it learnt nothing is kept.
 */
#include "distill/choose.h"

#include "core/alloc.h"
#include "core/order.h"
#include "distill/search.h"
#include "distill/student.h"
#include "flow/spectrum.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SURVEYED = 2000 };

static const double USUAL = 0.5;

/* ---- the teacher in numbers -------------------------------------------------------------------------------------- */

/* Of so many rows of the pool, evenly spaced, as lfm plan takes. */
static lfm_status fit_variances(const lfm_pool *pool, double *variances) {
  int64_t dim = pool->dim, rows = pool->rows < SURVEYED ? pool->rows : SURVEYED;
  double *y = NULL;
  float *room = NULL;
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&y, rows * dim), done);
  LFM_TRY_GOTO(LFM_ALLOC(&room, dim), done);
  for (int64_t i = 0; i < rows; i++) {
    const float *x = lfm_pool_row(pool, lfm_spaced(i, pool->rows, rows), room);
    for (int64_t j = 0; j < dim; j++) y[i * dim + j] = (double)x[j];
  }
  LFM_TRY_GOTO(lfm_spectrum_within(y, rows, dim, variances), done);
done:
  lfm_free(y);
  lfm_free(room);
  return status;
}

static lfm_status make_operators(const lfm_choice *c, const double *variances, double s, lfm_merge_operators **out) {
  double hks[LFM_MAX_BLOCKS];
  int parts = c->states->parts;
  for (int n = 1; n <= parts; n++) {
    lfm_merge_node part = {.first = n, .last = n};
    hks[n - 1] = lfm_student_step(c->teacher->config, c->how->split, &part);
  }
  return lfm_merge_operators_create(variances, c->states->border[0].dim, hks, parts, s, out);
}

/* ---- the pilot ----------------------------------------------------------------------------------------------------- */

/* What all of them have taken: seconds of their steps, and operations. */
typedef struct flight {
  double seconds, flops;
} flight;

static lfm_status train_pilot(lfm_trainer *trainer, lfm_meter *meter, lfm_merge_pilot *pilot, flight *took) {
  LFM_TRY(lfm_trainer_validate(trainer));
  pilot->before = trainer->last_valid;
  double begun = lfm_seconds();
  lfm_meter_phase(meter, LFM_PHASE_TRAIN, 0, 0, 0, lfm_trainer_block_steps(trainer, 0)); /* of no student */
  while (!lfm_trainer_is_block_done(trainer)) {
    LFM_TRY(lfm_trainer_step(trainer));
    if (lfm_meter_tick(meter, trainer->step))
      return lfm_fail(LFM_E_INTERRUPTED, "stopped while a pilot flew; resumed, it flies again");
  }
  took->seconds += lfm_seconds() - begun;
  LFM_TRY(lfm_trainer_validate(trainer));
  pilot->after = trainer->last_valid;
  return LFM_OK;
}

static lfm_status fly_pilot(const lfm_choice *c, const lfm_merge_plan *plan, int node, lfm_merge_pilot *pilot, flight *took) {
  lfm_model *none[LFM_MERGE_MOST_NODES] = {NULL};
  lfm_syllabus syllabus = {c->teacher, c->states, c->how, plan, none, c->carry, c->meter};
  lfm_lesson lesson = {0};
  lfm_config *config = NULL;
  lfm_trainer *trainer = NULL;
  double evaluations = 0.0;
  char text[48];
  lfm_status status;
  snprintf(text, sizeof text, "max_batch=%lld", (long long)c->pilot_steps);
  *pilot = (lfm_merge_pilot){.first = plan->node[node].first, .last = plan->node[node].last};
  LFM_TRY_GOTO(lfm_lesson_make(&syllabus, node, &lesson, &evaluations), done);
  LFM_TRY_GOTO(lfm_config_copy(c->config, &config), done);
  LFM_TRY_GOTO(lfm_config_set(config, text), done);
  LFM_TRY_GOTO(lfm_config_set(config, "patience=0"), done);
  LFM_TRY_GOTO(lfm_config_set(config, "ema_decay=0"), done); /* what training has reached, not its mean on the way */
  LFM_TRY_GOTO(lfm_config_set(config, "warmup=auto"), done); /* what suits a training leaves a pilot on the ground */
  lesson.at_noise = true, lesson.number = lesson.of = 1;
  lfm_train_options options = {.config = config, .threads = c->threads};
  LFM_TRY_GOTO(lfm_trainer_create_student(&options, c->teacher, &lesson, &trainer), done);
  LFM_TRY_GOTO(train_pilot(trainer, c->meter, pilot, took), done);
done:
  if (trainer) took->flops += trainer->train_flops;
  lfm_trainer_destroy(trainer);
  lfm_config_destroy(config);
  lfm_lesson_release(&lesson);
  return status;
}

/* Of the first groups of several blocks that an even cut has. */
static lfm_status fly_pilots(const lfm_choice *c, lfm_merge_pilot pilots[LFM_CHOICE_PILOTS], int *count, flight *took) {
  lfm_merge_plan even;
  LFM_TRY(lfm_merge_plan_even(LFM_MERGE_VANILLA, c->states->parts, c->students, &even));
  for (int k = even.students - 1; k >= 0 && *count < LFM_CHOICE_PILOTS; k--)
    if (even.node[even.student[k]].children) LFM_TRY(fly_pilot(c, &even, even.student[k], &pilots[(*count)++], took));
  return LFM_OK;
}

/* The s that the errors of pilots say, of a whole training. */
static lfm_status fit_time(const lfm_choice *c, const double *variances, double *s, double *flops) {
  lfm_merge_pilot pilots[LFM_CHOICE_PILOTS];
  lfm_merge_operators *operators;
  int count = 0;
  flight took = {0};
  LFM_TRY(make_operators(c, variances, 1.0, &operators));
  lfm_status status = fly_pilots(c, pilots, &count, &took);
  *flops = took.flops;
  if (status == LFM_OK) status = lfm_merge_fit_time(operators, pilots, count, s);
  lfm_merge_operators_destroy(operators);
  if (status == LFM_E_DATA || status == LFM_E_NUMERIC) {
    lfm_note(LFM_WARNING, "the pilot has learnt nothing (%s); the plan is chosen for s = %g", lfm_error(), USUAL);
    *s = USUAL;
    return LFM_OK;
  }
  double length = c->steps ? (double)c->steps / (double)c->pilot_steps : c->seconds / (took.seconds / count);
  *s *= fmax(length, 1.0);
  return status;
}

/* The plan found, unless what it saves beside an even one, merged at once, is nothing that a student would show: every merge
 * more is a training more. */
static lfm_status find(const lfm_choice *c, const lfm_merge_operators *operators, lfm_merge_plan *plan) {
  const double SHOWS = 1e-4; /* of the variance */
  lfm_merge_found found;
  double variance = 0.0;
  for (int64_t k = 0; k < operators->dim; k++) variance += operators->variance[k];
  LFM_TRY(lfm_merge_search(operators, c->students, false, &found));
  LFM_TRY(lfm_merge_plan_even(LFM_MERGE_VANILLA, c->states->parts, c->students, plan));
  if (lfm_merge_error(operators, plan) - found.error > SHOWS * variance) *plan = found.plan;
  return LFM_OK;
}

lfm_status lfm_choose_plan(const lfm_choice *c, lfm_merge_plan *plan, double *s, double *flops) {
  const double LONGEST = 1e6; /* nothing is left of the beginning */
  lfm_merge_operators *operators = NULL;
  double *variances;
  lfm_status status;
  *s = c->s, *flops = 0.0;
  if (c->students == c->states->parts) return lfm_merge_plan_even(LFM_MERGE_VANILLA, c->states->parts, c->students, plan);
  LFM_TRY(LFM_ALLOC(&variances, c->states->border[0].dim));
  LFM_TRY_GOTO(fit_variances(&c->states->border[0], variances), done);
  if (*s == 0.0) LFM_TRY_GOTO(fit_time(c, variances, s, flops), done);
  *s = fmin(*s, LONGEST);
  LFM_TRY_GOTO(make_operators(c, variances, *s, &operators), done);
  status = find(c, operators, plan);
done:
  lfm_merge_operators_destroy(operators);
  lfm_free(variances);
  return status;
}
