/* SPDX-License-Identifier: MIT
 *
 * push.c -- the pool through a finished block, once: x <- solution of dx/dt = v_n(t, x) from t = 0 to 1.
 * The validation rows go along, so that the next block is judged on rows that were pushed as its training rows were.
 * A row whose solve fails is dropped and counted; more than one in a thousand stops the run, since the pool would no longer
 * be the distribution that the next block is meant to start from.  Validation rows only judge, and one value out of all range
 * makes one of them fail: up to half may.
 */
#include "flow/trainer.h"

#include <math.h>
#include <string.h>

/* Rows that came through move down over those that did not, in order. */
static void drop_failed(lfm_trainer *trainer, lfm_pool *pool) {
  int64_t kept = 0;
  for (int64_t row = 0; row < pool->rows; row++)
    if (!trainer->push_failed[row]) lfm_pool_move(pool, kept++, row);
  trainer->rows_dropped += pool->rows - kept;
  pool->rows = kept;
}

static lfm_status check_failed(const lfm_trainer *trainer, const lfm_pool *pool, const char *what, int64_t failed) {
  bool judges = pool == &trainer->valid;
  if ((double)failed <= (judges ? 0.5 : 1e-3) * (double)pool->rows) return LFM_OK;
  return lfm_fail(LFM_E_NUMERIC, "block %d: the push of the %s failed for %lld of %lld rows, more than %s",
                  trainer->block + 1, what, (long long)failed, (long long)pool->rows,
                  judges ? "half; they lie far from the rows that are trained on: mend them, or begin with others (--valid)"
                         : "0.1 %; train longer or with a smaller lr");
}

static const lfm_params *weights_of(const lfm_trainer *trainer) {
  const lfm_params *weights = trainer->model->params[trainer->block];
  if (!trainer->push_params) return weights;
  lfm_params_copy(trainer->push_params, weights);
  return trainer->push_params;
}

static lfm_status push_rows(lfm_trainer *trainer, lfm_pool *pool, const char *what) {
  int64_t before = pool->rows, failed = 0;
  lfm_path path = {.t0 = 0.0, .t1 = 1.0, .solver = LFM_DOPRI5, .tol = trainer->config->push_tol};
  lfm_rows rows = {.count = before,
                   .f16 = pool->halves,
                   .f32 = pool->values,
                   .failed = trainer->push_failed,
                   .nfe = trainer->push_nfe,
                   .given = pool->given,
                   .guidance = 1.0};
  memset(trainer->push_failed, 0, (size_t)before);
  memset(trainer->push_nfe, 0, (size_t)before * sizeof *trainer->push_nfe);
  lfm_meter_phase(&trainer->meter, LFM_PHASE_PUSH, trainer->block + 1, trainer->model->blocks, 0, before);
  lfm_status status = lfm_carry_rows(trainer->carry, weights_of(trainer), &path, &rows, &trainer->meter);
  if (status == LFM_E_INTERRUPTED)
    return lfm_fail(status, "stopped while block %d pushed the %s; what was trained is in %s/checkpoint", trainer->block + 1,
                    what, trainer->options->run);
  LFM_TRY(status);
  double evaluations = 0.0;
  for (int64_t row = 0; row < before; row++) {
    failed += trainer->push_failed[row] != 0;
    evaluations += (double)trainer->push_nfe[row];
  }
  trainer->push_flops += evaluations * lfm_net_forward_flops(trainer->model->net);
  LFM_TRY(check_failed(trainer, pool, what, failed));
  if (!failed) return LFM_OK;
  lfm_note(LFM_WARNING, "block %d: the push of the %s failed for %lld of %lld rows, which were dropped", trainer->block + 1,
           what, (long long)failed, (long long)before);
  drop_failed(trainer, pool);
  return LFM_OK;
}

lfm_status lfm_trainer_push(lfm_trainer *trainer) {
  LFM_TRY(push_rows(trainer, &trainer->pool, "pool"));
  return trainer->valid.rows ? push_rows(trainer, &trainer->valid, "validation rows") : LFM_OK;
}
