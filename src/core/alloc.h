/* SPDX-License-Identifier: MIT
 *
 * alloc.h -- the one way this library asks for memory.
 * 64-byte aligned (cache line, AVX-512 vector), zeroed, overflow-checked, counted, and failing on command: the sweep in the
 * tests makes the N-th request fail for every N.  Nothing here is called from a training, solver or control loop.
 */
#ifndef LFM_CORE_ALLOC_H
#define LFM_CORE_ALLOC_H

#include "core/status.h"

/* *out = count * size zeroed bytes; LFM_E_MEMORY (and *out = NULL) when refused.  count = 0 gives a valid pointer. */
lfm_status lfm_alloc_array(void *out, size_t count, size_t size);

enum { LFM_CACHE_LINE = 64 };

/* What lies behind so many bytes begins on a line of the cache again. */
static inline size_t lfm_whole_lines(size_t bytes) { return (bytes + LFM_CACHE_LINE - 1) / LFM_CACHE_LINE * LFM_CACHE_LINE; }

/* Typed front: LFM_TRY(LFM_ALLOC(&rows, n)). */
#define LFM_ALLOC(pointer_address, count) lfm_alloc_array((pointer_address), (size_t)(count), sizeof **(pointer_address))

/* The same for what grows with the rows of a table: over the limit of lfm_memory_limit it lies in a file and not in memory,
 * to be used and freed like any other.  Then also LFM_E_IO, when that folder or disk refuses. */
lfm_status lfm_alloc_rows(void *out, size_t count, size_t size);
#define LFM_ALLOC_ROWS(pointer_address, count) lfm_alloc_rows((pointer_address), (size_t)(count), sizeof **(pointer_address))

/* Advice on rows: from now on they are read here and there, or from one end to the other. */
void lfm_alloc_expect(void *rows, bool scattered);

/* Grows *array (of capacity *capacity elements) so that it holds at least `need`; contents kept, new part zeroed.
 * On failure the old array stands.  The second is for readers that learn sizes as they go, of what grows with the rows. */
lfm_status lfm_alloc_grow(void *array, size_t *capacity, size_t need, size_t size);
lfm_status lfm_alloc_grow_rows(void *array, size_t *capacity, size_t need, size_t size);

lfm_status lfm_alloc_text(char **out, const char *text); /* a copy of a string */
void lfm_free(void *memory);                             /* accepts NULL */

/* Bytes behind a pointer of ours (at least what was asked for; NULL: 0), and those of them that lie in a file. */
size_t lfm_alloc_size(const void *memory);
size_t lfm_alloc_size_in_file(const void *memory);

/* Bytes in memory by all requests that are not yet freed; files not counted. */
size_t lfm_alloc_in_use(void);

/* Tests: the request number `at` (1 = next) fails, once; 0 disarms.  Returns the number of requests since the last call. */
uint64_t lfm_alloc_fail_at(uint64_t at);

#endif
