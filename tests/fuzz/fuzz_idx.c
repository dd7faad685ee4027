/* SPDX-License-Identifier: MIT
 *
 * Any bytes as an IDX file of pictures, and as the labels of one picture and of five.
 */
#include "data/images_format.h"
#include "fuzz/read_images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_labels(const uint8_t *data, size_t size, int64_t count) {
  lfm_images *images;
  if (lfm_images_make(count, 1, 1, 1, &images) != LFM_OK) abort();
  lfm_status status = lfm_idx_parse_labels("input", data, size, images);
  if (status != LFM_OK) require_refusal(status);
  for (int64_t i = 0; status == LFM_OK && i < count; i++)
    require(images->labels[i] >= 0 && images->labels[i] < images->classes);
  lfm_images_destroy(images);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  read_images(lfm_idx_parse, data, size);
  read_labels(data, size, 1);
  read_labels(data, size, 5);
  return 0;
}
