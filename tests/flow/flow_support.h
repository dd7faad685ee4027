/* SPDX-License-Identifier: MIT
 *
 * flow_support.h -- what the tests of this room share: temporary folders, small tables and chains, and weights set by hand so
 * that a chain's map, log-determinant and density are known in closed form.
 */
#ifndef FLOW_SUPPORT_H
#define FLOW_SUPPORT_H

#include "support/near.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/file.h"
#include "core/rng.h"
#include "data/table.h"
#include "flow/chain.h"

#define OK(call) status_or_fail((call), LFM_OK, #call, __FILE__, __LINE__)
#define FAILS(expected, call) status_or_fail((call), (expected), #call, __FILE__, __LINE__)

static inline void status_or_fail(lfm_status status, lfm_status expected, const char *call, const char *file, int line) {
  if (status == expected) return;
  print_error("%s gave status %d, not %d: %s\n", call, (int)status, (int)expected, lfm_error());
  _fail(file, line);
}

#define assert_says(text) says_or_fail((text), __FILE__, __LINE__)
static inline void says_or_fail(const char *text, const char *file, int line) {
  if (strstr(lfm_error(), text)) return;
  print_error("'%s' is not in: %s\n", text, lfm_error());
  _fail(file, line);
}

/* ---- files --------------------------------------------------------------------------------------------------- */

typedef struct folder {
  char path[512];
} folder;

static inline folder folder_create(void) {
  folder made;
  const char *root = getenv("TMPDIR");
  snprintf(made.path, sizeof made.path, "%s/lfm-test-XXXXXX", root && *root ? root : "/tmp");
  assert_non_null(mkdtemp(made.path));
  return made;
}

static inline int remove_one(const char *path, const struct stat *about, int kind, struct FTW *at) {
  (void)about, (void)kind, (void)at;
  return remove(path);
}

static inline void folder_remove(const folder *made) { nftw(made->path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

/* FOLDER/NAME; eight may be in use at a time. */
static inline const char *inside(const char *path, const char *name) {
  static char out[8][2048];
  static int next;
  next = (next + 1) % 8;
  snprintf(out[next], sizeof out[next], "%s/%s", path, name);
  return out[next];
}

static inline bool same_bytes(const char *a, const char *b) {
  uint8_t *of_a, *of_b;
  size_t size_a, size_b;
  OK(lfm_file_read(a, &of_a, &size_a));
  OK(lfm_file_read(b, &of_b, &size_b));
  bool same = size_a == size_b && memcmp(of_a, of_b, size_a) == 0;
  lfm_free(of_a);
  lfm_free(of_b);
  return same;
}

/* ---- tables and configurations ------------------------------------------------------------------------------- */

/* Correlated columns: y_0 = z_0, y_j = 0.8 z_0 + 0.6 z_j, then 3 y + j. */
static inline lfm_table *gaussian_table(int64_t rows, int64_t cols, uint64_t seed) {
  lfm_table *table;
  float z[16];
  lfm_rng rng = {.seed = seed, .purpose = LFM_FOR_DATA};
  OK(lfm_table_make(rows, cols, &table));
  for (int64_t i = 0; i < rows; i++) {
    lfm_rng_normal(&rng, i, z, (size_t)cols);
    for (int64_t j = 0; j < cols; j++) {
      double y = j ? 0.8 * (double)z[0] + 0.6 * (double)z[j] : (double)z[0];
      table->values[i * cols + j] = 3.0 * y + (double)j;
    }
  }
  return table;
}

/* Square pictures of independent grey levels, normal about middle(picture, pixel); labels [rows] or NULL. */
static inline lfm_table *grey_pictures(int64_t rows, int64_t side, double (*middle)(int64_t picture, int64_t pixel),
                                       double spread, const int32_t *labels) {
  lfm_table *table;
  uint8_t *pixels;
  float z[64];
  int64_t dim = side * side;
  lfm_rng rng = {.seed = 3, .purpose = LFM_FOR_DATA};
  assert_true(dim <= 64);
  OK(LFM_ALLOC(&pixels, rows * dim));
  for (int64_t i = 0; i < rows; i++) {
    lfm_rng_normal(&rng, i, z, (size_t)dim);
    for (int64_t j = 0; j < dim; j++)
      pixels[i * dim + j] = (uint8_t)lround(fmin(fmax(middle(i, j) + spread * (double)z[j], 0), 255));
  }
  OK(lfm_table_create_pictures(pixels, rows, 1, side, side, labels, &table));
  lfm_free(pixels);
  return table;
}

/* "key=value" lines over a base, both ending with NULL; either may be NULL. */
static inline lfm_config *config_of(const char *const *base, const char *const *more) {
  lfm_config *config;
  OK(lfm_config_create(&config));
  for (; base && *base; base++) OK(lfm_config_set(config, *base));
  for (; more && *more; more++) OK(lfm_config_set(config, *more));
  return config;
}

/* A model of weights that were written elsewhere. */
static inline lfm_status import_with(const char *path, const char *const *keys, const char *columns, lfm_model **out) {
  lfm_import_options options;
  lfm_config *config = config_of(keys, NULL);
  memset(&options, 0xA5, sizeof options);
  lfm_import_defaults(&options);
  options.config = config;
  options.columns = columns;
  lfm_status status = lfm_model_import(path, &options, out);
  lfm_config_destroy(config);
  return status;
}

/* A refusal, its status, and what its line says beside the file. */
static inline void refuses(const char *path, const char *const *keys, lfm_status expected, const char *says) {
  lfm_model *model = (lfm_model *)&expected;
  FAILS(expected, import_with(path, keys, NULL, &model));
  assert_null(model);
  assert_says(says);
}

#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- chains -------------------------------------------------------------------------------------------------- */

/* A chain with torch's random weights, times `scale`; its normaliser is fitted on `table`. */
static inline lfm_model *random_chain(const lfm_table *table, const char *const *keys, double scale) {
  lfm_model *model;
  lfm_normaliser *normaliser;
  lfm_config *config = config_of(KEYS("hks=[0.2, null]", "hidden_dim=16", "num_hidden=2", "act=tanh"), keys);
  OK(lfm_normaliser_fit((lfm_normalise)config->normalise, table, &normaliser));
  OK(lfm_chain_create(config, table, normaliser, &model));
  for (int n = 0; n < model->blocks; n++) {
    lfm_params_init(model->params[n], 4, (uint32_t)n);
    float *weights = lfm_params_data(model->params[n]);
    for (int64_t i = 0; i < lfm_net_param_count(model->net); i++) weights[i] *= (float)scale;
    lfm_params_pack(model->params[n]);
  }
  lfm_config_destroy(config);
  return model;
}

/* One hidden layer of relu(x_j), relu(-x_j): v_j = rate x_j exactly, so x(1) = e^rate x(0) and log det = dim rate. */
static inline void set_linear_block(lfm_model *model, int n, double rate) {
  int64_t dim = lfm_net_dim(model->net);
  const lfm_tensor_info *first = lfm_net_tensor(model->net, 0), *last = lfm_net_tensor(model->net, 2);
  assert_int_equal(lfm_net_tensor_count(model->net), 4);
  float *weights = lfm_params_data(model->params[n]);
  memset(weights, 0, (size_t)lfm_net_param_count(model->net) * sizeof *weights);
  for (int64_t j = 0; j < dim; j++)
    for (int side = 0; side < 2; side++) {
      int64_t unit = 2 * j + side;
      weights[first->offset + unit * first->shape[1] + 1 + j] = side ? -1.0f : 1.0f; /* column 0 is t */
      weights[last->offset + j * last->shape[1] + unit] = (float)(side ? -rate : rate);
    }
  lfm_params_pack(model->params[n]);
}

/* v = 1e30 (x - 4) beyond 4, in one column: rows there cannot be solved; the others stay where they are. */
static inline lfm_model *walled_chain(const lfm_table *table) {
  lfm_model *model =
      random_chain(table, KEYS("hks=[null]", "hidden_dim=1", "num_hidden=1", "act=relu", "normalise=none"), 0.0);
  float *weights = lfm_params_data(model->params[0]);
  weights[lfm_net_tensor(model->net, 0)->offset + 1] = 1.0f;
  weights[lfm_net_tensor(model->net, 1)->offset] = -4.0f;
  weights[lfm_net_tensor(model->net, 2)->offset] = 1e30f;
  lfm_params_pack(model->params[0]);
  return model;
}

/* Blocks with those rates over data that the normaliser leaves alone: rates [blocks]. */
static inline lfm_model *linear_chain(const lfm_table *table, const double *rates, int blocks) {
  char hks[1024] = "hks=[", hidden[64];
  for (int n = 0; n < blocks; n++) strcat(hks, n == blocks - 1 ? "null]" : "0.1, ");
  snprintf(hidden, sizeof hidden, "hidden_dim=%d", 2 * (int)table->cols);
  lfm_model *model = random_chain(table, KEYS(hks, hidden, "num_hidden=1", "act=relu", "normalise=none"), 1.0);
  for (int n = 0; n < blocks; n++) set_linear_block(model, n, rates[n]);
  return model;
}

#endif
