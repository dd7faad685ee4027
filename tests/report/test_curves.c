/* SPDX-License-Identifier: MIT
 * Curves are a picture, also with gaps, with nothing to show, and on logarithmic axes; each is told from all others, and has
 * its name in the picture, however many there are. */
#include "report/picture.h"

enum { COUNT = 50 };
static double x[COUNT], loss[COUNT], valid[COUNT];

static int fill(void **state) {
  for (int i = 0; i < COUNT; i++)
    x[i] = i + 1, loss[i] = 0.1 + 3.0 / (i + 1), valid[i] = i % 7 == 3 ? NAN : 0.2 + 3.0 / (i + 1);
  return make_picture_folder(state);
}

static lfm_status draw(const char *path) {
  const lfm_series series[] = {{"block 1", x, loss, COUNT, 0, LFM_LINE_FAINT}, {NULL, x, valid, COUNT, 0, LFM_LINE_DASHED}};
  const lfm_curves_options options = {.title = "Loss", .x_label = "step", .y_label = "loss", .log_y = true};
  return lfm_draw_curves(path, series, 2, &options);
}

static lfm_status draw_nothing(const char *path) {
  const double nothing[] = {NAN, 0, -1};
  const lfm_series series = {"empty", nothing, nothing, 3, 0, LFM_LINE};
  const lfm_curves_options options = {.log_x = true, .log_y = true};
  return lfm_draw_curves(path, &series, 1, &options);
}

static lfm_status draw_widest(const char *path) {
  const double widest[] = {1e-300, 1, 1e308};
  const lfm_series series = {"widest", widest, widest, 3, 0, LFM_LINE};
  const lfm_curves_options options = {.log_x = true, .log_y = true};
  return lfm_draw_curves(path, &series, 1, &options);
}

static lfm_line few_line = LFM_LINE;
static int few_colour;
static lfm_status draw_few(const char *path) {
  const lfm_series series = {"few", x, loss, 5, few_colour, few_line};
  return lfm_draw_curves(path, &series, 1, NULL);
}

static lfm_status draw_bare(const char *path) { return lfm_draw_curves(path, NULL, 0, NULL); }

static void curves_are_a_picture(void **state) {
  (void)state;
  assert_is_a_picture(draw, 1200, 640, 0.01, 0.2);
  assert_is_a_picture(draw_widest, 1200, 640, 0.01, 0.2);
  assert_fails_cleanly(draw);
}

static void nothing_to_show_is_axes_only(void **state) {
  (void)state;
  assert_is_a_picture(draw_nothing, 1200, 640, 0.002, 0.05);
  assert_is_a_picture(draw_bare, 1200, 640, 0.002, 0.05);
}

/* One a value, and one in the legend, of some 60 pixels each, half of which the line has drawn already. */
static void dots_are_on_the_line(void **state) {
  (void)state;
  const char *path = picture_path("few.png");
  double inked[2];
  for (int k = 0; k < 2; k++) {
    few_line = k ? LFM_LINE_DOTS : LFM_LINE;
    assert_int_equal(draw_few(path), LFM_OK);
    inked[k] = inked_share(path, 1200, 640) * 1200 * 640;
  }
  assert_true(inked[1] - inked[0] > 6 * 25 && inked[1] - inked[0] < 6 * 110);
  remove(path);
}

/* The ninth series has the first one's colour: it is told from it by gaps, of two fifths of the line. */
static void colours_come_again_dashed(void **state) {
  (void)state;
  const char *path = picture_path("ninth.png");
  double inked[3];
  few_line = LFM_LINE;
  for (int k = 0; k < 3; k++) {
    few_colour = k == 2 ? 8 : k;
    assert_int_equal(draw_few(path), LFM_OK);
    inked[k] = inked_share(path, 1200, 640);
  }
  few_colour = 0;
  assert_true(fabs(inked[1] - inked[0]) < 0.1 * (inked[0] - inked[2]) && inked[0] - inked[2] > 200.0 / (1200 * 640));
  remove(path);
}

/* Of a chain of 64 blocks. */
enum { MOST_NAMES = 65 };
static int many;
static const char *last_name;
static lfm_status draw_many(const char *path) {
  lfm_series series[MOST_NAMES];
  char names[MOST_NAMES][32];
  for (int k = 0; k < many; k++) {
    snprintf(names[k], sizeof names[k], "block %d: 0.8123", k + 1);
    series[k] = (lfm_series){k == many - 1 ? last_name : names[k], x, loss, COUNT, k, LFM_LINE};
  }
  return lfm_draw_curves(path, series, many, NULL);
}

static bool are_same(draw_fn draw_other, const char *first) {
  uint8_t *a, *b;
  size_t a_size, b_size;
  const char *second = picture_path("other.png");
  assert_int_equal(draw_other(second), LFM_OK);
  assert_int_equal(lfm_file_read(first, &a, &a_size), LFM_OK);
  assert_int_equal(lfm_file_read(second, &b, &b_size), LFM_OK);
  bool same = a_size == b_size && memcmp(a, b, a_size) == 0;
  lfm_free(a);
  lfm_free(b);
  remove(second);
  return same;
}

/* Another last name, shorter than the others, makes another picture: it stands in there. */
static void every_name_is_in_the_picture(void **state) {
  (void)state;
  static const int counts[] = {2, 19, 20, 34, 35, MOST_NAMES};
  char first[512];
  snprintf(first, sizeof first, "%s", picture_path("first.png"));
  for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
    many = counts[k], last_name = "a";
    assert_int_equal(draw_many(first), LFM_OK);
    assert_true(inked_share(first, 1200, 640) > 0.01);
    assert_true(are_same(draw_many, first));
    last_name = "b";
    assert_false(are_same(draw_many, first));
  }
  remove(first);
}

/* 64 colours are eight, each in eight strokes. */
static void strokes_differ_where_colours_come_again(void **state) {
  (void)state;
  char first[512];
  snprintf(first, sizeof first, "%s", picture_path("first.png"));
  few_line = LFM_LINE;
  for (int a = 0; a < 64; a += 8) {
    few_colour = a;
    assert_int_equal(draw_few(first), LFM_OK);
    for (few_colour = 0; few_colour < 64; few_colour += 8) assert_true(are_same(draw_few, first) == (few_colour == a));
  }
  few_colour = 0;
  remove(first);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(curves_are_a_picture),         cmocka_unit_test(nothing_to_show_is_axes_only),
      cmocka_unit_test(dots_are_on_the_line),         cmocka_unit_test(colours_come_again_dashed),
      cmocka_unit_test(every_name_is_in_the_picture), cmocka_unit_test(strokes_differ_where_colours_come_again)};
  return cmocka_run_group_tests(tests, fill, remove_picture_folder);
}
