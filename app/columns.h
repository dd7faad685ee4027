/* SPDX-License-Identifier: MIT
 *
 * columns.h -- reads the rows of DATA that a model asks for, and those beside DATA.
 * DATA often has more columns than the model learnt (a label, an index).  Unless the user chooses, the wanted columns are
 * taken by name when all are there; otherwise all columns are, and the library judges whether they fit.
 */
#ifndef APP_COLUMNS_H
#define APP_COLUMNS_H

#include "options.h"

/* The columns of the model's data, or, at_border, those of the rows between its blocks: x0, x1, ... */
lfm_status app_read_columns(const char *path, const lfm_table_options *chosen, const lfm_model *model, bool at_border,
                            lfm_table **out);

/* Pictures in the size, where that is square, and colours that a model or judge knows. */
lfm_status app_read_pictures(const char *path, const lfm_table_options *chosen, int64_t channels, int64_t height,
                             int64_t width, lfm_table **out);

/* Demonstrations, with the observations that the model sees, if it is a policy. */
lfm_status app_read_demos(const char *path, const lfm_table_options *chosen, const lfm_model *model, lfm_table **out);

/* One column; where there is none of this name all are read, and the library says so. */
lfm_status app_read_column(const char *path, const char *name, lfm_table **out);

/* Rows beside those of DATA, to validate or test by, read as these were: pictures in their colours; of columns
 * those of DATA by their names, beside which there may be others, or, where one is missing, all; what was dropped from DATA
 * may be absent. */
lfm_status app_read_beside(const char *path, const lfm_table_options *chosen, const lfm_table *data, lfm_table **out);

/* What DATA of a model may be, behind "by the ending: "; and what becomes of the trace where no probes are asked for. */
#define APP_ROWS_OF_MODEL                                                                                                    \
  ".csv .csv.gz .npy file.npz::key file.hdf5::dataset; or, as lfm train takes them, pictures or demonstrations, whose "      \
  "windows are the rows"
#define APP_PROBES_OF_MODEL " (default: it is computed; of pictures and convolutional policies 2)"

/* APP_USAGE, with the fault on standard error, when --seed was given and draws nothing: of a table without --probes. */
int app_check_probe_seed(const app_command *command, const lfm_model *model, const app_seed *seed, int64_t probes);

/* What the verbs that read DATA for a model let the user choose: fields of lfm_table_options.  Group 1 of alternatives. */
#define APP_OPTION_COLUMNS(address)                                                                                          \
  {                                                                                                                          \
    APP_TEXT, .name = "columns", .value = "A,B", .target = (address), .either = 1,                                           \
              .help = "use these columns of DATA (default: those of the model, by name)"                                     \
  }
#define APP_OPTION_DROP(address)                                                                                             \
  { APP_TEXT, .name = "drop", .value = "A,B", .target = (address), .either = 1, .help = "use all columns of DATA but these" }
#define APP_OPTION_DROP_MISSING(address)                                                                                     \
  {                                                                                                                          \
    APP_FLAG, .name = "drop-missing", .target = (address),                                                                   \
              .help = "leave out rows with an empty or NaN field (otherwise they are an error)"                              \
  }

#endif
