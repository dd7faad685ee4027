/* SPDX-License-Identifier: MIT
 *
 * states.h -- what a teacher draws, recorded at every border on the way: x_N ~ N(0, I), x_{n-1} = block n's flow of x_n from
 * t = 1 to 0, down to x_0 in the flow's units.  Students learn from pairs of these.             [paper, Algorithm A.1]
 * Row i follows from the seed and i alone, so more rows are the same rows and some more.
 */
#ifndef LFM_DISTILL_STATES_H
#define LFM_DISTILL_STATES_H

#include "flow/carry.h"
#include "flow/chain.h"
#include "flow/fingerprint.h"
#include "flow/pool.h"
#include "flow/solve.h"

/* A part of a chain: a block, or with `split` over 1 one of so many pieces of it that are equal in time. */
typedef struct lfm_part {
  int block;     /* 0-based */
  lfm_span span; /* of its flow */
} lfm_part;
lfm_part lfm_part_of(int split, int number); /* number 1: the data's */

typedef struct lfm_states {
  int parts;                           /* of the teacher: its blocks, or pieces of them */
  int64_t rows;                        /* that came through; those whose solve failed are left out */
  lfm_pool border[LFM_MAX_BLOCKS + 1]; /* [parts + 1] of `rows` rows; what is given of them lies with border 0 */
  double evaluations;                  /* of the network, over all rows and blocks */
  int64_t drawn;                       /* rows asked for, of which some may have been dropped */
  double seconds;                      /* that it took */
  char origin[LFM_FINGERPRINT];        /* of the teacher, and of all that decides its rows */
} lfm_states;

typedef struct lfm_states_options {
  int split;
  int64_t rows;
  uint64_t seed;
  bool in_halves;         /* how they are kept (flow/pool.h) */
  const lfm_table *given; /* demonstrations, of a policy; their windows are gone through again and again */
  double guidance;
  lfm_solve solve;
} lfm_states_options;

/* The fingerprint that they would have. */
void lfm_states_origin(const lfm_model *teacher, const lfm_states_options *options, char out[LFM_FINGERPRINT]);

/* LFM_E_INTERRUPTED when the meter's caller wants to stop.  What it holds then, too, lfm_states_release takes. */
lfm_status lfm_states_record(const lfm_model *teacher, const lfm_states_options *options, lfm_carry *carry, lfm_meter *meter,
                             lfm_states *out);
void lfm_states_release(lfm_states *states);

/* Rows that a solve lost are done without, with a warning, but what is left of more than one in a thousand would be a choice
 * of rows: LFM_E_NUMERIC. */
lfm_status lfm_states_do_without(int64_t lost, int64_t rows, const char *solve);

/* To one file and back; options->rows 0: as many as it holds.  LFM_E_DATA when those are of another origin. */
lfm_status lfm_states_write(const lfm_states *states, const char *path);
lfm_status lfm_states_read(const char *path, const lfm_model *teacher, const lfm_states_options *options, lfm_states *out);
/* Of a file whose rows may be gone, as it is written once they are released: only that, and all but the rows; out->rows is
 * how many it holds, 0 when they are gone. */
lfm_status lfm_states_check(const char *path, const lfm_model *teacher, const lfm_states_options *options, lfm_states *out);

#endif
