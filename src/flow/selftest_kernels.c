/* SPDX-License-Identifier: MIT
 *
 * selftest_kernels.c -- do the kernels that evaluate and train on this machine compute what they should?
 * Small networks of every kind with random weights run on each table that this machine uses, and in double precision on the
 * reference in plain C: v, of many rows and of one that the whole team makes; its trace; the gradient of the parameters, of
 * two passes the second of which adds, and of factors.  They are as large as it takes for real networks' kernels to be
 * chosen, which depends on shapes and processor alone: products of two halves and of tiles, whole ones and what is left of
 * them; Winograd's and Toom's convolutions, those of one tap and of stride 2; attention by heads that have a kernel, and by
 * products.
 *
 * How far a table may be off follows from its arithmetic (`allowed`).  The reference's gradients are held against finite
 * differences.  Results kept from another machine were refused: they would say that something differs, not what is right.
 */
#include "flow/selftest.h"

#include "core/alloc.h"
#include "core/rng.h"
#include "graph/factors.h"
#include "net/optim.h"

#include <stdio.h>
#include <string.h>

/* ---- networks ----------------------------------------------------------------------------------------------- */

/* A kind of data has a family of networks.  Runs have so many rows, those of traces fewer, with so many probes (0: exact). */
typedef struct family {
  const char *name;
  lfm_status (*create)(int variant, const lfm_kernels *kernels, lfm_net **out);
  int variants;
  int64_t rows, traced, probes;
  bool is_deep, has_factors;
} family;

static const lfm_act activations[] = {{LFM_ACT_GELU, 0}, {LFM_ACT_ELU, 0},  {LFM_ACT_RELU, 0}, {LFM_ACT_SOFTPLUS, 20},
                                      {LFM_ACT_SILU, 0}, {LFM_ACT_TANH, 0}, {LFM_ACT_MISH, 0}};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

/* Layers of 71 to 200, 200 to 200 and 200 to 70: above the 64 that halves take, no multiples of a tile's 32, and rows of a
 * gradient in strips of 128 (or 64) and what is left. */
static lfm_status create_plain_net(int variant, const lfm_kernels *kernels, lfm_net **out) {
  lfm_mlp_config config = {.dim = 70, .hidden_dim = 200, .num_hidden = 3, .act = activations[variant]};
  return lfm_mlp_create(&config, kernels, out);
}

/* In the plane and of three columns, with waves of both kinds of noise. */
static lfm_status create_waves_net(int variant, const lfm_kernels *kernels, lfm_net **out) {
  lfm_mlp_config config = {
      .dim = 2 + variant, .hidden_dim = 96, .num_hidden = 2, .act = activations[0], .waves = {33, 8, variant == 1}};
  return lfm_mlp_create(&config, kernels, out);
}

enum { WAVES = 2 };
static lfm_status create_table_net(int variant, const lfm_kernels *kernels, lfm_net **out) {
  return variant < ACTIVATIONS ? create_plain_net(variant, kernels, out)
                               : create_waves_net(variant - ACTIVATIONS, kernels, out);
}

/* 64 channels, two in a group, at 6 x 10 and 3 x 5 pixels, or 5 x 7, which fill no tiles of four.  Time scales and heads fill
 * vectors; or it is added and they do not. */
static lfm_status create_picture_net(int variant, const lfm_kernels *kernels, lfm_net **out) {
  bool first = variant == 0;
  lfm_unet2d_config config = {.channels = first ? 3 : 1,
                              .height = first ? 6 : 5,
                              .width = first ? 10 : 7,
                              .hidden_dim = 32,
                              .mult_count = first ? 2 : 1,
                              .mults = {2, 2},
                              .res_depth = 1,
                              .attention_count = first,
                              .attention = {6},
                              .num_head_channels = first ? 32 : 8,
                              .dropout = 0.1,
                              .scale_shift = first,
                              .classes = first ? 3 : 0};
  return lfm_unet2d_create(&config, kernels, out);
}

/* 32 channels on lines of 8 and 64 on lines of 4, which Toom's way takes differently. */
static lfm_status create_policy_net(int variant, const lfm_kernels *kernels, lfm_net **out) {
  (void)variant;
  lfm_unet1d_config config = {.length = 8,
                              .channels = 7,
                              .given = 12,
                              .hidden_dim = 32,
                              .mult_count = 2,
                              .mults = {1, 2},
                              .kernel_size = 5,
                              .groups = 8,
                              .step_embed_dim = 64};
  return lfm_unet1d_create(&config, kernels, out);
}

static const family families[] = {
    {"tables", create_table_net, ACTIVATIONS + WAVES, .rows = 40, .traced = 5, .has_factors = true},
    {"pictures", create_picture_net, 2, .rows = 2, .traced = 1, .probes = 2, .is_deep = true},
    {"policies", create_policy_net, 1, .rows = 3, .traced = 2, .probes = 4, .is_deep = true},
};
enum { FAMILIES = sizeof families / sizeof *families };

/* Numbers that look random, in (-1, 1) and exact in float: other ones for each purpose.  A million a network: as hashes of
 * their place, not from core/rng.h. */
enum { OF_T, OF_X, OF_GIVEN, OF_PROBE, OF_DV, OF_WEIGHT, OF_DIRECTION };

static double draw(uint64_t what, int64_t i) {
  uint64_t bits = ((uint64_t)i + 1) * 0x9E3779B97F4A7C15u + (what + 1) * 0xD1B54A32D192ED03u;
  bits ^= bits >> 29, bits *= 0xBF58476D1CE4E5B9u, bits ^= bits >> 32;
  return (double)(int64_t)(bits & 0xFFFF) / 32768.0 - 1.0 + 0x1p-17;
}

static void put(const lfm_net *net, void *array, int64_t i, double value) {
  if (lfm_net_number_size(net) == sizeof(float)) ((float *)array)[i] = (float)value;
  else ((double *)array)[i] = value;
}

static double get(const lfm_net *net, const void *array, int64_t i) {
  return lfm_net_number_size(net) == sizeof(float) ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

typedef struct instance { /* of a network, on a table */
  const family *of;
  int variant;
  lfm_net *net;
  lfm_params *params;
} instance;

static bool has_kink(const instance *it) {
  return it->of->create == create_table_net && it->variant < ACTIVATIONS && activations[it->variant].kind == LFM_ACT_RELU;
}

static void instance_drop(instance *it) {
  lfm_params_destroy(it->params);
  lfm_net_destroy(it->net);
}

/* Maps as torch starts them, norms near 1 and 0, biases small; and nothing at zero, where the last maps of a U-Net's branches
 * would start. */
static void fill_weights(const instance *it) {
  void *weights = lfm_params_data(it->params);
  for (int k = 0; k < lfm_net_tensor_count(it->net); k++) {
    const lfm_tensor_info *tensor = lfm_net_tensor(it->net, k);
    bool is_map = tensor->dims > 1, is_norm = !is_map && strstr(tensor->name, ".weight");
    int64_t fan_in = tensor->count / tensor->shape[0];
    double scale = is_map ? 1.0 / sqrt((double)fan_in) : 0.1;
    for (int64_t i = tensor->offset; i < tensor->offset + tensor->count; i++)
      put(it->net, weights, i, (double)(float)(is_norm + scale * draw(OF_WEIGHT, i)));
  }
  lfm_params_pack(it->params);
}

static lfm_status instance_create(const family *of, int variant, const lfm_kernels *kernels, instance *out) {
  *out = (instance){.of = of, .variant = variant};
  LFM_TRY(of->create(variant, kernels, &out->net));
  LFM_TRY(lfm_params_create(out->net, &out->params));
  fill_weights(out);
  return LFM_OK;
}

/* ---- runs --------------------------------------------------------------------------------------------------- */

/* Rows from number `first` on. */
static void fill(const instance *it, lfm_run *run, int64_t first) {
  const lfm_net *net = it->net;
  int64_t rows = lfm_run_rows(run), dim = lfm_net_dim(net), given = lfm_net_given(net), classes = lfm_net_classes(net);
  for (int64_t i = 0; i < rows; i++) put(net, lfm_run_t(run), i, 0.5 + 0.5 * draw(OF_T, first + i));
  for (int64_t i = 0; i < rows * dim; i++) put(net, lfm_run_x(run), i, 2.0 * draw(OF_X, first * dim + i));
  for (int64_t i = 0; i < rows * given; i++)
    put(net, lfm_run_given(run), i, classes ? (double)((first + i) % classes) : draw(OF_GIVEN, first * given + i));
}

/* Forward, and backward of the loss sum of dv v. */
static lfm_status pass(const instance *it, lfm_run *run, int64_t first, void *grads, bool accumulate) {
  static const lfm_rng dropout = {.seed = 3, .purpose = LFM_FOR_DROPOUT};
  int64_t dim = lfm_net_dim(it->net);
  lfm_run_dropout(run, &dropout);
  LFM_TRY(lfm_run_forward(run, it->params));
  for (int64_t i = 0; i < lfm_run_rows(run) * dim; i++) put(it->net, lfm_run_dv(run), i, draw(OF_DV, first * dim + i));
  return lfm_run_backward(run, it->params, grads, accumulate);
}

/* ---- what is compared --------------------------------------------------------------------------------------- */

/* v of training and of one row, a trace, and the gradient of lanes and of factors. */
enum { TRAINED, ALONE, TRACE, GRADIENT, FACTORED, RESULTS };

typedef struct findings {
  int64_t count[RESULTS];
  double *of[RESULTS]; /* NULL: there are none */
} findings;

static void findings_drop(findings *f) {
  for (int k = 0; k < RESULTS; k++) lfm_free(f->of[k]);
}

static lfm_status keep(const instance *it, const void *numbers, int64_t count, double scale, findings *out, int which) {
  out->count[which] = count;
  LFM_TRY(LFM_ALLOC(&out->of[which], count));
  for (int64_t i = 0; i < count; i++) out->of[which][i] = scale * get(it->net, numbers, i);
  return LFM_OK;
}

/* As a lane of two microbatches; the oracle, which is slow, makes one. */
static lfm_status train(const instance *it, findings *out) {
  size_t size = lfm_net_number_size(it->net);
  int64_t rows = it->of->rows, count = lfm_net_param_count(it->net);
  int passes = size == sizeof(double) ? 1 : 2;
  lfm_run *run = NULL;
  void *grads = NULL;
  lfm_status status;
  LFM_TRY_GOTO(lfm_run_create(it->net, LFM_RUN_TRAIN, rows, &run), done);
  LFM_TRY_GOTO(lfm_alloc_array(&grads, (size_t)count, size), done);
  fill(it, run, 0);
  for (int k = 0; k < passes; k++) LFM_TRY_GOTO(pass(it, run, 0, grads, k > 0), done);
  LFM_TRY_GOTO(keep(it, lfm_run_v(run), rows * lfm_net_dim(it->net), 1.0, out, TRAINED), done);
  LFM_TRY_GOTO(keep(it, grads, count, 1.0 / passes, out, GRADIENT), done);
done:
  lfm_free(grads);
  lfm_run_destroy(run);
  return status;
}

static lfm_status pass_parts(const instance *it, lfm_factors *factors, int parts) {
  int64_t rows = it->of->rows / parts;
  for (int part = 0; part < parts; part++) {
    lfm_run *run = NULL;
    lfm_status status;
    LFM_TRY_GOTO(lfm_run_create_part(it->net, factors, part, &run), done);
    fill(it, run, part * rows);
    LFM_TRY_GOTO(pass(it, run, part * rows, NULL, false), done);
  done:
    lfm_run_destroy(run);
    LFM_TRY(status);
  }
  return LFM_OK;
}

/* Without momentum the optimiser's first moment is the gradient; at a rate of zero the weights stay. */
static lfm_status train_by_factors(const instance *it, findings *out) {
  enum { PARTS = 2 };
  int64_t count = lfm_net_param_count(it->net);
  lfm_optim_config config;
  lfm_team *one = NULL; /* each worker would make products of its own: many workers, much to make */
  lfm_optim *optim = NULL;
  lfm_factors *factors = NULL;
  float *lane = NULL;
  double norm;
  lfm_status status;
  lfm_optim_defaults(&config);
  config.beta1 = 0.0;
  LFM_TRY_GOTO(lfm_team_create(1, &one), done);
  LFM_TRY_GOTO(lfm_optim_create(it->net, &config, &optim), done);
  LFM_TRY_GOTO(LFM_ALLOC(&lane, count), done);
  LFM_TRY_GOTO(lfm_net_factors(it->net, it->of->rows / PARTS, PARTS, 1, &factors), done);
  LFM_TRY_GOTO(pass_parts(it, factors, PARTS), done);
  lfm_gradient gradient = {.lanes = &lane, .count = 1, .factors = factors};
  status = lfm_optim_step(optim, one, it->params, &gradient, 0.0, 0.0, &norm);
  bool is_finite = status != LFM_E_NUMERIC;
  if (is_finite) LFM_TRY_GOTO(status, done);
  LFM_TRY_GOTO(keep(it, lfm_optim_first_moment(optim), count, is_finite ? 1.0 : (double)NAN, out, FACTORED), done);
done:
  lfm_factors_destroy(factors);
  lfm_free(lane);
  lfm_optim_destroy(optim);
  lfm_team_destroy(one);
  return status;
}

static lfm_status evaluate_alone(const instance *it, lfm_team *team, findings *out) {
  lfm_run *run = NULL;
  LFM_TRY(lfm_run_create_shared(it->net, team, 1, &run));
  fill(it, run, 0);
  lfm_status status = lfm_run_forward(run, it->params);
  if (status == LFM_OK) status = keep(it, lfm_run_v(run), lfm_net_dim(it->net), 1.0, out, ALONE);
  lfm_run_destroy(run);
  return status;
}

static lfm_status trace(const instance *it, findings *out) {
  int64_t rows = it->of->traced, probes = it->of->probes;
  lfm_run *run = NULL;
  LFM_TRY(probes ? lfm_run_create_probed(it->net, probes, rows, &run) : lfm_run_create(it->net, LFM_RUN_TRACE, rows, &run));
  fill(it, run, 0);
  for (int64_t i = 0; i < rows * probes * lfm_net_dim(it->net); i++) put(it->net, lfm_run_probes(run), i, draw(OF_PROBE, i));
  lfm_status status = lfm_run_forward(run, it->params);
  if (status == LFM_OK) status = keep(it, lfm_run_trace(run), probes ? rows * probes : rows, 1.0, out, TRACE);
  lfm_run_destroy(run);
  return status;
}

/* trains_only: it makes neither traces nor rows that stand alone. */
static lfm_status find(const instance *it, bool trains_only, lfm_team *team, findings *out) {
  bool is_float = lfm_net_number_size(it->net) == sizeof(float);
  LFM_TRY(train(it, out));
  if (it->of->has_factors && is_float) LFM_TRY(train_by_factors(it, out));
  if (trains_only) return LFM_OK;
  LFM_TRY(evaluate_alone(it, team, out));
  return trace(it, out);
}

/* ---- the oracle --------------------------------------------------------------------------------------------- */

typedef struct answer {
  instance it;
  findings right;
} answer;

struct lfm_oracle {
  answer *of;
  int count;
};

lfm_status lfm_oracle_create(lfm_team *team, lfm_oracle **out) {
  int count = 0;
  lfm_status status;
  for (int k = 0; k < FAMILIES; k++) count += families[k].variants;
  LFM_TRY(LFM_ALLOC(out, 1));
  LFM_TRY_GOTO(LFM_ALLOC(&(*out)->of, count), fail);
  for (int k = 0; k < FAMILIES; k++)
    for (int variant = 0; variant < families[k].variants; variant++) {
      answer *a = &(*out)->of[(*out)->count++];
      LFM_TRY_GOTO(instance_create(&families[k], variant, lfm_kernels_ref64(), &a->it), fail);
      LFM_TRY_GOTO(find(&a->it, false, team, &a->right), fail);
    }
  return LFM_OK;
fail:
  lfm_oracle_destroy(*out);
  *out = NULL;
  return status;
}

void lfm_oracle_destroy(lfm_oracle *oracle) {
  if (!oracle) return;
  for (int i = 0; i < oracle->count; i++) findings_drop(&oracle->of[i].right), instance_drop(&oracle->of[i].it);
  lfm_free(oracle->of);
  lfm_free(oracle);
}

/* ---- tables against it -------------------------------------------------------------------------------------- */

/* What rounding does at most, as a share of the largest number of an array; what a fault does is far above it.
 *   24 bits  a rounding is 2^-24.  Sums of some hundred terms, whose roundings partly cancel, and Winograd's points make ten
 *            of that: 8e-7 was seen, and in U-Nets, where tens of layers add up and norms divide by what is small, 6e-6
 *   17 bits  a term of a product loses up to 3 2^-18 (docs/decisions/split.md), 1.1e-5: 2e-5 was seen, in U-Nets 3e-5
 *    8 bits  what is stored loses up to 2^-9, 2e-3, on the way up and on the way down: 9e-3 was seen, in U-Nets 4e-2 */
static double allowed(int bits, bool is_deep) {
  if (bits >= 24) return is_deep ? 2e-5 : 2e-6;
  if (bits >= 17) return is_deep ? 1e-4 : 5e-5;
  return is_deep ? 1e-1 : 3e-2;
}

/* With AMX the tables of floats make traces of 17 bits, too. */
static double allowed_of_traces(int bits, bool is_deep) { return allowed(bits > 17 ? 17 : bits, is_deep); }

static double share(const double *found, const double *right, int64_t count) {
  double gap = 0.0, size = 0.0;
  for (int64_t i = 0; i < count; i++) {
    double difference = fabs(found[i] - right[i]);
    if (!(difference <= gap)) gap = lfm_gap_widen(gap, difference); /* nor is one that is no number */
    if (fabs(right[i]) > size) size = fabs(right[i]);
  }
  return gap / size;
}

/* Of gradients each tensor for itself, so that none hides behind a larger one. */
static double share_of_tensors(const lfm_net *net, const double *found, const double *right) {
  double widest = 0.0;
  for (int i = 0; i < lfm_net_tensor_count(net); i++) {
    const lfm_tensor_info *tensor = lfm_net_tensor(net, i);
    widest = lfm_gap_widen(widest, share(found + tensor->offset, right + tensor->offset, tensor->count));
  }
  return widest;
}

typedef struct gaps {
  double v, gradient, trace;
} gaps;

/* A unit whose argument halves round across relu's kink has another gradient: then only v is compared. */
static void widen(gaps *g, const instance *it, bool in_halves, const findings *found, const findings *right) {
  for (int k = 0; k < RESULTS; k++) {
    bool is_gradient = k == GRADIENT || k == FACTORED;
    if (!found->of[k] || (is_gradient && in_halves && has_kink(it))) continue;
    double *gap = is_gradient ? &g->gradient : k == TRACE ? &g->trace : &g->v;
    *gap = lfm_gap_widen(*gap, is_gradient ? share_of_tensors(it->net, found->of[k], right->of[GRADIENT])
                                           : share(found->of[k], right->of[k], right->count[k]));
  }
}

static lfm_status compare(const lfm_checked_table *table, const answer *a, lfm_team *team, gaps *g) {
  instance it;
  findings found = {0};
  bool in_halves = table->bits < 17;
  lfm_status status = instance_create(a->it.of, a->it.variant, table->kernels, &it);
  if (status == LFM_OK) status = find(&it, in_halves, team, &found);
  if (status == LFM_OK) widen(g, &it, in_halves, &found, &a->right);
  findings_drop(&found);
  instance_drop(&it);
  return status;
}

static void report(lfm_checks *checks, const family *of, const lfm_checked_table *table, const gaps *g) {
  char what[64], traces[32] = "", limits[64] = "";
  double most = allowed(table->bits, of->is_deep), of_traces = allowed_of_traces(table->bits, of->is_deep);
  bool right = g->v <= most && g->gradient <= most && g->trace <= of_traces;
  snprintf(what, sizeof what, "kernels for %s", of->name);
  if (table->bits >= 17) snprintf(traces, sizeof traces, ", %.0e in traces", g->trace);
  if (!right) snprintf(limits, sizeof limits, "; rounding makes at most %.0e, and %.0e", most, of_traces);
  lfm_check(checks, what, right, "%s: off by %.0e in v, %.0e in gradients%s%s", lfm_kernels_identity(table->kernels), g->v,
            g->gradient, traces, limits);
}

lfm_status lfm_check_table(lfm_checks *checks, const lfm_oracle *oracle, const lfm_checked_table *table) {
  for (int k = 0; k < FAMILIES; k++) {
    gaps g = {0};
    for (int i = 0; i < oracle->count; i++)
      if (oracle->of[i].it.of == &families[k]) LFM_TRY(compare(table, &oracle->of[i], checks->team, &g));
    report(checks, &families[k], table, &g);
  }
  return LFM_OK;
}

void lfm_checked_tables(lfm_checked_table tables[LFM_CHECKED_TABLES], int *count) {
  const lfm_kernels *best = lfm_kernels_best(), *training = lfm_kernels_training(), *halves;
  *count = 0;
  if (best == lfm_kernels_ref64()) return;
  tables[(*count)++] = (lfm_checked_table){best, 24};
  if (training != best) tables[(*count)++] = (lfm_checked_table){training, 17};
  if (lfm_kernels_bf16(&halves) == LFM_OK) tables[(*count)++] = (lfm_checked_table){halves, 8};
}

/* ---- the oracle against differences ------------------------------------------------------------------------- */

/* The loss of `pass`, weights moved by `by` along the direction and back. */
static lfm_status loss_at(const instance *it, lfm_run *run, double by, double *out) {
  double *weights = lfm_params_data(it->params);
  int64_t count = lfm_net_param_count(it->net);
  for (int64_t i = 0; i < count; i++) weights[i] += by * draw(OF_DIRECTION, i);
  lfm_params_pack(it->params);
  lfm_status status = lfm_run_forward(run, it->params);
  for (int64_t i = 0; i < count; i++) weights[i] -= by * draw(OF_DIRECTION, i);
  lfm_params_pack(it->params);
  const double *v = lfm_run_v(run);
  *out = 0.0;
  for (int64_t i = 0; i < lfm_run_rows(run) * lfm_net_dim(it->net); i++) *out += draw(OF_DV, i) * v[i];
  return status;
}

/* Along a direction through all weights at once, as a share of what a sum of such terms of random signs amounts to.  With
 * this step the difference itself errs by some 1e-8: by its third order, and by rounding. */
static lfm_status compare_slope(const instance *it, lfm_run *run, double *grads, double *gap) {
  int64_t count = lfm_net_param_count(it->net);
  const double step = 1e-3 / sqrt((double)count);
  double above, below, along = 0.0, square = 0.0;
  fill(it, run, 0);
  LFM_TRY(pass(it, run, 0, grads, false));
  for (int64_t i = 0; i < count; i++) {
    double term = grads[i] * draw(OF_DIRECTION, i);
    along += term, square += term * term;
  }
  LFM_TRY(loss_at(it, run, step, &above));
  LFM_TRY(loss_at(it, run, -step, &below));
  *gap = lfm_gap_widen(*gap, ((above - below) / (2.0 * step) - along) / sqrt(square));
  return LFM_OK;
}

static lfm_status differ(const instance *it, double *gap) {
  lfm_run *run = NULL;
  double *grads = NULL;
  lfm_status status;
  LFM_TRY_GOTO(lfm_run_create(it->net, LFM_RUN_TRAIN, 1, &run), done);
  LFM_TRY_GOTO(LFM_ALLOC(&grads, lfm_net_param_count(it->net)), done);
  LFM_TRY_GOTO(compare_slope(it, run, grads, gap), done);
done:
  lfm_free(grads);
  lfm_run_destroy(run);
  return status;
}

lfm_status lfm_check_gradients(lfm_checks *checks, const lfm_oracle *oracle) {
  double gap = 0.0;
  for (int i = 0; i < oracle->count; i++) LFM_TRY(differ(&oracle->of[i].it, &gap));
  lfm_check(checks, "gradients", gap < 1e-7, "of double precision, against finite differences: off by %.0e", gap);
  return LFM_OK;
}
