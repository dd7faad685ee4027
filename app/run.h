/* SPDX-License-Identifier: MIT
 *
 * run.h -- what verbs that make a run folder say of it.
 */
#ifndef APP_RUN_H
#define APP_RUN_H

#include "app.h"

#include <limits.h>

char *app_name_model(const char *run, char out[PATH_MAX]); /* RUN/model.safetensors; returns out */

/* How to go on with what was stopped, in the user's own words: the same command line, quoted for a shell, with one more
 * option where `with` names it, which stands there once and before "--". */
void app_print_again(int argc, char **argv, const char *with);

#endif
