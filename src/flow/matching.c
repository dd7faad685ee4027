/* SPDX-License-Identifier: MIT
 *
 * matching.c -- what a block learns from.  For each row of a batch
 *   x_l, x_r   a pair: a row of the pool and where the OU step leads it, e^{-g} x' + sqrt(1 - e^{-2g}) z     make_pair
 *   I_t        a(t) x_l + b(t) x_r, trigonometric or linear (flow/interpolant.h), with t drawn                fill
 *   target     dI_t/dt = a'(t) x_l + b'(t) x_r, or with target_rows its mean given I_t                        fill
 *   loss       | v(t, I_t) - target |^2                                             [paper, the local FM loss] row_error
 * and of that the gradient, as v - target in place of v's: no other buffer is needed.
 *
 * Three kinds of pair are made otherwise: with `defensive` some x_l come from a wide law (draw_wide); a student's x_r is
 * where its teacher came from (pairs->right, distill/lesson.c); of a mean velocity the target spans two times
 * (flow/meanflow.h).
 *
 * The mean in place of the pair's own target has the same minimum and less variance, as far as the rows that the mean is
 * over stand for the pool (flow/posterior.h, docs/decisions/learning.md).
 * Every draw has an address, (seed, purpose, block, step, pair), and no state: a batch is the same however it is cut.
 */
#include "flow/matching.h"

#include "core/alloc.h"
#include "flow/interpolant.h"
#include "flow/meanflow.h"
#include "flow/posterior.h"

#include <math.h>
#include <string.h>

struct lfm_matching {
  int64_t rows, dim;
  int64_t givens; /* numbers that the network is given of a row */
  float nothing;  /* and what stands for each of them where they are withheld */
  lfm_run *run;
  float *target;            /* [rows, dim] dI_t/dt */
  int64_t *row;             /* [rows] where in the pool x_l of a pair stands */
  float *noise;             /* [rows, 1 to 3 dim] normals of a pair */
  double *wide_draw, *time; /* [rows] below `defensive`: the pair is one of the wide law's; t */
  lfm_meanflow *meanflow;   /* NULL where the net has no span */
  float *left, *right;      /* [dim] ends of the pair at hand */
  lfm_posterior *posterior; /* NULL unless lfm_matching_average was called */
  int64_t *candidate;       /* [rows of the posterior] where in the pool they stand */
  float *excess; /* [dim] the mean of x_l given I_t, less the pair's own; with pool: ou the mean of D x_0, less x_l */
};

/* Noise of a point that is all but x_l: nobody else can be there. */
static const float LEAST_NOISE = 1e-3f;

/* Takes over `run`, also on failure; `status` is what making it gave. */
static lfm_status wrap_run(const lfm_net *net, lfm_run *run, lfm_status status, lfm_matching **out) {
  *out = NULL;
  LFM_TRY(status);
  lfm_matching *matching;
  LFM_TRY_GOTO(LFM_ALLOC(&matching, 1), no_room);
  int64_t dim = lfm_net_dim(net), rows = lfm_run_rows(run);
  matching->run = run;
  matching->rows = rows;
  matching->dim = dim;
  matching->givens = lfm_net_given(net);
  matching->nothing = (float)lfm_net_nothing(net);
  LFM_TRY_GOTO(LFM_ALLOC(&matching->target, rows * dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&matching->left, dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&matching->right, dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&matching->row, rows), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&matching->noise, 3 * rows * dim), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&matching->wide_draw, rows), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&matching->time, rows), fail);
  if (lfm_run_span(matching->run)) LFM_TRY_GOTO(lfm_meanflow_create(rows, dim, &matching->meanflow), fail);
  *out = matching;
  return LFM_OK;
fail:
  lfm_matching_destroy(matching);
  return status;
no_room:
  lfm_run_destroy(run);
  return status;
}

static lfm_status check_precision(const lfm_net *net) {
  if (lfm_net_number_size(net) == sizeof(float)) return LFM_OK;
  return lfm_fail(LFM_E_UNSUPPORTED, "training runs in single precision; the double-precision kernels only score");
}

lfm_status lfm_matching_create(const lfm_net *net, lfm_run_kind kind, int64_t rows, lfm_matching **out) {
  lfm_run *run;
  *out = NULL;
  LFM_TRY(check_precision(net));
  lfm_status status = lfm_run_create(net, kind, rows, &run);
  return wrap_run(net, run, status, out);
}

lfm_status lfm_matching_create_part(const lfm_net *net, lfm_factors *factors, int part, lfm_matching **out) {
  lfm_run *run;
  *out = NULL;
  LFM_TRY(check_precision(net));
  lfm_status status = lfm_run_create_part(net, factors, part, &run);
  return wrap_run(net, run, status, out);
}

lfm_status lfm_matching_average(lfm_matching *matching, int64_t rows) {
  LFM_TRY(LFM_ALLOC(&matching->candidate, rows));
  LFM_TRY(LFM_ALLOC(&matching->excess, matching->dim));
  return lfm_posterior_create(rows, matching->dim, &matching->posterior);
}

void lfm_matching_destroy(lfm_matching *matching) {
  if (!matching) return;
  lfm_posterior_destroy(matching->posterior);
  lfm_meanflow_destroy(matching->meanflow);
  lfm_free(matching->candidate);
  lfm_free(matching->excess);
  lfm_run_destroy(matching->run);
  lfm_free(matching->target);
  lfm_free(matching->left);
  lfm_free(matching->right);
  lfm_free(matching->row);
  lfm_free(matching->noise);
  lfm_free(matching->wide_draw);
  lfm_free(matching->time);
  lfm_free(matching);
}

size_t lfm_matching_memory(const lfm_matching *matching) {
  const void *const parts[] = {matching->target, matching->row,   matching->noise,     matching->wide_draw, matching->time,
                               matching->left,   matching->right, matching->candidate, matching->excess};
  size_t bytes =
      lfm_run_memory(matching->run) + lfm_posterior_memory(matching->posterior) + lfm_meanflow_memory(matching->meanflow);
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) bytes += lfm_alloc_size(parts[k]);
  return bytes;
}

/* ---- the ends of a pair -------------------------------------------------------------------------------------- */

/* A picture's mirror image, every line of every plane turned round. */
static void mirror(float *x, int64_t dim, int64_t width) {
  for (float *line = x; line < x + dim; line += width)
    for (int64_t left = 0, right = width - 1; left < right; left++, right--) {
      float kept = line[left];
      line[left] = line[right], line[right] = kept;
    }
}

/* x = e^{-G} x_0 + sqrt(1 - e^{-2G}) z of a pool row, or of its mirror image; x_0 itself where the pool was pushed (G = 0).
 */
static void pool_row(const lfm_pairs *pairs, int64_t row, bool mirrored, const float *noise, float *x) {
  const float *from = lfm_pool_row(pairs->pool, row, x);
  float decay = (float)pairs->ou_to_left.decay, sigma = (float)pairs->ou_to_left.noise;
  memmove(x, from, (size_t)pairs->dim * sizeof *x);
  if (mirrored) mirror(x, pairs->dim, pairs->mirror);
  for (int64_t j = 0; sigma != 0.0f && j < pairs->dim; j++) x[j] = decay * x[j] + sigma * noise[j];
}

static bool is_wide(const lfm_matching *matching, const lfm_pairs *pairs, int64_t i) {
  return pairs->defensive > 0.0 && matching->wide_draw[i] < pairs->defensive;
}

/* A defensive mixture: a small share e of the x_l is s z', with s from 1 to WIDEST evenly in the logarithm, so that the block
 * learns (1 - e) p + e w with w wide.  It costs at most -log(1 - e) nats a row, and pulls the log p of far rows towards
 * log(e w): without it the field is never trained where no row of the pool lies, and a far row may be carried anywhere.
 * [Hesterberg, Technometrics 1995, for importance sampling; docs/decisions/defensive.md] */
static void draw_wide(const lfm_pairs *pairs, lfm_rng rng, int64_t pair, float *left) {
  const double WIDEST = 4.0;
  float scale = (float)pow(WIDEST, lfm_rng_uniform(&rng, pair, 1));
  rng.purpose = LFM_FOR_WIDE;
  lfm_rng_normal(&rng, pair, left, (size_t)pairs->dim);
  for (int64_t j = 0; j < pairs->dim; j++) left[j] *= scale;
}

/* ---- the draws ------------------------------------------------------------------------------------------------ */

static lfm_rng rng_of(const lfm_pairs *pairs, lfm_purpose purpose, int64_t step) {
  return (lfm_rng){.seed = pairs->pairing.seed, .purpose = purpose, .block = pairs->pairing.block, .step = (uint32_t)step};
}

static bool shares_noise(const lfm_pairs *pairs) { return pairs->pairing.coupling == LFM_COUPLING_SHARED; }

/* Normals of a pair: first dim the OU step's z, the next dim the pool's own noise in x_l, and the last dim that in x' where
 * x' is another row: two rows of the pool share no noise.  Where both ends do, z is in x_l already. */
static int64_t normals_a_pair(const lfm_pairs *pairs) {
  if (pairs->ou_to_left.noise == 0.0 || shares_noise(pairs)) return pairs->dim;
  return lfm_coupling_is_own(pairs->pairing.coupling) ? 2 * pairs->dim : 3 * pairs->dim;
}

/* What of z the step adds to e^{-g} x_l.  Of one noise x_l = D x_0 + S z, x_r is as noisy as ever and all of it is z:
 * D' x_0 + S' z with S' = sqrt((e^{-g} S)^2 + 1 - e^{-2g}), of which e^{-g} S is there. */
static double added_noise(const lfm_pairs *pairs) {
  double kept = pairs->ou_to_right.decay * pairs->ou_to_left.noise;
  return shares_noise(pairs) ? hypot(kept, pairs->ou_to_right.noise) - kept : pairs->ou_to_right.noise;
}

/* All that is random of `count` pairs, drawn together because that is several times faster. */
static void draw_pairs(lfm_matching *matching, const lfm_pairs *pairs, int64_t step, int64_t first, int64_t count) {
  lfm_rng noise = rng_of(pairs, pairs->noise_for, step), defence = rng_of(pairs, LFM_FOR_DEFENCE, step);
  lfm_pairing_left_rows(&pairs->pairing, step, first, count, matching->row);
  lfm_rng_normal_rows(&noise, first, count, matching->noise, (size_t)normals_a_pair(pairs));
  if (pairs->defensive > 0.0) lfm_rng_uniform_rows(&defence, first, count, 0, matching->wide_draw);
}

/* t of every row: a uniform or Beta draw of its pair for each of num_tk times. */
static void draw_times(lfm_matching *matching, const lfm_pairs *pairs, int64_t step, int64_t first, int64_t count) {
  for (int64_t r = 0; pairs->at_noise && r < count; r++) matching->time[r] = 1.0;
  if (pairs->at_noise) return;
  lfm_rng rng = rng_of(pairs, pairs->time_for, step);
  if (pairs->times == 1 && !pairs->beta_times) {
    lfm_rng_uniform_rows(&rng, first, count, 0, matching->time);
    return;
  }
  for (int64_t r = 0; r < count; r++) {
    int64_t pair = (first + r) / pairs->times;
    uint32_t k = (uint32_t)((first + r) % pairs->times);
    matching->time[r] =
        pairs->beta_times ? lfm_rng_beta(&rng, pair, k, pairs->alpha, pairs->beta) : lfm_rng_uniform(&rng, pair, k);
  }
}

/* Of a mean velocity: s, the other end of the span, drawn evenly whatever the law of t; t becomes the later of the two. Three
 * rows of four have none (s = t), so that u learns v itself, without which it has nothing to be the mean of.
 * [arXiv 2505.13447, section 4.3, where s is r] */
static void draw_spans(lfm_matching *matching, const lfm_pairs *pairs, int64_t step, int64_t first, int64_t count) {
  const double share = 0.25;
  float *span = lfm_run_span(matching->run);
  lfm_rng rng = rng_of(pairs, LFM_FOR_SPAN, step);
  for (int64_t r = 0; r < count; r++) {
    double t = matching->time[r], s = pairs->at_noise ? 0.0 : lfm_rng_uniform(&rng, first + r, 1);
    bool has_none = !pairs->at_noise && lfm_rng_uniform(&rng, first + r, 0) >= share;
    span[r] = has_none ? 0.0f : (float)fabs(t - s);
    if (!has_none) matching->time[r] = fmax(t, s);
  }
}

/* In half of the draws; `end` 0 is x_l's lot, 1 that of another row's x'. */
static bool is_mirrored(const lfm_pairs *pairs, int64_t step, int64_t pair, uint32_t end) {
  lfm_rng side = rng_of(pairs, LFM_FOR_FLIP, step);
  return pairs->mirror && lfm_rng_uniform(&side, pair, end) < 0.5;
}

/* Both ends of the pair that is the i-th of those drawn. */
static void make_pair(lfm_matching *matching, const lfm_pairs *pairs, int64_t step, int64_t first, int64_t i) {
  int64_t dim = pairs->dim, pair = first + i;
  const float *z = matching->noise + i * normals_a_pair(pairs);
  const float *left_noise = shares_noise(pairs) ? z : z + dim, *right_noise = left_noise + dim;
  pool_row(pairs, matching->row[i], is_mirrored(pairs, step, pair, 0), left_noise, matching->left);
  if (pairs->right) {
    const float *end = lfm_pool_row(pairs->right, matching->row[i], matching->right);
    memmove(matching->right, end, (size_t)dim * sizeof *end);
    return;
  }
  bool wide = is_wide(matching, pairs, i); /* of which z is no part */
  if (wide) draw_wide(pairs, rng_of(pairs, LFM_FOR_DEFENCE, step), pair, matching->left);
  if (lfm_coupling_is_own(pairs->pairing.coupling)) memcpy(matching->right, matching->left, (size_t)dim * sizeof(float));
  else {
    int64_t other = lfm_pairing_right(&pairs->pairing, step, pair);
    pool_row(pairs, other, is_mirrored(pairs, step, pair, 1), right_noise, matching->right);
  }
  float decay = (float)pairs->ou_to_right.decay, sigma = (float)(wide ? pairs->ou_to_right.noise : added_noise(pairs));
  for (int64_t j = 0; j < dim; j++) matching->right[j] = decay * matching->right[j] + sigma * z[j];
}

/* ---- the mean target ---------------------------------------------------------------------------------------- */

/* The rows that the batch's walk over the pool meets from its first on: the batch's own, and where more are asked for those
 * of the batches after it.  All of a batch have the same. */
static void load_candidates(lfm_matching *matching, const lfm_pairs *pairs, int64_t step) {
  lfm_pairing_left_rows(&pairs->pairing, step, 0, pairs->target_rows, matching->candidate);
  lfm_posterior_load(matching->posterior, pairs->pool, matching->candidate, (float)pairs->ou_to_left.decay);
}

/* target = q x_l + (b'/b) I_t with q = a' - b' a / b, where I_t = alpha x_l + sigma z.  So its mean given I_t differs by
 * q (E[x_l | I_t] - x_l).  With pool: ou, x_l is itself D x_0 + S n, and given x_0 and I_t its mean is
 * D x_0 + gain (I_t - alpha D x_0). */
static void average_target(lfm_matching *matching, const lfm_pairs *pairs, lfm_interpolant at, const float *point,
                           float *target) {
  float alpha = at.a + at.b * (float)pairs->ou_to_right.decay, sigma = at.b * (float)pairs->ou_to_right.noise;
  if (sigma < LEAST_NOISE) return;
  float spread = alpha * (float)pairs->ou_to_left.noise, variance = spread * spread + sigma * sigma;
  float gain = alpha * (float)(pairs->ou_to_left.noise * pairs->ou_to_left.noise) / variance,
        share = sigma * sigma / variance;
  float q = at.da - at.db * at.a / at.b;
  lfm_posterior_mean(matching->posterior, point, alpha, variance, matching->left, matching->excess);
  for (int64_t j = 0; j < matching->dim; j++)
    target[j] += q * (share * matching->excess[j] + gain * (point[j] - alpha * matching->left[j]));
}

/* Where both ends share their noise, I_t = alpha D x_0 + B n, and x_0 alone decides what n is.  So the target a' x_l + b' x_r
 * differs by q (E[D x_0 | I_t] - D x_0) with q = a' + b' e^{-g} - alpha (a' S + b' S') / B, and D x_0 is x_l - S n. */
static void average_shared(lfm_matching *matching, const lfm_pairs *pairs, lfm_interpolant at, const float *n,
                           const float *point, float *target) {
  float decay = (float)pairs->ou_to_right.decay, left_noise = (float)pairs->ou_to_left.noise;
  float right_noise = decay * left_noise + (float)added_noise(pairs);
  float alpha = at.a + at.b * decay, sigma = at.a * left_noise + at.b * right_noise;
  if (sigma < LEAST_NOISE) return;
  float q = at.da + at.db * decay - alpha * (at.da * left_noise + at.db * right_noise) / sigma;
  lfm_posterior_mean(matching->posterior, point, alpha, sigma * sigma, matching->left, matching->excess);
  for (int64_t j = 0; j < matching->dim; j++) target[j] += q * (matching->excess[j] + left_noise * n[j]);
}

/* ---- filling a run -------------------------------------------------------------------------------------------- */

/* What is given of row r's pair, now and then withheld: the field with nothing given is learnt beside the others. */
static void show_given(lfm_matching *matching, const lfm_pairs *pairs, int64_t step, int64_t pair, int64_t i, int64_t r) {
  int64_t givens = matching->givens;
  float *given = lfm_run_given(matching->run);
  lfm_rng rng = rng_of(pairs, LFM_FOR_CLASS, step);
  bool is_shown = pairs->pool->given && !(pairs->given_drop > 0.0 && lfm_rng_uniform(&rng, pair, 0) < pairs->given_drop);
  const float *of = is_shown ? pairs->pool->given + matching->row[i] * givens : NULL;
  for (int64_t j = 0; j < givens; j++) given[r * givens + j] = of ? of[j] : matching->nothing;
}

/* At *t, a part of the way from x_l to x_r; of pairs whose ends have times of their own, *t becomes the time there. */
static lfm_interpolant interpolant_of(const lfm_pairs *pairs, double *t) {
  lfm_interpolant at = lfm_interpolant_at(pairs->interp, *t);
  if (!pairs->right) return at;
  double length = pairs->t_right - pairs->t_left;
  *t = pairs->t_left + length * *t;
  at.da /= (float)length, at.db /= (float)length;
  return at;
}

/* Fills t, x = I_t and the target for `count` rows; rows beyond keep the harmless values they have. */
static void fill(lfm_matching *matching, const lfm_pairs *pairs, int64_t step, int64_t first, int64_t count) {
  float *t = lfm_run_t(matching->run), *x = lfm_run_x(matching->run), *span = lfm_run_span(matching->run);
  int64_t dim = matching->dim, first_pair = first / pairs->times, made = -1;
  draw_pairs(matching, pairs, step, first_pair, (first + count - 1) / pairs->times - first_pair + 1);
  draw_times(matching, pairs, step, first, count);
  if (pairs->is_meanflow) draw_spans(matching, pairs, step, first, count);
  if (pairs->target_rows) load_candidates(matching, pairs, step);
  for (int64_t r = 0; r < count; r++) {
    int64_t i = (first + r) / pairs->times - first_pair;
    if (i != made) make_pair(matching, pairs, step, first_pair, i);
    made = i;
    lfm_interpolant at = interpolant_of(pairs, &matching->time[r]);
    if (pairs->is_meanflow && pairs->right) span[r] *= (float)(pairs->t_right - pairs->t_left);
    float *point = x + r * dim, *target = matching->target + r * dim;
    t[r] = (float)matching->time[r];
    show_given(matching, pairs, step, first_pair + i, i, r);
    for (int64_t j = 0; j < dim; j++) {
      point[j] = at.a * matching->left[j] + at.b * matching->right[j];
      target[j] = at.da * matching->left[j] + at.db * matching->right[j];
    }
    if (!pairs->target_rows || is_wide(matching, pairs, i)) continue;
    if (shares_noise(pairs)) average_shared(matching, pairs, at, matching->noise + i * dim, point, target);
    else average_target(matching, pairs, at, point, target);
  }
}

/* ---- loss and gradient ---------------------------------------------------------------------------------------- */

/* The sum of squares of one row in eight interleaved partial sums: fixed order, and vector code. */
static double row_error(const float *v, const float *target, int64_t dim) {
  double part[8] = {0};
  for (int64_t j = 0; j < dim; j++) {
    double error = (double)v[j] - (double)target[j];
    part[j & 7] += error * error;
  }
  return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

/* What is left out of a row follows from the row's place in the batch; of validation rows nothing is. */
static void set_dropout(lfm_matching *matching, const lfm_pairs *pairs, int64_t step, int64_t first) {
  lfm_rng rng = rng_of(pairs, LFM_FOR_DROPOUT, step);
  int64_t *rows = lfm_run_dropout_rows(matching->run);
  lfm_run_dropout(matching->run, pairs->drops ? &rng : NULL);
  for (int64_t r = 0; pairs->drops && r < matching->rows; r++) rows[r] = first + r;
}

lfm_status lfm_matching_loss(lfm_matching *matching, const lfm_pairs *pairs, const lfm_params *params, int64_t step,
                             int64_t first, int64_t count, double *loss_sum) {
  fill(matching, pairs, step, first, count);
  set_dropout(matching, pairs, step, first);
  if (pairs->is_meanflow && !pairs->at_noise)
    LFM_TRY(lfm_meanflow_target(matching->meanflow, matching->run, params, count, matching->target));
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
