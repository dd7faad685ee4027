/* SPDX-License-Identifier: MIT
 *
 * test_picture_weights.c -- weights of pictures' networks to PyTorch and from it: an export imported is the model to the
 * byte, with and without classes; tensors under the names of the public U-Net arrive where they belong, which net.unet_golden
 * holds to PyTorch's numbers; and what does not fit is told by its name.
 */
#include "archive_copy.h"

enum { SIDE = 8, DIM = SIDE * SIDE, ROWS = 6, CLASSES = 2 };

#define UNET                                                                                                                 \
  "hidden_dim=32", "unet_dim_mults=[1, 1]", "res_depth=1", "attention_resolution=4", "num_head_channels=16",                 \
      "scale_shift=true", "dequantise=uniform"

static lfm_table *pictures(void) {
  uint8_t pixels[ROWS * DIM];
  int32_t labels[ROWS];
  lfm_table *table;
  for (int i = 0; i < ROWS * DIM; i++) pixels[i] = (uint8_t)(i * 37 % 251);
  for (int i = 0; i < ROWS; i++) labels[i] = i % CLASSES;
  OK(lfm_table_create_pictures(pixels, ROWS, 1, SIDE, SIDE, labels, &table));
  return table;
}

/* No weight is zero, as the last ones of a fresh U-Net are. */
static lfm_model *model_with(const lfm_table *table, const char *const *keys, const char *const *more) {
  lfm_model *model;
  lfm_normaliser *normaliser;
  lfm_config *config = config_of(keys, more);
  OK(lfm_normaliser_pixels(DIM, true, &normaliser));
  OK(lfm_chain_create(config, table, normaliser, &model));
  for (int n = 0; n < model->blocks; n++) {
    lfm_rng rng = {.seed = 3, .purpose = LFM_FOR_INIT, .block = (uint32_t)n};
    float *weights = lfm_params_data(model->params[n]);
    lfm_rng_normal(&rng, 0, weights, (size_t)lfm_net_param_count(model->net));
    for (int64_t i = 0; i < lfm_net_param_count(model->net); i++) weights[i] *= 0.1f;
    lfm_params_pack(model->params[n]);
  }
  lfm_config_destroy(config);
  return model;
}

static lfm_table *scores_of(const lfm_model *model, const lfm_table *table) {
  lfm_table *scores;
  lfm_score_options options;
  lfm_score_result result;
  lfm_score_defaults(&options);
  options.probes = 2, options.solve.tol = 1e-2;
  OK(lfm_score(model, table, &options, &scores, &result));
  return scores;
}

static void an_export_imported_is_the_model(void **state) {
  (void)state;
  const char *const *kinds[] = {KEYS(UNET, "network=unet", "conditional=true"), KEYS(UNET, "network=unet"),
                                KEYS("network=mlp", "hidden_dim=16", "num_hidden=2", "act=silu", "dequantise=uniform")};
  folder here = folder_create();
  lfm_table *table = pictures();
  const char *weights = inside(here.path, "weights.safetensors");
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    lfm_model *model = model_with(table, kinds[k], KEYS("hks=[0.2, null]")), *again;
    lfm_import_options options;
    lfm_import_defaults(&options);
    options.config = model->config;
    OK(lfm_model_export(model, weights));
    OK(lfm_model_import(weights, &options, &again));
    lfm_table *before = scores_of(model, table), *after = scores_of(again, table);
    assert_memory_equal(after->values, before->values, (size_t)(before->rows * before->cols) * sizeof(double));
    OK(lfm_chain_write(model, inside(here.path, "a.safetensors")));
    OK(lfm_chain_write(again, inside(here.path, "b.safetensors")));
    assert_true(same_bytes(inside(here.path, "a.safetensors"), inside(here.path, "b.safetensors")));
    lfm_table_destroy(before), lfm_table_destroy(after);
    lfm_model_destroy(model), lfm_model_destroy(again);
  }
  lfm_table_destroy(table);
  folder_remove(&here);
}

/* What Python writes of one module: bare names, four numbers as metadata, and nothing else of ours. */
static void weights_from_elsewhere(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_table *table = pictures();
  lfm_model *model = model_with(table, KEYS(UNET, "network=unet"), KEYS("hks=[null]")), *imported;
  const char *path = inside(here.path, "unet.safetensors");
  static const char *const size[][2] = {{"channels", "1"}, {"height", "8"}, {"width", "8"}, {"classes", "0"}};
  lfm_archive *archive;
  OK(lfm_archive_create(&archive));
  for (int k = 0; k < 4; k++) OK(lfm_archive_meta(archive, size[k][0], size[k][1]));
  OK(lfm_chain_add_vector(model->net, "", lfm_params_values(model->params[0]), archive));
  assert_non_null(lfm_archive_find(archive, "input_blocks.1.0.in_layers.2.weight"));
  OK(lfm_archive_write(archive, path));
  lfm_archive_destroy(archive);
  OK(import_with(path, KEYS(UNET), NULL, &imported)); /* a picture's network is a U-Net unless it is said to be none */
  assert_int_equal(imported->config->network, LFM_NETWORK_UNET);
  assert_memory_equal(lfm_params_values(imported->params[0]), lfm_params_values(model->params[0]),
                      (size_t)lfm_net_param_count(model->net) * sizeof(float));
  assert_int_equal(imported->blocks, 1);
  lfm_model *loaded; /* and what is written of it is a whole model */
  OK(lfm_model_write(imported, inside(here.path, "model.safetensors")));
  OK(lfm_model_load(inside(here.path, "model.safetensors"), &loaded));
  lfm_table *before = scores_of(model, table), *after = scores_of(loaded, table);
  assert_memory_equal(after->values, before->values, (size_t)(before->rows * before->cols) * sizeof(double));
  lfm_table_destroy(before), lfm_table_destroy(after), lfm_table_destroy(table);
  lfm_model_destroy(loaded), lfm_model_destroy(imported), lfm_model_destroy(model);
  folder_remove(&here);
}

static void faults_are_named(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_table *table = pictures();
  lfm_model *model = model_with(table, KEYS(UNET, "network=unet", "conditional=true"), KEYS("hks=[null]"));
  const char *good = inside(here.path, "good.safetensors"), *bad = inside(here.path, "bad.safetensors");
  static const float numbers[64 * 64 * 9];
  static const lfm_tensor few = {.dtype = LFM_F32, .dims = 2, .shape = {CLASSES, 128}, .data = numbers},
                          wide = {.dtype = LFM_F32, .dims = 4, .shape = {2, 32, 3, 3}, .data = numbers};
  static const struct {
    alteration change;
    const char *says;
  } cases[] = {
      {{.name = "blocks.0.out.2.weight", .tensor = &wide},
       "tensor 'blocks.0.out.2.weight' is F32 [2, 32, 3, 3], expected F32 [1, 32, 3, 3]"},
      {{.name = "blocks.0.label_emb.weight", .tensor = &few},
       "tensor 'blocks.0.label_emb.weight' is F32 [2, 128], expected F32 [3, 128]"},
      {{.name = "blocks.0.middle_block.1.qkv.bias"},
       "tensor 'blocks.0.middle_block.1.qkv.bias' is missing (expected F32 [96])"},
      {{.name = "height"}, "metadata 'height'"},
      {{.name = "height", .text = "9"}, "images of 8 x 9"},
      {{.name = "class.1"}, "metadata 'class.1'"},
      {{.name = "classes", .text = "0"}, "conditional"},
      {{.name = "channels"}, "does not say how large"},
  };
  const char *const *keys = KEYS(UNET, "network=unet", "conditional=true");
  OK(lfm_model_export(model, good));
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    archive_copy(good, bad, &cases[k].change);
    lfm_model *none;
    lfm_status status = import_with(bad, keys, NULL, &none);
    assert_true(status == LFM_E_FORMAT || status == LFM_E_USAGE);
    assert_null(none);
    assert_says(cases[k].says);
  }
  refuses(good, KEYS(UNET), LFM_E_FORMAT, "tensor \"blocks.0.label_emb.weight\" has no place in this network");
  refuses(good, KEYS("hidden_dim=32", "unet_dim_mults=[1, 1]", "res_depth=1"), LFM_E_USAGE, "attention_resolution");
  refuses(good, KEYS("network=mlp", "hidden_dim=32", "num_hidden=1", "act=relu"), LFM_E_FORMAT, "'blocks.0.net.0.weight'");
  lfm_model *none;
  FAILS(LFM_E_USAGE, import_with(good, keys, "a,b", &none));
  assert_says("columns");
  lfm_model_destroy(model);
  lfm_table_destroy(table);
  folder_remove(&here);
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_table *table = pictures();
  lfm_model *model = model_with(table, KEYS("network=mlp", "hidden_dim=4", "num_hidden=1", "act=relu"), KEYS("hks=[null]")),
            *imported;
  lfm_import_options options;
  lfm_import_defaults(&options);
  options.config = model->config;
  OK(lfm_model_export(model, inside(here.path, "w.safetensors")));
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_model_import(inside(here.path, "w.safetensors"), &options, &imported);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !imported && at < 1000));
  }
  lfm_alloc_fail_at(0);
  lfm_model_destroy(imported);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
  folder_remove(&here);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_export_imported_is_the_model),
      cmocka_unit_test(weights_from_elsewhere),
      cmocka_unit_test(faults_are_named),
      cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
