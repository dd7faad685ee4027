/* SPDX-License-Identifier: MIT
 *
 * test_images_folder.c -- folders of PNG and JPEG: classes, order, what is broken, and the real flowers.
 */
#include "data/images_support.h"
#include "data/png_file.h"
#include "golden/pictures.h"
#include "support/notes.h"

#include <sys/stat.h>

enum { SIDE = GOLDEN_HEIGHT, GOLDEN = GOLDEN_HEIGHT * GOLDEN_WIDTH };

static void put(const char *name, const uint8_t *bytes, size_t size) {
  assert_int_equal(lfm_file_write(in_folder(name), bytes, size), LFM_OK);
}

/* Everything below the folder. */
static void clear(void) {
  char command[600];
  snprintf(command, sizeof command, "rm -rf '%s'/*", folder);
  assert_int_equal(system(command), 0);
}

static void loose_pictures_have_no_labels(void **state) {
  (void)state;
  put("b.png", grey_png, sizeof grey_png);
  put("a.JPG", grey_jpeg, sizeof grey_jpeg);
  put("c.jpeg", grey_png, sizeof grey_png); /* a PNG all the same */
  put("notes.txt", (const uint8_t *)"x", 1);
  put(".d.png", (const uint8_t *)"x", 1);
  assert_int_equal(kind_of(folder), LFM_IMAGES_FOLDER);
  lfm_images *images = read_images(folder, NULL);
  assert_shape(images, 3, 1, GOLDEN_HEIGHT, GOLDEN_WIDTH);
  assert_null(images->labels);
  assert_memory_equal(images->pixels, grey_jpeg_pixels, GOLDEN); /* "a.JPG" comes first */
  assert_memory_equal(images->pixels + GOLDEN, grey_png_pixels, GOLDEN);
  assert_memory_equal(images->pixels + 2 * GOLDEN, grey_png_pixels, GOLDEN);
  lfm_images_destroy(images);
  unlink(in_folder(".d.png"));
  clear();
}

/* One picture in colour makes all RGB; grey asked for makes all grey. */
static void folders_are_classes(void **state) {
  (void)state;
  static const char *const folders[] = {"tulip", "daisy", "empty", "rose"};
  for (size_t i = 0; i < 4; i++) assert_int_equal(mkdir(in_folder(folders[i]), 0777), 0);
  put("tulip/1.png", grey_png, sizeof grey_png);
  put("daisy/10.png", rgb_png, sizeof rgb_png);
  put("daisy/2.png", grey_png, sizeof grey_png);
  put("rose/x.png", rgb_png, sizeof rgb_png);
  put("empty/readme.txt", (const uint8_t *)"x", 1);
  assert_int_equal(kind_of(folder), LFM_IMAGES_FOLDER);
  lfm_images *images = read_images(folder, NULL);
  assert_shape(images, 4, 3, GOLDEN_HEIGHT, GOLDEN_WIDTH);
  assert_int_equal(images->classes, 3);
  assert_string_equal(images->class_names[0], "daisy");
  assert_string_equal(images->class_names[2], "tulip");
  const int32_t labels[] = {0, 0, 1, 2};
  assert_memory_equal(images->labels, labels, sizeof labels);
  for (int i = 0; i < GOLDEN; i++)
    for (int k = 0; k < 3; k++) {
      assert_int_equal(images->pixels[k * GOLDEN + i], rgb_png_pixels[3 * i + k]);
      assert_int_equal(images->pixels[(3 + k) * GOLDEN + i], grey_png_pixels[i]);
    }
  lfm_images_destroy(images);
  images = read_images(folder, &(lfm_images_options){.channels = 1, .size = 5, .threads = 2});
  assert_shape(images, 4, 1, 5, 5);
  lfm_images_destroy(images);
  put("loose.png", grey_png, sizeof grey_png);
  char line[700];
  snprintf(line, sizeof line,
           "%s: pictures (loose.png) lie beside folders of pictures (daisy), which are classes; move either", folder);
  assert_failure(lfm_images_read(folder, NULL, &images), LFM_E_DATA, line);
  clear();
}

/* Read with one warning, of the folder: it begins so. */
static void assert_warned(int64_t count, int64_t classes, const char *warning) {
  char line[700];
  notes = 0;
  lfm_images *images = read_images(folder, NULL);
  assert_true(images->count == count && images->classes == classes && notes == 1 && last_level == LFM_WARNING);
  snprintf(line, sizeof line, "%s%s", folder, warning);
  assert_memory_equal(last_note, line, strlen(line));
  lfm_images_destroy(images);
}

static void deeper_folders_are_warned_of(void **state) {
  (void)state;
  static const char *const folders[] = {"cat", "dog", "dog/more", "empty"};
  for (size_t i = 0; i < 4; i++) assert_int_equal(mkdir(in_folder(folders[i]), 0777), 0);
  put("cat/1.png", grey_png, sizeof grey_png);
  put("dog/more/2.png", grey_png, sizeof grey_png);
  assert_warned(1, 1, "/dog: has pictures in its folders alone");
  clear();
}

static void folders_of_other_files_are_warned_of(void **state) {
  (void)state;
  assert_int_equal(mkdir(in_folder("cat"), 0777), 0);
  assert_int_equal(mkdir(in_folder("dog"), 0777), 0);
  put("cat/1.png", grey_png, sizeof grey_png);
  put("dog/1.webp", grey_png, sizeof grey_png);
  assert_warned(1, 1, "/dog: has no .png, .jpg or .jpeg in it ('1.webp', ...) and is passed over");
  clear();
}

static void pictures_of_other_kinds_are_warned_of(void **state) {
  (void)state;
  put("a.GIF", grey_png, sizeof grey_png);
  put("b.png", grey_png, sizeof grey_png);
  put("c.webp", grey_png, sizeof grey_png);
  put("notes.txt", (const uint8_t *)"x", 1);
  assert_warned(1, 0, "/: 2 pictures are passed over ('a.GIF', ...): .png, .jpg and .jpeg are read");
  clear();
}

static void runs_beside_classes_are_warned_of(void **state) {
  (void)state;
  static const char *const folders[] = {"cat", "run", "run/checkpoint"};
  for (size_t i = 0; i < 3; i++) assert_int_equal(mkdir(in_folder(folders[i]), 0777), 0);
  put("cat/1.png", grey_png, sizeof grey_png);
  put("run/loss.png", grey_png, sizeof grey_png);
  put("run/config.yaml", (const uint8_t *)"x", 1);
  assert_warned(1, 1, "/run: is a run folder, whose pictures are passed over");
  clear();
}

/* Why there are none, of a folder where pictures are due. */
static void assert_none_because(const char *why) {
  char line[700];
  lfm_table *table;
  assert_int_equal(kind_of(folder), LFM_IMAGES_NONE);
  snprintf(line, sizeof line, "%s: %s", folder, why);
  assert_failure(lfm_table_read(folder, NULL, &table), LFM_E_USAGE, line);
  clear();
}

static void pictures_that_lie_deeper_are_found(void **state) {
  (void)state;
  static const char *const folders[] = {"archive",         "archive/v1",           "archive/v1/train",
                                        "archive/v1/test", "archive/v1/train/cat", "archive/v1/test/cat"};
  for (size_t i = 0; i < 6; i++) assert_int_equal(mkdir(in_folder(folders[i]), 0777), 0);
  put("archive/v1/train/cat/1.png", grey_png, sizeof grey_png);
  put("archive/v1/test/cat/1.png", grey_png, sizeof grey_png);
  assert_none_because("its pictures lie deeper, in archive/v1/test, archive/v1/train; name one of these folders");
  for (size_t i = 0; i < 5; i += i == 2 ? 2 : 1) assert_int_equal(mkdir(in_folder(folders[i]), 0777), 0);
  put("archive/v1/train/cat/1.png", grey_png, sizeof grey_png);
  assert_none_because("its pictures lie deeper, in archive/v1/train; name that folder");
}

static void pictures_of_another_kind_are_named(void **state) {
  (void)state;
  assert_int_equal(mkdir(in_folder("cat"), 0777), 0);
  put("cat/1.webp", grey_png, sizeof grey_png);
  assert_none_because("holds pictures of a kind that is not read (\"1.webp\", ...); save them as .png or .jpg");
  put("a.GIF", grey_png, sizeof grey_png);
  assert_none_because("holds pictures of a kind that is not read (\"a.GIF\", ...); save them as .png or .jpg");
  put("a.c", grey_png, sizeof grey_png);
  assert_none_because("is a folder without pictures (.png, .jpg, .jpeg, CIFAR's .bin); a table is a file: .csv .csv.gz .npy "
                      ".npz[::key] .hdf5[::dataset] .h5[::dataset] .zarr");
}

static void classes_have_readable_names(void **state) {
  (void)state;
  lfm_images *images;
  char line[700];
  assert_int_equal(mkdir(in_folder("\xFF"), 0777), 0);
  put("\xFF/1.png", grey_png, sizeof grey_png);
  snprintf(line, sizeof line, "%s: the name of class 0 is not UTF-8 text; rename it", folder);
  assert_failure(lfm_images_read(folder, NULL, &images), LFM_E_DATA, line);
  clear();
}

static void sizes_must_agree_or_be_given(void **state) {
  (void)state;
  lfm_images *images;
  char line[700];
  static const uint8_t pixels[6 * 4] = {7};
  put("a.png", grey_png, sizeof grey_png);
  assert_int_equal(lfm_png_write(in_folder("b.png"), pixels, 6, 4, 1), LFM_OK);
  snprintf(line, sizeof line, "%s: a.png has 14 x 11 pixels and b.png 4 x 6; --size N makes all of them N x N", folder);
  assert_failure(lfm_images_read(folder, NULL, &images), LFM_E_DATA, line);
  images = read_images(folder, &(lfm_images_options){.size = 8});
  assert_shape(images, 2, 1, 8, 8);
  lfm_images_destroy(images);
  images = read_images(folder, &(lfm_images_options){.size = SIDE});
  for (int i = 0; i < SIDE * SIDE; i++) /* the middle square, (14 - 11) / 2 from the left */
    assert_int_equal(images->pixels[i], grey_png_pixels[i / SIDE * GOLDEN_WIDTH + i % SIDE + 1]);
  lfm_images_destroy(images);
  clear();
}

/* Of those that can be read; what is alike is left as it is. */
static void sizes_are_told_to_whoever_asks(void **state) {
  (void)state;
  lfm_images_sizes sizes = {0}, alike = {0};
  static const uint8_t pixels[6 * 4] = {7};
  put("a.png", grey_png, sizeof grey_png);
  put("b.png", grey_png, sizeof grey_png);
  lfm_images *images = read_images(folder, &(lfm_images_options){.sizes = &alike});
  assert_shape(images, 2, 1, GOLDEN_HEIGHT, GOLDEN_WIDTH);
  assert_memory_equal(images->pixels, grey_png_pixels, GOLDEN);
  lfm_images_destroy(images);
  assert_true(alike.count == 1 && alike.least_height == GOLDEN_HEIGHT && alike.most_width == GOLDEN_WIDTH);
  assert_int_equal(lfm_png_write(in_folder("c.png"), pixels, 6, 4, 1), LFM_OK);
  assert_int_equal(lfm_png_write(in_folder("d.png"), pixels, 4, 6, 1), LFM_OK);
  put("e.png", rgb_png, 30); /* of a size that nobody knows */
  images = read_images(folder, &(lfm_images_options){.sizes = &sizes});
  assert_shape(images, 4, 1, 1, 1);
  assert_int_equal(images->broken, 1);
  lfm_images_destroy(images);
  assert_int_equal(sizes.count, 3);
  assert_true(sizes.least_height == 6 && sizes.least_width == 4); /* the first of two that have as many */
  assert_true(sizes.most_height == GOLDEN_HEIGHT && sizes.most_width == GOLDEN_WIDTH);
  clear();
}

/* Of what is cut short the size is not heeded, be it the first or in between. */
static void broken_sizes_are_not_heeded(void **state) {
  (void)state;
  static const uint8_t pixels[64 * 64] = {7};
  lfm_map map;
  lfm_images *images;
  assert_int_equal(lfm_png_write(in_folder("other.png"), pixels, 64, 64, 1), LFM_OK);
  assert_int_equal(lfm_map_open(in_folder("other.png"), &map), LFM_OK);
  put("a.png", map.data, map.size - 40);
  put("b.png", grey_png, sizeof grey_png);
  put("c.png", map.data, map.size - 40);
  put("d.png", grey_png, sizeof grey_png);
  lfm_map_close(&map);
  unlink(in_folder("other.png"));
  images = read_images(folder, NULL);
  assert_shape(images, 2, 1, GOLDEN_HEIGHT, GOLDEN_WIDTH);
  assert_int_equal(images->broken, 2);
  assert_memory_equal(images->broken_names[1], "c.png: ", 7);
  lfm_images_destroy(images);
  assert_int_equal(lfm_images_read(folder, &(lfm_images_options){.strict = true}, &images), LFM_E_FORMAT);
  assert_non_null(strstr(lfm_error(), "a.png: "));
  clear();
}

/* A picture in colour that is cut short makes no colours of the grey ones. */
static void broken_colours_are_not_heeded(void **state) {
  (void)state;
  put("b.png", grey_png, sizeof grey_png);
  for (int before = 0; before < 2; before++) {
    put(before ? "a.png" : "c.png", rgb_png, sizeof rgb_png - 40);
    lfm_images *images = read_images(folder, NULL);
    assert_shape(images, 1, 1, GOLDEN_HEIGHT, GOLDEN_WIDTH);
    assert_int_equal(images->broken, before + 1);
    lfm_images_destroy(images);
  }
  clear();
}

/* Left out, named and counted; the others keep their order and labels.  An error when nothing may be left out. */
static void broken_pictures_are_named(void **state) {
  (void)state;
  lfm_images *images;
  char line[1200];
  assert_int_equal(mkdir(in_folder("x"), 0777), 0);
  assert_int_equal(mkdir(in_folder("y"), 0777), 0);
  put("x/1.png", grey_png, sizeof grey_png / 2);
  put("x/2.png", grey_png, sizeof grey_png);
  put("x/3.jpg", rgb_jpeg, sizeof rgb_jpeg - 40);
  put("x/4.jpg", (const uint8_t *)"<html>", 6);
  put("y/5.jpg", cmyk_jpeg, sizeof cmyk_jpeg);
  put("y/6.png", rgb_png, sizeof rgb_png);
  assert_int_equal(mkdir(in_folder("y/7.png"), 0777), 0);
  notes = 0;
  images = read_images(folder, &(lfm_images_options){.channels = 1});
  assert_shape(images, 2, 1, GOLDEN_HEIGHT, GOLDEN_WIDTH);
  assert_int_equal(images->labels[0], 0);
  assert_int_equal(images->labels[1], 1);
  assert_memory_equal(images->pixels, grey_png_pixels, GOLDEN);
  assert_int_equal(images->broken, 5);
  assert_memory_equal(images->broken_names[0], "x/1.png: ", 9);
  assert_string_equal(images->broken_names[2], "x/4.jpg: is neither PNG nor JPEG, whatever its name");
  assert_string_equal(images->broken_names[3], "y/5.jpg: a JPEG of 4 colours (CMYK); save it as RGB");
  lfm_images_destroy(images);
  assert_int_equal(notes, 1);
  assert_int_equal(last_level, LFM_WARNING);
  snprintf(line, sizeof line, "%s: 5 of 7 pictures are left out, since they cannot be read: x/1.png: ", folder);
  assert_memory_equal(last_note, line, strlen(line));
  lfm_table *table;
  notes = 0;
  assert_int_equal(lfm_table_read(folder, &(lfm_table_options){.channels = 1}, &table), LFM_OK);
  assert_int_equal(notes, 1);
  assert_int_equal(last_level, LFM_WARNING);
  lfm_table_destroy(table);
  assert_int_equal(lfm_images_read(folder, &(lfm_images_options){.channels = 1, .strict = true}, &images), LFM_E_FORMAT);
  assert_null(images);
  snprintf(line, sizeof line, "%s/x/", folder);
  assert_memory_equal(lfm_error(), line, strlen(line));
  unlink(in_folder("x/2.png"));
  unlink(in_folder("y/6.png"));
  assert_int_equal(lfm_images_read(folder, NULL, &images), LFM_E_DATA);
  snprintf(line, sizeof line, "%s: none of its 5 pictures can be read; the first: x/1.png: ", folder);
  assert_memory_equal(lfm_error(), line, strlen(line));
  clear();
}

static void many_broken_ones_fit_in_a_line(void **state) {
  (void)state;
  char name[64];
  for (int i = 0; i < 40; i++) {
    snprintf(name, sizeof name, "a-rather-long-name-of-a-picture-%02d.png", i);
    put(name, i == 39 ? grey_png : rgb_png, i == 39 ? sizeof grey_png : 30);
  }
  lfm_images *images = read_images(folder, NULL);
  assert_shape(images, 1, 1, GOLDEN_HEIGHT, GOLDEN_WIDTH);
  assert_int_equal(images->broken, 39);
  assert_non_null(strstr(last_note, "; and "));
  assert_non_null(strstr(last_note, " more"));
  assert_true(strlen(last_note) < 1000);
  lfm_images_destroy(images);
  clear();
}

static lfm_status read_and_forget(void *threads) {
  lfm_images *images;
  lfm_status status = lfm_images_read(folder, &(lfm_images_options){.size = 5, .threads = *(int *)threads}, &images);
  if (status == LFM_OK) assert_int_equal(images->broken, 1);
  lfm_images_destroy(images);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  int threads = 1;
  assert_int_equal(mkdir(in_folder("x"), 0777), 0);
  put("x/1.png", grey_png, sizeof grey_png);
  put("x/2.png", grey_png, 20);
  size_t before = lfm_alloc_in_use();
  assert_true(refuse_memory(read_and_forget, &threads) > 20);
  assert_int_equal(lfm_alloc_in_use(), before);
  clear();
}

/* 4,317 photographs, the same bytes by one thread and by two. */
static void flowers_are_known(void **state) {
  (void)state;
  const char *archive = shared_data("flowers128/flowers128_jpg.tar.xz");
  char command[1200], path[300];
  snprintf(command, sizeof command, "tar -C '%s' -xJf '%s'", folder, archive);
  assert_int_equal(system(command), 0);
  snprintf(path, sizeof path, "%s/flowers", folder);
  lfm_images *one = read_images(path, &(lfm_images_options){.size = 32, .threads = 1});
  lfm_images *two = read_images(path, &(lfm_images_options){.size = 32, .threads = 2});
  assert_shape(one, 4317, 3, 32, 32);
  assert_int_equal(one->classes, 5);
  assert_string_equal(one->class_names[3], "sunflower");
  assert_int_equal(one->broken, 0);
  assert_memory_equal(one->pixels, two->pixels, 4317 * 3072);
  assert_memory_equal(one->labels, two->labels, 4317 * sizeof *one->labels);
  lfm_images_destroy(one);
  lfm_images_destroy(two);
  clear();
}

static int begin(void **state) {
  lfm_notes_to(take_note, NULL);
  return make_folder(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(loose_pictures_have_no_labels),
                                     cmocka_unit_test(folders_are_classes),
                                     cmocka_unit_test(deeper_folders_are_warned_of),
                                     cmocka_unit_test(folders_of_other_files_are_warned_of),
                                     cmocka_unit_test(pictures_of_other_kinds_are_warned_of),
                                     cmocka_unit_test(runs_beside_classes_are_warned_of),
                                     cmocka_unit_test(pictures_that_lie_deeper_are_found),
                                     cmocka_unit_test(pictures_of_another_kind_are_named),
                                     cmocka_unit_test(classes_have_readable_names),
                                     cmocka_unit_test(sizes_must_agree_or_be_given),
                                     cmocka_unit_test(sizes_are_told_to_whoever_asks),
                                     cmocka_unit_test(broken_sizes_are_not_heeded),
                                     cmocka_unit_test(broken_colours_are_not_heeded),
                                     cmocka_unit_test(broken_pictures_are_named),
                                     cmocka_unit_test(many_broken_ones_fit_in_a_line),
                                     cmocka_unit_test(stands_refused_memory),
                                     cmocka_unit_test(flowers_are_known)};
  return cmocka_run_group_tests(tests, begin, remove_folder);
}
