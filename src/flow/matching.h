/* SPDX-License-Identifier: MIT
 *
 * matching.h -- the flow-matching loss of one block on a range of a batch's rows.      [paper, eq. of the local FM loss]
 *   mean over batch, times and dimensions of | v(t, I_t) - dI_t/dt |^2,
 *   I_t between x_l (a pool row) and x_r = e^{-g} x' + sqrt(1 - e^{-2g}) z; with coupling: shared, of one z for both
 * A batch has batch_size pairs and num_tk times a pair: row r is pair r / num_tk.  Everything random is addressed by
 * (seed, block, step, pair), so any range of rows can be made alone, by any worker.
 */
#ifndef LFM_FLOW_MATCHING_H
#define LFM_FLOW_MATCHING_H

#include "core/rng.h"
#include "flow/coupling.h"
#include "flow/ou.h"
#include "flow/pool.h"
#include "net/net.h"

/* Where pairs come from. */
typedef struct lfm_pairs {
  const lfm_pool *pool; /* of pairing.pool_rows rows */
  /* Of a student: x_r of each of them, where its teacher came from, and the times of both ends, between which the line runs;
   * at_noise: every t is t_right, for one step x_l ~ x_r - (t_right - t_left) v(t_right, x_r).  [paper, Algorithm A.1]
   * NULL: x_r is made by the OU step, and the ends are at 0 and 1. */
  const lfm_pool *right;
  double t_left, t_right;
  bool at_noise;
  bool is_meanflow;  /* what is learnt is the mean velocity over a span of time before t (flow/meanflow.h) */
  bool drops;        /* does the network leave activations out (dropout)? */
  double given_drop; /* share of the pairs of which the network is shown nothing that is given */
  int64_t dim;
  lfm_pairing pairing;
  lfm_ou ou_to_right; /* from x' to x_r */
  lfm_ou ou_to_left;  /* pool: ou -- from a data row to x_l; decay = 1, noise = 0 for a pushed pool */
  lfm_interp interp;
  bool beta_times; /* t ~ Beta(alpha, beta), else U(0, 1) */
  double alpha, beta;
  int times;                       /* num_tk */
  int64_t target_rows;             /* rows of the pool that a target is the mean over; 0: the pair's own */
  int64_t mirror;                  /* over 0: half of the x_l are seen mirrored, pictures of so many columns; 0: none */
  double defensive;                /* share of the pairs whose x_l is drawn from the wide law instead of the pool */
  lfm_purpose noise_for, time_for; /* training draws, or the fixed ones of validation */
} lfm_pairs;

/* One worker's scratch. */
typedef struct lfm_matching lfm_matching;
lfm_status lfm_matching_create(const lfm_net *net, lfm_run_kind kind, int64_t rows, lfm_matching **out);
/* Of a part of a batch, which leaves its gradient to the factors and takes no grads. */
lfm_status lfm_matching_create_part(const lfm_net *net, lfm_factors *factors, int part, lfm_matching **out);
void lfm_matching_destroy(lfm_matching *matching);

/* Makes room for pairs with target_rows = rows; once, and only such pairs and those with 0 from then on. */
lfm_status lfm_matching_average(lfm_matching *matching, int64_t rows);
size_t lfm_matching_memory(const lfm_matching *matching); /* bytes of its buffers */

/* Rows first .. first+count-1 of the batch at `step` through the network; count <= the run's rows.
 * *loss_sum += the sum over rows and dimensions of the squared error. */
lfm_status lfm_matching_loss(lfm_matching *matching, const lfm_pairs *pairs, const lfm_params *params, int64_t step,
                             int64_t first, int64_t count, double *loss_sum);

/* The same, then grads = (or +=) the gradient of  loss_sum / normaliser. */
lfm_status lfm_matching_gradient(lfm_matching *matching, const lfm_pairs *pairs, const lfm_params *params, int64_t step,
                                 int64_t first, int64_t count, double normaliser, float *grads, bool accumulate,
                                 double *loss_sum);

#endif
