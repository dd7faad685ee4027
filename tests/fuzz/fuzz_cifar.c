/* SPDX-License-Identifier: MIT
 *
 * Any bytes as CIFAR-10's records; what is missing of the last one is filled with zeros, so that inputs stay short.
 */
#include "data/images_format.h"
#include "fuzz/read_images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lfm_status parse(const char *name, const uint8_t *data, size_t size, const lfm_images_options *options,
                        lfm_images **out) {
  const lfm_picture like = {.height = 32, .width = 32, .channels = 3};
  int64_t count;
  LFM_TRY(lfm_cifar_count(name, size, &count));
  LFM_TRY(lfm_images_make_like(name, &like, count, options, out));
  lfm_status status = lfm_images_label(*out, LFM_CIFAR_CLASSES);
  if (status == LFM_OK) status = lfm_cifar_parse(name, data, size, *out, 0);
  if (status == LFM_OK) return LFM_OK;
  lfm_images_destroy(*out);
  *out = NULL;
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t whole = (size + LFM_CIFAR_RECORD - 1) / LFM_CIFAR_RECORD * LFM_CIFAR_RECORD;
  uint8_t *records = calloc(whole ? whole : 1, 1);
  if (!records) abort();
  memcpy(records, data, size);
  read_images(parse, data, size);
  read_images(parse, records, whole);
  free(records);
  return 0;
}
