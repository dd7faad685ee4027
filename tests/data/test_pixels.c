/* SPDX-License-Identifier: MIT
 *
 * test_pixels.c -- bytes come back from floats whatever was drawn; u is uniform, sides are even, and both are functions of
 * their address.
 */
#include "data/images_support.h"
#include "data/pixels.h"

enum { ROWS = 400, SIDE = 16, ROW = 3 * SIDE * SIDE };

/* Every byte value comes up, the first and the last in each picture. */
static lfm_images *make_set(void) {
  lfm_images *images;
  assert_int_equal(lfm_images_make(ROWS, 3, SIDE, SIDE, &images), LFM_OK);
  for (size_t i = 0; i < (size_t)ROWS * ROW; i++) images->pixels[i] = made_byte(i);
  for (size_t i = 0; i < ROWS; i++) images->pixels[i * ROW] = 255, images->pixels[i * ROW + 1] = 0;
  return images;
}

static void plain_rows_span_minus_one_to_one(void **state) {
  (void)state;
  lfm_images *images = make_set();
  float row[ROW];
  uint8_t back[ROW];
  for (int64_t i = 0; i < ROWS; i++) {
    memset(row, 0xFF, sizeof row);
    lfm_pixels_to_row(images, i, NULL, row);
    assert_true(row[0] == 1 && row[1] == -1);
    for (int j = 0; j < ROW; j++) assert_true(fabsf(row[j] - ((float)images->pixels[i * ROW + j] / 127.5f - 1)) < 1e-6f);
    lfm_pixels_from_row(row, ROW, false, back);
    assert_memory_equal(back, images->pixels + i * ROW, ROW);
  }
  lfm_images_destroy(images);
}

static void beyond_the_ends_are_the_ends(void **state) {
  (void)state;
  const float row[] = {-1.5f, 1.5f, NAN, INFINITY, -INFINITY, -0.9961f, 0.0f, 1e30f};
  const uint8_t plain[] = {0, 255, 0, 255, 0, 0, 128, 255}, whole[] = {0, 255, 0, 255, 0, 0, 128, 255};
  uint8_t back[8];
  lfm_pixels_from_row(row, 8, false, back);
  assert_memory_equal(back, plain, 8);
  lfm_pixels_from_row(row, 8, true, back);
  assert_memory_equal(back, whole, 8);
}

/* (p + u) / 128 - 1 keeps in [-1, 1), gives p back, and its u is uniform: mean 1/2 and variance 1/12 within 5 standard
 * errors, a sixteenth of it in each sixteenth. */
static void dequantised_rows_are_uniform_within_a_byte(void **state) {
  (void)state;
  lfm_images *images = make_set();
  lfm_pixels how = {.dequantise = true, .seed = 3, .step = 1};
  static float row[ROW];
  uint8_t back[ROW];
  double sum = 0, squares = 0, n = (double)ROWS * ROW;
  int64_t bins[16] = {0};
  for (int64_t i = 0; i < ROWS; i++) {
    lfm_pixels_to_row(images, i, &how, row);
    lfm_pixels_from_row(row, ROW, true, back);
    assert_memory_equal(back, images->pixels + i * ROW, ROW);
    for (int j = 0; j < ROW; j++) {
      assert_true(row[j] >= -1 && row[j] < 1);
      double u = ((double)row[j] + 1) * 128 - images->pixels[i * ROW + j];
      assert_true(u >= 0 && u < 1);
      sum += u, squares += (u - 0.5) * (u - 0.5), bins[(int)(u * 16)]++;
    }
  }
  assert_true(fabs(sum / n - 0.5) < 5 * sqrt(1 / 12.0 / n));
  assert_true(fabs(squares / n - 1 / 12.0) < 5 * sqrt(1 / 180.0 / n));
  for (int k = 0; k < 16; k++) assert_true(fabs((double)bins[k] - n / 16) < 5 * sqrt(n * 15 / 256));
  lfm_images_destroy(images);
}

static bool is_mirror(const float *a, const float *b) {
  for (int line = 0; line < ROW; line += SIDE)
    for (int j = 0; j < SIDE; j++)
      if (memcmp(&a[line + j], &b[line + SIDE - 1 - j], sizeof *a) != 0) return false;
  return true;
}

static void half_of_the_pictures_are_flipped(void **state) {
  (void)state;
  lfm_images *images = make_set();
  float plain[ROW], drawn[ROW];
  int flipped = 0, differ = 0;
  for (int64_t i = 0; i < ROWS; i++) {
    bool seen[2];
    lfm_pixels_to_row(images, i, NULL, plain);
    for (uint32_t step = 0; step < 2; step++) {
      lfm_pixels_to_row(images, i, &(lfm_pixels){.flip = true, .seed = 7, .step = step}, drawn);
      seen[step] = memcmp(drawn, plain, sizeof plain) != 0;
      assert_true(!seen[step] || is_mirror(drawn, plain));
    }
    flipped += seen[0];
    differ += seen[0] != seen[1];
  }
  assert_true(abs(flipped - ROWS / 2) < 50 && abs(differ - ROWS / 2) < 50); /* 5 standard deviations */
  lfm_images_destroy(images);
}

/* A row is made from its address alone, and each part of the address counts. */
static void draws_are_functions_of_their_address(void **state) {
  (void)state;
  lfm_images *images = make_set();
  const lfm_pixels how[] = {{.dequantise = true, .seed = 1, .block = 1, .step = 1},
                            {.dequantise = true, .seed = 2, .block = 1, .step = 1},
                            {.dequantise = true, .seed = 1, .block = 2, .step = 1},
                            {.dequantise = true, .seed = 1, .block = 1, .step = 2}};
  float first[ROW], again[ROW];
  lfm_pixels_to_row(images, 5, &how[0], first);
  lfm_pixels_to_row(images, 6, &how[0], again);
  lfm_pixels_to_row(images, 5, &how[0], again);
  assert_memory_equal(again, first, sizeof first);
  for (int k = 1; k < 4; k++) {
    int equal = 0;
    lfm_pixels_to_row(images, 5, &how[k], again);
    for (int j = 0; j < ROW; j++) equal += memcmp(&again[j], &first[j], sizeof *first) == 0;
    assert_true(equal < 3);
  }
  lfm_images_destroy(images);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain_rows_span_minus_one_to_one), cmocka_unit_test(beyond_the_ends_are_the_ends),
      cmocka_unit_test(dequantised_rows_are_uniform_within_a_byte), cmocka_unit_test(half_of_the_pictures_are_flipped),
      cmocka_unit_test(draws_are_functions_of_their_address)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
