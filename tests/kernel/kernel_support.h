/* SPDX-License-Identifier: MIT
 *
 * kernel_support.h -- what the tests of products share: numbers whose sums are exact, and a product made, run and dropped.
 */
#ifndef KERNEL_SUPPORT_H
#define KERNEL_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "kernel/table.h"

#define OK(call) assert_int_equal((call), LFM_OK)

/* Multiples of 1/64 in [-1, 1): exact in the eight bits of bfloat16, and products and short sums of them exact in float, so
 * that tables must agree to the bit. */
static inline double exact(int64_t i, int salt) { return (double)((i * 37 + salt * 101 + (i * i) % 53) % 128 - 64) / 64; }

static inline void run_product(const lfm_kernels *k, const lfm_product_spec *spec, const void *a, const void *b,
                               const void *bias, void *c) {
  lfm_product *product;
  char *scratch;
  OK(k->product_create(spec, &product));
  OK(LFM_ALLOC(&scratch, k->product_scratch(product)));
  memset(scratch, 0xFF, k->product_scratch(product));
  OK(k->product_run(product, a, b, bias, c, scratch));
  lfm_free(scratch);
  k->product_destroy(product);
}

#endif
