/* SPDX-License-Identifier: MIT
 *
 * ref_image_body.h -- what else image.h has, for one number type and images of any block: copies, resampling, softmax,
 * dropout.  Plain rows and masks are of numbers, images of what they are held as.
 */

/* ---- copies between layouts ----------------------------------------------------------------------------------- */

/* From a channel and from a pixel of plain rows to the next. */
#define STEPS                                                                                                                \
  int64_t pixels = lfm_image_pixels(shape), block = shape.block, numbers = shape.channels * pixels;                          \
  int64_t channel_step = pixels_first ? 1 : pixels, pixel_step = pixels_first ? shape.channels : 1

static void NAME(block_rows)(void *image, const void *plain, lfm_image shape, bool pixels_first, int64_t rows) {
  HELD *to = image;
  const NUM *from = plain;
  STEPS;
  memset(to, 0, (size_t)(rows * lfm_image_count(shape)) * sizeof *to);
  for (int64_t row = 0; row < rows; row++, to += lfm_image_count(shape), from += numbers)
    for (int64_t c = 0; c < shape.channels; c++)
      for (int64_t p = 0; p < pixels; p++)
        to[(c / block * pixels + p) * block + c % block] = PUT(from[c * channel_step + p * pixel_step]);
}

static void NAME(plain_rows)(void *plain, const void *image, lfm_image shape, bool pixels_first, int64_t rows) {
  NUM *to = plain;
  const HELD *from = image;
  STEPS;
  for (int64_t row = 0; row < rows; row++, from += lfm_image_count(shape), to += numbers)
    for (int64_t c = 0; c < shape.channels; c++)
      for (int64_t p = 0; p < pixels; p++)
        to[c * channel_step + p * pixel_step] = GET(from[(c / block * pixels + p) * block + c % block]);
}
#undef STEPS

/* Channels [c, c + run) of one block lie side by side. */
LFM_INLINE int64_t NAME(run_of)(lfm_image shape, int64_t c, int64_t end) {
  int64_t run = shape.block - c % shape.block;
  return run < end - c ? run : end - c;
}

LFM_VECTOR static void NAME(gather_loop)(HELD *restrict to, const HELD *restrict image, lfm_image shape, int64_t first,
                                         int64_t count, bool transposed, NUM scale) {
  int64_t pixels = lfm_image_pixels(shape), block = shape.block, run;
  for (int64_t c = first; c < first + count; c += run) {
    run = NAME(run_of)(shape, c, first + count);
    const HELD *from = image + c / block * pixels * block + c % block;
    if (transposed)
      for (int64_t j = 0; j < run; j++)
        for (int64_t p = 0; p < pixels; p++) to[(c - first + j) * pixels + p] = PUT(scale * GET(from[p * block + j]));
    else
      for (int64_t p = 0; p < pixels; p++)
        for (int64_t j = 0; j < run; j++) to[p * count + c - first + j] = PUT(scale * GET(from[p * block + j]));
  }
}

LFM_VECTOR static void NAME(scatter_loop)(HELD *restrict image, const NUM *restrict from, lfm_image shape, int64_t first,
                                          int64_t count, NUM scale) {
  int64_t pixels = lfm_image_pixels(shape), block = shape.block, run;
  for (int64_t c = first; c < first + count; c += run) {
    run = NAME(run_of)(shape, c, first + count);
    HELD *to = image + c / block * pixels * block + c % block;
    for (int64_t p = 0; p < pixels; p++)
      for (int64_t j = 0; j < run; j++) to[p * block + j] = PUT(scale * from[p * count + c - first + j]);
  }
}

static void NAME(gather)(void *matrix, const void *image, lfm_image shape, int64_t first, int64_t count, bool transposed,
                         double scale) {
  NAME(gather_loop)(matrix, image, shape, first, count, transposed, (NUM)scale);
}

static void NAME(scatter)(void *image, const void *matrix, lfm_image shape, int64_t first, int64_t count, double scale) {
  NAME(scatter_loop)(image, matrix, shape, first, count, (NUM)scale);
}

/* ---- resampling ------------------------------------------------------------------------------------------------ */

static void NAME(enlarge)(void *large, const void *small, lfm_image shape, int64_t rows) {
  HELD *to = large;
  const HELD *from = small;
  int64_t block = shape.block, line = 2 * shape.width * block;
  for (int64_t lines = rows * lfm_image_blocks(shape) * shape.height; lines > 0; lines--, to += 2 * line) {
    for (int64_t x = 0; x < shape.width; x++, from += block)
      for (int64_t j = 0; j < block; j++) to[2 * x * block + j] = to[(2 * x + 1) * block + j] = from[j];
    memcpy(to + line, to, (size_t)line * sizeof *to);
  }
}

LFM_VECTOR static void NAME(reduce_loop)(HELD *restrict to, const HELD *restrict from, lfm_image shape, int64_t rows,
                                         bool add) {
  int64_t block = shape.block, line = 2 * shape.width * block;
  for (int64_t lines = rows * lfm_image_blocks(shape) * shape.height; lines > 0; lines--, from += 2 * line)
    for (int64_t x = 0; x < shape.width; x++, to += block)
      for (int64_t j = 0; j < block; j++) {
        const HELD *four = from + 2 * x * block + j;
        NUM sum = (GET(four[0]) + GET(four[block])) + (GET(four[line]) + GET(four[line + block]));
        to[j] = PUT(add ? GET(to[j]) + sum : sum);
      }
}

static void NAME(reduce)(void *small, const void *large, lfm_image shape, int64_t rows, bool add) {
  NAME(reduce_loop)(small, large, shape, rows, add);
}

/* ---- softmax --------------------------------------------------------------------------------------------------- */

/* A line's largest number and its sum, in strands that meet in a tree: so many that no addition waits for the one before. */
LFM_INLINE NUM NAME(line_most)(const NUM *restrict p, int64_t n) {
  NUM strands[STRANDS];
  int64_t i = 0;
  for (int j = 0; j < STRANDS; j++) strands[j] = p[0];
  for (; i + STRANDS <= n; i += STRANDS)
    for (int j = 0; j < STRANDS; j++) strands[j] = p[i + j] > strands[j] ? p[i + j] : strands[j];
  for (int j = 0; i < n; i++, j++) strands[j] = p[i] > strands[j] ? p[i] : strands[j];
  for (int half = STRANDS / 2; half > 0; half /= 2)
    for (int j = 0; j < half; j++) strands[j] = strands[j + half] > strands[j] ? strands[j + half] : strands[j];
  return strands[0];
}

LFM_INLINE NUM NAME(line_sum)(const NUM *restrict p, int64_t n) {
  NUM strands[STRANDS] = {0};
  int64_t i = 0;
  for (; i + STRANDS <= n; i += STRANDS)
    for (int j = 0; j < STRANDS; j++) strands[j] += p[i + j];
  for (int j = 0; i < n; i++, j++) strands[j] += p[i];
  for (int half = STRANDS / 2; half > 0; half /= 2)
    for (int j = 0; j < half; j++) strands[j] += strands[j + half];
  return strands[0];
}

LFM_VECTOR static void NAME(softmax_loop)(NUM *restrict p, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; row++, p += n) {
    NUM most = NAME(line_most)(p, n);
    for (int64_t i = 0; i < n; i++) p[i] = NAME(act_exp)(p[i] - most);
    NUM share = 1 / NAME(line_sum)(p, n);
    for (int64_t i = 0; i < n; i++) p[i] *= share;
  }
}

static void NAME(softmax)(void *p, int64_t rows, int64_t n) { NAME(softmax_loop)(p, rows, n); }

LFM_VECTOR static void NAME(softmax_slope_loop)(NUM *restrict dp, const NUM *restrict p, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; row++, p += n, dp += n) {
    for (int64_t i = 0; i < n; i++) dp[i] *= p[i];
    NUM mean = NAME(line_sum)(dp, n);
    for (int64_t i = 0; i < n; i++) dp[i] -= mean * p[i];
  }
}

static void NAME(softmax_slope)(void *dp, const void *p, int64_t rows, int64_t n) {
  NAME(softmax_slope_loop)(dp, p, rows, n);
}

/* ---- the rest -------------------------------------------------------------------------------------------------- */

/* `count` factors of a row's mask, sixteen bits a number and eight numbers a draw. */
LFM_VECTOR static void NAME(mask)(NUM *restrict mask, const uint32_t *restrict words, int64_t count, NUM kept,
                                  uint32_t least) {
  for (int64_t i = 0; i < count / 2; i++) {
    mask[2 * i] = (words[i] & 0xFFFFu) < least ? 0 : kept;
    mask[2 * i + 1] = (words[i] >> 16) < least ? 0 : kept;
  }
}

LFM_VECTOR static void NAME(scale)(HELD *restrict v, const NUM *restrict mask, int64_t count) {
  for (int64_t i = 0; i < count; i++) v[i] = PUT(GET(v[i]) * mask[i]);
}

/* In the order of an image of block 16, whatever the block: every backend has the same mask. */
static void NAME(dropout)(void *v, lfm_image shape, const lfm_dropout *dropout, const int64_t *row_of, int64_t rows) {
  HELD *at = v;
  NUM mask[MASK], kept = (NUM)(1 / (1 - dropout->p));
  uint32_t least = (uint32_t)(dropout->p * 65536 + 0.5), words[MASK / 2];
  int64_t pixels = lfm_image_pixels(shape), wide = (shape.channels + 15) / 16 * 16 * pixels, count;
  for (int64_t row = 0; row < rows; row++, at += lfm_image_count(shape))
    for (int64_t i = 0; i < wide; i += count) {
      count = wide - i < MASK ? wide - i : MASK;
      lfm_rng_words_range(&dropout->rng, row_of[row], dropout->node << 20 | (uint32_t)(i / 8), (uint32_t)(count / 8), words);
      NAME(mask)(mask, words, count, kept, least);
      if (shape.block == 16) NAME(scale)(at + i, mask, count);
      for (int64_t k = i; k < i + count && shape.block != 16; k++) {
        int64_t p = k / 16 % pixels, c = k / 16 / pixels * 16 + k % 16;
        HELD *one = at + (c / shape.block * pixels + p) * shape.block + c % shape.block;
        if (c < shape.channels) *one = PUT(GET(*one) * mask[k - i]);
      }
    }
}

static void NAME(sinusoid)(void *out, const void *t, int64_t dim, bool sines_first, int64_t rows) {
  NUM *to = out;
  int64_t half = dim / 2, cosine = sines_first ? half : 0, sine = sines_first ? 0 : half,
          last = sines_first ? half - 1 : half;
  for (int64_t row = 0; row < rows; row++, to += dim)
    for (int64_t j = 0; j < half; j++) {
      double angle = (double)((const NUM *)t)[row] * exp(-log(10000.0) * (double)j / (double)(last ? last : 1));
      to[cosine + j] = (NUM)cos(angle), to[sine + j] = (NUM)sin(angle);
    }
}

static void NAME(add_bias)(void *v, const void *bias, lfm_image shape, int64_t rows) {
  HELD *to = v;
  const NUM *of = bias;
  int64_t pixels = lfm_image_pixels(shape), block = shape.block;
  for (int64_t row = 0; row < rows; row++)
    for (int64_t c = 0; c < shape.channels; c += block)
      for (int64_t p = 0; p < pixels; p++, to += block)
        for (int64_t j = 0; j < block && c + j < shape.channels; j++) to[j] = PUT(GET(to[j]) + of[c + j]);
}

static void NAME(sum_bias)(void *d_bias, const void *d, lfm_image shape, int64_t rows, bool accumulate) {
  NUM *to = d_bias;
  const HELD *from = d;
  int64_t pixels = lfm_image_pixels(shape), block = shape.block;
  if (!accumulate) memset(to, 0, (size_t)shape.channels * sizeof *to);
  for (int64_t row = 0; row < rows; row++)
    for (int64_t c = 0; c < shape.channels; c += block)
      for (int64_t p = 0; p < pixels; p++, from += block)
        for (int64_t j = 0; j < block && c + j < shape.channels; j++) to[c + j] += GET(from[j]);
}

LFM_VECTOR static void NAME(sum_loop)(HELD *y, const HELD *a, const HELD *b, size_t n) {
  LFM_ELEMENTWISE for (size_t i = 0; i < n; i++) y[i] = PUT(GET(a[i]) + GET(b[i]));
}

static void NAME(sum)(void *y, const void *a, const void *b, size_t n) { NAME(sum_loop)(y, a, b, n); }

/* ---- the table ------------------------------------------------------------------------------------------------- */

const lfm_image_kernels NAME(lfm_ref_images) = {
    .block = 1,
    CONVOLUTIONS,
    .block_rows = NAME(block_rows),
    .plain_rows = NAME(plain_rows),
    .add_bias = NAME(add_bias),
    .sum_bias = NAME(sum_bias),
    .norm_scratch = NAME(norm_scratch),
    .norm = NAME(norm),
    .norm_backward = NAME(norm_backward),
    .norm_tangent = NAME(norm_tangent),
    .dropout = NAME(dropout),
    .enlarge = NAME(enlarge),
    .reduce = NAME(reduce),
    .gather = NAME(gather),
    .scatter = NAME(scatter),
    .softmax = NAME(softmax),
    .softmax_slope = NAME(softmax_slope),
    .sinusoid = NAME(sinusoid),
    .sum = NAME(sum),
};
