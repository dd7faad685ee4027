/* SPDX-License-Identifier: MIT
 *
 * features.c -- what no score of feature vectors can do without: enough rows, one width, finite values.
 * Asked once, ahead of the work: a value that is not finite would make every distance to its row compare as false, and the
 * row would pass for one that is far from all others.
 */
#include "metric/features.h"

#include <math.h>

lfm_status lfm_features_check(const lfm_features *f, int64_t least) {
  if (f->rows < least || f->dim < 1)
    return lfm_fail(LFM_E_DATA, "%s: %lld rows of %lld features; this score takes %lld rows or more", f->name,
                    (long long)f->rows, (long long)f->dim, (long long)least);
  for (int64_t i = 0; i < f->rows; i++)
    for (int64_t c = 0; c < f->dim; c++) {
      float value = f->x[i * f->dim + c];
      if (!(fabsf(value) <= 1e15f))
        return lfm_fail(LFM_E_DATA, "%s: feature %lld of row %lld is %g; features must be finite and within 1e15", f->name,
                        (long long)c, (long long)i, (double)value);
    }
  return LFM_OK;
}

lfm_status lfm_features_check_pair(const lfm_features *a, const lfm_features *b, int64_t least) {
  LFM_TRY(lfm_features_check(a, least));
  LFM_TRY(lfm_features_check(b, least));
  if (a->dim != b->dim)
    return lfm_fail(LFM_E_DATA, "%s has %lld features a row and %s %lld; take both from one extractor", a->name,
                    (long long)a->dim, b->name, (long long)b->dim);
  return LFM_OK;
}
