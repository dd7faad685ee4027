/* SPDX-License-Identifier: MIT
 *
 * alloc.c -- aligned, zeroed, overflow-checked memory with a fault on command.
 */
#include "core/alloc.h"

#include "core/bytes.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static atomic_ullong requests; /* since the last lfm_alloc_fail_at */
static atomic_ullong fail_at;  /* the request that fails; 0: none */

uint64_t lfm_alloc_fail_at(uint64_t at) {
  uint64_t seen = atomic_exchange(&requests, 0);
  atomic_store(&fail_at, at);
  return seen;
}

lfm_status lfm_alloc_array(void *out, size_t count, size_t size) {
  void *memory = NULL;
  size_t bytes = 0;
  bool fits = lfm_size_multiply(count, size, &bytes) && bytes <= PTRDIFF_MAX;
  bool told_to_fail = atomic_fetch_add(&requests, 1) + 1 == atomic_load(&fail_at);
  /* Not aligned_alloc: its sizes are multiples of the alignment, and a sanitizer would not see a step past the end. */
  if (fits && !told_to_fail && posix_memalign(&memory, ALIGNMENT, bytes ? bytes : 1) != 0) memory = NULL;
  memcpy(out, &memory, sizeof memory); /* out is a pointer to any object pointer */
  if (!memory) return lfm_fail(LFM_E_MEMORY, "memory refused: %zu elements of %zu bytes", count, size);
  memset(memory, 0, bytes);
  return LFM_OK;
}

lfm_status lfm_alloc_grow(void *array, size_t *capacity, size_t need, size_t size) {
  if (need <= *capacity) return LFM_OK;
  size_t target = *capacity < SIZE_MAX / 2 && *capacity * 2 > need ? *capacity * 2 : need;
  if (target < 16) target = 16;
  void *old, *larger;
  LFM_TRY(lfm_alloc_array(&larger, target, size));
  memcpy(&old, array, sizeof old);
  if (*capacity) memcpy(larger, old, *capacity * size);
  lfm_free(old);
  memcpy(array, &larger, sizeof larger);
  *capacity = target;
  return LFM_OK;
}

lfm_status lfm_alloc_text(char **out, const char *text) {
  size_t bytes = strlen(text) + 1;
  LFM_TRY(LFM_ALLOC(out, bytes));
  memcpy(*out, text, bytes);
  return LFM_OK;
}

void lfm_free(void *memory) { free(memory); }
