/* SPDX-License-Identifier: MIT
 *
 * chain_guard.c -- what a model file says of a policy's guard: a model within the model.  The small flow over observations
 * stands there as in a file of its own, with "guard." in front of every name (guard.config, guard.normaliser.mean,
 * guard.blocks.0.net.0.weight, ...), and beside it
 *   guard.alpha   [1] float64: the share of good episodes that are to raise an alarm
 *   guard.level   [levels] float64: what a score must not exceed at step 0, 1, ..., the last one from there on
 */
#include "flow/chain.h"

#include "core/alloc.h"

#include <math.h>
#include <string.h>

#define SCOPE "guard."
enum { MOST_LEVELS = 1 << 20 };

void lfm_model_guard_destroy(lfm_model_guard *guard) {
  if (!guard) return;
  lfm_model_destroy(guard->flow);
  lfm_free(guard->level);
  lfm_free(guard);
}

static lfm_status add(const lfm_model_guard *guard, lfm_archive *archive) {
  static const int64_t one = 1;
  LFM_TRY(lfm_chain_describe(guard->flow, archive));
  LFM_TRY(lfm_archive_add(archive, "alpha", LFM_F64, 1, &one, &guard->alpha));
  LFM_TRY(lfm_archive_add(archive, "level", LFM_F64, 1, &guard->levels, guard->level));
  return lfm_chain_add_block(guard->flow, 0, archive);
}

lfm_status lfm_chain_add_guard(const lfm_model_guard *guard, lfm_archive *archive) {
  lfm_archive_scope(archive, SCOPE);
  lfm_status status = add(guard, archive);
  lfm_archive_scope(archive, "");
  return status;
}

/* ---- and back ----------------------------------------------------------------------------------------------- */

static lfm_status refuse(const lfm_archive *archive, const char *what) {
  return lfm_fail(LFM_E_FORMAT, "%s: its guard %s", lfm_archive_path(archive), what);
}

static lfm_status read_alpha(const lfm_archive *archive, double *out) {
  static const int64_t one = 1;
  const lfm_tensor *tensor;
  LFM_TRY(lfm_archive_require(archive, "alpha", LFM_F64, 1, &one, &tensor));
  memcpy(out, tensor->data, sizeof *out);
  return *out > 0.0 && *out < 1.0 ? LFM_OK : refuse(archive, "has an alpha that is not between 0 and 1");
}

static lfm_status read_levels(const lfm_archive *archive, lfm_model_guard *guard) {
  const lfm_tensor *tensor = lfm_archive_find(archive, "level");
  bool is_list = tensor && tensor->dtype == LFM_F64 && tensor->dims == 1;
  if (!is_list || tensor->shape[0] < 1 || tensor->shape[0] > MOST_LEVELS) return refuse(archive, "has no levels");
  guard->levels = tensor->shape[0];
  LFM_TRY(LFM_ALLOC(&guard->level, guard->levels));
  memcpy(guard->level, tensor->data, (size_t)guard->levels * sizeof *guard->level);
  for (int64_t k = 0; k < guard->levels; k++)
    if (!isfinite(guard->level[k])) return refuse(archive, "has a level that is not finite");
  return LFM_OK;
}

/* The flow must be one of the numbers that this policy sees. */
static lfm_status check_flow(const lfm_model *flow, const lfm_windows *windows, const lfm_archive *archive) {
  bool fits = flow->names && flow->blocks == 1 && flow->config->network == LFM_NETWORK_MLP &&
              flow->normaliser->kind == LFM_NORMALISE_STANDARDISE &&
              flow->cols == windows->horizons.observation * windows->obs_dim;
  return fits ? LFM_OK : refuse(archive, "is not of what this policy observes");
}

static lfm_status read(const lfm_archive *archive, const lfm_windows *windows, lfm_model_guard *guard) {
  LFM_TRY(read_alpha(archive, &guard->alpha));
  LFM_TRY(read_levels(archive, guard));
  LFM_TRY(lfm_chain_open(archive, &guard->flow));
  LFM_TRY(check_flow(guard->flow, windows, archive));
  return lfm_chain_read_block(guard->flow, 0, archive);
}

lfm_status lfm_chain_read_guard(lfm_archive *archive, lfm_model *model) {
  lfm_archive_scope(archive, SCOPE);
  lfm_status status = LFM_OK;
  if (lfm_archive_meta_find(archive, "config")) {
    status = model->windows ? LFM_ALLOC(&model->guard, 1) : refuse(archive, "has no policy to guard");
    if (status == LFM_OK) status = read(archive, model->windows, model->guard);
  }
  lfm_archive_scope(archive, "");
  return status;
}
