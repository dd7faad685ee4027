/* SPDX-License-Identifier: MIT
 *
 * span.c -- between a network and the same one that also sees over what time its velocity is the mean: net.h.
 * A column that starts at zero leaves a trained network what it is; and once h is always the same, the column is a part of
 * the bias, so that a network which has learnt by it is evaluated without.
 */
#include "net/internal.h"

#include <string.h>

/* A tensor of both: rows of `cols` numbers in the plain net, and one more in front of each in the other's, where `wider`. */
typedef struct pair {
  const lfm_tensor_info *plain, *wide;
  int64_t rows, cols;
  bool wider;
} pair;

static pair pair_of(const lfm_params *plain, const lfm_params *wide, int index) {
  const lfm_tensor_info *a = lfm_net_tensor(plain->net, index), *b = lfm_net_tensor(wide->net, index);
  return (pair){a, b, a->shape[0], a->count / a->shape[0], a->count != b->count};
}

void lfm_params_widen(lfm_params *wide, const lfm_params *plain) {
  const float *from = plain->values;
  float *to = wide->values;
  for (int i = 0; i < lfm_net_tensor_count(plain->net); i++) {
    pair p = pair_of(plain, wide, i);
    int64_t step = p.cols + p.wider;
    for (int64_t row = 0; row < p.rows; row++) {
      if (p.wider) to[p.wide->offset + row * step] = 0.0f;
      memcpy(to + p.wide->offset + row * step + p.wider, from + p.plain->offset + row * p.cols, (size_t)p.cols * sizeof *to);
    }
  }
  lfm_params_pack(wide);
}

/* A layer's bias stands behind its weights in the table. */
void lfm_params_fold(lfm_params *plain, const lfm_params *wide, double span) {
  const float *from = wide->values;
  float *to = plain->values;
  pair before = {0};
  for (int i = 0; i < lfm_net_tensor_count(plain->net); i++) {
    pair p = pair_of(plain, wide, i);
    int64_t step = p.cols + p.wider;
    for (int64_t row = 0; row < p.rows; row++) {
      memcpy(to + p.plain->offset + row * p.cols, from + p.wide->offset + row * step + p.wider, (size_t)p.cols * sizeof *to);
      if (before.wider) to[p.plain->offset + row] += (float)span * from[before.wide->offset + row * (before.cols + 1)];
    }
    before = p;
  }
  lfm_params_pack(plain);
}
