/* SPDX-License-Identifier: MIT
 *
 * test_choose.c -- LFM_KERNELS forces a table by its name; a word that is none changes nothing and is told, once.
 */
#include "kernel/kernel.h"
#include "support/notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_name_forces(void **state) {
  (void)state;
  setenv("LFM_KERNELS", "onednn", 1);
  assert_ptr_equal(lfm_kernels_best(), lfm_kernels_onednn());
  setenv("LFM_KERNELS", "ref32", 1);
  assert_ptr_equal(lfm_kernels_best(), lfm_kernels_ref32());
  setenv("LFM_KERNELS", "ref64", 1);
  assert_ptr_equal(lfm_kernels_best(), lfm_kernels_ref64());
  const lfm_kernels *halves;
  assert_int_equal(lfm_kernels_bf16(&halves), LFM_E_UNSUPPORTED); /* they have none */
  assert_ptr_equal(lfm_kernels_training(), lfm_kernels_ref64());
  assert_int_equal(notes, 0);
}

/* Two halves a number only where nobody asks for floats, and there is something to multiply them. */
static void training_has_tables_of_its_own(void **state) {
  (void)state;
  unsetenv("LFM_KERNELS");
  bool has_amx = strstr(lfm_kernels_identity(lfm_kernels_best()), "amx") != NULL;
  assert_ptr_equal(lfm_kernels_training(), has_amx ? lfm_kernels_onednn_split() : lfm_kernels_best());
  assert_string_not_equal(lfm_kernels_identity(lfm_kernels_onednn_split()), lfm_kernels_identity(lfm_kernels_onednn()));
  setenv("LFM_KERNELS", "onednn", 1);
  assert_ptr_equal(lfm_kernels_training(), lfm_kernels_onednn());
}

static void another_word_is_told_once(void **state) {
  (void)state;
  unsetenv("LFM_KERNELS");
  const lfm_kernels *fitting = lfm_kernels_best();
  setenv("LFM_KERNELS", "", 1);
  assert_ptr_equal(lfm_kernels_best(), fitting);
  assert_int_equal(notes, 0);
  setenv("LFM_KERNELS", "ref16", 1);
  for (int k = 0; k < 3; k++) assert_ptr_equal(lfm_kernels_best(), fitting);
  assert_int_equal(notes, 1);
  assert_int_equal(last_level, LFM_WARNING);
  assert_string_equal(last_note, "LFM_KERNELS: there are no kernels ref16; give onednn, ref32 or ref64, or unset it");
}

int main(void) {
  lfm_notes_to(take_note, NULL);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_name_forces),
      cmocka_unit_test(training_has_tables_of_its_own),
      cmocka_unit_test(another_word_is_told_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
