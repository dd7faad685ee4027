/* SPDX-License-Identifier: MIT
 *
 * test_noise.c -- the runtime's normals are the library's, to the bit.
 */
#include "runtime/noise.h"

#include "core/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void the_same_as_the_library_draws(void **state) {
  (void)state;
  enum { MOST = 200 };
  static const uint64_t seeds[] = {0, 1, 0x123456789ABCDEFu};
  static const int64_t rows[] = {0, 1, 12345, ((int64_t)1 << 43) + 77};
  for (int s = 0; s < 3; s++)
    for (int r = 0; r < 4; r++)
      for (int64_t count = 1; count <= MOST; count += 33) {
        float want[MOST], got[MOST + 1];
        lfm_rng rng = {.seed = seeds[s], .purpose = LFM_FOR_SAMPLE};
        got[count] = 7.0f;
        lfm_rng_normal(&rng, rows[r], want, (size_t)count);
        lfm_rt_noise(seeds[s], rows[r], got, count);
        assert_memory_equal(got, want, (size_t)count * sizeof *got);
        assert_true(got[count] == 7.0f);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_as_the_library_draws)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
