/* SPDX-License-Identifier: MIT
 *
 * rng.c -- Philox 4x32-10 addressed by (seed; group, row, step, purpose, block).
 *   key     = the two halves of seed
 *   counter = { group, row low, step, purpose | block << 8 | row high << 20 }
 * Purpose takes 8 bits, block 12, the high row 12: the fields never overlap, so no two addresses share a counter.
 * Normals are drawn by 8 groups at once in one loop of vector code, Philox included; uniforms and permutations of many rows
 * by 8 rows.  The bits are those of one at a time, since Philox is whole numbers and vmath.h gives a lane what it gives a
 * scalar.
 */
#include "core/rng.h"

#include "core/vmath.h"

#include <math.h>
#include <Random123/philox.h>
#include <string.h>

enum { FULL = 10, FEWEST = 7 }; /* rounds: the customary ones, and the fewest that pass BigCrush (Salmon et al., table 2) */

/* The words at (row, group).  Inline, so that it becomes vector code in the loop below. */
static inline philox4x32_ctr_t words_at(unsigned rounds, const lfm_rng *rng, int64_t row, uint32_t group) {
  philox4x32_key_t key = {{(uint32_t)rng->seed, (uint32_t)(rng->seed >> 32)}};
  uint32_t place = (uint32_t)rng->purpose | rng->block << 8 | (uint32_t)((uint64_t)row >> 32) << 20;
  philox4x32_ctr_t counter = {{group, (uint32_t)row, rng->step, place}};
  return philox4x32_R(rounds, counter, key);
}

void lfm_rng_words(const lfm_rng *rng, int64_t row, uint32_t group, uint32_t out[4]) {
  philox4x32_ctr_t words = words_at(FULL, rng, row, group);
  for (int i = 0; i < 4; i++) out[i] = words.v[i];
}

/* The generator by value: a copy that no store can alter. */
LFM_VECTOR
static void words_pass(lfm_rng rng, int64_t row, uint32_t first, uint32_t groups, uint32_t *restrict out) {
  for (uint32_t i = 0; i < groups; i++) {
    philox4x32_ctr_t words = words_at(FULL, &rng, row, first + i);
    for (int j = 0; j < 4; j++) out[4 * (size_t)i + (size_t)j] = words.v[j];
  }
}

void lfm_rng_words_range(const lfm_rng *rng, int64_t row, uint32_t first, uint32_t groups, uint32_t *out) {
  words_pass(*rng, row, first, groups, out);
}

void lfm_rng_signs(const lfm_rng *rng, int64_t row, uint32_t group, double out[LFM_RNG_SIGNS]) {
  uint32_t words[4];
  lfm_rng_words(rng, row, group, words);
  for (int i = 0; i < LFM_RNG_SIGNS; i++) out[i] = words[i / 32] >> i % 32 & 1 ? 1.0 : -1.0;
}

/* ---- normals ------------------------------------------------------------------------------------------------ */

enum { LANES = 8, PASS = 4 * LANES }; /* a pass: 8 groups of words, 32 normals.  16 lanes: short rows pay for more */

/* Where the words of a pass stand. */
typedef struct places {
  int64_t row[LANES];
  uint32_t group[LANES];
} places;

/* out [PASS]: the normals of those groups.  The generator by value: a copy that no store can alter. */
LFM_VECTOR
static void normals_pass(lfm_rng rng, const places *at, float *restrict out) {
  uint32_t radii[PASS / 2], angles[PASS / 2];
  for (uint32_t i = 0; i < LANES; i++) {
    philox4x32_ctr_t drawn = words_at(FULL, &rng, at->row[i], at->group[i]);
    uint32_t *radius = &radii[2 * (size_t)i], *angle = &angles[2 * (size_t)i];
    radius[0] = drawn.v[0];
    angle[0] = drawn.v[1];
    radius[1] = drawn.v[2];
    angle[1] = drawn.v[3];
  }
  for (size_t i = 0; i < PASS / 2; i++) lfm_box_muller(radii[i], angles[i], &out[2 * i], &out[2 * i + 1]);
}

static places places_of(int64_t row, uint32_t group) {
  places at;
  for (uint32_t i = 0; i < LANES; i++) at.row[i] = row, at.group[i] = group + i;
  return at;
}

void lfm_rng_normal(const lfm_rng *rng, int64_t row, float *out, size_t n) {
  size_t done = 0;
  places at;
  for (; n - done >= PASS; done += PASS) {
    at = places_of(row, (uint32_t)(done / 4));
    normals_pass(*rng, &at, out + done);
  }
  if (done == n) return;
  float last[PASS];
  at = places_of(row, (uint32_t)(done / 4));
  normals_pass(*rng, &at, last);
  memcpy(out + done, last, (n - done) * sizeof *out);
}

/* Rows that fill a pass are drawn alone; of shorter ones a pass takes the groups of as many as it can, one after another. */
void lfm_rng_normal_rows(const lfm_rng *rng, int64_t first, int64_t rows, float *out, size_t n) {
  size_t groups = (n + 3) / 4, all = (size_t)rows * groups;
  if (groups >= LANES) {
    for (int64_t i = 0; i < rows; i++) lfm_rng_normal(rng, first + i, out + (size_t)i * n, n);
    return;
  }
  float drawn[PASS];
  for (size_t begun = 0; begun < all; begun += LANES) {
    places at;
    for (size_t i = 0; i < LANES; i++) {
      at.row[i] = first + (int64_t)((begun + i) / groups);
      at.group[i] = (uint32_t)((begun + i) % groups);
    }
    normals_pass(*rng, &at, drawn);
    for (size_t i = 0; i < LANES && begun + i < all; i++) {
      size_t column = (size_t)4 * at.group[i], count = n - column < 4 ? n - column : 4;
      memcpy(out + (size_t)(at.row[i] - first) * n + column, drawn + 4 * i, count * sizeof *out);
    }
  }
}

/* ---- uniforms and Beta -------------------------------------------------------------------------------------- */

static inline double uniform_at(const lfm_rng *rng, int64_t row, uint32_t index) {
  philox4x32_ctr_t words = words_at(FULL, rng, row, index);
  int64_t bits = (int64_t)(((uint64_t)words.v[0] << 32 | words.v[1]) >> 12);
  return ((double)bits + 0.5) * 0x1p-52; /* exact: with 53 bits the half would round the last one up to 1 */
}

double lfm_rng_uniform(const lfm_rng *rng, int64_t row, uint32_t index) { return uniform_at(rng, row, index); }

LFM_VECTOR static void uniforms(lfm_rng rng, int64_t first, int64_t rows, uint32_t index, double *restrict out) {
  for (int64_t i = 0; i < rows; i++) out[i] = uniform_at(&rng, first + i, index);
}

void lfm_rng_uniform_rows(const lfm_rng *rng, int64_t first, int64_t rows, uint32_t index, double *out) {
  uniforms(*rng, first, rows, index, out);
}

/* The uniforms of one Beta draw: index owns 2^10 groups, enough for 500 rejections of a sampler that accepts most. */
static double next_uniform(const lfm_rng *rng, int64_t row, uint32_t index, uint32_t *used) {
  return lfm_rng_uniform(rng, row, (index << 10) + (*used)++ % 1024);
}

/* Gamma(shape, 1) for shape >= 1 [Marsaglia and Tsang 2000]; the normal by Box-Muller in double. */
static double gamma_above_one(const lfm_rng *rng, int64_t row, uint32_t index, uint32_t *used, double shape) {
  double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
  for (;;) {
    double radius = sqrt(-2.0 * log(next_uniform(rng, row, index, used)));
    double x = radius * cos(2.0 * M_PI * next_uniform(rng, row, index, used));
    double v = 1.0 + c * x;
    if (v <= 0.0) continue;
    v = v * v * v;
    if (log(next_uniform(rng, row, index, used)) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
  }
}

/* ln of a Gamma(shape, 1) draw; in the log, since u^{1/shape} underflows for small shapes. */
static double log_gamma_draw(const lfm_rng *rng, int64_t row, uint32_t index, uint32_t *used, double shape) {
  if (shape >= 1.0) return log(gamma_above_one(rng, row, index, used, shape));
  double boosted = log(gamma_above_one(rng, row, index, used, shape + 1.0));
  return boosted + log(next_uniform(rng, row, index, used)) / shape;
}

/* Beta(a, b) = X / (X + Y), X ~ Gamma(a), Y ~ Gamma(b). */
double lfm_rng_beta(const lfm_rng *rng, int64_t row, uint32_t index, double a, double b) {
  uint32_t used = 0;
  double x = log_gamma_draw(rng, row, index, &used, a);
  double y = log_gamma_draw(rng, row, index, &used, b);
  return 1.0 / (1.0 + exp(y - x));
}

/* ---- permutation -------------------------------------------------------------------------------------------- */

/* The place i = y width + x of a grid of at least n places, width about height: six times, x is turned by a number that y
 * names, or y by one that x names.  Fewer than `width` places lie outside, so the walk nearly always ends at once; a square
 * of powers of two would be up to four times too large.  With four turns of ten Philox rounds, at the same price, neighbours
 * stay neighbours twice as often as they should. */
typedef struct grid {
  uint64_t size, width, height;
} grid;

static grid grid_of(int64_t n) {
  grid g = {.size = (uint64_t)n, .width = (uint64_t)sqrt((double)n)};
  while (g.width * g.width < g.size) g.width++;
  g.height = (g.size + g.width - 1) / g.width;
  return g;
}

static inline uint64_t turned(const lfm_rng *rng, uint32_t salt, uint32_t turn, uint64_t named_by, uint64_t place,
                              uint64_t length) {
  philox4x32_ctr_t words = words_at(FEWEST, rng, (int64_t)(named_by << 3 | turn), salt);
  place += (uint64_t)words.v[0] * length >> 32;
  return place >= length ? place - length : place;
}

/* All six turns of some places, side by side. */
static inline void turn_places(const lfm_rng *rng, uint32_t salt, const grid *g, int count, uint64_t *x, uint64_t *y) {
  for (uint32_t turn = 0; turn < 6; turn += 2) {
    for (int i = 0; i < count; i++) x[i] = turned(rng, salt, turn, y[i], x[i], g->width);
    for (int i = 0; i < count; i++) y[i] = turned(rng, salt, turn + 1, x[i], y[i], g->height);
  }
}

LFM_VECTOR static void turn_lanes(lfm_rng rng, uint32_t salt, grid g, uint64_t x[LANES], uint64_t y[LANES]) {
  turn_places(&rng, salt, &g, LANES, x, y);
}

void lfm_rng_permute_range(const lfm_rng *rng, int64_t salt, int64_t n, int64_t i, int64_t count, int64_t *out) {
  grid g = grid_of(n);
  uint64_t next_x = (uint64_t)i % g.width, next_y = (uint64_t)i / g.width, x[LANES], y[LANES];
  for (int64_t begun = 0; begun < count; begun += LANES) {
    for (int k = 0; k < LANES; k++) {
      x[k] = next_x, y[k] = next_y;
      if (++next_x == g.width) next_x = 0, next_y++;
    }
    turn_lanes(*rng, (uint32_t)salt, g, x, y);
    for (int k = 0; k < LANES && begun + k < count; k++) {
      while (y[k] * g.width + x[k] >= g.size) turn_places(rng, (uint32_t)salt, &g, 1, &x[k], &y[k]); /* the walk */
      out[begun + k] = (int64_t)(y[k] * g.width + x[k]);
    }
  }
}

int64_t lfm_rng_permute(const lfm_rng *rng, int64_t salt, int64_t n, int64_t i) {
  int64_t out;
  lfm_rng_permute_range(rng, salt, n, i, 1, &out);
  return out;
}
