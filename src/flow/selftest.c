/* SPDX-License-Identifier: MIT
 *
 * selftest.c -- is this program right on this machine?
 * The checks that would catch a wrong kernel (selftest_kernels.c), a wrong library or a wrong processor feature, on small
 * networks with random weights: nothing is trained and no file is written.  A few seconds.
 */
#include "flow/selftest.h"

#include "core/alloc.h"
#include "core/rng.h"
#include "data/table.h"
#include "flow/likelihood.h"
#include "flow/score.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void lfm_check(lfm_checks *checks, const char *what, bool passed, const char *format, ...) {
  char detail[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(detail, sizeof detail, format, arguments);
  va_end(arguments);
  checks->failed += !passed;
  if (checks->report) checks->report(what, passed, detail, checks->context);
}

/* ---- random numbers ----------------------------------------------------------------------------------------- */

/* Random123's published known answer for philox4x32-10 with zero key and counter. */
static lfm_status check_random(lfm_checks *c) {
  lfm_rng zero = {0};
  uint32_t words[4];
  lfm_rng_words(&zero, 0, 0, words);
  bool right = words[0] == 0x6627e8d5u && words[1] == 0xe169c58du && words[2] == 0xbc57ac4cu && words[3] == 0x9b00dbd8u;
  lfm_check(c, "random numbers", right, "Philox 4x32-10 gives its published answer");
  return LFM_OK;
}

/* ---- densities ---------------------------------------------------------------------------------------------- */

/* A chain of two blocks on the plane with random weights: no density of note, but one whose integral must be 1. */
static lfm_status random_chain(lfm_model **out) {
  static const char *const keys[] = {"hks=[0.2, null]", "hidden_dim=32", "num_hidden=2", "act=tanh"};
  static const double corners[] = {-1.5, -0.5, 2.0, 0.5, 0.5, -1.0, 1.0, 1.2};
  lfm_config *config = NULL;
  lfm_table *table = NULL;
  lfm_normaliser *normaliser = NULL;
  lfm_status status;
  LFM_TRY_GOTO(lfm_config_create(&config), done);
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) LFM_TRY_GOTO(lfm_config_set(config, keys[k]), done);
  LFM_TRY_GOTO(lfm_table_create(corners, 4, 2, NULL, NULL, &table), done);
  LFM_TRY_GOTO(lfm_normaliser_fit(LFM_NORMALISE_STANDARDISE, table, &normaliser), done);
  LFM_TRY_GOTO(lfm_chain_create(config, table, normaliser, out), done);
  for (int n = 0; n < 2; n++) lfm_params_init((*out)->params[n], 4, (uint32_t)n);
done:
  lfm_table_destroy(table);
  lfm_config_destroy(config);
  return status;
}

static lfm_status integrate(const lfm_model *model, int threads, double *integral) {
  enum { SIDE = 81, POINTS = SIDE * SIDE };
  const double reach = 9.0, cell = 2.0 * reach / (SIDE - 1);
  lfm_table *grid = NULL, *scores = NULL;
  lfm_score_options options;
  lfm_score_result result;
  lfm_score_defaults(&options);
  options.threads = threads;
  lfm_status status;
  LFM_TRY_GOTO(lfm_table_make(POINTS, 2, &grid), done);
  for (int64_t i = 0; i < POINTS; i++) {
    int64_t column = i % SIDE, row = i / SIDE;
    grid->values[2 * i] = cell * (double)column - reach;
    grid->values[2 * i + 1] = cell * (double)row - reach;
  }
  LFM_TRY_GOTO(lfm_score_quietly(model, grid, &options, &scores, &result), done);
  *integral = 0.0;
  for (int64_t i = 0; i < scores->rows; i++) *integral += exp(scores->values[i * scores->cols + 1]) * cell * cell;
done:
  lfm_table_destroy(grid);
  lfm_table_destroy(scores);
  return status;
}

/* log p that came with samples against log p of the same rows scored; and the samples of one thread against two. */
static lfm_status check_samples(lfm_checks *c, const lfm_model *model) {
  lfm_sample_options options;
  lfm_score_options score;
  lfm_score_result result;
  lfm_table *samples = NULL, *alone = NULL, *scores = NULL;
  lfm_sample_defaults(&options);
  lfm_score_defaults(&score);
  options.rows = 200;
  options.logp = true;
  options.threads = 2;
  lfm_status status;
  LFM_TRY_GOTO(lfm_sample(model, &options, &samples, NULL), done);
  options.threads = 1;
  LFM_TRY_GOTO(lfm_sample(model, &options, &alone, NULL), done);
  LFM_TRY_GOTO(lfm_score_quietly(model, samples, &score, &scores, &result), done);
  double gap = 0.0;
  for (int64_t i = 0; i < samples->rows; i++)
    gap = lfm_gap_widen(gap, samples->values[3 * i + 2] - scores->values[scores->cols * i + 1]);
  lfm_check(c, "samples", gap < 1e-3, "log p beside the samples against log p scored: largest difference %.1e", gap);
  bool same = memcmp(samples->values, alone->values, (size_t)samples->rows * 3 * sizeof(double)) == 0;
  lfm_check(c, "threads", same, "one and two threads give the same bytes");
done:
  lfm_table_destroy(samples);
  lfm_table_destroy(alone);
  lfm_table_destroy(scores);
  return status;
}

static lfm_status check_densities(lfm_checks *c) {
  lfm_model *model = NULL;
  double integral;
  lfm_status status;
  LFM_TRY_GOTO(random_chain(&model), done);
  LFM_TRY_GOTO(integrate(model, lfm_team_size(c->team), &integral), done);
  lfm_check(c, "densities", fabs(integral - 1.0) < 1e-3, "a chain's density integrates to %.6f", integral);
  LFM_TRY_GOTO(check_samples(c, model), done);
done:
  lfm_model_destroy(model);
  return status;
}

static lfm_status check_kernels(lfm_checks *c) {
  lfm_checked_table tables[LFM_CHECKED_TABLES];
  lfm_oracle *oracle = NULL;
  int count;
  lfm_status status;
  lfm_checked_tables(tables, &count);
  LFM_TRY_GOTO(lfm_oracle_create(c->team, &oracle), done);
  for (int k = 0; k < count; k++) LFM_TRY_GOTO(lfm_check_table(c, oracle, &tables[k]), done);
  LFM_TRY_GOTO(lfm_check_gradients(c, oracle), done);
done:
  lfm_oracle_destroy(oracle);
  return status;
}

static lfm_status check_all(lfm_checks *c) {
  LFM_TRY(check_random(c));
  LFM_TRY(check_kernels(c));
  return check_densities(c);
}

lfm_status lfm_selftest(int threads, lfm_check_fn report, void *context) {
  lfm_checks c = {.report = report, .context = context};
  LFM_TRY(lfm_team_create(threads, &c.team));
  lfm_status status = check_all(&c);
  lfm_team_destroy(c.team);
  LFM_TRY(status);
  return c.failed ? lfm_fail(LFM_E_NUMERIC, "%d of the checks failed: results on this machine cannot be trusted", c.failed)
                  : LFM_OK;
}
