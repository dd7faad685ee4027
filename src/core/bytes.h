/* SPDX-License-Identifier: MIT
 *
 * bytes.h -- a bounded reader over bytes that nobody vouches for.  Every take checks the rest first; files are hostile.
 */
#ifndef LFM_CORE_BYTES_H
#define LFM_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lfm_bytes {
  const uint8_t *data;
  size_t size, at;
} lfm_bytes;

/* Each returns false, and moves nothing, when fewer bytes are left. */
bool lfm_bytes_take(lfm_bytes *bytes, size_t n, const uint8_t **out);
bool lfm_bytes_u16le(lfm_bytes *bytes, uint16_t *out);
bool lfm_bytes_u32le(lfm_bytes *bytes, uint32_t *out);
bool lfm_bytes_u64le(lfm_bytes *bytes, uint64_t *out);

/* *product = a * b; false on overflow. */
bool lfm_size_multiply(size_t a, size_t b, size_t *product);

#endif
