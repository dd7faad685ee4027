/* SPDX-License-Identifier: MIT
 *
 * rng.h -- random numbers without a state: each is a function of (seed, purpose, block, step, row, index).
 * Philox 4x32-10 (Salmon et al., SC 2011; Random123).  Nothing to save, so resume is exact by construction, and any row of
 * any step can be drawn alone, by any thread.
 * Words, normals, uniforms and Beta draws of one (purpose, block, step, row) are made of the same words: an address serves
 * one kind of draw.
 */
#ifndef LFM_CORE_RNG_H
#define LFM_CORE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What a number is for; two purposes never share a counter. */
typedef enum lfm_purpose {
  LFM_FOR_INIT = 1,   /* weights */
  LFM_FOR_SPLIT,      /* which rows are held out */
  LFM_FOR_BATCH,      /* the order of the pool in an epoch */
  LFM_FOR_COUPLING,   /* x' of the pairs */
  LFM_FOR_NOISE,      /* z of the OU step */
  LFM_FOR_TIME,       /* t */
  LFM_FOR_VALID,      /* z of the validation loss */
  LFM_FOR_VALID_TIME, /* t of the validation loss */
  LFM_FOR_SAMPLE,     /* z ~ N(0, I) of generation */
  LFM_FOR_PROBE,      /* trace probes */
  LFM_FOR_METRIC,     /* projections, classifier splits */
  LFM_FOR_DATA,       /* drawn data sets */
  LFM_FOR_DEFENCE,    /* which pairs of a batch start from the wide law, and how wide */
  LFM_FOR_WIDE,       /* their normals */
  LFM_FOR_FLIP,       /* which pictures are seen in a mirror */
  LFM_FOR_DEQUANTISE, /* what is added to the bytes of a picture */
  LFM_FOR_DROPOUT,    /* what a network leaves out in training */
  LFM_FOR_CLASS,      /* which pairs do not show the network their class */
  LFM_FOR_SHIFT,      /* by how many pixels a picture is shifted */
  LFM_FOR_EVAL,       /* which pictures are compared, and in which order */
  LFM_FOR_RESET,      /* how an episode of a world begins */
  LFM_FOR_EXPERT,     /* how its scripted expert goes about it, and its noise */
  LFM_FOR_TEACHER,    /* z ~ N(0, I) of the rows that a teacher draws for its students */
  LFM_FOR_SHOVE,      /* when, and where to, an episode is disturbed */
  LFM_FOR_SPAN,       /* over what time a mean velocity is learnt */
} lfm_purpose;

typedef struct lfm_rng {
  uint64_t seed;
  lfm_purpose purpose; /* < 256 */
  uint32_t block;      /* < 4096 */
  uint32_t step;
} lfm_rng;

/* Four words at (row, group): row < 2^44. */
void lfm_rng_words(const lfm_rng *rng, int64_t row, uint32_t group, uint32_t out[4]);
/* The same at the groups first .. first + groups - 1, several at once.  out [groups, 4]. */
void lfm_rng_words_range(const lfm_rng *rng, int64_t row, uint32_t first, uint32_t groups, uint32_t *out);

/* out: a random sign for each bit of the words at (row, group), 1 or -1. */
enum { LFM_RNG_SIGNS = 128 };
void lfm_rng_signs(const lfm_rng *rng, int64_t row, uint32_t group, double out[LFM_RNG_SIGNS]);

/* out [n]: the first n standard normals of this row (Box-Muller; at most 6.66 in size). */
void lfm_rng_normal(const lfm_rng *rng, int64_t row, float *out, size_t n);

/* The same for the rows first .. first + rows - 1, several at once: much faster where rows are short.  out [rows, n]. */
void lfm_rng_normal_rows(const lfm_rng *rng, int64_t first, int64_t rows, float *out, size_t n);

/* The index-th uniform of this row, in (0, 1), 52 bits. */
double lfm_rng_uniform(const lfm_rng *rng, int64_t row, uint32_t index);
void lfm_rng_uniform_rows(const lfm_rng *rng, int64_t first, int64_t rows, uint32_t index, double *out); /* [rows] */

/* Beta(a, b) from the counters of index < 2^22; a, b > 0.  In [0, 1]: with a or b well below 1 the ends themselves come
 * up. */
double lfm_rng_beta(const lfm_rng *rng, int64_t row, uint32_t index, double a, double b);

/* Where element i < n goes in a permutation of 0..n-1 that (rng, salt) names: a Feistel network walked until it lands
 * inside (Black and Rogaway, CT-RSA 2002).  An epoch's shuffle with nothing stored.  0 < n <= 2^62, salt < 2^32; below
 * some thirty elements not all orders are equally likely. */
int64_t lfm_rng_permute(const lfm_rng *rng, int64_t salt, int64_t n, int64_t i);
/* The same for the elements i .. i + count - 1, several at once; i + count <= n.  out [count]. */
void lfm_rng_permute_range(const lfm_rng *rng, int64_t salt, int64_t n, int64_t i, int64_t count, int64_t *out);

#endif
