/* SPDX-License-Identifier: MIT
 *
 * mixture.c -- EM for a mixture of Gaussians.  [Dempster, Laird and Rubin 1977]
 *
 *   start   centres by k-means++ [Arthur and Vassilvitskii 2007]; spheres as wide as the mean distance to the nearest centre
 *   E       r_ik = w_k N(x_i; m_k, C_k) / p(x_i), folded at once into N_k = sum r, S_k = sum r x, Q_k = sum r x x^T
 *   M       w = N / n,  m = S / N,  C = Q / N - m m^T + floor
 *
 * Columns are standardised first, which makes the floor mean the same in every column and keeps Q / N - m m^T away from
 * cancellation; the fitted parts are carried back to the data's units at the end.
 * Rows are split into LANES ranges that depend on nothing, each sums its own statistics, and the lanes are added in order:
 * the result is the same for every team.  A lane takes a tile of rows at a time, which stays in the cache while the parts
 * pass over it.  Refused: keeping r [rows, components], which is most of the memory traffic.
 */
#include "metric/mixture.h"
#include "core/alloc.h"
#include "core/vmath.h"
#include "metric/normal.h"

#include <string.h>

#define LANES 16
enum { TILE = LFM_GAUSSIAN_TILE };

void lfm_mixture_defaults(lfm_mixture_config *config) {
  *config = (lfm_mixture_config){.components = 10, .iterations = 200, .tolerance = 1e-5, .floor = 1e-4};
}

/* ---- the object ------------------------------------------------------------------------------------------------- */

/* Room for `count` parts, each a standard normal. */
static lfm_status make(int64_t count, int64_t dim, lfm_mixture **out) {
  lfm_mixture *mixture;
  lfm_status status;
  double *unit = NULL; /* a mean of zeros, then the identity */
  *out = NULL;
  LFM_TRY(LFM_ALLOC(&mixture, 1));
  mixture->dim = dim;
  LFM_TRY_GOTO(LFM_ALLOC(&unit, dim * (dim + 1)), failed);
  for (int64_t c = 0; c < dim; c++) unit[dim + c * dim + c] = 1;
  LFM_TRY_GOTO(LFM_ALLOC(&mixture->log_weight, count), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&mixture->parts, count), failed);
  for (mixture->count = 0; mixture->count < count; mixture->count++)
    LFM_TRY_GOTO(lfm_gaussian_create(unit, unit + dim, dim, &mixture->parts[mixture->count]), failed);
  lfm_free(unit);
  *out = mixture;
  return LFM_OK;
failed:
  lfm_free(unit);
  lfm_mixture_destroy(mixture);
  return status;
}

void lfm_mixture_destroy(lfm_mixture *mixture) {
  if (!mixture) return;
  for (int64_t k = 0; k < mixture->count; k++) lfm_gaussian_destroy(mixture->parts[k]);
  lfm_free(mixture->parts);
  lfm_free(mixture->log_weight);
  lfm_free(mixture);
}

lfm_status lfm_mixture_create(const double *weights, const double *means, const double *covariances, int64_t count,
                              int64_t dim, lfm_mixture **out) {
  *out = NULL;
  if (count < 1 || dim < 1)
    return lfm_fail(LFM_E_USAGE, "mixture: %lld parts of %lld dimensions", (long long)count, (long long)dim);
  double sum = 0;
  for (int64_t k = 0; k < count; k++) sum += weights[k] >= 0 ? weights[k] : NAN;
  if (!(sum > 0) || !isfinite(sum)) return lfm_fail(LFM_E_USAGE, "mixture: weights are finite, not negative and not all 0");
  lfm_mixture *mixture;
  LFM_TRY(make(count, dim, &mixture));
  for (int64_t k = 0; k < count; k++) {
    mixture->log_weight[k] = log(weights[k] / sum);
    if (lfm_gaussian_set(mixture->parts[k], means + k * dim, covariances + k * dim * dim)) continue;
    lfm_mixture_destroy(mixture);
    return lfm_fail(LFM_E_DATA, "mixture: the covariance of part %lld is not positive definite", (long long)k);
  }
  *out = mixture;
  return LFM_OK;
}

/* log p(x); share [count] = log of each part's weight times density. */
static double log_parts(const lfm_mixture *mixture, const double *x, double *z, double *share) {
  double most = -INFINITY, sum = 0;
  for (int64_t k = 0; k < mixture->count; k++) {
    share[k] = mixture->log_weight[k] + lfm_gaussian_log(mixture->parts[k], x, z);
    most = fmax(most, share[k]);
  }
  if (!isfinite(most)) return most;
  for (int64_t k = 0; k < mixture->count; k++) sum += exp(share[k] - most);
  return most + log(sum);
}

double lfm_mixture_log(const lfm_mixture *mixture, const double *x, double *scratch) {
  return log_parts(mixture, x, scratch, scratch + mixture->dim);
}

void lfm_mixture_sample(const lfm_mixture *mixture, const lfm_rng *rng, int64_t row, double *x) {
  double u = lfm_rng_uniform(rng, row, 0);
  int64_t k = 0;
  for (; k + 1 < mixture->count; k++) {
    u -= exp(mixture->log_weight[k]);
    if (u < 0) break;
  }
  lfm_gaussian_sample(mixture->parts[k], rng, row, 1, x);
}

/* ---- the fit ---------------------------------------------------------------------------------------------------- */

typedef struct fit {
  const lfm_mixture_config *config;
  int64_t rows, dim;
  double *x;         /* [rows, dim] standardised */
  double *mean, *sd; /* [dim] of the data */
  double *nearest;   /* [rows] squared distance to the nearest centre (start only) */
  int64_t lane_size; /* doubles a lane: below */
  double *lanes;     /* [LANES, lane_size] N [k], S [k, dim], Q [k, dim, dim], log p; scratch x, z [dim, TILE], r [k, TILE] */
  double *new_mean, *covariance; /* [dim], [dim, dim] of the M step */
  lfm_mixture *mixture;
} fit;

static void fit_release(fit *f) {
  double *owned[] = {f->x, f->mean, f->sd, f->nearest, f->lanes, f->new_mean, f->covariance};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) lfm_free(owned[i]);
  lfm_mixture_destroy(f->mixture);
}

static lfm_status fit_make(const lfm_mixture_config *config, int64_t rows, int64_t dim, fit *f) {
  int64_t k = config->components;
  *f = (fit){.config = config, .rows = rows, .dim = dim, .lane_size = k * (1 + dim + dim * dim) + 1 + TILE * (2 * dim + k)};
  LFM_TRY(LFM_ALLOC(&f->x, rows * dim));
  LFM_TRY(LFM_ALLOC(&f->mean, dim));
  LFM_TRY(LFM_ALLOC(&f->sd, dim));
  LFM_TRY(LFM_ALLOC(&f->nearest, rows));
  LFM_TRY(LFM_ALLOC(&f->lanes, LANES * f->lane_size));
  LFM_TRY(LFM_ALLOC(&f->new_mean, dim));
  LFM_TRY(LFM_ALLOC(&f->covariance, dim * dim));
  return make(k, dim, &f->mixture);
}

static lfm_status standardise(fit *f, const double *x) {
  for (int64_t c = 0; c < f->dim; c++) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < f->rows; i++) sum += x[i * f->dim + c];
    f->mean[c] = sum / (double)f->rows;
    for (int64_t i = 0; i < f->rows; i++) squares += (x[i * f->dim + c] - f->mean[c]) * (x[i * f->dim + c] - f->mean[c]);
    f->sd[c] = sqrt(squares / (double)f->rows);
    if (!(f->sd[c] > 0) || !isfinite(f->sd[c]))
      return lfm_fail(LFM_E_DATA, "mixture: column %lld is constant or not finite; drop it", (long long)c);
    for (int64_t i = 0; i < f->rows; i++) f->x[i * f->dim + c] = (x[i * f->dim + c] - f->mean[c]) / f->sd[c];
  }
  return LFM_OK;
}

static void meet_centre(fit *f, const double *centre) {
  for (int64_t i = 0; i < f->rows; i++) {
    double distance = 0;
    for (int64_t c = 0; c < f->dim; c++) distance += (f->x[i * f->dim + c] - centre[c]) * (f->x[i * f->dim + c] - centre[c]);
    f->nearest[i] = fmin(f->nearest[i], distance);
  }
}

/* A row drawn with probability in proportion to its squared distance to the nearest centre so far. */
static int64_t draw_far_row(const fit *f, const lfm_rng *rng, int64_t k) {
  double total = 0;
  for (int64_t i = 0; i < f->rows; i++) total += f->nearest[i];
  double left = lfm_rng_uniform(rng, k, 0) * total;
  for (int64_t i = 0; i < f->rows; i++)
    if ((left -= f->nearest[i]) < 0) return i;
  return f->rows - 1;
}

static void start(fit *f) {
  lfm_rng rng = {.seed = f->config->seed, .purpose = LFM_FOR_METRIC};
  int64_t parts = f->mixture->count, dim = f->dim;
  for (int64_t i = 0; i < f->rows; i++) f->nearest[i] = 1; /* the first centre: every row alike */
  for (int64_t k = 0; k < parts; k++) {
    int64_t row = draw_far_row(f, &rng, k);
    if (k == 0)
      for (int64_t i = 0; i < f->rows; i++) f->nearest[i] = INFINITY;
    memcpy(f->mixture->parts[k]->mean, f->x + row * dim, (size_t)dim * sizeof *f->x);
    meet_centre(f, f->x + row * dim);
  }
  double total = 0;
  for (int64_t i = 0; i < f->rows; i++) total += f->nearest[i];
  double variance = total / (double)(f->rows * dim) + f->config->floor;
  for (int64_t a = 0; a < dim * dim; a++) f->covariance[a] = a % (dim + 1) == 0 ? variance : 0;
  for (int64_t k = 0; k < parts; k++) {
    memcpy(f->new_mean, f->mixture->parts[k]->mean, (size_t)dim * sizeof *f->x);
    lfm_gaussian_set(f->mixture->parts[k], f->new_mean, f->covariance);
    f->mixture->log_weight[k] = -log((double)parts);
  }
}

/* Adds r times (1, x, x x^T) to the statistics of one part. */
LFM_VECTOR static void add_row(double r, const double *restrict x, int64_t dim, double *restrict weight,
                               double *restrict first, double *restrict second) {
  *weight += r;
  for (int64_t a = 0; a < dim; a++) {
    double scaled = r * x[a];
    first[a] += scaled;
    for (int64_t b = 0; b <= a; b++) second[a * dim + b] += scaled * x[b];
  }
}

/* r [k, TILE] of the rows whose columns are x [dim, TILE]; the sum of log p over the first `count`. */
static double share_tile(const lfm_mixture *mixture, const double *x, int64_t count, double *z, double *r) {
  double most[TILE], sum[TILE] = {0}, total = 0;
  for (int i = 0; i < TILE; i++) most[i] = -INFINITY;
  for (int64_t k = 0; k < mixture->count; k++) {
    lfm_gaussian_log_tile(mixture->parts[k], x, z, r + k * TILE);
    for (int i = 0; i < TILE; i++) most[i] = fmax(most[i], r[k * TILE + i] += mixture->log_weight[k]);
  }
  for (int64_t k = 0; k < mixture->count; k++)
    for (int64_t i = 0; i < count; i++) sum[i] += exp(r[k * TILE + i] - most[i]);
  for (int64_t i = 0; i < count; i++) total += most[i] += log(sum[i]);
  for (int64_t k = 0; k < mixture->count; k++)
    for (int64_t i = 0; i < count; i++) r[k * TILE + i] = exp(r[k * TILE + i] - most[i]);
  return total;
}

static lfm_status e_step(void *context, int worker, int64_t lane) {
  (void)worker;
  fit *f = context;
  int64_t parts = f->mixture->count, dim = f->dim, end = f->rows * (lane + 1) / LANES;
  double *weight = f->lanes + lane * f->lane_size, *first = weight + parts, *second = first + parts * dim;
  double *log_sum = second + parts * dim * dim, *tile = log_sum + 1, *z = tile + TILE * dim, *r = z + TILE * dim;
  memset(weight, 0, (size_t)f->lane_size * sizeof *weight);
  for (int64_t begin = f->rows * lane / LANES; begin < end; begin += TILE) {
    const double *x = f->x + begin * dim;
    int64_t count = end - begin < TILE ? end - begin : TILE;
    for (int64_t i = 0; i < count; i++)
      for (int64_t c = 0; c < dim; c++) tile[c * TILE + i] = x[i * dim + c];
    *log_sum += share_tile(f->mixture, tile, count, z, r);
    for (int64_t k = 0; k < parts; k++)
      for (int64_t i = 0; i < count; i++)
        if (r[k * TILE + i] > 1e-12) /* others change no digit */
          add_row(r[k * TILE + i], x + i * dim, dim, &weight[k], first + k * dim, second + k * dim * dim);
  }
  return LFM_OK;
}

static lfm_status run_lanes(fit *f, lfm_team *team) {
  if (team) LFM_TRY(lfm_team_run(team, LANES, e_step, f));
  else
    for (int64_t lane = 0; lane < LANES; lane++) LFM_TRY(e_step(f, 0, lane));
  for (int64_t lane = 1; lane < LANES; lane++)
    for (int64_t i = 0; i < f->lane_size; i++) f->lanes[i] += f->lanes[lane * f->lane_size + i];
  return LFM_OK;
}

static lfm_status m_step(fit *f) {
  int64_t parts = f->mixture->count, dim = f->dim;
  const double *weight = f->lanes, *first = weight + parts, *second = first + parts * dim;
  for (int64_t k = 0; k < parts; k++) {
    f->mixture->log_weight[k] = log(weight[k] / (double)f->rows);
    if (weight[k] < 1e-6) continue; /* a part that owns nothing keeps its place at a weight of nothing */
    for (int64_t a = 0; a < dim; a++) f->new_mean[a] = first[k * dim + a] / weight[k];
    for (int64_t a = 0; a < dim; a++)
      for (int64_t b = 0; b <= a; b++)
        f->covariance[a * dim + b] = second[k * dim * dim + a * dim + b] / weight[k] - f->new_mean[a] * f->new_mean[b] +
                                     (a == b ? f->config->floor : 0);
    if (!lfm_gaussian_set(f->mixture->parts[k], f->new_mean, f->covariance))
      return lfm_fail(LFM_E_NUMERIC,
                      "mixture: component %lld has collapsed; raise the floor (now %g) or take fewer than %lld", (long long)k,
                      f->config->floor, (long long)parts);
  }
  return LFM_OK;
}

/* From standardised columns to the data's units. */
static void restore_units(fit *f) {
  for (int64_t k = 0; k < f->mixture->count; k++) {
    lfm_gaussian *part = f->mixture->parts[k];
    for (int64_t a = 0; a < f->dim; a++) {
      part->mean[a] = f->mean[a] + f->sd[a] * part->mean[a];
      part->log_height -= log(f->sd[a]);
      for (int64_t b = 0; b <= a; b++) part->factor[a * f->dim + b] *= f->sd[a];
    }
  }
}

static lfm_status iterate(fit *f, lfm_team *team, double *mean_log) {
  double before = -INFINITY, now;
  for (int i = 0;; i++) { /* the density of what the last step has made is asked for, too */
    LFM_TRY(run_lanes(f, team));
    now = f->lanes[f->mixture->count * (1 + f->dim + f->dim * f->dim)] / (double)f->rows;
    if (!isfinite(now)) return lfm_fail(LFM_E_NUMERIC, "mixture: the log density is not finite after %d iterations", i);
    if (i == f->config->iterations || now - before < f->config->tolerance) break;
    before = now;
    LFM_TRY(m_step(f));
  }
  for (int64_t c = 0; c < f->dim; c++) now -= log(f->sd[c]);
  if (mean_log) *mean_log = now;
  return LFM_OK;
}

lfm_status lfm_mixture_fit(const double *x, int64_t rows, int64_t dim, const lfm_mixture_config *config, lfm_team *team,
                           lfm_mixture **out, double *mean_log) {
  *out = NULL;
  if (dim < 1 || dim > 4096 || config->components < 1 || config->components > 4096 || config->iterations < 1 ||
      !(config->floor >= 0))
    return lfm_fail(LFM_E_USAGE, "mixture: %lld components of %lld dimensions, %d iterations, floor %g: out of range",
                    (long long)config->components, (long long)dim, config->iterations, config->floor);
  if (rows < config->components)
    return lfm_fail(LFM_E_DATA, "mixture: %lld rows for %lld components; take fewer", (long long)rows,
                    (long long)config->components);
  fit f;
  lfm_status status;
  LFM_TRY_GOTO(fit_make(config, rows, dim, &f), done);
  LFM_TRY_GOTO(standardise(&f, x), done);
  start(&f);
  LFM_TRY_GOTO(iterate(&f, team, mean_log), done);
  restore_units(&f);
  *out = f.mixture;
  f.mixture = NULL;
done:
  fit_release(&f);
  return status;
}
