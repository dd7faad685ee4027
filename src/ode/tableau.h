/* SPDX-License-Identifier: MIT
 *
 * tableau.h -- the coefficients of an explicit Runge-Kutta method, for who steps by them; others name a lfm_solver.
 *
 *     k_s = f(t + c_s h, y + h sum_{j<s} a_sj k_j),   y' = y + h sum_s b_s k_s        [Hairer, Norsett, Wanner I, (II.1.8)]
 *
 * A pair has a second solution y^ = y + h sum_s b^_s k_s of lower order, for the error estimate y^ - y'.  In the pairs here
 * the extra stage k = f(t + h, y') is the first stage of the next step ("first same as last"), so its row of a is b, and
 * only the weights e = b^ - b know about it.
 */
#ifndef LFM_ODE_TABLEAU_H
#define LFM_ODE_TABLEAU_H

#include "ode/ode.h"

#define LFM_TABLEAU_STAGES 6 /* at most, for y'; a pair has one k more */

typedef struct lfm_tableau {
  const char *name;
  int stages;         /* evaluations for y' */
  int order;          /* of y' */
  int embedded_order; /* of y^; 0: no pair, no error estimate */
  bool fsal;          /* one more k, at (t + h, y'), that opens the next step */
  double c[LFM_TABLEAU_STAGES];
  double a[LFM_TABLEAU_STAGES][LFM_TABLEAU_STAGES - 1];
  double b[LFM_TABLEAU_STAGES];
  double e[LFM_TABLEAU_STAGES + 1]; /* b^ - b */
} lfm_tableau;

const lfm_tableau *lfm_tableau_of(lfm_solver solver);

/* Does k[stage] enter y', or where the error is estimated y^?  If not, it only leads to other stages: dopri5's second. */
bool lfm_tableau_weighs(const lfm_tableau *tableau, int stage, bool estimates);

#endif
