/* SPDX-License-Identifier: MIT
 *
 * alloc.h -- the one way this library asks for memory.
 * 64-byte aligned (cache line, AVX-512 vector), zeroed, overflow-checked, and failing on command: the sweep in the tests
 * makes the N-th request fail for every N.  Nothing here is called from a training, solver or control loop.
 */
#ifndef LFM_CORE_ALLOC_H
#define LFM_CORE_ALLOC_H

#include "core/status.h"

/* *out = count * size zeroed bytes; LFM_E_MEMORY (and *out = NULL) when refused.  count = 0 gives a valid pointer. */
lfm_status lfm_alloc_array(void *out, size_t count, size_t size);

/* Typed front: LFM_TRY(LFM_ALLOC(&rows, n)). */
#define LFM_ALLOC(pointer_address, count) lfm_alloc_array((pointer_address), (size_t)(count), sizeof **(pointer_address))

/* Grows *array (of capacity *capacity elements) so that it holds at least `need`; contents kept, new part zeroed.
 * For readers that learn sizes as they go.  On failure the old array stands. */
lfm_status lfm_alloc_grow(void *array, size_t *capacity, size_t need, size_t size);

lfm_status lfm_alloc_text(char **out, const char *text); /* a copy of a string */
void lfm_free(void *memory);                             /* accepts NULL */

/* Tests: the request number `at` (1 = next) fails, once; 0 disarms.  Returns the number of requests since the last call. */
uint64_t lfm_alloc_fail_at(uint64_t at);

#endif
