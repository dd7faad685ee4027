/* SPDX-License-Identifier: MIT
 *
 * stepper.c -- one row's steps: the stages of the tableau, the control of the step size, and the ways to end.
 *
 * An accepted step of a pair hands its last stage on as the next first one, and a rejected step keeps its first: a pair costs
 * two evaluations to choose the first step and `stages` for every try.
 *
 * First step: Hairer, Norsett, Wanner I, II.4 (a-f), with the 1e-6 there taken of |t1 - t0|.
 *
 * Step size: PI control (Hairer, Wanner II, IV.2), h' = 0.9 h err^-(1/q - 0.03) err_before^0.04 within [h/5, 10 h], and not
 * growing after a rejection; q - 1 is the order of the embedded solution.  The plain rule, h' = 0.9 h err^-1/q, was refused:
 * on the exact flow of a mixture of eight Gaussians dopri5 then took 38 evaluations a row at tolerance 1e-3 and 70 at 1e-5,
 * where PI control takes 30 and 63, no less exact.
 *
 * A value that is not finite: the step is tried again at a quarter; at the floor the row ends as LFM_ROW_NOT_FINITE.
 *
 * All arithmetic is this row's alone, in a fixed order, in double: the bytes do not depend on the batch.
 */
#include "ode/stepper.h"

#include <float.h>
#include <math.h>
#include <string.h>

lfm_step_rule lfm_step_rule_of(const lfm_ode_problem *problem) {
  double span = fabs(problem->t1 - problem->t0);
  double asked = problem->step_floor > 0.0 ? problem->step_floor : 1e-10 * span;
  double resolved = 16.0 * DBL_EPSILON * fmax(fabs(problem->t0), fabs(problem->t1)); /* so that t + h is never t */
  return (lfm_step_rule){.tableau = lfm_tableau_of(problem->solver),
                         .dim = problem->dim,
                         .size = problem->dim + problem->logdets,
                         .t0 = problem->t0,
                         .t1 = problem->t1,
                         .fixed_steps = problem->fixed_steps,
                         .crowding = problem->crowding > 0.0 ? problem->crowding : 1.0,
                         .max_steps = problem->max_steps > 0 ? problem->max_steps : 100000,
                         .atol = problem->atol,
                         .rtol = problem->rtol,
                         .floor = fmax(asked, resolved)};
}

/* ---- vectors ------------------------------------------------------------------------------------------------ */

/* Element i of sum_j weights[j] k[j]. */
static double mix(const double *weights, int count, const double *k, int64_t size, int64_t i) {
  double sum = 0.0;
  for (int j = 0; j < count; j++) sum += weights[j] * k[j * size + i];
  return sum;
}

/* out[i] = y[i] + h sum_j weights[j] k[j][i] for i < n. */
static void step_along(const lfm_step_rule *rule, const lfm_stepper *s, double h, const double *weights, int count, int64_t n,
                       double *out) {
  for (int64_t i = 0; i < n; i++) out[i] = s->y[i] + h * mix(weights, count, s->k, rule->size, i);
}

/* v in units of the tolerance at the larger of |y| and |z|. */
static double scaled(const lfm_step_rule *rule, double v, double y, double z) {
  return v / (rule->atol + rule->rtol * fmax(fabs(y), fabs(z)));
}

/* Size of v = sum_j weights[j] k[j] in those units: the root mean square over x, or the mean of the log-determinants where
 * that is larger. */
static double scaled_norm(const lfm_step_rule *rule, const double *weights, int count, const double *k, const double *y,
                          const double *z) {
  double sum = 0.0, mean_v = 0.0, mean_y = 0.0, mean_z = 0.0, logdets = (double)(rule->size - rule->dim);
  for (int64_t i = 0; i < rule->dim; i++) {
    double v = scaled(rule, mix(weights, count, k, rule->size, i), y[i], z[i]);
    sum += v * v;
  }
  for (int64_t i = rule->dim; i < rule->size; i++) {
    mean_v += mix(weights, count, k, rule->size, i) / logdets;
    mean_y += y[i] / logdets;
    mean_z += z[i] / logdets;
  }
  return fmax(sqrt(sum / (double)rule->dim), fabs(scaled(rule, mean_v, mean_y, mean_z)));
}

static bool all_finite(const double *v, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(v[i])) return false;
  }
  return true;
}

/* ---- one step ----------------------------------------------------------------------------------------------- */

static bool end(lfm_stepper *s, lfm_row_status status) {
  s->status = status;
  return false;
}

static bool want(lfm_stepper *s, const lfm_step_rule *rule, double t, const double *x) {
  *s->t = t;
  memcpy(s->x, x, (size_t)rule->dim * sizeof *x);
  return true;
}

/* The time behind so many fixed steps. */
static double fixed_time(const lfm_step_rule *rule, int done) {
  double share = (double)done / rule->fixed_steps, p = rule->crowding;
  if (done == rule->fixed_steps) return rule->t1;
  if (p == 1.0) return rule->t0 + (rule->t1 - rule->t0) * share;
  double from = pow(rule->t0, 1.0 / p), to = pow(rule->t1, 1.0 / p);
  return pow(from + (to - from) * share, p);
}

/* The time after this step; the last one lands on t1, also where that stretches it by a hundredth. */
static double next_time(const lfm_stepper *s, const lfm_step_rule *rule) {
  if (rule->fixed_steps > 0) return fixed_time(rule, s->steps + 1);
  return 1.01 * s->h >= fabs(rule->t1 - s->at) ? rule->t1 : s->at + copysign(s->h, rule->t1 - rule->t0);
}

/* Asks for k[stage], or for k of (next, y_next) behind the last. */
static bool want_stage(lfm_stepper *s, const lfm_step_rule *rule) {
  const lfm_tableau *tableau = rule->tableau;
  if (s->stage == tableau->stages) return want(s, rule, s->next, s->y_next);
  double h = s->next - s->at;
  double c = tableau->c[s->stage];
  *s->t = c < 1.0 ? s->at + c * h : s->next; /* f is never asked beyond t1, not even by a rounding */
  step_along(rule, s, h, tableau->a[s->stage], s->stage, rule->dim, s->x);
  return true;
}

static bool begin_step(lfm_stepper *s, const lfm_step_rule *rule, bool first_stage_known) {
  if (rule->fixed_steps == 0 && s->steps == rule->max_steps) return end(s, LFM_ROW_TOO_MANY);
  s->next = next_time(s, rule);
  if (s->next == rule->t1) s->h = fabs(s->next - s->at);
  s->steps++;
  s->phase = LFM_STEPPER_STAGE;
  s->stage = first_stage_known ? 1 : 0;
  return want_stage(s, rule);
}

static bool accept_step(lfm_stepper *s, const lfm_step_rule *rule) {
  const lfm_tableau *tableau = rule->tableau;
  double *y = s->y;
  s->y = s->y_next;
  s->y_next = y;
  s->at = s->next;
  if (s->at == rule->t1) return end(s, LFM_ROW_SOLVED);
  if (tableau->fsal) memcpy(s->k, s->k + tableau->stages * rule->size, (size_t)rule->size * sizeof *s->k);
  return begin_step(s, rule, tableau->fsal);
}

/* Tries the step again, from the same first stage, with a smaller size; at the floor the row ends with STATUS. */
static bool retry_step(lfm_stepper *s, const lfm_step_rule *rule, double factor, lfm_row_status status) {
  if (rule->fixed_steps > 0 || s->h <= rule->floor) return end(s, status);
  s->h = fmax(s->h * factor, rule->floor);
  s->rejected = true;
  return begin_step(s, rule, true);
}

/* All stages are in: weighs the error, then goes on or back. */
static bool judge_step(lfm_stepper *s, const lfm_step_rule *rule) {
  if (rule->fixed_steps > 0) return accept_step(s, rule);
  const lfm_tableau *tableau = rule->tableau;
  double error = s->h * scaled_norm(rule, tableau->e, tableau->stages + 1, s->k, s->y, s->y_next);
  if (!isfinite(error)) return retry_step(s, rule, 0.25, LFM_ROW_NOT_FINITE);

  const double safety = 0.9, beta = 0.04, shrink = 0.2, grow = 10.0;
  double exponent = 1.0 / (tableau->embedded_order + 1) - 0.75 * beta;
  double factor = safety * pow(error, -exponent);
  if (error > 1.0) return retry_step(s, rule, fmax(factor, shrink), LFM_ROW_STEP_FLOOR);

  factor = fmin(fmax(factor * pow(s->error_before, beta), shrink), s->rejected ? 1.0 : grow);
  s->h = fmax(s->h * factor, rule->floor);
  s->error_before = fmax(error, 1e-4);
  s->rejected = false;
  return accept_step(s, rule);
}

static bool take_stage(lfm_stepper *s, const lfm_step_rule *rule) {
  const lfm_tableau *tableau = rule->tableau;
  s->stage++;
  if (s->stage < tableau->stages) return want_stage(s, rule);
  if (s->stage > tableau->stages) return judge_step(s, rule);
  step_along(rule, s, s->next - s->at, tableau->b, tableau->stages, rule->size, s->y_next);
  if (!all_finite(s->y_next, rule->size)) return retry_step(s, rule, 0.25, LFM_ROW_NOT_FINITE);
  /* The extra stage of a pair serves the error estimate and the next step: the last of fixed steps needs neither. */
  bool last_needed = rule->fixed_steps == 0 || s->next != rule->t1;
  return tableau->fsal && last_needed ? want_stage(s, rule) : judge_step(s, rule);
}

/* ---- the first step size, Hairer, Norsett, Wanner I, II.4 ------------------------------------------------------ */

static double within(double h, const lfm_step_rule *rule) {
  return fmin(fmax(h, rule->floor), fabs(rule->t1 - rule->t0)); /* the floor too where h is not a number */
}

static const double only[1] = {1.0}, difference[2] = {-1.0, 1.0};

/* (a-c): f(t0, y0) is in; asks for f after an Euler step that changes y by about a hundredth. */
static bool want_probe(lfm_stepper *s, const lfm_step_rule *rule) {
  double d0 = scaled_norm(rule, only, 1, s->y, s->y, s->y);
  double d1 = scaled_norm(rule, only, 1, s->k, s->y, s->y);
  double span = rule->t1 - rule->t0;
  s->h = within(d0 < 1e-5 || d1 < 1e-5 ? 1e-6 * fabs(span) : 0.01 * d0 / d1, rule);
  s->phase = LFM_STEPPER_PROBE;
  s->stage = 1;
  double h = copysign(s->h, span);
  *s->t = s->h < fabs(span) ? s->at + h : rule->t1;
  step_along(rule, s, h, only, 1, rule->dim, s->x);
  return true;
}

/* (d-f): the second derivative, roughly, and the step whose error would be a hundredth of the tolerance. */
static bool take_probe(lfm_stepper *s, const lfm_step_rule *rule) {
  double d1 = scaled_norm(rule, only, 1, s->k, s->y, s->y);
  double d2 = scaled_norm(rule, difference, 2, s->k, s->y, s->y) / s->h;
  double larger = fmax(d1, d2);
  double guess = larger <= 1e-15 ? fmax(1e-6 * fabs(rule->t1 - rule->t0), 1e-3 * s->h)
                                 : pow(0.01 / larger, 1.0 / (rule->tableau->embedded_order + 1));
  s->h = within(fmin(100.0 * s->h, guess), rule);
  return begin_step(s, rule, true);
}

/* ---- the machine -------------------------------------------------------------------------------------------- */

bool lfm_stepper_start(lfm_stepper *s, const lfm_step_rule *rule) {
  for (int64_t i = rule->dim; i < rule->size; i++) s->y[i] = 0.0;
  s->at = rule->t0;
  s->steps = s->nfe = s->stage = 0;
  s->error_before = 1e-4;
  s->rejected = false;
  if (rule->t0 == rule->t1) return end(s, LFM_ROW_SOLVED);
  if (rule->fixed_steps > 0) return begin_step(s, rule, false);
  s->phase = LFM_STEPPER_FIRST;
  return want(s, rule, s->at, s->y);
}

/* What a value that is not finite means, by where it came. */
static bool bear_not_finite(lfm_stepper *s, const lfm_step_rule *rule) {
  switch (s->phase) {
  case LFM_STEPPER_PROBE: /* the probe was only a guess: go on with less than it */
    s->h = within(0.25 * s->h, rule);
    return begin_step(s, rule, true);
  case LFM_STEPPER_STAGE:
    return retry_step(s, rule, 0.25, LFM_ROW_NOT_FINITE);
  default:
    return end(s, LFM_ROW_NOT_FINITE);
  }
}

bool lfm_stepper_wants_div(const lfm_stepper *s, const lfm_step_rule *rule) {
  if (rule->size == rule->dim) return false;
  return s->phase != LFM_STEPPER_STAGE || lfm_tableau_weighs(rule->tableau, s->stage, rule->fixed_steps == 0);
}

bool lfm_stepper_take(lfm_stepper *s, const lfm_step_rule *rule, const double *dxdt, const double *div) {
  double *k = s->k + s->stage * rule->size;
  memcpy(k, dxdt, (size_t)rule->dim * sizeof *k);
  bool counts = lfm_stepper_wants_div(s, rule);
  for (int64_t i = rule->dim; i < rule->size; i++) k[i] = counts ? div[i - rule->dim] : 0.0;
  s->nfe++;
  if (!all_finite(k, rule->size)) return bear_not_finite(s, rule);
  switch (s->phase) {
  case LFM_STEPPER_FIRST:
    return want_probe(s, rule);
  case LFM_STEPPER_PROBE:
    return take_probe(s, rule);
  default:
    return take_stage(s, rule);
  }
}
