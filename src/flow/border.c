/* SPDX-License-Identifier: MIT
 *
 * border.c -- rows of data at a border between two blocks: the pool's view of a table, to look at or to feed elsewhere.
 */
#include "core/alloc.h"
#include "flow/columns.h"
#include "flow/solve.h"

void lfm_push_defaults(lfm_push_options *options) { *options = (lfm_push_options){0}; }

/* The table's rows in the flow's units: x [rows, dim]. */
static lfm_status normalise_rows(const lfm_model *model, const lfm_table *table, double *x) {
  int64_t *place = NULL;
  double *row = NULL;
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&place, model->cols), done);
  LFM_TRY_GOTO(LFM_ALLOC(&row, model->cols), done);
  LFM_TRY_GOTO(lfm_columns_match(model, table, place), done);
  for (int64_t i = 0; i < table->rows; i++) {
    for (int64_t j = 0; j < model->cols; j++) row[j] = table->values[i * table->cols + place[j]];
    lfm_normaliser_apply(model->normaliser, row, x + i * model->normaliser->dim);
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
  lfm_path path = lfm_solve_path(&solve, 0.0, 1.0);
  lfm_status status;
  LFM_TRY_GOTO(lfm_team_create(options->threads, &team), done);
  LFM_TRY_GOTO(lfm_carry_create(team, model->net, false, &carry), done);
  for (int n = 0; n < options->to; n++) {
    lfm_meter_phase(&meter, LFM_PHASE_PUSH, n + 1, options->to, 0, rows->count);
    LFM_TRY_GOTO(lfm_carry_rows(carry, model->params[n], &path, rows, &meter), done);
  }
done:
  lfm_carry_destroy(carry);
  lfm_team_destroy(team);
  return status;
}

lfm_status lfm_push(const lfm_model *model, const lfm_table *table, const lfm_push_options *options, lfm_table **out) {
  *out = NULL;
  if (options->to < 0 || options->to > model->blocks)
    return lfm_fail(LFM_E_USAGE, "to: border %d does not exist; this chain has borders 0 (data) to %d (noise)", options->to,
                    model->blocks);
  LFM_TRY(lfm_table_check_finite("the table", table, "drop or mend the row"));
  lfm_table *pushed = NULL;
  lfm_rows rows = {.count = table->rows};
  lfm_status status;
  LFM_TRY_GOTO(lfm_table_make(table->rows, model->normaliser->dim, &pushed), fail);
  LFM_TRY_GOTO(LFM_ALLOC(&rows.failed, table->rows), fail);
  rows.f64 = pushed->values;
  LFM_TRY_GOTO(normalise_rows(model, table, pushed->values), fail);
  LFM_TRY_GOTO(through_blocks(model, options, &rows), fail);
  for (int64_t i = 0; i < table->rows; i++)
    if (rows.failed[i]) {
      status = lfm_fail(LFM_E_NUMERIC, "row %lld: its solve failed", (long long)i + 1);
      goto fail;
    }
  lfm_free(rows.failed);
  *out = pushed;
  return LFM_OK;
fail:
  lfm_free(rows.failed);
  lfm_table_destroy(pushed);
  return status;
}
