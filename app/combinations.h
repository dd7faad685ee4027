/* SPDX-License-Identifier: MIT
 *
 * combinations.h -- what a sweep runs: every combination of the values of --over, with every seed.
 *
 *   --seeds 1..3        --seeds 1,2,5        --seeds 1..3,10
 *   --over key=a,b      commas separate values, but not inside brackets or quotes: --over 'hks=[0.1,null],[null]'
 */
#ifndef APP_COMBINATIONS_H
#define APP_COMBINATIONS_H

#include "options.h"

enum { APP_MOST_AXES = 8, APP_MOST_VALUES = 64, APP_MOST_RUNS = 1000, APP_NAME_SIZE = 240 };

typedef struct app_axis {
  char *key;
  char *settings[APP_MOST_VALUES]; /* [count] "key=value", as --set wants it */
  int count;
} app_axis;

typedef struct app_combinations {
  app_axis axes[APP_MOST_AXES];
  int axis_count;
  int count; /* product of the axes' counts; 1 without axes */
  uint64_t seeds[APP_MOST_RUNS];
  int seed_count;
} app_combinations;

/* APP_DONE, or one line on standard error and another exit code.  To be freed whatever is returned. */
int app_combinations_read(const app_command *command, const app_texts *over, const char *seeds, app_combinations *out);
void app_combinations_free(app_combinations *combinations);

/* Combination K's setting on an axis, "key=value", and behind the '='.  The last axis varies fastest. */
const char *app_combinations_setting(const app_combinations *combinations, int k, int axis);
const char *app_combinations_value(const app_combinations *combinations, int k, int axis);

/* "hks=0.1_null,lr=0.01": the settings, with what a file name or a shell would stumble over left out. */
char *app_combinations_name(const app_combinations *combinations, int k, char out[APP_NAME_SIZE]);

#endif
