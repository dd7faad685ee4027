/* SPDX-License-Identifier: MIT
 *
 * plain.c -- see plain.h.
 */
#include "core/plain.h"

#include <pthread.h>

/* Made once and kept. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_c_locale(void) { c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

locale_t lfm_plain_begin(void) {
  pthread_once(&once, make_c_locale);
  return uselocale(c_locale);
}

void lfm_plain_end(locale_t before) { uselocale(before); }
