/* SPDX-License-Identifier: MIT
 *
 * test_exchange.c -- weights from PyTorch and to it: its numbers come out of its weights, an export imported is the model to
 * the byte, and a file that does not fit is told by the names of its tensors.
 */
#include "net/net_support.h"
#undef OK /* the one of flow_support.h also tells the error line */
#include "archive_copy.h"
#include "golden/mlp.h"

/* ---- files as a PyTorch user writes them --------------------------------------------------------------------- */

typedef struct entry {
  const char *name;
  lfm_dtype dtype;
  int dims;
  int64_t shape[LFM_MAX_DIMS];
  const void *data; /* NULL: some small numbers */
} entry;

enum { MANY = 1 << 12 };

/* Of either float type, as many as any tensor here has. */
static const void *small_numbers(lfm_dtype dtype) {
  static float floats[MANY];
  static double doubles[MANY];
  for (int i = 0; i < MANY; i++) floats[i] = (float)(doubles[i] = wobble(i, 5));
  return dtype == LFM_F32 ? (const void *)floats : doubles;
}

static void write_tensors(const char *path, const entry *entries, size_t count) {
  lfm_archive *archive;
  OK(lfm_archive_create(&archive));
  for (size_t k = 0; k < count; k++) {
    const entry *e = &entries[k];
    if (e->name)
      OK(lfm_archive_add(archive, e->name, e->dtype, e->dims, e->shape, e->data ? e->data : small_numbers(e->dtype)));
  }
  OK(lfm_archive_write(archive, path));
  lfm_archive_destroy(archive);
}

#define WRITE(path, entries) write_tensors((path), (entries), sizeof(entries) / sizeof *(entries))

/* One block over two columns, hidden_dim 4 and num_hidden 2, as block.state_dict() has it. */
#define BLOCK(prefix)                                                                                                        \
  {prefix "net.0.weight", LFM_F32, 2, {4, 3}, NULL}, {prefix "net.0.bias", LFM_F32, 1, {4}, NULL},                           \
      {prefix "net.2.weight", LFM_F32, 2, {4, 4}, NULL}, {prefix "net.2.bias", LFM_F32, 1, {4}, NULL},                       \
      {prefix "net.4.weight", LFM_F32, 2, {2, 4}, NULL}, {                                                                   \
    prefix "net.4.bias", LFM_F32, 1, {2}, NULL                                                                               \
  }

#define NET "hidden_dim=4", "num_hidden=2", "act=tanh"

/* ---- PyTorch's numbers --------------------------------------------------------------------------------------- */

static const char *act_key(const struct golden *g) {
  static const char *const names[] = {[LFM_ACT_RELU] = "relu", [LFM_ACT_ELU] = "elu",   [LFM_ACT_SILU] = "silu",
                                      [LFM_ACT_GELU] = "gelu", [LFM_ACT_TANH] = "tanh", [LFM_ACT_SOFTPLUS] = "softplus"};
  static char key[48];
  if (g->act.kind == LFM_ACT_SOFTPLUS) snprintf(key, sizeof key, "act=softplus(%g)", g->act.beta);
  else snprintf(key, sizeof key, "act=%s", names[g->act.kind]);
  return key;
}

/* The parameters of the golden module, in torch's order and under torch's names. */
static void write_golden(const struct golden *g, const char *path) {
  const int64_t in = GOLDEN_DIM + 1, hidden = GOLDEN_HIDDEN, wide = hidden + g->cat_t_all;
  entry entries[] = {
      {"net.0.weight", LFM_F32, 2, {hidden, in}, NULL},       {"net.0.bias", LFM_F32, 1, {hidden}, NULL},
      {"net.2.weight", LFM_F32, 2, {hidden, wide}, NULL},     {"net.2.bias", LFM_F32, 1, {hidden}, NULL},
      {"net.4.weight", LFM_F32, 2, {GOLDEN_DIM, wide}, NULL}, {"net.4.bias", LFM_F32, 1, {GOLDEN_DIM}, NULL},
  };
  float weights[GOLDEN_MOST], *at = weights;
  for (int i = 0; i < GOLDEN_MOST; i++) weights[i] = (float)wobble(i, 9);
  for (size_t k = 0; k < sizeof entries / sizeof *entries; k++) {
    entries[k].data = at;
    at += entries[k].shape[0] * (entries[k].dims > 1 ? entries[k].shape[1] : 1);
  }
  assert_true(at <= weights + GOLDEN_MOST);
  WRITE(path, entries);
}

/* The velocities of the imported block are those that torch computed from the same weights; in float, as in net.golden. */
static void torch_weights_give_torch_velocities(void **state) {
  (void)state;
  folder here = folder_create();
  for (size_t k = 0; k < sizeof golden / sizeof *golden; k++) {
    lfm_model *model;
    lfm_run *run;
    write_golden(&golden[k], inside(here.path, "golden.safetensors"));
    OK(import_with(
        inside(here.path, "golden.safetensors"),
        KEYS("hidden_dim=4", "num_hidden=2", act_key(&golden[k]), golden[k].cat_t_all ? "cat_t=all" : "cat_t=first"), NULL,
        &model));
    assert_true(lfm_model_dim(model) == GOLDEN_DIM && lfm_model_blocks(model) == 1);
    OK(lfm_run_create(model->net, LFM_RUN_EVAL, GOLDEN_ROWS, &run));
    fill_inputs(model->net, run);
    OK(lfm_run_forward(run, model->params[0]));
    for (int i = 0; i < GOLDEN_ROWS * GOLDEN_DIM; i++)
      assert_near(number_at(model->net, lfm_run_v(run), i), golden[k].v[i], 3e-6);
    lfm_run_destroy(run);
    lfm_model_destroy(model);
  }
  folder_remove(&here);
}

/* Block 1 of the file is block 1 of the chain, and a bare block is the same as blocks.0. */
static void blocks_keep_their_order(void **state) {
  (void)state;
  folder here = folder_create();
  const float first[4] = {1, 2, 3, 4}, second[4] = {5, 6, 7, 8};
  entry chain[] = {BLOCK("blocks.1."), BLOCK("blocks.0.")}, alone[] = {BLOCK("blocks.0.")}, bare[] = {BLOCK("")};
  chain[1].data = second;
  chain[7].data = alone[1].data = bare[1].data = first;
  WRITE(inside(here.path, "chain.safetensors"), chain);
  WRITE(inside(here.path, "alone.safetensors"), alone);
  WRITE(inside(here.path, "bare.safetensors"), bare);
  lfm_model *of_chain, *of_alone, *of_bare;
  OK(import_with(inside(here.path, "chain.safetensors"), KEYS(NET, "hks=[0.2, null]"), NULL, &of_chain));
  OK(import_with(inside(here.path, "alone.safetensors"), KEYS(NET), NULL, &of_alone));
  OK(import_with(inside(here.path, "bare.safetensors"), KEYS(NET), NULL, &of_bare));
  const int64_t bias = lfm_net_tensor(of_chain->net, 1)->offset;
  for (int i = 0; i < 4; i++) {
    assert_near(number_at(of_chain->net, lfm_params_values(of_chain->params[0]), bias + i), (double)first[i], 0);
    assert_near(number_at(of_chain->net, lfm_params_values(of_chain->params[1]), bias + i), (double)second[i], 0);
  }
  OK(lfm_chain_write(of_alone, inside(here.path, "a.safetensors")));
  OK(lfm_chain_write(of_bare, inside(here.path, "b.safetensors")));
  assert_true(same_bytes(inside(here.path, "a.safetensors"), inside(here.path, "b.safetensors")));
  lfm_model_destroy(of_chain);
  lfm_model_destroy(of_alone);
  lfm_model_destroy(of_bare);
  folder_remove(&here);
}

/* ---- there and back ------------------------------------------------------------------------------------------ */

/* gaussian_table with a constant column amid. */
static lfm_table *table_with_constant(void) {
  lfm_table *table = gaussian_table(20, 4, 1);
  for (int i = 0; i < 20; i++) table->values[4 * i + 1] = 7.25;
  OK(lfm_table_rename(table, 0, "a, \"b\""));
  table->decimals[2] = 3;
  return table;
}

static void export_and_import(const char *path, const lfm_model *model, const char *columns, lfm_model **out) {
  lfm_import_options options;
  lfm_import_defaults(&options);
  options.config = model->config;
  options.columns = columns;
  OK(lfm_model_export(model, inside(path, "weights.safetensors")));
  OK(lfm_model_import(inside(path, "weights.safetensors"), &options, out));
  OK(lfm_file_remove(inside(path, "weights.safetensors")));
}

/* To the byte of the model file, and so of every log p. */
static void an_export_imported_is_the_model(void **state) {
  (void)state;
  static const char *const kinds[] = {"normalise=none", "normalise=standardise", "normalise=whiten", "normalise=radial"};
  folder here = folder_create();
  lfm_table *table = table_with_constant(), *before, *after;
  lfm_score_options options;
  lfm_score_result result;
  lfm_score_defaults(&options);
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    lfm_model *model = random_chain(table, KEYS(kinds[k], "hks=[0.1, 0.2, null]", k ? "cat_t=first" : "cat_t=all"), 2.0),
              *again;
    export_and_import(here.path, model, NULL, &again);
    OK(lfm_score(model, table, &options, &before, &result));
    OK(lfm_score(again, table, &options, &after, &result));
    assert_memory_equal(after->values, before->values, 20 * 3 * sizeof(double));
    OK(lfm_chain_write(model, inside(here.path, "a.safetensors")));
    OK(lfm_chain_write(again, inside(here.path, "b.safetensors")));
    assert_true(same_bytes(inside(here.path, "a.safetensors"), inside(here.path, "b.safetensors")));
    lfm_table_destroy(before);
    lfm_table_destroy(after);
    lfm_model_destroy(model);
    lfm_model_destroy(again);
  }
  lfm_table_destroy(table);
  folder_remove(&here);
}

/* The first layer of `dim` columns and their waves, of a file that says nothing else. */
static lfm_status import_seen(const folder *here, int64_t seen, int64_t dim, const char *waves, int64_t *cols) {
  char path[600];
  lfm_model *model;
  lfm_import_options options;
  lfm_config *config = config_of(
      KEYS("hks=[null]", "hidden_dim=4", "num_hidden=1", "act=tanh", waves, "finest_wave=8", "interp=linear"), NULL);
  const entry entries[] = {{"net.0.weight", LFM_F32, 2, {4, seen}, NULL},
                           {"net.0.bias", LFM_F32, 1, {4}, NULL},
                           {"net.2.weight", LFM_F32, 2, {dim, 4}, NULL},
                           {"net.2.bias", LFM_F32, 1, {dim}, NULL}};
  snprintf(path, sizeof path, "%s", inside(here->path, "seen.safetensors"));
  write_tensors(path, entries, 4);
  lfm_import_defaults(&options);
  options.config = config;
  lfm_status status = lfm_model_import(path, &options, &model);
  if (status == LFM_OK) *cols = model->cols, lfm_model_destroy(model);
  lfm_config_destroy(config);
  return status;
}

static void columns_are_told_behind_waves(void **state) {
  (void)state;
  folder here = folder_create();
  int64_t cols = 0;
  OK(import_seen(&here, 1 + 2 + 2 * 5, 2, "waves=5", &cols));
  assert_int_equal(cols, 2);
  OK(import_seen(&here, 1 + 3 * (1 + 2 * 5), 3, "waves=5", &cols));
  assert_int_equal(cols, 3);
  OK(import_seen(&here, 1 + 3, 3, "waves=0", &cols));
  assert_int_equal(cols, 3);
  FAILS(LFM_E_FORMAT, import_seen(&here, 1 + 3 * (1 + 2 * 5) + 1, 3, "waves=5", &cols));
  assert_says("[hidden_dim, 1 + columns + waves]");
  folder_remove(&here);
}

/* The network is made so that they do; and what a configuration does not say of a step would be a guess. */
static void a_step_says_how_its_waves_fade(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_table *table = gaussian_table(9, 2, 1);
  const char *path = inside(here.path, "w.safetensors");
  lfm_model *model = random_chain(
                table, KEYS("hks=[null]", "waves=5", "finest_wave=32", "interp=trig", "objective=residual", "wave_noise=0.2"),
                1.0),
            *imported;
  lfm_mlp_config network;
  OK(lfm_chain_mlp(model, &network));
  assert_near(network.waves.noise, 0.2, 0.0);
  OK(lfm_model_export(model, path));
  FAILS(LFM_E_USAGE, import_with(path,
                                 KEYS("hks=[null]", "hidden_dim=16", "num_hidden=2", "act=gelu", "waves=5", "finest_wave=32",
                                      "interp=trig", "objective=residual"),
                                 NULL, &imported));
  assert_says("wave_noise: is not in the configuration");
  lfm_import_options options;
  lfm_import_defaults(&options);
  options.config = model->config;
  OK(lfm_model_import(path, &options, &imported));
  assert_near(imported->config->wave_noise, 0.2, 0.0);
  lfm_model_destroy(imported);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
  folder_remove(&here);
}

/* Of one tensor list, flows and students alike: what the blocks are has to be what the configuration says, or a student would
 * be solved as a flow, and a flow be one step. */
static void students_are_no_flows(void **state) {
  (void)state;
  static const char *const all[] = {"flow", "meanflow", "residual", "reflow"};
  folder here = folder_create();
  lfm_table *table = gaussian_table(9, 2, 1);
  const char *path = inside(here.path, "w.safetensors"), *again = inside(here.path, "again.safetensors");
  lfm_model *model, *imported = NULL;
  lfm_import_options options;
  lfm_import_defaults(&options);
  for (int learnt = 0; learnt < 4; learnt++) {
    model = random_chain(table, KEYS("pool=ou"), 1.0);
    model->config->objective = (lfm_objective)learnt;
    OK(lfm_model_export(model, path));
    options.config = model->config;
    for (int asked = 0; asked < 4; asked++) {
      model->config->objective = (lfm_objective)asked;
      if (asked == learnt) OK(lfm_model_import(path, &options, &imported));
      else FAILS(LFM_E_FORMAT, lfm_model_import(path, &options, &imported));
      if (asked != learnt) assert_says(all[learnt]), assert_says(all[asked]);
      lfm_model_destroy(imported);
    }
    lfm_model_destroy(model);
  }
  /* Written anew by Python, which keeps the tensors alone. */
  model = random_chain(table, KEYS("objective=residual"), 1.0);
  options.config = model->config;
  model->span[0].left = 0.5;
  OK(lfm_model_export(model, path));
  archive_copy(path, again, NULL);
  OK(lfm_model_import(again, &options, &imported));
  lfm_model_destroy(imported);
  model->config->objective = LFM_OBJECTIVE_FLOW;
  FAILS(LFM_E_FORMAT, lfm_model_import(again, &options, &imported));
  assert_says("(by its spans)");
  lfm_model_destroy(model);
  lfm_table_destroy(table);
  folder_remove(&here);
}

/* Metadata are as hostile as the rest of a file. */
static void kept_columns_that_do_not_fit(void **state) {
  (void)state;
  const struct {
    const char *key, *value, *says;
  } cases[] = {
      {"column.1", "a", "two columns are named 'a'"}, {"decimals.1", "1e9", "'decimals.1'"}, {NULL, NULL, "'column.1'"}};
  folder here = folder_create();
  const char *path = inside(here.path, "w.safetensors");
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_archive *archive;
    const entry entries[] = {BLOCK("")};
    OK(lfm_archive_create(&archive));
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
      OK(lfm_archive_add(archive, entries[i].name, entries[i].dtype, entries[i].dims, entries[i].shape,
                         small_numbers(entries[i].dtype)));
    OK(lfm_archive_meta(archive, "column.0", "a"));
    OK(lfm_archive_meta(archive, "decimals.0", "2"));
    if (cases[k].key && strcmp(cases[k].key, "decimals.1") == 0) OK(lfm_archive_meta(archive, "column.1", "b"));
    if (cases[k].key) OK(lfm_archive_meta(archive, cases[k].key, cases[k].value));
    if (cases[k].key && strcmp(cases[k].key, "column.1") == 0) OK(lfm_archive_meta(archive, "decimals.1", "2"));
    OK(lfm_archive_write(archive, path));
    lfm_archive_destroy(archive);
    refuses(path, KEYS(NET), LFM_E_FORMAT, cases[k].says);
  }
  folder_remove(&here);
}

static void an_export_is_plain_tensors(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_table *table = table_with_constant();
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_archive *archive;
  const lfm_tensor *tensor;
  OK(lfm_model_export(model, inside(here.path, "weights.safetensors")));
  OK(lfm_archive_open(inside(here.path, "weights.safetensors"), &archive));
  assert_int_equal(lfm_archive_size(archive), 6 + 2 * 6);
  OK(lfm_archive_require(archive, "blocks.1.net.4.weight", LFM_F32, 2, (int64_t[]){3, 16}, &tensor));
  OK(lfm_archive_require(archive, "normaliser.mean", LFM_F64, 1, (int64_t[]){3}, &tensor));
  OK(lfm_archive_require(archive, "normaliser.inverse", LFM_F64, 2, (int64_t[]){3, 3}, &tensor));
  static const char *const ours[] = {"format", "config"};
  for (size_t k = 0; k < sizeof ours / sizeof *ours; k++) assert_null(lfm_archive_meta_find(archive, ours[k]));
  assert_string_equal(lfm_archive_meta_find(archive, "objective"), "flow");
  assert_string_equal(lfm_archive_meta_find(archive, "columns"), "4");
  assert_string_equal(lfm_archive_meta_find(archive, "column.0"), "a, \"b\"");
  assert_string_equal(lfm_archive_meta_find(archive, "decimals.2"), "3");
  lfm_archive_destroy(archive);
  lfm_model *loaded;
  FAILS(LFM_E_FORMAT, lfm_model_load(inside(here.path, "weights.safetensors"), &loaded)); /* no model without its config */
  assert_says("not an lfm model");
  lfm_model_destroy(model);
  lfm_table_destroy(table);
  folder_remove(&here);
}

/* What stood there is replaced, unless the writer has a reason to refuse. */
static void an_older_file_gives_way(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_table *table = gaussian_table(9, 2, 1);
  lfm_model *model = random_chain(table, NULL, 1.0);
  lfm_status (*const writers[])(const lfm_model *, const char *) = {lfm_model_write, lfm_model_export};
  for (int k = 0; k < 2; k++) {
    OK(lfm_file_write(inside(here.path, k ? "old1.safetensors" : "old0.safetensors"), "old", 3));
    OK(lfm_file_write(inside(here.path, "model.bin"), "mine", 4));
    FAILS(LFM_E_USAGE, writers[k](model, inside(here.path, "model.bin")));
    assert_says(".safetensors");
    FAILS(LFM_E_IO, writers[k](model, inside(here.path, "nowhere/model.safetensors")));
    assert_says("nowhere");
  }
  OK(lfm_model_write(model, inside(here.path, "old0.safetensors")));
  OK(lfm_model_write(model, inside(here.path, "new0.safetensors")));
  OK(lfm_model_export(model, inside(here.path, "old1.safetensors")));
  OK(lfm_model_export(model, inside(here.path, "new1.safetensors")));
  assert_true(same_bytes(inside(here.path, "old0.safetensors"), inside(here.path, "new0.safetensors")));
  assert_true(same_bytes(inside(here.path, "old1.safetensors"), inside(here.path, "new1.safetensors")));
  lfm_model *loaded;
  OK(lfm_model_load(inside(here.path, "old0.safetensors"), &loaded));
  lfm_model_destroy(loaded);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
  folder_remove(&here);
}

/* ---- columns and normaliser ---------------------------------------------------------------------------------- */

static void columns_get_their_names(void **state) {
  (void)state;
  folder here = folder_create();
  entry entries[] = {BLOCK("")};
  const char *path = inside(here.path, "w.safetensors");
  WRITE(path, entries);
  lfm_model *model;
  OK(import_with(path, KEYS(NET), NULL, &model));
  assert_string_equal(lfm_model_name(model, 1), "x1");
  lfm_model_destroy(model);
  OK(import_with(path, KEYS(NET), "Größe, b c", &model));
  assert_string_equal(lfm_model_name(model, 0), "Größe");
  assert_string_equal(lfm_model_name(model, 1), "b c");
  lfm_model_destroy(model);
  OK(import_with(path, KEYS(NET), " a  , b c ", &model));
  assert_string_equal(lfm_model_name(model, 0), "a");
  assert_string_equal(lfm_model_name(model, 1), "b c");
  lfm_model_destroy(model);
  static const char *const wrong[] = {"", "a", "a,", "a, ", ",b", " ,b", "a,b,c", "a,a", "a, a", "a ,a", "a,\xff"};
  for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
    FAILS(LFM_E_USAGE, import_with(path, KEYS(NET), wrong[k], &model));
    assert_null(model);
    assert_says("columns");
  }
  folder_remove(&here);
}

/* Mean and scale in torch's own floats; border 0 shows what the model makes of data. */
static void mean_and_scale_normalise(void **state) {
  (void)state;
  folder here = folder_create();
  const float mean[] = {1.5f, -2.0f};
  const double scale[] = {0.5, 4.0}, values[] = {2.0, 2.0, 1.5, -6.0}, expected[] = {1.0, 1.0, 0.0, -1.0};
  entry entries[] = {BLOCK(""), {"normaliser.mean", LFM_F32, 1, {2}, mean}, {"normaliser.scale", LFM_F64, 1, {2}, scale}};
  const char *path = inside(here.path, "w.safetensors");
  WRITE(path, entries);
  lfm_model *model;
  lfm_table *table, *states;
  lfm_push_options push;
  lfm_push_defaults(&push);
  OK(import_with(path, KEYS(NET), NULL, &model));
  OK(lfm_table_create(values, 2, 2, NULL, NULL, &table));
  OK(lfm_push(model, table, &push, &states, NULL));
  for (int i = 0; i < 4; i++) assert_near(states->values[i], expected[i], 0);
  assert_near(model->normaliser->logdet, -log(2.0), 1e-15);
  lfm_table_destroy(table);
  lfm_table_destroy(states);
  lfm_model_destroy(model);
  static const double bad[][2] = {{0, 1}, {1, -1}, {(double)NAN, 1}, {1, (double)INFINITY}, {1e-320, 1}};
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    entries[7].data = bad[k];
    WRITE(path, entries);
    refuses(path, KEYS(NET), LFM_E_FORMAT, "'normaliser.scale'");
  }
  entries[7] = (entry){"normaliser.scale", LFM_F64, 1, {3}, NULL};
  WRITE(path, entries);
  refuses(path, KEYS(NET), LFM_E_FORMAT, "tensor 'normaliser.scale' is F64 [3], expected F64 [2]");
  entries[7] = (entry){"normaliser.scale", LFM_F32, 1, {2}, scale};
  entries[6].name = NULL;
  WRITE(path, entries);
  refuses(path, KEYS(NET), LFM_E_FORMAT, "'normaliser.mean'");
  entries[6] = (entry){"normaliser.mean", LFM_F32, 1, {2}, mean};
  entries[7].name = NULL;
  WRITE(path, entries);
  refuses(path, KEYS(NET), LFM_E_FORMAT, "has no tensor 'normaliser.scale' (expected F32 [2])");
  entries[7].name = "normaliser.scale";
  entries[6] = (entry){"normaliser.forward", LFM_F64, 2, {2, 2}, NULL}; /* of the other form */
  WRITE(path, entries);
  refuses(path, KEYS(NET), LFM_E_FORMAT, "'normaliser.mean'");
  folder_remove(&here);
}

static char warned[256];
static void keep_warning(lfm_note_level level, const char *text, void *context) {
  (void)context;
  if (level == LFM_WARNING) snprintf(warned, sizeof warned, "%s", text);
}

static void a_normaliser_that_is_not_there_is_told(void **state) {
  (void)state;
  folder here = folder_create();
  entry entries[] = {BLOCK("")};
  lfm_model *model;
  WRITE(inside(here.path, "w.safetensors"), entries);
  lfm_notes_to(keep_warning, NULL);
  warned[0] = 0;
  OK(import_with(inside(here.path, "w.safetensors"), KEYS(NET), NULL, &model));
  assert_string_equal(warned, "");
  assert_int_equal(model->config->normalise, LFM_NORMALISE_NONE);
  lfm_model_destroy(model);
  OK(import_with(inside(here.path, "w.safetensors"), KEYS(NET, "normalise=standardise"), NULL, &model));
  assert_non_null(strstr(warned, "no normaliser"));
  assert_int_equal(model->config->normalise, LFM_NORMALISE_NONE);
  lfm_notes_to(NULL, NULL);
  lfm_model_destroy(model);
  folder_remove(&here);
}

/* ---- what does not fit --------------------------------------------------------------------------------------- */

static void faults_are_named(void **state) {
  (void)state;
  folder here = folder_create();
  const char *path = inside(here.path, "w.safetensors");
  float broken[16] = {0};
  broken[7] = NAN;
  const entry right[] = {BLOCK("")};
  static const struct {
    size_t at;
    entry with; /* without a name: left out */
    const char *says;
  } cases[] = {
      {2, {NULL, LFM_F32, 0, {0}, NULL}, "tensor 'net.2.weight' is missing (expected F32 [4, 4])"},
      {2, {"net.2.weight", LFM_F32, 2, {4, 5}, NULL}, "tensor 'net.2.weight' is F32 [4, 5], expected F32 [4, 4]"},
      {2, {"net.2.weight", LFM_F32, 1, {16}, NULL}, "tensor 'net.2.weight' is F32 [16], expected F32 [4, 4]"},
      {2, {"net.2.weight", LFM_F64, 2, {4, 4}, NULL}, "tensor 'net.2.weight' is F64 [4, 4], expected F32 [4, 4]"},
      {5, {"net.4.bias", LFM_F32, 1, {3}, NULL}, "tensor 'net.4.bias' is F32 [3], expected F32 [2]"},
      {5,
       {"net.4.bais", LFM_F32, 1, {2}, NULL},
       "tensor 'net.4.bias' is missing (expected F32 [2]); tensor \"net.4.bais\" has no place in this network"},
      {0, {"module.net.0.weight", LFM_F32, 2, {4, 3}, NULL}, "has no tensor 'net.0.weight'"},
      {0, {"net.0.weight", LFM_F32, 2, {4, 4}, NULL}, "tensor 'net.4.weight' is F32 [2, 4], expected F32 [3, 4]"},
      {0, {"net.0.weight", LFM_F32, 2, {4, 1}, NULL}, "expected [hidden_dim, 1 + columns]"},
      {0, {"net.0.weight", LFM_F32, 1, {12}, NULL}, "expected [hidden_dim, 1 + columns]"},
      {0, {"net.0.weight", LFM_F32, 2, {0, INT64_MAX / 8}, NULL}, "expected [hidden_dim, 1 + columns]"},
      {0, {"net.0.weight", LFM_F32, 2, {0, 3}, NULL}, "tensor 'net.0.weight' is F32 [0, 3], expected F32 [4, 3]"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    entry entries[sizeof right / sizeof *right];
    memcpy(entries, right, sizeof right);
    entries[cases[k].at] = cases[k].with;
    WRITE(path, entries);
    refuses(path, KEYS(NET), LFM_E_FORMAT, cases[k].says);
    assert_says("w.safetensors");
  }
  entry entries[] = {BLOCK(""), {"step", LFM_I64, 0, {0}, broken}};
  WRITE(path, entries);
  refuses(path, KEYS(NET), LFM_E_FORMAT, "tensor \"step\" has no place in this network");
  entries[6].name = NULL;
  entries[2].data = broken;
  WRITE(path, entries);
  refuses(path, KEYS(NET), LFM_E_FORMAT, "tensor 'net.2.weight' holds a number that is not finite");
  folder_remove(&here);
}

/* Against another network everything is wrong at once: what fits the line is named, the rest counted. */
static void many_faults_are_one_line(void **state) {
  (void)state;
  folder here = folder_create();
  const char *path = inside(here.path, "w.safetensors");
  const entry entries[] = {BLOCK("blocks.0."), BLOCK("blocks.1."), BLOCK("blocks.2.")};
  WRITE(path, entries);
  refuses(path, KEYS("hidden_dim=8", "num_hidden=3", "act=relu", "hks=[0.1, 0.2, null]"), LFM_E_FORMAT,
          "tensor 'blocks.0.net.0.weight' is F32 [4, 3], expected F32 [8, 3]; tensor 'blocks.0.net.0.bias' is");
  assert_says(" more like these");
  assert_true(strlen(lfm_error()) < 1000);
  /* A network that no memory holds is refused by the file's shapes, before memory is asked for it. */
  refuses(path, KEYS("hidden_dim=65536", "num_hidden=256", "act=relu", "hks=[0.1, 0.2, null]"), LFM_E_FORMAT,
          "expected F32 [65536, 3]");
  folder_remove(&here);
}

static void blocks_that_are_not_there(void **state) {
  (void)state;
  folder here = folder_create();
  const char *path = inside(here.path, "w.safetensors");
  static const char *const more[] = {"blocks.64.net.0.bias",
                                     "blocks.99999999999999999999.net.0.bias",
                                     "blocks.01.net.0.bias",
                                     "blocks.-1.net.0.bias",
                                     "blocks.",
                                     "blocks.1",
                                     "blocks.1net.0.bias"};
  for (size_t k = 0; k < sizeof more / sizeof *more; k++) {
    const entry entries[] = {BLOCK("blocks.0."), {more[k], LFM_F32, 1, {4}, NULL}};
    WRITE(path, entries);
    refuses(path, KEYS(NET), LFM_E_FORMAT, k < 2 ? "at most 64" : "has no place");
  }
  const entry gap[] = {BLOCK("blocks.0."), BLOCK("blocks.2.")}, late[] = {BLOCK("blocks.1.")};
  WRITE(path, gap);
  refuses(path, KEYS(NET, "hks=[0.1, 0.2, null]"), LFM_E_FORMAT, "tensor 'blocks.1.net.0.weight' is missing");
  WRITE(path, late);
  refuses(path, KEYS(NET, "hks=[0.1, null]"), LFM_E_FORMAT, "has no tensor 'blocks.0.net.0.weight'");
  folder_remove(&here);
}

static void the_configuration_has_to_say_the_network(void **state) {
  (void)state;
  folder here = folder_create();
  const char *path = inside(here.path, "w.safetensors");
  const entry entries[] = {BLOCK("blocks.0."), BLOCK("blocks.1.")};
  WRITE(path, entries);
  refuses(path, KEYS("num_hidden=2", "act=tanh", "hks=[0.1, null]"), LFM_E_USAGE, "hidden_dim");
  refuses(path, KEYS("hidden_dim=4", "act=tanh", "hks=[0.1, null]"), LFM_E_USAGE, "num_hidden");
  refuses(path, KEYS("hidden_dim=4", "num_hidden=2", "hks=[0.1, null]"), LFM_E_USAGE, "act");
  refuses(path, KEYS(NET), LFM_E_USAGE, "hks");
  refuses(path, KEYS(NET, "hks=[0.1, 0.2, null]"), LFM_E_FORMAT, "holds 2 blocks, but hks of the configuration makes 3");
  refuses(path, KEYS(NET, "hks=[0.1, null]", "schedule.c=0.1"), LFM_E_USAGE, "keep one");
  refuses(path, KEYS(NET, "schedule.blocks=2"), LFM_E_USAGE, "schedule.c: is not in the configuration");
  lfm_model *model;
  OK(import_with(path, KEYS(NET, "schedule.c=0.25"), NULL, &model)); /* of two blocks rho says nothing */
  assert_int_equal(model->config->blocks, 2);
  assert_near(model->config->hks[0], 0.25, 0);
  assert_true(isnan(model->config->hks[1]));
  lfm_model_destroy(model);
  lfm_import_options options;
  lfm_import_defaults(&options);
  FAILS(LFM_E_USAGE, lfm_model_import(path, &options, &model));
  assert_null(model);
  folder_remove(&here);
}

/* ---- hostile files and refused memory ------------------------------------------------------------------------- */

static void normalisers_that_do_not_fit(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_table *table = table_with_constant();
  lfm_model *model = random_chain(table, KEYS("normalise=whiten"), 1.0), *imported;
  lfm_import_options options;
  lfm_import_defaults(&options);
  options.config = model->config;
  OK(lfm_model_export(model, inside(here.path, "good.safetensors")));
  static const double zeros[16] = {0};
  static const int64_t falling[] = {2, 1, 0};
  static const lfm_tensor none = {.dtype = LFM_F64, .dims = 1, .shape = {0}, .data = zeros},
                          square = {.dtype = LFM_F64, .dims = 2, .shape = {4, 4}, .data = zeros},
                          late = {.dtype = LFM_I64, .dims = 1, .shape = {3}, .data = falling},
                          fewer = {.dtype = LFM_F64, .dims = 1, .shape = {2}, .data = zeros};
  const alteration changes[] = {
      {.name = "normaliser.varying"},
      {.name = "normaliser.constant"},
      {.name = "normaliser.mean"},
      {.name = "normaliser.logdet"},
      {.name = "normaliser.varying", .tensor = &late},
      {.name = "normaliser.constant", .tensor = &none},
      {.name = "normaliser.constant", .tensor = &square},
      {.name = "normaliser.constant", .tensor = &fewer},
      {.name = "normaliser.forward", .tensor = &square},
  };
  for (size_t k = 0; k < sizeof changes / sizeof *changes; k++) {
    archive_copy(inside(here.path, "good.safetensors"), inside(here.path, "bad.safetensors"), &changes[k]);
    FAILS(LFM_E_FORMAT, lfm_model_import(inside(here.path, "bad.safetensors"), &options, &imported));
    assert_null(imported);
    assert_says("normaliser.");
  }
  lfm_model_destroy(model);
  lfm_table_destroy(table);
  folder_remove(&here);
}

/* A fold of the last weights into the normaliser, say, that forgot the other tensors. */
static void normalisers_that_contradict_themselves(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_table *table = table_with_constant();
  static const char *const kinds[] = {"normalise=none", "normalise=standardise", "normalise=whiten"};
  for (int k = 0; k < 3; k++) {
    lfm_model *model = random_chain(table, KEYS(kinds[k]), 1.0), *imported = NULL;
    lfm_import_options options;
    lfm_import_defaults(&options);
    options.config = model->config;
    model->normaliser->inverse[4] *= 1.001;
    OK(lfm_model_export(model, inside(here.path, "w.safetensors")));
    FAILS(LFM_E_FORMAT, lfm_model_import(inside(here.path, "w.safetensors"), &options, &imported));
    assert_says("tensor 'normaliser.inverse' is not the inverse of 'normaliser.forward'");
    model->normaliser->inverse[4] /= 1.001, model->normaliser->logdet += 0.01;
    OK(lfm_model_export(model, inside(here.path, "w.safetensors")));
    FAILS(LFM_E_FORMAT, lfm_model_import(inside(here.path, "w.safetensors"), &options, &imported));
    assert_says("tensor 'normaliser.logdet' is not the log |det| of 'normaliser.forward'");
    assert_null(imported);
    lfm_model_destroy(model);
  }
  lfm_table_destroy(table);
  folder_remove(&here);
}

static void damaged_files(void **state) {
  (void)state;
  folder here = folder_create();
  const entry entries[] = {BLOCK("")};
  uint8_t *data;
  size_t size;
  lfm_model *model;
  WRITE(inside(here.path, "w.safetensors"), entries);
  OK(lfm_file_read(inside(here.path, "w.safetensors"), &data, &size));
  for (size_t cut = 0; cut < size; cut += 1 + size / 40) {
    OK(lfm_file_write(inside(here.path, "cut.safetensors"), data, cut));
    refuses(inside(here.path, "cut.safetensors"), KEYS(NET), LFM_E_FORMAT, "cut.safetensors");
  }
  lfm_free(data);
  FAILS(LFM_E_IO, import_with(inside(here.path, "absent.safetensors"), KEYS(NET), NULL, &model));
  assert_says("absent.safetensors");
  folder_remove(&here);
}

/* Other writers state no checksum: every altered byte of such a header is an error of the file, or harmless. */
static void altered_headers_without_a_checksum(void **state) {
  (void)state;
  folder here = folder_create();
  const float scale[] = {1.0f, 2.0f};
  const entry entries[] = {
      BLOCK(""), {"normaliser.mean", LFM_F32, 1, {2}, NULL}, {"normaliser.scale", LFM_F32, 1, {2}, scale}};
  const char *path = inside(here.path, "w.safetensors");
  uint8_t *data, *key;
  size_t size;
  lfm_model *model;
  WRITE(path, entries);
  OK(lfm_file_read(path, &data, &size));
  key = memmem(data, size, "lfm.crc32", 9);
  assert_non_null(key);
  memcpy(key, "not_crc32", 9);
  size_t end = (size_t)((uint8_t *)memmem(data, size, "}}", 2) - data) + 2;
  int refused = 0, tried = 0;
  for (size_t at = 0; at < end; at++)
    for (int bit = 0; bit < 8; bit += 3, tried++) {
      data[at] ^= (uint8_t)(1 << bit);
      remove(path);
      FILE *file = fopen(path, "wb"); /* a new file, and no lfm_file_write: nothing waits for the disk */
      assert_int_equal(fwrite(data, 1, size, file), size);
      fclose(file);
      lfm_status status = import_with(path, KEYS(NET), NULL, &model);
      data[at] ^= (uint8_t)(1 << bit);
      assert_true(status == LFM_OK ? model != NULL : status == LFM_E_FORMAT && !model);
      if (status == LFM_OK) lfm_model_destroy(model);
      else assert_says("w.safetensors"), refused++;
    }
  assert_in_range(refused, tried * 3 / 4, tried - 1);
  lfm_free(data);
  folder_remove(&here);
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  folder here = folder_create();
  lfm_table *table = table_with_constant();
  lfm_model *model = random_chain(table, KEYS("normalise=whiten"), 1.0), *imported = NULL;
  const entry scaled[] = {
      BLOCK(""), {"normaliser.mean", LFM_F32, 1, {2}, NULL}, {"normaliser.scale", LFM_F32, 1, {2}, (const float[]){1, 2}}};
  const char *path = inside(here.path, "w.safetensors"), *scaled_path = inside(here.path, "scaled.safetensors");
  lfm_config *net = config_of(KEYS(NET), NULL);
  const lfm_import_options options[] = {{model->config, "a,b,c,d"}, {net, "a,b"}};
  WRITE(scaled_path, scaled);
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_model_export(model, path);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !lfm_path_exists(path) && at < 1000));
  }
  for (int k = 0; k < 2; k++) {
    status = LFM_E_MEMORY;
    for (uint64_t at = 1; status != LFM_OK; at++) {
      lfm_alloc_fail_at(at);
      status = lfm_model_import(k ? scaled_path : path, &options[k], &imported);
      assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !imported && at < 1000));
    }
    lfm_alloc_fail_at(0);
    lfm_model_destroy(imported);
  }
  lfm_config_destroy(net);
  lfm_model_destroy(model);
  lfm_table_destroy(table);
  folder_remove(&here);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(torch_weights_give_torch_velocities),
      cmocka_unit_test(blocks_keep_their_order),
      cmocka_unit_test(an_export_imported_is_the_model),
      cmocka_unit_test(columns_are_told_behind_waves),
      cmocka_unit_test(a_step_says_how_its_waves_fade),
      cmocka_unit_test(students_are_no_flows),
      cmocka_unit_test(an_export_is_plain_tensors),
      cmocka_unit_test(kept_columns_that_do_not_fit),
      cmocka_unit_test(an_older_file_gives_way),
      cmocka_unit_test(columns_get_their_names),
      cmocka_unit_test(mean_and_scale_normalise),
      cmocka_unit_test(a_normaliser_that_is_not_there_is_told),
      cmocka_unit_test(faults_are_named),
      cmocka_unit_test(many_faults_are_one_line),
      cmocka_unit_test(blocks_that_are_not_there),
      cmocka_unit_test(the_configuration_has_to_say_the_network),
      cmocka_unit_test(normalisers_that_do_not_fit),
      cmocka_unit_test(normalisers_that_contradict_themselves),
      cmocka_unit_test(damaged_files),
      cmocka_unit_test(altered_headers_without_a_checksum),
      cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
