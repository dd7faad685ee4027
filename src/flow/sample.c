/* SPDX-License-Identifier: MIT
 *
 * sample.c -- new rows: z ~ N(0, I), then the blocks backwards, each from t = 1 to 0.
 *   log p(x_0) = log N(z) + sum_n integral_0^1 div v_n dt + log |det W|, from the same solve when asked
 * Row i of a seed is the same whatever the number of rows or threads.  Its probes, where they estimate the trace, are those
 * of row i when the rows are scored under the same seed, so the two ways differ by the solver's errors only.
 */
#include "config/keys.h"
#include "core/alloc.h"
#include "core/rng.h"
#include "flow/columns.h"
#include "flow/likelihood.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROWS ((int64_t)1 << 40) /* times 2^20 columns, an int64_t still counts the numbers */

void lfm_sample_defaults(lfm_sample_options *options) {
  *options = (lfm_sample_options){.rows = 1000, .label = LFM_EVERY_CLASS, .guidance = 1.0};
}

typedef struct draws {
  int64_t rows, dim;
  double *x;      /* [rows, dim] */
  double *base;   /* [rows] log N(z); with logp */
  int probes;     /* that estimate the trace; 0: exact, or none is wanted */
  int estimates;  /* of the log-determinant: 1, or a probe each */
  double *logdet; /* [rows, estimates] */
  uint8_t *failed;
  int64_t *nfe;
  float *given; /* [rows, given]: classes, observations; NULL: none */
} draws;

static void destroy_draws(draws *d) {
  lfm_free(d->x);
  lfm_free(d->base);
  lfm_free(d->logdet);
  lfm_free(d->failed);
  lfm_free(d->nfe);
  lfm_free(d->given);
}

/* z of every row, each from its own address. */
static lfm_status draw_noise(draws *d, uint64_t seed, bool logp) {
  float *z;
  lfm_rng rng = {.seed = seed, .purpose = LFM_FOR_SAMPLE};
  LFM_TRY(LFM_ALLOC_ROWS(&d->x, d->rows * d->dim));
  LFM_TRY(LFM_ALLOC(&d->failed, d->rows));
  LFM_TRY(LFM_ALLOC(&d->nfe, d->rows));
  if (logp) LFM_TRY(LFM_ALLOC(&d->base, d->rows));
  if (logp) LFM_TRY(LFM_ALLOC(&d->logdet, d->rows * d->estimates));
  LFM_TRY(LFM_ALLOC(&z, d->dim));
  for (int64_t i = 0; i < d->rows; i++) {
    lfm_rng_normal(&rng, i, z, (size_t)d->dim);
    for (int64_t j = 0; j < d->dim; j++) d->x[i * d->dim + j] = (double)z[j];
    if (logp) d->base[i] = lfm_normal_logp(d->x + i * d->dim, d->dim);
  }
  lfm_free(z);
  return LFM_OK;
}

/* Of a policy: windows of the demonstrations, evenly spaced, or all. */
static int64_t rows_of(const lfm_model *model, const lfm_sample_options *options) {
  if (!model->windows) return options->rows;
  int64_t windows = lfm_windows_count(options->given->demos, model->windows->horizons);
  return options->rows < windows ? options->rows : windows;
}

static lfm_status choose_windows(const lfm_model *model, const lfm_sample_options *options, draws *d) {
  lfm_table *windows;
  int64_t *row = NULL;
  LFM_TRY(lfm_columns_windows(model, options->given, &windows));
  lfm_status status = lfm_columns_choose(windows, d->rows, &row, &d->rows);
  if (status == LFM_OK) status = lfm_columns_given(model, windows, row, d->rows, &d->given);
  lfm_free(row);
  lfm_table_destroy(windows);
  return status;
}

/* What is given of every row: a window's observations; or the class, where the model knows classes and one is asked for. */
static lfm_status choose_given(const lfm_model *model, const lfm_sample_options *options, draws *d) {
  int64_t classes = lfm_model_classes(model);
  if (model->windows) return choose_windows(model, options, d);
  if (!classes || options->label == LFM_NO_CLASS) return LFM_OK;
  LFM_TRY(LFM_ALLOC(&d->given, d->rows));
  for (int64_t i = 0; i < d->rows; i++) d->given[i] = (float)(options->label >= 0 ? options->label : i % classes);
  return LFM_OK;
}

static lfm_status through_chain(const lfm_model *model, const lfm_sample_options *options, draws *d, lfm_meter *meter) {
  lfm_solve solve;
  lfm_team *team = NULL;
  lfm_carry *carry = NULL;
  lfm_solver_options given;
  LFM_TRY(lfm_solve_for(model, &options->solve, &given));
  LFM_TRY(lfm_solve_parse(&given, model->blocks, &solve));
  lfm_rows rows = {.count = d->rows,
                   .f64 = d->x,
                   .logdet = d->logdet,
                   .failed = d->failed,
                   .nfe = d->nfe,
                   .given = d->given,
                   .guidance = options->guidance,
                   .probe = {.seed = options->seed, .purpose = LFM_FOR_PROBE}};
  lfm_status status;
  LFM_TRY_GOTO(lfm_team_create(options->threads, &team), done);
  LFM_TRY_GOTO(d->probes ? lfm_carry_create_probed(team, model->net, d->probes, &carry)
                         : lfm_carry_create(team, model->net, options->logp, &carry),
               done);
  for (int n = model->blocks - 1; n >= 0; n--) {
    lfm_path path = lfm_solve_path(&solve, model, n, model->span[n].right, model->span[n].left);
    rows.probe.block = (uint32_t)n;
    lfm_meter_phase(meter, LFM_PHASE_SAMPLE, model->blocks - n, model->blocks, 0, d->rows);
    LFM_TRY_GOTO(lfm_carry_rows(carry, model->params[n], &path, &rows, meter), done);
  }
done:
  lfm_carry_destroy(carry);
  lfm_team_destroy(team);
  return status;
}

/* Beside the columns of the data: logp, and its standard error by several probes. */
static lfm_status name_extra(int64_t extra, lfm_table *table) {
  if (extra > 0) LFM_TRY(lfm_table_rename(table, table->cols - extra, "logp"));
  return extra > 1 ? lfm_table_rename(table, table->cols - 1, "logp_se") : LFM_OK;
}

static void put_logp(const lfm_model *model, const draws *d, int64_t i, int64_t extra, double *out) {
  const double *logdet = d->logdet + i * d->estimates; /* ran from 1 to 0 */
  double units = lfm_normaliser_logdet(model->normaliser, d->x + i * d->dim);
  if (extra > 0) out[0] = d->base[i] - lfm_probes_mean(logdet, d->estimates) + units;
  if (extra > 1) out[1] = sqrt(lfm_probes_variance(logdet, d->estimates));
}

/* The rows that were solved, in the data's units, with its names and decimals. */
static lfm_status to_table(const lfm_model *model, const draws *d, lfm_table **out) {
  int64_t solved = 0, at = 0, extra = !d->base ? 0 : d->estimates > 1 ? 2 : 1;
  for (int64_t i = 0; i < d->rows; i++) solved += !d->failed[i];
  if (!solved)
    return lfm_fail(LFM_E_NUMERIC, "the solve failed for all %lld rows: the model is of no use", (long long)d->rows);
  lfm_table *table;
  LFM_TRY(lfm_columns_make(model, solved, extra, &table));
  lfm_status status = extra ? name_extra(extra, table) : LFM_OK;
  bool labels = d->given && model->picture;
  if (status == LFM_OK && labels) status = lfm_images_label_like(table->images, model->picture);
  if (status != LFM_OK) return lfm_table_destroy(table), status;
  for (int64_t i = 0; i < d->rows; i++) {
    if (d->failed[i]) continue;
    lfm_columns_put(model, d->x + i * d->dim, table, at);
    if (labels) table->images->labels[at] = (int32_t)d->given[i];
    if (extra) put_logp(model, d, i, extra, table->values + (at + 1) * table->cols - extra);
    at++;
  }
  *out = table;
  return LFM_OK;
}

/* What the rows take, as they are drawn and as the table that they become, is most of it. */
static lfm_status refuse_rows(const lfm_model *model, const draws *d) {
  double drawn = 8.0 * (double)d->dim, made = model->picture ? (double)model->cols : 8.0 * (double)model->cols;
  return lfm_fail(LFM_E_MEMORY,
                  "memory refused: %lld rows take %.4g GB; draw fewer or, one part after the other, with another --seed each",
                  (long long)d->rows, 1e-9 * (double)d->rows * (drawn + made));
}

static void fill_result(const draws *d, const lfm_meter *meter, lfm_sample_result *result) {
  double evaluations = 0.0, variance = 0.0;
  *result = (lfm_sample_result){.seconds = lfm_seconds() - meter->begun};
  for (int64_t i = 0; i < d->rows; i++) {
    result->failed += d->failed[i] != 0;
    evaluations += (double)d->nfe[i];
    if (d->estimates > 1 && !d->failed[i]) variance += lfm_probes_variance(d->logdet + i * d->estimates, d->estimates);
  }
  result->rows = d->rows - result->failed;
  result->probe_se = d->estimates > 1 ? sqrt(variance / (double)result->rows) : (double)NAN;
  result->nfe_mean = d->rows ? evaluations / (double)d->rows : 0.0;
}

static lfm_status has_no_classes(void) {
  return lfm_fail(LFM_E_USAGE, "class: the model knows none; it was trained without --set conditional=true");
}

static lfm_status unknown_class(const lfm_model *model, const char *name) {
  enum { MOST_NAMED = 12 };
  char known[MOST_NAMED * (sizeof(lfm_shown) + 2)] = "";
  int64_t classes = lfm_model_classes(model);
  size_t used = 0;
  for (int64_t k = 0; k < classes && k < MOST_NAMED; k++) {
    lfm_shown shown = lfm_show(lfm_model_class(model, k));
    used += (size_t)snprintf(known + used, sizeof known - used, "%s %s", k ? "," : "", shown.text);
  }
  return lfm_fail(LFM_E_USAGE, "class: the model knows no '%s'; it knows%s%s", lfm_show(name).text, known,
                  classes > MOST_NAMED ? ", ..." : "");
}

lfm_status lfm_model_find_class(const lfm_model *model, const char *name, int *label) {
  int64_t classes = lfm_model_classes(model);
  *label = LFM_NO_CLASS;
  if (!classes) return has_no_classes();
  for (int64_t k = 0; k < classes; k++)
    if (strcmp(lfm_model_class(model, k), name) == 0) return *label = (int)k, LFM_OK;
  if (strcmp(name, "none") == 0) return LFM_OK;
  char *end;
  long number = strtol(name, &end, 10);
  if (!*name || *end || number < 0 || number >= classes) return unknown_class(model, name);
  *label = (int)number;
  return LFM_OK;
}

static lfm_status check_class(const lfm_model *model, const lfm_sample_options *options) {
  int64_t classes = lfm_model_classes(model);
  LFM_TRY(lfm_guidance_check(options->guidance));
  if (!classes && (options->label >= 0 || options->guidance != 1.0)) return has_no_classes();
  if (options->label < LFM_EVERY_CLASS)
    return lfm_fail(LFM_E_USAGE, "class: %d is neither a class nor LFM_EVERY_CLASS or LFM_NO_CLASS", options->label);
  bool goes_without = options->label == LFM_NO_CLASS || options->guidance != 1.0;
  if (goes_without && lfm_chain_needs_class(model))
    return lfm_fail(LFM_E_USAGE, "class: the model %s, and knows no picture without a class; ask for one, without guidance",
                    model->plan ? "was distilled, with whatever guidance it was given then"
                                : "was trained with class_drop=0");
  if (options->label == LFM_NO_CLASS && options->guidance != 1.0)
    return lfm_fail(LFM_E_USAGE, "guidance: it leads from the field without a class to that of a class; ask for one");
  if (options->label >= classes)
    return lfm_fail(LFM_E_USAGE, "class: %d asked; the model knows 0 to %lld", options->label, (long long)classes - 1);
  return LFM_OK;
}

static lfm_status check_given(const lfm_model *model, const lfm_table *given) {
  if (!model->windows && given)
    return lfm_fail(LFM_E_USAGE, "given: the model is no policy, so nothing is given of its rows");
  if (model->windows && !given)
    return lfm_fail(LFM_E_USAGE, "the model is a policy: it draws actions given observations; say with given (--given "
                                 "DEMOS.hdf5) whose");
  if (given && !given->demos) return lfm_fail(LFM_E_DATA, "given: the table holds no demonstrations");
  return LFM_OK;
}

static lfm_status check_name_is_free(const lfm_model *model) {
  for (int64_t j = 0; j < model->cols && !model->windows; j++)
    if (strcmp(model->names[j], "logp") == 0 || strcmp(model->names[j], "logp_se") == 0)
      return lfm_fail(LFM_E_USAGE, "logp: the data have a column '%s' of their own; draw without, and lfm score those rows",
                      model->names[j]);
  return LFM_OK;
}

lfm_status lfm_sample_check(const lfm_model *model, const lfm_sample_options *options) {
  LFM_TRY(check_given(model, options->given));
  if (options->rows < 1 || options->rows > MOST_ROWS)
    return lfm_fail(LFM_E_USAGE, "n: %lld rows asked; 1 to %lld are possible", (long long)options->rows,
                    (long long)MOST_ROWS);
  LFM_TRY(lfm_probes_check(options->probes));
  if (options->probes && !options->logp)
    return lfm_fail(LFM_E_USAGE, "probes: they estimate the trace, which only logp asks for");
  if (options->logp && model->picture)
    return lfm_fail(LFM_E_USAGE, "logp: a picture has no place for it; lfm score tells that of pictures");
  if (options->logp) LFM_TRY(check_name_is_free(model));
  LFM_TRY(check_class(model, options));
  if (options->logp) LFM_TRY(lfm_solve_check_flow(model, "logp"));
  lfm_solver_options given;
  LFM_TRY(lfm_solve_for(model, &options->solve, &given));
  return lfm_solve_check(&given, model->blocks);
}

lfm_status lfm_sample(const lfm_model *model, const lfm_sample_options *options, lfm_table **out, lfm_sample_result *result) {
  *out = NULL;
  LFM_TRY(lfm_sample_check(model, options));
  lfm_probes_advise(model, options->probes);
  if (options->logp && options->solve.nfe)
    lfm_note(LFM_NOTE, "logp: of fixed steps, which bias it; lfm score --nfe says how far, and without nfe it is controlled");
  lfm_meter meter;
  lfm_meter_begin(&meter, options->progress, options->context);
  draws d = {.rows = rows_of(model, options), .dim = model->normaliser->dim};
  d.probes = options->logp ? lfm_probes_of(model, options->probes) : 0;
  d.estimates = d.probes ? d.probes : 1;
  lfm_status status = draw_noise(&d, options->seed, options->logp);
  if (status == LFM_OK) status = choose_given(model, options, &d);
  if (status == LFM_OK) status = through_chain(model, options, &d, &meter);
  if (status == LFM_OK) status = to_table(model, &d, out);
  if (status == LFM_E_MEMORY) status = refuse_rows(model, &d);
  if (status == LFM_OK && result) {
    fill_result(&d, &meter, result);
    result->flops = result->nfe_mean * lfm_carry_passes(d.given, options->guidance) * lfm_net_forward_flops(model->net);
  }
  destroy_draws(&d);
  return status;
}
