/* SPDX-License-Identifier: MIT
 *
 * border.c -- rows at a border between two blocks: from data to the pool's view of them, and back to data.
 *   encode  x_0 = (x - mean) W, then blocks 1 .. n, each from t = 0 to 1
 *   decode  blocks n .. 1, each from t = 1 to 0, then x = mean + x_0 W^-1, constant columns put back
 * Each undoes the other to the solver's tolerance, since a block is one ODE run either way.  A row that fails is an error,
 * not a row left out as in sampling: whoever encodes wants row i of the result to be row i of the table.
 */
#include "core/alloc.h"
#include "flow/columns.h"
#include "flow/solve.h"

#include <string.h>

void lfm_push_defaults(lfm_push_options *options) { *options = (lfm_push_options){0}; }

/* Rows of data in the flow's units: x [rows, dim]. */
static lfm_status load_data(const lfm_model *model, const lfm_table *table, double *x) {
  int64_t *row;
  double *data = NULL;
  LFM_TRY(LFM_ALLOC(&row, table->rows));
  for (int64_t i = 0; i < table->rows; i++) row[i] = i;
  lfm_status status = lfm_columns_gather(model, table, row, table->rows, &data);
  for (int64_t i = 0; status == LFM_OK && i < table->rows; i++)
    lfm_normaliser_apply(model->normaliser, data + i * model->cols, x + i * model->normaliser->dim);
  lfm_free(row);
  lfm_free(data);
  return status;
}

/* Rows of a border: x [rows, dim]. */
static lfm_status load_states(const lfm_model *model, const lfm_table *table, double *x) {
  int64_t dim = model->normaliser->dim;
  int64_t *place;
  LFM_TRY(LFM_ALLOC(&place, dim));
  lfm_status status = lfm_columns_match_border(model, table, place);
  for (int64_t i = 0; status == LFM_OK && i < table->rows; i++)
    for (int64_t j = 0; j < dim; j++) x[i * dim + j] = table->values[i * table->cols + place[j]];
  lfm_free(place);
  return status;
}

static lfm_status through_blocks(const lfm_model *model, const lfm_table *table, const lfm_push_options *options,
                                 lfm_rows *rows, lfm_meter *meter) {
  lfm_solve solve;
  lfm_team *team = NULL;
  lfm_carry *carry = NULL;
  lfm_solver_options given;
  LFM_TRY(lfm_solve_for(model, &options->solve, &given));
  LFM_TRY(lfm_solve_parse(&given, model->blocks, &solve));
  lfm_status status;
  LFM_TRY_GOTO(lfm_team_create(options->threads, &team), done);
  LFM_TRY_GOTO(lfm_carry_create(team, model->net, false, &carry), done);
  for (int k = 0; k < options->to; k++) {
    int n = options->back ? options->to - 1 - k : k;
    const lfm_span *span = &model->span[n];
    lfm_path path =
        lfm_solve_path(&solve, model, n, options->back ? span->right : span->left, options->back ? span->left : span->right);
    lfm_meter_phase(meter, LFM_PHASE_PUSH, k + 1, options->to, 0, rows->count);
    LFM_TRY_GOTO(lfm_carry_rows(carry, model->params[n], &path, rows, meter), done);
  }
  for (int64_t i = 0; i < rows->count && status == LFM_OK; i++)
    if (rows->failed[i])
      status =
          lfm_fail(LFM_E_NUMERIC, "row %lld: its solve failed; leave the row out, or ask for a larger --tol or for --nfe",
                   (long long)lfm_table_number(table, i) + 1);
done:
  lfm_carry_destroy(carry);
  lfm_team_destroy(team);
  return status;
}

/* Rows at border 0 in the data's columns and units. */
static lfm_status to_data(const lfm_model *model, const lfm_table *states, lfm_table **out) {
  LFM_TRY(lfm_columns_make(model, states->rows, 0, out));
  for (int64_t i = 0; i < states->rows; i++) lfm_columns_put(model, states->values + i * states->cols, *out, i);
  return LFM_OK;
}

static void fill_result(const lfm_rows *rows, const lfm_meter *meter, lfm_push_result *result) {
  double evaluations = 0.0;
  for (int64_t i = 0; i < rows->count; i++) evaluations += (double)rows->nfe[i];
  *result = (lfm_push_result){.rows = rows->count,
                              .nfe_mean = rows->count ? evaluations / (double)rows->count : 0.0,
                              .seconds = lfm_seconds() - meter->begun};
}

lfm_status lfm_push(const lfm_model *model, const lfm_table *table, const lfm_push_options *options, lfm_table **out,
                    lfm_push_result *result) {
  *out = NULL;
  if (model->windows)
    return lfm_fail(LFM_E_UNSUPPORTED,
                    "push: the model is a policy, whose rows are moved by what is given of each; lfm score "
                    "and lfm sample take the demonstrations that say it");
  if (!options->back) LFM_TRY(lfm_solve_check_flow(model, "push"));
  LFM_TRY(lfm_solve_check_classless(model, "push"));
  if (options->to < 0 || options->to > model->blocks)
    return lfm_fail(LFM_E_USAGE, "to: border %d does not exist; this chain has borders 0 (data) to %d (noise)", options->to,
                    model->blocks);
  LFM_TRY(lfm_table_check_finite("the table", table, "drop or mend the row"));
  lfm_table *states = NULL;
  lfm_rows rows = {.count = table->rows};
  lfm_meter meter;
  lfm_status status;
  lfm_meter_begin(&meter, options->progress, options->context);
  LFM_TRY_GOTO(lfm_table_make(table->rows, model->normaliser->dim, &states), done);
  LFM_TRY_GOTO(LFM_ALLOC(&rows.failed, table->rows), done);
  LFM_TRY_GOTO(LFM_ALLOC(&rows.nfe, table->rows), done);
  rows.f64 = states->values;
  LFM_TRY_GOTO((options->back ? load_states : load_data)(model, table, states->values), done);
  LFM_TRY_GOTO(through_blocks(model, table, options, &rows, &meter), done);
  if (result) fill_result(&rows, &meter, result);
  if (options->back) LFM_TRY_GOTO(to_data(model, states, out), done);
  else *out = states, states = NULL;
done:
  lfm_free(rows.failed);
  lfm_free(rows.nfe);
  lfm_table_destroy(states);
  return status;
}
