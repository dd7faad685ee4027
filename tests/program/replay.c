/* SPDX-License-Identifier: MIT
 *
 * replay.c -- an exported policy, which is included, beside the library's of the same model and options: the same
 * observations, the same codes and the same bits of actions.
 *
 *   cc -DEXPORTED='"policy.c"' replay.c -llfm -lm && ./a.out MODEL
 */
#include EXPORTED

#include <lfm.h>
#include <stdio.h>

enum { OBSERVED = sizeof obs_middle / sizeof *obs_middle, ACTION = sizeof reach / sizeof *reach, STEPS = 60, SHOWN = 6 };

static lfm_policy_options options_of_it(void) {
  static const char *const heeds[] = {"count", "hold", "stop"};
  lfm_policy_options options;
  lfm_policy_defaults(&options);
  options.solve.nfe = (int)(chain.blocks * plan.steps * plan.method.stages);
  options.precision = chain.half ? "bf16" : "fp32";
  options.seed = loop.seed, options.range = loop.range, options.clamp = loop.clamp;
  options.guard = loop.guard ? heeds[loop.heed] : NULL;
  options.delay = loop.delay, options.rtc = loop.mask != NULL;
  return options;
}

/* First what is strange but in range, what is no number, what is out of range, what is usual twice, and what is strange; then
 * ways of their own, which leave the demonstrations now and then. */
static void observe(int step, double *observation) {
  static const double far[SHOWN] = {30, 0, 1000, 0, 0, 30};
  for (int j = 0; j < OBSERVED; j++) {
    double way = sin(0.3 * step + j) * (step % 16 == 9 ? 3.0 : 1.0);
    observation[j] = obs_middle[j] + (step < SHOWN ? far[step] : way) * obs_reach[j];
  }
  if (step == 1) observation[OBSERVED - 1] = NAN;
}

static int replay(lfm_policy *policy, int64_t episode) {
  double observation[OBSERVED], here[ACTION] = {0}, there[ACTION] = {0};
  int differ = 0;
  lfm_policy_begin(policy, episode);
  policy_begin(episode);
  printf("codes");
  for (int step = 0; step < STEPS; step++) {
    observe(step, observation);
    int code = policy_act(observation, here);
    lfm_status status = lfm_policy_act(policy, observation, OBSERVED, there);
    if (step < SHOWN) printf(" %d", code);
    differ += (code == 0) != (status == LFM_OK) || memcmp(here, there, sizeof here) != 0;
  }
  printf("\n");
  return differ;
}

int main(int argc, char **argv) {
  lfm_model *model;
  lfm_policy *policy;
  lfm_policy_options options = options_of_it();
  if (argc < 2 || lfm_model_load(argv[1], &model) != LFM_OK || lfm_policy_create(model, &options, &policy) != LFM_OK)
    return fprintf(stderr, "replay: %s\n", lfm_error()), 1;
  int differ = replay(policy, 0) + replay(policy, 12345);
  printf("%d steps differ\n", differ);
  lfm_policy_destroy(policy);
  lfm_model_destroy(model);
  return differ != 0;
}
