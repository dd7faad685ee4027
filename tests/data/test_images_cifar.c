/* SPDX-License-Identifier: MIT
 *
 * test_images_cifar.c -- CIFAR-10's files: one, or the folder's, with the names of its classes.
 */
#include "data/images_support.h"

enum { RECORD = LFM_CIFAR_RECORD };

/* So many records: labels 0, 1, 2, ... and bytes that tell record, plane and place. */
static void write_batch(const char *name, int records, int salt) {
  uint8_t *bytes = malloc((size_t)records * RECORD);
  assert_non_null(bytes);
  for (int i = 0; i < records * RECORD; i++) bytes[i] = made_byte((size_t)(i + salt));
  for (int i = 0; i < records; i++) bytes[i * RECORD] = (uint8_t)(i % 10);
  assert_int_equal(lfm_file_write(in_folder(name), bytes, (size_t)records * RECORD), LFM_OK);
  free(bytes);
}

static void reads_a_file(void **state) {
  (void)state;
  write_batch("one.bin", 3, 0);
  lfm_images *images = read_images(in_folder("one.bin"), NULL);
  assert_shape(images, 3, 3, 32, 32);
  for (size_t i = 0; i < 3 * RECORD; i++)
    if (i % RECORD) assert_int_equal(images->pixels[i - i / RECORD - 1], made_byte(i));
  assert_int_equal(images->labels[2], 2);
  assert_string_equal(images->class_names[9], "9");
  lfm_images_destroy(images);
  images = read_images(in_folder("one.bin"), &(lfm_images_options){.size = 16, .channels = 1});
  assert_shape(images, 3, 1, 16, 16);
  lfm_images_destroy(images);
  unlink(in_folder("one.bin"));
}

/* data_batch_*.bin by name, and the test batch only where it is alone. */
static void reads_the_folder(void **state) {
  (void)state;
  static const char names[] = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
  write_batch("data_batch_2.bin", 1, 100);
  write_batch("data_batch_1.bin", 2, 200);
  write_batch("test_batch.bin", 4, 300);
  assert_int_equal(kind_of(in_folder("")), LFM_IMAGES_CIFAR);
  assert_int_equal(lfm_file_write(in_folder("batches.meta.txt"), names, sizeof names - 1), LFM_OK);
  lfm_images *images = read_images(in_folder(""), NULL);
  assert_shape(images, 3, 3, 32, 32);
  assert_int_equal(images->pixels[0], made_byte(201));
  assert_int_equal(images->pixels[2 * 3072], made_byte(101));
  assert_string_equal(images->class_names[0], "airplane");
  assert_string_equal(images->class_names[9], "truck");
  lfm_images_destroy(images);
  unlink(in_folder("data_batch_1.bin"));
  unlink(in_folder("data_batch_2.bin"));
  images = read_images(in_folder(""), NULL);
  assert_shape(images, 4, 3, 32, 32);
  assert_int_equal(images->pixels[0], made_byte(301));
  lfm_images_destroy(images);
  assert_int_equal(lfm_file_write(in_folder("batches.meta.txt"), "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n", 24), LFM_OK);
  assert_int_equal(lfm_images_read(in_folder(""), NULL, &images), LFM_E_FORMAT);
  assert_null(images);
  unlink(in_folder("batches.meta.txt"));
  unlink(in_folder("test_batch.bin"));
}

static void says_what_is_wrong(void **state) {
  (void)state;
  uint8_t *bytes = calloc(2, RECORD);
  char line[600];
  lfm_images *images;
  assert_non_null(bytes);
  assert_int_equal(lfm_file_write(in_folder("a.bin"), bytes, 2 * RECORD - 1), LFM_OK);
  snprintf(line, sizeof line, "%s: is not in CIFAR-10's binary form: 6145 bytes are not a multiple of 3073; get it anew",
           in_folder("a.bin"));
  assert_failure(lfm_images_read(in_folder("a.bin"), NULL, &images), LFM_E_FORMAT, line);
  assert_int_equal(lfm_file_write(in_folder("a.bin"), bytes, 0), LFM_OK);
  assert_int_equal(lfm_images_read(in_folder("a.bin"), NULL, &images), LFM_E_FORMAT);
  bytes[RECORD] = 10;
  assert_int_equal(lfm_file_write(in_folder("a.bin"), bytes, 2 * RECORD), LFM_OK);
  snprintf(line, sizeof line, "%s: is not in CIFAR-10's binary form: picture 2 has label 10", in_folder("a.bin"));
  assert_failure(lfm_images_read(in_folder("a.bin"), NULL, &images), LFM_E_FORMAT, line);
  assert_null(images);
  free(bytes);
  unlink(in_folder("a.bin"));
}

static lfm_status read_and_forget(void *path) {
  lfm_images *images;
  lfm_status status = lfm_images_read(path, &(lfm_images_options){.size = 8}, &images);
  lfm_images_destroy(images);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  write_batch("data_batch_1.bin", 1, 0);
  assert_int_equal(lfm_file_write(in_folder("batches.meta.txt"), "a\nb\n", 4), LFM_OK);
  size_t before = lfm_alloc_in_use();
  assert_true(refuse_memory(read_and_forget, folder) > 20);
  assert_int_equal(lfm_alloc_in_use(), before);
  unlink(in_folder("data_batch_1.bin"));
  unlink(in_folder("batches.meta.txt"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(reads_a_file), cmocka_unit_test(reads_the_folder),
                                     cmocka_unit_test(says_what_is_wrong), cmocka_unit_test(stands_refused_memory)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
