/* SPDX-License-Identifier: MIT
 *
 * likelihood.h -- exact log-likelihood along the chain.                                  [paper, section 3; FFJORD eq. 4]
 *   log p(x) = sum_n integral_0^1 div v_n(t, x(t)) dt + log N(x_N; 0, I) + log |det W|
 * with x_0 the normalised row, W the normaliser's matrix, div the exact trace.
 */
#ifndef LFM_FLOW_LIKELIHOOD_H
#define LFM_FLOW_LIKELIHOOD_H

#include "flow/chain.h"
#include "flow/solve.h"

/* log N(x; 0, I), x [dim]. */
double lfm_normal_logp(const double *x, int64_t dim);

/* x [rows, cols] in the data's units -> logp [rows] in nats of the data's units, failed [rows] lfm_row_status, nfe [rows].
 * paper: Euler on 150 nodes for the trace, its end point for N(x_N), dopri5 at solve->tol between the blocks. */
lfm_status lfm_likelihood(const lfm_model *model, lfm_team *team, const lfm_solve *solve, bool paper, int64_t rows,
                          const double *x, double *logp, uint8_t *failed, int64_t *nfe, lfm_meter *meter);

/* The same rows under every beginning of the chain, in the one solve: cut[n, i], [blocks + 1, rows], is log p of row i when
 * N(0, I) is taken to stand at border n already; cut[blocks, i] is logp[i].  NAN from the border on where a row failed. */
lfm_status lfm_likelihood_cut(const lfm_model *model, lfm_team *team, const lfm_solve *solve, int64_t rows, const double *x,
                              double *logp, double *cut, uint8_t *failed, int64_t *nfe, lfm_meter *meter);

/* How many of `rows` held-out rows are scored without being asked: 2,000, fewer where the trace is dear. */
int64_t lfm_likelihood_rows_advised(const lfm_model *model, int64_t rows);

#endif
