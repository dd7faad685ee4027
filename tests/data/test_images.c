/* SPDX-License-Identifier: MIT
 *
 * test_images.c -- a path is told by what it holds; sets of the real world come out as they are known to be.
 */
#include "data/gzip.h"
#include "data/images_support.h"
#include "support/notes.h"

static void write_bytes(const char *name, const void *bytes, size_t size) {
  assert_int_equal(lfm_file_write(in_folder(name), bytes, size), LFM_OK);
}

static void write_gz(const char *name, const void *bytes, size_t size) {
  lfm_writer *writer;
  lfm_gzip *gzip;
  assert_int_equal(lfm_writer_open(in_folder(name), &writer), LFM_OK);
  assert_int_equal(lfm_gzip_create(writer, &gzip), LFM_OK);
  assert_int_equal(lfm_gzip_put(gzip, bytes, size), LFM_OK);
  assert_int_equal(lfm_gzip_finish(gzip), LFM_OK);
  assert_int_equal(lfm_writer_commit(writer), LFM_OK);
  lfm_gzip_destroy(gzip);
}

static void tells_pictures_from_tables(void **state) {
  (void)state;
  uint8_t bytes[256];
  size_t size = make_idx(bytes, 3, (const int[]){2, 3, 4});
  write_bytes("plain", bytes, size);
  write_gz("packed.gz", bytes, size);
  write_bytes("table.csv", "a,b\n1,2\n", 8);
  write_gz("table.csv.gz", "a,b\n1,2\n", 8);
  write_bytes("short", bytes, 3);
  assert_int_equal(kind_of(in_folder("plain")), LFM_IMAGES_IDX);
  assert_int_equal(kind_of(in_folder("packed.gz")), LFM_IMAGES_IDX);
  assert_int_equal(kind_of("any.bin"), LFM_IMAGES_CIFAR);
  const char *const others[] = {"table.csv", "table.csv.gz", "short", "absent", "."};
  for (size_t i = 0; i < 5; i++) assert_int_equal(kind_of(in_folder(others[i])), LFM_IMAGES_NONE);
  const char *const files[] = {"plain", "packed.gz", "table.csv", "table.csv.gz", "short"};
  for (size_t i = 0; i < 5; i++) unlink(in_folder(files[i]));
}

/* Labels are found beside the pictures, packed or not; a set without them has none. */
static void finds_labels_by_name(void **state) {
  (void)state;
  uint8_t bytes[256], labels[64];
  size_t size = make_idx(bytes, 3, (const int[]){3, 2, 2}), labels_size = make_idx(labels, 1, (const int[]){3});
  memcpy(labels + 8, "\x02\x00\x04", 3);
  write_bytes("t-images-idx3-ubyte", bytes, size);
  lfm_images *images = read_images(in_folder("t-images-idx3-ubyte"), NULL);
  assert_shape(images, 3, 1, 2, 2);
  assert_null(images->labels);
  assert_int_equal(images->classes, 0);
  lfm_images_destroy(images);
  for (int packed = 0; packed < 2; packed++) {
    const char *name = packed ? "t-labels-idx1-ubyte.gz" : "t-labels-idx1-ubyte";
    if (packed) write_gz(name, labels, labels_size);
    else write_bytes(name, labels, labels_size);
    images = read_images(in_folder("t-images-idx3-ubyte"), NULL);
    assert_non_null(images->labels);
    assert_int_equal(images->labels[0], 2);
    assert_int_equal(images->labels[2], 4);
    assert_int_equal(images->classes, 5);
    assert_string_equal(images->class_names[4], "4");
    lfm_images_destroy(images);
    unlink(in_folder(name));
  }
  labels_size = make_idx(labels, 1, (const int[]){4});
  write_bytes("t-labels-idx1-ubyte", labels, labels_size);
  char line[600];
  snprintf(line, sizeof line, "%s: 4 labels for 3 pictures; the two files do not belong together",
           in_folder("t-labels-idx1-ubyte"));
  assert_failure(lfm_images_read(in_folder("t-images-idx3-ubyte"), NULL, &images), LFM_E_DATA, line);
  assert_null(images);
  unlink(in_folder("t-labels-idx1-ubyte"));
  unlink(in_folder("t-images-idx3-ubyte"));
}

/* Grey to RGB by repetition, RGB to grey by the luma of the header. */
static void channels_and_size_are_what_is_asked_for(void **state) {
  (void)state;
  uint8_t bytes[256];
  size_t size = make_idx(bytes, 3, (const int[]){2, 4, 6});
  write_bytes("p", bytes, size);
  lfm_images *images = read_images(in_folder("p"), &(lfm_images_options){.channels = 3});
  assert_shape(images, 2, 3, 4, 6);
  for (size_t i = 0; i < 24; i++)
    for (size_t k = 0; k < 3; k++) assert_int_equal(images->pixels[72 + 24 * k + i], made_byte(24 + i));
  lfm_images_destroy(images);
  lfm_notes_to(take_note, NULL);
  images = read_images(in_folder("p"), &(lfm_images_options){.size = 4}); /* the middle square alone */
  assert_shape(images, 2, 1, 4, 4);
  for (size_t i = 0; i < 16; i++) assert_int_equal(images->pixels[i], made_byte(i / 4 * 6 + i % 4 + 1));
  lfm_images_destroy(images);
  lfm_images_destroy(read_images(in_folder("p"), &(lfm_images_options){.channels = 1, .tell = true}));
  assert_int_equal(notes, 0); /* nobody asked to be told, or there is nothing to tell */
  lfm_images_destroy(read_images(in_folder("p"), &(lfm_images_options){.size = 4, .channels = 3, .tell = true}));
  assert_non_null(strstr(last_note, "p: 6 x 4 grey is taken as 4 x 4 RGB"));
  lfm_notes_to(NULL, NULL);
  char line[600];
  snprintf(line, sizeof line, "%s: pictures of 2 channels; 1 (grey) and 3 (RGB) are possible", in_folder("p"));
  assert_failure(lfm_images_read(in_folder("p"), &(lfm_images_options){.channels = 2}, &images), LFM_E_USAGE, line);
  assert_int_equal(lfm_images_read(in_folder("p"), &(lfm_images_options){.size = -1}, &images), LFM_E_USAGE);
  assert_int_equal(lfm_images_read(in_folder("absent"), NULL, &images), LFM_E_IO);
  assert_int_equal(lfm_images_read(in_folder("."), NULL, &images), LFM_E_USAGE);
  unlink(in_folder("p"));

  static const uint8_t colour[3] = {200, 100, 50};
  lfm_picture picture = {1, 1, 3, colour, 3, 3, 1};
  assert_int_equal(lfm_images_make(1, 1, 1, 1, &images), LFM_OK);
  assert_int_equal(lfm_picture_fit(&picture, images, 0), LFM_OK);
  assert_int_equal(images->pixels[0], 124); /* 0.299 200 + 0.587 100 + 0.114 50 = 124.2 */
  lfm_images_destroy(images);
}

static double mean_of(const lfm_images *images) {
  double sum = 0;
  size_t count = (size_t)images->count * lfm_images_row_size(images);
  for (size_t i = 0; i < count; i++) sum += images->pixels[i];
  return sum / (double)count / 255;
}

static void assert_classes_of(const lfm_images *images, int64_t each) {
  int64_t counts[10] = {0};
  assert_int_equal(images->classes, 10);
  for (int64_t i = 0; i < images->count; i++) counts[images->labels[i]]++;
  for (int k = 0; k < 10; k++) assert_int_equal(counts[k], each);
}

/* Means of the pixels as the world quotes them: 0.2860 and 0.1307. */
static void fashion_mnist_is_known(void **state) {
  (void)state;
  const char *path = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";
  if (!lfm_path_exists(path)) skip();
  lfm_images *images = read_images(path, NULL);
  assert_shape(images, 60000, 1, 28, 28);
  assert_true(fabs(mean_of(images) - 0.2860) < 5e-5);
  assert_classes_of(images, 6000);
  assert_int_equal(images->labels[0], 9); /* an ankle boot */
  lfm_images_destroy(images);
}

/* A set that memory is not to hold lies in a file, with the same bytes. */
static void large_sets_lie_in_files(void **state) {
  (void)state;
  const char *path = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
  if (!lfm_path_exists(path)) skip();
  lfm_images *held = read_images(path, NULL);
  assert_int_equal(lfm_alloc_size_in_file(held->pixels), 0);
  assert_int_equal(lfm_memory_limit(1 << 20, folder), LFM_OK);
  lfm_images *mapped = read_images(path, NULL);
  assert_int_equal(lfm_memory_limit(0, NULL), LFM_OK);
  assert_true(lfm_alloc_size_in_file(mapped->pixels) >= 10000 * 784);
  assert_memory_equal(mapped->pixels, held->pixels, 10000 * 784);
  assert_memory_equal(mapped->labels, held->labels, 10000 * sizeof *held->labels);
  lfm_images_destroy(mapped);
  lfm_images_destroy(held);
}

static void mnist_is_known(void **state) {
  (void)state;
  lfm_images *images = read_images(shared_data("mnist/train-images-idx3-ubyte.gz"), NULL);
  assert_shape(images, 60000, 1, 28, 28);
  assert_true(fabs(mean_of(images) - 0.1307) < 5e-5);
  assert_int_equal(images->labels[0], 5);
  assert_int_equal(images->labels[59999], 8);
  lfm_images_destroy(images);
}

static void refuses_nonsense(void **state) {
  (void)state;
  lfm_images *images;
  assert_int_equal(lfm_images_make(-1, 1, 2, 2, &images), LFM_E_USAGE);
  assert_int_equal(lfm_images_make(1, 2, 2, 2, &images), LFM_E_USAGE);
  assert_int_equal(lfm_images_make(1, 1, 0, 2, &images), LFM_E_USAGE);
  assert_int_equal(lfm_images_make(1, 1, 2, LFM_IMAGES_MOST_SIDE + 1, &images), LFM_E_USAGE);
  assert_int_equal(lfm_images_make(INT64_MAX, 3, 16384, 16384, &images), LFM_E_MEMORY);
  assert_null(images);
  assert_int_equal(lfm_images_make(2, 1, 2, 2, &images), LFM_OK);
  assert_int_equal(lfm_images_label(images, LFM_MOST_CLASSES + 1), LFM_E_DATA);
  assert_int_equal(lfm_images_label(images, 2), LFM_OK);
  assert_int_equal(lfm_images_name_class(images, 1, "\xFF"), LFM_E_DATA);
  lfm_images_destroy(images);
  lfm_images_destroy(NULL);
}

static lfm_status read_and_forget(void *path) {
  lfm_images *images;
  lfm_status status = lfm_images_read(path, &(lfm_images_options){.size = 3}, &images);
  lfm_images_destroy(images);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  uint8_t bytes[256];
  size_t size = make_idx(bytes, 3, (const int[]){2, 5, 4});
  write_gz("s-images.gz", bytes, size);
  size = make_idx(bytes, 1, (const int[]){2});
  bytes[8] = 1, bytes[9] = 2;
  write_bytes("s-labels", bytes, size);
  char path[600];
  snprintf(path, sizeof path, "%s", in_folder("s-images.gz"));
  size_t before = lfm_alloc_in_use();
  assert_true(refuse_memory(read_and_forget, path) > 10);
  assert_int_equal(lfm_alloc_in_use(), before);
  unlink(in_folder("s-labels"));
  unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(tells_pictures_from_tables),
                                     cmocka_unit_test(finds_labels_by_name),
                                     cmocka_unit_test(channels_and_size_are_what_is_asked_for),
                                     cmocka_unit_test(fashion_mnist_is_known),
                                     cmocka_unit_test(large_sets_lie_in_files),
                                     cmocka_unit_test(mnist_is_known),
                                     cmocka_unit_test(refuses_nonsense),
                                     cmocka_unit_test(stands_refused_memory)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
