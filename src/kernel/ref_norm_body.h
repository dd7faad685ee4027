/* SPDX-License-Identifier: MIT
 *
 * ref_norm_body.h -- GroupNorm, its embedding and SiLU or Mish as one kernel, for one number type and images of any block.
 * All but the images are of numbers.
 *
 * A channel's share is affine: with xh = (u - mean) r, u = x (+ e), the activation's argument is z = a xh + d, where
 *   plain       a = gamma           d = beta
 *   scale (s,h) a = gamma (1 + s)   d = beta (1 + s) + h
 *   behind      as plain, and the activation's value v becomes v s + h
 * so forward is z of x with two numbers a channel, and backward needs of a channel S0 = sum dz, S1 = sum dz xh alone:
 *   dx = r (a dz - G0 - xh G1)      G0, G1 = the means over the group of a S0, a S1
 * Numbers of a channel lie in `lanes`: a block is read in strands of 64 numbers, where strand j belongs to channel j % block.
 * All constants and sums are kept per strand, so one loop serves every block and is a vector's.
 */

/* Per-channel vectors in scratch, whole blocks of them. */
typedef struct NAME(norm_lanes) {
  NUM *mean, *rstd, *scale, *shift; /* of the channel's group; a and d of the head comment */
  NUM *by, *plus;                   /* behind: s and h */
  NUM *sum0, *sum1, *sum2, *sum3;
} NAME(norm_lanes);

enum { NAME(NORM_VECTORS) = 10 };

static size_t NAME(norm_scratch)(const lfm_norm_spec *spec) {
  size_t room = (size_t)(lfm_image_blocks(spec->image) * spec->image.block);
  return NAME(NORM_VECTORS) * room * sizeof(NUM);
}

static NAME(norm_lanes) NAME(lanes_in)(void *scratch, const lfm_norm_spec *spec) {
  NUM *at = scratch;
  int64_t room = lfm_image_blocks(spec->image) * spec->image.block;
  return (NAME(norm_lanes)){at,
                            at + room,
                            at + 2 * room,
                            at + 3 * room,
                            at + 4 * room,
                            at + 5 * room,
                            at + 6 * room,
                            at + 7 * room,
                            at + 8 * room,
                            at + 9 * room};
}

/* `block` numbers, repeated; sixteen, as a constant, without a call: images of one line have few more for each of these. */
LFM_INLINE void NAME(repeat)(NUM *restrict strands, const NUM *channel, int64_t block) {
  enum { USUAL = 16 };
  if (block == USUAL) {
    for (int j = 0; j < STRANDS; j++) strands[j] = channel[j % USUAL];
    return;
  }
  memcpy(strands, channel, (size_t)block * sizeof *strands);
  for (int64_t have = block; have < STRANDS; have *= 2) memcpy(strands + have, strands, (size_t)have * sizeof *strands);
}

/* The strands' sums to the channels'. */
LFM_INLINE void NAME(fold)(NUM *channel, NUM *restrict strands, int64_t block) {
  for (int64_t half = STRANDS / 2; half >= block; half /= 2)
    for (int64_t j = 0; j < half; j++) strands[j] += strands[j + half];
  for (int64_t j = 0; j < block; j++) channel[j] = strands[j];
}

/* sum [block] = the sums over the pixels of x - from, or of its square. */
LFM_VECTOR static void NAME(block_sums)(NUM *sum, const HELD *restrict x, const NUM *from, int64_t n, int64_t block,
                                        bool square) {
  NUM strands[STRANDS] = {0}, start[STRANDS];
  NAME(repeat)(start, from, block);
  int64_t whole = n / STRANDS * STRANDS;
  for (int64_t i = 0; i < whole && square; i += STRANDS)
    for (int j = 0; j < STRANDS; j++) strands[j] += (GET(x[i + j]) - start[j]) * (GET(x[i + j]) - start[j]);
  for (int64_t i = 0; i < whole && !square; i += STRANDS)
    for (int j = 0; j < STRANDS; j++) strands[j] += GET(x[i + j]) - start[j];
  for (int64_t j = 0; j < n - whole; j++) {
    NUM off = GET(x[whole + j]) - start[j];
    strands[j] += square ? off * off : off;
  }
  NAME(fold)(sum, strands, block);
}

/* Sums of channels to the means of their groups, each channel being given its group's. */
static void NAME(group_means)(NUM *channel, const lfm_norm_spec *spec) {
  int64_t each = spec->image.channels / spec->groups;
  for (int64_t first = 0; first < spec->image.channels; first += each) {
    NUM sum = 0;
    for (int64_t c = first; c < first + each; c++) sum += channel[c];
    sum /= (NUM)(each * lfm_image_pixels(spec->image));
    for (int64_t c = first; c < first + each; c++) channel[c] = sum;
  }
}

/* a and d of the channels, and what stands behind; e of this row. */
LFM_VECTOR static void NAME(modulate)(NAME(norm_lanes) v, const NUM *e, const NUM *gamma, const NUM *beta,
                                      const lfm_norm_spec *spec) {
  int64_t channels = spec->image.channels, room = lfm_image_blocks(spec->image) * spec->image.block, apart = spec->apart;
  bool scales = spec->modulation == LFM_MODULATE_SCALE, behind = spec->modulation == LFM_MODULATE_BEHIND;
  LFM_ELEMENTWISE for (int64_t c = 0; c < channels; c++) {
    NUM by = scales ? 1 + e[c] : 1, plus = scales ? e[apart + c] : 0;
    v.scale[c] = gamma[c] * by;
    v.shift[c] = beta[c] * by + plus;
    v.by[c] = behind ? e[c] : 1, v.plus[c] = behind ? e[apart + c] : 0;
  }
  for (int64_t c = channels; c < room; c++) v.scale[c] = v.shift[c] = v.plus[c] = 0, v.by[c] = 1;
}

/* Mean and deviation of this row's groups.  The mean is kept as that of x: e is taken off. */
static void NAME(measure)(NAME(norm_lanes) v, NUM *stats, const HELD *x, const NUM *e, const lfm_norm_spec *spec) {
  int64_t block = spec->image.block, n = lfm_image_pixels(spec->image) * block, channels = spec->image.channels;
  NUM pixels = (NUM)lfm_image_pixels(spec->image);
  bool adds = spec->modulation == LFM_MODULATE_ADD;
  memset(v.mean, 0, NAME(norm_scratch)(spec));
  for (int64_t c = 0; c < channels; c += block) NAME(block_sums)(v.mean + c, x + c / block * n, v.shift, n, block, false);
  for (int64_t c = 0; c < channels && adds; c++) v.mean[c] += pixels * e[c];
  NAME(group_means)(v.mean, spec);
  for (int64_t c = 0; c < channels && adds; c++) v.mean[c] -= e[c];
  for (int64_t c = 0; c < channels; c += block) NAME(block_sums)(v.rstd + c, x + c / block * n, v.mean + c, n, block, true);
  NAME(group_means)(v.rstd, spec);
  int64_t each = channels / spec->groups;
  for (int64_t group = 0, c = 0; group < spec->groups; group++) {
    NUM rstd = 1 / (NUM)sqrt((double)(v.rstd[c] + (NUM)1e-5));
    for (int64_t end = c + each; c < end; c++) v.rstd[c] = rstd;
    stats[2 * group] = v.mean[c - 1] + (adds ? e[c - 1] : 0), stats[2 * group + 1] = rstd;
  }
}

/* What measure found, from stats. */
static void NAME(recall)(NAME(norm_lanes) v, const NUM *stats, const NUM *e, const lfm_norm_spec *spec) {
  int64_t each = spec->image.channels / spec->groups;
  bool adds = spec->modulation == LFM_MODULATE_ADD;
  memset(v.mean, 0, NAME(norm_scratch)(spec));
  for (int64_t group = 0, c = 0; group < spec->groups; group++)
    for (int64_t end = c + each; c < end; c++)
      v.mean[c] = stats[2 * group] - (adds ? e[c] : 0), v.rstd[c] = stats[2 * group + 1];
}

/* The numbers that a row's loops want of one block, a strand each. */
typedef struct NAME(strands) {
  NUM mean[STRANDS], rstd[STRANDS], scale[STRANDS], shift[STRANDS], by[STRANDS], plus[STRANDS];
} NAME(strands);

LFM_INLINE void NAME(strands_of)(NAME(strands) * s, NAME(norm_lanes) v, int64_t first, int64_t block) {
  NAME(repeat)(s->mean, v.mean + first, block);
  NAME(repeat)(s->rstd, v.rstd + first, block);
  NAME(repeat)(s->scale, v.scale + first, block);
  NAME(repeat)(s->shift, v.shift + first, block);
  NAME(repeat)(s->by, v.by + first, block);
  NAME(repeat)(s->plus, v.plus + first, block);
}

/* In every loop below the count of a chunk is a constant but for the last one. */
#define FOR_EACH_CHUNK(...)                                                                                                  \
  int64_t i = 0;                                                                                                             \
  for (; i + STRANDS <= n; i += STRANDS) LFM_ELEMENTWISE for (int j = 0; j < STRANDS; j++) {                                 \
      __VA_ARGS__                                                                                                            \
    }                                                                                                                        \
  for (int j = 0; j < n - i; j++) {                                                                                          \
    __VA_ARGS__                                                                                                              \
  }

/* One loop an activation: inside it the kind is a constant. */
#define FOR_EACH_NORM_ACT(LOOP)                                                                                              \
  switch (act) {                                                                                                             \
  case LFM_ACT_SILU:                                                                                                         \
    LOOP(LFM_ACT_SILU) break;                                                                                                \
  case LFM_ACT_MISH:                                                                                                         \
    LOOP(LFM_ACT_MISH) break;                                                                                                \
  default:                                                                                                                   \
    LOOP(LFM_ACT_NONE) break;                                                                                                \
  }

LFM_VECTOR static void NAME(norm_block)(HELD *restrict y, const HELD *restrict x, const NAME(strands) * s, int64_t n,
                                        lfm_act_kind act, bool behind) {
  NUM slope;
#define VALUE(KIND) NAME(act_value)(KIND, 0, (GET(x[i + j]) - s->mean[j]) * s->rstd[j] * s->scale[j] + s->shift[j], &slope)
#define LOOP(KIND)                                                                                                           \
  if (behind) {                                                                                                              \
    FOR_EACH_CHUNK(y[i + j] = PUT(VALUE(KIND) * s->by[j] + s->plus[j]);)                                                     \
  } else {                                                                                                                   \
    FOR_EACH_CHUNK(y[i + j] = PUT(VALUE(KIND));)                                                                             \
  }
  FOR_EACH_NORM_ACT(LOOP)
#undef LOOP
#undef VALUE
}

static void NAME(norm)(void *y, const void *x, const void *e, const void *gamma, const void *beta, void *stats,
                       const lfm_norm_spec *spec, int64_t rows, void *scratch) {
  NAME(norm_lanes) v = NAME(lanes_in)(scratch, spec);
  NAME(strands) s;
  int64_t block = spec->image.block, n = lfm_image_pixels(spec->image) * block, channels = spec->image.channels;
  int64_t row_count = lfm_image_count(spec->image),
          e_count = lfm_modulation_is_wide(spec->modulation) ? 2 * spec->apart : channels;
  for (int64_t row = 0; row < rows; row++) {
    const HELD *from = (const HELD *)x + row * row_count;
    const NUM *of = e ? (const NUM *)e + row * e_count : NULL;
    NAME(measure)(v, (NUM *)stats + row * 2 * spec->groups, from, of, spec);
    NAME(modulate)(v, of, gamma, beta, spec);
    for (int64_t c = 0; c < channels; c += block) {
      NAME(strands_of)(&s, v, c, block);
      NAME(norm_block)
      ((HELD *)y + row * row_count + c / block * n, from + c / block * n, &s, n, spec->act,
       spec->modulation == LFM_MODULATE_BEHIND);
    }
  }
}

/* dy becomes dz; S0, S1 and the sum of xh of the block; behind, the sums of v dy and of dy in place of that. */
LFM_VECTOR static void NAME(slope_block)(HELD *restrict dy, const HELD *restrict x, const NAME(strands) * s, int64_t n,
                                         lfm_act_kind act, bool behind, NAME(norm_lanes) v, int64_t first, int64_t block) {
  NUM sum0[STRANDS] = {0}, sum1[STRANDS] = {0}, sum2[STRANDS] = {0}, sum3[STRANDS] = {0};
  NUM slope;
#define LOOP(KIND)                                                                                                           \
  if (behind) {                                                                                                              \
    FOR_EACH_CHUNK(NUM xh = (GET(x[i + j]) - s->mean[j]) * s->rstd[j];                                                       \
                   NUM value = NAME(act_value)(KIND, 0, xh * s->scale[j] + s->shift[j], &slope);                             \
                   NUM given = GET(dy[i + j]), dz = given * s->by[j] * slope; sum2[j] += value * given, sum3[j] += given;    \
                   dy[i + j] = PUT(dz), sum0[j] += dz, sum1[j] += dz * xh;)                                                  \
  } else {                                                                                                                   \
    FOR_EACH_CHUNK(NUM xh = (GET(x[i + j]) - s->mean[j]) * s->rstd[j];                                                       \
                   (void)NAME(act_value)(KIND, 0, xh * s->scale[j] + s->shift[j], &slope); NUM dz = GET(dy[i + j]) * slope;  \
                   dy[i + j] = PUT(dz), sum0[j] += dz, sum1[j] += dz * xh, sum2[j] += xh;)                                   \
  }
  FOR_EACH_NORM_ACT(LOOP)
#undef LOOP
  NAME(fold)(v.sum0 + first, sum0, block);
  NAME(fold)(v.sum1 + first, sum1, block);
  NAME(fold)(v.sum2 + first, sum2, block);
  NAME(fold)(v.sum3 + first, sum3, block);
}

/* dx = or += r (a dz - G0 - xh G1); r's strands are in s->rstd, G0's in s->shift, G1's in `by`. */
LFM_VECTOR static void NAME(gradient_block)(HELD *restrict dx, const HELD *restrict dz, const HELD *restrict x,
                                            const NAME(strands) * s, const NUM *by, int64_t n, bool add) {
  if (add) {
    FOR_EACH_CHUNK(NUM xh = (GET(x[i + j]) - s->mean[j]) * s->rstd[j];
                   NUM more = s->rstd[j] * (s->scale[j] * GET(dz[i + j]) - s->shift[j] - xh * by[j]);
                   dx[i + j] = PUT(GET(dx[i + j]) + more);)
  } else {
    FOR_EACH_CHUNK(NUM xh = (GET(x[i + j]) - s->mean[j]) * s->rstd[j];
                   dx[i + j] = PUT(s->rstd[j] * (s->scale[j] * GET(dz[i + j]) - s->shift[j] - xh * by[j]));)
  }
}
#undef FOR_EACH_CHUNK
#undef FOR_EACH_NORM_ACT

/* The parameters' and the embedding's gradients off the channels' sums; then sum0 and sum1 become G0 and G1. */
LFM_VECTOR static void NAME(gather_sums)(NAME(norm_lanes) v, NUM *dgamma, NUM *dbeta, NUM *de, const NUM *e, const NUM *gamma,
                                         const NUM *beta, const lfm_norm_spec *spec) {
  int64_t channels = spec->image.channels;
  bool adds = spec->modulation == LFM_MODULATE_ADD, scales = spec->modulation == LFM_MODULATE_SCALE;
  bool behind = spec->modulation == LFM_MODULATE_BEHIND;
  LFM_ELEMENTWISE for (int64_t c = 0; c < channels; c++) {
    NUM by = scales ? 1 + e[c] : 1;
    if (dgamma) dgamma[c] += by * v.sum1[c], dbeta[c] += by * v.sum0[c];
    if (scales && de) de[c] = gamma[c] * v.sum1[c] + beta[c] * v.sum0[c], de[spec->apart + c] = v.sum0[c];
    if (behind && de) de[c] = v.sum2[c], de[spec->apart + c] = v.sum3[c];
    if (adds && de) de[c] = v.scale[c] * v.sum0[c];
    v.sum0[c] *= v.scale[c], v.sum1[c] *= v.scale[c];
  }
  NAME(group_means)(v.sum0, spec);
  NAME(group_means)(v.sum1, spec);
  NUM pixels = (NUM)lfm_image_pixels(spec->image);
  for (int64_t c = 0; c < channels && adds && de; c++)
    de[c] = v.rstd[c] * (de[c] - pixels * v.sum0[c] - v.sum2[c] * v.sum1[c]);
}

/* One row: dx from dz, of which dz has been made and summed. */
static void NAME(gradient_row)(HELD *dx, const HELD *dz, const HELD *x, NAME(norm_lanes) v, const lfm_norm_spec *spec,
                               bool add) {
  NAME(strands) s;
  NUM by[STRANDS];
  int64_t block = spec->image.block, n = lfm_image_pixels(spec->image) * block;
  for (int64_t c = 0; c < spec->image.channels; c += block) {
    NAME(strands_of)(&s, v, c, block);
    NAME(repeat)(s.shift, v.sum0 + c, block);
    NAME(repeat)(by, v.sum1 + c, block);
    NAME(gradient_block)(dx + c / block * n, dz + c / block * n, x + c / block * n, &s, by, n, add);
  }
}

static void NAME(norm_backward)(void *dx, void *dy, void *de, void *dgamma, void *dbeta, const void *x, const void *e,
                                const void *gamma, const void *beta, const void *stats, const lfm_norm_spec *spec,
                                int64_t rows, bool add, void *scratch) {
  NAME(norm_lanes) v = NAME(lanes_in)(scratch, spec);
  NAME(strands) s;
  int64_t block = spec->image.block, n = lfm_image_pixels(spec->image) * block, channels = spec->image.channels;
  int64_t row_count = lfm_image_count(spec->image),
          e_count = lfm_modulation_is_wide(spec->modulation) ? 2 * spec->apart : channels;
  for (int64_t row = 0; row < rows; row++) {
    const HELD *from = (const HELD *)x + row * row_count;
    const NUM *of = e ? (const NUM *)e + row * e_count : NULL;
    HELD *dz = (HELD *)dy + row * row_count;
    NAME(recall)(v, (const NUM *)stats + row * 2 * spec->groups, of, spec);
    NAME(modulate)(v, of, gamma, beta, spec);
    for (int64_t c = 0; c < channels; c += block) {
      NAME(strands_of)(&s, v, c, block);
      NAME(slope_block)
      (dz + c / block * n, from + c / block * n, &s, n, spec->act, spec->modulation == LFM_MODULATE_BEHIND, v, c, block);
    }
    NAME(gather_sums)(v, dgamma, dbeta, de ? (NUM *)de + row * e_count : NULL, of, gamma, beta, spec);
    NAME(gradient_row)((HELD *)dx + row * row_count, dz, from, v, spec, add);
  }
}

/* The map is x -> act'(z) a r (I - means): the transpose of backward's, so dy = act'(z) a r (dx - G0 - xh G1), where the
 * means are of dx and dx xh. */
static void NAME(norm_tangent)(void *dy, const void *dx, const void *x, const void *e, const void *gamma, const void *beta,
                               const void *stats, const lfm_norm_spec *spec, int64_t directions, int64_t first, int64_t count,
                               void *scratch) {
  NAME(norm_lanes) v = NAME(lanes_in)(scratch, spec);
  NAME(strands) s;
  int64_t block = spec->image.block, n = lfm_image_pixels(spec->image) * block, channels = spec->image.channels;
  int64_t row_count = lfm_image_count(spec->image),
          e_count = lfm_modulation_is_wide(spec->modulation) ? 2 * spec->apart : channels;
  for (int64_t f = first; f < first + count; f++) {
    int64_t row = f / directions;
    const HELD *from = (const HELD *)x + row * row_count;
    const NUM *of = e ? (const NUM *)e + row * e_count : NULL;
    const HELD *moved = (const HELD *)dx + (f - first) * row_count;
    HELD *to = (HELD *)dy + (f - first) * row_count;
    NAME(recall)(v, (const NUM *)stats + row * 2 * spec->groups, of, spec);
    for (int64_t c = 0; c < channels; c += block) { /* sums of dx and dx xh: what backward sums of dz, without a slope */
      NAME(strands_of)(&s, v, c, block);
      memcpy(to + c / block * n, moved + c / block * n, (size_t)n * sizeof *to);
      NAME(slope_block)(to + c / block * n, from + c / block * n, &s, n, LFM_ACT_NONE, false, v, c, block);
    }
    NAME(group_means)(v.sum0, spec);
    NAME(group_means)(v.sum1, spec);
    for (int64_t c = 0; c < channels; c++) v.scale[c] = 1;
    NAME(gradient_row)(to, moved, from, v, spec, false);
    NAME(modulate)(v, of, gamma, beta, spec);
    for (int64_t c = 0; c < channels; c += block) {
      NAME(strands_of)(&s, v, c, block);
      NAME(slope_block)
      (to + c / block * n, from + c / block * n, &s, n, spec->act, spec->modulation == LFM_MODULATE_BEHIND, v, c, block);
      HELD *of_block = to + c / block * n;
      for (int64_t i = 0; i < n; i++) of_block[i] = PUT(GET(of_block[i]) * s.scale[i % STRANDS]);
    }
  }
}
