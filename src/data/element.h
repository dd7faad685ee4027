/* SPDX-License-Identifier: MIT
 *
 * element.h -- an array's elements as NumPy names them ("<f4", "|u1"), which .npy files and zarr folders share.
 */
#ifndef LFM_DATA_ELEMENT_H
#define LFM_DATA_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lfm_element {
  char kind;    /* f i u b */
  size_t size;  /* bytes */
  bool swapped; /* they are not in this machine's order */
} lfm_element;

/* Byte order, kind, size: bool, integers of 8 to 64 bits and floats of 16 to 64.  False for any other. */
bool lfm_element_parse(const char *type, lfm_element *out);

double lfm_element_value(const lfm_element *element, const uint8_t *bytes); /* [element->size] */

bool lfm_machine_is_little_endian(void);

#endif
