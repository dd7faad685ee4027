/* SPDX-License-Identifier: MIT
 *
 * trainer.h -- everything that a training run holds, and the acts that train.c strings together.
 *
 *   prepare.c     options -> trainer: normalise, resolve the configuration, make the work space
 *   intake.c      the rows: split, checked, warned about, brought into the pools
 *   agreement.c   a resumed run's configuration, and whether it is what is asked for
 *   memory.c      what all that takes
 *   step.c        one optimisation step; the validation loss
 *   push.c        the pool and the validation rows through a finished block
 *   preview.c     pictures by the blocks so far
 *   checkpoint.c  the whole state to one file and back
 *   run_folder.c  metrics, result and curves of RUN
 */
#ifndef LFM_FLOW_TRAINER_H
#define LFM_FLOW_TRAINER_H

#include "core/threads.h"
#include "data/table.h"
#include "flow/carry.h"
#include "flow/chain.h"
#include "flow/fingerprint.h"
#include "flow/matching.h"
#include "flow/meter.h"
#include "flow/pool.h"
#include "graph/factors.h"
#include "net/optim.h"
#include "net/schedule.h"

/* One line of metrics.jsonl. */
typedef struct lfm_record {
  double block, step, loss, valid_loss, lr, grad_norm, seconds;
} lfm_record;
enum { LFM_RECORD_NUMBERS = sizeof(lfm_record) / sizeof(double), LFM_RECORDS = 200 /* of a block, about */ };
/* Steps of a block from one record to the next. */
static inline int64_t lfm_record_every(int64_t steps) { return steps > LFM_RECORDS ? steps / LFM_RECORDS : 1; }

/* What a student learns from in place of data and noise (distill/): rows x_l, each with the x_r that its teacher took there.
 */
typedef struct lfm_lesson {
  lfm_pool left, right, valid_left, valid_right; /* whoever is taught takes the left ones over */
  const lfm_params *start;                       /* the weights to begin with */
  double t_left, t_right;                        /* the times of the two ends in the student's network */
  bool at_noise;                                 /* t_right alone, else all t between */
  char origin[LFM_FINGERPRINT];                  /* in place of a fingerprint of data */
  int number, of;                                /* for the progress: which student, of how many */
} lfm_lesson;

typedef struct lfm_preview lfm_preview; /* the pictures that show how training goes, and their way there */

/* A run folder is one program's. */
typedef struct lfm_claim {
  int lock;       /* descriptor of RUN, locked; 0: none */
  bool was_there; /* RUN, before it was claimed */
} lfm_claim;

typedef struct lfm_trainer {
  const lfm_train_options *options;
  lfm_config *config; /* resolved */
  lfm_team *team;
  lfm_model *model;  /* the chain as far as it is trained */
  lfm_net *net;      /* what the steps run on: the model's, or one like it with other kernels */
  lfm_net *own_net;  /* the latter, or NULL */
  lfm_net *push_net; /* one like the model's with the kernels of training, for the push; NULL: the push has the model's */
  lfm_pool pool, valid;
  const lfm_lesson *lesson;             /* the caller's; NULL: there is no teacher */
  const lfm_table *valid_table;         /* the held-out rows in the data's units, for the final score */
  lfm_table *split_train, *split_valid; /* owned, when a tenth was held out; the first only until the pool is filled */
  char data[LFM_FINGERPRINT];           /* fingerprint of the caller's rows; "" until a checkpoint asks */

  /* the place on the path */
  int block;             /* at work, 0-based; == blocks when all are trained */
  int64_t step;          /* done in this block */
  int64_t steps_done;    /* over all blocks */
  double seconds_before; /* spent by the calls that this one resumes */

  /* the block at work */
  lfm_params *params;  /* the moving weights */
  lfm_params *average; /* their running mean, packed for evaluation; NULL when ema_decay is 0 */
  double best_loss;    /* with patience: the lowest validation loss of this block, infinite before the first */
  int64_t best_step;
  bool warned_of_validation;
  double last_valid; /* the latest validation loss of this block, NAN before the first */
  lfm_optim *optim;
  lfm_lr lr;

  /* a step's work space */
  lfm_factors *factors;   /* of a whole batch; NULL: lanes sum its gradient */
  int tasks;              /* lanes; or with factors parts, each a microbatch */
  int worker_count;       /* threads; with factors not less than parts */
  lfm_matching **workers; /* [worker_count] */
  float **grads;          /* [lanes][param_count] */
  double *task_loss;      /* [tasks] */
  int64_t valid_draws;    /* of each validation row */
  double *valid_loss;     /* [microbatches of the validation rows, however often these are drawn] */
  lfm_carry *carry;
  lfm_params *push_params; /* of push_net, the block's that is pushed */
  int64_t *push_nfe;       /* [max(pool, valid) rows] */
  uint8_t *push_failed;
  lfm_preview *preview; /* NULL: none is wanted, or the rows are no pictures */

  /* running means for the records */
  double loss_sum; /* since the last record */
  int64_t loss_count;
  double grad_norm;
  lfm_record *records; /* [record_capacity], allocated once */
  int64_t record_count, record_capacity;

  double train_flops, push_flops;
  int64_t rows_dropped;
  lfm_meter meter;
  lfm_claim claim; /* on RUN */
} lfm_trainer;

/* max_batch of this block. */
static inline int64_t lfm_trainer_block_steps(const lfm_trainer *trainer, int block) {
  const lfm_config *config = trainer->config;
  return config->max_batch.of[config->max_batch.count > 1 ? block : 0];
}

/* Whose buffers a task of a step uses: with factors its own, which outlive it, else those of the worker at hand; and where
 * its backward pass adds its gradient. */
static inline int64_t lfm_trainer_hand(const lfm_trainer *trainer, int worker, int64_t task) {
  return trainer->factors ? task : worker;
}
static inline float *lfm_trainer_lane(const lfm_trainer *trainer, int64_t task) {
  return trainer->factors ? NULL : trainer->grads[task];
}

/* Where the gradient of a step comes from. */
static inline lfm_gradient lfm_trainer_gradient(const lfm_trainer *trainer) {
  return (lfm_gradient){trainer->grads, trainer->config->lanes, trainer->factors};
}

/* ---- prepare.c ---------------------------------------------------------------------------------------------- */
lfm_status lfm_trainer_create(const lfm_train_options *options, lfm_trainer **out); /* without RUN: steps only, no files */
/* A student of the teacher's kind, of one block; the lesson outlives it. */
lfm_status lfm_trainer_create_student(const lfm_train_options *options, const lfm_model *teacher, lfm_lesson *lesson,
                                      lfm_trainer **out);
void lfm_trainer_destroy(lfm_trainer *trainer);
lfm_model *lfm_trainer_take_model(lfm_trainer *trainer); /* the caller's from now on; then there is nothing but to destroy */

/* ---- intake.c ----------------------------------------------------------------------------------------------- */
lfm_status lfm_trainer_check_tables(const lfm_table *table, const lfm_table *valid); /* valid may be NULL */
/* Is the network for such data?  Where classes are shown: has every row one, and the validation rows none that was not
 * learnt? */
lfm_status lfm_trainer_check_kind(const lfm_config *config, const lfm_table *train, const lfm_table *valid);
lfm_status lfm_trainer_take_tables(lfm_trainer *trainer);       /* the training part, and trainer->valid_table */
const lfm_table *lfm_trainer_table(const lfm_trainer *trainer); /* the training part, until the pool is filled */
int64_t lfm_trainer_valid_rows(const lfm_trainer *trainer);     /* of the validation table in trainer->valid */
/* Of the training part of the options' table, under the run's configuration: rows, or windows of demonstrations. */
lfm_status lfm_trainer_count_rows(const lfm_train_options *options, lfm_config *config, int64_t *rows);
/* `count` evenly spaced rows of the table in the flow's units, with what is given of them where the pool has room for it. */
lfm_status lfm_trainer_fill_pool(const lfm_trainer *trainer, const lfm_table *table, int64_t count, lfm_pool *pool);
lfm_status lfm_trainer_fill_pools(lfm_trainer *trainer); /* trainer->pool and trainer->valid, which are made */

/* ---- agreement.c -------------------------------------------------------------------------------------------- */
/* trainer->config: the options', or the one that a run to go on with has left; *resumed then. */
lfm_status lfm_trainer_configure(lfm_trainer *trainer, bool *resumed);
/* Are these rows (NULL: none) of the model's columns and kind?  Of demonstrations that is asked once windows are cut. */
lfm_status lfm_trainer_check_columns(const lfm_model *model, const lfm_table *rows);
lfm_status lfm_trainer_check_finished(const lfm_train_options *options); /* does a finished RUN have what options ask for? */
/* Is a finished student, taught by so many rows, what `asked` asks for? */
lfm_status lfm_trainer_check_taught(const lfm_model *student, const lfm_config *asked, int64_t rows);

/* ---- train.c ------------------------------------------------------------------------------------------------ */
lfm_status lfm_trainer_run(lfm_trainer *trainer, lfm_train_result *result); /* to the end of the chain, and its files */
bool lfm_trainer_has_nll(const lfm_model *model);                           /* once it is trained: has it a density? */

/* ---- memory.c ----------------------------------------------------------------------------------------------- */
lfm_memory lfm_trainer_memory(const lfm_trainer *trainer);
void lfm_trainer_note_memory(const lfm_trainer *trainer); /* a note to the caller */

/* ---- step.c ------------------------------------------------------------------------------------------------- */
void lfm_trainer_begin_block(lfm_trainer *trainer);    /* weights, moments, learning rate of trainer->block */
void lfm_trainer_enter_block(lfm_trainer *trainer);    /* only what a checkpoint does not hold: the learning rate */
void lfm_trainer_show_block(lfm_trainer *trainer);     /* tells the meter which block begins, and how much lies before it */
lfm_status lfm_trainer_step(lfm_trainer *trainer);     /* one batch; LFM_E_NUMERIC when the loss is not finite */
lfm_status lfm_trainer_validate(lfm_trainer *trainer); /* the validation loss; keeps the weights when they are the best */
bool lfm_trainer_has_best(const lfm_trainer *trainer); /* model->params[block] holds the weights of best_loss */
bool lfm_trainer_is_block_done(const lfm_trainer *trainer); /* steps used up, or patience */
void lfm_trainer_end_block(lfm_trainer *trainer);           /* kept weights into the chain */
/* The block's weights so far for all but steps: the average, brought up to date, or the moving ones where none is kept. */
const lfm_params *lfm_trainer_weights(lfm_trainer *trainer);

/* ---- push.c ------------------------------------------------------------------------------------------------- */
lfm_status lfm_trainer_push(lfm_trainer *trainer); /* pool and valid through block trainer->block */

/* ---- preview.c ---------------------------------------------------------------------------------------------- */
lfm_status lfm_preview_create(const lfm_trainer *trainer, lfm_preview **out); /* NULL where there is nothing to show */
void lfm_preview_destroy(lfm_preview *preview);
int64_t lfm_preview_memory(const lfm_preview *preview);
size_t lfm_preview_weights_memory(const lfm_preview *preview);
bool lfm_trainer_is_preview_due(const lfm_trainer *trainer); /* after this step */
/* RUN/preview.png and RUN/strip.png by the finished blocks and, for the block at work, `weights`. */
lfm_status lfm_trainer_preview(lfm_trainer *trainer, const lfm_params *weights);

/* ---- checkpoint.c ------------------------------------------------------------------------------------------- */
lfm_status lfm_checkpoint_write(lfm_trainer *trainer);
lfm_status lfm_checkpoint_write_pool(lfm_trainer *trainer); /* the pool that trainer->block trains on */
lfm_status lfm_checkpoint_read(lfm_trainer *trainer, bool *found);
bool lfm_checkpoint_exists(const char *run); /* NULL: no file is written, and there is none */
/* LFM_E_DATA when RUN has a checkpoint that was made of other rows than those of the options. */
lfm_status lfm_checkpoint_check_rows(const lfm_train_options *options);
/* The resolved configuration of RUN's checkpoint; *out = NULL when there is none. */
lfm_status lfm_checkpoint_config(const char *run, lfm_config **out);

/* ---- run_folder.c ------------------------------------------------------------------------------------------- */
/* Makes RUN and locks it against a second program; LFM_E_EXISTS when it holds a run already and this is no resume, or
 * files that are of no run. */
lfm_status lfm_run_folder_claim(const char *run, bool resume, lfm_claim *claim);
/* Is there a run, and is it a distillation's, unfinished or finished?  And, for one that is to be trained on: LFM_E_EXISTS
 * where it is. */
lfm_status lfm_run_folder_holds(const char *run, bool *is_run, bool *is_distilled);
lfm_status lfm_run_folder_check_trained(const char *run);
lfm_status lfm_run_folder_has_model(const char *run, bool *has);
void lfm_run_folder_release(const lfm_claim *claim);
/* Removes what was made of a RUN in which nothing began; what was there before stays. */
void lfm_run_folder_abandon(const char *run, const lfm_claim *claim);
lfm_status lfm_run_folder_begin(const char *run, const lfm_config *config); /* config.yaml */
lfm_status lfm_run_folder_record(lfm_trainer *trainer);  /* a line of metrics.jsonl from the running means */
lfm_status lfm_run_folder_metrics(lfm_trainer *trainer); /* metrics.jsonl anew from the records: after a resume */
lfm_status lfm_run_folder_curves(const lfm_trainer *trainer);
lfm_status lfm_run_folder_result(const char *run, const lfm_train_result *result);
lfm_status lfm_run_folder_read_result(const char *run, lfm_train_result *result, bool *finished);

#endif
