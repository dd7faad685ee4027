/* SPDX-License-Identifier: MIT
 *
 * bench.c -- how fast is it here?  The figures of `lfm bench`, each beside the peak of this machine.
 * A repetition measures everything of its list once, one after another, so that what disturbs a machine for a while disturbs
 * all figures alike; a figure is the median over repetitions.  The peak is a loop of multiply-adds in registers on all
 * threads, measured in the same repetitions: clocks drift.
 *
 *   bare step   forward, backward, lanes or factors, and optimiser on rows that lie ready; the last microbatch is padded, and
 *               the padding does not count as work
 *   loop step   what training really does: random numbers, OU step, interpolation and means on top
 *
 * What is trained on, and how it is made: bench_subject.c.
 */
#include "flow/bench_subject.h"

#include "core/alloc.h"
#include "core/order.h"
#include "core/rng.h"
#include "data/table.h"
#include "flow/likelihood.h"
#include "flow/trainer.h"
#include "kernel/peak.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REPETITIONS = 1000, SPINS = 16, WARM_CALLS = 3 };
static const double slice = 0.2; /* seconds that one measurement of a repetition should last */

static const char *const trained[] = {"bsds300@A", "miniboone@A", "power@A"};

void lfm_bench_defaults(lfm_bench_options *options) { *options = (lfm_bench_options){.repetitions = 7}; }

/* ---- figures ------------------------------------------------------------------------------------------------- */

/* One thing that is measured. */
typedef struct figure {
  char name[64];
  const char *unit;
  lfm_status (*act)(void *context);
  void *context;
  bool is_peak;
  double flops;                     /* of a call; 0: no share of the peak is stated */
  double amount;                    /* a call is so many of what the unit counts; 0: the unit is a time */
  double scale;                     /* units in a second, of a time */
  int calls;                        /* in a repetition */
  double seconds[MOST_REPETITIONS]; /* of a call */
} figure;

static lfm_status time_calls(figure *f, int calls, double *seconds) {
  double begun = lfm_seconds();
  for (int k = 0; k < calls; k++) LFM_TRY(f->act(f->context));
  *seconds = (lfm_seconds() - begun) / calls;
  return LFM_OK;
}

/* Pages and caches are warm, and a repetition is long enough for the clock. */
static lfm_status warm_up(figure *f) {
  double seconds;
  LFM_TRY(time_calls(f, f->flops > 0.0 ? WARM_CALLS : 1, &seconds));
  f->calls = seconds > 0.0 && seconds < slice ? (int)fmin(slice / seconds, 1e6) + 1 : 1;
  return LFM_OK;
}

static double median_of(const double *values, int count) {
  double sorted[MOST_REPETITIONS];
  memcpy(sorted, values, (size_t)count * sizeof *values);
  qsort(sorted, (size_t)count, sizeof *sorted, lfm_by_size);
  return 0.5 * (sorted[(count - 1) / 2] + sorted[count / 2]);
}

/* peak: operations a second, 0 when not known. */
static lfm_bench_result summary(const figure *f, int count, double peak) {
  lfm_bench_result r = {.repetitions = count, .peak_fraction = (double)NAN, .minimum = INFINITY, .maximum = -INFINITY};
  double values[MOST_REPETITIONS], mean = 0.0, square = 0.0;
  snprintf(r.name, sizeof r.name, "%s", f->name);
  snprintf(r.unit, sizeof r.unit, "%s", f->unit);
  for (int k = 0; k < count; k++) {
    values[k] = f->amount > 0.0 ? f->amount / f->seconds[k] : f->scale * f->seconds[k];
    r.minimum = fmin(r.minimum, values[k]);
    r.maximum = fmax(r.maximum, values[k]);
    mean += values[k] / count;
  }
  for (int k = 0; k < count; k++) square += (values[k] - mean) * (values[k] - mean);
  r.sd = count > 1 ? sqrt(square / (count - 1)) : (double)NAN;
  r.median = median_of(values, count);
  if (f->flops > 0.0 && peak > 0.0) r.peak_fraction = f->flops / median_of(f->seconds, count) / peak;
  return r;
}

/* All figures, alternating.  The first may be the peak, which is stated once in the list, and not at all where the processor
 * has no such loop. */
static lfm_status measure(figure *figures, int count, const lfm_bench_options *options, lfm_bench_result *results,
                          int *filled) {
  int first = figures[0].is_peak && !(figures[0].flops > 0.0) ? 1 : 0;
  for (int f = first; f < count; f++) LFM_TRY(warm_up(&figures[f]));
  for (int k = 0; k < options->repetitions; k++)
    for (int f = first; f < count; f++) LFM_TRY(time_calls(&figures[f], figures[f].calls, &figures[f].seconds[k]));
  bool has_peak = figures[0].is_peak && first == 0;
  double peak = has_peak ? figures[0].flops / median_of(figures[0].seconds, options->repetitions) : 0.0;
  for (int f = has_peak && *filled > 0 ? 1 : first; f < count && *filled < LFM_BENCH_MOST; f++)
    results[(*filled)++] = summary(&figures[f], options->repetitions, peak);
  return LFM_OK;
}

/* ---- peak ---------------------------------------------------------------------------------------------------- */

/* Of the arithmetic that steps of this precision use: bf16 may be computed in floats (kernel/bf16.c). */
typedef struct peak {
  lfm_team *team;
  int64_t (*loop)(void);
} peak;

static lfm_status spin(void *context, int worker, int64_t task) {
  (void)worker, (void)task;
  const peak *p = context;
  for (int k = 0; k < SPINS; k++) p->loop();
  return LFM_OK;
}

static lfm_status spin_all(void *context) {
  peak *p = context;
  return lfm_team_run(p->team, lfm_team_size(p->team), spin, p);
}

static void peak_figure(lfm_team *team, bool halves, peak *p, figure *out) {
  *p = (peak){team, halves ? lfm_peak_spin_bf16 : lfm_peak_spin};
  double flops = (double)p->loop() * SPINS * lfm_team_size(team);
  *out = (figure){.unit = "GFLOP/s", .act = spin_all, .context = p, .is_peak = true, .flops = flops, .amount = 1e-9 * flops};
  snprintf(out->name, sizeof out->name, "peak %s", halves ? "bf16" : "fp32");
}

/* ---- train --------------------------------------------------------------------------------------------------- */

typedef struct steps {
  lfm_trainer *trainer;
  lfm_run **runs; /* [worker_count] for the bare step */
} steps;

static lfm_status bare_task(void *context, int worker, int64_t task) {
  const steps *s = context;
  const lfm_trainer *trainer = s->trainer;
  const lfm_config *config = trainer->config;
  lfm_run *run = s->runs[lfm_trainer_hand(trainer, worker, task)];
  float *lane = lfm_trainer_lane(trainer, task);
  size_t bytes = (size_t)(config->microbatch * trainer->model->normaliser->dim) * sizeof(float);
  for (int64_t c = task; c * config->microbatch < config->batch_size * config->num_tk; c += trainer->tasks) {
    LFM_TRY(lfm_run_forward(run, trainer->params));
    memcpy(lfm_run_dv(run), lfm_run_v(run), bytes);
    LFM_TRY(lfm_run_backward(run, trainer->params, lane, c != task));
  }
  return LFM_OK;
}

static lfm_status bare_step(void *context) {
  steps *s = context;
  lfm_trainer *trainer = s->trainer;
  lfm_gradient gradient = lfm_trainer_gradient(trainer);
  LFM_TRY(lfm_team_run(trainer->team, trainer->tasks, bare_task, s));
  return lfm_optim_step(trainer->optim, trainer->team, trainer->params, &gradient, 1e-6, trainer->config->ema_decay,
                        &trainer->grad_norm);
}

static lfm_status loop_step(void *context) { return lfm_trainer_step(((steps *)context)->trainer); }

static lfm_status create_runs(steps *s) {
  const lfm_net *net = s->trainer->net;
  int64_t rows = s->trainer->config->microbatch, dim = lfm_net_dim(net);
  int count = s->trainer->worker_count;
  LFM_TRY(LFM_ALLOC(&s->runs, count));
  for (int w = 0; w < count; w++) {
    bool is_part = s->trainer->factors && w < s->trainer->tasks;
    LFM_TRY(is_part ? lfm_run_create_part(net, s->trainer->factors, w, &s->runs[w])
                    : lfm_run_create(net, LFM_RUN_TRAIN, rows, &s->runs[w]));
    float *t = lfm_run_t(s->runs[w]);
    lfm_rng rng = {.purpose = LFM_FOR_DATA, .step = 2};
    lfm_rng_normal(&rng, w, lfm_run_x(s->runs[w]), (size_t)(rows * dim));
    for (int64_t i = 0; i < rows; i++) t[i] = (float)i / (float)rows;
  }
  return LFM_OK;
}

static lfm_status time_steps(const char *preset, lfm_trainer *trainer, const lfm_bench_options *options,
                             lfm_bench_result *results, int *filled) {
  steps s = {.trainer = trainer};
  peak loop;
  figure *figures;
  LFM_TRY(LFM_ALLOC(&figures, 3));
  lfm_status status = create_runs(&s);
  const lfm_config *config = trainer->config;
  int64_t rows = config->batch_size * config->num_tk;
  double flops = (double)rows * lfm_net_train_flops(trainer->model->net);
  peak_figure(trainer->team, lfm_net_kernels(trainer->net) == lfm_kernels_bf16_pairs(), &loop, &figures[0]);
  figures[1] = (figure){.unit = "ms", .scale = 1e3, .act = bare_step, .context = &s, .flops = flops};
  figures[2] = (figure){.unit = "ms", .scale = 1e3, .act = loop_step, .context = &s, .flops = flops};
  const char *precision = config->precision == LFM_PRECISION_BF16 ? " bf16" : "";
  snprintf(figures[1].name, sizeof figures[1].name, "%s%s bare step of %lld", preset, precision, (long long)rows);
  snprintf(figures[2].name, sizeof figures[2].name, "%s%s loop step of %lld", preset, precision, (long long)rows);
  if (status == LFM_OK) status = measure(figures, 3, options, results, filled);
  for (int w = 0; s.runs && w < trainer->worker_count; w++) lfm_run_destroy(s.runs[w]);
  lfm_free(s.runs);
  lfm_free(figures);
  return status;
}

static lfm_status bench_training(const char *preset, const lfm_bench_options *options, lfm_bench_result *results,
                                 int *filled) {
  lfm_bench_subject s = {0};
  lfm_status status = lfm_bench_make(preset, options, &s);
  if (status == LFM_OK) status = time_steps(preset ? preset : s.name, s.trainer, options, results, filled);
  lfm_bench_drop(&s);
  return status;
}

static lfm_status bench_train(const lfm_bench_options *options, lfm_team *team, lfm_bench_result *results, int *filled) {
  (void)team;
  if (options->preset || options->picture[0]) return bench_training(options->preset, options, results, filled);
  for (size_t k = 0; k < sizeof trained / sizeof *trained; k++) LFM_TRY(bench_training(trained[k], options, results, filled));
  return LFM_OK;
}

static lfm_status bench_peak(const lfm_bench_options *options, lfm_team *team, lfm_bench_result *results, int *filled) {
  peak loop;
  figure f;
  peak_figure(team, lfm_bench_is_bf16(options), &loop, &f);
  if (lfm_bench_is_bf16(options) && !(f.flops > 0.0))
    return lfm_fail(LFM_E_UNSUPPORTED, "peak: this processor has no AVX512_BF16");
  if (!(f.flops > 0.0)) return lfm_fail(LFM_E_UNSUPPORTED, "peak: only known for x86-64 processors with AVX2 or AVX-512");
  return measure(&f, 1, options, results, filled);
}

/* ---- with a model -------------------------------------------------------------------------------------------- */

typedef struct model_work {
  lfm_bench_options options;
  lfm_team *team;
  lfm_table *rows;
  double *logp;
  uint8_t *failed;
  int64_t *nfe;
  lfm_run *run;
} model_work;

/* usual_rows: as many as are timed where nobody says; 0: none are. */
static lfm_status begin_model(const lfm_bench_options *given, lfm_team *team, int64_t usual_rows, model_work *w) {
  *w = (model_work){.options = *given, .team = team};
  if (!given->rows) w->options.rows = usual_rows;
  if (!given->model) return lfm_fail(LFM_E_USAGE, "%s needs a model (--model)", given->what);
  if (!lfm_bench_is_bf16(given)) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "bench %s: models are evaluated in fp32; only training steps know bf16", given->what);
}

static lfm_status check_no_policy(const lfm_bench_options *options) {
  if (!options->model->windows) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "bench %s: the model is a policy, which draws and scores given demonstrations alone",
                  options->what);
}

static void end_model(model_work *w) {
  lfm_run_destroy(w->run);
  lfm_table_destroy(w->rows);
  lfm_free(w->logp);
  lfm_free(w->failed);
  lfm_free(w->nfe);
}

static lfm_status draw(void *context) {
  model_work *w = context;
  lfm_sample_options sample;
  lfm_sample_defaults(&sample);
  sample.rows = w->options.rows, sample.seed = 1, sample.threads = w->options.threads, sample.solve.tol = w->options.tol;
  lfm_table_destroy(w->rows);
  w->rows = NULL;
  return lfm_sample(w->options.model, &sample, &w->rows, NULL);
}

static lfm_status bench_sample(const lfm_bench_options *options, lfm_team *team, lfm_bench_result *results, int *filled) {
  model_work w;
  LFM_TRY(begin_model(options, team, 100000, &w));
  LFM_TRY(check_no_policy(options));
  figure f = {.unit = "rows/s", .amount = (double)w.options.rows, .act = draw, .context = &w};
  snprintf(f.name, sizeof f.name, "sample %lld rows", (long long)w.options.rows);
  lfm_status status = measure(&f, 1, &w.options, results, filled);
  end_model(&w);
  return status;
}

static lfm_status likelihood(void *context) {
  model_work *w = context;
  lfm_solve solve;
  lfm_meter quiet = {0};
  LFM_TRY(lfm_solve_flow(w->options.model, "score", &(lfm_solver_options){.tol = w->options.tol}, &solve));
  lfm_meter_begin(&quiet, NULL, NULL);
  lfm_likelihood_rows rows = {
      .count = w->rows->rows, .x = w->rows->values, .logp = w->logp, .failed = w->failed, .nfe = w->nfe};
  return lfm_likelihood(w->options.model, w->team, &solve, false, &rows, &quiet);
}

/* The rows that are scored are the model's own. */
static lfm_status prepare_score(model_work *w) {
  LFM_TRY(draw(w));
  LFM_TRY(LFM_ALLOC(&w->logp, w->rows->rows));
  LFM_TRY(LFM_ALLOC(&w->failed, w->rows->rows));
  return LFM_ALLOC(&w->nfe, w->rows->rows);
}

static lfm_status bench_score(const lfm_bench_options *options, lfm_team *team, lfm_bench_result *results, int *filled) {
  model_work w;
  LFM_TRY(begin_model(options, team, 200, &w));
  if (options->model->picture)
    return lfm_fail(LFM_E_USAGE,
                    "bench score: times exact traces, which pictures have not; lfm score times theirs by probes");
  LFM_TRY(check_no_policy(options));
  figure f = {.unit = "rows/s", .amount = (double)w.options.rows, .act = likelihood, .context = &w};
  snprintf(f.name, sizeof f.name, "exact log p of %lld rows", (long long)w.options.rows);
  lfm_status status = prepare_score(&w);
  if (status == LFM_OK) status = measure(&f, 1, &w.options, results, filled);
  end_model(&w);
  return status;
}

static lfm_status evaluate_one(void *context) {
  model_work *w = context;
  return lfm_run_forward(w->run, w->options.model->params[0]);
}

static lfm_status bench_latency(const lfm_bench_options *options, lfm_team *team, lfm_bench_result *results, int *filled) {
  model_work w;
  LFM_TRY(begin_model(options, team, 0, &w));
  figure f = {.name = "one evaluation", .unit = "us", .scale = 1e6, .act = evaluate_one, .context = &w};
  lfm_status status = lfm_run_create_shared(options->model->net, team, 1, &w.run);
  if (status == LFM_OK) status = measure(&f, 1, &w.options, results, filled);
  end_model(&w);
  return status;
}

/* ---- the entrance -------------------------------------------------------------------------------------------- */

lfm_status lfm_bench(const lfm_bench_options *options, lfm_bench_result results[LFM_BENCH_MOST], int *count) {
  static const struct {
    const char *what;
    lfm_status (*bench)(const lfm_bench_options *options, lfm_team *team, lfm_bench_result *results, int *filled);
  } kinds[] = {{"peak", bench_peak},
               {"train", bench_train},
               {"sample", bench_sample},
               {"score", bench_score},
               {"latency", bench_latency}};
  *count = 0;
  if (options->repetitions < 1 || options->repetitions > MOST_REPETITIONS)
    return lfm_fail(LFM_E_USAGE, "repetitions: %d is not from 1 to %d", options->repetitions, (int)MOST_REPETITIONS);
  if (options->rows < 0) return lfm_fail(LFM_E_USAGE, "rows: %lld is below 1", (long long)options->rows);
  if (options->precision && !lfm_bench_is_bf16(options) && strcmp(options->precision, "fp32") != 0)
    return lfm_fail(LFM_E_USAGE, "precision: '%s' is neither fp32 nor bf16", options->precision);
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    if (!options->what || strcmp(options->what, kinds[k].what) != 0) continue;
    lfm_team *team;
    LFM_TRY(lfm_team_create(options->threads, &team));
    lfm_status status = kinds[k].bench(options, team, results, count);
    lfm_team_destroy(team);
    return status;
  }
  return lfm_fail(LFM_E_USAGE, "%s: is nothing to measure; there are peak, train, sample, score, latency",
                  options->what ? options->what : "what");
}
