/* SPDX-License-Identifier: MIT
 *
 * test_resample.c -- squares as Pillow makes them smaller and larger, but for a last rounding; flat ones stay flat.
 */
#include "data/images_support.h"
#include "data/resample.h"
#include "golden/resample.h"

static uint8_t disc_byte(int side, int i) {
  int y = 2 * (i / side) + 1 - side, x = 2 * (i % side) + 1 - side;
  return x * x + y * y < side * side / 2 ? 240 : 15;
}

static void squares_are_pillow_s(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof resampled / sizeof *resampled; k++) {
    int side = resampled[k].side, size = resampled[k].size, differ = 0;
    uint8_t in[64 * 64], out[20 * 20];
    for (int i = 0; i < side * side; i++) in[i] = resampled[k].is_disc ? disc_byte(side, i) : made_byte((size_t)i);
    memset(out, 0xA5, sizeof out);
    assert_int_equal(lfm_resample_square(in, 1, side, out, size), LFM_OK);
    for (int i = 0; i < size * size; i++) {
      int off = abs(out[i] - resampled[k].expected[i]);
      if (off > 1) fail_msg("case %zu: byte %d is %d, Pillow's %d", k, i, out[i], resampled[k].expected[i]);
      differ += off;
    }
    assert_true(side == size ? differ == 0 : differ <= (size * size + 1) / 2);
  }
}

/* Planes do not mix, and weights sum to one at every place, the borders too. */
static void flat_planes_stay_flat(void **state) {
  (void)state;
  static const int sides[][2] = {{1, 1}, {1, 50}, {50, 1}, {7, 50}, {50, 7}, {49, 50}, {50, 49}};
  static uint8_t in[3 * 50 * 50], out[3 * 50 * 50 + 1];
  for (size_t k = 0; k < sizeof sides / sizeof *sides; k++) {
    size_t from = (size_t)(sides[k][0] * sides[k][0]), to = (size_t)(sides[k][1] * sides[k][1]);
    memset(in, 0, from);
    memset(in + from, 255, from);
    memset(in + 2 * from, 77, from);
    memset(out, 0xA5, sizeof out);
    assert_int_equal(lfm_resample_square(in, 3, sides[k][0], out, sides[k][1]), LFM_OK);
    for (size_t i = 0; i < 3 * to; i++) assert_int_equal(out[i], i < to ? 0 : i < 2 * to ? 255 : 77);
    assert_int_equal(out[3 * to], 0xA5);
  }
}

/* Stripes of one pixel average out where four of them fall on one, and do not come back as other stripes. */
static void thin_lines_do_not_alias(void **state) {
  (void)state;
  static uint8_t in[120 * 120], out[30 * 30];
  for (int i = 0; i < 120 * 120; i++) in[i] = i % 2 ? 255 : 0;
  assert_int_equal(lfm_resample_square(in, 1, 120, out, 30), LFM_OK);
  for (int i = 0; i < 30; i++)
    for (int j = 2; j < 28; j++) assert_true(abs(out[30 * i + j] - 127) <= 2);
}

static lfm_status resample(void *context) {
  uint8_t in[25] = {0}, out[9];
  (void)context;
  return lfm_resample_square(in, 1, 5, out, 3);
}

static void stands_refused_memory(void **state) {
  (void)state;
  size_t before = lfm_alloc_in_use();
  assert_int_equal(refuse_memory(resample, NULL), 4);
  assert_int_equal(lfm_alloc_in_use(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(squares_are_pillow_s), cmocka_unit_test(flat_planes_stay_flat),
                                     cmocka_unit_test(thin_lines_do_not_alias), cmocka_unit_test(stands_refused_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
