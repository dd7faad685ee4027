/* SPDX-License-Identifier: MIT
 *
 * ref_conv_body.h -- convolutions for one number type on plain images; ref_image.c includes this once a type.
 * A convolution is a sum over pairs of channels and taps of shifted planes: the loops say so, the inner one runs along a
 * line of pixels.
 */

static void NAME(pack_filter)(void *dst, const lfm_filter *filter, const void *w, int64_t first, int64_t count) {
  int64_t row = filter->in * filter->taps;
  memcpy((NUM *)dst + first * row, (const NUM *)w + first * row, (size_t)(count * row) * sizeof(NUM));
}

/* One pair of planes and one tap, where they meet.  What runs over it is the caller's LINE(y's line, x's line, from, end). */
#define FOR_EACH_LINE(LINE)                                                                                                  \
  int64_t height = s->out.height, width = s->out.width, from_y, end_y, from_x, end_x;                                        \
  inside(s->in.height, height, s->stride, dy, &from_y, &end_y);                                                              \
  inside(s->in.width, width, s->stride, dx, &from_x, &end_x);                                                                \
  for (int64_t oy = from_y; oy < end_y; oy++) LINE(y + oy * width, x + (oy * s->stride + dy) * s->in.width + dx)

LFM_VECTOR static void NAME(add_shifted)(NUM *restrict y, const NUM *restrict x, NUM w, const lfm_conv_shape *s, int64_t dy,
                                         int64_t dx) {
#define LINE(OUT, IN)                                                                                                        \
  if (s->stride == 1)                                                                                                        \
    for (int64_t ox = from_x; ox < end_x; ox++) (OUT)[ox] += w * (IN)[ox];                                                   \
  else                                                                                                                       \
    for (int64_t ox = from_x; ox < end_x; ox++) (OUT)[ox] += w * (IN)[ox * s->stride];
  FOR_EACH_LINE(LINE)
#undef LINE
}

LFM_VECTOR static void NAME(add_back)(const NUM *restrict y, NUM *restrict x, NUM w, const lfm_conv_shape *s, int64_t dy,
                                      int64_t dx) {
#define LINE(OUT, IN)                                                                                                        \
  for (int64_t ox = from_x; ox < end_x; ox++) (IN)[ox * s->stride] += w * (OUT)[ox];
  FOR_EACH_LINE(LINE)
#undef LINE
}

LFM_VECTOR static NUM NAME(meet)(const NUM *restrict y, const NUM *restrict x, const lfm_conv_shape *s, int64_t dy,
                                 int64_t dx) {
  NUM sum = 0;
#define LINE(OUT, IN)                                                                                                        \
  for (int64_t ox = from_x; ox < end_x; ox++) sum += (OUT)[ox] * (IN)[ox * s->stride];
  FOR_EACH_LINE(LINE)
#undef LINE
  return sum;
}
#undef FOR_EACH_LINE

/* forward and back data of one row; what is written is set to its start first. */
static void NAME(conv_row)(const lfm_conv *conv, const NUM *in, const NUM *filter, const NUM *bias, NUM *out) {
  const lfm_conv_shape *s = &conv->shape;
  bool back = conv->pass == LFM_CONV_BACK_DATA;
  int64_t x_plane = lfm_image_pixels(s->in), y_plane = lfm_image_pixels(s->out), middle = (s->size - 1) / 2;
  if (back) memset(out, 0, (size_t)(s->in.channels * x_plane) * sizeof *out);
  for (int64_t o = 0; o < s->out.channels; o++) {
    for (int64_t p = 0; p < y_plane && !back; p++) out[o * y_plane + p] = bias ? bias[o] : 0;
    for (int64_t i = 0; i < s->in.channels; i++)
      for (int64_t tap = 0; tap < lfm_conv_taps(s); tap++, filter++) {
        int64_t dy = s->line ? 0 : tap / s->size - middle, dx = tap % s->size - middle;
        if (back) NAME(add_back)(in + o * y_plane, out + i * x_plane, *filter, s, dy, dx);
        else NAME(add_shifted)(out + o * y_plane, in + i * x_plane, *filter, s, dy, dx);
      }
  }
}

static lfm_status NAME(conv_run)(lfm_conv *conv, const void *in, const void *filter, const void *bias, void *out,
                                 void *scratch) {
  (void)scratch;
  bool back = conv->pass == LFM_CONV_BACK_DATA;
  int64_t read = lfm_image_count(back ? conv->shape.out : conv->shape.in);
  int64_t written = lfm_image_count(back ? conv->shape.in : conv->shape.out);
  for (int64_t row = 0; row < conv->rows; row++)
    NAME(conv_row)(conv, (const NUM *)in + row * read, filter, bias, (NUM *)out + row * written);
  return LFM_OK;
}

static lfm_status NAME(conv_gradient)(lfm_conv *conv, const void *x, const void *dy, void *dw, void *db, bool accumulate,
                                      void *scratch) {
  (void)scratch;
  const lfm_conv_shape *s = &conv->shape;
  int64_t x_plane = lfm_image_pixels(s->in), y_plane = lfm_image_pixels(s->out), middle = (s->size - 1) / 2;
  int64_t x_count = lfm_image_count(s->in), y_count = lfm_image_count(s->out), taps = lfm_conv_taps(s);
  for (int64_t o = 0; o < s->out.channels; o++) {
    NUM bias = accumulate ? ((NUM *)db)[o] : 0;
    for (int64_t row = 0; row < conv->rows; row++)
      for (int64_t p = 0; p < y_plane; p++) bias += ((const NUM *)dy)[row * y_count + o * y_plane + p];
    ((NUM *)db)[o] = bias;
    for (int64_t at = o * s->in.channels * taps; at < (o + 1) * s->in.channels * taps; at++) {
      int64_t i = at / taps % s->in.channels, tap = at % taps;
      NUM sum = accumulate ? ((NUM *)dw)[at] : 0;
      for (int64_t row = 0; row < conv->rows; row++)
        sum += NAME(meet)((const NUM *)dy + row * y_count + o * y_plane, (const NUM *)x + row * x_count + i * x_plane, s,
                          s->line ? 0 : tap / s->size - middle, tap % s->size - middle);
      ((NUM *)dw)[at] = sum;
    }
  }
  return LFM_OK;
}
