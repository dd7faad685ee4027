/* SPDX-License-Identifier: MIT
 *
 * plain.h -- numbers as text with a point, whatever language the program around us speaks.
 */
#ifndef LFM_CORE_PLAIN_H
#define LFM_CORE_PLAIN_H

#include <locale.h>

/* This thread speaks the C locale between the two; no other sees the change. */
locale_t lfm_plain_begin(void);
void lfm_plain_end(locale_t before);

#endif
