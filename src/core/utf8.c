/* SPDX-License-Identifier: MIT
 *
 * utf8.c -- the table of RFC 3629, section 4, as conditions on the first two bytes (utf8.h).
 * By hand, because the C library decodes in the locale of the process only, and libunistring is a large guest for this.
 */
#include "core/utf8.h"

int lfm_utf8_length(const char *text) {
  const unsigned char *at = (const unsigned char *)text, first = at[0], second = first ? at[1] : 0;
  int length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  for (int i = 1; i < length; i++)
    if ((at[i] & 0xC0) != 0x80) return 0;
  bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  bool surrogate = first == 0xED && second >= 0xA0;
  bool beyond = first == 0xF4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

bool lfm_utf8_is_text(const char *text) {
  while (*text) {
    int length = lfm_utf8_length(text);
    if (!length) return false;
    text += length;
  }
  return true;
}
