/* SPDX-License-Identifier: MIT
 *
 * spill.h -- arrays of rows that memory does not hold, in files without a name that the system pages (lfm_memory_limit).
 * For core/alloc.c; others ask for rows there and need not know where they lie.
 */
#ifndef LFM_CORE_SPILL_H
#define LFM_CORE_SPILL_H

#include "core/status.h"

/* Would an array of so many bytes, beside in_use of them in memory, be over the limit? */
bool lfm_spill_is_wanted(size_t bytes, size_t in_use);

/* *out = so many zero bytes of a new file; LFM_E_IO (and *out = NULL) when its folder or disk refuses. */
lfm_status lfm_spill_create(size_t bytes, void **out);

/* Both say false, or 0, of memory that is not of lfm_spill_create. */
bool lfm_spill_destroy(void *memory);
size_t lfm_spill_size(const void *memory);

/* Advice: from now on read here and there, or from one end to the other.  Any memory may be given. */
void lfm_spill_expect(void *memory, bool scattered);

#endif
