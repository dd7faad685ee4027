/* SPDX-License-Identifier: MIT
 *
 * words.h -- weights as instructions on pairs of halves read them: two rows of B side by side, a word a column.  With
 * AVX-512; internal to this room.
 */
#ifndef LFM_KERNEL_WORDS_H
#define LFM_KERNEL_WORDS_H

#include "kernel/table.h"

/* Is a layout of halves one that is written here, on this processor: pairs, in tiles of whole vectors? */
bool lfm_words_can(const lfm_layout *layout);

/* pack of table.h, for such a layout; where nothing is transposed `first` is even, and `count` but at the end of B. */
void lfm_words_pack(uint32_t *dst, const lfm_layout *layout, bool transposed, const float *w, int64_t ld, int64_t first,
                    int64_t count);

#endif
