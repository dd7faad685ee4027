/* SPDX-License-Identifier: MIT
 *
 * judge.h -- inside of lfm_judge: a small classifier of labelled pictures.  What it says is the judge of generated pictures,
 * and what it makes of them, one layer earlier, the features of the Frechet distance.
 *   judge.c         asks it: features, logits, accuracy
 *   judge_learn.c   makes one of labelled pictures
 *   flow/judge.c    its file
 */
#ifndef LFM_METRIC_JUDGE_H
#define LFM_METRIC_JUDGE_H

#include "core/threads.h"
#include "data/table.h"
#include "metric/summary.h"
#include "net/net.h"

struct lfm_judge {
  lfm_images *picture; /* of no pictures: the size and the classes that it knows */
  lfm_net *net;
  lfm_params *params;
};

/* A judge of such pictures, whose weights are zeros, to be set: values [param_count of net]. */
lfm_status lfm_judge_create(const lfm_images *picture, lfm_judge **out);
void lfm_judge_set(lfm_judge *judge, const float *values);

/* LFM_E_DATA when there are no pictures (NULL), or others than the judge knows. */
lfm_status lfm_judge_check(const lfm_judge *judge, const lfm_images *images);

/* LFM_E_DATA when one has a label of a class that it has not learnt; without labels they may be asked of nothing. */
lfm_status lfm_judge_check_labels(const lfm_judge *judge, const lfm_images *images);

/* truth [rows] = which of the judge's classes each picture is of (lfm_images_match_classes).  LFM_E_DATA when there are no
 * labels, or one that it does not know. */
lfm_status lfm_judge_truth(const lfm_judge *judge, const lfm_table *table, int32_t *truth);

/* Every worker's run of the net. */
typedef struct lfm_jury {
  lfm_team *team;
  const lfm_net *net;
  lfm_run **runs; /* [size of the team] */
} lfm_jury;
lfm_status lfm_jury_create(lfm_team *team, const lfm_net *net, lfm_jury *out); /* to be released whatever is returned */
void lfm_jury_release(lfm_jury *jury);
/* features [count, LFM_JUDGE_WIDTH] and logits [count, classes]; either may be NULL. */
lfm_status lfm_jury_ask(const lfm_jury *jury, const lfm_params *params, const lfm_images *images, float *features,
                        float *logits);

/* The same by a judge of pictures that it knows. */
lfm_status lfm_judge_ask(const lfm_judge *judge, const lfm_images *images, lfm_team *team, float *features, float *logits);

/* What its logits [rows, classes] say beside the labels: confusion [classes, classes] as lfm_confusion_count. */
lfm_status lfm_judge_count(const lfm_judge *judge, const lfm_table *table, const float *logits, int64_t *confusion,
                           lfm_share *right);

/* Asked after every step and epoch; true stops, as LFM_E_INTERRUPTED. */
typedef struct lfm_judge_progress {
  int64_t done, total; /* steps */
  double loss;         /* running mean of the cross entropy, in nats */
  double valid_loss;   /* of the epoch before; NAN in the first */
} lfm_judge_progress;
typedef bool (*lfm_judge_tick_fn)(const lfm_judge_progress *progress, void *context);

/* Fills all of the result but seconds. */
lfm_status lfm_judge_learn(const lfm_judge_options *options, lfm_judge_tick_fn tick, void *context, lfm_judge **out,
                           lfm_judge_result *result);

#endif
