/* SPDX-License-Identifier: MIT
 *
 * data.c -- the data sets of the demo and of the closed-form evidence.
 * Each is drawn (or shuffled) from addressed random numbers, so it is the same on every machine; the densities are known,
 * so that a model can be held against the truth row by row.
 */
#include "core/alloc.h"
#include "core/file.h"
#include "core/rng.h"
#include "kit/kit.h"
#include "metric/gaussian.h"
#include "metric/grey.h"
#include "metric/mixture.h"
#include "metric/tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWN_TRAIN = 60000, DRAWN_HELD = 10000 };

/* ---- writing the three parts -------------------------------------------------------------------------------- */

static lfm_status write_range(const lfm_table *table, int64_t first, int64_t count, const char *folder, const char *name) {
  lfm_table part = *table;
  part.values = table->values + first * table->cols;
  part.rows = count;
  return kit_write(&part, folder, name);
}

lfm_status kit_split(const lfm_table *table, int64_t held, const char *folder) {
  int64_t trained = table->rows - 2 * held;
  LFM_TRY(lfm_folder_make(folder));
  LFM_TRY(write_range(table, 0, trained, folder, "train.csv"));
  LFM_TRY(write_range(table, trained, held, folder, "valid.csv"));
  LFM_TRY(write_range(table, trained + held, held, folder, "test.csv"));
  printf("data        %lld rows to train on, %lld to choose by, %lld to test on\n", (long long)trained, (long long)held,
         (long long)held);
  return LFM_OK;
}

/* ---- a real table ------------------------------------------------------------------------------------------- */

static const lfm_table *sorted_table; /* for the comparison of rows: qsort has no context */

static int by_row(const void *a, const void *b) {
  size_t cols = (size_t)sorted_table->cols;
  const double *x = sorted_table->values + (size_t) * (const int64_t *)a * cols;
  const double *y = sorted_table->values + (size_t) * (const int64_t *)b * cols;
  for (size_t j = 0; j < cols; j++)
    if (x[j] != y[j]) return x[j] < y[j] ? -1 : 1;
  return (*(const int64_t *)a > *(const int64_t *)b) - (*(const int64_t *)a < *(const int64_t *)b);
}

/* The rows that differ from all others, in an order that the seed names. */
static lfm_status distinct_rows(const lfm_table *table, lfm_table **out) {
  int64_t *index, *shuffled, kept = 0;
  LFM_TRY(LFM_ALLOC(&index, table->rows));
  LFM_TRY(LFM_ALLOC(&shuffled, table->rows));
  for (int64_t i = 0; i < table->rows; i++) index[i] = i;
  sorted_table = table;
  qsort(index, (size_t)table->rows, sizeof *index, by_row);
  size_t bytes = (size_t)table->cols * sizeof(double);
  for (int64_t i = 0; i < table->rows; i++) {
    const double *row = table->values + index[i] * table->cols;
    if (i == 0 || memcmp(row, table->values + index[i - 1] * table->cols, bytes) != 0) index[kept++] = index[i];
  }
  lfm_rng rng = {.purpose = LFM_FOR_SPLIT};
  for (int64_t i = 0; i < kept; i++) shuffled[lfm_rng_permute(&rng, 0, kept, i)] = index[i];
  printf("source      %lld rows, of which %lld repeat another\n", (long long)table->rows, (long long)(table->rows - kept));
  lfm_status status = lfm_table_take(table, shuffled, kept, out);
  lfm_free(index);
  lfm_free(shuffled);
  return status;
}

/* What one unit in the last stored place of a MAGIC value is worth: four decimals, or six digits where those are fewer. */
static double resolution(double value) {
  double digits = fabs(value) >= 1.0 ? floor(log10(fabs(value))) + 1.0 : 0.0;
  return pow(10.0, -fmin(4.0, 6.0 - digits));
}

/* U(-1/2, 1/2) of the last place on every value: the table is rounded, a density is not. */
static void dequantise(lfm_table *table) {
  lfm_rng rng = {.purpose = LFM_FOR_DATA};
  for (int64_t i = 0; i < table->rows; i++)
    for (int64_t j = 0; j < table->cols; j++) {
      double *value = &table->values[i * table->cols + j];
      *value += (lfm_rng_uniform(&rng, i, (uint32_t)j) - 0.5) * resolution(*value);
    }
  for (int64_t j = 0; j < table->cols; j++) table->decimals[j] += 3; /* what the noise needs to survive the file */
}

lfm_status kit_make_magic(const char *source, const char *folder) {
  lfm_table *table, *distinct;
  LFM_TRY(kit_read_numbers(source, &(lfm_table_options){.drop = "class"}, &table));
  LFM_TRY(distinct_rows(table, &distinct));
  dequantise(distinct);
  lfm_status status = kit_split(distinct, distinct->rows / 10, folder);
  lfm_table_destroy(table);
  lfm_table_destroy(distinct);
  return status;
}

/* ---- known densities ---------------------------------------------------------------------------------------- */

/* One of the three kinds; exactly one member is set. */
typedef struct density {
  lfm_pixel_density *pixels;
  lfm_gaussian *gaussian;
  lfm_mixture *mixture;
  int64_t dim;
} density;

static void destroy_density(density *d) {
  lfm_pixel_density_destroy(d->pixels);
  lfm_gaussian_destroy(d->gaussian);
  lfm_mixture_destroy(d->mixture);
}

/* A rotation [dim, dim]: Gram-Schmidt on normals that (seed, salt) name. */
static void rotation(int64_t dim, int64_t salt, double *q) {
  float z[16];
  lfm_rng rng = {.seed = 1, .purpose = LFM_FOR_DATA, .step = 1};
  for (int64_t i = 0; i < dim; i++) {
    lfm_rng_normal(&rng, salt * dim + i, z, (size_t)dim);
    double *row = q + i * dim, norm = 0.0;
    for (int64_t j = 0; j < dim; j++) row[j] = (double)z[j];
    for (int64_t k = 0; k < i; k++) {
      double dot = 0.0;
      for (int64_t j = 0; j < dim; j++) dot += row[j] * q[k * dim + j];
      for (int64_t j = 0; j < dim; j++) row[j] -= dot * q[k * dim + j];
    }
    for (int64_t j = 0; j < dim; j++) norm += row[j] * row[j];
    for (int64_t j = 0; j < dim; j++) row[j] /= sqrt(norm);
  }
}

/* covariance = scale^2 Q' diag(condition^{-i/(dim-1)}) Q: eigenvalues evenly spaced in the logarithm. */
static void rotated_covariance(int64_t dim, int64_t salt, double scale, double condition, double *covariance) {
  double q[16 * 16];
  rotation(dim, salt, q);
  for (int64_t a = 0; a < dim; a++)
    for (int64_t b = 0; b < dim; b++) {
      double sum = 0.0;
      for (int64_t i = 0; i < dim; i++)
        sum += pow(condition, -(double)i / (double)(dim - 1)) * q[i * dim + a] * q[i * dim + b];
      covariance[a * dim + b] = scale * scale * sum;
    }
}

static lfm_status open_gaussian(density *d) {
  enum { DIM = 8 };
  double mean[DIM], covariance[DIM * DIM];
  for (int j = 0; j < DIM; j++) mean[j] = (double)j - 3.0;
  rotated_covariance(DIM, 0, 10.0, 1e4, covariance);
  d->dim = DIM;
  return lfm_gaussian_create(mean, covariance, DIM, &d->gaussian);
}

/* Six components of different weights, places, sizes and directions, some overlapping. */
static lfm_status open_mixture(density *d) {
  enum { DIM = 5, PARTS = 6 };
  double weights[PARTS], means[PARTS * DIM], covariances[PARTS * DIM * DIM];
  lfm_rng rng = {.seed = 2, .purpose = LFM_FOR_DATA};
  for (int k = 0; k < PARTS; k++) {
    weights[k] = 1.0 + k;
    for (int j = 0; j < DIM; j++) means[k * DIM + j] = 6.0 * lfm_rng_uniform(&rng, k, (uint32_t)j) - 3.0;
    rotated_covariance(DIM, k, 0.5 + 0.1 * k, 10.0, covariances + k * DIM * DIM);
  }
  d->dim = DIM;
  return lfm_mixture_create(weights, means, covariances, PARTS, DIM, &d->mixture);
}

/* Dark is dense, over [-4, 4]^2, rotated by 180 degrees and flipped, which together turn it upside down; Gaussian noise of
 * half a pixel. */
static lfm_status open_picture(const char *png, density *d) {
  float *ink;
  int64_t width, height;
  LFM_TRY(lfm_grey_read(png, &ink, &width, &height));
  for (int64_t y = 0; y < height / 2; y++)
    for (int64_t x = 0; x < width; x++) {
      float above = ink[y * width + x];
      ink[y * width + x] = ink[(height - 1 - y) * width + x];
      ink[(height - 1 - y) * width + x] = above;
    }
  lfm_status status = lfm_pixel_density_create(ink, width, height, 4.0, 0.5, &d->pixels);
  lfm_free(ink);
  d->dim = 2;
  return status;
}

static lfm_status open_density(const char *kind, density *d) {
  *d = (density){.dim = 2};
  if (strcmp(kind, "tree") == 0) return lfm_tree_density(&d->pixels);
  if (strcmp(kind, "gaussian") == 0) return open_gaussian(d);
  if (strcmp(kind, "mixture") == 0) return open_mixture(d);
  return open_picture(kind, d);
}

static void draw(const density *d, const lfm_rng *rng, int64_t row, double *x) {
  if (d->pixels) lfm_pixel_density_sample(d->pixels, rng, row, x);
  else if (d->gaussian) lfm_gaussian_sample(d->gaussian, rng, row, 0, x);
  else lfm_mixture_sample(d->mixture, rng, row, x);
}

static double log_density(const density *d, const double *x) {
  double scratch[64];
  if (d->pixels) return lfm_pixel_density_log(d->pixels, x[0], x[1]);
  return d->gaussian ? lfm_gaussian_log(d->gaussian, x, scratch) : lfm_mixture_log(d->mixture, x, scratch);
}

static lfm_status make_drawn(const char *kind, const char *folder) {
  density d;
  lfm_table *table;
  lfm_rng rng = {.purpose = LFM_FOR_DATA};
  LFM_TRY(open_density(kind, &d));
  LFM_TRY(lfm_table_make(DRAWN_TRAIN + 2 * DRAWN_HELD, d.dim, &table));
  for (int64_t i = 0; i < table->rows; i++) draw(&d, &rng, i, table->values + i * d.dim);
  lfm_status status = kit_split(table, DRAWN_HELD, folder);
  lfm_table_destroy(table);
  destroy_density(&d);
  return status;
}

lfm_status kit_make_tree(const char *folder) { return make_drawn("tree", folder); }
lfm_status kit_make_picture(const char *png, const char *folder) { return make_drawn(png, folder); }
lfm_status kit_make_gaussian(const char *folder) { return make_drawn("gaussian", folder); }
lfm_status kit_make_mixture(const char *folder) { return make_drawn("mixture", folder); }

/* Exact where there is a closed form; a mixture's is a mean over fresh draws, to about a thousandth. */
static lfm_status entropy_of(const density *d, double *entropy) {
  if (d->pixels) return lfm_pixel_density_entropy(d->pixels, 2, entropy, NULL);
  if (d->gaussian) return *entropy = lfm_gaussian_entropy(d->gaussian), LFM_OK;
  enum { DRAWS = 2000000 };
  lfm_rng rng = {.purpose = LFM_FOR_DATA, .step = 7};
  double x[16], sum = 0.0;
  for (int64_t i = 0; i < DRAWS; i++) {
    draw(d, &rng, i, x);
    sum -= log_density(d, x);
  }
  *entropy = sum / DRAWS;
  return LFM_OK;
}

static lfm_status put_truth(const density *d, const char *folder, const lfm_table *test) {
  double *logp, entropy;
  LFM_TRY(LFM_ALLOC(&logp, test->rows));
  for (int64_t i = 0; i < test->rows; i++) logp[i] = log_density(d, test->values + i * test->cols);
  lfm_status status = entropy_of(d, &entropy);
  if (status == LFM_OK) printf("entropy     %.4f nats\n", entropy);
  if (status == LFM_OK) status = kit_write_logp(logp, NULL, test->rows, folder, "truth.csv");
  lfm_free(logp);
  return status;
}

lfm_status kit_truth(const char *kind, const char *folder) {
  density d;
  lfm_table *test = NULL;
  LFM_TRY(open_density(kind, &d));
  lfm_status status = kit_read(folder, "test.csv", &test);
  if (status == LFM_OK) status = kit_check_columns(test, folder, "test.csv", d.dim, kind);
  if (status == LFM_OK) status = put_truth(&d, folder, test);
  lfm_table_destroy(test);
  destroy_density(&d);
  return status;
}
