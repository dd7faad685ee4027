/* SPDX-License-Identifier: MIT
 *
 * normaliser.c -- the map y = (x - mean) W between the data's units and the flow's, and its log-determinant (what
 * normalise: radial does besides is radial.c's).
 * It stands at both ends of the main path: training fits it and flows in y; a sample goes back by the inverse; a
 * log-density in the data's units is log p(y) + log |det W|.
 *
 * Whitening takes the symmetric form of the correlation matrix R = V L V^T, after each column was divided by its standard
 * deviation D:  W = D^-1 V L^-1/2 V^T  [Kessy, Lewin, Strimmer, The American Statistician 2018: ZCA-cor].  The covariance
 * of y is I, the columns of y stay as close as possible to those of x, and nothing depends on the units that a column
 * happens to have or on the signs of eigenvectors.  Refused: V L^-1/2 of the raw covariance, where a column in
 * micrometres drowns one in metres and an eigenvalue met twice leaves W undetermined.
 * Moments are those of the rows themselves (1/n, not 1/(n - 1)), summed in row order, so that they are the same bytes on
 * any number of threads.
 */
#include "data/normaliser.h"

#include "core/alloc.h"
#include "data/eigen.h"
#include "data/table.h"
#include "data/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

lfm_status lfm_normaliser_make(lfm_normalise kind, int64_t cols, int64_t dim, lfm_normaliser **out) {
  lfm_normaliser *normaliser;
  lfm_status status;
  *out = NULL;
  if (dim < 1 || dim > cols || dim > INT32_MAX)
    return lfm_fail(LFM_E_USAGE, "a normaliser of %lld of %lld columns", (long long)dim, (long long)cols);
  LFM_TRY(LFM_ALLOC(&normaliser, 1));
  normaliser->kind = kind;
  normaliser->cols = cols;
  normaliser->dim = dim;
  LFM_TRY_GOTO(LFM_ALLOC(&normaliser->varying, dim), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&normaliser->constant, cols), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&normaliser->mean, dim), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&normaliser->forward, dim * dim), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&normaliser->inverse, dim * dim), failed);
  *out = normaliser;
  return LFM_OK;
failed:
  lfm_normaliser_destroy(normaliser);
  return status;
}

lfm_status lfm_normaliser_pixels(int64_t dim, bool dequantised, lfm_normaliser **out) {
  LFM_TRY(LFM_ALLOC(out, 1));
  double scale = dequantised ? 1.0 / 128.0 : 1.0 / 127.5;
  **out = (lfm_normaliser){
      .kind = LFM_NORMALISE_PIXELS, .cols = dim, .dim = dim, .scale = scale, .logdet = (double)dim * log(scale)};
  return LFM_OK;
}

lfm_status lfm_normaliser_chunks(int64_t steps, int64_t width, const double *mean, const double *scale,
                                 lfm_normaliser **out) {
  lfm_normaliser *m;
  lfm_status status;
  int64_t dim = steps * width;
  *out = NULL;
  LFM_TRY(LFM_ALLOC(&m, 1));
  m->kind = LFM_NORMALISE_CHUNKS, m->cols = m->dim = dim;
  LFM_TRY_GOTO(LFM_ALLOC(&m->mean, dim), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&m->forward, dim), failed);
  for (int64_t i = 0; i < dim; i++) {
    m->mean[i] = mean[i % width], m->forward[i] = scale[i % width];
    m->logdet += log(scale[i % width]);
  }
  *out = m;
  return LFM_OK;
failed:
  lfm_normaliser_destroy(m);
  return status;
}

/* *to [count] as from, each of so many bytes; NULL of NULL. */
static lfm_status copy_array(void *to, const void *from, int64_t count, size_t size) {
  if (!from) return LFM_OK;
  LFM_TRY(lfm_alloc_array(to, (size_t)count, size));
  memcpy(*(void **)to, from, (size_t)count * size);
  return LFM_OK;
}

lfm_status lfm_normaliser_copy(const lfm_normaliser *from, lfm_normaliser **out) {
  lfm_normaliser *copy;
  lfm_status status;
  int64_t matrix = from->kind == LFM_NORMALISE_CHUNKS ? from->dim : from->dim * from->dim;
  *out = NULL;
  LFM_TRY(LFM_ALLOC(&copy, 1));
  *copy = (lfm_normaliser){.kind = from->kind,
                           .cols = from->cols,
                           .dim = from->dim,
                           .scale = from->scale,
                           .logdet = from->logdet,
                           .radial = from->radial};
  LFM_TRY_GOTO(copy_array(&copy->varying, from->varying, from->dim, sizeof *from->varying), failed);
  LFM_TRY_GOTO(copy_array(&copy->constant, from->constant, from->cols, sizeof *from->constant), failed);
  LFM_TRY_GOTO(copy_array(&copy->mean, from->mean, from->dim, sizeof *from->mean), failed);
  LFM_TRY_GOTO(copy_array(&copy->forward, from->forward, matrix, sizeof *from->forward), failed);
  LFM_TRY_GOTO(copy_array(&copy->inverse, from->inverse, matrix, sizeof *from->inverse), failed);
  *out = copy;
  return LFM_OK;
failed:
  lfm_normaliser_destroy(copy);
  return status;
}

void lfm_normaliser_destroy(lfm_normaliser *normaliser) {
  if (!normaliser) return;
  lfm_free(normaliser->varying);
  lfm_free(normaliser->constant);
  lfm_free(normaliser->mean);
  lfm_free(normaliser->forward);
  lfm_free(normaliser->inverse);
  lfm_free(normaliser);
}

bool lfm_normaliser_mixes(const lfm_normaliser *m) {
  return m->kind == LFM_NORMALISE_WHITEN || m->kind == LFM_NORMALISE_RADIAL;
}

/* y = (x - mean) W */
static void whiten(const lfm_normaliser *m, const double *x, double *y) {
  int64_t d = m->dim;
  for (int64_t j = 0; j < d; j++) y[j] = 0;
  for (int64_t i = 0; i < d; i++) {
    double off = x[m->varying[i]] - m->mean[i];
    for (int64_t j = 0; j < d; j++) y[j] += off * m->forward[i * d + j];
  }
}

static bool varies(const lfm_table *table, int64_t col) {
  for (int64_t row = 1; row < table->rows; row++)
    if (table->values[row * table->cols + col] != table->values[col]) return true;
  return false;
}

/* Tells the columns that vary from those that do not. */
static lfm_status split_columns(lfm_normalise kind, const lfm_table *table, lfm_normaliser **out) {
  bool *varying;
  int64_t dim = 0;
  LFM_TRY(LFM_ALLOC(&varying, table->cols));
  for (int64_t col = 0; col < table->cols; col++) dim += varying[col] = varies(table, col);
  lfm_status status =
      dim ? lfm_normaliser_make(kind, table->cols, dim, out)
          : lfm_fail(LFM_E_DATA, "no column varies over the %lld rows; there is nothing to learn", (long long)table->rows);
  for (int64_t col = 0, i = 0; status == LFM_OK && col < table->cols; col++) {
    if (varying[col]) (*out)->varying[i++] = col;
    else (*out)->constant[col] = table->values[col];
  }
  lfm_free(varying);
  return status;
}

/* mean and sd [dim], in two passes: the second is about the mean, so that nothing cancels. */
static lfm_status take_moments(const lfm_table *table, lfm_normaliser *m, double *sd) {
  double n = (double)table->rows;
  for (int64_t row = 0; row < table->rows; row++)
    for (int64_t i = 0; i < m->dim; i++) m->mean[i] += table->values[row * table->cols + m->varying[i]] / n;
  for (int64_t row = 0; row < table->rows; row++)
    for (int64_t i = 0; i < m->dim; i++) {
      double off = table->values[row * table->cols + m->varying[i]] - m->mean[i];
      sd[i] += off * off / n;
    }
  for (int64_t i = 0; i < m->dim; i++) {
    char quoted[LFM_QUOTE_MAX];
    const char *name = table->names[m->varying[i]];
    sd[i] = sqrt(sd[i]);
    if (!isnormal(sd[i]))
      return lfm_fail(LFM_E_DATA, "column %s: its standard deviation is %g; rescale the column",
                      lfm_quote(name, strlen(name), quoted), sd[i]);
  }
  return LFM_OK;
}

static void set_diagonal(lfm_normaliser *m, const double *sd) {
  for (int64_t i = 0; i < m->dim; i++) {
    m->forward[i * m->dim + i] = 1 / sd[i];
    m->inverse[i * m->dim + i] = sd[i];
    m->logdet -= log(sd[i]);
  }
}

/* correlation [dim, dim]; z [dim] is scratch. */
static void correlate(const lfm_table *table, const lfm_normaliser *m, const double *sd, double *z, double *correlation) {
  int64_t d = m->dim;
  double n = (double)table->rows;
  for (int64_t row = 0; row < table->rows; row++) {
    const double *x = table->values + row * table->cols;
    for (int64_t i = 0; i < d; i++) z[i] = (x[m->varying[i]] - m->mean[i]) / sd[i];
    for (int64_t i = 0; i < d; i++)
      for (int64_t j = 0; j <= i; j++) correlation[i * d + j] += z[i] * z[j];
  }
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j <= i; j++) correlation[j * d + i] = correlation[i * d + j] /= n;
}

/* Names the columns that the direction of the smallest eigenvalue is made of. */
static lfm_status singular(const lfm_table *table, const lfm_normaliser *m, const double *vectors, int64_t smallest) {
  char list[400];
  size_t used = 0;
  double largest = 0;
  for (int64_t i = 0; i < m->dim; i++) largest = fmax(largest, fabs(vectors[i * m->dim + smallest]));
  for (int64_t i = 0; i < m->dim && used + 2 * (size_t)LFM_QUOTE_MAX < sizeof list; i++) {
    char quoted[LFM_QUOTE_MAX];
    const char *name = table->names[m->varying[i]];
    if (fabs(vectors[i * m->dim + smallest]) < 0.1 * largest) continue;
    used +=
        (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", lfm_quote(name, strlen(name), quoted));
  }
  if (table->rows <= m->dim)
    return lfm_fail(LFM_E_DATA,
                    "whitening %lld columns needs more than the %lld rows there are; normalise: standardise does not",
                    (long long)m->dim, (long long)table->rows);
  return lfm_fail(LFM_E_DATA,
                  "the columns %s depend on each other (the covariance is singular); drop one, or use "
                  "normalise: standardise",
                  list);
}

/* forward = D^-1 V L^-1/2 V^T, inverse = V L^1/2 V^T D. */
static void set_symmetric(lfm_normaliser *m, const double *sd, const double *values, const double *vectors) {
  int64_t d = m->dim;
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < d; j++) {
      double down = 0, up = 0;
      for (int64_t k = 0; k < d; k++) {
        double product = vectors[i * d + k] * vectors[j * d + k], root = sqrt(values[k]);
        down += product / root;
        up += product * root;
      }
      m->forward[i * d + j] = down / sd[i];
      m->inverse[i * d + j] = up * sd[j];
    }
  for (int64_t k = 0; k < d; k++) m->logdet -= log(sd[k]) + 0.5 * log(values[k]);
}

static lfm_status fit_whitening(const lfm_table *table, lfm_normaliser *m, const double *sd) {
  double *correlation, *values = NULL, *vectors = NULL;
  lfm_status status;
  int64_t smallest = 0;
  LFM_TRY(LFM_ALLOC(&correlation, m->dim * m->dim));
  LFM_TRY_GOTO(LFM_ALLOC(&values, m->dim), done);
  LFM_TRY_GOTO(LFM_ALLOC(&vectors, m->dim * m->dim), done);
  correlate(table, m, sd, values, correlation);
  LFM_TRY_GOTO(lfm_eigen_symmetric(m->dim, correlation, values, vectors), done);
  for (int64_t k = 1; k < m->dim; k++)
    if (values[k] < values[smallest]) smallest = k;
  /* What rounding leaves of a zero eigenvalue: the correlations are sums of n products, each good to an epsilon. */
  if (values[smallest] < 64 * (double)m->dim * DBL_EPSILON) status = singular(table, m, vectors, smallest);
  else set_symmetric(m, sd, values, vectors);
done:
  lfm_free(correlation);
  lfm_free(values);
  lfm_free(vectors);
  return status;
}

/* From whitened rows. */
static lfm_status fit_radial(const lfm_table *table, lfm_normaliser *m) {
  double *radii, *w = NULL;
  lfm_status status;
  LFM_TRY(LFM_ALLOC_ROWS(&radii, table->rows));
  LFM_TRY_GOTO(LFM_ALLOC(&w, m->dim), done);
  for (int64_t row = 0; row < table->rows; row++) {
    whiten(m, table->values + row * table->cols, w);
    radii[row] = lfm_radial_length(w, m->dim);
  }
  m->radial = lfm_radial_fit(radii, table->rows, m->dim);
done:
  lfm_free(radii);
  lfm_free(w);
  return status;
}

lfm_status lfm_normaliser_fit(lfm_normalise kind, const lfm_table *table, lfm_normaliser **out) {
  lfm_normaliser *m = NULL;
  double *sd = NULL;
  lfm_status status;
  *out = NULL;
  LFM_TRY(lfm_table_check_finite("table", table, ""));
  LFM_TRY(split_columns(kind, table, &m));
  LFM_TRY_GOTO(LFM_ALLOC(&sd, m->dim), failed);
  if (kind == LFM_NORMALISE_NONE) {
    for (int64_t i = 0; i < m->dim; i++) sd[i] = 1;
    set_diagonal(m, sd);
  } else {
    LFM_TRY_GOTO(take_moments(table, m, sd), failed);
    if (kind == LFM_NORMALISE_STANDARDISE) set_diagonal(m, sd);
    else LFM_TRY_GOTO(fit_whitening(table, m, sd), failed);
    if (kind == LFM_NORMALISE_RADIAL) LFM_TRY_GOTO(fit_radial(table, m), failed);
  }
  lfm_free(sd);
  *out = m;
  return LFM_OK;
failed:
  lfm_free(sd);
  lfm_normaliser_destroy(m);
  return status;
}

void lfm_normaliser_apply(const lfm_normaliser *m, const double *x, double *y) {
  int64_t d = m->dim;
  if (m->kind == LFM_NORMALISE_PIXELS) {
    for (int64_t i = 0; i < d; i++) y[i] = x[i] * m->scale - 1.0;
    return;
  }
  if (m->kind == LFM_NORMALISE_CHUNKS) {
    for (int64_t i = 0; i < d; i++) y[i] = (x[i] - m->mean[i]) * m->forward[i];
    return;
  }
  if (!lfm_normaliser_mixes(m)) {
    for (int64_t i = 0; i < d; i++) y[i] = (x[m->varying[i]] - m->mean[i]) * m->forward[i * d + i];
    return;
  }
  whiten(m, x, y);
  if (m->kind != LFM_NORMALISE_RADIAL) return;
  double by = lfm_radial_forth(&m->radial, d, y);
  for (int64_t j = 0; j < d; j++) y[j] *= by;
}

void lfm_normaliser_invert(const lfm_normaliser *m, const double *y, double *x) {
  int64_t d = m->dim;
  if (m->kind == LFM_NORMALISE_PIXELS) {
    for (int64_t i = 0; i < d; i++) x[i] = (y[i] + 1.0) / m->scale;
    return;
  }
  if (m->kind == LFM_NORMALISE_CHUNKS) {
    for (int64_t i = 0; i < d; i++) x[i] = m->mean[i] + y[i] / m->forward[i];
    return;
  }
  for (int64_t col = 0; col < m->cols; col++) x[col] = m->constant[col];
  if (!lfm_normaliser_mixes(m)) {
    for (int64_t i = 0; i < d; i++) x[m->varying[i]] = m->mean[i] + y[i] * m->inverse[i * d + i];
    return;
  }
  double by = m->kind == LFM_NORMALISE_RADIAL ? lfm_radial_back(&m->radial, d, y) : 1.0;
  for (int64_t j = 0; j < d; j++) {
    double sum = 0;
    for (int64_t i = 0; i < d; i++) sum += y[i] * m->inverse[i * d + j];
    x[m->varying[j]] = m->mean[j] + by * sum;
  }
}

double lfm_normaliser_logdet(const lfm_normaliser *m, const double *y) {
  return m->kind == LFM_NORMALISE_RADIAL ? m->logdet + lfm_radial_logdet(&m->radial, m->dim, y) : m->logdet;
}

static const double SAME = 1e-6;

/* forward inverse = I, each element beside the sizes of its terms: columns may have any units.  row [2 dim] is scratch. */
static bool is_inverse(const lfm_normaliser *m, double *row) {
  int64_t d = m->dim;
  double *sum = row, *size = row + d;
  for (int64_t i = 0; i < d; i++) {
    memset(row, 0, (size_t)(2 * d) * sizeof *row);
    for (int64_t k = 0; k < d; k++) {
      double w = m->forward[i * d + k];
      if (w == 0.0) continue; /* most are, where columns are scaled one by one */
      for (int64_t j = 0; j < d; j++) {
        sum[j] += w * m->inverse[k * d + j];
        size[j] += fabs(w * m->inverse[k * d + j]);
      }
    }
    for (int64_t j = 0; j < d; j++)
      if (!(fabs(sum[j] - (i == j)) <= SAME * size[j])) return false;
  }
  return true;
}

/* log |det a| by elimination, a row's scale apart and the largest pivot first; a [d, d] is destroyed. */
static double log_determinant(int64_t d, double *a) {
  double sum = 0.0;
  for (int64_t i = 0; i < d; i++) {
    double largest = 0.0;
    for (int64_t j = 0; j < d; j++) largest = fmax(largest, fabs(a[i * d + j]));
    for (int64_t j = 0; j < d; j++) a[i * d + j] /= largest;
    sum += log(largest);
  }
  for (int64_t k = 0; k < d; k++) {
    int64_t best = k;
    for (int64_t i = k + 1; i < d; i++)
      if (fabs(a[i * d + k]) > fabs(a[best * d + k])) best = i;
    for (int64_t j = k; j < d && best != k; j++) {
      double kept = a[k * d + j];
      a[k * d + j] = a[best * d + j], a[best * d + j] = kept;
    }
    sum += log(fabs(a[k * d + k]));
    for (int64_t i = k + 1; i < d; i++) {
      double share = a[i * d + k] / a[k * d + k];
      for (int64_t j = k; j < d && share != 0.0; j++) a[i * d + j] -= share * a[k * d + j];
    }
  }
  return sum;
}

static bool is_diagonal(const lfm_normaliser *m) {
  for (int64_t i = 0; i < m->dim * m->dim; i++)
    if (i % (m->dim + 1) && m->forward[i] != 0.0) return false;
  return true;
}

lfm_status lfm_normaliser_check(const lfm_normaliser *m, const char **wrong) {
  double *room;
  size_t numbers = (size_t)(m->dim * m->dim);
  LFM_TRY(LFM_ALLOC(&room, m->dim * m->dim + 2 * m->dim));
  *wrong = NULL;
  if (!lfm_normaliser_mixes(m) && !is_diagonal(m)) {
    *wrong = "forward";
  } else if (m->kind == LFM_NORMALISE_RADIAL &&
             !(isnormal(m->radial.knee) && isnormal(m->radial.scale) && m->radial.knee > 0.0 && m->radial.scale > 0.0)) {
    *wrong = "radial";
  } else if (is_inverse(m, room)) {
    memcpy(room, m->forward, numbers * sizeof *room);
    double due = log_determinant(m->dim, room);
    if (!(fabs(m->logdet - due) <= SAME * fmax(1.0, fabs(due)))) *wrong = "logdet";
  } else {
    *wrong = "inverse";
  }
  lfm_free(room);
  return LFM_OK;
}
