/* SPDX-License-Identifier: MIT
 *
 * kit.h -- what the demo and the evidence need besides the program: data to start from, rivals and truths to compare with,
 * pictures to look at.  A folder holds train.csv, valid.csv, test.csv, and a NAME.csv (as `lfm score -o` writes it) for
 * everything that gives test.csv a log p.
 */
#ifndef LFM_KIT_KIT_H
#define LFM_KIT_KIT_H

#include "data/table.h"

/* ---- data.c: train.csv, valid.csv, test.csv ----------------------------------------------------------------- */
lfm_status kit_make_magic(const char *source, const char *folder); /* MAGIC: distinct rows, dequantised, split 8 : 1 : 1 */
lfm_status kit_make_power(const char *recipe, const char *source, const char *folder); /* POWER: power.c */
lfm_status kit_make_tree(const char *folder);                                          /* the project's tree density */
lfm_status kit_make_picture(const char *png, const char *folder); /* a picture as the paper's authors map it */
lfm_status kit_make_gaussian(const char *folder);                 /* dimension 8, rotated, condition number 1e4 */
lfm_status kit_make_mixture(const char *folder);                  /* dimension 5, six components */

/* The rows in their order: all but 2 held to train on, then held to choose by, then held to test on. */
lfm_status kit_split(const lfm_table *table, int64_t held, const char *folder);

/* log p of test.csv under the density that it was drawn from: truth.csv; and its entropy, printed.  kind: tree gaussian
 * mixture, or the path of a picture. */
lfm_status kit_truth(const char *kind, const char *folder);

/* ---- rivals.c ----------------------------------------------------------------------------------------------- */
/* gaussian.csv and mixture.csv: log p of test.csv, or of so many rows of it, evenly spaced. */
lfm_status kit_rivals(const char *folder, int64_t rows);

/* The same for tables too large for that: a mixture of as many components as is said, fitted to some rows. */
typedef struct kit_large {
  const char *train, *test;
  int64_t components, iterations;
  int64_t fit_rows, rows; /* evenly spaced, of train and test; 0: all */
} kit_large;
lfm_status kit_rivals_large(const kit_large *large, const char *folder);

/* ---- compare.c ---------------------------------------------------------------------------------------------- */
/* NLLs, paired with the first.  A name is NAME or LABEL=NAME,NAME,...: one recipe's runs.  group (may be NULL): a table with
 * the cluster of each row of the table that was scored. */
lfm_status kit_compare(const char *folder, const char *group, bool markdown, char **names, int count);
lfm_status kit_gap(const char *folder, const char *name); /* to truth.csv: mean with its error, and row RMS */
/* Can a classifier tell NAME-samples.csv from test.csv?  And a fitted Gaussian's draws? */
lfm_status kit_tell_apart(const char *folder, const char *name);

/* ---- quality.c ---------------------------------------------------------------------------------------------- */
/* How far NAME-samples.csv lies from the rows of `test`, by sliced Wasserstein distance and maximum mean discrepancy, beside
 * how far other real rows do; part by part, so that every number has a standard error.  Names as above. */
typedef struct kit_samples {
  const char *test, *real, *folder;
  int64_t rows; /* of a part; 0: 2,000 */
} kit_samples;
lfm_status kit_quality(const kit_samples *samples, char **names, int count);

/* ---- episodes.c --------------------------------------------------------------------------------------------- */
/* Successes and scores of NAME.csv, as `lfm rollout -o` writes it, of episodes with the same starts; paired with the first.
 * Names as above. */
lfm_status kit_episodes(const char *folder, char **names, int count);

/* ---- pictures.c --------------------------------------------------------------------------------------------- */
lfm_status kit_panel(const char *folder, char **names, int count); /* panel.png */
lfm_status kit_pairs(const char *folder, const char *name);        /* pairs.png */
/* The first column of a table across, on a log axis; each other column a curve, past the rows where it is empty. */
lfm_status kit_curves(const char *table, const char *png, const char *title);

/* ---- names.c ------------------------------------------------------------------------------------------------ */
enum { KIT_MOST_RUNS = 8 };
typedef struct kit_names {
  char label[128];
  int count;
  char name[KIT_MOST_RUNS][192];
} kit_names;
lfm_status kit_split_names(const char *text, kit_names *out); /* NAME, or LABEL=NAME,NAME,... */

/* ---- folder.c ----------------------------------------------------------------------------------------------- */
lfm_status kit_read(const char *folder, const char *name, lfm_table **out);
lfm_status kit_read_numbers(const char *path, const lfm_table_options *options, lfm_table **out); /* LFM_E_DATA for others */
lfm_status kit_write(const lfm_table *table, const char *folder, const char *name);
/* LFM_E_DATA unless `table`, which is FOLDER/NAME, has as many columns as `like`: its rows are read as the rows of that. */
lfm_status kit_check_columns(const lfm_table *table, const char *folder, const char *name, int64_t cols, const char *like);
/* row [rows] are their numbers in the table, from 0 on; NULL: all in order. */
lfm_status kit_write_logp(const double *logp, const int64_t *row, int64_t rows, const char *folder, const char *name);

#endif
