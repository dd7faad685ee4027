/* SPDX-License-Identifier: MIT
 *
 * element.c -- what the bytes of an array's element are worth, as a double.
 * One element at a time, by a chain of comparisons: an array is read once, and a table for each of the twelve types, twice
 * for the byte order, would save a few milliseconds.
 */
#include "data/element.h"

#include <math.h>
#include <string.h>

bool lfm_machine_is_little_endian(void) {
  const uint16_t one = 1;
  uint8_t first;
  memcpy(&first, &one, 1);
  return first == 1;
}

bool lfm_element_parse(const char *type, lfm_element *out) {
  static const char *const types[] = {"f2", "f4", "f8", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"};
  char order = type[0];
  if (!order || !strchr("<>|=", order)) return false;
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if (strcmp(type + 1, types[i]) != 0) continue;
    *out = (lfm_element){.kind = types[i][0], .size = (size_t)(types[i][1] - '0')};
    out->swapped = out->size > 1 && order == (lfm_machine_is_little_endian() ? '>' : '<');
    return true;
  }
  return false;
}

static double half_value(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double size = exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                               : (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
  return bits & 0x8000 ? -size : size;
}

/* What bytes [size <= 8] in this machine's order are worth. */
static double value_of(char kind, size_t size, const uint8_t *bytes) {
#define VALUE_AS(type)                                                                                                       \
  do {                                                                                                                       \
    type value;                                                                                                              \
    memcpy(&value, bytes, sizeof value);                                                                                     \
    return (double)value;                                                                                                    \
  } while (0)
  if (kind == 'f') {
    if (size == 4) VALUE_AS(float);
    if (size == 8) VALUE_AS(double);
    uint16_t half;
    memcpy(&half, bytes, sizeof half);
    return half_value(half);
  }
  if (kind == 'i') {
    if (size == 1) VALUE_AS(int8_t);
    if (size == 2) VALUE_AS(int16_t);
    if (size == 4) VALUE_AS(int32_t);
    VALUE_AS(int64_t);
  }
  if (size == 1) VALUE_AS(uint8_t); /* and bool */
  if (size == 2) VALUE_AS(uint16_t);
  if (size == 4) VALUE_AS(uint32_t);
  VALUE_AS(uint64_t);
#undef VALUE_AS
}

double lfm_element_value(const lfm_element *element, const uint8_t *bytes) {
  uint8_t turned[8];
  for (size_t i = 0; element->swapped && i < element->size; i++) turned[i] = bytes[element->size - 1 - i];
  return value_of(element->kind, element->size, element->swapped ? turned : bytes);
}
