/* SPDX-License-Identifier: MIT
 *
 * conformal.c -- see conformal.h.  An order statistic and no interpolation: the guarantee is that of ranks.
 */
#include "metric/conformal.h"
#include "core/order.h"

#include <math.h>
#include <stdlib.h>

/* Of (count + 1) (1 - alpha), which for 19 and 0.05 is 19 and not the 19.000000000000004 of the arithmetic. */
static double rank_of(int64_t count, double alpha) { return fmax(ceil(((double)count + 1.0) * (1.0 - alpha) - 1e-9), 1.0); }

lfm_status lfm_conformal_check(int64_t count, double alpha) {
  double least = ceil((1.0 - alpha) / alpha - 1e-9);
  if (rank_of(count, alpha) <= (double)count && count > 0) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "alpha: %g of false alarms cannot be promised by %lld good episodes; it takes %.0f at least",
                  alpha, (long long)count, least);
}

lfm_status lfm_conformal_quantile(double *values, int64_t count, double alpha, double *out) {
  LFM_TRY(lfm_conformal_check(count, alpha));
  qsort(values, (size_t)count, sizeof *values, lfm_by_size);
  *out = values[(int64_t)rank_of(count, alpha) - 1];
  return LFM_OK;
}
