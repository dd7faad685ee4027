/* SPDX-License-Identifier: MIT
 *
 * images.h -- a set of pictures of one size, as bytes, with or without labels: what an image model learns from and draws.
 *
 *   read    IDX (MNIST), CIFAR-10, NPY, folders of PNG and JPEG   -> lfm_images     images.c and images_*.c
 *   learn   one picture -> one row of floats in [-1, 1]; and back                    pixels.h
 *   show    a grid, single PNGs, NPY                                                 report/pictures.h
 *
 * Colours are those of the file.  Where another number of channels is asked for, grey becomes RGB by repetition and RGB
 * grey by the luma of ITU-R BT.601, as Pillow's convert("L"): (19595 R + 38470 G + 7471 B + 32768) >> 16.  Transparent
 * places of a PNG become white, as light adds up.  The orientation that a camera notes in a JPEG (EXIF) is not applied.
 */
#ifndef LFM_DATA_IMAGES_H
#define LFM_DATA_IMAGES_H

#include "core/status.h"

typedef struct lfm_images {
  int64_t count, channels, height, width;
  uint8_t *pixels;     /* [count, channels, height, width]; may lie in a file (lfm_alloc_rows) */
  int32_t *labels;     /* [count] 0 .. classes - 1; NULL: there are none */
  int64_t classes;     /* 0 without labels */
  char **class_names;  /* [classes] */
  int64_t broken;      /* pictures of the source that are left out because they cannot be read */
  char **broken_names; /* [broken] "file: what is wrong with it", in the order of the source */
} lfm_images;

enum { LFM_IMAGES_MOST_SIDE = 16384 }; /* pixels of a set's width and height */

/* Of the pictures of a folder, by their number of pixels. */
typedef struct lfm_images_sizes {
  int64_t count; /* of different ones; 0: it is no folder */
  int64_t least_height, least_width, most_height, most_width;
} lfm_images_sizes;

typedef struct lfm_images_options {
  int64_t size;     /* over 0: the middle square of each, scaled to size x size; 0: as they are, and then all of one size */
  int64_t channels; /* 1 grey, 3 RGB; 0: as they are (RGB when any of a folder is in colour) */
  bool strict;      /* a picture that cannot be read is an error; otherwise it is left out, named and counted */
  bool tell;        /* a note where size or channels make others of the pictures than those that are there */
  int threads;      /* that decode a folder; 0: all processors; does not change the result */
  lfm_images_sizes *sizes; /* NULL, or: different sizes are no error but told here, and the pictures are then 1 x 1 */
} lfm_images_options;

/* What a path is, by its name and the first bytes of what it names.  LFM_E_MEMORY alone is a failure: what is not there, or
 * cannot be opened, holds no pictures, and who reads it says why. */
typedef enum lfm_images_kind {
  LFM_IMAGES_NONE,  /* no pictures, or nothing at all */
  LFM_IMAGES_IDX,   /* a file, gzip or not, that begins as IDX files of bytes do */
  LFM_IMAGES_CIFAR, /* a .bin file, or a folder with data_batch_*.bin or test_batch.bin */
  LFM_IMAGES_NPY,   /* an .npy file of three or four dimensions; with fewer it is a table */
  LFM_IMAGES_FOLDER /* a folder with .png, .jpg or .jpeg in it or in one of its folders, of which none is a run's */
} lfm_images_kind;
lfm_status lfm_images_recognise(const char *path, lfm_images_kind *kind);

/* All pictures of PATH, in an order that depends on nothing but names and content.  options may be NULL.
 *   IDX     labels from the file beside it whose name has "labels" for "images" and "idx1" for "idx3", if there is one
 *   CIFAR   of a folder data_batch_*.bin, and test_batch.bin only if there are none; class names from batches.meta.txt
 *   NPY     [n, h, w], [n, h, w, c] or [n, c, h, w], c being 1 or 3; where both fit, the channels are last
 *   folder  its pictures without labels, or those of its folders, whose names are the classes; all sorted by their bytes.
 *           A picture that cannot be read is left out with a warning (broken_names); other files are passed over
 * Classes without names are called by their number.
 * LFM_E_FORMAT, LFM_E_DATA, LFM_E_IO or LFM_E_USAGE names the file and what to do. */
lfm_status lfm_images_read(const char *path, const lfm_images_options *options, lfm_images **out);

/* Zeros, no labels.  LFM_E_USAGE for sizes outside 1 .. LFM_IMAGES_MOST_SIDE and channels other than 1 and 3. */
lfm_status lfm_images_make(int64_t count, int64_t channels, int64_t height, int64_t width, lfm_images **out);
lfm_status lfm_images_label(lfm_images *images, int64_t classes); /* zeros as labels, classes called by number */
lfm_status lfm_images_name_class(lfm_images *images, int64_t label, const char *name);
void lfm_images_destroy(lfm_images *images); /* accepts NULL */

/* uint8 [count, height, width, channels], whole or not at all. */
lfm_status lfm_images_write_npy(const lfm_images *images, const char *path);
void lfm_images_interleave(const lfm_images *images, int64_t i, uint8_t *out); /* picture i as [height, width, channels] */

/* The same channels, height and width? */
bool lfm_images_same_shape(const lfm_images *a, const lfm_images *b);
/* channels * height * width */
size_t lfm_images_row_size(const lfm_images *images);

#endif
