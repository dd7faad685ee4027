/* SPDX-License-Identifier: MIT
 *
 * run.h -- what verbs that make a run folder say of it.
 */
#ifndef APP_RUN_H
#define APP_RUN_H

#include "app.h"

#include <limits.h>

char *app_name_model(const char *run, char out[PATH_MAX]); /* RUN/model.safetensors; returns out */

/* How to go on with a stopped run, in the user's own words: the same command line, quoted for a shell, with --resume. */
void app_print_resume(int argc, char **argv);

#endif
