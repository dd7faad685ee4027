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
  LFM_TRY_GOTO(lfm_params_create(judge->net, &judge->params), fail);
  *out = judge;
  return LFM_OK;
fail:
  lfm_judge_destroy(judge);
  return status;
}

void lfm_judge_set(lfm_judge *judge, const float *values) { lfm_params_set(judge->params, values); }

void lfm_judge_destroy(lfm_judge *judge) {
  if (!judge) return;
  lfm_params_destroy(judge->params);
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

lfm_status lfm_judge_check(const lfm_judge *judge, const lfm_images *is) {
  const lfm_images *due = judge->picture;
  if (!is) return lfm_fail(LFM_E_DATA, "judge: the data are columns of numbers; pictures are due");
  if (lfm_images_same_shape(is, due)) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "judge: the pictures are %lld x %lld with %lld channels; it knows %lld x %lld with %lld",
                  (long long)is->width, (long long)is->height, (long long)is->channels, (long long)due->width,
                  (long long)due->height, (long long)due->channels);
}

lfm_status lfm_judge_check_labels(const lfm_judge *judge, const lfm_images *images) {
  int64_t stranger = images->labels ? lfm_images_find_stranger(judge->picture, images) : -1;
  if (stranger < 0) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "judge: picture %lld is of class '%s', which is none of the %lld that it learnt",
                  (long long)stranger + 1, images->class_names[images->labels[stranger]], (long long)judge->picture->classes);
}

lfm_status lfm_judge_truth(const lfm_judge *judge, const lfm_table *table, int32_t *truth) {
  const lfm_images *images = table->images;
  int32_t of[LFM_MOST_CLASSES];
  if (!images->labels) return lfm_fail(LFM_E_DATA, "judge: the pictures have no labels; nobody knows what is right");
  LFM_TRY(lfm_judge_check_labels(judge, images));
  lfm_images_match_classes(judge->picture, images, of);
  for (int64_t i = 0; i < images->count; i++) truth[i] = of[images->labels[i]];
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
  float *features, *logits;
} question;

/* Rows `first` .. of what the caller asked for. */
static void answer(float *said, int64_t first, int64_t count, int64_t cols, const float *from) {
  if (said) memcpy(said + first * cols, from, (size_t)(count * cols) * sizeof *said);
}

static lfm_status ask_part(void *context, int worker, int64_t part) {
  const question *q = context;
  lfm_run *run = q->jury->runs[worker];
  int64_t first = part * PART, left = q->images->count - first, count = left < PART ? left : PART;
  int64_t dim = lfm_net_dim(q->jury->net);
  float *x = lfm_run_x(run);
  for (int64_t i = 0; i < count; i++) lfm_pixels_to_row(q->images, first + i, NULL, x + i * dim);
  LFM_TRY(lfm_run_forward(run, q->params));
  answer(q->features, first, count, LFM_JUDGE_WIDTH, lfm_run_features(run));
  answer(q->logits, first, count, lfm_net_out(q->jury->net), lfm_run_v(run));
  return LFM_OK;
}

lfm_status lfm_jury_ask(const lfm_jury *jury, const lfm_params *params, const lfm_images *images, float *features,
                        float *logits) {
  question q = {jury, params, images, features, logits};
  return lfm_team_run(jury->team, (images->count + PART - 1) / PART, ask_part, &q);
}

lfm_status lfm_judge_ask(const lfm_judge *judge, const lfm_images *images, lfm_team *team, float *features, float *logits) {
  lfm_jury jury;
  lfm_status status = lfm_jury_create(team, judge->net, &jury);
  if (status == LFM_OK) status = lfm_jury_ask(&jury, judge->params, images, features, logits);
  lfm_jury_release(&jury);
  return status;
}

lfm_status lfm_judge_count(const lfm_judge *judge, const lfm_table *table, const float *logits, int64_t *confusion,
                           lfm_share *right) {
  int32_t *truth = NULL, *chosen = NULL, classes = (int32_t)judge->picture->classes;
  lfm_status status = LFM_ALLOC_ROWS(&truth, table->rows);
  if (status == LFM_OK) status = lfm_judge_truth(judge, table, truth);
  if (status == LFM_OK) status = LFM_ALLOC_ROWS(&chosen, table->rows);
  if (status == LFM_OK) status = lfm_confusion_choose(logits, table->rows, classes, chosen);
  if (status == LFM_OK) status = lfm_confusion_count(truth, chosen, table->rows, classes, confusion, right);
  lfm_free(chosen);
  lfm_free(truth);
  return status;
}

/* ---- for whoever has a table ----------------------------------------------------------------------------------- */

/* names NULL: f0, f1, ... */
static lfm_status to_table(const float *said, int64_t rows, int64_t cols, char *const *names, lfm_table **out) {
  char number[24];
  LFM_TRY(lfm_table_make(rows, cols, out));
  for (int64_t j = 0; j < cols; j++) {
    snprintf(number, sizeof number, "f%lld", (long long)j);
    LFM_TRY(lfm_table_rename(*out, j, names ? names[j] : number));
  }
  for (int64_t i = 0; i < rows * cols; i++) (*out)->values[i] = (double)said[i];
  return LFM_OK;
}

/* Of 0 where nobody knows what is right: that is no reason to withhold the features. */
static lfm_status count_right(const lfm_judge *judge, const lfm_table *pictures, const float *logits, lfm_share *right) {
  int64_t *confusion, classes = judge->picture->classes;
  const lfm_images *images = pictures->images;
  *right = (lfm_share){0};
  if (!images->labels) return LFM_OK;
  int64_t stranger = lfm_images_find_stranger(judge->picture, images);
  if (stranger >= 0) {
    lfm_note(LFM_NOTE, "judge: class '%s' is none of the %lld that it learnt, so nobody knows how often it is right",
             images->class_names[images->labels[stranger]], (long long)classes);
    return LFM_OK;
  }
  LFM_TRY(LFM_ALLOC(&confusion, classes * classes));
  lfm_status status = lfm_judge_count(judge, pictures, logits, confusion, right);
  lfm_free(confusion);
  return status;
}

static lfm_status ask(const lfm_judge *judge, const lfm_images *images, int threads, float **features, float **logits) {
  lfm_team *team;
  size_t rows = (size_t)images->count, classes = (size_t)judge->picture->classes;
  LFM_TRY(lfm_alloc_rows(features, rows, LFM_JUDGE_WIDTH * sizeof **features));
  LFM_TRY(lfm_alloc_rows(logits, rows, classes * sizeof **logits));
  LFM_TRY(lfm_team_create(threads, &team));
  lfm_status status = lfm_judge_ask(judge, images, team, *features, *logits);
  lfm_team_destroy(team);
  return status;
}

lfm_status lfm_judge_apply(const lfm_judge *judge, const lfm_table *pictures, int threads, lfm_table **features,
                           lfm_table **logits, lfm_share *right) {
  float *seen = NULL, *said = NULL;
  int64_t rows = pictures->rows, classes = judge->picture->classes;
  if (features) *features = NULL;
  if (logits) *logits = NULL;
  lfm_status status;
  LFM_TRY_GOTO(lfm_judge_check(judge, pictures->images), done);
  LFM_TRY_GOTO(ask(judge, pictures->images, threads, &seen, &said), done);
  if (right) LFM_TRY_GOTO(count_right(judge, pictures, said, right), done);
  if (features) LFM_TRY_GOTO(to_table(seen, rows, LFM_JUDGE_WIDTH, NULL, features), done);
  if (logits) LFM_TRY_GOTO(to_table(said, rows, classes, judge->picture->class_names, logits), done);
done:
  lfm_free(said);
  lfm_free(seen);
  if (status == LFM_OK) return LFM_OK;
  if (features) lfm_table_destroy(*features), *features = NULL;
  if (logits) lfm_table_destroy(*logits), *logits = NULL;
  return status;
}
