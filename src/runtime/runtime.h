/* SPDX-License-Identifier: MIT
 *
 * runtime.h -- a velocity field made ready for a control loop: a list of steps over one work space.
 *
 * Everything is decided beforehand, by src/policy: where each array lies, in which order the weights are read, what the
 * network's time comes to.  What runs is a loop over the steps, in single precision, with weights that are kept as floats or
 * as bfloat16.  It needs the C library and its mathematics alone; it neither allocates, locks nor prints, and does the same
 * work whatever it is given.  All sums have one order, and multiply-adds of convolutions are fused and nothing else is, so
 * the bits are the same with vectors of any length and without, on every processor that fuses.
 *
 * An array of P positions and C channels lies [P][row], row at least C; what is read beside the C is zero.
 */
#ifndef LFM_RUNTIME_RUNTIME_H
#define LFM_RUNTIME_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

/* In one file with a policy these functions are its own (src/policy/source.c). */
#ifndef LFM_RT_API
#define LFM_RT_API
#endif

enum { LFM_RT_LANES = 16, LFM_RT_STAGES = 4 };

typedef enum lfm_rt_kind {
  LFM_RT_CONV,
  LFM_RT_NORM,
  LFM_RT_ACT,
  LFM_RT_ADD,
  LFM_RT_NORM_BACK,
  LFM_RT_ACT_BACK,
} lfm_rt_kind;

/* In the work space: where a number lies, and how far it is to the next position. */
typedef struct lfm_rt_place {
  int64_t at, row;
} lfm_rt_place;

/* CONV  to[p] = bias + sum over taps k and channels c of w from[p stride + k][c]; a linear map has one tap and one position
 * NORM  to = mish(scale (from - mean) / sd + shift) within each group of channels; with `more`, that times `more` plus what
 *       lies behind it                                                        [Wu and He 2018; Perez et al. 2018: FiLM]
 * ACT   to = act(from)
 * ADD   to += from
 * NORM_BACK, ACT_BACK   to = what the gradient `from` of step `of`'s output is of its input; CONV and ADD have themselves,
 * with weights that are turned round, as their backward steps */
typedef struct lfm_rt_step {
  lfm_rt_kind kind;
  int64_t positions, channels; /* of what is made; a convolution makes whole vectors */
  lfm_rt_place from, to;       /* from: position 0's first tap, which may lie in the zeros in front of the array */
  /* CONV */
  int64_t stride, taps, in; /* `in` is even */
  int64_t weights; /* [vectors][taps][in][16] among the block's; of bfloat16 [vectors][taps][in / 2][16][2], two a word */
  int64_t bias;    /* [channels] among the block's constants; -1: none */
  bool adds;       /* to what is there */
  bool is_series;  /* stride 1, the middle tap at each position, and all positions: what the other taps read beside is zero */
  /* CONV, NORM */
  int64_t more; /* [channels], or of NORM twice as many, in the work space; CONV adds it to the bias; -1: none */
  /* NORM */
  int64_t groups, scale, shift; /* [channels] each among the block's constants */
  /* ACT */
  int64_t act; /* lfm_act_kind */
  float beta;
  /* backward */
  int64_t of;            /* the step whose gradient this is part of */
  int64_t tap, tap_step; /* CONV: its first tap is that step's `tap`, and each next one's lies tap_step in front of that */
} lfm_rt_step;

/* A network, of whatever block. */
typedef struct lfm_rt_field {
  const lfm_rt_step *steps;
  int64_t given_steps, all_steps; /* those that depend on what is given alone come first */
  int64_t back_steps;             /* and behind them all up to here the gradient's; fewer than all_steps: there are none */
  int64_t positions, channels;    /* of x and v */
  lfm_rt_place x, v;
  int64_t given, given_count; /* numbers beside t and x */
  int64_t base;               /* what the first steps make of them */
  int64_t timed, timed_count; /* that plus what t adds, which the others read */
  int64_t room;               /* for twice the most channels that are normalised, with gradients four times */
  int64_t mirror;             /* so far behind an array lies its gradient */
  int64_t back, back_floats;  /* all gradients */
  int64_t floats;             /* of the work space, which begins as zeros */
} lfm_rt_field;

/* One block's numbers. */
typedef struct lfm_rt_block {
  const void *weights; /* floats, or bfloat16 */
  const float *constants;
} lfm_rt_block;

/* What is given is in the work space: the steps that depend on it alone. */
LFM_RT_API void lfm_rt_give(const lfm_rt_field *field, const lfm_rt_block *block, bool half, float *space);

/* v of the x in the work space, and given; time [timed_count] is what t adds. */
LFM_RT_API void lfm_rt_velocity(const lfm_rt_field *field, const lfm_rt_block *block, bool half, const float *time,
                                float *space);

/* Of the field whose lfm_rt_velocity ran last in this work space: g [positions, channels], a gradient with respect to v,
 * becomes the one with respect to x, g^T dv/dx. */
LFM_RT_API void lfm_rt_back(const lfm_rt_field *field, const lfm_rt_block *block, bool half, float *g, float *space);

/* An explicit Runge-Kutta method: stage i at x + h sum over j < i of a_ij v_j, then x += h sum of b_i v_i. */
typedef struct lfm_rt_method {
  int64_t stages;
  float a[LFM_RT_STAGES][LFM_RT_STAGES], b[LFM_RT_STAGES];
} lfm_rt_method;

/* A chain of blocks, and how it is run from the noise to the data. */
typedef struct lfm_rt_chain {
  const lfm_rt_field *field;
  const lfm_rt_block *block; /* [blocks], the data's side first */
  const float *keeps;        /* [blocks] e^{-G}: so much of the data a block's border on their side has */
  int64_t blocks;
  bool half;
} lfm_rt_chain;

typedef struct lfm_rt_plan {
  lfm_rt_method method;
  int64_t steps;            /* equal ones, in each block */
  const float *time;        /* [blocks][steps][stages][timed_count] */
  const float *of_x, *of_v; /* [steps][stages]: from x at v straight on a block's way ends at of_x x - of_v v */
  const float *pull;        /* [blocks][steps][stages]: how strong a guide is before beta (guide.h) */
} lfm_rt_plan;

/* What a chunk is to go on from. */
typedef struct lfm_rt_guide {
  const float *target, *weight; /* [positions, channels] Y; diag W, 0 to 1 */
  float most;                   /* beta: no pull is stronger */
} lfm_rt_guide;

/* x [positions, channels]: noise, and then what it becomes, given [given_count].  guide: NULL, or the field has a gradient.
 * room [stages + 1, positions, channels], with a guide one more. */
LFM_RT_API void lfm_rt_generate(const lfm_rt_chain *chain, const lfm_rt_plan *plan, const lfm_rt_guide *guide,
                                const float *given, float *x, float *space, float *room);

#endif
