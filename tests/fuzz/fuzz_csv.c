/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a CSV file, or as a packed one where they begin like that.
 */
#include "data/format.h"
#include "fuzz/read_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bool packed = size >= 2 && data[0] == 0x1F && data[1] == 0x8B;
  read_table(packed ? lfm_csv_gz_parse : lfm_csv_parse, data, size, NULL);
  return 0;
}
