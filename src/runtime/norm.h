/* SPDX-License-Identifier: MIT
 *
 * norm.h -- mean and variance of groups of channels, for the normalisation and for its gradient.  Sums run over the positions
 * of each channel first and then over the channels of a group, the same way in vectors and without.
 */
#ifndef LFM_RUNTIME_NORM_H
#define LFM_RUNTIME_NORM_H

#include "core/act.h"
#include "runtime/runtime.h"

static const float NORM_EPSILON = 1e-5f;

/* sum [channels] = of each channel over the positions, x or, with a mean, (x - mean)^2. */
LFM_VECTOR static void sum_channels(float *sum, const float *x, int64_t row, int64_t positions, int64_t channels,
                                    const float *mean) {
  LFM_ELEMENTWISE for (int64_t c = 0; c < channels; c++) sum[c] = 0.0f;
  for (int64_t p = 0; p < positions; p++, x += row) LFM_ELEMENTWISE for (int64_t c = 0; c < channels; c++) {
      float d = mean ? x[c] - mean[c] : x[c];
      sum[c] += mean ? d * d : d;
    }
}

/* Each number becomes the mean of its group's. */
static void share_in_groups(float *sum, int64_t channels, int64_t groups, float count) {
  int64_t each = channels / groups;
  for (int64_t g = 0; g < groups; g++, sum += each) {
    float whole = 0.0f;
    for (int64_t c = 0; c < each; c++) whole += sum[c];
    for (int64_t c = 0; c < each; c++) sum[c] = whole / count;
  }
}

/* Of step s's groups over x, of every channel its group's. */
static void moments(const lfm_rt_step *s, const float *x, float *mean, float *variance) {
  int64_t each = s->channels / s->groups;
  float count = (float)(s->positions * each);
  sum_channels(mean, x, s->from.row, s->positions, s->channels, NULL);
  share_in_groups(mean, s->channels, s->groups, count);
  sum_channels(variance, x, s->from.row, s->positions, s->channels, mean);
  share_in_groups(variance, s->channels, s->groups, count);
}

#endif
