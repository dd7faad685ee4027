/* SPDX-License-Identifier: MIT
 *
 * ou.c -- one OU step in closed form, and the three schedules of steps.
 *   exponential  g_n = c rho^{n-1}                                                     [paper, section 5]
 *   cosine       g_n = -log(1 - beta_n) / 2, Nichol and Dhariwal's cosine betas
 *   linear       g_n = -log(1 - beta_n) / 2, DDPM's linear betas stretched to N steps
 * N steps are computed and the last is dropped for the free block.
 */
#include "flow/ou.h"

#include <math.h>

lfm_ou lfm_ou_step(double gamma) {
  if (isnan(gamma)) return (lfm_ou){.decay = 0.0, .noise = 1.0};
  return (lfm_ou){.decay = exp(-gamma), .noise = sqrt(-expm1(-2.0 * gamma))};
}

/* alpha-bar of the cosine schedule at time s in [0, 1]. */
static double cosine_signal(double s) {
  double c = cos((s + 0.008) / 1.008 * M_PI / 2.0);
  return c * c;
}

static double schedule_step(const lfm_config *config, int n, int blocks) {
  switch (config->schedule_kind) {
  case LFM_SCHEDULE_COSINE: {
    double beta = 1.0 - cosine_signal((n + 1.0) / blocks) / cosine_signal((double)n / blocks);
    return -0.5 * log1p(-fmin(beta, 0.999));
  }
  case LFM_SCHEDULE_LINEAR: {
    double first = 0.1 / blocks, last = fmin(20.0 / blocks, 0.99); /* 1000 / N times DDPM's 1e-4 and 0.02 */
    double beta = blocks > 1 ? first + (last - first) * n / (blocks - 1.0) : first;
    return -0.5 * log1p(-fmin(beta, 0.99));
  }
  case LFM_SCHEDULE_EXPONENTIAL:
    break;
  }
  return config->schedule_c * pow(config->schedule_rho, n);
}

lfm_status lfm_ou_schedule(const lfm_config *config, double *gammas, int *blocks) {
  *blocks = config->blocks ? config->blocks : config->schedule_blocks;
  if (*blocks < 1 || *blocks > LFM_MAX_BLOCKS)
    return lfm_fail(LFM_E_USAGE, "the chain has %d blocks; 1 to %d are possible", *blocks, LFM_MAX_BLOCKS);
  for (int n = 0; n < *blocks; n++) {
    bool is_last = n == *blocks - 1;
    gammas[n] = config->blocks ? config->hks[n] : is_last ? (double)NAN : schedule_step(config, n, *blocks);
    if (!isnan(gammas[n]) && !(gammas[n] > 0.0 && gammas[n] < LFM_STEP_BELOW))
      return lfm_fail(LFM_E_USAGE, "hks: step %d is %g; a step is a number above 0 and below %d, or null for the free block",
                      n + 1, gammas[n], LFM_STEP_BELOW);
    if (isnan(gammas[n]) && !is_last)
      return lfm_fail(LFM_E_USAGE, "hks: step %d is null, but only the last block may be free", n + 1);
  }
  return LFM_OK;
}

double lfm_ou_time_before(const double *gammas, int n) {
  double sum = 0.0;
  for (int k = 0; k < n; k++) sum += gammas[k];
  return sum;
}
