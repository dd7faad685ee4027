/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a NumPy archive, its only array and one by name.
 */
#include "data/format.h"
#include "fuzz/read_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  read_table(lfm_npz_parse, data, size, NULL);
  read_table(lfm_npz_parse, data, size, "a");
  return 0;
}
