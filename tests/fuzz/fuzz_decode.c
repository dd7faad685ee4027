/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a PNG or JPEG, looked at, decoded and put into a set; and as the PNG of a density, in grey.
 */
#include "data/decode.h"
#include "data/images_format.h"
#include "data/png_file.h"
#include "fuzz/read_images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lfm_status parse(const char *name, const uint8_t *data, size_t size, const lfm_images_options *options,
                        lfm_images **out) {
  lfm_decoded seen, read;
  lfm_status looked = lfm_decode_look(name, data, size, &seen);
  LFM_TRY(lfm_decode(name, data, size, &read));
  require(looked == LFM_OK && seen.height == read.height && seen.width == read.width && seen.channels == read.channels);
  size_t channels = (size_t)read.channels;
  lfm_picture picture = {read.height, read.width, read.channels, read.pixels, (size_t)read.width * channels, channels, 1};
  lfm_status status = lfm_images_make_like(name, &picture, 1, options, out);
  if (status == LFM_OK) status = lfm_picture_fit(&picture, *out, 0);
  lfm_decoded_free(&read);
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lfm_decoded grey;
  read_images(parse, data, size);
  if (lfm_png_decode("input", data, size, 1, &grey) == LFM_OK) require(grey.channels == 1);
  lfm_decoded_free(&grey);
  return 0;
}
