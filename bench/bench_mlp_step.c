/* SPDX-License-Identifier: MIT
 *
 * bench_mlp_step.c -- the cost of one training step (forward, backward, optimiser) of the paper's table networks, beside
 * what a loop of multiply-adds in registers reaches on the same threads: the share of the peak is the figure to watch.
 *
 *   bench_mlp_step [threads]
 *
 * The step is cut as training cuts it: microbatches of lfm_run_rows_advised rows, two lanes.  Medians of many steps; the
 * peak is measured before and after each net, since clocks drift.
 */
#include "core/alloc.h"
#include "core/threads.h"
#include "net/optim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LANES = 2, MOST_STEPS = 400 };

typedef struct bench {
  const char *name;
  lfm_mlp_config config;
  int64_t batch;
} bench;

static const bench benches[] = {
    {"BSDS300", {63, 512, 4, {LFM_ACT_ELU, 0}, false}, 500},
    {"MINIBOONE", {43, 362, 4, {LFM_ACT_RELU, 0}, false}, 1000},
    {"POWER", {6, 256, 4, {LFM_ACT_RELU, 0}, false}, 30000},
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the peak ------------------------------------------------------------------------------------------------ */

enum { PEAK_LOOPS = 3000000, PEAK_SUMS = 12, PEAK_WIDTH = 16 };

/* Contracted into multiply-adds here, where no bits matter. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
static volatile float sink;

__attribute__((target("avx512f,prefer-vector-width=512"), optimize("fp-contract=fast"))) static void peak_512(void) {
  typedef float vector __attribute__((vector_size(PEAK_WIDTH * sizeof(float))));
  vector sum[PEAK_SUMS], factor = {0.5f}, term = {1.0f};
  for (int i = 0; i < PEAK_SUMS; i++) sum[i] = term * (float)i;
  for (int loop = 0; loop < PEAK_LOOPS; loop++)
    for (int i = 0; i < PEAK_SUMS; i++) sum[i] = sum[i] * factor + term;
  for (int i = 1; i < PEAK_SUMS; i++) sum[0] += sum[i];
  sink = sum[0][0] + sum[0][PEAK_WIDTH - 1];
}

static bool wide(void) { return __builtin_cpu_supports("avx512f"); }
#else
static void peak_512(void) {}
static bool wide(void) { return false; }
#endif

static lfm_status peak_task(void *context, int worker, int64_t task) {
  (void)context, (void)worker, (void)task;
  peak_512();
  return LFM_OK;
}

static double peak_gflops(lfm_team *team) {
  double best = 0;
  for (int i = 0; i < 5 && wide(); i++) {
    double start = now();
    lfm_team_run(team, lfm_team_size(team), peak_task, NULL);
    double rate = 2e-9 * PEAK_LOOPS * PEAK_SUMS * PEAK_WIDTH * lfm_team_size(team) / (now() - start);
    if (rate > best) best = rate;
  }
  return best;
}

/* ---- the step ------------------------------------------------------------------------------------------------ */

typedef struct step {
  lfm_net *net;
  lfm_params *params;
  lfm_optim *optim;
  lfm_run *runs[LANES];
  float *grads[LANES];
  int64_t microbatches;
} step;

/* Lane `task` takes its microbatches in order. */
static lfm_status lane(void *context, int worker, int64_t task) {
  (void)worker;
  step *s = context;
  lfm_run *run = s->runs[task];
  size_t bytes = (size_t)(lfm_run_rows(run) * lfm_net_dim(s->net)) * sizeof(float);
  for (int64_t m = task; m < s->microbatches; m += LANES) {
    LFM_TRY(lfm_run_forward(run, s->params));
    memcpy(lfm_run_dv(run), lfm_run_v(run), bytes);
    LFM_TRY(lfm_run_backward(run, s->params, s->grads[task], m >= LANES));
  }
  return LFM_OK;
}

static lfm_status create(const bench *b, int64_t rows, step *s) {
  lfm_optim_config config;
  lfm_optim_defaults(&config);
  config.ema_decay = 0.999;
  LFM_TRY(lfm_mlp_create(&b->config, lfm_kernels_best(), &s->net));
  LFM_TRY(lfm_params_create(s->net, &s->params));
  lfm_params_init(s->params, 1, 0);
  LFM_TRY(lfm_optim_create(s->net, &config, &s->optim));
  if (rows == 0) rows = lfm_run_rows_advised(s->net, LFM_RUN_TRAIN);
  s->microbatches = (b->batch + rows - 1) / rows;
  for (int i = 0; i < LANES; i++) {
    LFM_TRY(lfm_run_create(s->net, LFM_RUN_TRAIN, rows, &s->runs[i]));
    LFM_TRY(LFM_ALLOC(&s->grads[i], lfm_net_param_count(s->net)));
    float *t = lfm_run_t(s->runs[i]), *x = lfm_run_x(s->runs[i]);
    for (int64_t j = 0; j < rows; j++) t[j] = (float)(j % 97) / 97;
    for (int64_t j = 0; j < rows * b->config.dim; j++) x[j] = (float)(j % 89) / 89 - 0.5f;
  }
  return LFM_OK;
}

static void destroy(step *s) {
  for (int i = 0; i < LANES; i++) {
    lfm_run_destroy(s->runs[i]);
    lfm_free(s->grads[i]);
  }
  lfm_optim_destroy(s->optim);
  lfm_params_destroy(s->params);
  lfm_net_destroy(s->net);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static lfm_status measure(const bench *b, lfm_team *team, int64_t rows) {
  step s = {0};
  double whole[MOST_STEPS], optim[MOST_STEPS], norm, peak = peak_gflops(team);
  lfm_status status = create(b, rows, &s);
  int steps = (int)(20000000 / b->batch / b->config.hidden_dim) + 20;
  if (steps > MOST_STEPS) steps = MOST_STEPS;
  for (int i = 0; status == LFM_OK && i < steps; i++) {
    double start = now();
    status = lfm_team_run(team, LANES, lane, &s);
    double middle = now();
    if (status == LFM_OK) status = lfm_optim_step(s.optim, team, s.params, s.grads, LANES, 1e-4, 0.999, &norm);
    whole[i] = now() - start, optim[i] = now() - middle;
  }
  if (status == LFM_OK) {
    qsort(whole, (size_t)steps, sizeof *whole, ascending);
    qsort(optim, (size_t)steps, sizeof *optim, ascending);
    double after = peak_gflops(team);
    if (after > peak) peak = after;
    int64_t run_rows = lfm_run_rows(s.runs[0]);
    double rate = 1e-9 * lfm_net_train_flops(s.net) * (double)(s.microbatches * run_rows) / whole[steps / 2];
    printf("%-10s %3lld x %3lld rows  step %8.3f ms (optimiser %6.3f)  %6.1f GFLOP/s  peak %6.1f  %5.1f %%\n", b->name,
           (long long)s.microbatches, (long long)run_rows, 1e3 * whole[steps / 2], 1e3 * optim[steps / 2], rate, peak,
           peak > 0 ? 100 * rate / peak : 0);
  }
  destroy(&s);
  return status;
}

int main(int argc, char **argv) {
  lfm_team *team;
  int threads = argc > 1 ? atoi(argv[1]) : 2;
  int64_t rows = argc > 2 ? atoll(argv[2]) : 0;
  lfm_status status = lfm_team_create(threads, &team);
  if (status == LFM_OK) printf("%s, %d threads\n", lfm_kernels_identity(lfm_kernels_best()), threads);
  for (size_t i = 0; status == LFM_OK && i < sizeof benches / sizeof *benches; i++) status = measure(&benches[i], team, rows);
  if (status != LFM_OK) fprintf(stderr, "%s\n", lfm_error());
  lfm_team_destroy(team);
  return status != LFM_OK;
}
