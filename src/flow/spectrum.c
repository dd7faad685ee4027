/* SPDX-License-Identifier: MIT
 *
 * spectrum.c -- eigenvalues of the covariance of rows in the flow's units: what the ledger holds against the theory's
 * assumptions, and what a plan of merges depends on.  Columns that were standardised all have variance 1, which says nothing;
 * the directions that they make together have not.
 * Fewer rows than columns, as of pictures, have the eigenvalues of their own products y y^T beside zeros: the smaller of the
 * two matrices is solved.
 *
 * The variances of a model are asked of rows of data, or of rows that it draws itself, whose law is what a student is to
 * learn.  Refused: to keep them in the model file.  It would cost every training a matrix of columns squared, for a question
 * that is asked of few models, and imported ones would lack them.
 */
#include "flow/spectrum.h"

#include "core/alloc.h"
#include "data/eigen.h"
#include "flow/columns.h"

#include <math.h>
#include <string.h>

/* y [rows, dim] about their mean. */
static void centre(double *y, int64_t rows, int64_t dim, double *mean) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < dim; j++) mean[j] += y[i * dim + j] / (double)rows;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < dim; j++) y[i * dim + j] -= mean[j];
}

/* products [n, n] += sum over rows of y y^T / scale;  y [rows, n]. */
static void multiply(int64_t rows, int64_t n, const double *y, double scale, double *products) {
  for (int64_t i = 0; i < rows; i++) {
    const double *row = y + i * n;
    for (int64_t j = 0; j < n; j++) {
      double share = row[j] / scale;
      for (int64_t k = 0; k < n; k++) products[j * n + k] += share * row[k];
    }
  }
}

static void transpose(int64_t rows, int64_t cols, const double *from, double *to) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < cols; j++) to[j * rows + i] = from[i * cols + j];
}

lfm_status lfm_spectrum_within(double *y, int64_t rows, int64_t dim, double *values) {
  int64_t least = rows < dim ? rows : dim;
  double *turned = NULL, *mean = NULL, *products = NULL, *scratch = NULL;
  lfm_status status;
  if (rows < 2)
    return lfm_fail(LFM_E_DATA, "%lld row shows no covariance; two are needed, and some hundreds to know it",
                    (long long)rows);
  LFM_TRY_GOTO(LFM_ALLOC(&mean, dim), done);
  LFM_TRY_GOTO(LFM_ALLOC(&products, least * least), done);
  LFM_TRY_GOTO(LFM_ALLOC(&scratch, 2 * least), done);
  centre(y, rows, dim, mean);
  if (least < dim) {
    LFM_TRY_GOTO(LFM_ALLOC(&turned, rows * dim), done);
    transpose(rows, dim, y, turned);
    multiply(dim, rows, turned, (double)(rows - 1), products);
  } else {
    multiply(rows, dim, y, (double)(rows - 1), products);
  }
  memset(values, 0, (size_t)dim * sizeof *values);
  LFM_TRY_GOTO(lfm_eigen_values(least, products, values, scratch), done);
done:
  lfm_free(turned);
  lfm_free(mean);
  lfm_free(products);
  lfm_free(scratch);
  return status;
}

lfm_status lfm_spectrum(const lfm_model *model, const double *x, int64_t rows, double *values) {
  int64_t dim = model->normaliser->dim;
  double *y;
  LFM_TRY(LFM_ALLOC(&y, rows * dim));
  for (int64_t i = 0; i < rows; i++) lfm_normaliser_apply(model->normaliser, x + i * model->cols, y + i * dim);
  lfm_status status = lfm_spectrum_within(y, rows, dim, values);
  lfm_free(y);
  return status;
}

/* ---- of a model ------------------------------------------------------------------------------------------------ */

enum { USUAL_ROWS = 2000 };

void lfm_variances_defaults(lfm_variances_options *options) { *options = (lfm_variances_options){.rows = USUAL_ROWS}; }

static lfm_status draw_rows(const lfm_model *model, const lfm_variances_options *options, lfm_table **out) {
  lfm_sample_options sample;
  lfm_sample_result drawn;
  if (model->windows)
    return lfm_fail(LFM_E_USAGE, "what a policy draws depends on what is observed: give the demonstrations as data");
  lfm_sample_defaults(&sample);
  sample.rows = options->rows;
  sample.seed = options->seed;
  sample.solve = options->solve;
  sample.threads = options->threads;
  sample.progress = options->progress;
  sample.context = options->context;
  return lfm_sample(model, &sample, out, &drawn);
}

lfm_status lfm_model_variances(const lfm_model *model, const lfm_variances_options *options, double *variances) {
  lfm_table *made = NULL;
  int64_t *row = NULL, count = 0;
  double *x = NULL;
  lfm_status status;
  if (lfm_model_plan(model))
    return lfm_fail(LFM_E_USAGE, "the model is distilled: its blocks are students already, of %s", lfm_model_plan(model));
  if (!lfm_chain_is_flow(model))
    return lfm_fail(LFM_E_USAGE, "the model's blocks are single steps already: they have no flow to merge");
  if (options->rows < 2)
    return lfm_fail(LFM_E_USAGE, "rows: %lld; two are needed, and some hundreds to know a covariance",
                    (long long)options->rows);
  if (options->data) LFM_TRY_GOTO(lfm_columns_windows(model, options->data, &made), done);
  else LFM_TRY_GOTO(draw_rows(model, options, &made), done);
  const lfm_table *table = made ? made : options->data;
  LFM_TRY_GOTO(lfm_columns_choose(table, options->rows, &row, &count), done);
  LFM_TRY_GOTO(lfm_columns_gather(model, table, row, count, &x), done);
  LFM_TRY_GOTO(lfm_spectrum(model, x, count, variances), done);
done:
  lfm_free(x);
  lfm_free(row);
  lfm_table_destroy(made);
  return status;
}
