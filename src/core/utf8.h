/* SPDX-License-Identifier: MIT
 *
 * utf8.h -- whether bytes are UTF-8 text (RFC 3629): names from files are shown, drawn and stored as such.
 */
#ifndef LFM_CORE_UTF8_H
#define LFM_CORE_UTF8_H

#include <stdbool.h>

/* The length of the character at text, which a zero byte ends; 0 when there is none: a stray byte, one cut short,
 * overlong, a surrogate, beyond U+10FFFF. */
int lfm_utf8_length(const char *text);

bool lfm_utf8_is_text(const char *text); /* "" is */

#endif
