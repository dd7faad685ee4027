/* SPDX-License-Identifier: MIT
 *
 * selftest.h -- what the files of `lfm selftest` share: where a check goes, how far two results lie apart at most where
 * either may be wrong in any way, and the checks of the kernels, of which tests put wrong ones in place of the real.
 */
#ifndef LFM_FLOW_SELFTEST_H
#define LFM_FLOW_SELFTEST_H

#include "core/status.h"
#include "core/threads.h"
#include "kernel/kernel.h"

#include <math.h>

typedef struct lfm_checks {
  lfm_check_fn report; /* NULL: nobody listens */
  void *context;
  lfm_team *team;
  int failed;
} lfm_checks;

/* Reports one check; what it saw as printf's. */
void lfm_check(lfm_checks *checks, const char *what, bool passed, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The larger of a gap so far and one more difference; infinite for good once a difference is not finite: comparisons and
 * fmax pass over a NaN. */
static inline double lfm_gap_widen(double gap, double difference) {
  return isfinite(difference) ? fmax(gap, fabs(difference)) : (double)INFINITY;
}

/* ---- kernels (selftest_kernels.c) --------------------------------------------------------------------------- */

/* Networks for tables, pictures and policies, and what double precision makes of them: of one row by the whole team. */
typedef struct lfm_oracle lfm_oracle;
lfm_status lfm_oracle_create(lfm_team *team, lfm_oracle **out);
void lfm_oracle_destroy(lfm_oracle *oracle);

/* A table of kernels, and the bits that a term of its products keeps: 24, of two halves 17, of bfloat16 8. */
typedef struct lfm_checked_table {
  const lfm_kernels *kernels;
  int bits;
} lfm_checked_table;

/* Those that evaluate and train on this machine, *count of them; none where double precision itself is forced. */
enum { LFM_CHECKED_TABLES = 3 };
void lfm_checked_tables(lfm_checked_table tables[LFM_CHECKED_TABLES], int *count);

/* Does this table make the same?  A check for each kind of data. */
lfm_status lfm_check_table(lfm_checks *checks, const lfm_oracle *oracle, const lfm_checked_table *table);
/* The oracle's gradients against finite differences of its own v: one check. */
lfm_status lfm_check_gradients(lfm_checks *checks, const lfm_oracle *oracle);

#endif
