/* SPDX-License-Identifier: MIT
 * A PNG comes back as ink; damage is told from a missing file; the paper's tree has the entropy its authors' mapping gives.
 */
#include "core/alloc.h"
#include "core/file.h"
#include "metric/grey.h"
#include "metric/pixel_density.h"
#include "support/near.h"
#include "support/shared_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 3 x 2 grey pixels, 250 0 125 / 200 250 10, as a PNG. */
static const uint8_t small_png[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x03, 0x00, 0x00, 0x00, 0x02, 0x08, 0x00, 0x00, 0x00, 0x00, 0xb8, 0x1f, 0x39, 0xc6, 0x00, 0x00, 0x00, 0x10, 0x49,
    0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0xf8, 0xc5, 0x50, 0xcb, 0x70, 0xe2, 0x17, 0x17, 0x00, 0x0d, 0xa5, 0x03, 0x44,
    0x7b, 0x2b, 0x28, 0x63, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};

static char folder[] = P_tmpdir "/lfm_grey_XXXXXX";
static char path[sizeof folder + 16];

static int make_folder(void **state) {
  (void)state;
  snprintf(path, sizeof path, "%s/picture.png", mkdtemp(folder));
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  remove(path);
  return rmdir(folder);
}

static void reads_dark_as_dense(void **state) {
  (void)state;
  assert_int_equal(lfm_file_write(path, small_png, sizeof small_png), LFM_OK);
  float *ink = NULL;
  int64_t width = -1, height = -1;
  assert_int_equal(lfm_grey_read(path, &ink, &width, &height), LFM_OK);
  assert_int_equal(width, 3);
  assert_int_equal(height, 2);
  const int expected[6] = {0, 250, 125, 50, 0, 240};
  for (int i = 0; i < 6; i++) assert_near((double)ink[i], expected[i] / 255.0, 1e-6);
  lfm_free(ink);
}

static void refuses_what_is_no_picture(void **state) {
  (void)state;
  float *ink = (float *)1;
  int64_t width, height;
  for (size_t size = 0; size < sizeof small_png - 12; size++) { /* cut anywhere before the end mark */
    assert_int_equal(lfm_file_write(path, small_png, size), LFM_OK);
    assert_int_equal(lfm_grey_read(path, &ink, &width, &height), LFM_E_FORMAT);
    assert_null(ink);
  }
  uint8_t huge[sizeof small_png];
  memcpy(huge, small_png, sizeof huge);
  huge[16] = 0x7f; /* the width becomes 2^31 or so (and its checksum wrong) */
  assert_int_equal(lfm_file_write(path, huge, sizeof huge), LFM_OK);
  assert_int_equal(lfm_grey_read(path, &ink, &width, &height), LFM_E_FORMAT);
  assert_int_equal(lfm_grey_read("/nonexistent/picture.png", &ink, &width, &height), LFM_E_IO);
}

static void survives_refused_memory(void **state) {
  (void)state;
  assert_int_equal(lfm_file_write(path, small_png, sizeof small_png), LFM_OK);
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    float *ink = NULL;
    int64_t width, height;
    lfm_alloc_fail_at(at);
    status = lfm_grey_read(path, &ink, &width, &height);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !ink));
    lfm_free(ink);
  }
}

/* The paper's toy density as its authors draw from it, Gaussian noise of half a pixel along each axis: 1.949 nats. */
static void the_papers_tree_has_its_entropy(void **state) {
  (void)state;
  const char *picture = shared_data("toy2d/img_tree.png");
  float *ink = NULL;
  int64_t width, height;
  lfm_pixel_density *tree = NULL;
  double entropy = NAN;
  assert_int_equal(lfm_grey_read(picture, &ink, &width, &height), LFM_OK);
  assert_int_equal(lfm_pixel_density_create(ink, width, height, 4, 0.5, &tree), LFM_OK);
  assert_int_equal(lfm_pixel_density_entropy(tree, 4, &entropy, NULL), LFM_OK);
  assert_near(entropy, 1.949, 6e-4);
  lfm_pixel_density_destroy(tree);
  lfm_free(ink);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_dark_as_dense),
      cmocka_unit_test(refuses_what_is_no_picture),
      cmocka_unit_test(survives_refused_memory),
      cmocka_unit_test(the_papers_tree_has_its_entropy),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
