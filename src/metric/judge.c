/* SPDX-License-Identifier: MIT
 *
 * judge.c -- asks a judge: the features of pictures, its logits, and how often it is right.
 * A picture's numbers do not depend on the others, so parts of the table go to whoever is free and no byte depends on the
 * number of threads.
 */
#include "metric/judge.h"

#include "core/alloc.h"
#include "data/pixels.h"
#include "metric/confusion.h"

#include <stdio.h>
#include <string.h>

enum { PART = 64 }; /* pictures a run */

/* ---- the judge ----------------------------------------------------------------------------------------------- */

/* Where the kernels are forced to be those of doubles, a judge keeps to floats, which its file holds. */
static lfm_status create_net(const lfm_judge_config *config, lfm_net **out) {
  LFM_TRY(lfm_judge_net_create(config, lfm_kernels_best(), out));
  if (lfm_net_number_size(*out) == sizeof(float)) return LFM_OK;
  lfm_net_destroy(*out);
  return lfm_judge_net_create(config, lfm_kernels_ref32(), out);
}

lfm_status lfm_judge_create(const lfm_images *picture, lfm_judge **out) {
  lfm_judge *judge;
  lfm_status status;
  lfm_judge_config config = {picture->channels, picture->height, picture->width, picture->classes};
  *out = NULL;
  LFM_TRY(LFM_ALLOC(&judge, 1));
  LFM_TRY_GOTO(lfm_images_alike(picture, 0, &judge->picture), fail);
  LFM_TRY_GOTO(create_net(&config, &judge->net), fail);
  config.classes = 0;
  LFM_TRY_GOTO(create_net(&config, &judge->features), fail);
  LFM_TRY_GOTO(lfm_params_create(judge->net, &judge->params), fail);
  LFM_TRY_GOTO(lfm_params_create(judge->features, &judge->leading), fail);
  *out = judge;
  return LFM_OK;
fail:
  lfm_judge_destroy(judge);
  return status;
}

void lfm_judge_set(lfm_judge *judge, const float *values) {
  lfm_params_set(judge->params, values);
  lfm_params_set(judge->leading, values); /* the tensors of the last layer stand last */
}

void lfm_judge_destroy(lfm_judge *judge) {
  if (!judge) return;
  lfm_params_destroy(judge->leading);
  lfm_params_destroy(judge->params);
  lfm_net_destroy(judge->features);
  lfm_net_destroy(judge->net);
  lfm_images_destroy(judge->picture);
  lfm_free(judge);
}

void lfm_judge_picture(const lfm_judge *judge, int64_t *channels, int64_t *height, int64_t *width) {
  *channels = judge->picture->channels, *height = judge->picture->height, *width = judge->picture->width;
}

int64_t lfm_judge_classes(const lfm_judge *judge) { return judge->picture->classes; }

const char *lfm_judge_class(const lfm_judge *judge, int64_t label) {
  return label >= 0 && label < judge->picture->classes ? judge->picture->class_names[label] : NULL;
}

/* ---- pictures that it knows ---------------------------------------------------------------------------------- */

lfm_status lfm_judge_check(const lfm_judge *judge, const lfm_table *table) {
  const lfm_images *is = table->images, *due = judge->picture;
  if (!is) return lfm_fail(LFM_E_DATA, "judge: the data are columns of numbers; pictures are due");
  if (is->channels == due->channels && is->height == due->height && is->width == due->width) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "judge: the pictures are %lld x %lld with %lld channels; it knows %lld x %lld with %lld",
                  (long long)is->width, (long long)is->height, (long long)is->channels, (long long)due->width,
                  (long long)due->height, (long long)due->channels);
}

/* -1: none. */
static int32_t find_class(const lfm_images *known, const char *name, int64_t label) {
  char number[24];
  for (int64_t k = 0; k < known->classes; k++)
    if (strcmp(known->class_names[k], name) == 0) return (int32_t)k;
  snprintf(number, sizeof number, "%lld", (long long)label);
  return strcmp(number, name) == 0 && label < known->classes ? (int32_t)label : -1;
}

lfm_status lfm_judge_truth(const lfm_judge *judge, const lfm_table *table, int32_t *truth) {
  const lfm_images *images = table->images;
  int32_t of[LFM_IMAGES_MOST_CLASSES];
  if (!images->labels) return lfm_fail(LFM_E_DATA, "judge: the pictures have no labels; nobody knows what is right");
  for (int64_t k = 0; k < images->classes; k++) of[k] = find_class(judge->picture, images->class_names[k], k);
  for (int64_t i = 0; i < images->count; i++) {
    truth[i] = of[images->labels[i]];
    if (truth[i] < 0)
      return lfm_fail(LFM_E_DATA, "judge: picture %lld is of class '%s', which is none of the %lld that it learnt",
                      (long long)i + 1, images->class_names[images->labels[i]], (long long)judge->picture->classes);
  }
  return LFM_OK;
}

/* ---- asking -------------------------------------------------------------------------------------------------- */

lfm_status lfm_jury_create(lfm_team *team, const lfm_net *net, lfm_jury *out) {
  *out = (lfm_jury){.team = team, .net = net};
  LFM_TRY(LFM_ALLOC(&out->runs, lfm_team_size(team)));
  for (int i = 0; i < lfm_team_size(team); i++) LFM_TRY(lfm_run_create(net, LFM_RUN_EVAL, PART, &out->runs[i]));
  return LFM_OK;
}

void lfm_jury_release(lfm_jury *jury) {
  for (int i = 0; jury->runs && i < lfm_team_size(jury->team); i++) lfm_run_destroy(jury->runs[i]);
  lfm_free(jury->runs);
}

typedef struct question {
  const lfm_jury *jury;
  const lfm_params *params;
  const lfm_images *images;
  float *said;
} question;

static lfm_status ask_part(void *context, int worker, int64_t part) {
  const question *q = context;
  lfm_run *run = q->jury->runs[worker];
  int64_t first = part * PART, left = q->images->count - first, count = left < PART ? left : PART;
  int64_t dim = lfm_net_dim(q->jury->net), out = lfm_net_out(q->jury->net);
  float *x = lfm_run_x(run);
  for (int64_t i = 0; i < count; i++) lfm_pixels_to_row(q->images, first + i, NULL, x + i * dim);
  LFM_TRY(lfm_run_forward(run, q->params));
  memcpy(q->said + first * out, lfm_run_v(run), (size_t)(count * out) * sizeof *q->said);
  return LFM_OK;
}

lfm_status lfm_jury_ask(const lfm_jury *jury, const lfm_params *params, const lfm_images *images, float *said) {
  question q = {jury, params, images, said};
  return lfm_team_run(jury->team, (images->count + PART - 1) / PART, ask_part, &q);
}

/* *said [rows, columns of the net]: to be freed. */
static lfm_status ask(const lfm_judge *judge, const lfm_table *table, lfm_judge_what what, int threads, float **said) {
  const lfm_net *net = what == LFM_JUDGE_LOGITS ? judge->net : judge->features;
  lfm_team *team = NULL;
  lfm_jury jury = {0};
  LFM_TRY(lfm_judge_check(judge, table));
  LFM_TRY(lfm_alloc_rows(said, (size_t)table->rows, (size_t)lfm_net_out(net) * sizeof **said));
  lfm_status status = lfm_team_create(threads, &team);
  if (status == LFM_OK) status = lfm_jury_create(team, net, &jury);
  if (status == LFM_OK)
    status = lfm_jury_ask(&jury, what == LFM_JUDGE_LOGITS ? judge->params : judge->leading, table->images, *said);
  lfm_jury_release(&jury);
  lfm_team_destroy(team);
  if (status == LFM_OK) return LFM_OK;
  lfm_free(*said);
  *said = NULL;
  return status;
}

static lfm_status name_columns(const lfm_judge *judge, lfm_judge_what what, lfm_table *table) {
  char name[24];
  for (int64_t j = 0; j < table->cols; j++) {
    snprintf(name, sizeof name, "f%lld", (long long)j);
    LFM_TRY(lfm_table_rename(table, j, what == LFM_JUDGE_LOGITS ? judge->picture->class_names[j] : name));
  }
  return LFM_OK;
}

lfm_status lfm_judge_apply(const lfm_judge *judge, const lfm_table *pictures, lfm_judge_what what, int threads,
                           lfm_table **out) {
  float *said;
  *out = NULL;
  LFM_TRY(ask(judge, pictures, what, threads, &said));
  lfm_status status =
      lfm_table_make(pictures->rows, lfm_net_out(what == LFM_JUDGE_LOGITS ? judge->net : judge->features), out);
  if (status == LFM_OK) status = name_columns(judge, what, *out);
  for (int64_t i = 0; status == LFM_OK && i < (*out)->rows * (*out)->cols; i++) (*out)->values[i] = (double)said[i];
  lfm_free(said);
  if (status == LFM_OK) return LFM_OK;
  lfm_table_destroy(*out);
  *out = NULL;
  return status;
}

/* ---- is it right? -------------------------------------------------------------------------------------------- */

lfm_status lfm_judge_accuracy(const lfm_judge *judge, const lfm_table *pictures, int threads, lfm_accuracy *out) {
  float *said = NULL;
  int32_t *truth = NULL, *chosen = NULL, classes = (int32_t)judge->picture->classes;
  int64_t *confusion = NULL;
  lfm_share share;
  lfm_status status = lfm_judge_check(judge, pictures);
  if (status == LFM_OK) status = LFM_ALLOC_ROWS(&truth, pictures->rows);
  if (status == LFM_OK) status = lfm_judge_truth(judge, pictures, truth);
  if (status == LFM_OK) status = LFM_ALLOC_ROWS(&chosen, pictures->rows);
  if (status == LFM_OK) status = LFM_ALLOC(&confusion, (int64_t)classes * classes);
  if (status == LFM_OK) status = ask(judge, pictures, LFM_JUDGE_LOGITS, threads, &said);
  if (status == LFM_OK) status = lfm_confusion_choose(said, pictures->rows, classes, chosen);
  if (status == LFM_OK) status = lfm_confusion_count(truth, chosen, pictures->rows, classes, confusion, &share);
  if (status == LFM_OK) *out = (lfm_accuracy){share.count, share.hits, share.share, share.low, share.high};
  lfm_free(confusion);
  lfm_free(chosen);
  lfm_free(truth);
  lfm_free(said);
  return status;
}
