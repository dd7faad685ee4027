/* SPDX-License-Identifier: MIT
 *
 * read_images.h -- any bytes as a file of pictures: refused with one line of text and nothing left behind, or a set fit for
 * training.
 */
#ifndef LFM_FUZZ_READ_IMAGES_H
#define LFM_FUZZ_READ_IMAGES_H

#include "core/alloc.h"
#include "data/images_format.h"

#include <stdlib.h>
#include <string.h>

static inline void require(bool holds) {
  if (!holds) abort();
}

static inline void require_refusal(lfm_status status) {
  require(status == LFM_E_USAGE || status == LFM_E_DATA || status == LFM_E_FORMAT || status == LFM_E_UNSUPPORTED);
  require(*lfm_error() && !strchr(lfm_error(), '\n'));
}

/* Every byte of the set is there to be read. */
static inline void require_fit(const lfm_images *images, const lfm_images_options *options) {
  size_t size = (size_t)images->count * lfm_images_row_size(images), sum = 0;
  require(images->count > 0 && (images->channels == 1 || images->channels == 3));
  if (options->size) require(images->height == options->size && images->width == options->size);
  if (options->channels) require(images->channels == options->channels);
  for (size_t i = 0; i < size; i++) sum += images->pixels[i];
  require(sum <= 255 * size);
}

typedef lfm_status (*parse_fn)(const char *name, const uint8_t *data, size_t size, const lfm_images_options *options,
                               lfm_images **out);

/* As they are, and cropped, scaled and coloured. */
static inline void read_images(parse_fn parse, const uint8_t *data, size_t size) {
  static const lfm_images_options ways[] = {{0}, {.size = 3, .channels = 3}, {.size = 7, .channels = 1}};
  for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
    lfm_images *images = NULL;
    lfm_status status = parse("input", data, size, &ways[k], &images);
    if (status == LFM_OK) require_fit(images, &ways[k]);
    else require_refusal(status);
    require((status == LFM_OK) == (images != NULL));
    lfm_images_destroy(images);
  }
}

#endif
