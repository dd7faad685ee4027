/* SPDX-License-Identifier: MIT
 *
 * shared_data.h -- data sets that are too large for the repository: a test that wants one is skipped where it is not.
 */
#ifndef LFM_TESTS_SUPPORT_SHARED_DATA_H
#define LFM_TESTS_SUPPORT_SHARED_DATA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* after the four headers that it leans on */

#include "core/file.h"

#include <stdio.h>
#include <stdlib.h>

/* NAME under $LFM_DATA, or skips the test with a word.  Valid until the next call. */
static inline const char *shared_data(const char *name) {
  static char path[512];
  const char *base = getenv("LFM_DATA");
  snprintf(path, sizeof path, "%s/%s", base ? base : "../shared/data", name);
  if (!lfm_path_exists(path)) {
    print_message("%s is not there\n", path);
    skip();
  }
  return path;
}

#endif
