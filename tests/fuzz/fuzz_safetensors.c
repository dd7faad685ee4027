/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a model file: refused with a line of text, or an archive whose every tensor can be read to its last number.
 */
#include "store/safetensors.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) abort();
}

/* How many numbers are not zero, read as the users do: in place, as the tensor's type. */
static int64_t nonzeros(const lfm_tensor *tensor) {
  int64_t count = 0;
  for (int64_t i = 0; i < lfm_tensor_count(tensor); i++) {
    if (tensor->dtype == LFM_F32) count += ((const float *)tensor->data)[i] != 0.0f;
    if (tensor->dtype == LFM_F64) count += ((const double *)tensor->data)[i] != 0.0;
    if (tensor->dtype == LFM_I64) count += ((const int64_t *)tensor->data)[i] != 0;
    if (tensor->dtype == LFM_U8) count += ((const uint8_t *)tensor->data)[i] != 0;
  }
  return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lfm_archive *archive = NULL;
  lfm_status status = lfm_archive_open_memory(data, size, "input", &archive);
  if (status != LFM_OK) {
    require(status == LFM_E_FORMAT && !archive && strstr(lfm_error(), "input: ") == lfm_error());
    return 0;
  }
  for (int i = 0; i < lfm_archive_size(archive); i++) {
    const lfm_tensor *tensor = lfm_archive_at(archive, i), *found = NULL;
    require(nonzeros(tensor) <= lfm_tensor_count(tensor));
    require(lfm_archive_find(archive, tensor->name) == tensor);
    require(lfm_archive_require(archive, tensor->name, tensor->dtype, tensor->dims, tensor->shape, &found) == LFM_OK);
    require(found == tensor);
  }
  lfm_archive_destroy(archive);
  return 0;
}
