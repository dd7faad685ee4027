/* SPDX-License-Identifier: MIT
 *
 * Layers: fallbacks, presets, files and --set, the later over the earlier, each whole or not at all; every published preset
 * as the paper's table has it; and mistakes that name their place and the way out.
 */
#include "config/config.h"

#include "core/alloc.h"
#include "core/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/support.h"

static lfm_status parse(const char *text) { return lfm_config_parse(config, text, strlen(text), "run.yaml"); }

static void assert_says(lfm_status status, const char *expected) {
  assert_int_equal(status, LFM_E_USAGE);
  assert_string_equal(lfm_error(), expected);
}

/* ---- layers ------------------------------------------------------------------------------------------------- */

static void test_a_new_one_follows_the_data(void **state) {
  (void)state;
  assert_int_equal(config->blocks, 0);
  assert_int_equal(config->hidden_dim, 0);
  assert_true(isnan(config->lr) && isnan(config->ema_decay) && isnan(config->schedule_c));
  assert_int_equal(config->interp, LFM_INTERP_TRIG);
  assert_int_equal(config->num_tk, 1);
  assert_true(config->warm_start && config->push_tol == 1e-3 && isnan(config->alpha));
  assert_true(config->set[0] == 0 && config->set[1] == 0);
  assert_int_equal(lfm_config_validate(config), LFM_OK);
}

static void test_later_layers_win(void **state) {
  (void)state;
  assert_int_equal(lfm_config_preset(config, "gas@A"), LFM_OK);
  assert_int_equal(parse("hidden_dim: 64\nnum_tk: 2\n"), LFM_OK);
  assert_int_equal(lfm_config_set(config, "num_tk=3"), LFM_OK);
  assert_int_equal(config->num_hidden, 5);
  assert_int_equal(config->hidden_dim, 64);
  assert_int_equal(config->num_tk, 3);
}

static void test_set_takes_what_yaml_takes(void **state) {
  (void)state;
  static const char *const spellings[] = {"hks=[0.1,0.2,null]", "hks=.1,.2,null", "hks = [0.1, 0.2, null]",
                                          "hks= 0.1,0.2,~ "};
  for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
    config->blocks = 0;
    assert_int_equal(lfm_config_set(config, spellings[i]), LFM_OK);
    assert_true(config->blocks == 3 && config->hks[1] == 0.2 && isnan(config->hks[2]));
  }
  assert_int_equal(lfm_config_set(config, "schedule.kind=cosine"), LFM_OK);
  assert_int_equal(lfm_config_set(config, "schedule.c=.1"), LFM_OK);
  assert_int_equal(config->schedule_kind, LFM_SCHEDULE_COSINE);
  assert_true(config->schedule_c == 0.1);
}

static void test_is_set(void **state) {
  (void)state;
  assert_false(lfm_config_is_set(config, "patience") || lfm_config_is_set(config, "schedule") ||
               lfm_config_is_set(config, "absent"));
  assert_int_equal(parse("patience: 0\nschedule: {rho: 1.5}\nvalid_every: 7\n"), LFM_OK);
  assert_true(lfm_config_is_set(config, "patience") && lfm_config_is_set(config, "valid_every"));
  assert_true(lfm_config_is_set(config, "schedule") && lfm_config_is_set(config, "schedule.rho"));
  assert_false(lfm_config_is_set(config, "schedule.kind") || lfm_config_is_set(config, "sched"));
  assert_int_equal(lfm_config_set(config, "patience=auto"), LFM_OK);
  assert_false(lfm_config_is_set(config, "patience"));
}

static void test_a_failed_layer_changes_nothing(void **state) {
  (void)state;
  struct lfm_config before = *config;
  assert_int_equal(parse("hidden_dim: 64\nlr: 99\n"), LFM_E_USAGE);
  assert_memory_equal(config, &before, sizeof before);
  assert_int_equal(parse("hidden_dim: 64\nlr: [\n"), LFM_E_USAGE);
  assert_memory_equal(config, &before, sizeof before);
  assert_int_equal(lfm_config_set(config, "lr=99"), LFM_E_USAGE);
  assert_memory_equal(config, &before, sizeof before);
}

/* ---- mistakes ----------------------------------------------------------------------------------------------- */

static void test_mistakes_name_place_and_way_out(void **state) {
  (void)state;
  assert_says(parse("lr: 1e-3\nhiden_dim: 3\n"), "run.yaml:2: unknown key 'hiden_dim'; did you mean 'hidden_dim'?");
  assert_says(parse("temperature: 3\n"), "run.yaml:1: unknown key 'temperature'; `lfm train --help` lists the keys");
  assert_says(parse("lr: fast\n"), "run.yaml:1: lr: 'fast' is not a number over 0 and at most 10");
  assert_says(parse("lr: 1\nseed: 2\nlr: 1\n"), "run.yaml:3: 'lr' is given twice");
  assert_says(parse("schedule: {c: 1}\nschedule: {rho: 1}\n"), "run.yaml:2: 'schedule' is given twice");
  assert_says(parse("schedule:\n  c: 1\n  c: 1\n"), "run.yaml:3: 'schedule.c' is given twice");
  assert_says(parse("schedule:\n  knd: cosine\n"), "run.yaml:2: unknown key 'schedule.knd'; did you mean 'schedule.kind'?");
  assert_says(parse("schedule: cosine\n"), "run.yaml:1: schedule has parts: give schedule.kind and the others");
  assert_says(parse("hidden_dim:\n  value: 3\n"), "run.yaml:1: hidden_dim takes a value, not a mapping");
  assert_says(parse("hiden_dim: {a: 1}\n"), "run.yaml:1: unknown key 'hiden_dim'; did you mean 'hidden_dim'?");
  assert_says(parse("hidden_dim: [3]\n"), "run.yaml:1: hidden_dim: '[3]' is not a whole number from 1 to 65536");
  assert_says(lfm_config_set(config, "hiden_dim=3"), "--set: unknown key 'hiden_dim'; did you mean 'hidden_dim'?");
  assert_says(lfm_config_set(config, "num_tk=0"), "--set: num_tk: '0' is not a whole number from 1 to 1000");
  assert_says(lfm_config_set(config, "hidden_dim"), "--set: 'hidden_dim' has no '='; write key=value");
  assert_says(lfm_config_set(config, "=3"), "--set: unknown key ''; `lfm train --help` lists the keys");
}

static void test_a_text_may_be_laid_twice(void **state) {
  (void)state;
  assert_int_equal(parse("lr: 1e-3\nschedule: {c: 1}\n"), LFM_OK);
  assert_int_equal(parse("lr: 2e-3\nschedule: {c: 2}\n"), LFM_OK);
  assert_true(config->lr == 2e-3 && config->schedule_c == 2.0);
}

static void test_keys_that_do_not_go_together(void **state) {
  (void)state;
  assert_int_equal(parse("hks: [0.1, null]\nschedule: {kind: linear}\n"), LFM_OK);
  assert_says(lfm_config_validate(config), "hks and schedule are both given; keep one (--set hks=auto takes the first back)");
  assert_int_equal(lfm_config_set(config, "hks=auto"), LFM_OK);
  assert_int_equal(lfm_config_validate(config), LFM_OK);
  assert_int_equal(parse("max_batch: [10, 20, 30]\n"), LFM_OK);
  assert_int_equal(lfm_config_validate(config), LFM_OK); /* the number of blocks is still open */
  assert_int_equal(lfm_config_set(config, "schedule.blocks=4"), LFM_OK);
  assert_says(lfm_config_validate(config),
              "max_batch lists 3 numbers, but schedule.blocks makes 4 blocks; give one number or 4");
  assert_int_equal(lfm_config_set(config, "schedule.blocks=3"), LFM_OK);
  assert_int_equal(lfm_config_validate(config), LFM_OK);
  assert_int_equal(parse("target_rows: 64\ncoupling: shuffled\n"), LFM_OK);
  assert_says(lfm_config_validate(config),
              "target_rows needs coupling: dependent or shared; set target_rows: 0 or leave the coupling out");
  assert_int_equal(lfm_config_set(config, "target_rows=0"), LFM_OK);
  assert_int_equal(lfm_config_validate(config), LFM_OK);
  assert_int_equal(parse("patience: 50\nvalid_every: 50\n"), LFM_OK);
  assert_int_equal(lfm_config_validate(config), LFM_OK);
  assert_int_equal(lfm_config_set(config, "valid_every=51"), LFM_OK);
  assert_says(lfm_config_validate(config), "patience: a block would end after 50 batches, before its first validation loss "
                                           "after 51 (valid_every); give it more, or leave valid_every out");
  assert_int_equal(lfm_config_set(config, "patience=0"), LFM_OK);
  assert_int_equal(lfm_config_validate(config), LFM_OK);
}

/* ---- presets ------------------------------------------------------------------------------------------------ */

/* docs of the paper, section 3 */
#define FLAT_A                                                                                                               \
  { .025, .031, .039, .049, .061, .076, .095, .119 }
#define FLAT_B                                                                                                               \
  { .025, .031, .039, .049, .061 }
static const struct {
  const char *name;
  double gammas[9]; /* of all blocks but the last */
  int64_t hidden_dim;
  int num_hidden;
  const char *act;
  int64_t batch_size, max_batch, lr_step;
  double lr, lr_decay;
  int num_tk;
  double grad_clip, push_tol;
} published[] = {
    {"tree@A", FLAT_A, 256, 3, "softplus(20)", 10000, 50000, 1000, 2e-4, 0.99, 1, 0, 1e-5},
    {"tree@B", FLAT_B, 256, 3, "softplus(20)", 10000, 50000, 1000, 2e-4, 0.99, 1, 0, 1e-3},
    {"rose@A", FLAT_A, 256, 3, "softplus(20)", 10000, 50000, 1000, 2e-4, 0.99, 1, 0, 1e-5},
    {"rose@B", FLAT_B, 256, 3, "softplus(20)", 10000, 50000, 1000, 2e-4, 0.99, 1, 0, 1e-3},
    {"power@A", {.15, .2, .26}, 256, 4, "relu", 30000, 100000, 1000, 5e-3, 0.99, 1, 0, 1e-5},
    {"power@B", {.15, .195, .2535}, 256, 4, "relu", 30000, 100000, 1000, 5e-3, 0.99, 1, 0, 1e-3},
    {"gas@A", {.05}, 362, 5, "relu", 50000, 100000, 1000, 2e-3, 0.99, 10, 0, 1e-5},
    {"gas@B", {.05}, 362, 5, "relu", 50000, 100000, 1000, 2e-3, 0.99, 1, 0, 1e-3},
    {"miniboone@A", {.35}, 362, 4, "relu", 1000, 100000, 4000, 5e-3, 0.9, 4, 0, 1e-5},
    {"miniboone@B", {.35}, 362, 4, "relu", 1000, 100000, 4000, 5e-3, 0.9, 1, 0, 1e-3},
    {"bsds300@A", {.25, .25, .25}, 512, 4, "elu", 500, 30000, 4000, 2e-3, 0.8, 1, 0, 1e-5},
    {"bsds300@B", {.25, .25, .25}, 512, 4, "elu", 1000, 30000, 4000, 2e-3, 0.8, 1, 1, 1e-3},
};
enum { PUBLISHED = sizeof published / sizeof *published };

static void assert_published(size_t i) {
  int last = config->blocks - 1;
  assert_true(isnan(config->hks[last]) && published[i].gammas[last] == 0.0);
  for (int n = 0; n < last; n++) assert_true(config->hks[n] == published[i].gammas[n]);
  assert_int_equal(config->hidden_dim, published[i].hidden_dim);
  assert_int_equal(config->num_hidden, published[i].num_hidden);
  assert_string_equal(config->act, published[i].act);
  assert_int_equal(config->batch_size, published[i].batch_size);
  assert_int_equal(config->max_batch.count, 1);
  assert_int_equal(config->max_batch.of[0], published[i].max_batch);
  assert_int_equal(config->lr_step, published[i].lr_step);
  assert_true(config->lr == published[i].lr && config->lr_decay == published[i].lr_decay);
  assert_int_equal(config->num_tk, published[i].num_tk);
  assert_true(config->grad_clip == published[i].grad_clip && config->push_tol == published[i].push_tol);
}

/* Nothing that would change the published training is left to the data. */
static void assert_shared(const char *name) {
  bool is_flat = strncmp(name, "tree", 4) == 0 || strncmp(name, "rose", 4) == 0, is_gas = strncmp(name, "gas", 3) == 0;
  bool is_b = strstr(name, "@B") != NULL;
  assert_int_equal(config->interp, is_flat && is_b ? LFM_INTERP_LINEAR : LFM_INTERP_TRIG);
  assert_int_equal(config->coupling, LFM_COUPLING_DEPENDENT);
  assert_int_equal(config->normalise, 0);
  assert_int_equal(config->beta_sample_t, is_gas ? LFM_TIME_BETA : LFM_TIME_UNIFORM);
  if (is_gas) assert_true(config->alpha == 1.0 && config->beta == 0.5);
  assert_int_equal(config->warm_start, strncmp(name, "bsds300", 7) != 0);
  assert_true(!config->adamw && config->ema_decay == 0.0 && config->defensive == 0.0 && config->weight_decay == 0.0 &&
              !config->cat_t_all && config->target_rows == 0);
  static const char *const fixed[] = {"patience",  "warmup", "cosine",     "ema_decay", "target_rows",
                                      "defensive", "lr",     "batch_size", "max_batch"};
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) assert_true(lfm_config_is_set(config, fixed[i]));
  assert_true(config->patience == 0 && config->warmup == 0 && !config->cosine);
}

static void test_mean_targets_are_of_rows_as_they_are(void **state) {
  (void)state;
  static const char *const others[] = {"flip=true", "conditional=true"};
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(lfm_config_preset(config, "cifar10"), LFM_OK);
    assert_int_equal(lfm_config_set(config, "flip=false"), LFM_OK);
    assert_int_equal(lfm_config_set(config, "target_rows=512"), LFM_OK);
    assert_int_equal(lfm_config_validate(config), LFM_OK);
    assert_int_equal(lfm_config_set(config, others[i]), LFM_OK);
    assert_int_equal(lfm_config_validate(config), LFM_E_USAGE);
    assert_non_null(strstr(lfm_error(), "target_rows"));
    assert_int_equal(lfm_config_set(config, "conditional=false"), LFM_OK);
  }
}

/* docs of the paper, section 3, the second table. */
static void test_presets_of_pictures_are_the_published_ones(void **state) {
  (void)state;
  static const struct {
    const char *name;
    double c;
    int64_t size, hidden_dim, mults[6], res_depth, attention[3], heads;
    double dropout;
    bool flip;
    int64_t batch_size, max_batch;
    double lr, ema_decay;
  } pictures[] = {
      {"cifar10", 0.1, 0, 128, {1, 2, 2, 2}, 2, {16}, 32, 0.1, true, 256, 50000, 1e-4, 0.9999},
      {"imagenet32", 0.1, 32, 128, {1, 2, 2, 2}, 3, {16, 8}, 64, 0, false, 256, 200000, 1e-4, 0.9999},
      {"flowers128", 0.5, 128, 64, {1, 1, 2, 3, 4}, 2, {16}, 64, 0, false, 40, 40000, 2e-4, 0.999},
  };
  for (size_t i = 0; i < 2 * sizeof pictures / sizeof *pictures; i++) {
    size_t k = i / 2;
    bool is_fm = i % 2;
    char name[32];
    snprintf(name, sizeof name, "%s%s", pictures[k].name, is_fm ? "-fm" : "");
    assert_int_equal(lfm_config_preset(config, name), LFM_OK);
    assert_int_equal(lfm_config_validate(config), LFM_OK);
    assert_int_equal(config->blocks, is_fm ? 1 : 4);
    assert_true(isnan(config->hks[config->blocks - 1]));
    for (int n = 0; n + 1 < config->blocks; n++) assert_true(fabs(config->hks[n] - pictures[k].c * pow(1.5, n)) < 1e-12);
    assert_int_equal(config->network, LFM_NETWORK_UNET);
    assert_int_equal(lfm_config_image_size(config), pictures[k].size);
    assert_int_equal(config->hidden_dim, pictures[k].hidden_dim);
    for (int64_t n = 0; n < config->unet_dim_mults.count; n++)
      assert_int_equal(config->unet_dim_mults.of[n], pictures[k].mults[n]);
    assert_int_equal(pictures[k].mults[config->unet_dim_mults.count], 0);
    assert_int_equal(config->res_depth, pictures[k].res_depth);
    for (int64_t n = 0; n < config->attention_resolution.count; n++)
      assert_int_equal(config->attention_resolution.of[n], pictures[k].attention[n]);
    assert_int_equal(pictures[k].attention[config->attention_resolution.count], 0);
    assert_true(config->num_head_channels == pictures[k].heads && config->dropout == pictures[k].dropout);
    assert_true(config->flip == pictures[k].flip && !config->scale_shift && !config->conditional);
    assert_int_equal(config->batch_size, pictures[k].batch_size);
    assert_int_equal(config->max_batch.of[0], pictures[k].max_batch * (is_fm ? 4 : 1));
    assert_true(config->lr == pictures[k].lr && config->ema_decay == pictures[k].ema_decay && config->warmup == 5000);
    assert_true(config->interp == LFM_INTERP_LINEAR && config->push_tol == 1e-3 && config->grad_clip == 1.0);
    assert_true(config->warm_start && !config->cosine && config->patience == 0 && !config->adamw);
  }
}

/* Whoever trains on two cores says how long, by --time or max_batch; what goes with the length is left open with it.  A twin
 * is its chain but for the blocks, and the noise that they share. */
static void test_presets_for_two_cores_leave_the_length_open(void **state) {
  (void)state;
  static const char *const names[] = {"fashion", "mnist", "cifar10-small"};
  static const char *const open[] = {"max_batch", "warmup", "ema_decay", "valid_every", "checkpoint_every"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char twin[32];
    snprintf(twin, sizeof twin, "%s-fm", names[i]);
    assert_int_equal(lfm_config_preset(config, twin), LFM_OK);
    struct lfm_config fm = *config;
    assert_true(fm.blocks == 1 && isnan(fm.hks[0]));
    assert_int_equal(lfm_config_preset(config, names[i]), LFM_OK);
    assert_int_equal(lfm_config_validate(config), LFM_OK);
    for (size_t k = 0; k < sizeof open / sizeof *open; k++) assert_false(lfm_config_is_set(config, open[k]));
    assert_true(config->blocks == 2 && config->hks[0] == 0.35 && isnan(config->hks[1]));
    assert_true(config->pool == LFM_POOL_OU && config->coupling == LFM_COUPLING_SHARED);
    assert_true(config->network == LFM_NETWORK_UNET && config->conditional && config->scale_shift && config->cosine);
    assert_int_equal(config->flip, strcmp(names[i], "cifar10-small") == 0); /* digits and shoes have a left and a right */
    assert_true(memcmp(fm.set, config->set, sizeof fm.set) == 0);
    memcpy(fm.hks, config->hks, sizeof fm.hks);
    fm.blocks = config->blocks, fm.coupling = config->coupling;
    assert_int_equal(lfm_config_agrees(&fm, config), LFM_OK);
  }
}

/* Policies likewise: Diffusion Policy's horizons, network and optimiser, and a twin whose one network is as large as the two.
 */
static void test_presets_of_policies(void **state) {
  (void)state;
  static const char *const names[] = {"lift", "can", "square", "pusht"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char twin[32];
    snprintf(twin, sizeof twin, "%s-fm", names[i]);
    assert_int_equal(lfm_config_preset(config, twin), LFM_OK);
    struct lfm_config fm = *config;
    assert_true(fm.blocks == 1 && isnan(fm.hks[0]));
    assert_int_equal(lfm_config_preset(config, names[i]), LFM_OK);
    assert_int_equal(lfm_config_validate(config), LFM_OK);
    assert_false(lfm_config_is_set(config, "max_batch"));
    assert_true(config->blocks == 2 && isnan(config->hks[1]) && config->pool == LFM_POOL_PUSHED);
    assert_true(config->observation_horizon == 2 && config->prediction_horizon == 16 && config->action_horizon == 8);
    assert_true(config->network == LFM_NETWORK_UNET1D && config->kernel_size == 5 && config->n_groups == 8);
    assert_true(config->adamw && config->beta1 == 0.95 && config->ema_power == 0.75 && config->batch_size == 256);
    assert_true(config->warmup == 500 && config->cosine && config->patience == 0);
    memcpy(fm.hks, config->hks, sizeof fm.hks);
    fm.blocks = config->blocks, fm.hidden_dim = config->hidden_dim, fm.unet_dim_mults = config->unet_dim_mults;
    assert_int_equal(lfm_config_agrees(&fm, config), LFM_OK);
  }
}

static void test_presets_are_the_published_ones(void **state) {
  (void)state;
  for (size_t i = 0; i < PUBLISHED; i++) {
    assert_int_equal(lfm_config_preset(config, published[i].name), LFM_OK);
    assert_int_equal(lfm_config_validate(config), LFM_OK);
    assert_published(i);
    assert_shared(published[i].name);
  }
}

/* NAME-fm@V: the same but one free block that gets the chain's batches, its learning rate stretched alike. */
static void test_twins_cost_what_their_chains_cost(void **state) {
  (void)state;
  for (size_t i = 0; i < PUBLISHED; i++) {
    char twin[64];
    const char *at = strchr(published[i].name, '@');
    snprintf(twin, sizeof twin, "%.*s-fm%s", (int)(at - published[i].name), published[i].name, at);
    assert_int_equal(lfm_config_preset(config, twin), LFM_OK);
    assert_shared(twin);
    struct lfm_config fm = *config;
    assert_int_equal(lfm_config_preset(config, published[i].name), LFM_OK);
    assert_true(fm.blocks == 1 && isnan(fm.hks[0]));
    assert_int_equal(fm.max_batch.of[0], config->blocks * config->max_batch.of[0]);
    assert_int_equal(fm.lr_step, config->blocks * config->lr_step);
    memcpy(fm.hks, config->hks, sizeof fm.hks);
    fm.blocks = config->blocks;
    fm.max_batch.of[0] = config->max_batch.of[0];
    fm.lr_step = config->lr_step;
    assert_int_equal(lfm_config_agrees(&fm, config), LFM_OK);
  }
}

static void test_every_preset_in_the_list_loads(void **state) {
  (void)state;
  int count = 0;
  for (; lfm_config_preset_name(count); count++) {
    assert_int_equal(lfm_config_preset(config, lfm_config_preset_name(count)), LFM_OK);
    assert_int_equal(lfm_config_validate(config), LFM_OK);
  }
  assert_true(count >= 2 * PUBLISHED);
  assert_null(lfm_config_preset_name(-1));
  assert_int_equal(lfm_config_preset(config, "bsds30@A"), LFM_E_USAGE);
  assert_ptr_equal(strstr(lfm_error(), "unknown preset 'bsds30@A'; there are, nearest first: bsds300@A "), lfm_error());
  for (int i = 0; i < count; i++) assert_non_null(strstr(lfm_error(), lfm_config_preset_name(i)));
}

static void test_a_file_is_its_preset(void **state) {
  (void)state;
  lfm_config *loaded;
  assert_int_equal(lfm_config_create(&loaded), LFM_OK);
  assert_int_equal(lfm_config_load(loaded, "configs/miniboone@B.yaml"), LFM_OK);
  assert_int_equal(lfm_config_preset(config, "miniboone@B"), LFM_OK);
  assert_int_equal(lfm_config_agrees(loaded, config), LFM_OK);
  assert_memory_equal(loaded->set, config->set, sizeof config->set);
  assert_int_equal(lfm_config_load(loaded, "configs/absent.yaml"), LFM_E_IO);
  assert_non_null(strstr(lfm_error(), "configs/absent.yaml"));
  assert_int_equal(lfm_config_load(loaded, "configs"), LFM_E_IO);
  lfm_config_destroy(loaded);
}

/* ---- copies ------------------------------------------------------------------------------------------------- */

static void test_copies_stand_alone(void **state) {
  (void)state;
  lfm_config *copy = NULL;
  assert_int_equal(lfm_config_preset(config, "power@A"), LFM_OK);
  assert_int_equal(lfm_config_copy(config, &copy), LFM_OK);
  assert_memory_equal(copy, config, sizeof *config);
  assert_int_equal(lfm_config_set(copy, "hidden_dim=3"), LFM_OK);
  assert_int_equal(config->hidden_dim, 256);
  lfm_config_destroy(copy);
  lfm_config_destroy(NULL);
}

/* ---- memory ------------------------------------------------------------------------------------------------- */

static lfm_status build_one(void) {
  lfm_config *made = NULL, *copy = NULL;
  char *text = NULL;
  lfm_status status;
  LFM_TRY_GOTO(lfm_config_create(&made), done);
  LFM_TRY_GOTO(lfm_config_preset(made, "gas@A"), done);
  LFM_TRY_GOTO(lfm_config_load(made, "configs/gas@B.yaml"), done);
  LFM_TRY_GOTO(lfm_config_set(made, "lr=1e-3"), done);
  LFM_TRY_GOTO(lfm_config_copy(made, &copy), done);
  status = lfm_config_write_text(copy, &text);
done:
  lfm_free(text);
  lfm_config_destroy(copy);
  lfm_config_destroy(made);
  return status;
}

static void test_refused_memory(void **state) {
  (void)state;
  uint64_t at = 1;
  for (lfm_status status = LFM_E_MEMORY; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = build_one();
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
  }
  assert_true(at > 5);
}

#define WITH_CONFIG(test) cmocka_unit_test_setup_teardown(test, make_config, destroy_config)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_CONFIG(test_a_new_one_follows_the_data),
      WITH_CONFIG(test_later_layers_win),
      WITH_CONFIG(test_set_takes_what_yaml_takes),
      WITH_CONFIG(test_is_set),
      WITH_CONFIG(test_a_failed_layer_changes_nothing),
      WITH_CONFIG(test_mistakes_name_place_and_way_out),
      WITH_CONFIG(test_a_text_may_be_laid_twice),
      WITH_CONFIG(test_keys_that_do_not_go_together),
      WITH_CONFIG(test_presets_are_the_published_ones),
      WITH_CONFIG(test_presets_of_pictures_are_the_published_ones),
      WITH_CONFIG(test_presets_for_two_cores_leave_the_length_open),
      WITH_CONFIG(test_presets_of_policies),
      WITH_CONFIG(test_mean_targets_are_of_rows_as_they_are),
      WITH_CONFIG(test_twins_cost_what_their_chains_cost),
      WITH_CONFIG(test_every_preset_in_the_list_loads),
      WITH_CONFIG(test_a_file_is_its_preset),
      WITH_CONFIG(test_copies_stand_alone),
      WITH_CONFIG(test_refused_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
