/* SPDX-License-Identifier: MIT
 *
 * likelihood.h -- log-likelihood along the chain.                                        [paper, section 3; FFJORD eq. 4]
 *   log p(x) = sum_n integral_0^1 div v_n(t, x(t)) dt + log N(x_N; 0, I) + log |det dx_0/dx|
 * with x_0 the normalised row, the last by the normaliser (data/normaliser.h), div the exact trace; or, where d tangents a
 * row are too dear, the mean of e' (dv/dx) e over K vectors e of random signs, without bias.
 *                                                                            [Hutchinson 1989; FFJORD section 3.1]
 */
#ifndef LFM_FLOW_LIKELIHOOD_H
#define LFM_FLOW_LIKELIHOOD_H

#include "flow/chain.h"
#include "flow/solve.h"

/* log N(x; 0, I), x [dim]. */
double lfm_normal_logp(const double *x, int64_t dim);

enum { LFM_MOST_PROBES = 1000 };

typedef struct lfm_probes {
  int count; /* a row, up to LFM_MOST_PROBES; 0: the exact trace */
  uint64_t seed;
  const int64_t *number; /* [rows] by which each draws its own, whatever stands beside it; NULL: 0, 1, ... */
  double *variance;      /* out, [rows]; may be NULL */
} lfm_probes;

/* Rows, and what is said of them. */
typedef struct lfm_likelihood_rows {
  int64_t count;
  double *x;    /* [count, cols] in the data's units; not written */
  float *given; /* [count, given] what is given of each; or NULL */
  lfm_probes probes;
  double *logp;    /* out, [count] nats of the data's units, NAN where the solve failed */
  double *cut;     /* out, [blocks + 1, count], or NULL: the same rows under every beginning of the chain, in the one solve:
                    * cut[n, i] is log p of row i when N(0, I) is taken to stand at border n already, NAN from the border on
                    * where the row failed; cut[blocks, i] is logp[i] */
  uint8_t *failed; /* out, [count] lfm_row_status */
  int64_t *nfe;    /* out, [count] */
} lfm_likelihood_rows;

/* By probes the K of a row are drawn once a block, and probe k's log-determinants l_k of all blocks summed:
 *   variance = sum_k (l_k - mean)^2 / (K (K - 1)), of the mean that logp holds, by the probes; NAN for K = 1 and for failed
 * rows, and not written without probes.  paper: Euler on 150 nodes for the trace, its end point for N(x_N), dopri5 at
 * solve->tol between the blocks.  LFM_E_USAGE when there are too many probes. */
lfm_status lfm_likelihood(const lfm_model *model, lfm_team *team, const lfm_solve *solve, bool paper,
                          const lfm_likelihood_rows *rows, lfm_meter *meter);

/* Where log p says nothing: LFM_E_UNSUPPORTED of pictures whose grey levels stand for points, LFM_E_USAGE of those that were
 * never learnt without their class. */
lfm_status lfm_density_check(const lfm_model *model);

/* So many as are asked for; two where none are and there has to be one: they state their error. */
int lfm_probes_of(const lfm_model *model, int asked);

/* LFM_E_USAGE when there are too many, or below 0; a note where the exact trace is no dearer. */
lfm_status lfm_probes_check(int count);
void lfm_probes_advise(const lfm_model *model, int count);

/* The mean of a row's `count` independent estimates, and the variance of that mean by their spread: NAN for one. */
double lfm_probes_mean(const double *estimates, int count);
double lfm_probes_variance(const double *estimates, int count);

/* How many of `rows` held-out rows are scored without being asked: 2,000, fewer where the trace is dear. */
int64_t lfm_likelihood_rows_advised(const lfm_model *model, int64_t rows);

#endif
