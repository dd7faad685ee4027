/* SPDX-License-Identifier: MIT
 *
 * judge.c -- a judge of pictures from outside: learnt under a meter, written to and read from one safetensors file.
 *   tensors    net.K.weight, net.K.bias   float32, as those of a torch.nn.Sequential (net/judge.c)
 *   metadata   format, channels, height, width, classes and the name of each
 * Here and not in metric, which sees neither the store nor the meter.
 */
#include "flow/judge.h"

#include "core/alloc.h"
#include "core/file.h"
#include "flow/chain.h"

#include <math.h>
#include <string.h>

#define FORMAT "lfm judge 1"

/* ---- learning ----------------------------------------------------------------------------------------------- */

void lfm_judge_defaults(lfm_judge_options *options) { *options = (lfm_judge_options){0}; }

static bool tick(const lfm_judge_progress *progress, void *context) {
  lfm_meter *meter = context;
  meter->at.loss = progress->loss;
  meter->at.valid_loss = progress->valid_loss;
  meter->at.total = progress->total;
  return lfm_meter_tick(meter, progress->done);
}

lfm_status lfm_judge_learn_under(lfm_meter *meter, const lfm_judge_options *options, lfm_judge **out,
                                 lfm_judge_result *result) {
  double begun = lfm_seconds();
  *result = (lfm_judge_result){0};
  meter->at.phase = LFM_PHASE_JUDGE;
  meter->at.block = meter->at.blocks = 0;
  meter->phase_begun = begun;
  meter->phase_first = 0;
  meter->last = 0.0;
  lfm_status status = lfm_judge_learn(options, tick, meter, out, result);
  meter->at.loss = meter->at.valid_loss = (double)NAN;
  result->seconds = lfm_seconds() - begun;
  return status;
}

lfm_status lfm_judge_train(const lfm_judge_options *options, lfm_judge **out, lfm_judge_result *result) {
  lfm_judge_result unasked;
  if (!result) result = &unasked;
  lfm_meter meter;
  lfm_meter_begin(&meter, options->progress, options->context);
  return lfm_judge_learn_under(&meter, options, out, result);
}

/* ---- a model to judge --------------------------------------------------------------------------------------- */

lfm_status lfm_judge_fits(const lfm_judge *judge, const lfm_model *model) {
  int32_t of[LFM_MOST_CLASSES];
  if (!model->picture) return lfm_fail(LFM_E_DATA, "judge: the model draws no pictures, of which alone it can judge");
  LFM_TRY(lfm_judge_check(judge, model->picture));
  lfm_images_match_classes(judge->picture, model->picture, of);
  for (int64_t k = 0; k < lfm_model_classes(model); k++)
    if (of[k] < 0)
      return lfm_fail(LFM_E_DATA, "judge: the model draws class '%s', which is none of the %lld that the judge learnt",
                      lfm_model_class(model, k), (long long)lfm_judge_classes(judge));
  return LFM_OK;
}

/* ---- the file ----------------------------------------------------------------------------------------------- */

static lfm_status add_all(const lfm_judge *judge, lfm_archive *archive) {
  LFM_TRY(lfm_archive_meta(archive, "format", FORMAT));
  LFM_TRY(lfm_chain_add_picture(judge->picture, archive));
  return lfm_chain_add_vector(judge->net, "", lfm_params_values(judge->params), archive);
}

lfm_status lfm_judge_writable(const char *path) {
  if (!lfm_path_ends_with(path, ".safetensors"))
    return lfm_fail(LFM_E_USAGE, "%s: a judge is a .safetensors file; give it that ending", path);
  return lfm_path_check_writable(path);
}

lfm_status lfm_judge_write(const lfm_judge *judge, const char *path) {
  lfm_archive *archive;
  LFM_TRY(lfm_judge_writable(path));
  LFM_TRY(lfm_archive_create(&archive));
  lfm_status status = add_all(judge, archive);
  if (status == LFM_OK) status = lfm_archive_write(archive, path);
  lfm_archive_destroy(archive);
  return status;
}

/* What it says that it is, before memory is asked for as many weights. */
static lfm_status read_kind(const lfm_archive *archive, lfm_images **picture) {
  const char *format = lfm_archive_meta_find(archive, "format"), *path = lfm_archive_path(archive);
  *picture = NULL;
  if (!format || strncmp(format, "lfm judge ", 10) != 0)
    return lfm_fail(LFM_E_FORMAT, "%s: a safetensors file, but not a judge (lfm features train makes one)", path);
  if (strcmp(format, FORMAT) != 0)
    return lfm_fail(LFM_E_UNSUPPORTED, "%s: is of format '%s'; this program reads '%s'", path, format, FORMAT);
  LFM_TRY(lfm_chain_read_picture(archive, picture));
  const lfm_images *p = *picture;
  if (p->classes < 2 || p->height > LFM_JUDGE_MOST_SIDE || p->width > LFM_JUDGE_MOST_SIDE)
    return lfm_fail(LFM_E_FORMAT, "%s: a judge of %lld classes of pictures of %lld x %lld; there is none", path,
                    (long long)p->classes, (long long)p->width, (long long)p->height);
  const lfm_tensor *widest;
  int64_t flat = 128 * ((p->height + 3) / 4) * ((p->width + 3) / 4);
  return lfm_archive_require(archive, "net.10.weight", LFM_F32, 2, (int64_t[]){LFM_JUDGE_WIDTH, flat}, &widest);
}

static lfm_status read_weights(lfm_judge *judge, const lfm_archive *archive) {
  int64_t count = lfm_net_param_count(judge->net), i = 0;
  float *values;
  LFM_TRY(LFM_ALLOC(&values, count));
  lfm_status status = lfm_chain_read_vector(judge->net, "", archive, values);
  while (status == LFM_OK && i < count && isfinite(values[i])) i++;
  if (status == LFM_OK && i < count)
    status = lfm_fail(LFM_E_FORMAT, "%s: holds a weight that is not finite", lfm_archive_path(archive));
  if (status == LFM_OK) lfm_judge_set(judge, values);
  lfm_free(values);
  return status;
}

lfm_status lfm_judge_read(const lfm_archive *archive, lfm_judge **out) {
  lfm_images *picture = NULL;
  *out = NULL;
  lfm_status status = read_kind(archive, &picture);
  if (status == LFM_OK) status = lfm_judge_create(picture, out);
  if (status == LFM_OK) status = read_weights(*out, archive);
  lfm_images_destroy(picture);
  if (status == LFM_OK) return LFM_OK;
  lfm_judge_destroy(*out);
  *out = NULL;
  return status;
}

lfm_status lfm_judge_load(const char *path, lfm_judge **out) {
  lfm_archive *archive;
  *out = NULL;
  lfm_status status = lfm_archive_open(path, &archive);
  if (status == LFM_E_FORMAT && !lfm_path_ends_with(path, ".safetensors")) /* the data, say, where the judge is due */
    return lfm_fail(status, "%s: is not a judge; a judge is the file that lfm features train writes", path);
  LFM_TRY(status);
  status = lfm_judge_read(archive, out);
  lfm_archive_destroy(archive);
  return status;
}
