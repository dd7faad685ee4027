/* SPDX-License-Identifier: MIT
 *
 * pixel_density.c -- a picture as a mixture of pixel Gaussians: the 2-D data whose true log p is known.
 *
 * log p at a point is a double sum over the pixels within REACH sd, separable: one weight a row of the window, one a column.
 * What it leaves out is below e^(-REACH^2 / 2) = 3e-18 in all; where the sum is so small that this could matter (a sample
 * far from all ink), every lit pixel is summed instead, so the answer is exact everywhere and fast where the mass is.
 *
 * Entropy by the midpoint rule: p is a sum of Gaussians a pixel wide, for which the rule converges faster than any power of
 * the step; a row of the fine grid costs one separable convolution.  Monte Carlo would need 10^7 draws for 3e-4 nats.
 *
 * Draws invert the cumulative sum over the lit pixels by bisection; an alias table would save a microsecond a row.
 */
#include "metric/pixel_density.h"
#include "core/alloc.h"
#include "metric/normal.h"

#define REACH 9.0

struct lfm_pixel_density {
  int64_t width, height, lit;
  double extent, sigma;
  double dx, dy;      /* a pixel, in the units of x and y */
  double *weights;    /* [height, width], sum 1 */
  int64_t *places;    /* [lit] where the weight is over 0 */
  double *cumulative; /* [lit] sum of the weights up to and with this one */
};

static lfm_status check_request(int64_t width, int64_t height, double extent, double sigma) {
  if (width < 1 || height < 1 || width > 8192 || height > 8192)
    return lfm_fail(LFM_E_USAGE, "pixel density: a picture of %lld x %lld; sizes are 1 to 8192", (long long)width,
                    (long long)height);
  if (!(extent > 0) || !isfinite(extent)) return lfm_fail(LFM_E_USAGE, "pixel density: extent %g must be over 0", extent);
  if (sigma != 0 && !(sigma >= 0.25 && sigma <= 64))
    return lfm_fail(LFM_E_USAGE, "pixel density: sigma %g pixels; give 0 (uniform) or 0.25 to 64", sigma);
  return LFM_OK;
}

/* The sum of the weights, and how many are over 0. */
static lfm_status count_ink(const float *weights, int64_t count, double *sum, int64_t *lit) {
  for (int64_t i = 0; i < count; i++) {
    if (!(weights[i] >= 0) || !isfinite(weights[i]))
      return lfm_fail(LFM_E_DATA, "pixel density: weight %lld is %g; weights are finite and not negative", (long long)i,
                      (double)weights[i]);
    *sum += (double)weights[i];
    *lit += weights[i] > 0;
  }
  return *lit > 0 ? LFM_OK : lfm_fail(LFM_E_DATA, "pixel density: every weight is 0; the picture holds no ink");
}

static void fill(lfm_pixel_density *d, const float *weights, double sum) {
  double running = 0;
  int64_t at = 0;
  for (int64_t i = 0; i < d->width * d->height; i++) {
    d->weights[i] = (double)weights[i] / sum;
    if (weights[i] <= 0) continue;
    running += d->weights[i];
    d->places[at] = i;
    d->cumulative[at++] = running;
  }
}

lfm_status lfm_pixel_density_create(const float *weights, int64_t width, int64_t height, double extent, double sigma,
                                    lfm_pixel_density **out) {
  *out = NULL;
  LFM_TRY(check_request(width, height, extent, sigma));
  double sum = 0;
  int64_t lit = 0;
  LFM_TRY(count_ink(weights, width * height, &sum, &lit));
  lfm_pixel_density *d;
  LFM_TRY(LFM_ALLOC(&d, 1));
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&d->weights, width * height), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&d->places, lit), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&d->cumulative, lit), failed);
  d->width = width, d->height = height, d->lit = lit;
  d->extent = extent, d->sigma = sigma;
  d->dx = 2 * extent / (double)width, d->dy = 2 * extent / (double)height;
  fill(d, weights, sum);
  *out = d;
  return LFM_OK;
failed:
  lfm_pixel_density_destroy(d);
  return status;
}

void lfm_pixel_density_destroy(lfm_pixel_density *d) {
  if (!d) return;
  lfm_free(d->weights);
  lfm_free(d->places);
  lfm_free(d->cumulative);
  lfm_free(d);
}

/* The first lit pixel whose cumulative weight reaches u. */
static int64_t pick(const lfm_pixel_density *d, double u) {
  double target = u * d->cumulative[d->lit - 1]; /* rounding leaves the last sum a hair off 1 */
  int64_t low = 0, high = d->lit - 1;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (d->cumulative[middle] < target) low = middle + 1;
    else high = middle;
  }
  return d->places[low];
}

void lfm_pixel_density_sample(const lfm_pixel_density *d, const lfm_rng *rng, int64_t row, double xy[2]) {
  int64_t place = pick(d, lfm_rng_uniform(rng, row, 0));
  double noise[2];
  if (d->sigma > 0) {
    lfm_normal_pair(rng, row, 1, noise);
    noise[0] *= d->sigma, noise[1] *= d->sigma;
  } else {
    noise[0] = lfm_rng_uniform(rng, row, 1) - 0.5;
    noise[1] = lfm_rng_uniform(rng, row, 2) - 0.5;
  }
  int64_t column = place % d->width, row_of_pixels = place / d->width;
  xy[0] = -d->extent + ((double)column + 0.5 + noise[0]) * d->dx;
  xy[1] = d->extent - ((double)row_of_pixels + 0.5 + noise[1]) * d->dy;
}

/* The pixels of a row (or column) of n that lie within `reach` of position `at`, in pixels: [*first, *end). */
static void window(double at, double reach, int64_t n, int64_t *first, int64_t *end) {
  double low = ceil(at - 0.5 - reach), high = floor(at - 0.5 + reach) + 1;
  *first = low < 0 ? 0 : (low > (double)n ? n : (int64_t)low);
  *end = high > (double)n ? n : (high < (double)*first ? *first : (int64_t)high);
}

/* u, v: the point in pixels from the top left corner.  Sum of weight e^(-r^2 / 2) over the pixels near it. */
static double sum_near(const lfm_pixel_density *d, double u, double v) {
  double across[2 * (int)(REACH * 64) + 3]; /* the widest window at the largest sigma */
  int64_t left, right, top, bottom;
  window(u, REACH * d->sigma, d->width, &left, &right);
  window(v, REACH * d->sigma, d->height, &top, &bottom);
  double scale = 0.5 / (d->sigma * d->sigma);
  for (int64_t i = left; i < right; i++) across[i - left] = exp(-scale * ((double)i + 0.5 - u) * ((double)i + 0.5 - u));
  double sum = 0;
  for (int64_t j = top; j < bottom; j++) {
    const double *row = d->weights + j * d->width;
    double line = 0;
    for (int64_t i = left; i < right; i++) line += row[i] * across[i - left];
    sum += line * exp(-scale * ((double)j + 0.5 - v) * ((double)j + 0.5 - v));
  }
  return sum;
}

/* log of the same sum over all lit pixels, safe from underflow: relative to the nearest pixel. */
static double log_sum_all(const lfm_pixel_density *d, double u, double v) {
  double scale = 0.5 / (d->sigma * d->sigma), nearest = INFINITY, sum = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int64_t k = 0; k < d->lit; k++) {
      int64_t column = d->places[k] % d->width, row = d->places[k] / d->width;
      double across = (double)column + 0.5 - u, down = (double)row + 0.5 - v;
      double distance = across * across + down * down;
      if (pass == 0) nearest = fmin(nearest, distance);
      else sum += d->weights[d->places[k]] * exp(-scale * (distance - nearest));
    }
  return log(sum) - scale * nearest;
}

double lfm_pixel_density_log(const lfm_pixel_density *d, double x, double y) {
  if (!isfinite(x) || !isfinite(y)) return -INFINITY;
  double u = (x + d->extent) / d->dx, v = (d->extent - y) / d->dy, area = d->dx * d->dy;
  if (d->sigma > 0) {
    double sum = sum_near(d, u, v);
    return (sum > 1e-8 ? log(sum) : log_sum_all(d, u, v)) - log(LFM_TWO_PI * d->sigma * d->sigma * area);
  }
  if (!(u >= 0 && u < (double)d->width && v >= 0 && v < (double)d->height)) return -INFINITY;
  return log(d->weights[(int64_t)v * d->width + (int64_t)u] / area);
}

static double entropy_of_boxes(const lfm_pixel_density *d) {
  double sum = 0;
  for (int64_t k = 0; k < d->lit; k++) sum -= d->weights[d->places[k]] * log(d->weights[d->places[k]]);
  return sum + log(d->dx * d->dy);
}

typedef struct quadrature {
  int refine;
  int64_t margin;  /* pixels around the picture that still see its ink */
  double *kernel;  /* [refine, 2 margin + 1] the Gaussian at each phase of a fine point in its pixel, in 1 / pixel */
  double *columns; /* [width + 4 margin] one fine row, convolved downwards; zero margins */
} quadrature;

/* Fine row number `row`: columns = sum over picture rows j of weight_j kernel(j - v). */
static void convolve_down(const lfm_pixel_density *d, const quadrature *q, int64_t row) {
  int64_t middle = row / q->refine - q->margin; /* the picture row that the fine row lies in */
  const double *kernel = q->kernel + (row % q->refine) * (2 * q->margin + 1);
  double *columns = q->columns + 2 * q->margin;
  for (int64_t i = 0; i < d->width; i++) columns[i] = 0;
  for (int64_t k = -q->margin; k <= q->margin; k++) {
    int64_t j = middle + k;
    if (j < 0 || j >= d->height) continue;
    const double *line = d->weights + j * d->width;
    for (int64_t i = 0; i < d->width; i++) columns[i] += line[i] * kernel[k + q->margin];
  }
}

/* Sums p and -p log p over the points of one fine row; p in 1 / pixel^2. */
static void sum_row(const lfm_pixel_density *d, const quadrature *q, double *mass, double *entropy) {
  int64_t taps = 2 * q->margin + 1;
  for (int64_t i = 0; i < d->width + 2 * q->margin; i++)
    for (int phase = 0; phase < q->refine; phase++) {
      const double *kernel = q->kernel + phase * taps;
      double p = 0;
      for (int64_t k = 0; k < taps; k++) p += q->columns[i + k] * kernel[k];
      *mass += p;
      if (p > 0) *entropy -= p * log(p);
    }
}

static lfm_status quadrature_make(const lfm_pixel_density *d, int refine, quadrature *q) {
  *q = (quadrature){.refine = refine, .margin = (int64_t)ceil(REACH * d->sigma) + 1};
  int64_t taps = 2 * q->margin + 1;
  LFM_TRY(LFM_ALLOC(&q->columns, d->width + 4 * q->margin));
  LFM_TRY(LFM_ALLOC(&q->kernel, refine * taps));
  for (int phase = 0; phase < refine; phase++)
    for (int64_t k = 0; k < taps; k++) {
      double offset = ((double)(k - q->margin) + 0.5 - (phase + 0.5) / refine) / d->sigma;
      q->kernel[phase * taps + k] = exp(-0.5 * offset * offset) / (sqrt(LFM_TWO_PI) * d->sigma);
    }
  return LFM_OK;
}

lfm_status lfm_pixel_density_entropy(const lfm_pixel_density *d, int refine, double *entropy, double *mass) {
  if (refine < 1 || refine > 16) return lfm_fail(LFM_E_USAGE, "pixel density: refine %d; give 1 to 16", refine);
  double total = 1, sum = 0;
  if (d->sigma > 0) {
    quadrature q;
    lfm_status status = quadrature_make(d, refine, &q);
    total = 0;
    for (int64_t row = 0; status == LFM_OK && row < (d->height + 2 * q.margin) * refine; row++) {
      convolve_down(d, &q, row);
      sum_row(d, &q, &total, &sum);
    }
    lfm_free(q.columns);
    lfm_free(q.kernel);
    LFM_TRY(status);
    double cell = 1.0 / ((double)refine * refine); /* of a fine point, in pixels */
    total *= cell;
    sum = sum * cell + total * log(d->dx * d->dy); /* p in 1 / pixel^2 is p times the pixel's area */
  } else {
    sum = entropy_of_boxes(d);
  }
  *entropy = sum;
  if (mass) *mass = total;
  return LFM_OK;
}
