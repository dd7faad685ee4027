/* SPDX-License-Identifier: MIT
 *
 * peak.h -- what a core can do at most: a loop of multiply-adds in registers, the yardstick of `lfm bench`.
 */
#ifndef LFM_KERNEL_PEAK_H
#define LFM_KERNEL_PEAK_H

#include <stdint.h>

/* Some milliseconds of multiply-adds in single precision on the calling thread, in the widest registers of this processor;
 * returns the operations done, 0 where there is no such loop for it. */
int64_t lfm_peak_spin(void);

/* The same of products of bfloat16, by tiles where there are any, else by pairs, added up in single precision. */
int64_t lfm_peak_spin_bf16(void);

#endif
