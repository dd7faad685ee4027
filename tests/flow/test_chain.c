/* SPDX-License-Identifier: MIT
 *
 * test_chain.c -- a model through its file and back, to the byte; files that are not whole or not honest.
 */
#include "archive_copy.h"

static lfm_model *model_of_four_columns(const char *const *keys) {
  const double values[] = {1.0, 7.25, -2.0, 3.0, 2.0, 7.25, -1.0, -4.0, 4.0, 7.25, -5.0, 0.5, 3.0, 7.25, 2.0, 1.0};
  const char *const names[] = {"a", "fixed", "Größe \"b\"", "d"};
  const int decimals[] = {1, 2, 0, -1};
  lfm_table *table;
  OK(lfm_table_create(values, 4, 4, names, decimals, &table));
  lfm_model *model = random_chain(table, keys, 1.0);
  lfm_table_destroy(table);
  return model;
}

static void file_and_back(void **state) {
  (void)state;
  static const char *const acts[] = {"act=relu", "act=elu", "act=silu", "act=gelu", "act=tanh", "act=softplus(20)"};
  folder here = folder_create();
  for (size_t k = 0; k < sizeof acts / sizeof *acts; k++) {
    lfm_model *model = model_of_four_columns(KEYS(acts[k], k % 2 ? "cat_t=all" : "cat_t=first", "hks=[0.1, 0.2, null]")),
              *loaded;
    OK(lfm_chain_write(model, inside(here.path, "a.safetensors")));
    OK(lfm_chain_write(model, inside(here.path, "b.safetensors")));
    assert_true(same_bytes(inside(here.path, "a.safetensors"), inside(here.path, "b.safetensors")));
    OK(lfm_model_load(inside(here.path, "a.safetensors"), &loaded));
    OK(lfm_chain_write(loaded, inside(here.path, "b.safetensors")));
    assert_true(same_bytes(inside(here.path, "a.safetensors"), inside(here.path, "b.safetensors")));
    assert_int_equal(lfm_model_dim(loaded), 4);
    assert_int_equal(lfm_model_blocks(loaded), 3);
    for (int j = 0; j < 4; j++) {
      assert_string_equal(lfm_model_name(loaded, j), model->names[j]);
      assert_int_equal(loaded->decimals[j], model->decimals[j]);
    }
    lfm_model_destroy(model);
    lfm_model_destroy(loaded);
  }
  folder_remove(&here);
}

/* The weights that were written are the weights that score: log p of the loaded model has the same bytes. */
static void a_loaded_model_scores_the_same(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_table *table = gaussian_table(20, 3, 1), *before, *after;
  lfm_model *model = random_chain(table, KEYS("normalise=whiten"), 2.0), *loaded;
  lfm_score_options options;
  lfm_score_result result;
  lfm_score_defaults(&options);
  OK(lfm_chain_write(model, inside(here.path, "model.safetensors")));
  OK(lfm_model_load(here.path, &loaded)); /* a folder is as good as its file */
  OK(lfm_score(model, table, &options, &before, &result));
  OK(lfm_score(loaded, table, &options, &after, &result));
  assert_memory_equal(after->values, before->values, 20 * 3 * sizeof(double));
  lfm_table_destroy(table);
  lfm_table_destroy(before);
  lfm_table_destroy(after);
  lfm_model_destroy(model);
  lfm_model_destroy(loaded);
  folder_remove(&here);
}

/* One file, every table of kernels: the double-precision one scores what the others do. */
static void a_file_is_the_same_model_under_every_table(void **state) {
  (void)state;
  static const char *const tables[] = {"ref64", "ref32", "onednn"};
  folder here = folder_create();
  lfm_table *table = gaussian_table(20, 3, 1), *scores[3];
  lfm_model *model = random_chain(table, KEYS("normalise=whiten"), 2.0);
  lfm_score_options options;
  lfm_score_result result;
  lfm_score_defaults(&options);
  OK(lfm_chain_write(model, inside(here.path, "model.safetensors")));
  lfm_model_destroy(model);
  for (int k = 0; k < 3; k++) {
    setenv("LFM_KERNELS", tables[k], 1);
    OK(lfm_model_load(here.path, &model));
    assert_string_equal(lfm_kernels_name(lfm_kernels_best()), tables[k]);
    OK(lfm_score(model, table, &options, &scores[k], &result));
    for (int i = 0; i < 20; i++) assert_near(scores[k]->values[3 * i + 1], scores[0]->values[3 * i + 1], 2e-4);
    lfm_model_destroy(model);
  }
  unsetenv("LFM_KERNELS");
  for (int k = 0; k < 3; k++) lfm_table_destroy(scores[k]);
  lfm_table_destroy(table);
  folder_remove(&here);
}

/* One of a student: which blocks it stands for, and between which times it steps. */
static void students_come_back_with_plan_and_times(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_model *model = model_of_four_columns(NULL), *like, *back;
  const char *path = inside(here.path, "model.safetensors"), *again = inside(here.path, "again.safetensors");
  OK(lfm_config_set(model->config, "objective=residual"));
  OK(lfm_chain_like(model, model->config, &like));
  for (int n = 0; n < model->blocks; n++) lfm_params_copy(like->params[n], model->params[n]);
  OK(lfm_chain_write(model, path));
  OK(lfm_chain_write(like, again));
  assert_true(same_bytes(path, again)); /* all but the weights was alike */
  OK(lfm_alloc_text(&like->plan, "1 | (2 3)"));
  like->span[1] = (lfm_span){.right = 0.75, .left = 0.25};
  OK(lfm_chain_write(like, path));
  OK(lfm_model_load(path, &back));
  assert_string_equal(lfm_model_plan(back), "1 | (2 3)");
  assert_true(back->span[0].right == 1.0 && back->span[0].left == 0.0);
  assert_true(back->span[1].right == 0.75 && back->span[1].left == 0.25);
  assert_false(lfm_chain_is_flow(back) || lfm_chain_is_whole(back));
  like->span[1].left = 0.8;
  OK(lfm_chain_write(like, path));
  lfm_model_destroy(back);
  FAILS(LFM_E_FORMAT, lfm_model_load(path, &back));
  assert_says("'spans' holds no times between 0 and 1 for block 2");
  like->span[1].left = 0.25, like->plan[2] = ' ';
  OK(lfm_chain_write(like, path));
  FAILS(LFM_E_FORMAT, lfm_model_load(path, &back));
  assert_says("1 by metadata 'plan', and 2");
  like->plan[2] = '|', like->config->objective = LFM_OBJECTIVE_FLOW;
  OK(lfm_chain_write(like, path));
  FAILS(LFM_E_FORMAT, lfm_model_load(path, &back));
  assert_says("(by its plan)");
  lfm_model_destroy(model);
  lfm_model_destroy(like);
  folder_remove(&here);
}

/* ---- hostile files ------------------------------------------------------------------------------------------- */

static void expect_refusal(const char *path, const alteration *change, lfm_status status, const char *says) {
  lfm_model *model = (lfm_model *)&status;
  archive_copy(inside(path, "model.safetensors"), inside(path, "altered.safetensors"), change);
  FAILS(status, lfm_model_load(inside(path, "altered.safetensors"), &model));
  assert_null(model);
  assert_says(says);
  assert_says("altered.safetensors");
}

static folder folder_with_model(const char *const *keys) {
  folder here = folder_create();
  lfm_model *model = model_of_four_columns(keys);
  OK(lfm_chain_write(model, inside(here.path, "model.safetensors")));
  lfm_model_destroy(model);
  return here;
}

static void metadata_that_makes_no_sense(void **state) {
  (void)state;
  folder here = folder_with_model(NULL);
  static const struct {
    alteration change;
    lfm_status status;
    const char *says;
  } cases[] = {
      {{.name = "config"}, LFM_E_FORMAT, "not an lfm model"},
      {{.name = "format"}, LFM_E_FORMAT, "not an lfm model"},
      {{.name = "format", .text = "lfm 9"}, LFM_E_UNSUPPORTED, "format 'lfm 9'"},
      {{.name = "config", .text = "hks: [0.2, null]\nhidden_dim: 16\n"}, LFM_E_FORMAT, "not a resolved one"},
      {{.name = "config", .text = "hks: [0.2, null]\nhidden_dim: 17\nnum_hidden: 2\n"}, LFM_E_FORMAT, "net.0.weight"},
      {{.name = "config", .text = "hks: [0.2, null]\nhidden_dim: 16\nnum_hidden: 3\n"}, LFM_E_FORMAT, "net"},
      {{.name = "config", .text = "hks: [0.1, 0.2, null]\nhidden_dim: 16\nnum_hidden: 2\n"},
       LFM_E_FORMAT,
       "blocks.2.net.0.weight"},
      {{.name = "config", .text = "hks: [0.1, 0.1, 0.1, 0.1, 0.1, null]\nhidden_dim: 16\nnum_hidden: 2\n"},
       LFM_E_FORMAT,
       "asks for 6 x "},
      {{.name = "config", .text = "hks: [null]\nhidden_dim: 65536\nnum_hidden: 256\n"}, LFM_E_FORMAT, "asks for"},
      {{.name = "config", .text = "hks: [0.2, null\n"}, LFM_E_USAGE, ""},
      {{.name = "columns"}, LFM_E_FORMAT, "'columns'"},
      {{.name = "columns", .text = "-1"}, LFM_E_FORMAT, "'columns'"},
      {{.name = "columns", .text = "4x"}, LFM_E_FORMAT, "'columns'"},
      {{.name = "columns", .text = "99999999999999999999"}, LFM_E_FORMAT, "'columns'"},
      {{.name = "columns", .text = "5"}, LFM_E_FORMAT, "'column.4' is missing"},
      {{.name = "columns", .text = "3"}, LFM_E_FORMAT, "normaliser"},
      {{.name = "column.2"}, LFM_E_FORMAT, "'column.2' is missing"},
      {{.name = "decimals.1", .text = "two"}, LFM_E_FORMAT, "'decimals.1'"},
      {{.name = "decimals.1", .text = "401"}, LFM_E_FORMAT, "'decimals.1'"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    expect_refusal(here.path, &cases[k].change, cases[k].status, cases[k].says);
  folder_remove(&here);
}

static void tensors_that_do_not_fit(void **state) {
  (void)state;
  folder here = folder_with_model(NULL);
  static const char *const names[] = {"blocks.0.net.0.weight", "blocks.1.net.4.bias", "normaliser.varying",
                                      "normaliser.constant",   "normaliser.mean",     "normaliser.forward",
                                      "normaliser.inverse",    "normaliser.logdet"};
  static const double numbers[4] = {0};
  const lfm_tensor shorter = {.dtype = LFM_F32, .dims = 1, .shape = {2}, .data = numbers};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    expect_refusal(here.path, &(alteration){.name = names[k]}, LFM_E_FORMAT, names[k]);
    const char *says = k == 2 ? "normaliser." : names[k]; /* fewer varying columns want smaller matrices */
    expect_refusal(here.path, &(alteration){.name = names[k], .tensor = &shorter}, LFM_E_FORMAT, says);
  }
  static const int64_t wrong[][3] = {{0, 2, 4}, {-1, 2, 3}, {2, 0, 3}, {0, 2, 2}, {0, 2, INT64_MAX}, {INT64_MIN, 0, 1}};
  for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
    const lfm_tensor varying = {.dtype = LFM_I64, .dims = 1, .shape = {3}, .data = wrong[k]};
    expect_refusal(here.path, &(alteration){.name = "normaliser.varying", .tensor = &varying}, LFM_E_FORMAT, "names column");
  }
  const double mean[3] = {0.0, (double)NAN, 0.0}, logdet = (double)INFINITY;
  const lfm_tensor bad_mean = {.dtype = LFM_F64, .dims = 1, .shape = {3}, .data = mean};
  const lfm_tensor bad_logdet = {.dtype = LFM_F64, .dims = 1, .shape = {1}, .data = &logdet};
  expect_refusal(here.path, &(alteration){.name = "normaliser.mean", .tensor = &bad_mean}, LFM_E_FORMAT, "not finite");
  expect_refusal(here.path, &(alteration){.name = "normaliser.logdet", .tensor = &bad_logdet}, LFM_E_FORMAT, "not finite");
  const double other = 100.0, mixes[9] = {1.0, 0.5, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0}; /* which somebody made anew */
  const lfm_tensor bad_scale = {.dtype = LFM_F64, .dims = 1, .shape = {1}, .data = &other};
  const lfm_tensor bad_matrix = {.dtype = LFM_F64, .dims = 2, .shape = {3, 3}, .data = mixes};
  expect_refusal(here.path, &(alteration){.name = "normaliser.logdet", .tensor = &bad_scale}, LFM_E_FORMAT,
                 "is not the log |det|");
  expect_refusal(here.path, &(alteration){.name = "normaliser.inverse", .tensor = &bad_matrix}, LFM_E_FORMAT,
                 "is not the inverse");
  expect_refusal(here.path, &(alteration){.name = "normaliser.forward", .tensor = &bad_matrix}, LFM_E_FORMAT,
                 "mixes columns");
  folder_remove(&here);
}

static void radii_that_make_no_sense(void **state) {
  (void)state;
  folder here = folder_with_model(KEYS("normalise=radial"));
  static const double numbers[][2] = {{0.0, 1.0}, {1.0, -1.0}, {1.0, 1.0}};
  const lfm_tensor shorter = {.dtype = LFM_F64, .dims = 1, .shape = {1}, .data = numbers[2]};
  const double infinite[2] = {1.0, (double)INFINITY};
  const lfm_tensor endless = {.dtype = LFM_F64, .dims = 1, .shape = {2}, .data = infinite};
  expect_refusal(here.path, &(alteration){.name = "normaliser.radial"}, LFM_E_FORMAT, "'normaliser.radial'");
  expect_refusal(here.path, &(alteration){.name = "normaliser.radial", .tensor = &shorter}, LFM_E_FORMAT, "[1]");
  expect_refusal(here.path, &(alteration){.name = "normaliser.radial", .tensor = &endless}, LFM_E_FORMAT, "not finite");
  const char *whitened = "hks: [0.2, null]\nhidden_dim: 16\nnum_hidden: 2\nnormalise: whiten\n";
  expect_refusal(here.path, &(alteration){.name = "config", .text = whitened}, LFM_E_FORMAT, "does not ask for");
  for (int k = 0; k < 2; k++) {
    const lfm_tensor wrong = {.dtype = LFM_F64, .dims = 1, .shape = {2}, .data = numbers[k]};
    expect_refusal(here.path, &(alteration){.name = "normaliser.radial", .tensor = &wrong}, LFM_E_FORMAT, "not positive");
  }
  folder_remove(&here);
}

/* Weights that are not numbers load, as PyTorch would load them, and every row that meets them fails. */
static void weights_that_are_not_numbers(void **state) {
  (void)state;
  folder here = folder_with_model(NULL);
  float weights[16];
  for (int i = 0; i < 16; i++) weights[i] = NAN;
  const lfm_tensor bias = {.dtype = LFM_F32, .dims = 1, .shape = {16}, .data = weights};
  archive_copy(inside(here.path, "model.safetensors"), inside(here.path, "altered.safetensors"),
               &(alteration){.name = "blocks.1.net.0.bias", .tensor = &bias});
  lfm_model *model;
  lfm_table *out, *table;
  lfm_sample_options sample;
  lfm_sample_result sampled;
  lfm_score_options score;
  lfm_score_result scored;
  lfm_sample_defaults(&sample);
  lfm_score_defaults(&score);
  sample.rows = 10;
  OK(lfm_model_load(inside(here.path, "altered.safetensors"), &model));
  FAILS(LFM_E_NUMERIC, lfm_sample(model, &sample, &out, &sampled));
  OK(lfm_table_create((double[]){1, 7.25, 2, 3}, 1, 4, NULL, NULL, &table));
  FAILS(LFM_E_NUMERIC, lfm_score(model, table, &score, NULL, &scored));
  lfm_table_destroy(table);
  lfm_model_destroy(model);
  folder_remove(&here);
}

/* Every shorter file, and each of many flipped bytes, is an error or (where only the header's spelling changed) the model. */
static void damaged_files(void **state) {
  (void)state;
  folder here = folder_with_model(NULL);
  uint8_t *data;
  size_t size;
  lfm_model *model;
  OK(lfm_file_read(inside(here.path, "model.safetensors"), &data, &size));
  for (size_t cut = 0; cut < size; cut += 1 + size / 40) {
    OK(lfm_file_write(inside(here.path, "cut.safetensors"), data, cut));
    FAILS(LFM_E_FORMAT, lfm_model_load(inside(here.path, "cut.safetensors"), &model));
  }
  int refused = 0, tried = 0;
  for (size_t at = 3; at < size; at += 1 + size / 60, tried++) {
    data[at] ^= 0x10;
    OK(lfm_file_write(inside(here.path, "cut.safetensors"), data, size));
    lfm_status status = lfm_model_load(inside(here.path, "cut.safetensors"), &model);
    if (status == LFM_OK) lfm_model_destroy(model);
    else refused++;
    data[at] ^= 0x10;
  }
  assert_in_range(refused, tried - 2, tried); /* the header's padding may be anything */
  lfm_free(data);
  folder_remove(&here);
}

static void files_that_are_not_there(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_model *model;
  FAILS(LFM_E_IO, lfm_model_load(inside(here.path, "absent.safetensors"), &model));
  assert_says("absent.safetensors");
  FAILS(LFM_E_IO, lfm_model_load(here.path, &model));
  assert_says("model.safetensors");
  lfm_model_destroy(NULL);
  folder_remove(&here);
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  folder here = folder_with_model(NULL);
  const char *path = inside(here.path, "model.safetensors");
  lfm_model *model;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_model_load(path, &model);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !model && at < 1000));
  }
  lfm_alloc_fail_at(0);
  status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_chain_write(model, inside(here.path, "again.safetensors"));
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && at < 1000));
    if (status != LFM_OK) {
      assert_false(lfm_path_exists(inside(here.path, "again.safetensors")));
      assert_false(lfm_path_exists(inside(here.path, "again.safetensors.partial")));
    }
  }
  lfm_alloc_fail_at(0);
  lfm_model_destroy(model);
  folder_remove(&here);
}

/* The networks of the published picture presets have as many parameters as their authors'. */
static void pictures_have_the_published_networks(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int64_t side;
    double millions;
  } presets[] = {{"cifar10", 32, 35.7}, {"imagenet32", 32, 49.1}, {"flowers128", 128, 21.4}};
  for (size_t k = 0; k < sizeof presets / sizeof *presets; k++) {
    lfm_config *config;
    lfm_table *picture;
    lfm_normaliser *normaliser;
    lfm_model *model;
    static uint8_t pixels[3 * 128 * 128];
    OK(lfm_config_create(&config));
    OK(lfm_config_preset(config, presets[k].name));
    OK(lfm_table_create_pictures(pixels, 1, 3, presets[k].side, presets[k].side, NULL, &picture));
    OK(lfm_normaliser_pixels(picture->cols, false, &normaliser));
    OK(lfm_chain_plan(config, picture, normaliser, &model));
    assert_near((double)lfm_net_param_count(model->net) / 1e6, presets[k].millions, 0.05);
    lfm_model_destroy(model);
    lfm_table_destroy(picture);
    lfm_config_destroy(config);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(file_and_back),
      cmocka_unit_test(a_loaded_model_scores_the_same),
      cmocka_unit_test(a_file_is_the_same_model_under_every_table),
      cmocka_unit_test(metadata_that_makes_no_sense),
      cmocka_unit_test(tensors_that_do_not_fit),
      cmocka_unit_test(radii_that_make_no_sense),
      cmocka_unit_test(weights_that_are_not_numbers),
      cmocka_unit_test(damaged_files),
      cmocka_unit_test(files_that_are_not_there),
      cmocka_unit_test(students_come_back_with_plan_and_times),
      cmocka_unit_test(refused_memory_leaves_nothing),
      cmocka_unit_test(pictures_have_the_published_networks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
