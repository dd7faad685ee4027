/* SPDX-License-Identifier: MIT
 *
 * demos_read.h -- what the readers of demonstrations share: the choice of observations, and what a file says of its world.
 */
#ifndef LFM_DATA_DEMOS_READ_H
#define LFM_DATA_DEMOS_READ_H

#include "data/demos.h"
#include "data/format.h"

/* The observations that a source has. */
typedef struct lfm_offer {
  lfm_listing names;
  int64_t *dims; /* [names.count] numbers a step; 0: it is no row of numbers a step (pictures, words) */
  size_t room;
  char misfit[160]; /* of the first array with numbers, but not for every step, what is wrong with it; "": there is none */
} lfm_offer;

lfm_status lfm_offer_add(lfm_offer *offer, const char *name, int64_t dim);
void lfm_offer_free(lfm_offer *offer);

/* chosen [*count] = numbers of those that options name, or without, of `usual` ("a,b") those that are there, and if none is,
 * all that are numbers; *dim = their numbers together.  Free with lfm_free.  LFM_E_USAGE and LFM_E_DATA name what there is.
 */
lfm_status lfm_offer_choose(const lfm_source *source, const lfm_offer *offer, const char *usual, int64_t **chosen,
                            int64_t *count, int64_t *dim);

/* Whether an observation of this name is asked for: by options, or without, as one of `usual`. */
bool lfm_offer_asks(const lfm_source *source, const char *usual, const char *name);

/* The chosen ones as keys of demos, and the rest as its others. */
lfm_status lfm_demos_name_keys(const lfm_offer *offer, const int64_t *chosen, int64_t count, lfm_demos *demos);

/* LFM_E_USAGE for options that choose columns or rows one by one. */
lfm_status lfm_demos_check_options(const lfm_source *source);

/* LFM_E_DATA at the first of `steps` rows, in columns first .. first + width - 1 of values [steps, cols], that is not finite;
 * PATH is the array's in the source.  A survey lets them pass. */
lfm_status lfm_demos_check_finite(const lfm_source *source, const char *path, const double *values, int64_t steps,
                                  int64_t cols, int64_t first, int64_t width);

/* What robomimic's env_args, a JSON text, say: the task (NULL: nothing; free with lfm_free), and whether actions are
 * absolute. */
lfm_status lfm_demos_env(const char *name, const char *text, char **task, bool *absolute);

#endif
