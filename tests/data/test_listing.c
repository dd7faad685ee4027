/* SPDX-License-Identifier: MIT
 *
 * test_listing.c -- names come sorted by their bytes, whatever the order in which they were made.
 */
#include "data/listing.h"
#include "data/support.h"

static void names_are_sorted_by_bytes(void **state) {
  (void)state;
  static const char *const made[] = {"b", "a10", "\xC3\xA4", "a2", "B", ".hidden"}, *const sorted[] = {"B", "a10", "a2", "b",
                                                                                                       "\xC3\xA4"};
  lfm_listing listing;
  for (size_t i = 0; i < 6; i++) assert_int_equal(lfm_file_write(in_folder(made[i]), "", 0), LFM_OK);
  assert_int_equal(lfm_listing_read(folder, &listing), LFM_OK);
  assert_int_equal(listing.count, 5);
  for (size_t i = 0; i < 5; i++) assert_string_equal(listing.names[i], sorted[i]);
  lfm_listing_free(&listing);
  lfm_listing_free(&listing);
  for (size_t i = 0; i < 6; i++) unlink(in_folder(made[i]));
}

static void an_empty_folder_has_none(void **state) {
  (void)state;
  lfm_listing listing;
  assert_int_equal(lfm_listing_read(folder, &listing), LFM_OK);
  assert_int_equal(listing.count, 0);
  lfm_listing_free(&listing);
  assert_int_equal(lfm_listing_read(in_folder("absent"), &listing), LFM_E_IO);
}

static lfm_status list(void *context) {
  lfm_listing listing;
  (void)context;
  lfm_status status = lfm_listing_read(folder, &listing);
  lfm_listing_free(&listing);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  assert_int_equal(lfm_file_write(in_folder("a"), "", 0), LFM_OK);
  size_t before = lfm_alloc_in_use();
  assert_int_equal(refuse_memory(list, NULL), 2);
  assert_int_equal(lfm_alloc_in_use(), before);
  unlink(in_folder("a"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(names_are_sorted_by_bytes), cmocka_unit_test(an_empty_folder_has_none),
                                     cmocka_unit_test(stands_refused_memory)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
