/* SPDX-License-Identifier: MIT
 *
 * selftest.c -- is this program right on this machine?
 * The checks that would catch a wrong kernel, a wrong library or a wrong processor feature, on small networks with random
 * weights: nothing is trained and no file is written.  A few seconds.
 */
#include "flow/selftest.h"

#include "core/alloc.h"
#include "core/rng.h"
#include "data/table.h"
#include "flow/likelihood.h"
#include "flow/score.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct checks {
  lfm_check_fn report;
  void *context;
  int threads;
  int failed;
} checks;

__attribute__((format(printf, 4, 5))) static void check(checks *c, const char *what, bool passed, const char *format, ...) {
  char detail[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(detail, sizeof detail, format, arguments);
  va_end(arguments);
  c->failed += !passed;
  if (c->report) c->report(what, passed, detail, c->context);
}

/* ---- random numbers ----------------------------------------------------------------------------------------- */

/* Random123's published known answer for philox4x32-10 with zero key and counter. */
static lfm_status check_random(checks *c) {
  lfm_rng zero = {0};
  uint32_t words[4];
  lfm_rng_words(&zero, 0, 0, words);
  bool right = words[0] == 0x6627e8d5u && words[1] == 0xe169c58du && words[2] == 0xbc57ac4cu && words[3] == 0x9b00dbd8u;
  check(c, "random numbers", right, "Philox 4x32-10 gives its published answer");
  return LFM_OK;
}

/* ---- kernels ------------------------------------------------------------------------------------------------ */

enum { ROWS = 32, DIM = 5, NUMBERS = ROWS * DIM };

static lfm_status make_net(const lfm_kernels *kernels, lfm_net **net, lfm_params **params) {
  lfm_mlp_config mlp = {.dim = DIM, .hidden_dim = 48, .num_hidden = 3, .act = {.kind = LFM_ACT_ELU, .beta = 1.0}};
  LFM_TRY(lfm_mlp_create(&mlp, kernels, net));
  LFM_TRY(lfm_params_create(*net, params));
  lfm_params_init(*params, 1, 0);
  return LFM_OK;
}

static void put(void *array, size_t size, int64_t i, double value) {
  if (size == sizeof(float)) ((float *)array)[i] = (float)value;
  else ((double *)array)[i] = value;
}

static double get(const void *array, size_t size, int64_t i) {
  return size == sizeof(float) ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

/* v [ROWS, DIM] and trace [ROWS] of fixed inputs under a kernel table. */
static lfm_status evaluate(const lfm_kernels *kernels, double *v, double *trace) {
  lfm_net *net = NULL;
  lfm_params *params = NULL;
  lfm_run *run = NULL;
  lfm_rng rng = {.seed = 2, .purpose = LFM_FOR_METRIC};
  lfm_status status;
  LFM_TRY_GOTO(make_net(kernels, &net, &params), done);
  LFM_TRY_GOTO(lfm_run_create(net, LFM_RUN_TRACE, ROWS, &run), done);
  size_t size = lfm_net_number_size(net);
  for (int64_t i = 0; i < ROWS; i++) put(lfm_run_t(run), size, i, (double)(float)lfm_rng_uniform(&rng, i, 0));
  for (int64_t i = 0; i < NUMBERS; i++)
    put(lfm_run_x(run), size, i, (double)(float)(4.0 * lfm_rng_uniform(&rng, i, 1) - 2.0));
  LFM_TRY_GOTO(lfm_run_forward(run, params), done);
  for (int64_t i = 0; i < NUMBERS; i++) v[i] = get(lfm_run_v(run), size, i);
  for (int64_t i = 0; i < ROWS; i++) trace[i] = get(lfm_run_trace(run), size, i);
done:
  lfm_run_destroy(run);
  lfm_params_destroy(params);
  lfm_net_destroy(net);
  return status;
}

static double largest_gap(const double *a, const double *b, int64_t n) {
  double gap = 0.0;
  for (int64_t i = 0; i < n; i++) gap = lfm_gap_widen(gap, a[i] - b[i]);
  return gap;
}

static lfm_status check_kernels(checks *c) {
  double v[NUMBERS], trace[ROWS], v_ref[NUMBERS], trace_ref[ROWS];
  LFM_TRY(evaluate(lfm_kernels_best(), v, trace));
  LFM_TRY(evaluate(lfm_kernels_ref64(), v_ref, trace_ref));
  double gap = lfm_gap_widen(largest_gap(v, v_ref, NUMBERS), largest_gap(trace, trace_ref, ROWS));
  check(c, "kernels", gap < 1e-5, "%s against double precision: largest difference %.1e",
        lfm_kernels_identity(lfm_kernels_best()), gap);
  return LFM_OK;
}

/* ---- gradients ---------------------------------------------------------------------------------------------- */

/* sum of v^2 / 2 over the run, at weight `at` moved by `by`. */
static lfm_status energy(lfm_run *run, lfm_params *params, int64_t at, double by, double *out) {
  double *values = lfm_params_data(params), before = values[at];
  values[at] += by;
  lfm_params_pack(params);
  lfm_status status = lfm_run_forward(run, params);
  values[at] = before;
  lfm_params_pack(params);
  const double *v = lfm_run_v(run);
  *out = 0.0;
  for (int64_t i = 0; i < NUMBERS; i++) *out += 0.5 * v[i] * v[i];
  return status;
}

static lfm_status compare_gradient(lfm_run *run, lfm_params *params, double *grads, int64_t count, double *gap) {
  const double step = 1e-5;
  double *x = lfm_run_x(run), *t = lfm_run_t(run);
  lfm_rng rng = {.seed = 3, .purpose = LFM_FOR_METRIC};
  for (int64_t i = 0; i < ROWS; i++) t[i] = lfm_rng_uniform(&rng, i, 0);
  for (int64_t i = 0; i < NUMBERS; i++) x[i] = 2.0 * lfm_rng_uniform(&rng, i, 1) - 1.0;
  LFM_TRY(lfm_run_forward(run, params));
  memcpy(lfm_run_dv(run), lfm_run_v(run), sizeof(double) * NUMBERS); /* d(v^2/2) = v */
  LFM_TRY(lfm_run_backward(run, params, grads, false));
  for (int64_t at = 0; at < count; at += 97) {
    double above, below;
    LFM_TRY(energy(run, params, at, step, &above));
    LFM_TRY(energy(run, params, at, -step, &below));
    *gap = lfm_gap_widen(*gap, ((above - below) / (2.0 * step) - grads[at]) / (1.0 + fabs(grads[at])));
  }
  return LFM_OK;
}

static lfm_status check_gradients(checks *c) {
  lfm_net *net = NULL;
  lfm_params *params = NULL;
  lfm_run *run = NULL;
  double *grads = NULL, gap = 0.0;
  lfm_status status;
  LFM_TRY_GOTO(make_net(lfm_kernels_ref64(), &net, &params), done);
  LFM_TRY_GOTO(lfm_run_create(net, LFM_RUN_TRAIN, ROWS, &run), done);
  LFM_TRY_GOTO(LFM_ALLOC(&grads, lfm_net_param_count(net)), done);
  LFM_TRY_GOTO(compare_gradient(run, params, grads, lfm_net_param_count(net), &gap), done);
  check(c, "gradients", gap < 1e-7, "against finite differences in double precision: largest difference %.1e", gap);
done:
  lfm_free(grads);
  lfm_run_destroy(run);
  lfm_params_destroy(params);
  lfm_net_destroy(net);
  return status;
}

/* ---- densities ---------------------------------------------------------------------------------------------- */

/* A chain of two blocks on the plane with random weights: no density of note, but one whose integral must be 1. */
static lfm_status random_chain(lfm_model **out) {
  static const char *const keys[] = {"hks=[0.2, null]", "hidden_dim=32", "num_hidden=2", "act=tanh"};
  static const double corners[] = {-1.5, -0.5, 2.0, 0.5, 0.5, -1.0, 1.0, 1.2};
  lfm_config *config = NULL;
  lfm_table *table = NULL;
  lfm_normaliser *normaliser = NULL;
  lfm_status status;
  LFM_TRY_GOTO(lfm_config_create(&config), done);
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) LFM_TRY_GOTO(lfm_config_set(config, keys[k]), done);
  LFM_TRY_GOTO(lfm_table_create(corners, 4, 2, NULL, NULL, &table), done);
  LFM_TRY_GOTO(lfm_normaliser_fit(LFM_NORMALISE_STANDARDISE, table, &normaliser), done);
  LFM_TRY_GOTO(lfm_chain_create(config, table, normaliser, out), done);
  for (int n = 0; n < 2; n++) lfm_params_init((*out)->params[n], 4, (uint32_t)n);
done:
  lfm_table_destroy(table);
  lfm_config_destroy(config);
  return status;
}

static lfm_status integrate(const lfm_model *model, int threads, double *integral) {
  enum { SIDE = 81, POINTS = SIDE * SIDE };
  const double reach = 9.0, cell = 2.0 * reach / (SIDE - 1);
  lfm_table *grid = NULL, *scores = NULL;
  lfm_score_options options;
  lfm_score_result result;
  lfm_score_defaults(&options);
  options.threads = threads;
  lfm_status status;
  LFM_TRY_GOTO(lfm_table_make(POINTS, 2, &grid), done);
  for (int64_t i = 0; i < POINTS; i++) {
    int64_t column = i % SIDE, row = i / SIDE;
    grid->values[2 * i] = cell * (double)column - reach;
    grid->values[2 * i + 1] = cell * (double)row - reach;
  }
  LFM_TRY_GOTO(lfm_score_quietly(model, grid, &options, &scores, &result), done);
  *integral = 0.0;
  for (int64_t i = 0; i < scores->rows; i++) *integral += exp(scores->values[i * scores->cols + 1]) * cell * cell;
done:
  lfm_table_destroy(grid);
  lfm_table_destroy(scores);
  return status;
}

/* log p that came with samples against log p of the same rows scored; and the samples of one thread against two. */
static lfm_status check_samples(checks *c, const lfm_model *model) {
  lfm_sample_options options;
  lfm_score_options score;
  lfm_score_result result;
  lfm_table *samples = NULL, *alone = NULL, *scores = NULL;
  lfm_sample_defaults(&options);
  lfm_score_defaults(&score);
  options.rows = 200;
  options.logp = true;
  options.threads = 2;
  lfm_status status;
  LFM_TRY_GOTO(lfm_sample(model, &options, &samples, NULL), done);
  options.threads = 1;
  LFM_TRY_GOTO(lfm_sample(model, &options, &alone, NULL), done);
  LFM_TRY_GOTO(lfm_score_quietly(model, samples, &score, &scores, &result), done);
  double gap = 0.0;
  for (int64_t i = 0; i < samples->rows; i++)
    gap = lfm_gap_widen(gap, samples->values[3 * i + 2] - scores->values[scores->cols * i + 1]);
  check(c, "samples", gap < 1e-3, "log p beside the samples against log p scored: largest difference %.1e", gap);
  bool same = memcmp(samples->values, alone->values, (size_t)samples->rows * 3 * sizeof(double)) == 0;
  check(c, "threads", same, "one and two threads give the same bytes");
done:
  lfm_table_destroy(samples);
  lfm_table_destroy(alone);
  lfm_table_destroy(scores);
  return status;
}

static lfm_status check_densities(checks *c) {
  lfm_model *model = NULL;
  double integral;
  lfm_status status;
  LFM_TRY_GOTO(random_chain(&model), done);
  LFM_TRY_GOTO(integrate(model, c->threads, &integral), done);
  check(c, "densities", fabs(integral - 1.0) < 1e-3, "a chain's density integrates to %.6f", integral);
  LFM_TRY_GOTO(check_samples(c, model), done);
done:
  lfm_model_destroy(model);
  return status;
}

lfm_status lfm_selftest(int threads, lfm_check_fn report, void *context) {
  checks c = {.report = report, .context = context, .threads = threads};
  LFM_TRY(check_random(&c));
  LFM_TRY(check_kernels(&c));
  LFM_TRY(check_gradients(&c));
  LFM_TRY(check_densities(&c));
  return c.failed ? lfm_fail(LFM_E_NUMERIC, "%d of the checks failed: results on this machine cannot be trusted", c.failed)
                  : LFM_OK;
}
