/* SPDX-License-Identifier: MIT
 *
 * images_npy.c -- NumPy arrays of bytes as pictures, and pictures as such an array.
 * Either place of the channels is read, since both are in use: Pillow and TensorFlow have them last, PyTorch first.  Where
 * an array could be both (n x 3 x h x 3), they are last.  Floats are refused: whether they mean 0 to 1, -1 to 1 or 0 to 255
 * would be a guess.
 */
#include "core/alloc.h"
#include "data/images_format.h"
#include "data/npy.h"

bool lfm_npy_is_pictures(const uint8_t *data, size_t size) {
  lfm_npy a;
  const lfm_source source = {.name = "", .path = "", .data = data, .size = size};
  return lfm_npy_look(&source, &a) == LFM_OK && a.rank >= 3;
}

static bool are_channels(int64_t length) { return length == 1 || length == 3; }

/* The first picture, and how far apart they are. */
static lfm_status lay_out(const char *name, const lfm_npy *a, lfm_picture *picture, size_t *apart) {
  size_t strides[LFM_NPY_DIMS] = {0}, step = 1;
  for (int k = 0; k < a->rank; k++) {
    int axis = a->by_column ? k : a->rank - 1 - k;
    strides[axis] = step;
    step *= (size_t)a->shape[axis];
  }
  bool is_grey = a->rank == 3, last = !is_grey && are_channels(a->shape[3]);
  if (!is_grey && !last && !are_channels(a->shape[1]))
    return lfm_fail(LFM_E_DATA, "%s: neither its last dimension (%lld) nor its second (%lld) is 1 or 3, the channels", name,
                    (long long)a->shape[3], (long long)a->shape[1]);
  int down = is_grey || last ? 1 : 2, deeper = last ? 3 : 1;
  *apart = strides[0];
  *picture = (lfm_picture){.height = a->shape[down],
                           .width = a->shape[down + 1],
                           .channels = is_grey ? 1 : a->shape[deeper],
                           .at = a->values,
                           .down = strides[down],
                           .right = strides[down + 1],
                           .deeper = is_grey ? 0 : strides[deeper]};
  return LFM_OK;
}

static lfm_status open_bytes(const char *name, const uint8_t *data, size_t size, lfm_npy *a) {
  const lfm_source source = {.name = name, .path = name, .data = data, .size = size};
  LFM_TRY(lfm_npy_open(&source, 3, 4, "pictures have 3 or 4", a));
  if (a->element.kind != 'u' || a->element.size != 1)
    return lfm_fail(LFM_E_DATA,
                    "%s: the array has %d dimensions, as pictures have, which are bytes; save it as uint8, or a table in two",
                    name, a->rank);
  for (int k = 0; k < a->rank; k++)
    if (a->shape[k] == 0) return lfm_fail(LFM_E_DATA, "%s: holds no pictures", name);
  return LFM_OK;
}

lfm_status lfm_npy_parse_pictures(const char *name, const uint8_t *data, size_t size, const lfm_images_options *options,
                                  lfm_images **out) {
  lfm_npy a;
  lfm_picture picture;
  size_t apart = 0;
  *out = NULL;
  LFM_TRY(open_bytes(name, data, size, &a));
  LFM_TRY(lay_out(name, &a, &picture, &apart));
  LFM_TRY(lfm_images_make_like(name, &picture, a.shape[0], options, out));
  lfm_status status = LFM_OK;
  for (int64_t i = 0; i < a.shape[0] && status == LFM_OK; i++, picture.at += apart)
    status = lfm_picture_fit(&picture, *out, i);
  if (status == LFM_OK) return LFM_OK;
  lfm_images_destroy(*out);
  *out = NULL;
  return status;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

void lfm_images_interleave(const lfm_images *images, int64_t i, uint8_t *out) {
  size_t plane = (size_t)images->height * (size_t)images->width, channels = (size_t)images->channels;
  const uint8_t *pixels = images->pixels + (size_t)i * lfm_images_row_size(images);
  for (size_t j = 0; j < plane; j++)
    for (size_t k = 0; k < channels; k++) out[j * channels + k] = pixels[k * plane + j];
}

static lfm_status put_pictures(const lfm_images *images, lfm_writer *writer, uint8_t *row) {
  const int64_t shape[] = {images->count, images->height, images->width, images->channels};
  uint8_t header[LFM_NPY_HEADER];
  lfm_npy_header_of("|u1", 4, shape, header);
  LFM_TRY(lfm_writer_put(writer, header, sizeof header));
  for (int64_t i = 0; i < images->count; i++) {
    lfm_images_interleave(images, i, row);
    LFM_TRY(lfm_writer_put(writer, row, lfm_images_row_size(images)));
  }
  return LFM_OK;
}

lfm_status lfm_images_write_npy(const lfm_images *images, const char *path) {
  lfm_writer *writer = NULL;
  uint8_t *row;
  LFM_TRY(LFM_ALLOC(&row, lfm_images_row_size(images)));
  lfm_status status = lfm_writer_open(path, &writer);
  if (status == LFM_OK) status = put_pictures(images, writer, row);
  if (status == LFM_OK) status = lfm_writer_commit(writer);
  else lfm_writer_abort(writer);
  lfm_free(row);
  return status;
}
