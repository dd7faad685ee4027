/* SPDX-License-Identifier: MIT
 *
 * bench_subject.c -- what is timed where there is nothing to train on: a trainer before its first step, or the model of one,
 * over rows that mean nothing.
 * The rows are N(0, I), pictures and episodes noise: the cost of a step does not depend on what they say, only on their
 * shape, which a preset's data set decides and the list below knows.  The trainer is the real one, made from the preset's
 * keys as lfm train makes it; a network set up for timing alone was refused, since it would drift from what training runs.
 * The data sets' files are not asked for either: a figure is to be had on any machine.
 */
#include "flow/bench_subject.h"

#include "core/alloc.h"
#include "core/rng.h"
#include "data/table.h"

#include <stdio.h>
#include <string.h>

/* The rows of the data sets that the presets are for: columns; or channels, height and width of pictures; or, of
 * demonstrations, numbers of an observation and an action. */
static const struct {
  const char *begins;
  int64_t shape[3];
  int64_t demos[2];
} presets[] = {{"bsds300", {63}, {0}},
               {"miniboone", {43}, {0}},
               {"gas", {8}, {0}},
               {"power", {6}, {0}},
               {"tree", {2}, {0}},
               {"rose", {2}, {0}},
               {"fashion", {1, 28, 28}, {0}},
               {"mnist", {1, 28, 28}, {0}},
               {"cifar10", {3, 32, 32}, {0}},
               {"imagenet32", {3, 32, 32}, {0}},
               {"flowers128", {3, 128, 128}, {0}},
               {"lift", {0}, {19, 7}},
               {"can", {0}, {23, 7}},
               {"square", {0}, {23, 7}},
               {"pusht", {0}, {5, 2}}};

bool lfm_bench_is_bf16(const lfm_bench_options *options) {
  return options->precision && strcmp(options->precision, "bf16") == 0;
}

/* ---- rows that mean nothing ---------------------------------------------------------------------------------- */

static lfm_status make_rows(int64_t rows, int64_t dim, lfm_table **out) {
  float z[64];
  lfm_rng rng = {.purpose = LFM_FOR_DATA, .step = 1};
  LFM_TRY(lfm_table_make(rows, dim, out));
  for (int64_t i = 0; i < rows; i++) {
    lfm_rng_normal(&rng, i, z, (size_t)dim);
    for (int64_t j = 0; j < dim; j++) (*out)->values[i * dim + j] = (double)z[j];
  }
  return LFM_OK;
}

static lfm_status make_pictures(int64_t count, const int64_t *shape, bool labelled, lfm_table **out) {
  lfm_images *images = NULL;
  lfm_rng rng = {.purpose = LFM_FOR_DATA, .step = 1};
  lfm_status status = lfm_images_make(count, shape[0], shape[1], shape[2], &images);
  if (status == LFM_OK && labelled) status = lfm_images_label(images, 10);
  if (status != LFM_OK) {
    lfm_images_destroy(images);
    return status;
  }
  for (size_t i = 0, bytes = (size_t)count * lfm_images_row_size(images); i < bytes; i++)
    images->pixels[i] = (uint8_t)(256 * lfm_rng_uniform(&rng, (int64_t)i, 0));
  return lfm_table_of_images(images, out);
}

/* Episodes of noise, of as many windows or more. */
static lfm_status make_demos(int64_t windows, const int64_t *shape, lfm_table **out) {
  enum { EPISODES = 20 };
  lfm_demos *demos;
  lfm_rng rng = {.purpose = LFM_FOR_DATA, .step = 1};
  int64_t each = windows / EPISODES + 32;
  LFM_TRY(lfm_demos_make(EPISODES, EPISODES * each, shape[0], shape[1], &demos));
  demos->kind = shape[1] % LFM_ARM_ACTION ? LFM_ACTION_PLAIN : LFM_ACTION_POSE;
  for (int64_t e = 0; e < EPISODES; e++) demos->ends[e] = (e + 1) * each;
  for (int64_t i = 0; i < demos->steps * shape[0]; i++) demos->obs[i] = lfm_rng_uniform(&rng, i, 0);
  for (int64_t i = 0; i < demos->steps * shape[1]; i++) demos->actions[i] = lfm_rng_uniform(&rng, i, 1);
  return lfm_table_of_demos(demos, out);
}

/* ---- the subject --------------------------------------------------------------------------------------------- */

/* The keys, and the shape of the rows; the caller destroys *out all the same. */
static lfm_status configure(const char *preset, const lfm_bench_options *options, int64_t shape[3], int64_t demos[2],
                            lfm_config **out) {
  bool is_number = !options->picture[0] && !options->picture[1] && !options->picture[2];
  if (!is_number && (options->picture[0] < 1 || options->picture[1] < 1 || options->picture[2] < 1))
    return lfm_fail(LFM_E_USAGE, "picture: %lldx%lldx%lld; channels, height and width are 1 or more",
                    (long long)options->picture[0], (long long)options->picture[1], (long long)options->picture[2]);
  memcpy(shape, options->picture, sizeof options->picture);
  memset(demos, 0, 2 * sizeof *demos);
  LFM_TRY(lfm_config_create(out));
  if (preset) LFM_TRY(lfm_config_preset(*out, preset));
  for (size_t k = 0; k < sizeof presets / sizeof *presets && preset && !options->picture[0]; k++)
    if (strncmp(preset, presets[k].begins, strlen(presets[k].begins)) == 0) {
      memcpy(shape, presets[k].shape, sizeof presets[k].shape);
      memcpy(demos, presets[k].demos, sizeof presets[k].demos);
    }
  for (int k = 0; k < options->set_count; k++) LFM_TRY(lfm_config_set(*out, options->sets[k]));
  if (lfm_bench_is_bf16(options)) (*out)->precision = LFM_PRECISION_BF16;
  if (!(*out)->max_batch.count) LFM_TRY(lfm_config_set(*out, "max_batch=200")); /* none are run, so none are timed */
  return shape[0] || demos[0] ? LFM_OK
                              : lfm_fail(LFM_E_USAGE, "preset %s: the columns of its data are not known here", preset);
}

lfm_status lfm_bench_make(const char *preset, const lfm_bench_options *options, lfm_bench_subject *s) {
  int64_t shape[3], demos[2];
  LFM_TRY(configure(preset, options, shape, demos, &s->config));
  int64_t batch = s->config->batch_size ? s->config->batch_size : 128;
  if (shape[1]) LFM_TRY(make_pictures(2 * batch, shape, s->config->conditional, &s->table));
  else if (demos[0]) LFM_TRY(make_demos(2 * batch, demos, &s->table));
  else LFM_TRY(make_rows(2 * batch + 20000, shape[0], &s->table));
  snprintf(s->name, sizeof s->name, "%lldx%lldx%lld", (long long)shape[0], (long long)shape[1], (long long)shape[2]);
  s->options = (lfm_train_options){.config = s->config, .train = s->table, .valid = s->table, .threads = options->threads};
  return lfm_trainer_create(&s->options, &s->trainer);
}

void lfm_bench_drop(lfm_bench_subject *s) {
  lfm_trainer_destroy(s->trainer);
  lfm_table_destroy(s->table);
  lfm_config_destroy(s->config);
}

lfm_status lfm_bench_untrained(const lfm_bench_options *options, lfm_model **out) {
  lfm_bench_options floats = *options;
  lfm_bench_subject s = {0};
  *out = NULL;
  floats.precision = NULL; /* that of what is done with the model */
  lfm_status status = lfm_bench_make(options->preset, &floats, &s);
  if (status == LFM_OK) {
    *out = lfm_trainer_take_model(s.trainer);
    for (int n = 0; n < (*out)->blocks; n++) lfm_params_init((*out)->params[n], s.config->seed, (uint32_t)n);
  }
  lfm_bench_drop(&s);
  return status;
}
