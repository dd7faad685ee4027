/* SPDX-License-Identifier: MIT
 *
 * resolve.c -- defaults from the data; those of pictures apart (docs/decisions/small-pictures.md).
 * The chain: one step (0.1 of up to three columns, 0.3 with waves, 1 of more) and the free block.  The network: wider with
 * more rows and more columns; in the plane it sees waves of both.  The optimiser: Adam with a high rate that falls as a
 * cosine, weights averaged, best validation loss kept; times drawn more often near the data; a few rows from a wide law;
 * small batches and, of few columns, mean targets.  docs/decisions/defaults.md, defensive.md, learning.md and waves.md have
 * the measurements that chose them, on validation rows.  What a resumed run is asked beside what it has: agreement.c.
 */
#include "flow/resolve.h"

#include "core/order.h"
#include "flow/ou.h"
#include "flow/posterior.h"

#include <math.h>

enum { FACTOR_ROWS = 2048, LEAST_PART = 32, VALID_PAIRS = 1024, LEAST_STEPS = 200, MANY_COLUMNS = 32 };

/* What passes between two validation losses of a table at most, and what is learnt of the smallest at least. */
enum { VALID_EPOCHS = 10, LEAST_OF_FEW = 100 };

/* Columns of numbers, and nothing that is given of them. */
static bool is_table(const lfm_data_shape *shape) { return !shape->picture && !shape->windows; }

/* In the plane, where densities are often finer than a network of so few inputs soon learns. */
static void resolve_waves(lfm_config *config, const lfm_data_shape *shape) {
  if (!lfm_config_is_set(config, "waves") && is_table(shape) && shape->dim == 2) config->waves = 64;
}

/* The schedule becomes hks: the resolved file states the chain once. */
static lfm_status resolve_chain(lfm_config *config, const lfm_data_shape *shape) {
  bool is_exponential = config->schedule_kind == LFM_SCHEDULE_EXPONENTIAL;
  if (is_exponential && isnan(config->schedule_c)) /* fine detail wants a small first step */
    config->schedule_c = shape->dim > 3 ? (is_table(shape) ? 1.0 : 0.5) : config->waves ? 0.3 : 0.1;
  if (is_exponential && isnan(config->schedule_rho)) config->schedule_rho = 1.5;
  if (!config->schedule_blocks) config->schedule_blocks = 2;
  double gammas[LFM_MAX_BLOCKS];
  int blocks;
  LFM_TRY(lfm_ou_schedule(config, gammas, &blocks));
  config->blocks = blocks;
  for (int n = 0; n < blocks; n++) config->hks[n] = gammas[n];
  if (!isnan(gammas[blocks - 1]))
    lfm_note(LFM_WARNING,
             "hks: no block is free, so the chain ends near N(0, I) and not in it: log p and samples are biased; "
             "end the list with null");
  return lfm_config_validate(config); /* max_batch beside the chain that follows from the data */
}

/* Where height / resolution, rounded down as in guided diffusion, is none of 1, 2, 4, ... (net/unet2d.c), nothing attends. */
static void warn_of_attention(const lfm_config *config, int64_t height) {
  for (int k = 0; k < (int)config->attention_resolution.count; k++) {
    int64_t asked = config->attention_resolution.of[k], level = 0;
    if (!asked) continue;
    while (level < config->unet_dim_mults.count && height / asked != (int64_t)1 << level) level++;
    if (level == config->unet_dim_mults.count)
      lfm_note(
          LFM_WARNING,
          "attention_resolution: %lld is at no size of these pictures, which are %lld high and halved %lld times; nothing "
          "attends there",
          (long long)asked, (long long)height, (long long)config->unet_dim_mults.count - 1);
  }
}

/* The key is for who reads them; what was read otherwise would be stated wrongly. */
static lfm_status check_size(const lfm_config *config, const lfm_images *picture) {
  int64_t size = config->image_size;
  if (!size || (size == picture->height && size == picture->width)) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "image_size: %lld, but the pictures were read as %lld x %lld; leave it out, or read them so",
                  (long long)size, (long long)picture->width, (long long)picture->height);
}

/* Pictures: a small U-Net, with attention where they are smallest; a short chain; no defence, no mean targets. */
static void resolve_pictures(lfm_config *config, const lfm_images *picture) {
  int64_t height = picture->height, width = picture->width;
  if (config->network == LFM_NETWORK_AUTO) config->network = LFM_NETWORK_UNET;
  if (!config->unet_dim_mults.count) { /* halved while both sides stay whole, and 7 or 8 pixels remain */
    lfm_sizes *mults = &config->unet_dim_mults;
    mults->of[mults->count++] = 1;
    for (; height % 2 == 0 && width % 2 == 0 && height >= 14 && width >= 14 && mults->count < LFM_MAX_SIZES;
         height /= 2, width /= 2)
      mults->of[mults->count++] = 2;
  }
  if (!config->attention_resolution.count)
    config->attention_resolution = (lfm_sizes){.count = 1, .of = {picture->height >> (config->unet_dim_mults.count - 1)}};
  warn_of_attention(config, picture->height);
  if (!config->hidden_dim) config->hidden_dim = 32;
  if (!lfm_config_is_set(config, "scale_shift")) config->scale_shift = true;
  if (!config->scale_shift && config->hidden_dim < 64)
    lfm_note(LFM_WARNING,
             "scale_shift: false: of fewer than 64 channels each is normalised alone, which takes away the t and the "
             "class that were added to it; set it true, or hidden_dim to 64 or more");
  if (!config->batch_size) config->batch_size = 64;
  if (isnan(config->lr)) config->lr = 5e-4;
}

/* Policies: Diffusion Policy's network, narrow enough for two cores, and its batch; nothing that takes rows for alike whose
 * observations are not. */
static void resolve_policies(lfm_config *config, const lfm_windows *windows) {
  int64_t length = windows->horizons.prediction;
  if (config->network == LFM_NETWORK_AUTO) config->network = LFM_NETWORK_UNET1D;
  if (!config->unet_dim_mults.count)
    for (int64_t mult = 1; config->unet_dim_mults.count < 3; mult *= 2, length /= 2) {
      config->unet_dim_mults.of[config->unet_dim_mults.count++] = mult;
      if (length % 2 || length < 4) break;
    }
  if (config->network == LFM_NETWORK_UNET1D && !config->hidden_dim) config->hidden_dim = 32;
  if (!config->batch_size) config->batch_size = 256;
  if (isnan(config->lr)) config->lr = 5e-4;
}

static bool is_large(const lfm_data_shape *shape) { return shape->rows >= 500000 || shape->dim >= MANY_COLUMNS; }

static void resolve_network(lfm_config *config, const lfm_data_shape *shape) {
  if (!config->hidden_dim) config->hidden_dim = shape->rows < 5000 ? 128 : is_large(shape) ? 512 : 256;
  if (!config->num_hidden) config->num_hidden = is_large(shape) ? 4 : 3;
}

/* More times near the data, where the density is sharp; a Beta law that is given is meant. */
static lfm_status resolve_times(lfm_config *config, const lfm_data_shape *shape) {
  bool has_law = lfm_config_is_set(config, "alpha") || lfm_config_is_set(config, "beta");
  bool is_open = !lfm_config_is_set(config, "beta_sample_t"), crowds = is_open && !has_law && is_table(shape);
  if (is_open && (has_law || crowds)) config->beta_sample_t = LFM_TIME_BETA;
  if (isnan(config->alpha)) config->alpha = 1.0;
  if (isnan(config->beta)) config->beta = crowds ? 2.0 : 1.0;
  if (config->beta_sample_t == LFM_TIME_BETA || (config->alpha == 1.0 && config->beta == 1.0)) return LFM_OK;
  return lfm_fail(LFM_E_USAGE,
                  "alpha, beta: they are of the Beta law that beta_sample_t: false does without; leave them out");
}

static void resolve_optimiser(lfm_config *config, const lfm_data_shape *shape) {
  if (!config->batch_size) config->batch_size = lfm_most(lfm_least(shape->rows / 20, is_large(shape) ? 512 : 256), 128);
  if (isnan(config->lr)) config->lr = 6e-3 * sqrt(128.0 / (double)config->hidden_dim);
  if (!lfm_config_is_set(config, "cosine")) config->cosine = true;
  if (!lfm_config_is_set(config, "ema_decay")) config->ema_decay = 0.999;
}

/* Mean targets over so many rows as cost a twentieth of the network's operations, waves apart; none where that is less than
 * the batch, nor in many columns, where hardly a row but the pair's own leads to a point. */
static void resolve_targets(lfm_config *config, const lfm_data_shape *shape) {
  bool is_open = is_table(shape) && !lfm_config_is_set(config, "target_rows") && lfm_coupling_is_own(config->coupling);
  if (is_open && shape->dim < MANY_COLUMNS) {
    double width = (double)config->hidden_dim, dim = (double)shape->dim;
    double weights = width * (2.0 * dim + 1.0 + (config->num_hidden - 1) * width);
    int64_t rows = (int64_t)fmin(0.05 * 6.0 * weights / lfm_posterior_flops(1, shape->dim), 1024.0);
    config->target_rows = rows < config->batch_size ? 0 : rows;
  }
  if (config->target_rows) /* the batch is among them; rows come twice only where the walk meets an epoch's end */
    config->target_rows = lfm_least(lfm_most(config->target_rows, config->batch_size), shape->rows);
}

lfm_status lfm_resolve_shape(lfm_config *config, const lfm_data_shape *shape) {
  if (shape->picture) LFM_TRY(check_size(config, shape->picture));
  resolve_waves(config, shape);
  LFM_TRY(resolve_chain(config, shape));
  if (shape->picture) resolve_pictures(config, shape->picture);
  if (shape->windows) resolve_policies(config, shape->windows);
  if (config->network == LFM_NETWORK_AUTO) config->network = LFM_NETWORK_MLP;
  LFM_TRY(lfm_resolve_check_keys(config, shape));
  resolve_network(config, shape);
  LFM_TRY(resolve_times(config, shape));
  resolve_optimiser(config, shape);
  if (config->batch_size > shape->rows) {
    lfm_note(LFM_NOTE, "batch_size: %lld shrunk to the %lld training rows", (long long)config->batch_size,
             (long long)shape->rows);
    config->batch_size = shape->rows;
  }
  config->microbatch = lfm_least(config->microbatch, config->batch_size * config->num_tk); /* more would be padding */
  if (shape->windows && config->target_rows)
    return lfm_fail(LFM_E_USAGE, "target_rows: the rows that it takes the mean over have other observations; leave it out");
  resolve_targets(config, shape);
  return LFM_OK;
}

/* ---- the clock, and what follows from it -------------------------------------------------------------------- */

int64_t lfm_resolve_microbatches(const lfm_config *config) {
  return lfm_parts_of(config->batch_size * config->num_tk, config->microbatch);
}

/* While the activations of a whole batch are fewer than the numbers of several gradients, or not many more; microbatches of a
 * few rows are rounded up by some kernels. */
bool lfm_resolve_keeps_factors(const lfm_config *config, bool wants_factors) {
  int64_t rows = config->batch_size * config->num_tk;
  int64_t part = lfm_most(config->microbatch, LEAST_PART), parts = config->microbatch ? lfm_resolve_microbatches(config) : 1;
  return wants_factors && config->lanes <= 1 && rows <= FACTOR_ROWS && parts * part / 2 <= FACTOR_ROWS;
}

void lfm_resolve_lanes(lfm_config *config, bool wants_factors, int64_t rows_advised) {
  int64_t rows = config->batch_size * config->num_tk;
  if (lfm_resolve_keeps_factors(config, wants_factors)) config->lanes = 1; /* the whole gradient */
  if (!config->microbatch) {
    int64_t parts = lfm_parts_of(rows, rows_advised);
    if (rows >= 128) parts = lfm_most(parts, 4);    /* work for four threads, of 32 rows at least */
    config->microbatch = lfm_parts_of(rows, parts); /* equal parts: what the last one lacks is work for nothing */
  }
  if (!config->lanes) config->lanes = (int)lfm_least(lfm_resolve_microbatches(config), 8);
}

/* Of a pushed row: some 60 at a tolerance of 1e-5, and half at 1e-2 (docs/decisions/defaults.md). */
static double push_evaluations(const lfm_config *config) { return 60.0 * pow(1e-5 / config->push_tol, 0.1); }

/* Batches in which each row comes so many times. */
static double batches_of(const lfm_config *config, const lfm_data_shape *shape, double epochs) {
  return ceil(epochs * (double)shape->rows / (double)config->batch_size);
}

/* Longer, a network learns the rows by heart: the more there are, the later.  [docs/decisions/small-tables.md] */
static double most_epochs(const lfm_data_shape *shape) {
  return is_table(shape) && !shape->taught ? 8.0 * sqrt((double)shape->rows) : 1e9;
}

void lfm_resolve_steps(lfm_config *config, const lfm_data_shape *shape, double step_seconds, double time_limit) {
  if (config->max_batch.count) return;
  /* An evaluation costs a third of a training row; a tenth is for validation, scoring, previews and files. */
  double row_seconds = step_seconds / (double)(config->batch_size * config->num_tk) / 3.0;
  double rows = (double)(shape->rows + shape->valid_rows) * (config->blocks - 1);
  double push = config->pool == LFM_POOL_PUSHED ? push_evaluations(config) * row_seconds * rows : 0.0;
  double steps = (0.9 * time_limit - push) / (config->blocks * step_seconds);
  double most = fmax(batches_of(config, shape, most_epochs(shape)), LEAST_OF_FEW), least = fmin(LEAST_STEPS, most);
  if (push > 0.5 * time_limit)
    lfm_note(
        LFM_WARNING,
        "of the time limit of %.3g s carrying the rows through the blocks alone would take some %.3g s; give more time, a "
        "larger push_tol, or pool: ou, which carries none",
        time_limit, push);
  else if (steps < least)
    lfm_note(LFM_WARNING, "of the time limit of %.3g s the least training, %.0f batches a block, alone takes some %.3g s",
             time_limit, least, least * config->blocks * step_seconds);
  if (steps > most)
    lfm_note(LFM_NOTE,
             "max_batch: %.0f a block, some %.0f times each of the %lld rows, will not take the time limit: in longer a "
             "network learns them by heart; --set max_batch=N sets another number",
             most, most * (double)config->batch_size / (double)shape->rows, (long long)shape->rows);
  config->max_batch.count = 1;
  config->max_batch.of[0] = (int64_t)fmin(fmin(fmax(steps, least), most), 1e9);
}

/* Where batches are small, as of what takes long, eight of them at most. */
int64_t lfm_resolve_valid_draws(const lfm_config *config, int64_t rows) {
  return rows < 1 ? 1 : lfm_parts_of(lfm_least(VALID_PAIRS, 8 * config->batch_size), rows);
}

/* What was meant for a longer training: a rate that never rises, a mean over where the weights began. */
static void warn_of_short(const lfm_config *config, int64_t steps) {
  const double most = 0.1;
  if (config->warmup >= steps && config->warmup > 0) {
    lfm_note(LFM_WARNING, "warmup: of %lld batches, in a block of %lld; the learning rate does not reach its height%s",
             (long long)config->warmup, (long long)steps,
             config->ema_decay > 0.0 && config->ema_power == 0.0 ? ", and no weights are averaged" : "");
    return;
  }
  if (!lfm_config_is_set(config, "ema_decay") || config->ema_power > 0.0) return;
  double begun = pow(config->ema_decay, (double)(steps - config->warmup));
  if (begun > most)
    lfm_note(
        LFM_WARNING,
        "ema_decay: %g of the running mean is still the weights of the beginning after a block of %lld batches; a smaller "
        "one, or ema_power=0.75, forgets them",
        begun, (long long)steps);
}

void lfm_resolve_rhythm(lfm_config *config, const lfm_data_shape *shape) {
  int64_t least = config->max_batch.of[0], most = least; /* of what blocks take: what suits the shortest does not spoil it */
  for (int n = 1; n < config->max_batch.count; n++) {
    least = lfm_least(least, config->max_batch.of[n]);
    most = lfm_most(most, config->max_batch.of[n]);
  }
  if (!config->valid_every) { /* fifty times a block, and every few epochs of a table, or as often as costs a twentieth; but
                               * four times within patience */
    double valid_rows = (double)(shape->valid_rows * lfm_resolve_valid_draws(config, shape->valid_rows));
    double valid_steps = valid_rows / 3.0 / (double)(config->batch_size * config->num_tk);
    double wanted = is_table(shape) ? batches_of(config, shape, VALID_EPOCHS) : INFINITY;
    config->valid_every = lfm_most((int64_t)fmin((double)least / 50.0, wanted), (int64_t)ceil(20.0 * valid_steps));
    if (config->patience) config->valid_every = lfm_least(config->valid_every, config->patience / 4);
    config->valid_every = lfm_most(config->valid_every, 1);
  }
  if (!lfm_config_is_set(config, "ema_decay")) /* a mean over a third of the steps at most: not over where they began */
    config->ema_decay = fmax(0.5, fmin(config->ema_decay, 1.0 - 3.0 / (double)least));
  if (!config->checkpoint_every) config->checkpoint_every = lfm_most(most / 20, 500);
  if (!lfm_config_is_set(config, "warmup")) config->warmup = lfm_least(least / 20, 500);
  if (!lfm_config_is_set(config, "defensive")) /* some six hundred wide rows a block teach it; a share e costs e of a nat */
    config->defensive = is_table(shape) ? fmin(fmax(600.0 / ((double)least * (double)config->batch_size), 1e-4), 1e-3) : 0.0;
  /* The best weights are kept, but no block ends early: under a falling learning rate the gain comes last.  Not where the
   * loss does not tell which are best: a policy's success grows on behind it, and a mean velocity's target moves. */
  bool is_telling = !shape->windows && config->objective != LFM_OBJECTIVE_MEANFLOW;
  if (!lfm_config_is_set(config, "patience") && is_telling)
    config->patience = lfm_most(config->cosine ? most : most / 4, config->valid_every);
  warn_of_short(config, least);
}
