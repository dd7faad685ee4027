/* SPDX-License-Identifier: MIT
 *
 * matching.c -- fill a run with (t, I_t), evaluate, compare with dI_t/dt.
 * The target is kept beside the run, and v - target becomes the gradient in place: no other buffer is needed.
 */
#include "flow/matching.h"

#include "core/alloc.h"
#include "flow/interpolant.h"

#include <math.h>
#include <string.h>

struct lfm_matching {
  int64_t rows, dim;
  lfm_run *run;
  float *target;               /* [rows, dim] dI_t/dt */
  float *left, *right, *noise; /* [dim] ends of the pair at hand; noise [3 dim] */
};

lfm_status lfm_matching_create(const lfm_net *net, lfm_run_kind kind, int64_t rows, lfm_matching **out) {
  *out = NULL;
  if (lfm_net_number_size(net) != sizeof(float))
    return lfm_fail(LFM_E_UNSUPPORTED, "training runs in single precision; the double-precision kernels only score");
  lfm_matching *matching;
  LFM_TRY(LFM_ALLOC(&matching, 1));
  int64_t dim = lfm_net_dim(net);
  matching->rows = rows;
  matching->dim = dim;
  lfm_status status;
  LFM_TRY_GOTO(lfm_run_create(net, kind, rows, &matching->run), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&matching->target, rows * dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&matching->left, dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&matching->right, dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&matching->noise, 3 * dim), fail);
  *out = matching;
  return LFM_OK;
fail:
  lfm_matching_destroy(matching);
  return status;
}

void lfm_matching_destroy(lfm_matching *matching) {
  if (!matching) return;
  lfm_run_destroy(matching->run);
  lfm_free(matching->target);
  lfm_free(matching->left);
  lfm_free(matching->right);
  lfm_free(matching->noise);
  lfm_free(matching);
}

size_t lfm_matching_memory(const lfm_matching *matching) {
  return lfm_run_memory(matching->run) + lfm_alloc_size(matching->target) + lfm_alloc_size(matching->left) +
         lfm_alloc_size(matching->right) + lfm_alloc_size(matching->noise);
}

/* x = e^{-G} x_0 + sqrt(1 - e^{-2G}) z of a pool row; the row itself where the pool was pushed (G = 0). */
static void pool_row(const lfm_pairs *pairs, int64_t row, const float *noise, float *x) {
  const float *from = pairs->pool + (size_t)row * (size_t)pairs->dim;
  float decay = (float)pairs->before.decay, sigma = (float)pairs->before.noise;
  if (pairs->before.noise == 0.0) memcpy(x, from, (size_t)pairs->dim * sizeof *x);
  else
    for (int64_t j = 0; j < pairs->dim; j++) x[j] = decay * from[j] + sigma * noise[j];
}

/* A defensive mixture: a small share e of the x_l is s z', with s from 1 to WIDEST evenly in the logarithm, so that the block
 * learns (1 - e) p + e w with w wide.  It costs at most -log(1 - e) nats a row, and no row's log p can fall far below
 * log(e w): without it the field is never trained where no row of the pool lies, and a far row may be carried anywhere.
 * [Hesterberg, Technometrics 1995, for importance sampling; docs/decisions/defensive.md] */
static void defend(lfm_matching *matching, const lfm_pairs *pairs, int64_t step, int64_t pair) {
  const double WIDEST = 4.0;
  lfm_rng rng = {
      .seed = pairs->pairing.seed, .purpose = LFM_FOR_DEFENCE, .block = pairs->pairing.block, .step = (uint32_t)step};
  if (lfm_rng_uniform(&rng, pair, 0) >= pairs->defensive) return;
  float scale = (float)pow(WIDEST, lfm_rng_uniform(&rng, pair, 1));
  rng.purpose = LFM_FOR_WIDE;
  lfm_rng_normal(&rng, pair, matching->left, (size_t)pairs->dim);
  for (int64_t j = 0; j < pairs->dim; j++) matching->left[j] *= scale;
}

/* Both ends of one pair.  The first dim normals of a pair are the OU step's z, the next dim the pool's own noise in x_l, and
 * the last dim that in x' where x' is another row: two rows of the pool share no noise. */
static void draw_pair(lfm_matching *matching, const lfm_pairs *pairs, int64_t step, int64_t pair) {
  const lfm_pairing *pairing = &pairs->pairing;
  lfm_rng rng = {.seed = pairing->seed, .purpose = pairs->noise_for, .block = pairing->block, .step = (uint32_t)step};
  int64_t dim = pairs->dim;
  float *z = matching->noise, *left_noise = z + dim, *right_noise = left_noise + dim;
  bool noisy_pool = pairs->before.noise != 0.0, same_row = pairing->coupling == LFM_COUPLING_DEPENDENT;
  lfm_rng_normal(&rng, pair, z, (size_t)(!noisy_pool ? dim : same_row ? 2 * dim : 3 * dim));

  pool_row(pairs, lfm_pairing_left(pairing, step, pair), left_noise, matching->left);
  if (pairs->defensive > 0.0) defend(matching, pairs, step, pair);
  if (same_row) memcpy(matching->right, matching->left, (size_t)dim * sizeof(float));
  else pool_row(pairs, lfm_pairing_right(pairing, step, pair), right_noise, matching->right);

  float decay = (float)pairs->step.decay, sigma = (float)pairs->step.noise;
  for (int64_t j = 0; j < dim; j++) matching->right[j] = decay * matching->right[j] + sigma * z[j];
}

static double draw_time(const lfm_pairs *pairs, int64_t step, int64_t pair, uint32_t k) {
  lfm_rng rng = {
      .seed = pairs->pairing.seed, .purpose = pairs->time_for, .block = pairs->pairing.block, .step = (uint32_t)step};
  return pairs->beta_times ? lfm_rng_beta(&rng, pair, k, pairs->alpha, pairs->beta) : lfm_rng_uniform(&rng, pair, k);
}

/* Fills t, x = I_t and the target for `count` rows; rows beyond keep the harmless values they have. */
static void fill(lfm_matching *matching, const lfm_pairs *pairs, int64_t step, int64_t first, int64_t count) {
  float *t = lfm_run_t(matching->run), *x = lfm_run_x(matching->run);
  int64_t dim = matching->dim, drawn = -1;
  for (int64_t r = 0; r < count; r++) {
    int64_t pair = (first + r) / pairs->times;
    if (pair != drawn) draw_pair(matching, pairs, step, pair);
    drawn = pair;
    double time = draw_time(pairs, step, pair, (uint32_t)((first + r) % pairs->times));
    lfm_interpolant at = lfm_interpolant_at(pairs->interp, time);
    float *point = x + r * dim, *target = matching->target + r * dim;
    t[r] = (float)time;
    for (int64_t j = 0; j < dim; j++) {
      point[j] = at.a * matching->left[j] + at.b * matching->right[j];
      target[j] = at.da * matching->left[j] + at.db * matching->right[j];
    }
  }
}

/* The sum of squares of one row in eight interleaved partial sums: fixed order, and vector code. */
static double row_error(const float *v, const float *target, int64_t dim) {
  double part[8] = {0};
  for (int64_t j = 0; j < dim; j++) {
    double error = (double)v[j] - (double)target[j];
    part[j & 7] += error * error;
  }
  return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

lfm_status lfm_matching_loss(lfm_matching *matching, const lfm_pairs *pairs, const lfm_params *params, int64_t step,
                             int64_t first, int64_t count, double *loss_sum) {
  fill(matching, pairs, step, first, count);
  LFM_TRY(lfm_run_forward(matching->run, params));
  const float *v = lfm_run_v(matching->run);
  for (int64_t r = 0; r < count; r++)
    *loss_sum += row_error(v + r * matching->dim, matching->target + r * matching->dim, matching->dim);
  return LFM_OK;
}

lfm_status lfm_matching_gradient(lfm_matching *matching, const lfm_pairs *pairs, const lfm_params *params, int64_t step,
                                 int64_t first, int64_t count, double normaliser, float *grads, bool accumulate,
                                 double *loss_sum) {
  LFM_TRY(lfm_matching_loss(matching, pairs, params, step, first, count, loss_sum));
  const float *v = lfm_run_v(matching->run);
  float *dv = lfm_run_dv(matching->run);
  float scale = (float)(2.0 / normaliser); /* d/dv of (v - u)^2 / normaliser */
  size_t used = (size_t)(count * matching->dim);
  for (size_t k = 0; k < used; k++) dv[k] = scale * (v[k] - matching->target[k]);
  memset(dv + used, 0, ((size_t)(matching->rows * matching->dim) - used) * sizeof *dv);
  return lfm_run_backward(matching->run, params, grads, accumulate);
}
