/* SPDX-License-Identifier: MIT
 *
 * alloc.c -- aligned, zeroed, overflow-checked, counted memory with a fault on command.
 * The C library knows how long a block is; a header of our own before each would hide a step before its front from a
 * sanitizer.
 */
#include "core/alloc.h"

#include "core/bytes.h"
#include "core/spill.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What sanitizers cannot know of others: fontconfig keeps pointers as offsets, OSMesa keeps the last buffer that it drew to,
 * and its own threads synchronise in ways that are not watched. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libfontconfig\nleak:libOSMesa\n"; }
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) { return "race:libOSMesa\nmutex:libOSMesa\n"; }
#endif

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20, LARGE = 2 * HUGE_PAGE };

static atomic_ullong requests; /* since the last lfm_alloc_fail_at */
static atomic_ullong fail_at;  /* the request that fails; 0: none */
static atomic_size_t in_use;   /* bytes */

uint64_t lfm_alloc_fail_at(uint64_t at) {
  uint64_t seen = atomic_exchange(&requests, 0);
  atomic_store(&fail_at, at);
  return seen;
}

static bool is_told_to_fail(void) { return atomic_fetch_add(&requests, 1) + 1 == atomic_load(&fail_at); }

static lfm_status refused(size_t count, size_t size) {
  return lfm_fail(LFM_E_MEMORY, "memory refused: %zu elements of %zu bytes", count, size);
}

/* Large blocks lie in huge pages where the system has them: a network's weights are read from end to end at every evaluation,
 * and small pages are thousands, more than a processor knows by heart.
 * Not aligned_alloc: its sizes are multiples of the alignment, and a sanitizer would not see a step past the end. */
static void *reserve(size_t bytes) {
  void *memory = NULL;
  if (posix_memalign(&memory, bytes < LARGE ? ALIGNMENT : HUGE_PAGE, bytes ? bytes : 1) != 0) return NULL;
  if (bytes >= LARGE) madvise(memory, bytes, MADV_HUGEPAGE); /* a wish */
  return memory;
}

lfm_status lfm_alloc_array(void *out, size_t count, size_t size) {
  void *memory = NULL;
  size_t bytes = 0;
  bool fits = lfm_size_multiply(count, size, &bytes) && bytes <= PTRDIFF_MAX;
  bool told_to_fail = is_told_to_fail();
  if (fits && !told_to_fail) memory = reserve(bytes);
  memcpy(out, &memory, sizeof memory); /* out is a pointer to any object pointer */
  if (!memory) return refused(count, size);
  memset(memory, 0, bytes);
  atomic_fetch_add(&in_use, malloc_usable_size(memory));
  return LFM_OK;
}

lfm_status lfm_alloc_rows(void *out, size_t count, size_t size) {
  size_t bytes;
  if (!lfm_size_multiply(count, size, &bytes) || !lfm_spill_is_wanted(bytes, lfm_alloc_in_use()))
    return lfm_alloc_array(out, count, size);
  void *memory = NULL;
  lfm_status status = is_told_to_fail() ? refused(count, size) : lfm_spill_create(bytes, &memory);
  memcpy(out, &memory, sizeof memory);
  return status;
}

void lfm_alloc_expect(void *rows, bool scattered) { lfm_spill_expect(rows, scattered); }

typedef lfm_status (*allocate_fn)(void *out, size_t count, size_t size);

static lfm_status grow(allocate_fn allocate, void *array, size_t *capacity, size_t need, size_t size) {
  if (need <= *capacity) return LFM_OK;
  size_t target = *capacity < SIZE_MAX / 2 && *capacity * 2 > need ? *capacity * 2 : need;
  if (target < 16) target = 16;
  void *old, *larger;
  LFM_TRY(allocate(&larger, target, size));
  memcpy(&old, array, sizeof old);
  if (*capacity) memcpy(larger, old, *capacity * size);
  lfm_free(old);
  memcpy(array, &larger, sizeof larger);
  *capacity = target;
  return LFM_OK;
}

lfm_status lfm_alloc_grow(void *array, size_t *capacity, size_t need, size_t size) {
  return grow(lfm_alloc_array, array, capacity, need, size);
}

lfm_status lfm_alloc_grow_rows(void *array, size_t *capacity, size_t need, size_t size) {
  return grow(lfm_alloc_rows, array, capacity, need, size);
}

lfm_status lfm_alloc_text(char **out, const char *text) {
  size_t bytes = strlen(text) + 1;
  LFM_TRY(LFM_ALLOC(out, bytes));
  memcpy(*out, text, bytes);
  return LFM_OK;
}

void lfm_free(void *memory) {
  if (!memory || lfm_spill_destroy(memory)) return;
  atomic_fetch_sub(&in_use, malloc_usable_size(memory));
  free(memory);
}

size_t lfm_alloc_size_in_file(const void *memory) { return lfm_spill_size(memory); }

size_t lfm_alloc_size(const void *memory) {
  size_t in_file = lfm_spill_size(memory);
  return in_file ? in_file : malloc_usable_size((void *)(uintptr_t)memory);
}

size_t lfm_alloc_in_use(void) { return atomic_load(&in_use); }
