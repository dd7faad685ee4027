/* SPDX-License-Identifier: MIT
 *
 * network.c -- classification by a small MLP of src/net, the first output as the logit: 3 layers of 128 ReLU units, 30
 * epochs of AdamW with the rate falling along a cosine, the weights of the epoch with the best validation loss.
 * With two layers it saw a fifth less of the difference between a mixture and its fitted Gaussian; with GELU no more of that,
 * and a third less of the difference between MAGIC and a mixture of 10.
 */
#include "core/alloc.h"
#include "core/rng.h"
#include "metric/classifier.h"
#include "net/optim.h"

#include <math.h>
#include <string.h>

enum { BATCH = 256, EPOCHS = 30 };
static const double RATE = 2e-3;

typedef struct trainer {
  const lfm_split *split;
  lfm_rng rng;
  lfm_net *net;
  lfm_params *params, *best;
  lfm_run *train, *eval;
  lfm_optim *optim;
  lfm_team *team; /* of one: the rows are few */
  float *grads;
} trainer;

static lfm_status trainer_make(const lfm_split *split, uint64_t seed, trainer *t) {
  const lfm_mlp_config shape = {
      .dim = split->dim, .hidden_dim = 128, .num_hidden = 3, .act = {.kind = LFM_ACT_RELU, .beta = 1}};
  lfm_optim_config optim;
  lfm_optim_defaults(&optim);
  optim.decoupled_decay = true;
  optim.weight_decay = 1e-2;
  *t = (trainer){.split = split, .rng = {.seed = seed, .purpose = LFM_FOR_BATCH}};
  LFM_TRY(lfm_mlp_create(&shape, lfm_kernels_best(), &t->net));
  if (lfm_net_number_size(t->net) != sizeof(float)) { /* the double kernels, forced from outside */
    lfm_net_destroy(t->net);
    t->net = NULL;
    LFM_TRY(lfm_mlp_create(&shape, lfm_kernels_ref32(), &t->net));
  }
  LFM_TRY(lfm_params_create(t->net, &t->params));
  LFM_TRY(lfm_params_create(t->net, &t->best));
  LFM_TRY(lfm_run_create(t->net, LFM_RUN_TRAIN, BATCH, &t->train));
  LFM_TRY(lfm_run_create(t->net, LFM_RUN_EVAL, BATCH, &t->eval));
  LFM_TRY(lfm_optim_create(t->net, &optim, &t->optim));
  LFM_TRY(lfm_team_create(1, &t->team));
  LFM_TRY(LFM_ALLOC(&t->grads, lfm_net_param_count(t->net)));
  lfm_params_init(t->params, seed, 0);
  lfm_params_pack(t->params);
  lfm_optim_restart(t->optim, t->params);
  return LFM_OK;
}

static void trainer_release(trainer *t) {
  lfm_free(t->grads);
  lfm_team_destroy(t->team);
  lfm_optim_destroy(t->optim);
  lfm_run_destroy(t->eval);
  lfm_run_destroy(t->train);
  lfm_params_destroy(t->best);
  lfm_params_destroy(t->params);
  lfm_net_destroy(t->net);
}

/* One step on batch number `batch` of the epoch's order. */
static lfm_status step(trainer *t, int epoch, int64_t batch, double rate) {
  const lfm_split *split = t->split;
  float *x = lfm_run_x(t->train), *dv = lfm_run_dv(t->train);
  int64_t rows[BATCH];
  for (int64_t i = 0; i < BATCH; i++) {
    rows[i] = lfm_rng_permute(&t->rng, epoch, split->fit, (batch * BATCH + i) % split->fit);
    memcpy(x + i * split->dim, split->x + rows[i] * split->dim, (size_t)split->dim * sizeof *x);
  }
  memset(lfm_run_t(t->train), 0, BATCH * sizeof(float));
  LFM_TRY(lfm_run_forward(t->train, t->params));
  const float *v = lfm_run_v(t->train);
  memset(dv, 0, (size_t)(BATCH * split->dim) * sizeof *dv);
  for (int64_t i = 0; i < BATCH; i++) /* cross entropy by its logit */
    dv[i * split->dim] = (1 / (1 + expf(-v[i * split->dim])) - (float)split->label[rows[i]]) / BATCH;
  LFM_TRY(lfm_run_backward(t->train, t->params, t->grads, false));
  double norm;
  return lfm_optim_step(t->optim, t->team, t->params, &(lfm_gradient){&t->grads, 1, NULL}, rate, 0, &norm);
}

/* The logits of rows [begin, end) into said (may be NULL), and their mean cross entropy. */
static lfm_status judge(trainer *t, const lfm_params *params, int64_t begin, int64_t end, uint8_t *said, double *loss) {
  const lfm_split *split = t->split;
  float *x = lfm_run_x(t->eval);
  memset(lfm_run_t(t->eval), 0, BATCH * sizeof(float));
  memset(x, 0, (size_t)(BATCH * split->dim) * sizeof *x);
  *loss = 0;
  for (int64_t first = begin; first < end; first += BATCH) {
    int64_t count = end - first < BATCH ? end - first : BATCH;
    memcpy(x, split->x + first * split->dim, (size_t)(count * split->dim) * sizeof *x);
    LFM_TRY(lfm_run_forward(t->eval, params));
    const float *v = lfm_run_v(t->eval);
    for (int64_t i = 0; i < count; i++) {
      double logit = (double)v[i * split->dim], wrong = split->label[first + i] ? -logit : logit;
      *loss += (fmax(wrong, 0) + log1p(exp(-fabs(wrong)))) / (double)(end - begin);
      if (said) said[first + i] = logit > 0;
    }
  }
  return LFM_OK;
}

static lfm_status train(trainer *t) {
  int64_t batches = (t->split->fit + BATCH - 1) / BATCH, steps = batches * EPOCHS, done = 0;
  double best = INFINITY, loss;
  for (int epoch = 0; epoch < EPOCHS; epoch++) {
    for (int64_t batch = 0; batch < batches; batch++, done++)
      LFM_TRY(step(t, epoch, batch, RATE * 0.5 * (1 + cos(3.14159265358979 * (double)done / (double)steps))));
    LFM_TRY(judge(t, t->params, t->split->fit, t->split->valid, NULL, &loss));
    if (!(loss < best) && epoch > 0) continue;
    best = loss;
    lfm_params_copy(t->best, t->params);
  }
  return LFM_OK;
}

lfm_status lfm_network_classify(const lfm_split *split, uint64_t seed, uint8_t *said) {
  trainer t;
  double loss;
  lfm_status status = trainer_make(split, seed, &t);
  if (status == LFM_OK) status = train(&t);
  if (status == LFM_OK) status = judge(&t, t.best, split->fit, split->total, said, &loss);
  trainer_release(&t);
  return status;
}
