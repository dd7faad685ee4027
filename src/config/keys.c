/* SPDX-License-Identifier: MIT
 *
 * keys.c -- THE table of keys.  What a key is called, where its value lives, what it may be, what it is when nobody says,
 * and its line of help stand in one row; reading YAML, --set, the resolved file, `lfm train --help` and the
 * did-you-mean of an unknown key all follow the table.  A new key is a new row.
 *
 * The names are those of the authors' code where they exist.  The fallback "auto" means that the value follows the data
 * and the time limit (flow/resolve.c); the other fallbacks are values.  Generated code or a schema language was refused:
 * forty rows of C say the same and need no second tool.
 */
#include "config/keys.h"

#include <stddef.h>
#include <string.h>

#define FIELD(field) offsetof(struct lfm_config, field), sizeof(((struct lfm_config *)0)->field)
#define FROM_TO(low, high) (low), (high), false, false
#define OVER_TO(low, high) (low), (high), true, false
#define FROM_BELOW(low, high) (low), (high), false, true
#define OVER_BELOW(low, high) (low), (high), true, true

/* clang-format off */
#define COUNT(name, field, range, fallback, help) {name, LFM_KEY_COUNT, FIELD(field), range, NULL, fallback, help}
#define COUNTS(name, field, range, fallback, help) {name, LFM_KEY_COUNTS, FIELD(field), range, NULL, fallback, help}
#define REAL(name, field, range, fallback, help) {name, LFM_KEY_REAL, FIELD(field), range, NULL, fallback, help}
#define FLAG(name, field, fallback, help) {name, LFM_KEY_FLAG, FIELD(field), FROM_TO(0, 1), "false|true", fallback, help}
#define CHOICE(name, field, names, fallback, help) \
  {name, LFM_KEY_CHOICE, FIELD(field), FROM_TO(0, 0), names, fallback, help " (" names ")"}
#define ACT(name, field, names, fallback, help) \
  {name, LFM_KEY_ACT, FIELD(field), OVER_TO(0, 1000), names, fallback, help " (" names ")"}
/* clang-format on */

const lfm_key lfm_keys[] = {
    /* the chain */
    {"hks", LFM_KEY_HKS, FIELD(hks), OVER_BELOW(0, LFM_SUM_BELOW), NULL, "auto",
     "OU time g_n of each block, as in [0.1, 0.15, null]; null: the free block, whose end is pure noise; [null]: plain FM"},
    CHOICE("schedule.kind", schedule_kind, "exponential|cosine|linear", "exponential",
           "law of the g_n when hks is not given: c rho^(n-1), or the DDPM cosine or linear betas"),
    REAL("schedule.c", schedule_c, OVER_TO(0, 10), "auto", "first OU time of the exponential schedule"),
    REAL("schedule.rho", schedule_rho, OVER_TO(0, 100), "auto", "ratio of successive OU times of the exponential schedule"),
    COUNT("schedule.blocks", schedule_blocks, FROM_TO(1, LFM_MAX_BLOCKS), "auto", "number of blocks, the free one included"),
    CHOICE("interp", interp, "linear|trig", "trig", "path from x_l to x_r: straight, or cos and sin of pi t / 2"),
    CHOICE("coupling", coupling, "dependent|shuffled|independent|shared", "dependent",
           "whose noisy copy x_r is: the same row's, a row's of the same batch, a row's of another batch, "
           "or with pool: ou the same row's with the noise that x_l has"),
    CHOICE("pool", pool, "pushed|ou", "pushed",
           "what a block starts from: the rows carried by the blocks before, or the OU process itself (blocks independent)"),
    CHOICE(
        "pool_precision", pool_precision, "fp32|fp16", "fp32",
        "how the rows that blocks start from are kept; fp16 takes half of the memory and disk, and rounds them to 11 bits"),
    CHOICE("normalise", normalise, "none|standardise|whiten|radial", "standardise",
           "map of the columns before the flow, its log-determinant counted; radial: whitened, and how far a row lies by its "
           "root"),
    CHOICE(
        "objective", objective, "flow|meanflow|residual|reflow", "flow",
        "what a block learns to be: a flow; one step, by its mean velocity; or, as lfm distill sets it, one by a teacher's"),
    /* time */
    FLAG("beta_sample_t", beta_sample_t, "auto", "draw t from Beta(alpha, beta) instead of evenly"),
    REAL("alpha", alpha, OVER_TO(0, 1000), "auto", "first parameter of the Beta law of t"),
    REAL("beta", beta, OVER_TO(0, 1000), "auto", "second parameter of the Beta law of t"),
    COUNT("num_tk", num_tk, FROM_TO(1, 1000), "1", "number of different t for each pair of a batch"),
    COUNT("target_rows", target_rows, FROM_TO(0, 1e6), "auto",
          "rows of the pool, the batch's at least, to average the velocity to learn over; 0: the pair's own"),
    REAL("defensive", defensive, FROM_BELOW(0, 1), "auto",
         "share of training rows drawn from a wide law, so that far rows are not lost; 0: none"),
    /* pictures */
    COUNT("image_size", image_size, FROM_TO(4, 1024), "auto",
          "pictures of a folder: side of the square that each is cropped and resampled to"),
    FLAG("flip", flip, "false", "pictures: mirror half of the draws, left to right"),
    CHOICE("dequantise", dequantise, "none|uniform", "none",
           "pictures: a grey level stands for its middle, or for anywhere in its step, which bits per dimension need"),
    FLAG("conditional", conditional, "false",
         "pictures with classes: the network sees the class, and samples can ask for one"),
    REAL("class_drop", class_drop, FROM_BELOW(0, 1), "0.1",
         "share of the draws whose class the network does not see, so that samples can be guided"),
    /* demonstrations */
    COUNT("observation_horizon", observation_horizon, FROM_TO(1, 64), "2", "demonstrations: steps that a policy sees"),
    COUNT("prediction_horizon", prediction_horizon, FROM_TO(1, 4096), "16",
          "demonstrations: steps of a chunk of actions, from the first that is seen on"),
    COUNT("action_horizon", action_horizon, FROM_TO(1, 4096), "8",
          "demonstrations: steps of a chunk that are executed before the next one"),
    /* the network */
    CHOICE("network", network, "auto|mlp|unet|unet1d", "auto",
           "kind of the network; auto: unet for pictures, unet1d for demonstrations, mlp for tables"),
    COUNT("hidden_dim", hidden_dim, FROM_TO(1, 65536), "auto",
          "width of the hidden layers; unet, unet1d: channels at full size"),
    COUNT("num_hidden", num_hidden, FROM_TO(1, 256), "auto", "number of hidden layers"),
    ACT("act", act, "relu|elu|silu|gelu|tanh|softplus|mish", "gelu", "activation; softplus(20) has beta = 20"),
    CHOICE("cat_t", cat_t_all, "first|all", "first", "feed t to the first layer only, or to every layer"),
    COUNT("waves", waves, FROM_TO(0, 1024), "auto",
          "tables: sines and cosines of each column (of two columns: of both together) that the network sees beside them"),
    REAL("finest_wave", finest_wave, FROM_TO(1, 10000), "32",
         "the shortest of them, in radians a unit of what the network sees; the longest has 1"),
    REAL("wave_noise", wave_noise, FROM_TO(0, 1), "0",
         "the noise that they fade by, the shortest first; 0: that of t, as a flow wants it"),
    COUNTS("unet_dim_mults", unet_dim_mults, FROM_TO(1, 64), "auto",
           "unet, unet1d: channels at each size, in multiples of hidden_dim"),
    COUNT("res_depth", res_depth, FROM_TO(1, 16), "2", "unet: residual blocks at each size"),
    COUNTS("attention_resolution", attention_resolution, FROM_TO(0, 1024), "auto",
           "unet: heights of the picture, as it is halved, at which positions attend to each other; 0: none"),
    COUNT("num_head_channels", num_head_channels, FROM_TO(1, 1024), "32", "unet: channels of an attention head"),
    REAL("dropout", dropout, FROM_BELOW(0, 1), "0", "unet: share of activations left out in training"),
    FLAG("scale_shift", scale_shift, "auto", "unet: t scales and shifts the normalised channels, not only shifts them"),
    COUNT("kernel_size", kernel_size, FROM_TO(1, 31), "5", "unet1d: taps of a convolution, an odd number"),
    COUNT("n_groups", n_groups, FROM_TO(1, 1024), "8", "unet1d: groups of channels that are normalised together"),
    COUNT("step_embed_dim", step_embed_dim, FROM_TO(2, 4096), "64", "unet1d: numbers that t is shown as"),
    /* training */
    COUNT("batch_size", batch_size, FROM_TO(1, 1e9), "auto", "rows of a batch"),
    COUNTS("max_batch", max_batch, FROM_TO(1, 1e12), "auto",
           "batches for each block: one number, or a list with one for each block"),
    REAL("lr", lr, OVER_TO(0, 10), "auto", "learning rate"),
    REAL("lr_decay", lr_decay, OVER_TO(0, 1), "1", "factor on the learning rate every lr_step batches"),
    COUNT("lr_step", lr_step, FROM_TO(1, 1e12), "1000", "batches between two decays of the learning rate"),
    COUNT("warmup", warmup, FROM_TO(0, 1e12), "auto", "batches of linear rise of the learning rate"),
    FLAG("cosine", cosine, "auto", "let the learning rate fall to zero over the block as a half cosine"),
    REAL("grad_clip", grad_clip, FROM_TO(0, 1e9), "1", "largest norm of the gradient; 0: no clipping"),
    CHOICE("optimizer", adamw, "adam|adamw", "adam", "adamw decays the weights apart from the gradient"),
    REAL("adam_beta1", beta1, FROM_BELOW(0, 1), "0.9", "decay of the mean of gradients"),
    REAL("adam_beta2", beta2, FROM_BELOW(0, 1), "0.999", "decay of the mean of their squares"),
    REAL("weight_decay", weight_decay, FROM_TO(0, 10), "0", "weight decay of the optimizer"),
    REAL("ema_decay", ema_decay, FROM_BELOW(0, 1), "auto", "decay of the running mean of the weights; 0: none is kept"),
    REAL("ema_power", ema_power, FROM_TO(0, 10), "0",
         "over 0: that decay is 1 - (1 + k)^-power after k batches, and ema_decay its end"),
    FLAG("warm_start", warm_start, "true", "begin a block from the weights of the block before"),
    COUNT("patience", patience, FROM_TO(0, 1e12), "auto",
          "end a block after so many batches without a better validation loss, the best weights kept; 0: never"),
    REAL("push_tol", push_tol, OVER_TO(0, 0.1), "1e-3", "tolerance of the solve that carries the pool through a block"),
    CHOICE("precision", precision, "fp32|bf16", "fp32",
           "arithmetic of the training steps; bf16 keeps weights and sums in fp32, as are push, samples and scores"),
    /* bookkeeping */
    COUNT("lanes", lanes, FROM_TO(1, 256), "auto",
          "partial sums of the gradient: fixes the bytes, bounds the useful threads; of a large MLP 1, and microbatches "
          "bound them"),
    COUNT("microbatch", microbatch, FROM_TO(1, 1e6), "auto", "rows that a thread takes at a time"),
    COUNT("seed", seed, FROM_TO(0, 9007199254740992.0), "0", "every random number follows from it"),
    COUNT("checkpoint_every", checkpoint_every, FROM_TO(1, 1e12), "auto", "batches between two checkpoints"),
    COUNT("valid_every", valid_every, FROM_TO(1, 1e12), "auto", "batches between two validation losses, patience at most"),
    {0},
};

_Static_assert(sizeof lfm_keys / sizeof *lfm_keys - 1 <= 128, "lfm_config.set has a bit for each key");

int lfm_key_find(const char *name) {
  for (int k = 0; lfm_keys[k].name; k++) {
    if (strcmp(lfm_keys[k].name, name) == 0) return k;
  }
  return -1;
}

bool lfm_config_key(int index, const char **name, const char **fallback, const char **help) {
  if (index < 0 || (size_t)index >= sizeof lfm_keys / sizeof *lfm_keys - 1) return false;
  *name = lfm_keys[index].name;
  *fallback = lfm_keys[index].fallback;
  *help = lfm_keys[index].help;
  return true;
}

/* ---- the nearest name: optimal string alignment, three rows of the usual table ------------------------------ */

enum { LONGEST = 63 };

static int least(int a, int b) { return a < b ? a : b; }

int lfm_name_distance(const char *given, const char *name) {
  int length_given = (int)strnlen(given, LONGEST), length_name = (int)strnlen(name, LONGEST);
  int rows[3][LONGEST + 1];
  int *before = rows[0], *last = rows[1], *row = rows[2];
  for (int j = 0; j <= length_name; j++) last[j] = j;
  for (int i = 1; i <= length_given; i++) {
    row[0] = i;
    for (int j = 1; j <= length_name; j++) {
      row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (given[i - 1] != name[j - 1]));
      bool swapped = i > 1 && j > 1 && given[i - 1] == name[j - 2] && given[i - 2] == name[j - 1];
      if (swapped) row[j] = least(row[j], before[j - 2] + 1);
    }
    int *oldest = before;
    before = last;
    last = row;
    row = oldest;
  }
  int unfinished = last[0]; /* the beginning of the name that is nearest */
  for (int j = 1; j <= length_name; j++) unfinished = least(unfinished, last[j]);
  return length_given < 3 ? last[length_name] : least(last[length_name], unfinished + 1);
}

const char *lfm_key_nearest(const char *name) {
  const char *nearest = NULL;
  int distance = (int)strnlen(name, LONGEST) / 3 + 1; /* a third of the letters may be wrong */
  for (int k = 0; lfm_keys[k].name; k++) {
    int this_distance = lfm_name_distance(name, lfm_keys[k].name);
    if (this_distance < distance + (nearest ? 0 : 1)) {
      distance = this_distance;
      nearest = lfm_keys[k].name;
    }
  }
  return nearest;
}
