/* SPDX-License-Identifier: MIT
 *
 * table.h -- inside of lfm_table, for the readers and writers beside it and for the flow's normaliser.
 */
#ifndef LFM_DATA_TABLE_H
#define LFM_DATA_TABLE_H

#include "core/status.h"
#include "data/demos.h"
#include "data/images.h"
#include "data/windows.h"

struct lfm_table {
  int64_t rows, cols;
  double *values; /* [rows, cols]; may lie in a file (lfm_alloc_rows) */
  char **names;   /* [cols] */
  bool is_named;  /* by a file or a caller; else x0, x1, ..., which are places and not names */
  int *decimals;  /* [cols]; or LFM_AS_SINGLE where the source records none (binary formats), LFM_AS_DOUBLE (text.h) */
  /* A table of pictures has a picture a row, cols being channels * height * width, and none of the three arrays. */
  lfm_images *images;
  /* A table of demonstrations has a step a row; its values are demos->actions, and theirs to free. */
  lfm_demos *demos;
  lfm_windows *windows; /* of windows of demonstrations; NULL: something else */
  int64_t *number;      /* [rows] of each row where it was read, from 0; NULL: no row was left out */
  int64_t read;         /* rows there, where there are numbers */
  char *path;           /* of clusters: the file that they were read from; NULL: something else */
};

/* Zeros, names x0.., decimals -1. */
lfm_status lfm_table_make(int64_t rows, int64_t cols, lfm_table **out);

/* The column of this name, or -1. */
int64_t lfm_table_find(const lfm_table *table, const char *name);

/* The number of a row where it was read, from 0, whatever --drop-missing left out in front of it. */
int64_t lfm_table_number(const lfm_table *table, int64_t row);

/* Rows of another table that lies beside this one go with its rows: with those that are left or, where some were left out,
 * with all that were read.  false: it has neither so many rows nor so many.  Else row `row` of the table goes with row
 * lfm_table_row_beside of the other. */
bool lfm_table_is_beside(const lfm_table *other, const lfm_table *table);
int64_t lfm_table_row_beside(const lfm_table *other, const lfm_table *table, int64_t row);

/* How many parts there are that a split may take one by one: rows or, of demonstrations, episodes. */
int64_t lfm_table_units(const lfm_table *table);

/* Units of `table` (rows or, of demonstrations, whole episodes) in the order of index [count]. */
lfm_status lfm_table_take(const lfm_table *table, const int64_t *index, int64_t count, lfm_table **out);

lfm_status lfm_table_rename(lfm_table *table, int64_t col, const char *name);

/* *share = the largest share of the rows that have one same value in this column, 0..1: how discrete it is. */
lfm_status lfm_table_share_equal(const lfm_table *table, int64_t col, double *share);

/* *twice = a name that two columns have (it points to one of them), or NULL. */
lfm_status lfm_table_unique_names(char *const *names, int64_t cols, const char **twice);

/* LFM_E_DATA at the first value that is not finite: NAME: row and column, then ADVICE. */
lfm_status lfm_table_check_finite(const char *name, const lfm_table *table, const char *advice);

/* Takes over the demonstrations, whatever is returned (demos.c). */
lfm_status lfm_table_of_demos(lfm_demos *demos, lfm_table **out);

/* ---- pictures: table_images.c ---------------------------------------------------------------------------------- */

/* Takes over the pictures, whatever is returned. */
lfm_status lfm_table_of_images(lfm_images *images, lfm_table **out);

/* The classes of `like`, where it has any; all pictures are of the first. */
lfm_status lfm_images_label_like(lfm_images *images, const lfm_images *like);

/* of [classes of images] = which class of `known` each is: the one of the same name or, for a class that is called by its
 * number, the one of that number; -1: none. */
void lfm_images_match_classes(const lfm_images *known, const lfm_images *images, int32_t *of);

/* The first of the pictures whose class is none of those, or -1; both have labels. */
int64_t lfm_images_find_stranger(const lfm_images *known, const lfm_images *images);

/* `count` black pictures of the same size and classes; the first class's where there are classes. */
lfm_status lfm_images_alike(const lfm_images *images, int64_t count, lfm_images **out);

/* [2 count]: the pictures, then the mirror image of each, left to right. */
lfm_status lfm_table_add_mirror(const lfm_images *images, lfm_table **out);

/* Pictures in the order of index [count]. */
lfm_status lfm_table_take_images(const lfm_images *images, const int64_t *index, int64_t count, lfm_table **out);

#endif
