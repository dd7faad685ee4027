/* SPDX-License-Identifier: MIT
 *
 * bytes.c -- see bytes.h.
 */
#include "core/bytes.h"

bool lfm_bytes_take(lfm_bytes *bytes, size_t n, const uint8_t **out) {
  if (n > bytes->size - bytes->at) return false;
  *out = bytes->data + bytes->at;
  bytes->at += n;
  return true;
}

/* The next n <= 8 bytes as a little-endian number. */
static bool take_number(lfm_bytes *bytes, size_t n, uint64_t *out) {
  const uint8_t *at;
  if (!lfm_bytes_take(bytes, n, &at)) return false;
  *out = 0;
  for (size_t i = 0; i < n; i++) *out |= (uint64_t)at[i] << (8 * i);
  return true;
}

bool lfm_bytes_u16le(lfm_bytes *bytes, uint16_t *out) {
  uint64_t number;
  bool taken = take_number(bytes, sizeof *out, &number);
  if (taken) *out = (uint16_t)number;
  return taken;
}

bool lfm_bytes_u32le(lfm_bytes *bytes, uint32_t *out) {
  uint64_t number;
  bool taken = take_number(bytes, sizeof *out, &number);
  if (taken) *out = (uint32_t)number;
  return taken;
}

bool lfm_bytes_u64le(lfm_bytes *bytes, uint64_t *out) { return take_number(bytes, sizeof *out, out); }

bool lfm_size_multiply(size_t a, size_t b, size_t *product) { return !__builtin_mul_overflow(a, b, product); }
