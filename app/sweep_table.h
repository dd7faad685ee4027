/* SPDX-License-Identifier: MIT
 *
 * sweep_table.h -- what the runs of a sweep say together: for each combination the mean over its seeds, their spread, and the
 * difference to the first combination, paired by seed.
 */
#ifndef APP_SWEEP_TABLE_H
#define APP_SWEEP_TABLE_H

#include "combinations.h"

typedef struct app_run {
  bool is_done;    /* otherwise it is still to come, or failed */
  bool has_failed; /* its numbers broke down */
  lfm_train_result trained;
  double nll, nll_se; /* of the test rows; without them of the validation rows */
} app_run;

typedef struct app_sweep_table {
  const app_combinations *combinations;
  const app_run *runs; /* [count, seed_count] */
  const char *rows;    /* whose nll it is, in words: "test.csv" */
} app_sweep_table;

void app_sweep_put_markdown(const app_sweep_table *table, FILE *out);
void app_sweep_put_json(const app_sweep_table *table, FILE *out);

/* FOLDER/sweep.md, sweep.csv (a line a combination) and runs.csv (a line a run), each whole or not at all.  False when one
 * cannot be written: errno says why, *name which. */
bool app_sweep_save(const app_sweep_table *table, const char *folder, const char **name);

/* Whether a file is called as one of these three. */
enum { APP_SWEEP_TABLES = 3 };
bool app_sweep_is_table(const char *name);

/* "hks=0.1_null,seed=1": the folder of a run. */
char *app_sweep_run_name(const app_combinations *combinations, int k, int seed, char out[APP_NAME_SIZE]);

#endif
