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

/* The table's rows in the flow's units: x [rows, dim]. */
static lfm_status load_rows(const lfm_model *model, const lfm_table *table, bool at_border, double *x) {
  int64_t dim = model->normaliser->dim, cols = at_border ? dim : model->cols;
  int64_t *place = NULL;
  double *row = NULL;
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&place, cols), done);
  LFM_TRY_GOTO(LFM_ALLOC(&row, cols), done);
  LFM_TRY_GOTO(at_border ? lfm_columns_match_border(model, table, place) : lfm_columns_match(model, table, place), done);
  for (int64_t i = 0; i < table->rows; i++) {
    for (int64_t j = 0; j < cols; j++) row[j] = table->values[i * table->cols + place[j]];
    if (at_border) memcpy(x + i * dim, row, (size_t)dim * sizeof *x);
    else lfm_normaliser_apply(model->normaliser, row, x + i * dim);
  }
done:
  lfm_free(place);
  lfm_free(row);
  return status;
}

static lfm_status through_blocks(const lfm_model *model, const lfm_push_options *options, lfm_rows *rows) {
  lfm_solve solve;
  lfm_team *team = NULL;
  lfm_carry *carry = NULL;
  lfm_meter meter;
  lfm_meter_begin(&meter, options->progress, options->context);
  LFM_TRY(lfm_solve_parse(&options->solve, model->blocks, &solve));
  lfm_path path = lfm_solve_path(&solve, options->back ? 1.0 : 0.0, options->back ? 0.0 : 1.0);
  lfm_status status;
  LFM_TRY_GOTO(lfm_team_create(options->threads, &team), done);
  LFM_TRY_GOTO(lfm_carry_create(team, model->net, false, &carry), done);
  for (int k = 0; k < options->to; k++) {
    int n = options->back ? options->to - 1 - k : k;
    lfm_meter_phase(&meter, LFM_PHASE_PUSH, k + 1, options->to, 0, rows->count);
    LFM_TRY_GOTO(lfm_carry_rows(carry, model->params[n], &path, rows, &meter), done);
  }
  for (int64_t i = 0; i < rows->count && status == LFM_OK; i++)
    if (rows->failed[i]) status = lfm_fail(LFM_E_NUMERIC, "row %lld: its solve failed", (long long)i + 1);
done:
  lfm_carry_destroy(carry);
  lfm_team_destroy(team);
  return status;
}

/* Rows at border 0 in the data's columns and units. */
static lfm_status to_data(const lfm_model *model, const lfm_table *states, lfm_table **out) {
  LFM_TRY(lfm_columns_make(model, states->rows, 0, out));
  for (int64_t i = 0; i < states->rows; i++)
    lfm_normaliser_invert(model->normaliser, states->values + i * states->cols, (*out)->values + i * model->cols);
  return LFM_OK;
}

lfm_status lfm_push(const lfm_model *model, const lfm_table *table, const lfm_push_options *options, lfm_table **out) {
  *out = NULL;
  if (options->to < 0 || options->to > model->blocks)
    return lfm_fail(LFM_E_USAGE, "to: border %d does not exist; this chain has borders 0 (data) to %d (noise)", options->to,
                    model->blocks);
  LFM_TRY(lfm_table_check_finite("the table", table, "drop or mend the row"));
  lfm_table *states = NULL;
  lfm_rows rows = {.count = table->rows};
  lfm_status status;
  LFM_TRY_GOTO(lfm_table_make(table->rows, model->normaliser->dim, &states), done);
  LFM_TRY_GOTO(LFM_ALLOC(&rows.failed, table->rows), done);
  rows.f64 = states->values;
  LFM_TRY_GOTO(load_rows(model, table, options->back, states->values), done);
  LFM_TRY_GOTO(through_blocks(model, options, &rows), done);
  if (options->back) LFM_TRY_GOTO(to_data(model, states, out), done);
  else *out = states, states = NULL;
done:
  lfm_free(rows.failed);
  lfm_table_destroy(states);
  return status;
}
