/* SPDX-License-Identifier: MIT
 *
 * chain_file.c -- a chain written to and read from one safetensors file.
 *
 *   tensors    blocks.N.net.K.weight [out, in], .bias [out]    float32, the authors' names
 *              normaliser.{varying,constant,mean,forward,inverse,logdet}, and of normalise: radial normaliser.radial
 *   metadata   format, config (the resolved YAML), columns, column.K and decimals.K of each
 * What pictures and policies have in place of columns: lfm_chain_add_picture, chain_windows.c; a policy's guard:
 * chain_guard.c.
 * In Python: safetensors.torch.load_file(path) gives every weight under the name that the authors' modules use.
 * A checkpoint describes its chain by the same functions.  The network is made from the configuration and the tensors are
 * held to it: shapes are never guessed from a file, and no memory is asked for weights that it does not hold.
 */
#include "flow/chain.h"

#include "core/alloc.h"
#include "core/file.h"
#include "data/runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "lfm 1"

/* ---- the weights -------------------------------------------------------------------------------------------- */

static lfm_status tensor_name(char *out, size_t size, const char *prefix, const char *name) {
  int length = snprintf(out, size, "%s%s", prefix, name);
  return length > 0 && (size_t)length < size ? LFM_OK
                                             : lfm_fail(LFM_E_USAGE, "%s%s: the tensor's name is too long", prefix, name);
}

lfm_status lfm_chain_add_vector(const lfm_net *net, const char *prefix, const float *values, lfm_archive *archive) {
  for (int i = 0; i < lfm_net_tensor_count(net); i++) {
    const lfm_tensor_info *info = lfm_net_tensor(net, i);
    char name[160];
    LFM_TRY(tensor_name(name, sizeof name, prefix, info->name));
    LFM_TRY(lfm_archive_add(archive, name, LFM_F32, info->dims, info->shape, values + info->offset));
  }
  return LFM_OK;
}

lfm_status lfm_chain_read_vector(const lfm_net *net, const char *prefix, const lfm_archive *archive, float *values) {
  for (int i = 0; i < lfm_net_tensor_count(net); i++) {
    const lfm_tensor_info *info = lfm_net_tensor(net, i);
    const lfm_tensor *tensor;
    char name[160];
    LFM_TRY(tensor_name(name, sizeof name, prefix, info->name));
    LFM_TRY(lfm_archive_require(archive, name, LFM_F32, info->dims, info->shape, &tensor));
    memcpy(values + info->offset, tensor->data, (size_t)info->count * sizeof *values);
  }
  return LFM_OK;
}

lfm_status lfm_chain_add_block(const lfm_model *model, int n, lfm_archive *archive) {
  char prefix[32];
  snprintf(prefix, sizeof prefix, "blocks.%d.", n);
  return lfm_chain_add_vector(model->net, prefix, lfm_params_values(model->params[n]), archive);
}

lfm_status lfm_chain_read_block(lfm_model *model, int n, const lfm_archive *archive) {
  char prefix[32];
  snprintf(prefix, sizeof prefix, "blocks.%d.", n);
  int64_t count = lfm_net_param_count(model->net);
  float *values;
  LFM_TRY(LFM_ALLOC(&values, count));
  lfm_status status = lfm_chain_read_vector(model->net, prefix, archive, values);
  if (status == LFM_OK) lfm_params_set(model->params[n], values);
  lfm_free(values);
  return status;
}

/* ---- what is said of them ----------------------------------------------------------------------------------- */

/* The normaliser's arrays: one list for writing and reading. */
typedef struct field {
  const char *name;
  lfm_dtype dtype;
  int dims;
  int64_t shape[2];
  void *data;
} field;

enum { NORMALISER_FIELDS = 7 };

static int normaliser_fields(lfm_normaliser *normaliser, field out[NORMALISER_FIELDS]) {
  int64_t cols = normaliser->cols, dim = normaliser->dim;
  field fields[NORMALISER_FIELDS] = {
      {"normaliser.varying", LFM_I64, 1, {dim, 0}, normaliser->varying},
      {"normaliser.constant", LFM_F64, 1, {cols, 0}, normaliser->constant},
      {"normaliser.mean", LFM_F64, 1, {dim, 0}, normaliser->mean},
      {"normaliser.forward", LFM_F64, 2, {dim, dim}, normaliser->forward},
      {"normaliser.inverse", LFM_F64, 2, {dim, dim}, normaliser->inverse},
      {"normaliser.logdet", LFM_F64, 1, {1, 0}, &normaliser->logdet},
      {"normaliser.radial", LFM_F64, 1, {2, 0}, &normaliser->radial},
  };
  memcpy(out, fields, sizeof fields);
  return normaliser->kind == LFM_NORMALISE_RADIAL ? NORMALISER_FIELDS : NORMALISER_FIELDS - 1;
}

lfm_status lfm_chain_add_number(lfm_archive *archive, const char *key, int64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)number);
  return lfm_archive_meta(archive, key, text);
}

/* What a picture is in place of columns, and the classes, if any, by name. */
lfm_status lfm_chain_add_picture(const lfm_images *picture, lfm_archive *archive) {
  char key[32];
  LFM_TRY(lfm_chain_add_number(archive, "channels", picture->channels));
  LFM_TRY(lfm_chain_add_number(archive, "height", picture->height));
  LFM_TRY(lfm_chain_add_number(archive, "width", picture->width));
  LFM_TRY(lfm_chain_add_number(archive, "classes", picture->classes));
  for (int64_t k = 0; k < picture->classes; k++) {
    snprintf(key, sizeof key, "class.%lld", (long long)k);
    LFM_TRY(lfm_archive_meta(archive, key, picture->class_names[k]));
  }
  return LFM_OK;
}

lfm_status lfm_chain_add_columns(const lfm_model *model, lfm_archive *archive) {
  char key[32];
  if (model->picture) return lfm_chain_add_picture(model->picture, archive);
  if (model->windows) return LFM_OK; /* they come with their units */
  LFM_TRY(lfm_chain_add_number(archive, "columns", model->cols));
  for (int64_t j = 0; j < model->cols; j++) {
    snprintf(key, sizeof key, "column.%lld", (long long)j);
    LFM_TRY(lfm_archive_meta(archive, key, model->names[j]));
    snprintf(key, sizeof key, "decimals.%lld", (long long)j);
    LFM_TRY(lfm_chain_add_number(archive, key, model->decimals[j]));
  }
  return LFM_OK;
}

lfm_status lfm_chain_add_plan(const lfm_model *model, lfm_archive *archive) {
  if (model->plan) LFM_TRY(lfm_archive_meta(archive, "plan", model->plan));
  if (lfm_chain_is_whole(model)) return LFM_OK;
  return lfm_archive_add(archive, LFM_CHAIN_SPANS, LFM_F64, 2, (int64_t[]){model->blocks, 2}, model->span);
}

lfm_status lfm_chain_describe(const lfm_model *model, lfm_archive *archive) {
  char *config;
  LFM_TRY(lfm_archive_meta(archive, "format", FORMAT));
  LFM_TRY(lfm_config_write_text(model->config, &config));
  lfm_status status = lfm_archive_meta(archive, "config", config);
  lfm_free(config);
  LFM_TRY(status);
  LFM_TRY(lfm_chain_add_plan(model, archive));
  LFM_TRY(lfm_chain_add_columns(model, archive));
  return lfm_chain_add_normaliser(model, archive);
}

lfm_status lfm_chain_add_normaliser(const lfm_model *model, lfm_archive *archive) {
  if (model->picture) return LFM_OK; /* follows from the configuration */
  if (model->windows) return lfm_chain_add_windows(model->windows, archive);
  field fields[NORMALISER_FIELDS];
  int count = normaliser_fields(model->normaliser, fields);
  for (int k = 0; k < count; k++)
    LFM_TRY(lfm_archive_add(archive, fields[k].name, fields[k].dtype, fields[k].dims, fields[k].shape, fields[k].data));
  return LFM_OK;
}

/* ---- and back ----------------------------------------------------------------------------------------------- */

/* A whole number of the metadata, within its limits. */
lfm_status lfm_chain_find_number(const lfm_archive *archive, const char *key, long low, long high, long *out) {
  const char *text = lfm_archive_meta_find(archive, key);
  char *end = NULL;
  *out = text ? strtol(text, &end, 10) : 0;
  if (!text || end == text || *end || *out < low || *out > high)
    return lfm_fail(LFM_E_FORMAT, "%s: metadata '%s' is missing or not a number of %ld to %ld; this is not a whole lfm model",
                    lfm_archive_path(archive), key, low, high);
  return LFM_OK;
}

lfm_status lfm_chain_find_column(const lfm_archive *archive, int64_t col, const char **name, int *decimals) {
  char key[32];
  long number;
  snprintf(key, sizeof key, "column.%lld", (long long)col);
  *name = lfm_archive_meta_find(archive, key);
  if (!*name) return lfm_fail(LFM_E_FORMAT, "%s: metadata '%s' is missing", lfm_archive_path(archive), key);
  snprintf(key, sizeof key, "decimals.%lld", (long long)col);
  LFM_TRY(lfm_chain_find_number(archive, key, -1, 400, &number));
  *decimals = (int)number;
  return LFM_OK;
}

/* The size, and no classes yet. */
static lfm_status read_size(const lfm_archive *archive, lfm_images **out) {
  long channels, height, width;
  LFM_TRY(lfm_chain_find_number(archive, "channels", 1, 3, &channels));
  LFM_TRY(lfm_chain_find_number(archive, "height", 1, LFM_IMAGES_MOST_SIDE, &height));
  LFM_TRY(lfm_chain_find_number(archive, "width", 1, LFM_IMAGES_MOST_SIDE, &width));
  if (channels == 2) return lfm_fail(LFM_E_FORMAT, "%s: pictures of 2 channels; 1 or 3 are due", lfm_archive_path(archive));
  return lfm_images_make(0, channels, height, width, out);
}

static lfm_status read_classes(const lfm_archive *archive, lfm_images *picture) {
  long classes;
  LFM_TRY(lfm_chain_find_number(archive, "classes", 0, LFM_MOST_CLASSES, &classes));
  if (classes) LFM_TRY(lfm_images_label(picture, classes));
  for (long k = 0; k < classes; k++) {
    char key[32];
    snprintf(key, sizeof key, "class.%ld", k);
    const char *name = lfm_archive_meta_find(archive, key);
    if (!name) return lfm_fail(LFM_E_FORMAT, "%s: metadata '%s' is missing", lfm_archive_path(archive), key);
    LFM_TRY(lfm_images_name_class(picture, k, name));
  }
  return LFM_OK;
}

lfm_status lfm_chain_read_picture(const lfm_archive *archive, lfm_images **out) {
  *out = NULL;
  LFM_TRY(read_size(archive, out));
  lfm_status status = read_classes(archive, *out);
  if (status == LFM_OK) return LFM_OK;
  lfm_images_destroy(*out);
  *out = NULL;
  return status;
}

static lfm_status read_schema(lfm_model *model, const lfm_archive *archive) {
  long cols;
  if (lfm_archive_meta_find(archive, "channels")) {
    LFM_TRY(lfm_chain_read_picture(archive, &model->picture));
    model->cols = (int64_t)lfm_images_row_size(model->picture);
    return LFM_OK;
  }
  if (lfm_archive_meta_find(archive, "action")) {
    LFM_TRY(lfm_chain_read_windows(archive, lfm_chain_horizons(model->config), &model->windows));
    model->cols = model->windows->horizons.prediction * model->windows->width;
    return LFM_OK;
  }
  LFM_TRY(lfm_chain_find_number(archive, "columns", 1, 1 << 20, &cols));
  LFM_TRY(lfm_chain_make_schema(model, cols));
  for (long j = 0; j < cols; j++) {
    const char *name;
    LFM_TRY(lfm_chain_find_column(archive, j, &name, &model->decimals[j]));
    LFM_TRY(lfm_alloc_text(&model->names[j], name));
  }
  return LFM_OK;
}

/* Column numbers that rise within the table's, and finite numbers. */
static lfm_status check_normaliser(const lfm_normaliser *normaliser, const field *fields, int count,
                                   const lfm_archive *archive) {
  for (int64_t k = 0, least = 0; k < normaliser->dim; least = normaliser->varying[k++] + 1)
    if (normaliser->varying[k] < least || normaliser->varying[k] >= normaliser->cols)
      return lfm_fail(
          LFM_E_FORMAT, "%s: tensor 'normaliser.varying' names column %lld; a number of %lld to %lld is due there",
          lfm_archive_path(archive), (long long)normaliser->varying[k], (long long)least, (long long)normaliser->cols - 1);
  for (int k = 0; k < count; k++) {
    const double *values = fields[k].data;
    int64_t numbers = fields[k].dtype == LFM_F64 ? fields[k].shape[0] * (fields[k].dims > 1 ? fields[k].shape[1] : 1) : 0;
    for (int64_t i = 0; i < numbers; i++)
      if (!isfinite(values[i]))
        return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' holds a number that is not finite", lfm_archive_path(archive),
                        fields[k].name);
  }
  return LFM_OK;
}

/* Somebody may have made them anew: what does not fit would draw and score other laws without a sign. */
static lfm_status check_agreement(const lfm_normaliser *normaliser, const lfm_archive *archive) {
  const char *wrong;
  LFM_TRY(lfm_normaliser_check(normaliser, &wrong));
  if (!wrong) return LFM_OK;
  if (strcmp(wrong, "forward") == 0)
    return lfm_fail(LFM_E_FORMAT, "%s: tensor 'normaliser.forward' mixes columns, which its 'normalise' key does not",
                    lfm_archive_path(archive));
  if (strcmp(wrong, "radial") == 0)
    return lfm_fail(LFM_E_FORMAT, "%s: tensor 'normaliser.radial' holds a number that is not positive, or too small",
                    lfm_archive_path(archive));
  return lfm_fail(LFM_E_FORMAT, "%s: tensor 'normaliser.%s' is not the %s of 'normaliser.forward'", lfm_archive_path(archive),
                  wrong, strcmp(wrong, "inverse") == 0 ? wrong : "log |det|");
}

lfm_status lfm_chain_read_normaliser(const lfm_archive *archive, lfm_normalise kind, int64_t cols, lfm_normaliser **out) {
  *out = NULL;
  const lfm_tensor *varying = lfm_archive_find(archive, "normaliser.varying");
  int64_t dim = varying && varying->dims == 1 ? varying->shape[0] : 0;
  if (dim < 1 || dim > cols)
    return lfm_fail(LFM_E_FORMAT, "%s: tensor 'normaliser.varying' is missing or too long", lfm_archive_path(archive));
  const lfm_tensor *tensor; /* in the file before memory is asked for as much */
  lfm_normaliser *normaliser;
  LFM_TRY(lfm_archive_require(archive, "normaliser.forward", LFM_F64, 2, (int64_t[]){dim, dim}, &tensor));
  LFM_TRY(lfm_normaliser_make(kind, cols, dim, &normaliser));
  field fields[NORMALISER_FIELDS];
  int count = normaliser_fields(normaliser, fields);
  lfm_status status;
  if (count < NORMALISER_FIELDS && lfm_archive_find(archive, "normaliser.radial"))
    LFM_TRY_GOTO(lfm_fail(LFM_E_FORMAT, "%s: has a tensor 'normaliser.radial', which its 'normalise' key does not ask for",
                          lfm_archive_path(archive)),
                 fail);
  for (int k = 0; k < count; k++) {
    LFM_TRY_GOTO(lfm_archive_require(archive, fields[k].name, fields[k].dtype, fields[k].dims, fields[k].shape, &tensor),
                 fail);
    memcpy(fields[k].data, tensor->data, (size_t)lfm_tensor_count(tensor) * lfm_dtype_size(tensor->dtype));
  }
  LFM_TRY_GOTO(check_normaliser(normaliser, fields, count, archive), fail);
  LFM_TRY_GOTO(check_agreement(normaliser, archive), fail);
  *out = normaliser;
  return LFM_OK;
fail:
  lfm_normaliser_destroy(normaliser);
  return status;
}

static lfm_status read_config(lfm_model *model, const lfm_archive *archive) {
  const char *text = lfm_archive_meta_find(archive, "config"), *format = lfm_archive_meta_find(archive, "format");
  if (!text || !format)
    return lfm_fail(LFM_E_FORMAT, "%s: a safetensors file, but not an lfm model (no 'config' in its metadata)",
                    lfm_archive_path(archive));
  if (strcmp(format, FORMAT) != 0)
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: is of format '%s'; this program reads '%s'", lfm_archive_path(archive), format,
                    FORMAT);
  LFM_TRY(lfm_config_create(&model->config));
  LFM_TRY(lfm_config_parse(model->config, text, strlen(text), lfm_archive_path(archive)));
  const lfm_config *config = model->config;
  bool is_deep = config->num_hidden >= 1 || config->network == LFM_NETWORK_UNET || config->network == LFM_NETWORK_UNET1D;
  if (config->blocks < 1 || config->hidden_dim < 1 || !is_deep)
    return lfm_fail(LFM_E_FORMAT, "%s: its configuration is not a resolved one", lfm_archive_path(archive));
  return LFM_OK;
}

/* A model file holds every block, a checkpoint one network at least: little memory is asked for weights that are not there.
 * Up to twice as many, what is missing is named. */
static lfm_status check_weights(const lfm_model *model, const lfm_archive *archive) {
  double held = 0.0, wanted = (double)lfm_net_param_count(model->net);
  int blocks = lfm_archive_find(archive, "place") ? 1 : model->config->blocks;
  for (int k = 0; k < lfm_archive_size(archive); k++) held += (double)lfm_tensor_count(lfm_archive_at(archive, k));
  if (wanted <= held && wanted * blocks <= 2.0 * held) return LFM_OK;
  return lfm_fail(LFM_E_FORMAT, "%s: its configuration asks for %d x %.0f weights, but it holds %.0f numbers in all",
                  lfm_archive_path(archive), blocks, wanted, held);
}

static lfm_status read_units(lfm_model *model, const lfm_archive *archive) {
  const lfm_config *config = model->config;
  if (model->picture)
    return lfm_normaliser_pixels(model->cols, config->dequantise == LFM_DEQUANTISE_UNIFORM, &model->normaliser);
  if (model->windows) return lfm_chain_units(model->windows, &model->normaliser);
  return lfm_chain_read_normaliser(archive, (lfm_normalise)config->normalise, model->cols, &model->normaliser);
}

/* Students that a configuration calls flows would be solved, and have a log p, without a sign.  A plan has a student before
 * each bar and one behind the last. */
static lfm_status check_students(const lfm_model *model, const lfm_archive *archive) {
  int students = 1;
  if (lfm_chain_is_flow(model))
    return lfm_fail(LFM_E_FORMAT,
                    "%s: holds students, one step a block (by its %s), but its configuration's objective is flow; take the "
                    "config.yaml of the distillation",
                    lfm_archive_path(archive), model->plan ? "plan" : LFM_CHAIN_SPANS);
  for (const char *at = model->plan; at && *at; at++) students += *at == '|';
  if (!model->plan || students == model->blocks) return LFM_OK;
  return lfm_fail(LFM_E_FORMAT, "%s: students and blocks differ in number: %d by metadata 'plan', and %d",
                  lfm_archive_path(archive), students, model->blocks);
}

lfm_status lfm_chain_read_plan(lfm_model *model, const lfm_archive *archive) {
  const lfm_tensor *tensor;
  const char *merged = lfm_archive_meta_find(archive, "plan");
  bool is_cut = lfm_archive_find(archive, LFM_CHAIN_SPANS);
  if (merged) LFM_TRY(lfm_alloc_text(&model->plan, merged));
  if (merged || is_cut) LFM_TRY(check_students(model, archive));
  if (!is_cut) return LFM_OK;
  LFM_TRY(lfm_archive_require(archive, LFM_CHAIN_SPANS, LFM_F64, 2, (int64_t[]){model->blocks, 2}, &tensor));
  memcpy(model->span, tensor->data, (size_t)model->blocks * sizeof *model->span);
  for (int n = 0; n < model->blocks; n++)
    if (!(model->span[n].left >= 0.0 && model->span[n].left < model->span[n].right && model->span[n].right <= 1.0))
      return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' holds no times between 0 and 1 for block %d", lfm_archive_path(archive),
                      LFM_CHAIN_SPANS, n + 1);
  return LFM_OK;
}

lfm_status lfm_chain_open(const lfm_archive *archive, lfm_model **out) {
  *out = NULL;
  lfm_model *model;
  LFM_TRY(LFM_ALLOC(&model, 1));
  lfm_status status;
  LFM_TRY_GOTO(read_config(model, archive), fail);
  LFM_TRY_GOTO(read_schema(model, archive), fail);
  LFM_TRY_GOTO(read_units(model, archive), fail);
  LFM_TRY_GOTO(lfm_chain_net(model, lfm_kernels_best(), false, &model->net), fail);
  LFM_TRY_GOTO(check_weights(model, archive), fail);
  LFM_TRY_GOTO(lfm_chain_make_blocks(model), fail);
  LFM_TRY_GOTO(lfm_chain_read_plan(model, archive), fail);
  *out = model;
  return LFM_OK;
fail:
  lfm_model_destroy(model);
  return status;
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static bool is_of_run(const char *path) {
  static const char *const signs[] = {"result.json", "checkpoint"};
  char folder[LFM_PATH_SIZE], sign[LFM_PATH_SIZE];
  bool found = false;
  const char *slash = strrchr(path, '/');
  if (strcmp(slash ? slash + 1 : path, "model.safetensors") != 0) return false;
  if (snprintf(folder, sizeof folder, "%s", path) >= LFM_PATH_SIZE) return false; /* is refused as too long */
  if (!lfm_path_parent(folder)) return false;
  for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
    found |= lfm_path_join(sign, sizeof sign, folder, signs[k]) == LFM_OK && lfm_path_exists(sign);
  return found;
}

lfm_status lfm_chain_writable(const char *path) {
  if (!lfm_path_ends_with(path, ".safetensors"))
    return lfm_fail(LFM_E_USAGE, "%s: the ending of such a file is .safetensors", path);
  if (is_of_run(path)) return lfm_fail(LFM_E_EXISTS, "%s: is the model of a run; name another file", path);
  return lfm_path_check_writable(path);
}

lfm_status lfm_chain_write(const lfm_model *model, const char *path) {
  lfm_archive *archive;
  LFM_TRY(lfm_archive_create(&archive));
  lfm_status status = lfm_chain_describe(model, archive);
  for (int n = 0; status == LFM_OK && n < model->blocks; n++) status = lfm_chain_add_block(model, n, archive);
  if (status == LFM_OK && model->guard) status = lfm_chain_add_guard(model->guard, archive);
  if (status == LFM_OK) status = lfm_archive_write(archive, path);
  lfm_archive_destroy(archive);
  return status;
}

lfm_status lfm_model_write(const lfm_model *model, const char *path) {
  LFM_TRY(lfm_chain_writable(path));
  return lfm_chain_write(model, path);
}

/* Of a folder in which runs lie: they have the models. */
static lfm_status refuse_runs(const char *folder, const char *what) {
  lfm_listing runs;
  LFM_TRY(lfm_runs_list(folder, &runs));
  lfm_status status = lfm_fail(LFM_E_IO, "%s: %s; a model is %s%s", folder, what,
                               runs.count ? "one of its runs, as " : "a run", runs.count ? runs.names[0] : " of lfm train");
  lfm_listing_free(&runs);
  return status;
}

/* Of a folder without a model: LFM_E_IO says what would make it one. */
static lfm_status refuse_folder(const char *folder) {
  lfm_runs_kind kind;
  LFM_TRY(lfm_runs_recognise(folder, &kind));
  switch (kind) {
  case LFM_RUNS_ONE:
    return lfm_fail(LFM_E_IO,
                    "%s: holds no model.safetensors; the run was stopped, and has one once --resume has finished it", folder);
  case LFM_RUNS_DISTILLATION:
    return lfm_fail(LFM_E_IO,
                    "%s: holds no model.safetensors; the distillation was stopped, and has one once lfm distill --resume has "
                    "finished it",
                    folder);
  case LFM_RUNS_SWEEP:
    return refuse_runs(folder, "is the folder of a sweep");
  case LFM_RUNS_NONE:
    break;
  }
  return refuse_runs(folder, "holds no model.safetensors");
}

lfm_status lfm_model_load(const char *path, lfm_model **out) {
  *out = NULL;
  char inside[LFM_PATH_SIZE];
  bool is_there;
  if (lfm_path_is_folder(path)) {
    LFM_TRY(lfm_path_join(inside, sizeof inside, path, "model.safetensors"));
    LFM_TRY(lfm_path_find(inside, &is_there));
    if (!is_there) return refuse_folder(path);
    path = inside;
  }
  lfm_archive *archive;
  lfm_status status = lfm_archive_open(path, &archive);
  if (status == LFM_E_FORMAT && !lfm_path_ends_with(path, ".safetensors")) /* the data, say, where the model is due */
    return lfm_fail(status, "%s: is not a model; a model is a run folder of lfm train, or model.safetensors in it", path);
  LFM_TRY(status);
  lfm_model *model = NULL;
  if (lfm_archive_find(archive, "place"))
    status = lfm_fail(LFM_E_FORMAT,
                      "%s: is a checkpoint; a model is the folder of a finished run, or model.safetensors in it", path);
  if (status == LFM_OK) status = lfm_chain_open(archive, &model);
  for (int n = 0; status == LFM_OK && n < model->blocks; n++) status = lfm_chain_read_block(model, n, archive);
  if (status == LFM_OK) status = lfm_chain_read_guard(archive, model);
  lfm_archive_destroy(archive);
  if (status == LFM_OK) *out = model;
  else lfm_model_destroy(model);
  return status;
}
