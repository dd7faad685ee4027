/* SPDX-License-Identifier: MIT
 *
 * judge_learn.c -- a judge of labelled pictures: cross entropy by AdamW, batches of 128, the rate falling along a cosine, and
 * the weights of the epoch that is right most often on pictures held out (of equals, the one of the smaller loss).
 * Each epoch shows a picture shifted by up to two pixels, its edge repeated, and, where it is asked for, in a mirror half of
 * the time: drawn by (seed, epoch, picture).  A batch is cut into lanes that are the same for any number of threads, as
 * flow/step.c does, so the weights are, too.
 */
#include "core/alloc.h"
#include "core/rng.h"
#include "data/pixels.h"
#include "metric/confusion.h"
#include "metric/judge.h"
#include "net/optim.h"
#include "net/schedule.h"

#include <math.h>
#include <string.h>

enum { BATCH = 128, LANE = 32, LANES = BATCH / LANE, SHIFT = 2, EPOCHS = 10, WARMUP = 50 };
static const double RATE = 2e-3, DECAY = 1e-2;

typedef struct learner {
  const lfm_judge_options *options;
  const lfm_table *train, *valid;
  lfm_table *split_train, *split_valid; /* owned, where a tenth is held out */
  lfm_judge *judge;
  lfm_team *team;
  lfm_params *params; /* at work; the judge's are the best so far */
  lfm_optim *optim;
  lfm_jury jury;
  lfm_run **runs;  /* [size of the team], of LANE pictures */
  float **plain;   /* [size of the team][numbers of a picture] */
  float **grads;   /* [LANES][param_count] */
  int32_t *labels; /* [pictures to learn from] the judge's classes */
  int32_t *truth;  /* [pictures held out] likewise */
  int32_t *said;
  float *logits; /* [pictures held out, classes] */
  int64_t *confusion;
  double lane_loss[LANES];
  int64_t epoch, batch; /* at work */
  lfm_judge_progress progress;
} learner;

static int64_t epochs_of(const learner *l) { return l->options->epochs ? l->options->epochs : EPOCHS; }

/* ---- pictures to learn from, and held out ------------------------------------------------------------------- */

static lfm_status check_options(const lfm_judge_options *o) {
  if (!o->train) return lfm_fail(LFM_E_USAGE, "judge: pictures to learn from are missing");
  if (o->epochs < 0 || o->epochs > LFM_JUDGE_MOST_EPOCHS)
    return lfm_fail(LFM_E_USAGE, "judge: %d epochs; up to %d are possible", o->epochs, LFM_JUDGE_MOST_EPOCHS);
  if (!o->train->images) return lfm_fail(LFM_E_DATA, "judge: the data are columns of numbers; pictures are due");
  if (!o->train->images->labels || o->train->images->classes < 2)
    return lfm_fail(LFM_E_DATA, "judge: %s; it learns to tell labelled classes apart",
                    o->train->images->labels ? "all pictures are of one class" : "the pictures have no labels");
  if (o->train->rows >= (o->valid ? 1 : 2)) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "judge: %lld pictures are too few to learn from", (long long)o->train->rows);
}

static lfm_status split(learner *l) {
  const lfm_table *all = l->options->train;
  l->train = all, l->valid = l->options->valid;
  if (l->valid) return LFM_OK;
  lfm_rng rng = {.seed = l->options->seed, .purpose = LFM_FOR_SPLIT};
  int64_t held = all->rows / 10 ? all->rows / 10 : 1, *order;
  LFM_TRY(LFM_ALLOC_ROWS(&order, all->rows));
  for (int64_t i = 0; i < all->rows; i++) order[i] = lfm_rng_permute(&rng, 0, all->rows, i);
  lfm_status status = lfm_table_take(all, order + held, all->rows - held, &l->split_train);
  if (status == LFM_OK) status = lfm_table_take(all, order, held, &l->split_valid);
  lfm_free(order);
  l->train = l->split_train, l->valid = l->split_valid;
  return status;
}

static lfm_status prepare_rows(learner *l) {
  LFM_TRY(split(l));
  LFM_TRY(lfm_judge_create(l->train->images, &l->judge));
  LFM_TRY(lfm_judge_check(l->judge, l->valid->images));
  int64_t classes = l->judge->picture->classes, held = l->valid->rows;
  LFM_TRY(LFM_ALLOC_ROWS(&l->labels, l->train->rows));
  LFM_TRY(LFM_ALLOC_ROWS(&l->truth, held));
  LFM_TRY(LFM_ALLOC_ROWS(&l->said, held));
  LFM_TRY(lfm_alloc_rows(&l->logits, (size_t)held, (size_t)classes * sizeof *l->logits));
  LFM_TRY(LFM_ALLOC(&l->confusion, classes * classes));
  LFM_TRY(lfm_judge_truth(l->judge, l->train, l->labels));
  return lfm_judge_truth(l->judge, l->valid, l->truth);
}

static lfm_status prepare_work(learner *l) {
  const lfm_net *net = l->judge->net;
  lfm_optim_config optim;
  lfm_optim_defaults(&optim);
  optim.decoupled_decay = true;
  optim.weight_decay = DECAY;
  LFM_TRY(lfm_team_create(l->options->threads, &l->team));
  LFM_TRY(lfm_params_create(net, &l->params));
  LFM_TRY(lfm_optim_create(net, &optim, &l->optim));
  LFM_TRY(lfm_jury_create(l->team, net, &l->jury));
  int size = lfm_team_size(l->team);
  LFM_TRY(LFM_ALLOC(&l->runs, size));
  LFM_TRY(LFM_ALLOC(&l->plain, size));
  LFM_TRY(LFM_ALLOC(&l->grads, LANES));
  for (int i = 0; i < size; i++) LFM_TRY(lfm_run_create(net, LFM_RUN_TRAIN, LANE, &l->runs[i]));
  for (int i = 0; i < size; i++) LFM_TRY(LFM_ALLOC(&l->plain[i], lfm_net_dim(net)));
  for (int i = 0; i < LANES; i++) LFM_TRY(LFM_ALLOC(&l->grads[i], lfm_net_param_count(net)));
  lfm_params_init(l->params, l->options->seed, 0);
  lfm_optim_restart(l->optim, l->params);
  return LFM_OK;
}

static void release(learner *l) {
  int size = l->team ? lfm_team_size(l->team) : 0;
  for (int i = 0; l->grads && i < LANES; i++) lfm_free(l->grads[i]);
  for (int i = 0; l->plain && i < size; i++) lfm_free(l->plain[i]);
  for (int i = 0; l->runs && i < size; i++) lfm_run_destroy(l->runs[i]);
  lfm_free(l->grads);
  lfm_free(l->plain);
  lfm_free(l->runs);
  lfm_jury_release(&l->jury);
  lfm_optim_destroy(l->optim);
  lfm_params_destroy(l->params);
  lfm_team_destroy(l->team);
  lfm_free(l->confusion);
  lfm_free(l->logits);
  lfm_free(l->said);
  lfm_free(l->truth);
  lfm_free(l->labels);
  lfm_judge_destroy(l->judge);
  lfm_table_destroy(l->split_valid);
  lfm_table_destroy(l->split_train);
}

/* ---- a step ------------------------------------------------------------------------------------------------- */

static int64_t clamped(int64_t i, int64_t count) { return i < 0 ? 0 : i < count ? i : count - 1; }

/* to = from, moved by (down, right); what comes in is the edge. */
static void shift(const lfm_images *images, const float *from, int64_t down, int64_t right, float *to) {
  int64_t height = images->height, width = images->width;
  for (int64_t c = 0; c < images->channels; c++, from += height * width)
    for (int64_t y = 0; y < height; y++)
      for (int64_t x = 0; x < width; x++) *to++ = from[clamped(y - down, height) * width + clamped(x - right, width)];
}

/* Picture i as this epoch sees it. */
static void show(const learner *l, int64_t i, float *plain, float *x) {
  const lfm_images *images = l->train->images;
  lfm_pixels how = {.flip = l->options->flip, .seed = l->options->seed, .step = (uint32_t)l->epoch};
  lfm_rng rng = {.seed = l->options->seed, .purpose = LFM_FOR_SHIFT, .step = (uint32_t)l->epoch};
  lfm_pixels_to_row(images, i, &how, plain);
  int64_t down = (int64_t)((2 * SHIFT + 1) * lfm_rng_uniform(&rng, i, 0)) - SHIFT;
  int64_t right = (int64_t)((2 * SHIFT + 1) * lfm_rng_uniform(&rng, i, 1)) - SHIFT;
  shift(images, plain, down, right, x);
}

/* -log of the softmax's share of `label`; and, unless NULL, weight times its gradient. */
static double cross_entropy(const float *logits, int64_t classes, int32_t label, double weight, float *gradient) {
  double most = (double)logits[0], sum = 0;
  for (int64_t k = 1; k < classes; k++) most = fmax(most, (double)logits[k]);
  for (int64_t k = 0; k < classes; k++) sum += exp((double)logits[k] - most);
  for (int64_t k = 0; gradient && k < classes; k++)
    gradient[k] = (float)(weight * (exp((double)logits[k] - most) / sum - (k == label)));
  return log(sum) + most - (double)logits[label];
}

static lfm_status run_lane(void *context, int worker, int64_t lane) {
  learner *l = context;
  lfm_run *run = l->runs[worker];
  const lfm_net *net = l->judge->net;
  lfm_rng rng = {.seed = l->options->seed, .purpose = LFM_FOR_BATCH};
  int64_t dim = lfm_net_dim(net), classes = lfm_net_out(net), rows[LANE];
  for (int64_t i = 0; i < LANE; i++) {
    int64_t place = (l->batch * BATCH + lane * LANE + i) % l->train->rows;
    rows[i] = lfm_rng_permute(&rng, l->epoch, l->train->rows, place);
    show(l, rows[i], l->plain[worker], (float *)lfm_run_x(run) + i * dim);
  }
  LFM_TRY(lfm_run_forward(run, l->params));
  const float *v = lfm_run_v(run);
  float *dv = lfm_run_dv(run);
  l->lane_loss[lane] = 0;
  for (int64_t i = 0; i < LANE; i++)
    l->lane_loss[lane] += cross_entropy(v + i * classes, classes, l->labels[rows[i]], 1.0 / BATCH, dv + i * classes) / BATCH;
  return lfm_run_backward(run, l->params, l->grads[lane], false);
}

static lfm_status step(learner *l, double rate) {
  double norm, loss = 0;
  LFM_TRY(lfm_team_run(l->team, LANES, run_lane, l));
  for (int lane = 0; lane < LANES; lane++) loss += l->lane_loss[lane];
  LFM_TRY(lfm_optim_step(l->optim, l->team, l->params, &(lfm_gradient){l->grads, LANES, NULL}, rate, 0, &norm));
  lfm_judge_progress *p = &l->progress;
  p->done++;
  p->loss = isnan(p->loss) ? loss : p->loss + 0.02 * (loss - p->loss);
  return LFM_OK;
}

/* ---- epochs ------------------------------------------------------------------------------------------------- */

static lfm_status validate(learner *l, lfm_share *right, double *loss) {
  int64_t classes = l->judge->picture->classes, held = l->valid->rows;
  LFM_TRY(lfm_jury_ask(&l->jury, l->params, l->valid->images, NULL, l->logits));
  LFM_TRY(lfm_confusion_choose(l->logits, held, (int32_t)classes, l->said));
  LFM_TRY(lfm_confusion_count(l->truth, l->said, held, (int32_t)classes, l->confusion, right));
  *loss = 0;
  for (int64_t i = 0; i < held; i++)
    *loss += cross_entropy(l->logits + i * classes, classes, l->truth[i], 0, NULL) / (double)held;
  return LFM_OK;
}

static lfm_status train_epoch(learner *l, const lfm_lr *rate, int64_t batches, lfm_judge_tick_fn tick, void *context) {
  for (l->batch = 0; l->batch < batches; l->batch++) {
    LFM_TRY(step(l, lfm_lr_at(rate, l->progress.done)));
    if (tick && tick(&l->progress, context)) return lfm_fail(LFM_E_INTERRUPTED, "stopped; nothing of it is kept");
  }
  return LFM_OK;
}

static lfm_status learn(learner *l, lfm_judge_tick_fn tick, void *context, lfm_judge_result *result) {
  int64_t batches = (l->train->rows + BATCH - 1) / BATCH, total = batches * epochs_of(l);
  lfm_lr rate = {.base = RATE, .warmup = total / 10 < WARMUP ? total / 10 : WARMUP, .cosine = true, .total = total};
  lfm_share right, best = {.count = -1};
  double loss, best_loss = INFINITY;
  l->progress = (lfm_judge_progress){.total = total, .loss = NAN, .valid_loss = NAN};
  for (l->epoch = 0; l->epoch < epochs_of(l); l->epoch++) {
    LFM_TRY(train_epoch(l, &rate, batches, tick, context));
    LFM_TRY(validate(l, &right, &loss));
    l->progress.valid_loss = loss;
    if (right.count < best.count || (right.count == best.count && !(loss < best_loss))) continue;
    best = right, best_loss = loss;
    result->best_epoch = (int)l->epoch + 1;
    lfm_judge_set(l->judge, lfm_params_values(l->params));
  }
  result->valid = best;
  result->epochs = (int)epochs_of(l);
  result->loss = best_loss;
  result->pictures = l->train->rows;
  return LFM_OK;
}

lfm_status lfm_judge_learn(const lfm_judge_options *options, lfm_judge_tick_fn tick, void *context, lfm_judge **out,
                           lfm_judge_result *result) {
  learner l = {.options = options};
  *out = NULL;
  LFM_TRY(check_options(options));
  lfm_status status = prepare_rows(&l);
  if (status == LFM_OK) status = prepare_work(&l);
  if (status == LFM_OK) status = learn(&l, tick, context, result);
  if (status == LFM_OK) *out = l.judge, l.judge = NULL;
  release(&l);
  return status;
}
