/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a NumPy array.
 */
#include "data/format.h"
#include "fuzz/read_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  read_table(lfm_npy_parse, data, size, NULL);
  return 0;
}
