/* SPDX-License-Identifier: MIT
 *
 * scored.h -- rows of a table whose log p is asked: chosen and gathered; and how far their log p is from the true one of the
 * model, for the solver's part.  Score and ledger stand on this.
 */
#ifndef LFM_FLOW_SCORED_H
#define LFM_FLOW_SCORED_H

#include "flow/likelihood.h"

typedef struct lfm_scored {
  lfm_likelihood_rows rows; /* all of it allocated, but cut; the probes' variance where there are probes */
  int64_t *row;             /* [rows.count] number in the table */
  double *group;            /* [rows.count], or NULL */
} lfm_scored;

/* `wanted` rows of the table, evenly spaced (0: all), with what is given of each; so many probes a row as
 * lfm_probes_of says.  group: a table of one column beside it, or NULL. */
lfm_status lfm_scored_choose(const lfm_model *model, const lfm_table *table, int64_t wanted, const lfm_table *group,
                             int probes, uint64_t seed, lfm_scored *out);
void lfm_scored_release(lfm_scored *s);

/* Mean |difference| of log p, once all rows are solved, to the same by a tenth of the tolerance, of fixed steps by the usual
 * one, from those of the least log p and some others; NAN where none was solved twice, and where no solve is finer or it
 * would take longer. */
lfm_status lfm_scored_solver_error(const lfm_scored *s, const lfm_model *model, lfm_team *team, const lfm_solve *solve,
                                   lfm_meter *meter, double *error);

#endif
