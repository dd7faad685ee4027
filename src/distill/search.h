/* SPDX-License-Identifier: MIT
 *
 * search.h -- the best merge plan of a chain for K students: the one of least error (operators.h).
 */
#ifndef LFM_DISTILL_SEARCH_H
#define LFM_DISTILL_SEARCH_H

#include "distill/operators.h"

typedef struct lfm_merge_found {
  lfm_merge_plan plan;
  double error; /* lfm_merge_error of it */
  double bound; /* no plan has less: equal to error when the plan is proved to be the best */
} lfm_merge_found;

/* Searches all trees over all cuts into so many students, 1 .. blocks, or, with `even`, over the even cut only.  Chains of up
 * to LFM_MERGE_EXACT blocks are solved exactly; longer ones as far as fronts of a fixed width go, a second or two for 32
 * blocks and 1,000 coordinates, and the gap that is left between bound and error is some thousandths or none.  LFM_E_USAGE
 * when there are not so many blocks. */
enum { LFM_MERGE_EXACT = 12 };
lfm_status lfm_merge_search(const lfm_merge_operators *operators, int students, bool even, lfm_merge_found *out);

#endif
