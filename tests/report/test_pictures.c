/* SPDX-License-Identifier: MIT
 * What is written is read back to the byte: a folder of PNGs, an array; a path that cannot be written is refused before. */
#include "report/picture.h"
#include "report/pictures.h"

static lfm_images *make_images(int64_t count, int64_t channels) {
  lfm_images *images;
  assert_int_equal(lfm_images_make(count, channels, 5, 9, &images), LFM_OK);
  for (size_t i = 0; i < (size_t)count * lfm_images_row_size(images); i++) images->pixels[i] = (uint8_t)(i * 29 + i / 17);
  return images;
}

static void assert_read_back(const lfm_images *images, const char *path) {
  lfm_images *back;
  if (lfm_images_read(path, NULL, &back) != LFM_OK) fail_msg("%s", lfm_error());
  assert_true(back->count == images->count && back->channels == images->channels);
  assert_true(back->height == images->height && back->width == images->width);
  assert_memory_equal(back->pixels, images->pixels, (size_t)images->count * lfm_images_row_size(images));
  lfm_images_destroy(back);
}

static void remove_pngs(const char *folder, int count) {
  char path[512];
  for (int i = 0; i < count; i++) {
    snprintf(path, sizeof path, "%s/%06d.png", folder, i);
    remove(path);
  }
  rmdir(folder);
}

static void written_is_read_back(void **state) {
  (void)state;
  for (int64_t channels = 1; channels <= 3; channels += 2) {
    lfm_images *images = make_images(12, channels);
    const char *folder = picture_path("each/"), *array = picture_path("all.npy");
    assert_int_equal(lfm_pictures_writable(folder, 12, 5, 9), LFM_OK);
    assert_int_equal(lfm_pictures_write(images, folder), LFM_OK);
    assert_read_back(images, folder);
    assert_int_equal(lfm_pictures_writable(folder, 12, 5, 9), LFM_E_EXISTS);
    assert_int_equal(lfm_pictures_write(images, folder), LFM_E_EXISTS);
    remove_pngs(folder, 12);
    assert_int_equal(lfm_pictures_writable(array, 12, 5, 9), LFM_OK);
    assert_int_equal(lfm_pictures_write(images, array), LFM_OK);
    assert_read_back(images, array);
    remove(array);
    lfm_images_destroy(images);
  }
}

/* Twelve pictures are 3 lines of 4. */
static lfm_images *drawn;
static lfm_status write_drawn(const char *path) { return lfm_pictures_write(drawn, path); }

static void a_png_is_a_grid(void **state) {
  (void)state;
  drawn = make_images(12, 3);
  assert_is_a_picture(write_drawn, 4 * (7 * 9 + 2) + 2, 3 * (7 * 5 + 2) + 2, 0.8, 0.99);
  assert_fails_cleanly(write_drawn);
  lfm_images_destroy(drawn);
}

static void other_paths_are_refused(void **state) {
  (void)state;
  lfm_images *images = make_images(1, 1), *none = make_images(0, 1);
  assert_int_equal(lfm_pictures_write(images, picture_path("a.jpg")), LFM_E_USAGE);
  assert_int_equal(lfm_pictures_writable(picture_path("a.jpg"), 1, 5, 9), LFM_E_USAGE);
  assert_int_equal(lfm_pictures_writable(picture_path("a.png"), 1000000, 32, 32), LFM_E_USAGE);
  assert_int_equal(lfm_pictures_writable(picture_path("a.png"), INT64_MAX, 32, 32), LFM_E_USAGE);
  assert_int_equal(lfm_pictures_writable(picture_path("a.png"), 1, 0, 0), LFM_E_USAGE);
  assert_int_equal(lfm_pictures_writable(picture_path("no/such/"), 1, 5, 9), LFM_E_IO);
  assert_int_equal(lfm_pictures_write(images, picture_path("no/such/")), LFM_E_IO);
  const char *taken = picture_path("taken"), *slash = picture_path("taken//");
  for (int link = 0; link < 2; link++) { /* where a folder would be: a file, a link that leads nowhere */
    if (link) assert_int_equal(symlink("nowhere", taken), 0);
    else assert_int_equal(lfm_file_write(taken, "x", 1), LFM_OK);
    assert_int_equal(lfm_pictures_writable(taken, 1, 5, 9), LFM_E_IO);
    assert_int_equal(lfm_pictures_writable(slash, 1, 5, 9), LFM_E_IO);
    assert_non_null(strstr(lfm_error(), "/taken: is no folder"));
    remove(taken);
  }
  assert_int_equal(lfm_pictures_write(none, picture_path("a.png")), LFM_E_USAGE);
  lfm_images_destroy(images);
  lfm_images_destroy(none);
}

/* A folder has its name when all pictures are in it; what a killed program left of one is no hindrance, what is not ours is.
 */
static void a_folder_is_whole(void **state) {
  (void)state;
  lfm_images *images = make_images(2, 1);
  char folder[256], partial[256], foreign[256], path[256];
  snprintf(folder, sizeof folder, "%s", picture_path("whole"));
  snprintf(partial, sizeof partial, "%s", picture_path("whole.partial"));
  snprintf(foreign, sizeof foreign, "%s", picture_path("whole.partial/notes"));
  assert_int_equal(lfm_folder_make(partial), LFM_OK);
  static const char *const left[] = {"000000.png", "000001.png", "000005.png", "000006.png.partial"};
  for (int i = 0; i < 4; i++) {
    assert_int_equal(lfm_path_join(path, sizeof path, partial, left[i]), LFM_OK);
    assert_int_equal(lfm_file_write(path, "x", 1), LFM_OK);
  }
  assert_int_equal(lfm_pictures_write(images, folder), LFM_OK);
  assert_false(lfm_path_exists(partial));
  assert_read_back(images, folder);
  remove_pngs(folder, 2);
  assert_int_equal(lfm_folder_make(partial), LFM_OK);
  assert_int_equal(lfm_file_write(foreign, "x", 1), LFM_OK);
  assert_int_equal(lfm_pictures_writable(folder, 2, 5, 9), LFM_E_EXISTS);
  assert_int_equal(lfm_pictures_write(images, folder), LFM_E_EXISTS);
  assert_non_null(strstr(lfm_error(), "whole.partial: is where the folder is made first, and holds notes"));
  assert_true(lfm_path_exists(foreign) && !lfm_path_exists(folder));
  remove(foreign);
  int lock; /* nor does another program lose what it has written so far */
  assert_int_equal(lfm_folder_lock(partial, "is writing", &lock), LFM_OK);
  assert_int_equal(lfm_path_join(path, sizeof path, partial, "000000.png"), LFM_OK);
  assert_int_equal(lfm_file_write(path, "x", 1), LFM_OK);
  assert_int_equal(lfm_pictures_write(images, folder), LFM_E_EXISTS);
  assert_non_null(strstr(lfm_error(), "another program is writing there"));
  assert_true(lfm_path_exists(path));
  close(lock);
  remove(path);
  rmdir(partial);
  assert_int_equal(symlink(".", partial), 0); /* to somebody's pictures, say */
  assert_int_equal(lfm_pictures_writable(folder, 2, 5, 9), LFM_E_EXISTS);
  assert_int_equal(lfm_pictures_write(images, folder), LFM_E_EXISTS);
  remove(partial);
  lfm_images_destroy(images);
}

/* Nor do two programs write into one empty folder. */
static void a_folder_that_is_there_has_one_writer(void **state) {
  (void)state;
  lfm_images *images = make_images(2, 1);
  char folder[256];
  int lock;
  snprintf(folder, sizeof folder, "%s", picture_path("there"));
  assert_int_equal(lfm_folder_make(folder), LFM_OK);
  assert_int_equal(lfm_folder_lock(folder, "is writing", &lock), LFM_OK);
  assert_int_equal(lfm_pictures_write(images, folder), LFM_E_EXISTS);
  assert_non_null(strstr(lfm_error(), "another program is writing there"));
  close(lock);
  assert_int_equal(lfm_pictures_write(images, folder), LFM_OK);
  assert_read_back(images, folder);
  remove_pngs(folder, 2);
  assert_int_equal(lfm_pictures_writable("", 2, 5, 9), LFM_E_USAGE);
  lfm_images_destroy(images);
}

/* A folder that was there stays, empty. */
static void stands_refused_memory(void **state) {
  (void)state;
  drawn = make_images(2, 1);
  size_t before = lfm_alloc_in_use();
  const char *const names[] = {"sweep", "sweep.npy", "there/"};
  for (int k = 0; k < 3; k++) {
    char path[256];
    snprintf(path, sizeof path, "%s", picture_path(names[k]));
    bool is_there = k == 2;
    if (is_there) assert_int_equal(lfm_folder_make(path), LFM_OK);
    lfm_status status = LFM_E_MEMORY;
    for (uint64_t at = 1; status != LFM_OK; at++) {
      lfm_alloc_fail_at(at);
      status = write_drawn(path);
      lfm_alloc_fail_at(0);
      assert_true(status == LFM_OK || status == LFM_E_MEMORY);
      assert_int_equal(lfm_alloc_in_use(), before);
      assert_true(lfm_path_exists(path) == (status == LFM_OK || is_there));
      assert_false(lfm_path_exists(picture_path("sweep.partial")));
      if (is_there && status != LFM_OK) assert_int_equal(lfm_pictures_writable(path, 2, 5, 9), LFM_OK); /* it is empty */
    }
    remove_pngs(path, 2);
    remove(path);
  }
  lfm_images_destroy(drawn);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(written_is_read_back),
                                     cmocka_unit_test(a_png_is_a_grid),
                                     cmocka_unit_test(other_paths_are_refused),
                                     cmocka_unit_test(a_folder_is_whole),
                                     cmocka_unit_test(a_folder_that_is_there_has_one_writer),
                                     cmocka_unit_test(stands_refused_memory)};
  return cmocka_run_group_tests(tests, make_picture_folder, remove_picture_folder);
}
