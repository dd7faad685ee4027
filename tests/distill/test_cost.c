/* SPDX-License-Identifier: MIT
 *
 * test_cost.c -- what something took is kept in a file and recalled; a file that was altered says so.
 */
#include "distill_support.h"

#include "distill/cost.h"

static void what_is_kept_is_recalled(void **state) {
  (void)state;
  folder root = folder_create();
  const char *path = inside(root.path, "cost.json");
  const lfm_cost kept = {.seconds = 1.5, .flops = 3.25e17, .evaluations = 7.0, .rows = 360.0};
  lfm_cost back;
  memset(&back, 0xA5, sizeof back);
  OK(lfm_cost_recall(path, &back)); /* there is none */
  assert_memory_equal(&back, &(lfm_cost){0}, sizeof back);
  OK(lfm_cost_keep(&kept, path));
  OK(lfm_cost_recall(path, &back));
  assert_memory_equal(&back, &kept, sizeof back);
  folder_remove(&root);
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *says;
  } cases[] = {
      {"[1, 2]", "not a JSON object"},
      {"{\"seconds\": 1, \"flops\": 1, \"evaluations\": 1}", "'rows' is missing"},
      {"{\"seconds\": -1, \"flops\": 1, \"evaluations\": 1, \"rows\": 1}", "'seconds' is -1"},
      {"{\"seconds\": 1, \"flops\": null, \"evaluations\": 1, \"rows\": 1}", "'flops' is"},
      {"{\"seconds\": 1, \"flops\": 1, \"evaluations\": 1, \"rows\": 1e16}", "'rows' is 1e+16"},
  };
  folder root = folder_create();
  const char *path = inside(root.path, "cost.json");
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_cost back;
    OK(lfm_file_write(path, cases[k].text, strlen(cases[k].text)));
    FAILS(LFM_E_FORMAT, lfm_cost_recall(path, &back));
    assert_says(cases[k].says);
  }
  folder_remove(&root);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_kept_is_recalled),
      cmocka_unit_test(what_cannot_be_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
