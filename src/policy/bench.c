/* SPDX-License-Identifier: MIT
 *
 * bench.c -- lfm bench latency of a policy: how long the steps take on which a chunk is drawn, one after another on the
 * calling thread, as a control loop has them.  The network does the same work whatever its weights and the observation, so a
 * preset's untrained one will do.
 */
#include "core/alloc.h"
#include "flow/bench_subject.h"
#include "policy/policy.h"

enum { CHUNKS = 2000, MOST_CHUNKS = 10000000, WARM_CHUNKS = 50 };

static lfm_status draw(lfm_policy *policy, const lfm_windows *windows, int64_t chunks, lfm_policy_stats *stats) {
  double *action;
  LFM_TRY(LFM_ALLOC(&action, windows->action_dim));
  lfm_status status = LFM_OK;
  lfm_policy_begin(policy, 0);
  for (int k = 0; k < WARM_CHUNKS; k++) lfm_policy_rehearse(policy);
  lfm_policy_begin(policy, 0);
  do {
    status = lfm_policy_act(policy, windows->obs_middle, windows->obs_dim, action);
    lfm_policy_look(policy, stats);
  } while (status == LFM_OK && stats->chunks < chunks);
  lfm_free(action);
  return status;
}

static lfm_status bench(const lfm_bench_options *options, const lfm_model *model, lfm_policy_stats *stats) {
  lfm_policy_options acting;
  lfm_policy *policy;
  lfm_policy_defaults(&acting);
  acting.solve.nfe = options->nfe;
  acting.precision = options->precision;
  acting.rtc = options->rtc;
  LFM_TRY(lfm_policy_create(model, &acting, &policy));
  lfm_status status = draw(policy, model->windows, options->rows ? options->rows : CHUNKS, stats);
  lfm_policy_destroy(policy);
  return status;
}

lfm_status lfm_bench_policy(const lfm_bench_options *options, lfm_policy_stats *stats) {
  lfm_model *untrained = NULL;
  *stats = (lfm_policy_stats){0};
  if (options->rows < 0 || options->rows > MOST_CHUNKS)
    return lfm_fail(LFM_E_USAGE, "rows: %lld chunks; 0 to %d are possible", (long long)options->rows, (int)MOST_CHUNKS);
  if (!options->model && !options->preset)
    return lfm_fail(LFM_E_USAGE, "latency needs a model (--model), or a policy's preset");
  if (!options->model) LFM_TRY(lfm_bench_untrained(options, &untrained));
  lfm_status status = bench(options, options->model ? options->model : untrained, stats);
  lfm_model_destroy(untrained);
  return status;
}
