/* SPDX-License-Identifier: MIT
 *
 * The resolved file reads back as the same struct: a fresh one, every preset, one with every key away from its fallback,
 * and one whose chain came from a schedule.
 */
#include "config/config.h"
#include "config/keys.h"

#include "core/alloc.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/support.h"

/* Written, read over a fresh one: the same values, and the same text again.  all_given: the keys count as set, too. */
static void assert_reads_back(bool all_given) {
  lfm_config *back;
  char *text, *again;
  assert_int_equal(lfm_config_write_text(config, &text), LFM_OK);
  assert_int_equal(lfm_config_create(&back), LFM_OK);
  if (lfm_config_parse(back, text, strlen(text), "written") != LFM_OK) fail_msg("%s", lfm_error());
  assert_int_equal(lfm_config_write_text(back, &again), LFM_OK);
  assert_string_equal(text, again);
  if (!all_given) memcpy(back->set, config->set, sizeof back->set);
  if (memcmp(back, config, sizeof *back) != 0) fail_msg("not the same struct after\n%s", text);
  lfm_config_destroy(back);
  lfm_free(text);
  lfm_free(again);
}

static void test_a_fresh_one(void **state) {
  (void)state;
  assert_reads_back(false);
}

static void test_presets(void **state) {
  (void)state;
  for (int i = 0; lfm_config_preset_name(i); i++) {
    assert_int_equal(lfm_config_preset(config, lfm_config_preset_name(i)), LFM_OK);
    assert_reads_back(false);
  }
}

static void test_every_key(void **state) {
  (void)state;
  static const char *const settings[] = {"schedule.kind=linear",
                                         "schedule.c=0.3333333333333333",
                                         "schedule.rho=1.5",
                                         "schedule.blocks=5",
                                         "interp=linear",
                                         "coupling=shuffled",
                                         "pool=ou",
                                         "pool_precision=fp16",
                                         "normalise=whiten",
                                         "objective=reflow",
                                         "beta_sample_t=true",
                                         "alpha=1e-7",
                                         "beta=123.456",
                                         "num_tk=7",
                                         "target_rows=77",
                                         "defensive=.125",
                                         "image_size=48",
                                         "flip=true",
                                         "dequantise=uniform",
                                         "conditional=true",
                                         "class_drop=.2",
                                         "observation_horizon=3",
                                         "prediction_horizon=32",
                                         "action_horizon=12",
                                         "network=unet",
                                         "hidden_dim=31",
                                         "num_hidden=2",
                                         "act=softplus(0.5)",
                                         "cat_t=all",
                                         "unet_dim_mults=[1,2,4]",
                                         "res_depth=3",
                                         "attention_resolution=[16,8]",
                                         "num_head_channels=64",
                                         "dropout=.1",
                                         "scale_shift=true",
                                         "kernel_size=3",
                                         "n_groups=4",
                                         "step_embed_dim=32",
                                         "batch_size=999",
                                         "max_batch=[1,22,333,4,5]",
                                         "lr=1e-9",
                                         "lr_decay=.1",
                                         "lr_step=3",
                                         "warmup=9",
                                         "cosine=true",
                                         "grad_clip=.25",
                                         "waves=5",
                                         "finest_wave=7",
                                         "wave_noise=.3",
                                         "optimizer=adamw",
                                         "adam_beta1=.95",
                                         "adam_beta2=.99",
                                         "weight_decay=.01",
                                         "ema_decay=.9999",
                                         "ema_power=.75",
                                         "warm_start=false",
                                         "patience=11",
                                         "push_tol=1e-4",
                                         "precision=bf16",
                                         "lanes=3",
                                         "microbatch=48",
                                         "seed=9007199254740991",
                                         "checkpoint_every=5",
                                         "valid_every=6",
                                         "hks=auto"};
  size_t count = sizeof settings / sizeof *settings;
  assert_null(lfm_keys[count].name);
  assert_non_null(lfm_keys[count - 1].name); /* all keys are here */
  struct lfm_config fallbacks = *config;
  for (size_t i = 0; i < count; i++) assert_int_equal(lfm_config_set(config, settings[i]), LFM_OK);
  for (const lfm_key *key = lfm_keys; key->name; key++) {
    bool moved = memcmp((char *)config + key->offset, (char *)&fallbacks + key->offset, key->size) != 0;
    assert_true(moved || key->kind == LFM_KEY_HKS);
  }
  assert_reads_back(true);
}

/* What resolving does: hks from the schedule, zeros that mean "none", all settled. */
static void test_a_resolved_schedule_is_written_as_its_chain(void **state) {
  (void)state;
  assert_int_equal(lfm_config_set(config, "schedule.c=0.5"), LFM_OK);
  config->blocks = 2;
  config->hks[0] = 0.5;
  config->hks[1] = NAN;
  lfm_config_settle(config);
  assert_int_equal(lfm_config_validate(config), LFM_OK);
  char *text;
  assert_int_equal(lfm_config_write_text(config, &text), LFM_OK);
  assert_non_null(strstr(text, "hks: [0.5, null]\n"));
  assert_non_null(strstr(text, "warmup: 0\n"));
  assert_non_null(strstr(text, "cosine: false\n"));
  assert_non_null(strstr(text, "hidden_dim: auto\n")); /* no network has width 0: still open */
  assert_null(strstr(text, "schedule"));
  lfm_free(text);
}

static void test_the_longest_chain(void **state) {
  (void)state;
  config->blocks = LFM_MAX_BLOCKS;
  config->max_batch.count = LFM_MAX_BLOCKS;
  for (int n = 0; n < LFM_MAX_BLOCKS; n++) {
    config->hks[n] = -2.2250738585072014e-308 * (n + 1) / -3; /* the longest texts there are */
    config->max_batch.of[n] = 1000000000000;
  }
  config->hks[LFM_MAX_BLOCKS - 1] = 0.1 + 0.2;
  assert_reads_back(false);
}

#define WITH_CONFIG(test) cmocka_unit_test_setup_teardown(test, make_config, destroy_config)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_CONFIG(test_a_fresh_one),       WITH_CONFIG(test_presets),
      WITH_CONFIG(test_every_key),         WITH_CONFIG(test_a_resolved_schedule_is_written_as_its_chain),
      WITH_CONFIG(test_the_longest_chain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
