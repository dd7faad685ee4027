/* SPDX-License-Identifier: MIT
 *
 * outfile.h -- the file of -o: replaced if it is there, whole or not at all, but never one that the verb reads; rows into it,
 * numbers or pictures; and the folder of -o, with files of text in it.
 */
#ifndef APP_OUTFILE_H
#define APP_OUTFILE_H

#include "app.h"

/* Ends the help of such an -o; of one that may name an array in an archive. */
#define APP_REPLACED "; replaced if it is there"
#define APP_ARRAY_REPLACED APP_REPLACED ", but an archive only if it holds no other arrays"

enum { APP_MOST_READ = 4 };

/* False, with the fault on standard error as one of usage, when OUT is one of the files that `read` names: models (also as
 * run folders) and data (also with ::key), NULL for what was not given.  OUT may be NULL. */
bool app_out_is_apart(const app_command *command, const char *out, const char *const read[APP_MOST_READ]);

/* Rows of a model's data: a table, or pictures by the rules of lfm_draw_pictures.  Writable: to be asked before the work. */
lfm_status app_rows_writable(const lfm_model *model, int64_t rows, const char *path);
lfm_status app_write_rows(const lfm_table *rows, const char *path);

/* A folder that may be there.  APP_FAILED, with the fault on standard error, when it cannot be made. */
int app_make_folder(const app_command *command, const char *folder);

/* FOLDER/NAME as `put` prints it, whole or not at all; false, with errno, when it cannot be written: nothing is left then. */
bool app_save(const char *folder, const char *name, void (*put)(const void *what, FILE *out), const void *what);

#endif
