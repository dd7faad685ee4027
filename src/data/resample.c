/* SPDX-License-Identifier: MIT
 *
 * resample.c -- pictures smaller or larger, by a separable cubic that is stretched when they become smaller.
 *
 * The filter is Catmull and Rom's cubic [Keys, IEEE ASSP 29 (1981), a = -1/2].  Where a picture shrinks by a factor s, it
 * is s times as wide, so that each pixel of the source counts: without that, thin lines come and go (aliasing), and a
 * Frechet distance sees it.  At the borders the part of the filter that is inside counts, its weights summing to one.  This
 * is what Pillow's resize(..., BICUBIC) does; we keep fractions between the two passes and round once, so that single bytes
 * may differ by one.  As there, what overshoots is cut off after each pass.
 * Refused: Lanczos, which is a little sharper and rings at edges; picking or averaging whole pixels.
 */
#include "data/resample.h"

#include "core/alloc.h"

#include <math.h>

/* What the output positions of one axis take: position o the weights [o * most ..] of the inputs first[o] .. + count[o]. */
typedef struct taps {
  int64_t most, *first, *count;
  float *weights;
} taps;

static double cubic(double x) {
  x = fabs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

static void fill_taps(taps *t, int64_t side, int64_t size) {
  double scale = (double)side / (double)size, stretch = scale > 1 ? scale : 1;
  for (int64_t o = 0; o < size; o++) {
    double centre = ((double)o + 0.5) * scale, sum = 0;
    double low = fmax(floor(centre - 2 * stretch + 0.5), 0), high = fmin(floor(centre + 2 * stretch + 0.5), (double)side);
    float *weights = t->weights + o * t->most;
    t->first[o] = (int64_t)low;
    t->count[o] = (int64_t)(high - low);
    for (int64_t k = 0; k < t->count[o]; k++) sum += cubic((low + (double)k + 0.5 - centre) / stretch);
    for (int64_t k = 0; k < t->count[o]; k++) weights[k] = (float)(cubic((low + (double)k + 0.5 - centre) / stretch) / sum);
  }
}

static void free_taps(taps *t) {
  lfm_free(t->first);
  lfm_free(t->count);
  lfm_free(t->weights);
}

static lfm_status make_taps(taps *t, int64_t side, int64_t size) {
  lfm_status status;
  *t = (taps){.most = 4 * (side > size ? side / size + 1 : 1) + 2};
  LFM_TRY_GOTO(LFM_ALLOC(&t->first, size), failed);
  LFM_TRY_GOTO(LFM_ALLOC(&t->count, size), failed);
  LFM_TRY_GOTO(lfm_alloc_array(&t->weights, (size_t)(size * t->most), sizeof *t->weights), failed);
  fill_taps(t, side, size);
  return LFM_OK;
failed:
  free_taps(t);
  return status;
}

static float clamp(float value) { return value <= 0 ? 0 : value >= 255 ? 255 : value; }

/* in [side, side] -> narrow [side, size] */
static void along_rows(const taps *t, const uint8_t *in, int64_t side, float *narrow, int64_t size) {
  for (int64_t i = 0; i < side; i++)
    for (int64_t o = 0; o < size; o++) {
      const uint8_t *from = in + i * side + t->first[o];
      const float *weights = t->weights + o * t->most;
      float sum = 0;
      for (int64_t k = 0; k < t->count[o]; k++) sum += weights[k] * (float)from[k];
      narrow[i * size + o] = clamp(sum);
    }
}

/* narrow [side, size] -> out [size, size]; line [size] is scratch */
static void along_columns(const taps *t, const float *narrow, uint8_t *out, int64_t size, float *line) {
  for (int64_t o = 0; o < size; o++) {
    const float *from = narrow + t->first[o] * size, *weights = t->weights + o * t->most;
    for (int64_t j = 0; j < size; j++) line[j] = 0;
    for (int64_t k = 0; k < t->count[o]; k++)
      for (int64_t j = 0; j < size; j++) line[j] += weights[k] * from[k * size + j];
    for (int64_t j = 0; j < size; j++) out[o * size + j] = (uint8_t)(clamp(line[j]) + 0.5f);
  }
}

lfm_status lfm_resample_square(const uint8_t *in, int64_t planes, int64_t side, uint8_t *out, int64_t size) {
  taps t;
  float *narrow; /* [side + 1, size]: the last line is scratch */
  LFM_TRY(make_taps(&t, side, size));
  lfm_status status = LFM_ALLOC(&narrow, (side + 1) * size);
  for (int64_t k = 0; k < planes && status == LFM_OK; k++) {
    along_rows(&t, in + k * side * side, side, narrow, size);
    along_columns(&t, narrow, out + k * size * size, size, narrow + side * size);
  }
  if (status == LFM_OK) lfm_free(narrow);
  free_taps(&t);
  return status;
}
