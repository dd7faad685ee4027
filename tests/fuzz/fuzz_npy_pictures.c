/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a NumPy array of pictures; what is taken for one by its header is one or is refused with reason.
 */
#include "data/images_format.h"
#include "fuzz/read_images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  (void)lfm_npy_is_pictures(data, size);
  read_images(lfm_npy_parse_pictures, data, size);
  return 0;
}
