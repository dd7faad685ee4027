/* SPDX-License-Identifier: MIT
 *
 * images_support.h -- small picture files made up on the spot, and the real ones where they are.
 */
#ifndef LFM_TESTS_DATA_IMAGES_SUPPORT_H
#define LFM_TESTS_DATA_IMAGES_SUPPORT_H

#include "data/images_format.h"
#include "data/support.h"

/* A byte that place i of a made-up file holds. */
static inline uint8_t made_byte(size_t i) { return (uint8_t)(i * 37 + i / 7 * 11 + 5); }

/* An IDX file: 0 0 8 rank, sizes, made bytes.  Returns its length. */
static inline size_t make_idx(uint8_t *out, int rank, const int *shape) {
  size_t size = 4, count = 1;
  memcpy(out, (const uint8_t[]){0, 0, 8, (uint8_t)rank}, 4);
  for (int k = 0; k < rank; k++, size += 4) {
    memcpy(out + size, (const uint8_t[]){0, 0, (uint8_t)(shape[k] >> 8), (uint8_t)shape[k]}, 4);
    count *= (size_t)shape[k];
  }
  for (size_t i = 0; i < count; i++) out[size + i] = made_byte(i);
  return size + count;
}

/* Reads PATH, which must succeed. */
static inline lfm_images *read_images(const char *path, const lfm_images_options *options) {
  lfm_images *images = NULL;
  if (lfm_images_read(path, options, &images) != LFM_OK) fail_msg("%s", lfm_error());
  return images;
}

static inline lfm_images_kind kind_of(const char *path) {
  lfm_images_kind kind;
  assert_int_equal(lfm_images_recognise(path, &kind), LFM_OK);
  return kind;
}

static inline void assert_shape(const lfm_images *images, int64_t count, int64_t channels, int64_t height, int64_t width) {
  assert_int_equal(images->count, count);
  assert_int_equal(images->channels, channels);
  assert_int_equal(images->height, height);
  assert_int_equal(images->width, width);
}

/* Every bit of a file turned over, and every cut of it: a clean failure or pictures, whatever comes. */
typedef lfm_status (*parse_fn)(const uint8_t *data, size_t size);
static inline void torture_pictures(parse_fn parse, const uint8_t *bytes, size_t size) {
  uint8_t *exact;
  for (size_t cut = 0; cut < size; cut++) {
    exact = malloc(cut ? cut : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, cut);
    assert_int_not_equal(parse(exact, cut), LFM_OK);
    free(exact);
  }
  exact = malloc(size);
  assert_non_null(exact);
  for (size_t bit = 0; bit < 8 * size; bit++) {
    memcpy(exact, bytes, size);
    exact[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (parse(exact, size) != LFM_OK) assert_true(strlen(lfm_error()) > 0);
  }
  free(exact);
}

#endif
