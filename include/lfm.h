/* SPDX-License-Identifier: MIT
 *
 * lfm.h -- Local Flow Matching (arXiv 2410.02548): train, sample and score.
 *
 * The whole public interface of liblfm; the program `lfm` uses nothing else.
 *
 *   table    rows of numbers with column names        lfm_table_*
 *   config   what to train: keys and values           lfm_config_*
 *   train    table + config -> a run folder           lfm_train
 *   model    the chain of blocks, read from a file    lfm_model_*
 *   sample   model -> new rows                        lfm_sample
 *   score    model + table -> log p of each row       lfm_score
 *   ledger   where in the chain the nats are lost     lfm_ledger
 *   plan     which blocks to merge into one network   lfm_plan_find
 *   weights  from PyTorch and to it                   lfm_model_import, lfm_model_export
 *   push     rows to a border between blocks and back lfm_push
 *   distill  model -> a few networks, one evaluation each  lfm_distill
 *   judge    labelled pictures -> features, accuracy   lfm_judge_*
 *   eval     how good generated pictures are           lfm_eval_*
 *   pictures curves, density panels, pair plots       lfm_draw_*
 *   demos    scripted experts -> demonstrations         lfm_demos_record
 *   policy   observations -> actions, in a control loop lfm_policy_*
 *   pilot    a policy by a deadline                     lfm_pilot_*
 *   guard    is what a policy observes strange?        lfm_guard
 *   rollout  a policy in simulated worlds              lfm_rollout
 *   speed    how fast it is on this machine            lfm_bench
 *   inspect  what a file holds; is this machine sane  lfm_describe, lfm_selftest
 *
 * Conventions.  Every function that can fail returns lfm_status; on failure lfm_error() has one line, in this thread,
 * that names the file, line or key and says what to do; an option it names as the program calls it, as --resume.  The
 * library never prints and never exits.  Objects are created and destroyed by the caller; destroy accepts NULL, any other
 * pointer is NULL only where that is said; *out is NULL after a failure.  Arrays are row-major.  Options structs are filled
 * by their *_defaults function first, those that have none by {0}, so that fields added later keep their default.  `result`
 * may be NULL, wherever a function has one; its content is unspecified when that fails.  `threads` 0: all processors that
 * this process may run on, or fewer where its container has a quota of their time; 1 to 1024: so many, more being
 * LFM_E_USAGE; their number does not change any result.
 * Files are mapped while they are read: where another program cuts one short meanwhile, that is SIGBUS.  To replace a file
 * write the new one beside it and rename it, as this library does.
 * Threads: different objects may be used from different threads; models and tables are read-only to all that take them, and
 * may be shared.
 */
#ifndef LFM_H
#define LFM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LFM_API __attribute__((visibility("default")))
#else
#define LFM_API
#endif

#define LFM_VERSION "0.1.0"

/* ---- status ------------------------------------------------------------------------------------------------- */

typedef enum lfm_status {
  LFM_OK = 0,
  LFM_E_USAGE,       /* an argument, key, value or name that makes no sense: the caller's to mend (exit code 2) */
  LFM_E_IO,          /* the operating system refused: missing file, full disk, permission */
  LFM_E_FORMAT,      /* a file that is not what its ending says, is truncated or was altered */
  LFM_E_DATA,        /* well-formed values that cannot be used: NaN, text in a number column, too few rows, other columns */
  LFM_E_MEMORY,      /* memory was refused */
  LFM_E_NUMERIC,     /* a value that is not finite, or a solver that could not go on */
  LFM_E_INTERRUPTED, /* the caller asked to stop; what was trained is in the checkpoint */
  LFM_E_EXISTS,      /* the target exists and will not be overwritten */
  LFM_E_UNSUPPORTED, /* this build or processor cannot do it */
} lfm_status;

/* The last failure of this thread, one line; "" when there was none.  Valid until the next failure in this thread. */
LFM_API const char *lfm_error(void);

typedef enum lfm_note_level { LFM_NOTE, LFM_WARNING } lfm_note_level;
typedef void (*lfm_note_fn)(lfm_note_level level, const char *text, void *context);

/* Where notes ("batch_size shrunk to 900 rows") and warnings go; NULL drops them (the default).  Process-wide: the handler is
 * called in the thread that called the library, in several at once where several did; set it while none is at work. */
LFM_API void lfm_notes_to(lfm_note_fn handler, void *context);

/* ---- memory ------------------------------------------------------------------------------------------------- */

/* From now on, arrays of rows (tables, and the pool of a training run) that would bring this library over so many bytes of
 * memory lie in files, which the system pages; every result has the same bytes.  The files have no name, are gone when they
 * are no longer used, however the program ends, and take place on the disk of `folder` (or of where it is to be made); a full
 * one is LFM_E_IO.  bytes 0: half of the memory that is free now, in the machine and in this process's container.  folder
 * NULL: no limit (the default).  Process-wide. */
LFM_API lfm_status lfm_memory_limit(int64_t bytes, const char *folder);

/* ---- tables ------------------------------------------------------------------------------------------------- */

typedef struct lfm_table lfm_table; /* rows x cols doubles, with a name and a number of decimals for each column */

/* What rows are: columns of numbers, pictures, or the steps of demonstrations. */
typedef enum lfm_rows_kind { LFM_ROWS_ANY, LFM_ROWS_TABLE, LFM_ROWS_PICTURES, LFM_ROWS_DEMOS } lfm_rows_kind;

typedef struct lfm_table_options {
  const char *columns; /* "a,b": keep these, in this order; NULL keeps all */
  const char *drop;    /* "a,b": leave these out; NULL leaves none.  At most one of the two is set */
  bool own_names;    /* columns are names and no places: LFM_E_USAGE where the file has none, and all of x0, x1, ... are asked
                      * for in another order */
  bool drop_absent;  /* names in drop that the file has not are passed over: for rows beside a table that has them */
  bool drop_missing; /* drop rows with an empty or not-a-number field, with a note; otherwise they are an error */
  const char *header; /* of a CSV: "yes", the first row has the names; "no", it is data; NULL: by what it holds */
  /* of pictures */
  int64_t size;     /* over 0: the middle square of each, scaled to size x size; 0: as they are, and then all of one size */
  int64_t channels; /* 1 grey, 3 RGB; 0: as they are */
  bool strict;      /* a picture that cannot be read is an error; otherwise it is left out, with a warning */
  bool tell;        /* a note where size or channels make others of the pictures than those that are there */
  int threads;      /* that decode a folder of them; 0: all processors */
  /* of demonstrations */
  const char *observations; /* "object,robot0_eef_pos": what an observation is made of, in this order; NULL: the usual ones */
  /* of any */
  lfm_rows_kind due; /* what it has to hold; LFM_E_DATA says what it holds in place of that, whatever else is wrong with it */
} lfm_table_options;

/* Reads PATH by its ending: .csv .csv.gz .npy  file.npz[::key]  file.hdf5::dataset (.h5 too) folder.zarr.  options may be
 * NULL. A one-dimensional array becomes one column; columns without names are called x0, x1, ...  LFM_E_USAGE when a size is
 * asked of what holds no pictures, observations of what holds no demonstrations, or other columns or no missing values of
 * what holds either. */
LFM_API lfm_status lfm_table_read(const char *path, const lfm_table_options *options, lfm_table **out);

/* Demonstrations are a table with a step a row, whose columns are the numbers of the action; the observations lie beside it.
 * lfm_table_read makes one of a file.hdf5[::filter] that is laid out as robomimic's are, and of a replay buffer in HDF5 or
 * zarr (docs/formats.md). */

/* Reads the cluster of each row, for lfm_score and lfm_ledger: a file of one column, numbers or words.  Words get numbers
 * from 0 on, equal ones the same.  LFM_E_DATA when there are several columns, or a row without a value. */
LFM_API lfm_status lfm_table_read_groups(const char *path, lfm_table **out);

/* A table of the caller's values [rows, cols], copied.  names [cols] may be NULL (x0, x1, ...).
 * decimals [cols]: how many digits behind the point a text has; -1, as many as tell a float32 from its neighbours; -2, or
 * NULL for all, as many as tell a double. */
LFM_API lfm_status lfm_table_create(const double *values, int64_t rows, int64_t cols, const char *const *names,
                                    const int *decimals, lfm_table **out);

/* Writes by the ending of PATH, like lfm_table_read; whole or not at all (temporary name, sync, rename), in place of a file
 * that is there.  LFM_E_EXISTS when that is an .npz or .hdf5 with other arrays in it, and while another program writes it;
 * LFM_E_USAGE for pictures and demonstrations, which columns do not hold. */
LFM_API lfm_status lfm_table_write(const lfm_table *table, const char *path);

/* Whether lfm_table_write has a chance there: the ending is known, an array may have the name behind "::", the folder exists
 * and may be written to, and PATH is not itself a folder or device, nor an archive with other arrays in it.  To be asked
 * before the hours of work whose result goes there; writes nothing. */
LFM_API lfm_status lfm_table_writable(const char *path);

LFM_API lfm_rows_kind lfm_table_kind(const lfm_table *table);
LFM_API int64_t lfm_table_rows(const lfm_table *table);
LFM_API int64_t lfm_table_cols(const lfm_table *table);
LFM_API const double *lfm_table_values(const lfm_table *table); /* [rows, cols], owned by the table */
LFM_API const char *lfm_table_name(const lfm_table *table, int64_t col);
LFM_API int lfm_table_decimals(const lfm_table *table, int64_t col); /* -1, -2: not recorded */
LFM_API void lfm_table_destroy(lfm_table *table);

/* Pictures are a table with a picture a row: columns are its grey levels 0 .. 255, plane after plane, without names, and
 * values are NULL.  lfm_table_read makes one of the files and folders that hold pictures (docs/formats.md). */
/* pixels [count, channels, height, width]; labels [count] or NULL. */
LFM_API lfm_status lfm_table_create_pictures(const uint8_t *pixels, int64_t count, int64_t channels, int64_t height,
                                             int64_t width, const int32_t *labels, lfm_table **out);
/* The size of its pictures; false: it holds numbers. */
LFM_API bool lfm_table_picture(const lfm_table *table, int64_t *channels, int64_t *height, int64_t *width);
LFM_API const uint8_t *lfm_table_pixels(const lfm_table *table); /* [rows, channels, height, width]; NULL: numbers */
LFM_API const int32_t *lfm_table_labels(const lfm_table *table); /* [rows], 0 ..; NULL: none */
enum { LFM_MOST_CLASSES = 1000 };                                /* as many as ImageNet's */
LFM_API int64_t lfm_table_classes(const lfm_table *table);       /* 0: no labels */
LFM_API const char *lfm_table_class(const lfm_table *table, int64_t label); /* its name; NULL when there is none */

/* Pictures out, by PATH: .png one grid, about square; .npy bytes [rows, height, width, channels]; a name without ending, or
 * with a slash behind it, a folder of PNGs that is made (as NAME.partial until all are in it), or is empty (LFM_E_EXISTS);
 * after a failure none of them is there.
 * LFM_E_USAGE when the table holds no pictures. */
LFM_API lfm_status lfm_draw_pictures(const char *path, const lfm_table *pictures);
/* Whether that has a chance for so many pictures of this size, as lfm_table_writable. */
LFM_API lfm_status lfm_draw_pictures_writable(const char *path, int64_t count, int64_t height, int64_t width);

/* ---- configuration ------------------------------------------------------------------------------------------ */

typedef struct lfm_config lfm_config; /* every key with a value; unset keys follow the data at training */

LFM_API lfm_status lfm_config_create(lfm_config **out);
LFM_API lfm_status lfm_config_preset(lfm_config *config, const char *name);          /* e.g. "bsds300@A" */
LFM_API lfm_status lfm_config_load(lfm_config *config, const char *path);            /* a YAML file over what is set */
LFM_API lfm_status lfm_config_set(lfm_config *config, const char *key_equals_value); /* "hidden_dim=256" */

/* What no key can see alone: hks beside schedule, as many max_batch as blocks.  LFM_E_USAGE names the keys.  lfm_train asks
 * this itself. */
LFM_API lfm_status lfm_config_validate(const lfm_config *config);
LFM_API void lfm_config_destroy(lfm_config *config);

/* Key image_size, for whoever reads the pictures of a folder (lfm_table_options.size); 0: not set, or config is NULL. */
LFM_API int64_t lfm_config_image_size(const lfm_config *config);

/* The keys, for help texts: name, "default" as text and one line of help; false past the last. */
LFM_API bool lfm_config_key(int index, const char **name, const char **fallback, const char **help);
LFM_API const char *lfm_config_preset_name(int index); /* NULL past the last */

/* ---- training ----------------------------------------------------------------------------------------------- */

typedef enum lfm_phase {
  LFM_PHASE_TRAIN,
  LFM_PHASE_PUSH,
  LFM_PHASE_SAMPLE,
  LFM_PHASE_SCORE,
  LFM_PHASE_JUDGE,
  LFM_PHASE_COMPARE,
  LFM_PHASE_RECORD,
  LFM_PHASE_ROLLOUT,
  LFM_PHASE_TRIAL /* steps of training that are timed and forgotten */
} lfm_phase;

typedef struct lfm_progress {
  lfm_phase phase;
  int block, blocks;   /* 1-based block at work, of how many; sample takes the last first and calls it 1 */
  int64_t done, total; /* steps (train, judge, trial), rows (push, sample, score), parts (compare) or episodes (record,
                          rollout) of this phase and block */
  int64_t all_before, all_total; /* train: steps of the blocks before this one, and of all */
  double loss;                   /* train: running mean of the loss; NAN elsewhere */
  double valid_loss;             /* the last validation loss of this block, NAN when there is none */
  double rate;                   /* steps or rows a second */
  double seconds;                /* since the call began */
} lfm_progress;

/* Called from the calling thread about ten times a second.  True asks to stop: training then finishes the step, writes a
 * checkpoint, unless it is a trial, and returns LFM_E_INTERRUPTED. */
typedef bool (*lfm_progress_fn)(const lfm_progress *progress, void *context);

enum { LFM_PREVIEW_AUTO = -1 }; /* as often as costs a fiftieth of the steps, at most twenty times a block */

typedef struct lfm_train_options {
  const lfm_config *config; /* NULL: everything follows the data */
  const lfm_table *train;   /* required */
  const lfm_table *valid;   /* NULL: a tenth of train is held out; columns and classes go by name */
  const char *run;          /* folder to make; required */
  double time_limit;        /* seconds that choose the number of steps when the config does not, of few rows fewer; 0: 600 */
  int threads;
  bool resume;              /* go on from RUN/checkpoint; without one, start afresh */
  bool allow_drift;         /* resume under another build, processor type or library version */
  int64_t preview_every;    /* pictures: batches between two previews; 0: none.  Does not change the result */
  lfm_progress_fn progress; /* may be NULL */
  void *context;
} lfm_train_options;

/* What a run holds, in bytes. */
typedef struct lfm_memory {
  int64_t tables;   /* training and validation rows as they were given, float64, and the tenth held out */
  int64_t pool;     /* the rows that a block trains on, float32, with what the push notes of each; validation rows too, and
                     * those of previews */
  int64_t model;    /* weights of every block, those at work and their mean, with the copies that kernels read; moments */
  int64_t lanes;    /* lanes x gradient; of a large MLP one, with the activations of a whole batch, which make it */
  int64_t workers;  /* threads x microbatch: activations, and rows in flight of the push */
  int64_t in_files; /* so much of tables and pool lies in files (lfm_memory_limit) */
} lfm_memory;

typedef struct lfm_train_result {
  int blocks;
  int64_t steps;        /* over all blocks */
  double seconds;       /* over all calls that made the run */
  double loss;          /* mean over the last hundredth of the last block's steps */
  double valid_nll;     /* per row, in the data's units; the exact, error-controlled one */
  double valid_nll_se;  /* its standard error over the rows; NAN as that */
  double train_flops;   /* forward, backward and optimiser, over all blocks */
  double push_flops;    /* carrying the pool and the validation rows */
  int64_t rows_dropped; /* rows whose push failed */
  int64_t valid_failed; /* held-out rows that valid_nll leaves out, because their solve failed; a warning says it */
  lfm_memory memory;    /* from the first step to the last; a note says it when training begins */
  bool was_finished;    /* the run had been finished before: nothing was done */
} lfm_train_result;

LFM_API void lfm_train_defaults(lfm_train_options *options);

/* What lfm_train would refuse of the keys beside these data, told before anything is made: for whoever trains many times; and
 * what lfm_score would of the columns of `scored`, the rows that the model is for, which may be NULL.  *is_scored: will the
 * result have a valid_nll?  Not where the model has no density, of single steps, say. */
LFM_API lfm_status lfm_train_check(const lfm_train_options *options, const lfm_table *scored, bool *is_scored);

/* Algorithm 1 of the paper: for each block, match the flow on the pool, then carry the pool through it.
 * Writes RUN/{model.safetensors,config.yaml,metrics.jsonl,result.json,loss.png,checkpoint/}, and of pictures as it goes on
 * RUN/preview.png, a grid drawn by the blocks so far, and RUN/strip.png, held-out pictures through them and back.
 * LFM_E_EXISTS when RUN holds a run and this is no resume, or files that are of no run. */
LFM_API lfm_status lfm_train(const lfm_train_options *options, lfm_train_result *result);

/* ---- models ------------------------------------------------------------------------------------------------- */

enum { LFM_MAX_BLOCKS = 64 }; /* of a chain */

typedef struct lfm_model lfm_model; /* the chain of blocks with its normaliser and schema; immutable */

LFM_API lfm_status lfm_model_load(const char *path, lfm_model **out); /* a model file, or a run folder */
/* A policy's observation as lfm_table_options.observations takes it; NULL: the model is none. */
LFM_API const char *lfm_model_observations(const lfm_model *model);
LFM_API int64_t lfm_model_dim(const lfm_model *model);        /* columns of the data; of a policy numbers of a chunk */
LFM_API int64_t lfm_model_border_dim(const lfm_model *model); /* columns at a border: those of the data that vary */
LFM_API int lfm_model_blocks(const lfm_model *model);
LFM_API const char *lfm_model_plan(const lfm_model *model); /* of a distilled one, as "1 | (2 3) | 4"; NULL: it is none */
LFM_API void lfm_model_hks(const lfm_model *model, double *hks); /* [blocks] the OU steps, the data's first; NAN: free */
LFM_API const char *lfm_model_name(const lfm_model *model, int64_t col);    /* NULL: pictures and policies have none */
LFM_API int64_t lfm_model_classes(const lfm_model *model);                  /* that it was trained to tell apart; 0: none */
LFM_API const char *lfm_model_class(const lfm_model *model, int64_t label); /* its name; NULL when there is none */
LFM_API bool lfm_model_is_mirrored(const lfm_model *model); /* it has learnt pictures in a mirror, too (flip) */
/* A label for lfm_sample_options: of the class of that name or else number; "none" is LFM_NO_CLASS.  LFM_E_USAGE names those
 * that the model knows, or says that it knows none. */
LFM_API lfm_status lfm_model_find_class(const lfm_model *model, const char *name, int *label);
/* The size of the pictures that it draws; false: it draws numbers. */
LFM_API bool lfm_model_picture(const lfm_model *model, int64_t *channels, int64_t *height, int64_t *width);
LFM_API bool lfm_model_is_probed(const lfm_model *model); /* its trace is estimated by probes where none are asked for, too */
LFM_API void lfm_model_destroy(lfm_model *model);

/* ---- weights from and to PyTorch ---------------------------------------------------------------------------- */

typedef struct lfm_import_options {
  const lfm_config *config; /* the network: hidden_dim, num_hidden, act, cat_t (and waves, finest_wave, interp), or of a unet
                               hidden_dim, unet_dim_mults, res_depth, attention_resolution, num_head_channels, scale_shift;
                               hks where there are several blocks, and of a policy the three horizons; required */
  const char *columns;      /* "a,b": names of the columns; NULL: those an export has kept, else x0, x1, ... */
} lfm_import_options;

LFM_API void lfm_import_defaults(lfm_import_options *options);

/* A model from the weights in a .safetensors file: blocks.N.net.K.weight and .bias (block N = 0 at the data side, K = 0, 2,
 * .. as in a torch.nn.Sequential), or of a single block net.K.weight and .bias; float32, [out, in].  Beside them may stand
 * the normaliser: normaliser.mean and .scale [columns], x being (data - mean) / scale, or all that lfm_model_export writes;
 * without it the model's data are x itself.
 * Of pictures the names are those of guided diffusion's U-Net (blocks.N.input_blocks.0.0.weight, ...) and the file's metadata
 * say channels, height, width and classes, with class.K, the name of each; with `conditional` the table label_emb has a row
 * for each class and a last one for none.
 * LFM_E_FORMAT names each tensor that is missing, surplus or of another shape than
 * the configuration asks for. */
LFM_API lfm_status lfm_model_import(const char *path, const lfm_import_options *options, lfm_model **out);

/* Each writes one file, whole or not at all, in place of one that is there.  PATH ends in .safetensors, and is not the model
 * of a run (LFM_E_EXISTS). */
LFM_API lfm_status lfm_model_write(const lfm_model *model, const char *path);  /* the model, to be loaded again */
LFM_API lfm_status lfm_model_export(const lfm_model *model, const char *path); /* tensors and column names, for import */

/* ---- solving ------------------------------------------------------------------------------------------------ */

typedef struct lfm_solver_options {
  /* euler midpoint heun rk4 bs23 dopri5 tsit5; NULL: dopri5, or with nfe midpoint (one evaluation a block: euler); of a
   * policy with nfe, as in control, euler.  In control no dopri5 and no tsit5: four stages at most. */
  const char *solver;
  double tol; /* relative and absolute tolerance of the adaptive ones; 0: 1e-5 */
  int nfe;    /* over 0: so many evaluations over the whole chain with fixed steps, equal ones of a named solver */
} lfm_solver_options;

enum { LFM_EVERY_CLASS = -2, LFM_NO_CLASS = -1 };

typedef struct lfm_sample_options {
  lfm_solver_options solve;
  int64_t rows; /* default 1,000 */
  uint64_t seed;
  const lfm_table *given; /* of a policy, required: demonstrations; a chunk of actions is drawn for each of `rows` windows of
                           * theirs, evenly spaced, or for all where there are fewer */
  int label; /* of a model that knows classes: the class to draw; LFM_EVERY_CLASS: one after the other; LFM_NO_CLASS */
  /* of a class, 1: its own field; w, 0 to 100: that without a class plus w times the difference, at twice the evaluations */
  double guidance;
  bool logp;  /* also a last column "logp": log p of each row, from the same solve */
  int probes; /* over 0, with logp: its trace estimated by so many random vectors a row, those of lfm_score under the same
                 seed; from 2 on a column "logp_se" behind it says how well.  0: of policies that have no exact trace 2 */
  int threads;
  lfm_progress_fn progress;
  void *context;
} lfm_sample_options;

typedef struct lfm_sample_result {
  int64_t rows, failed; /* a row whose solve failed is left out of the table and counted; all of them: LFM_E_NUMERIC */
  double probe_se; /* of a row's logp by the probes, root mean square; NAN: the trace is exact, by one probe or not asked */
  double nfe_mean; /* evaluations a row, over the whole chain */
  double flops;    /* operations of the network a row: two passes an evaluation where a class is guided; traces not counted */
  double seconds;
} lfm_sample_result;

LFM_API void lfm_sample_defaults(lfm_sample_options *options);
/* New rows, drawn from noise: out [rows - failed, lfm_model_dim] in the data's names, units and decimals, with the columns of
 * `logp` behind; of pictures a table of them; of a policy a row for each chunk of actions.  The same options give the
 * same rows.  Fails as lfm_sample_check does; LFM_E_NUMERIC when every solve fails; LFM_E_INTERRUPTED when the caller asked
 * to stop.  On failure *out is NULL, and no rows are kept. */
LFM_API lfm_status lfm_sample(const lfm_model *model, const lfm_sample_options *options, lfm_table **out,
                              lfm_sample_result *result);
/* Whether it would take these options (the status and lfm_error say why not): to be asked before hours of other work. */
LFM_API lfm_status lfm_sample_check(const lfm_model *model, const lfm_sample_options *options);

typedef struct lfm_score_options {
  lfm_solver_options solve;
  int64_t rows;             /* over 0: only so many rows, evenly spaced */
  bool paper_protocol;      /* Euler on 150 nodes (or solve.nfe evaluations over the chain) for the trace and its end point,
                             * dopri5 between blocks (biased) */
  const lfm_table *group;   /* [rows, 1] cluster of each row, for the standard error; may be NULL */
  const lfm_model *against; /* a second model, over the same columns, for paired differences; may be NULL */
  int probes;               /* over 0: the trace estimated by so many random vectors a row (up to 1000), not exactly;
                             * pictures and convolutional policies take 2 where none are asked for */
  uint64_t seed;            /* of the probes; a row of the table has the same whatever else is scored */
  int threads;
  lfm_progress_fn progress;
  void *context;
} lfm_score_options;

typedef struct lfm_score_result {
  int64_t rows;                 /* in every mean: those that were solved, of two models those that both solved */
  int64_t failed;               /* that the model lost, because their solve could not go on */
  double nll, nll_se;           /* mean of -log p in the data's units (nats), and its standard error (clustered) */
  double nll_standardised;      /* the same without the normaliser's log-determinant */
  double bits_per_dim, bits_se; /* of pictures: nll in bits a number, an upper bound of those of its bytes; else NAN */
  double solver_error; /* mean |log p - log p at a tenth of the tolerance|, estimated by up to 32 rows: the four of the
                        * least log p and others, which stand for the rest; of fixed steps, at the usual tolerance; NAN: there
                        * is no finer solve, or it would take longer than the scores */
  double probe_se;     /* the part of nll_se that is the probes'; NAN: the trace is exact, or by one probe */
  double nfe_mean, seconds;
  int64_t against_failed;     /* that the second model lost; a row may be lost by both */
  double against_nll;         /* the second model's nll on the same rows; NAN without one */
  double diff, diff_se;       /* mean paired nll - against_nll, and its standard error */
  double diff_low, diff_high; /* its 95 % interval */
} lfm_score_result;

LFM_API void lfm_score_defaults(lfm_score_options *options);

/* log p of each scored row.  Columns are taken by name where all are there, by their place where none is and the table has as
 * many; else LFM_E_DATA.  out (may be NULL): a table with columns row (its number in the file, from 1, where rows with a
 * missing value were dropped, too), logp, status (0: solved), and logp_against. */
LFM_API lfm_status lfm_score(const lfm_model *model, const lfm_table *table, const lfm_score_options *options,
                             lfm_table **out, lfm_score_result *result);

/* ---- the ledger --------------------------------------------------------------------------------------------- */

typedef struct lfm_ledger_options {
  lfm_solver_options solve;
  int64_t rows;           /* over 0: only so many rows, evenly spaced */
  const lfm_table *train; /* rows that the model learnt from, for the over-fit; NULL: not asked */
  const lfm_table *truth; /* a column "logp": the true log p of each row of the table, in its units; NULL: not known */
  const lfm_table *group; /* one column, a row for each row of the table: clusters for the standard errors; NULL: rows */
  const lfm_table *train_group; /* the same for each row of train */
  int probes;                   /* over 0: the trace estimated by so many random vectors a row, as lfm_score does */
  uint64_t seed;                /* of the probes */
  int threads;
  lfm_progress_fn progress;
  void *context;
} lfm_ledger_options;

/* One border of the chain: 0 is the normalised data, `blocks` the noise.  q is N(0, I). */
typedef struct lfm_ledger_border {
  double gamma;     /* the OU step of the block that ends here; NAN at border 0 and behind the free block */
  double kl, kl_se; /* mean log p_n(x_n) - log q(x_n), p_n by the chain that remains; 0 at the noise whatever the model */
  double theory; /* kl of border 0, times exp(-2 (g_1 + ... + g_n)); NAN behind the free block, and where that kl is not above
                    0 */
  double true_kl, true_kl_se; /* the same with the true log p: KL(p_n || q) itself; NAN without a truth */
} lfm_ledger_border;

/* Nats a row, in the units of the data.  true_kl - kl is the excess at every border alike. */
typedef struct lfm_ledger_result {
  int blocks;
  lfm_ledger_border border[LFM_MAX_BLOCKS + 1]; /* [blocks + 1] */
  int64_t rows, failed;                         /* in the means; left out because their solve failed */
  double nll, nll_se;
  double train_nll, over_fit; /* nll - train_nll over as many training rows, each on its own; NAN without */
  double over_fit_se;         /* NAN, too, where only one of group and train_group was given */
  int64_t train_failed;       /* training rows that were left out, because their solve failed */
  double excess, excess_se;   /* mean true log p - log p, what the model loses; NAN without a truth */
  double solver_error;        /* as lfm_score has it, from 32 of the rows */
  double probe_se;            /* the part of nll_se that is the probes'; NAN: the trace is exact, or by one probe */
  int64_t dim;                /* columns that vary: what follows is about their covariance in the flow's units */
  double widest;              /* its largest eigenvalue */
  double chance;              /* so many rows of N(0, I) would exceed it once in 90 times */
  int64_t above_1;            /* eigenvalues above 1 by more than chance: the theory's assumption A1 fails */
  int64_t above_2;            /* above 2 likewise: for Gaussian rows chi^2 to N(0, I) is infinite */
  bool has_free_block;        /* the last block is outside the theorem */
  double nfe_mean, seconds;
} lfm_ledger_result;

LFM_API void lfm_ledger_defaults(lfm_ledger_options *options);

/* Where every nat is lost: rows of `heldout`, which the model has not learnt from, at every border of the chain. */
LFM_API lfm_status lfm_ledger(const lfm_model *model, const lfm_table *heldout, const lfm_ledger_options *options,
                              lfm_ledger_result *result);

/* ---- merging blocks ----------------------------------------------------------------------------------------- */

/* Consecutive blocks can be merged into students, networks that make their way in one evaluation each.  Which blocks, and in
 * which order within a student, is a plan:  "1 | (2 3) | 4"  is three students of four blocks, 1 being the data's, the second
 * of which learns blocks 2 and 3 at once;  "(1 (2 (3 4)))"  is one, taught in three merges, the noise's side first.
 * lfm_plan_find predicts the error of a plan for Gaussian rows [arXiv 2505.16024] and finds the plan whose error is least. */
enum { LFM_PLAN_TEXT = 8 * LFM_MAX_BLOCKS };

typedef struct lfm_plan_options {
  const double *variances; /* [dim] of the data, along the axes of their covariance, in the flow's units; required */
  int64_t dim;
  const double *hks; /* [blocks] OU steps, the data's first; the last may be NAN, which is a free block; required */
  int blocks;
  int steps;        /* students, and so evaluations of the merged sampler, 1 .. blocks; required */
  double s;         /* how long a student learns, in the time of gradient flow: long trainings lose little; default 0.5 */
  const char *plan; /* one more whose error is wanted; NULL: none */
} lfm_plan_options;

typedef struct lfm_strategy {
  const char *name;
  char plan[LFM_PLAN_TEXT];
  double error; /* mean square distance of what merged and whole chain make of the same noise, in the flow's units, summed
                 * over the axes; beside it lfm_plan_result.variance, the square size of what is made */
} lfm_strategy;

enum { LFM_STRATEGIES = 5 };

typedef struct lfm_plan_result {
  lfm_strategy best; /* of all plans of so many students */
  double bound;      /* none has less: the error of `best` itself where it is proved, as of all chains of up to 12 blocks */
  /* the blocks cut evenly: vanilla (merged at once), boot (from the noise's side), consistency (from the data's side),
   * progressive (pairs of pairs), and even, the best trees of that cut */
  lfm_strategy strategy[LFM_STRATEGIES];
  lfm_strategy given; /* options.plan; its error is NAN when there is none */
  double variance;    /* of the rows, summed over the axes */
} lfm_plan_result;

LFM_API void lfm_plan_defaults(lfm_plan_options *options);

/* Seconds at most for chains of 32 blocks and 1,000 axes.  LFM_E_USAGE when a number makes no sense, when there are not so
 * many blocks, or when `plan` does not have every block once, in order, in so many students as there are steps. */
LFM_API lfm_status lfm_plan_find(const lfm_plan_options *options, lfm_plan_result *result);

typedef struct lfm_variances_options {
  const lfm_table *data; /* rows to take them from; of a policy demonstrations, required; NULL: rows that the model draws */
  int64_t rows;          /* so many of them, evenly spaced, or all where there are fewer; default 2,000 */
  uint64_t seed;         /* of drawn rows, as are all that follow */
  lfm_solver_options solve;
  int threads;
  lfm_progress_fn progress;
  void *context;
} lfm_variances_options;

LFM_API void lfm_variances_defaults(lfm_variances_options *options);

/* What lfm_plan_find asks of a model: variances [lfm_model_border_dim], the eigenvalues of the covariance of its rows in the
 * flow's units, in no order.  Their relative error is about the root of columns over rows; with fewer rows than columns
 * some are 0.  LFM_E_USAGE when its blocks are single steps already. */
LFM_API lfm_status lfm_model_variances(const lfm_model *model, const lfm_variances_options *options, double *variances);

/* ---- states between blocks ---------------------------------------------------------------------------------- */

typedef struct lfm_push_options {
  lfm_solver_options solve;
  int to; /* border 0 (normalised data; default) .. blocks (noise) that the rows are carried to; or, back, that they are at */
  bool back; /* rows of a border to data; otherwise rows of data to a border */
  int threads;
  lfm_progress_fn progress;
  void *context;
} lfm_push_options;

typedef struct lfm_push_result {
  int64_t rows;
  double nfe_mean; /* evaluations a row, over the blocks that it went through */
  double seconds;
} lfm_push_result;

LFM_API void lfm_push_defaults(lfm_push_options *options);

/* Rows of data through blocks 1 .. to, in the flow's normalised units: out [rows, lfm_model_border_dim], columns x0, x1, ...
 * With back, such rows through blocks to .. 1: out [rows, lfm_model_dim], in the data's names, units and decimals.  Columns
 * are taken by name where all are there.  A row whose solve fails is an error (LFM_E_NUMERIC).  result may be NULL. */
LFM_API lfm_status lfm_push(const lfm_model *model, const lfm_table *table, const lfm_push_options *options, lfm_table **out,
                            lfm_push_result *result);

/* ---- distillation ------------------------------------------------------------------------------------------- */

typedef struct lfm_distill_options {
  const lfm_model *teacher; /* a chain of flows; required */
  const char *run;          /* folder to make; required */
  int steps;                /* evaluations that are to be left, 1 to the teacher's blocks (pieces); 0: as the plan says */
  const char *plan;         /* which blocks become one student: "even" "vanilla" "boot" "consistency" "progressive", each over
                             * groups of equal size, a text as "1 | (2 3) | 4", or "auto": the plan of least predicted error
                             * (lfm_plan_find) for the rows that the teacher draws; NULL: even */
  double s;                 /* auto: how long a student learns, as lfm_plan_options has it; 0: a pilot of a hundredth of the
                             * budget tells; of another plan 0 */
  int split;                /* over 1: each block counts as so many, pieces of its flow that are equal in time: for more steps
                             * than there are blocks, as of plain flow matching; default 1 */
  const char *method; /* "residual": x_l ~ x_r - v(1, x_r); "reflow": a straight flow first; "meanflow": that flow's mean
                       * velocity; NULL: residual */
  const lfm_config *config; /* how students are trained (lr, batch_size, ...); NULL: it follows the data */
  int64_t budget;           /* optimisation steps over all students, and max_batch is then not set; 0: as many as that or
                             * time_limit holds */
  double time_limit;        /* seconds, the teacher's rows and the calls that this one resumes included; 0: 600 */
  int64_t pairs;            /* rows that the teacher draws to be learnt from; 0: 50,000, of pictures and policies 10,000, or
                             * as many as a quarter of the time holds */
  lfm_solver_options solve; /* of the teacher; tol 0: 1e-4 */
  const lfm_table *given;   /* of a policy, required: demonstrations, whose observations it acts on */
  double guidance;          /* of a teacher that knows classes, as lfm_sample has it; the students need no second pass */
  int threads;
  bool resume, allow_drift; /* as lfm_train has them */
  lfm_progress_fn progress; /* may be NULL */
  void *context;
} lfm_distill_options;

LFM_API void lfm_distill_defaults(lfm_distill_options *options);

/* Few networks, evaluated once each, in place of a chain of flows (Algorithm A.1 of the paper).  RUN/model.safetensors draws
 * rows, pictures and actions as any model does, in as many evaluations as it has blocks; it has no density.  RUN/blocks-2-3
 * is the run folder of the student that stands for blocks 2 and 3.  In the result, blocks are the students, train_flops those
 * of students and pilots, push_flops those of the teacher's rows and of lessons by parts, memory that of the largest training
 * (the teacher's rows beside it are not in it), loss the mean over the trainings, valid_nll NAN; what a stop has thrown away,
 * as rows half drawn, is in no figure.  LFM_E_USAGE when the teacher was distilled itself, or for a plan that does not have
 * every block once, in order.  A run that is resumed, finished or not, is compared with what it was begun with: LFM_E_USAGE
 * for another plan, method or key, LFM_E_DATA for another teacher or other rows of it; LFM_E_EXISTS when RUN holds a run that
 * is no distillation. */
LFM_API lfm_status lfm_distill(const lfm_distill_options *options, lfm_train_result *result);

/* ---- a judge of pictures ------------------------------------------------------------------------------------ */

/* A small classifier that learns from labelled pictures.  It judges generated ones, and the layer under its logits gives the
 * features by which sets of pictures are compared.  Immutable. */
typedef struct lfm_judge lfm_judge;

enum { LFM_JUDGE_MOST_EPOCHS = 10000 };

typedef struct lfm_judge_options {
  const lfm_table *train; /* pictures with labels of two classes or more, up to 128 x 128; required */
  const lfm_table *valid; /* the same, to choose the epoch by; NULL: a tenth of train is held out */
  int epochs;             /* 0: 10 */
  uint64_t seed;
  bool flip; /* show half of the pictures in a mirror; all are shifted by up to two pixels */
  int threads;
  lfm_progress_fn progress;
  void *context;
} lfm_judge_options;

/* How many of how many: right answers of a judge, alarms of a guard. */
typedef struct lfm_share {
  int64_t of, count;
  double share, low, high; /* count / of, and its 95 % interval (Wilson's) */
} lfm_share;

typedef struct lfm_judge_result {
  lfm_share valid;  /* on the pictures held out, in the epoch that was best on them: a little too good */
  double loss;      /* their mean cross entropy then, in nats */
  int64_t pictures; /* learnt from */
  int epochs, best_epoch;
  double seconds;
} lfm_judge_result;

LFM_API void lfm_judge_defaults(lfm_judge_options *options);
/* LFM_E_DATA when there are no labels, or pictures of another size or with other classes among the valid ones;
 * LFM_E_INTERRUPTED when the caller asked to stop: nothing is kept then. */
LFM_API lfm_status lfm_judge_train(const lfm_judge_options *options, lfm_judge **out, lfm_judge_result *result);
LFM_API lfm_status lfm_judge_load(const char *path, lfm_judge **out);
LFM_API lfm_status lfm_judge_write(const lfm_judge *judge, const char *path); /* PATH ends in .safetensors */
LFM_API lfm_status lfm_judge_writable(const char *path); /* whether that has a chance there, as lfm_table_writable */
LFM_API void lfm_judge_destroy(lfm_judge *judge);

LFM_API void lfm_judge_picture(const lfm_judge *judge, int64_t *channels, int64_t *height, int64_t *width);
LFM_API int64_t lfm_judge_classes(const lfm_judge *judge);
LFM_API const char *lfm_judge_class(const lfm_judge *judge, int64_t label); /* its name; NULL when there is none */

/* What it says of pictures, a row for each, in one pass; each of the three may be NULL.
 *   features  128 columns f0, f1, ...
 *   logits    a column for each class, by its name
 *   right     how often the class of the highest logit is that of the label.  Classes are the same if their names are, or if
 *             those of the pictures have numbers only and the judge's names do not; of is 0 where there are no labels or,
 *             with a note, one of a class that it does not know
 *
 * LFM_E_DATA when they are no pictures, or of another size. */
LFM_API lfm_status lfm_judge_apply(const lfm_judge *judge, const lfm_table *pictures, int threads, lfm_table **features,
                                   lfm_table **logits, lfm_share *right);

/* Whether a model draws pictures of the size that the judge knows and, where it knows classes, of classes that the judge
 * does: to be asked before the hours of sampling.  LFM_E_DATA says what does not fit. */
LFM_API lfm_status lfm_judge_fits(const lfm_judge *judge, const lfm_model *model);

/* ---- how good generated pictures are ------------------------------------------------------------------------ */

/* Real pictures as a judge sees them, those that a generator has learnt from and others: what generated ones are compared
 * with, set after set.  All figures are of the judge's features.  For one set at a time. */
typedef struct lfm_eval lfm_eval;

typedef struct lfm_eval_options {
  const lfm_judge *judge;   /* required; as the tables, it outlives the lfm_eval */
  const lfm_table *train;   /* required: pictures that the generators have learnt from, rows of them or more */
  const lfm_table *heldout; /* required: pictures that they have not */
  int64_t rows;          /* so many pictures of a set are judged, and as many training pictures; 40 or more; 0: 10,000, or as
                          * many as train holds */
  int64_t manifold_rows; /* precision and what stands beside it, by so many of either side: their time grows with its square,
                          * and they depend on it; 0: 10,000, or what there is */
  bool mirrored;         /* they have learnt from mirrored pictures, too: copies are looked for among these as well */
  uint64_t seed;         /* of the choice among more pictures, and of retraining */
  int threads;
  lfm_progress_fn progress;
  void *context;
} lfm_eval_options;

typedef struct lfm_estimate {
  double value, low, high; /* with its 95 % interval: of a distance over both sets; of a share (precision, recall, density,
                            * coverage, copies) over the rows asked about, the other set being what it is */
} lfm_estimate;

/* Of one set beside the held-out pictures. */
typedef struct lfm_eval_figures {
  double fitted;        /* Frechet distance of the fitted Gaussians, squared units of the features: too high by a term in
                         * 1 / rows, as others report it  [Heusel et al. 2017] */
  lfm_estimate frechet; /* without that term */
  /* share of the set among real pictures, and the other way round  [Kynkaanniemi et al. 2019] */
  lfm_estimate precision, recall;
  lfm_estimate density, coverage; /* [Naeem et al. 2020] */
} lfm_eval_figures;

typedef struct lfm_eval_set {
  const lfm_table *pictures; /* required: the eval's rows or more; labels, where there are any, say what was asked for */
  const lfm_table *against;  /* those of another generator, likewise; NULL: none */
  bool retrain;              /* also have a judge learn from the set, by its labels, and ask it about the held-out pictures */
  const char *samples;       /* a PNG to draw: a grid of some of the set, class by class; NULL: none */
  const char *nearest;       /* a PNG to draw: some of the set, each beside its nearest training pictures; NULL: none */
  lfm_share *by_class; /* [classes of the judge] to fill: pictures asked for as each that it recognises; NULL: not asked */
} lfm_eval_set;

typedef struct lfm_eval_result {
  int64_t rows, train_rows, heldout_rows, manifold_rows;
  lfm_eval_figures generated, floor; /* floor: training pictures in the place of the set, what a perfect generator gets */
  lfm_estimate above;                /* generated.frechet over floor.frechet, paired */
  /* Copies of training pictures?  By the distance of each to the nearest of all training pictures. */
  double nearest, heldout_nearest;  /* in the median, of the set and of the held-out pictures */
  lfm_estimate closer;              /* chance that one of the set is nearer than a held-out one: 0.5 is due */
  lfm_share memorised;              /* of the set, nearer than all but 1 % of the held-out pictures */
  double memorised_due;             /* so large a share is to be expected */
  int64_t copies;                   /* at distance 0 */
  lfm_share recognised;             /* by the judge as what was asked for; of is 0: there are no labels */
  lfm_share heldout_recognised;     /* the same of the held-out pictures */
  lfm_estimate against, difference; /* Frechet distance of the other set, and by how much that of this one exceeds it, paired;
                                     * NAN: there is none */
  lfm_share retrained;              /* on held-out pictures, by a judge that learnt from the set; of is 0: not asked */
  lfm_share retrained_floor;        /* by one that learnt from as many training pictures */
  lfm_estimate retrained_lost;      /* the latter less the former, paired; of these two judges, each being trained once */
  double seconds;
} lfm_eval_result;

LFM_API void lfm_eval_defaults(lfm_eval_options *options);
/* Whether they make sense, and a set beside them, whose pictures may be NULL if they are yet to be drawn (set NULL: none): to
 * be asked before the hours of drawing.  LFM_E_DATA when there are too few pictures, or of another size than the judge knows.
 */
LFM_API lfm_status lfm_eval_check(const lfm_eval_options *options, const lfm_eval_set *set);
LFM_API lfm_status lfm_eval_create(const lfm_eval_options *options, lfm_eval **out);
/* LFM_E_DATA also for labels that the judge does not know, or, with `retrain`, none. */
LFM_API lfm_status lfm_eval_pictures(lfm_eval *eval, const lfm_eval_set *set, lfm_eval_result *result);
LFM_API void lfm_eval_destroy(lfm_eval *eval);

/* ---- pictures ----------------------------------------------------------------------------------------------- */

/* Each writes one PNG at PATH, whole or not at all, the same bytes each time on one machine; white, with thin grey axes. */

typedef enum lfm_line { LFM_LINE, LFM_LINE_DASHED, LFM_LINE_FAINT, LFM_LINE_DOTS } lfm_line; /* the last: a dot a value */

typedef struct lfm_series {
  const char *name;    /* for the legend; NULL leaves it out */
  const double *x, *y; /* [count]; a value that is not finite breaks the line */
  int64_t count;
  int colour; /* 0, 1, 2, ...: series that belong together share one; from 8 on they come again, each time in other dashes */
  lfm_line line;
} lfm_series;

typedef struct lfm_curves_options {
  const char *title, *x_label, *y_label; /* NULL: none */
  bool log_x, log_y;                     /* values of 0 and below are then left out */
} lfm_curves_options;

/* Curves over common axes, 1200 x 640: loss.png. */
LFM_API lfm_status lfm_draw_curves(const char *path, const lfm_series *series, int count, const lfm_curves_options *options);

typedef struct lfm_panel_cell {
  const char *title;
  const lfm_table *points; /* its first two columns, drawn as a density; NULL leaves the place empty */
} lfm_panel_cell;

/* rows x cols squares (each at most 12) that show the same window {x low, x high, y low, y high}; a square is 300 pixels.
 * LFM_E_USAGE for a table of pictures, or of one column. */
LFM_API lfm_status lfm_draw_panel(const char *path, const lfm_panel_cell *cells, int rows, int cols, const double window[4]);

/* Every pair of the first six columns, real rows under generated ones, and each column's histograms.  The two tables have
 * the same columns; axes cover the middle 99 % of the real rows.  LFM_E_USAGE when they have not, or hold
 * pictures. */
LFM_API lfm_status lfm_draw_pairs(const char *path, const lfm_table *real, const lfm_table *generated);

/* ---- demonstrations ----------------------------------------------------------------------------------------- */

/* Scripted experts act in simulated worlds (tasks "lift", "can" and "square": robosuite-equivalent scenes) and are recorded.
 * The first world sets MuJoCo's handlers of errors and warnings, for the process: what is not a world's of ours goes to the
 * handlers that were set before. */
typedef struct lfm_demos_options {
  const char *task;  /* required */
  int64_t episodes;  /* successes to record, 1 to 100,000; default 200 */
  uint64_t seed;     /* of starts, of the expert's ways and its noise */
  const char *sheet; /* a PNG to draw: the first episodes, a strip of moments each; NULL: none */
  int threads;
  lfm_progress_fn progress;
  void *context;
} lfm_demos_options;

typedef struct lfm_demos_result {
  /* of: episodes tried; count: recorded.  They are tried until there are so many successes, the last of which ends it, so the
   * interval is not Wilson's but that of such a count */
  lfm_share success;
  int64_t steps; /* of control, recorded */
  double seconds;
} lfm_demos_result;

LFM_API void lfm_demos_defaults(lfm_demos_options *options);

/* Writes PATH (.hdf5 or .h5) in robomimic's layout, whole or not at all: of each episode observations, actions as steps of
 * the controller and as poses, states and rewards, and which episodes are for training and which for validation.  Where the
 * sheet alone cannot be written, the file and the result are whole, and result.success.of is not 0.  LFM_E_USAGE for a task
 * that there is not; LFM_E_UNSUPPORTED in a build without simulators, or where nothing can draw the sheet: no episode is
 * begun then; LFM_E_INTERRUPTED when the caller asked to stop: nothing is written then. */
LFM_API lfm_status lfm_demos_record(const lfm_demos_options *options, const char *path, lfm_demos_result *result);

/* ---- policies ----------------------------------------------------------------------------------------------- */

/* A model of actions in one control loop: it is told what is observed and says what to do, a step at a time.  It draws a
 * chunk of actions, of which action_horizon are executed before the next one is drawn.  Created once; from then on it asks
 * for no memory and takes no lock.  One thread's at a time; several may act by one model. */
typedef struct lfm_policy lfm_policy;

typedef struct lfm_policy_options {
  lfm_solver_options solve; /* nfe: evaluations a chunk, over the whole chain, up to 4096; 0: 8 a block */
  const char *precision;    /* of the weights as they are read: "fp32" or "bf16"; NULL: fp32 */
  uint64_t seed;            /* of the noise that chunks are made of */
  /* The largest |x - middle| / reach that a number x of an observation may have: middle +- reach is what it was in the
   * demonstrations, reach being a tenth of the largest in its key at least.  1 or more; 0: 2 */
  double range;
  bool clamp; /* a number beyond is moved to that distance; otherwise the observation is refused */
  /* Where the model's guard (lfm_guard) finds an observation strange: "count" that, and go on; "hold" the action before, as
   * long as it does; or "stop" until the next lfm_policy_begin, with LFM_E_DATA.  NULL: the guard is not asked.
   * Actions that are steps of a controller want "stop": held, the last motion goes on. */
  const char *guard;
  /* Steps of control from when a chunk is asked for to when it is there.  Meanwhile the one before is executed on; of the new
   * one the first `delay` actions, whose time has passed, are left out.  At most action_horizon, and at most what is left of
   * a chunk behind that: prediction_horizon - (observation_horizon - 1) - action_horizon.  An episode's first chunk is there
   * at once */
  int64_t delay;
  /* Real-time chunking (Black, Galliker and Levine 2025): a chunk is drawn so that it goes on from the one before; the
   * actions that are executed meanwhile stand in it as they are.  A pilot reckons with as many as the latest of its last ten
   * chunks took, or `delay`.  LFM_E_UNSUPPORTED of a distilled model */
  bool rtc;
  double guidance; /* of rtc: no correction of the velocity is stronger, as beta in the paper; 0: 5; without rtc 0 */
} lfm_policy_options;

typedef struct lfm_policy_stats {
  int64_t steps, chunks;
  int64_t refused, clamped;    /* observations not finite, out of range or of another count; numbers moved into range */
  int64_t alarms, alarmed;     /* steps whose observation the guard found strange; episodes that had such a step */
  int nfe;                     /* evaluations a chunk; with rtc each has a gradient beside it */
  double jump;                 /* where a chunk is entered: how far its action is from what the one before had for that step,
                                * in the mean; 1 is half the range of an action's number in the demonstrations.  NAN: nowhere */
  double p50, p99, p99_9, max; /* of a chunk, microseconds, to 1 %; NAN before the first */
} lfm_policy_stats;

LFM_API void lfm_policy_defaults(lfm_policy_options *options);

/* LFM_E_USAGE when the model was not trained on demonstrations.  The model outlives the policy. */
LFM_API lfm_status lfm_policy_create(const lfm_model *model, const lfm_policy_options *options, lfm_policy **out);
LFM_API void lfm_policy_destroy(lfm_policy *policy);
LFM_API int64_t lfm_policy_observed(const lfm_policy *policy); /* numbers of an observation */
LFM_API int64_t lfm_policy_actions(const lfm_policy *policy);  /* numbers of an action */

/* Forgets what it has seen and meant to do: before episode `episode`, 0 to 2^24 - 1, each of which has noise of its own, for
 * 2^20 chunks; of another number, as a time stamp, its last 24 bits count. */
LFM_API void lfm_policy_begin(lfm_policy *policy, int64_t episode);

/* A control step: observation [count], action [lfm_policy_actions] to fill, both in the units of the demonstrations.
 * LFM_E_USAGE when there are not lfm_policy_observed numbers, LFM_E_DATA when one is not finite or too far out of range; the
 * observation is then as if it had not been made.  LFM_E_DATA, too, when the guard stops it, or is to hold an action before
 * there is one: that observation has been made (lfm_policy_guard tells).  LFM_E_NUMERIC when the network gives nothing
 * finite.  Action is filled by LFM_OK alone. */
LFM_API lfm_status lfm_policy_act(lfm_policy *policy, const double *observation, int64_t count, double *action);

LFM_API void lfm_policy_look(const lfm_policy *policy, lfm_policy_stats *stats);

/* What a guard says in this episode. */
typedef struct lfm_guard_state {
  int64_t steps;       /* observations so far */
  int64_t first;       /* the step, from 0, of the first alarm; -1: none yet */
  double score, level; /* of the last observation, and what it must not exceed */
  bool alarm;          /* it does */
  bool stopped;        /* there are no actions any more until the next episode */
} lfm_guard_state;
/* False where the policy was made without a guard; state is then left alone. */
LFM_API bool lfm_policy_guard(const lfm_policy *policy, lfm_guard_state *state);

/* A policy by a deadline: chunks are drawn by a thread of its own, and a step of control waits for one no longer than that.
 * Where one is late the rest of the chunk before goes on, to its end, and then its last action is held; the late one is
 * taken up when it is there, from the action that is due by then.  Nothing half-drawn is ever executed.  Where actions are
 * steps of a controller a held one is the last motion going on: lfm_pilot_stats.held counts such steps. */
typedef struct lfm_pilot lfm_pilot;

typedef struct lfm_pilot_options {
  lfm_policy_options policy; /* solve.nfe 0: the most of 1, 2, 4, 8 and 16 a block, a step of the solver at least, that take
                              * less than four fifths of the deadline, as measured before the start */
  double deadline;           /* microseconds that a step may wait; required */
} lfm_pilot_options;

typedef struct lfm_pilot_stats {
  lfm_policy_stats policy; /* times from when a chunk is asked for to when it is there */
  int64_t missed, held;    /* chunks that were late; steps on which the last action was held */
} lfm_pilot_stats;

LFM_API void lfm_pilot_defaults(lfm_pilot_options *options);
/* LFM_E_USAGE when the deadline is none, or when not even the fewest evaluations fit; LFM_E_UNSUPPORTED for actions of more
 * than 64 numbers. */
LFM_API lfm_status lfm_pilot_create(const lfm_model *model, const lfm_pilot_options *options, lfm_pilot **out);
LFM_API void lfm_pilot_destroy(lfm_pilot *pilot);           /* ends its thread */
LFM_API int64_t lfm_pilot_observed(const lfm_pilot *pilot); /* numbers of an observation */
LFM_API int64_t lfm_pilot_actions(const lfm_pilot *pilot);  /* numbers of an action */
LFM_API void lfm_pilot_begin(lfm_pilot *pilot, int64_t episode);
/* As lfm_policy_act, by the deadline.  Only an episode's first chunk is waited for, however long it takes. */
LFM_API lfm_status lfm_pilot_act(lfm_pilot *pilot, const double *observation, int64_t count, double *action);
/* From any thread, as often as it likes, waiting for nobody: the action in force; false before the first. */
LFM_API bool lfm_pilot_current(const lfm_pilot *pilot, double *action);
LFM_API bool lfm_pilot_guard(const lfm_pilot *pilot, lfm_guard_state *state); /* as lfm_policy_guard; the thread that acts */
LFM_API void lfm_pilot_look(lfm_pilot *pilot, lfm_pilot_stats *stats);        /* from the thread that acts */

/* One C99 file with all that the policy is: weights, static memory, the runtime's own source, a self-test.  It needs libc
 * and libm, allocates nothing, and does what a policy of these options does; how to call and compile it stands at its top.
 * PATH ends in .c.  LFM_E_USAGE when the model is no policy. */
LFM_API lfm_status lfm_policy_export(const lfm_model *model, const lfm_policy_options *options, const char *path);

/* ---- guards ------------------------------------------------------------------------------------------------- */

typedef struct lfm_guard_options {
  const lfm_model *model; /* a policy; required */
  const lfm_table *demos; /* demonstrations of what it does; required */
  /* Good episodes to calibrate by, which should be the policy's own.  Either of these; with neither, half of the
   * demonstrations is not learnt from and calibrates. */
  int64_t rollouts;           /* over 0: so many episodes of the policy in a simulated task, of which the successful count */
  const lfm_table *successes; /* episodes that have been recorded; NULL: none */
  const char *task;           /* of the rollouts; NULL: that of the demonstrations */
  lfm_policy_options policy;  /* of the rollouts; its guard and seed are not looked at */
  double alpha;               /* the chance of an alarm in an episode that is like those; default 0.05 */
  int64_t batches;            /* of training; default 3000 */
  uint64_t seed;
  int threads;
  lfm_progress_fn progress;
  void *context;
} lfm_guard_options;

typedef struct lfm_guard_result {
  int64_t learnt, calibrated; /* episodes */
  double level;
  lfm_share success; /* of the rollouts; of is 0: there were none */
  /* in good episodes that neither were learnt from nor calibrated: every second one; of: those */
  lfm_share false_alarms;
  lfm_share detected; /* alarms in the rollouts that failed; of is 0: there were none */
  double seconds;
} lfm_guard_result;

LFM_API void lfm_guard_defaults(lfm_guard_options *options);

/* Writes PATH (.safetensors): the model, with a guard that lfm_policy_options.guard may ask.  A guard is a small flow over
 * what the policy observes; where the noise that it takes to be in an observation exceeds a level, that is strange to it. The
 * level is conformal: an episode like those that calibrated it has an alarm with a chance of alpha at most.  LFM_E_USAGE when
 * the model is no policy; LFM_E_DATA when there are too few good episodes for alpha, demonstrations of something else, or too
 * many episodes of which it has no finite score; LFM_E_EXISTS when PATH is the model of a run; LFM_E_INTERRUPTED when the
 * caller asked to stop: nothing is written then. */
LFM_API lfm_status lfm_guard(const lfm_guard_options *options, const char *path, lfm_guard_result *result);

typedef struct lfm_rollout_options {
  const lfm_model *model; /* required */
  const char *task;       /* NULL: that of the demonstrations */
  int64_t episodes;       /* 1 to 1,000,000; default 50 */
  uint64_t seed;          /* of the starts; the policy's own follows from it */
  lfm_policy_options policy;
  double shove; /* over 0: once an episode, at a step of 5 to 34 and for 10 steps, the world is told a position that is so far
                 * off (metres; Push-T: its pixels) in a direction of the episode's own */
  const char *sheet; /* a PNG to draw: the first episodes, a strip of moments each; NULL: none */
  int threads;       /* a world each; only times change with their number */
  lfm_progress_fn progress;
  void *context;
} lfm_rollout_options;

typedef struct lfm_rollout_result {
  lfm_share success;       /* of the episodes */
  double score, score_se;  /* mean over episodes of the best reward, and its standard error; NAN for one */
  int64_t steps, broken;   /* of control; episodes that ended because physics or policy could not go on */
  lfm_policy_stats policy; /* over all episodes */
  int64_t missed;          /* chunks that took longer than what they had: a step of control, or the policy's delay */
  /* Episodes in which the guard, which options.policy.guard asks for, raised an alarm: of the successful ones, and of those
   * that failed; of is 0 where there are none of them, or no guard. */
  lfm_share alarms_in_successes, alarms_in_failures;
  double seconds;
} lfm_rollout_result;

LFM_API void lfm_rollout_defaults(lfm_rollout_options *options);

/* Episodes of a policy in a simulated task, each the same whatever else is run.  out (may be NULL): a table with columns
 * episode, success (0 or 1), score (its best reward), steps and broken; with a guard, also
 * alarm, the step, from 1, of the first alarm, 0 being none.  Where the sheet alone cannot be written, table and result are
 * whole, and result.success.of is not 0.  LFM_E_DATA when the model's observations or
 * actions are not the task's; LFM_E_UNSUPPORTED in a build without simulators, or where nothing can draw the sheet: no
 * episode is begun then. */
LFM_API lfm_status lfm_rollout(const lfm_rollout_options *options, lfm_table **out, lfm_rollout_result *result);

/* ---- speed -------------------------------------------------------------------------------------------------- */

typedef struct lfm_bench_options {
  const char *what;       /* "peak" "train" "sample" "score" "latency"; required */
  const char *preset;     /* train: whose network and batch, as "power@A"; NULL: bsds300@A, miniboone@A and power@A */
  const lfm_model *model; /* sample, score and latency: required */
  int64_t rows;           /* sample and score: how many; 0: 100,000 and 200.  lfm_bench_policy: chunks; 0: 2000 */
  int nfe;                /* lfm_bench_policy: evaluations a chunk; 0: 8 a block */
  bool rtc;               /* lfm_bench_policy: with real-time chunking, a gradient beside each evaluation */
  double tol;             /* sample and score: of the solver; 0: 1e-5 */
  int repetitions;        /* 1 to 1000 */
  int threads;
  const char *precision; /* peak and train: "fp32" or "bf16"; NULL: fp32 */
  /* train: keys over the preset's, "hidden_dim=64"; and rows that are pictures of this size, channels, height and width,
   * zeros: what the preset is for.  With such a size and no preset the network is the one that follows from it. */
  const char *const *sets;
  int set_count;
  int64_t picture[3];
} lfm_bench_options;

typedef struct lfm_bench_result {
  char name[64], unit[16];
  double median, minimum, maximum, sd; /* over the repetitions; sd is NAN for one */
  int repetitions;
  double peak_fraction; /* of the multiply-adds of floats, or in bf16 of halves, that registers alone reach on the same
                         * threads; fp32 steps by AMX may have above 1; NAN where it means nothing */
} lfm_bench_result;

enum { LFM_BENCH_MOST = 16 };

LFM_API void lfm_bench_defaults(lfm_bench_options *options);

/* Measures, for about a fifth of a second a figure and repetition; figures alternate, so that a disturbance meets all alike.
 * Fills results [*count]. */
LFM_API lfm_status lfm_bench(const lfm_bench_options *options, lfm_bench_result results[LFM_BENCH_MOST], int *count);

/* How long a policy takes for a chunk, one after another on this thread: options->model, or an untrained one of
 * options->preset with options->sets over it; in options->precision.  Fills steps, chunks, nfe and the times of stats.
 * LFM_E_USAGE when that is no policy. */
LFM_API lfm_status lfm_bench_policy(const lfm_bench_options *options, lfm_policy_stats *stats);

/* ---- inspection --------------------------------------------------------------------------------------------- */

/* What PATH holds (model, checkpoint, data, a run or several) as text, or as one JSON object; free with lfm_text_free. */
LFM_API lfm_status lfm_describe(const char *path, bool json, char **text);
LFM_API void lfm_text_free(char *text);

/* Runs the checks one by one and reports each; LFM_E_NUMERIC when one failed.  Checked are the kernels that networks evaluate
 * and train on here, LFM_KERNELS in the environment considered, gradients, solvers and densities; a few seconds. */
typedef void (*lfm_check_fn)(const char *what, bool passed, const char *detail, void *context);
LFM_API lfm_status lfm_selftest(int threads, lfm_check_fn report, void *context);

#ifdef __cplusplus
}
#endif
#endif
