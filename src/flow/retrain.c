/* SPDX-License-Identifier: MIT
 *
 * retrain.c -- see retrain.h.  [Ravuri and Vinyals 2019, the classification accuracy score]
 * A set that leaves out a part of a class, or draws it as another, teaches a worse judge, whatever its Frechet distance.  The
 * floor is a judge that learnt from as many real pictures; the caller asks for it in the same way and compares the two
 * picture by picture of the exam, which is sharper than two intervals.
 */
#include "flow/retrain.h"

#include "core/alloc.h"
#include "flow/judge.h"
#include "metric/confusion.h"

static lfm_status grade(const lfm_judge *judge, const lfm_table *exam, lfm_team *team, double *right, lfm_share *accuracy) {
  int32_t *truth = NULL, *said = NULL, classes = (int32_t)lfm_judge_classes(judge);
  float *logits = NULL;
  int64_t hits = 0;
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC_ROWS(&truth, exam->rows), done);
  LFM_TRY_GOTO(LFM_ALLOC_ROWS(&said, exam->rows), done);
  LFM_TRY_GOTO(LFM_ALLOC_ROWS(&logits, exam->rows * classes), done);
  LFM_TRY_GOTO(lfm_judge_truth(judge, exam, truth), done);
  LFM_TRY_GOTO(lfm_judge_ask(judge, exam->images, team, NULL, logits), done);
  LFM_TRY_GOTO(lfm_confusion_choose(logits, exam->rows, classes, said), done);
  for (int64_t i = 0; i < exam->rows; i++) hits += truth[i] == said[i], right[i] = truth[i] == said[i];
  *accuracy = lfm_summary_share(hits, exam->rows);
done:
  lfm_free(logits);
  lfm_free(said);
  lfm_free(truth);
  return status;
}

lfm_status lfm_retrain(const lfm_table *lessons, const lfm_table *exam, uint64_t seed, int threads, lfm_meter *meter,
                       double *right, lfm_share *accuracy) {
  lfm_judge *judge = NULL;
  lfm_team *team = NULL;
  lfm_judge_options options;
  lfm_judge_result result;
  lfm_judge_defaults(&options);
  options.train = lessons;
  options.seed = seed;
  options.threads = threads;
  lfm_status status = lfm_judge_learn_under(meter, &options, &judge, &result);
  if (status == LFM_OK) status = lfm_team_create(threads, &team);
  if (status == LFM_OK) status = grade(judge, exam, team, right, accuracy);
  lfm_team_destroy(team);
  lfm_judge_destroy(judge);
  return status;
}
