/* SPDX-License-Identifier: MIT
 * Text of any bytes leaves the picture whole; the heat colours darken all the way. */
#include "report/canvas.h"
#include "report/picture.h"

static lfm_status write_hostile_text(const char *path) {
  static const char *const texts[] = {
      "", "\xFF\xFE\x80", "a\x01\n\tb", "\xE2\x82", "\xED\xA0\x80", "\xF0\x9F\x8C\xB3", "Größe ≤ 1"};
  char huge[4096];
  memset(huge, 'x', sizeof huge - 1);
  huge[sizeof huge - 1] = '\0';
  lfm_canvas canvas;
  lfm_status status = lfm_canvas_open(200, 100, &canvas);
  if (status != LFM_OK) return status;
  lfm_canvas_colour(&canvas, lfm_ink, 1);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    lfm_canvas_text(&canvas, LFM_TEXT_LEFT, 5, 12 * ((double)i + 1), 12, 0, texts[i]);
  lfm_canvas_text(&canvas, LFM_TEXT_UPWARDS, 190, 50, 12, 60, huge);
  lfm_canvas_text(&canvas, LFM_TEXT_CENTRE, 100, 98, 12, 1, huge);
  return lfm_canvas_write(&canvas, path);
}

static void any_bytes_are_text(void **state) {
  (void)state;
  assert_is_a_picture(write_hostile_text, 200, 100, 0.01, 0.5);
  assert_fails_cleanly(write_hostile_text);
}

static void long_text_is_shortened(void **state) {
  (void)state;
  lfm_canvas canvas;
  assert_int_equal(lfm_canvas_open(300, 40, &canvas), LFM_OK);
  lfm_canvas_colour(&canvas, lfm_ink, 1);
  lfm_canvas_text(&canvas, LFM_TEXT_LEFT, 0, 30, 20, 100, "a name that is much too long for its place");
  cairo_surface_flush(canvas.surface);
  const unsigned char *data = cairo_image_surface_get_data(canvas.surface);
  for (int j = 0; j < 40; j++)
    for (int i = 102; i < 300; i++) assert_int_equal(data[j * cairo_image_surface_get_stride(canvas.surface) + 4 * i], 255);
  lfm_canvas_close(&canvas);
}

static void numbers_do_not_touch(void **state) {
  (void)state;
  lfm_canvas canvas;
  double right = 0;
  assert_int_equal(lfm_canvas_open(300, 40, &canvas), LFM_OK);
  lfm_canvas_number(&canvas, 50, 30, 20, "1700", &right);
  double first = right;
  assert_true(first > 50);
  lfm_canvas_number(&canvas, 70, 30, 20, "1701", &right); /* left out */
  assert_true(right == first);
  lfm_canvas_number(&canvas, 150, 30, 20, "1702", &right);
  assert_true(right > 150);
  lfm_canvas_close(&canvas);
}

static void heat_darkens(void **state) {
  (void)state;
  double before = 2;
  for (int i = 0; i <= 64; i++) {
    lfm_colour c = lfm_heat(i / 64.0);
    double lightness = 0.2126 * c.red + 0.7152 * c.green + 0.0722 * c.blue;
    assert_true(lightness < before);
    before = lightness;
  }
  assert_near(lfm_heat(0).red + lfm_heat(0).green + lfm_heat(0).blue, 3, 0);
  assert_near(lfm_heat(7).red, lfm_heat(1).red, 0);
}

static void sizes_are_bounded(void **state) {
  (void)state;
  lfm_canvas canvas;
  assert_int_equal(lfm_canvas_open(15, 100, &canvas), LFM_E_USAGE);
  assert_int_equal(lfm_canvas_open(100, 16385, &canvas), LFM_E_USAGE);
  lfm_canvas_close(&canvas);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_bytes_are_text), cmocka_unit_test(long_text_is_shortened), cmocka_unit_test(numbers_do_not_touch),
      cmocka_unit_test(heat_darkens),       cmocka_unit_test(sizes_are_bounded),
  };
  return cmocka_run_group_tests(tests, make_picture_folder, remove_picture_folder);
}
