/* SPDX-License-Identifier: MIT
 *
 * images_format.h -- the readers of picture files from bytes in memory, so that tests and fuzzers need no files;
 * src/data/images.c chooses among them.  Each fills *out, or fails with a line that begins with `name` and *out = NULL.
 */
#ifndef LFM_DATA_IMAGES_FORMAT_H
#define LFM_DATA_IMAGES_FORMAT_H

#include "data/images.h"
#include "data/listing.h"
#include "data/picture.h"

/* IDX, gzip or not: n x height x width bytes; and n labels, put into `images`. */
lfm_status lfm_idx_parse(const char *name, const uint8_t *data, size_t size, const lfm_images_options *options,
                         lfm_images **out);
lfm_status lfm_idx_parse_labels(const char *name, const uint8_t *data, size_t size, lfm_images *images);

/* The path where the labels of an IDX file of this path would lie; false when its name has no "images" in it. */
bool lfm_idx_labels_path(const char *path, char *out, size_t room);

/* CIFAR-10's records, a label and 3 x 32 x 32 bytes, put into `images` [count of all files] from picture `at` on. */
enum { LFM_CIFAR_RECORD = 1 + 3 * 32 * 32, LFM_CIFAR_CLASSES = 10 };
lfm_status lfm_cifar_count(const char *name, size_t size, int64_t *count);
lfm_status lfm_cifar_parse(const char *name, const uint8_t *data, size_t size, lfm_images *images, int64_t at);
lfm_status lfm_cifar_read(const char *path, const lfm_images_options *options, lfm_images **out); /* a file or the folder */
bool lfm_cifar_is_folder(const lfm_listing *listing);

/* NPY: three or four dimensions, by the header alone; that they are whole, and bytes, is for the reader to say. */
bool lfm_npy_is_pictures(const uint8_t *data, size_t size);
lfm_status lfm_npy_parse_pictures(const char *name, const uint8_t *data, size_t size, const lfm_images_options *options,
                                  lfm_images **out);

/* A folder of PNG and JPEG files, or of folders of them; listing: its names. */
lfm_status lfm_folder_has_pictures(const char *folder, const lfm_listing *listing, bool *found);
/* Of a folder without pictures LFM_E_USAGE with the cause: that they lie deeper or are of another kind, or that these are
 * runs; LFM_E_IO: it is closed to us; LFM_OK: no cause is known. */
lfm_status lfm_folder_explain(const char *folder);
lfm_status lfm_folder_read(const char *folder, const lfm_images_options *options, lfm_images **out);

/* A set for so many pictures like `like`, in the size and number of channels that options ask for. */
lfm_status lfm_images_make_like(const char *name, const lfm_picture *like, int64_t count, const lfm_images_options *options,
                                lfm_images **out);

/* The status as it is, its line with "name: " before it. */
lfm_status lfm_images_blame(const char *name, lfm_status status);

#endif
