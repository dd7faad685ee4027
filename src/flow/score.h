/* SPDX-License-Identifier: MIT
 *
 * score.h -- lfm_score without its warnings about the rows, for those within who have looked at them or do not show them, and
 * without the solver's error, which they do not show either (NAN).  LFM_E_NUMERIC where no row was solved: result->failed
 * says how many there are, result->rows is 0.
 */
#ifndef LFM_FLOW_SCORE_H
#define LFM_FLOW_SCORE_H

#include "lfm.h"

lfm_status lfm_score_quietly(const lfm_model *model, const lfm_table *table, const lfm_score_options *options,
                             lfm_table **out, lfm_score_result *result);

#endif
