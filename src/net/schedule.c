/* SPDX-License-Identifier: MIT
 *
 * schedule.c -- the learning rate as a function of the step: nothing is stored, so a resumed run has the same rate.
 */
#include "net/schedule.h"
#include <math.h>

static double cosine_factor(const lfm_lr *s, int64_t step) {
  if (step < s->warmup || s->total <= s->warmup) return 1.0;
  if (step >= s->total) return 0.0;
  return 0.5 * (1.0 + cos(3.14159265358979323846 * (double)(step - s->warmup) / (double)(s->total - s->warmup)));
}

double lfm_lr_at(const lfm_lr *s, int64_t step) {
  double rate = s->base;
  int64_t decays = s->every > 0 ? step / s->every : 0;
  if (decays > 0) rate *= pow(s->decay, (double)decays);
  if (step < s->warmup) rate *= (double)(step + 1) / (double)s->warmup;
  return s->cosine ? rate * cosine_factor(s, step) : rate;
}
