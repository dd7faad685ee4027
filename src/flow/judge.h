/* SPDX-License-Identifier: MIT
 *
 * judge.h -- inside of lfm_judge where this room sees more than metric does: learning under a meter that others feed, too,
 * and the file's content without the file.
 */
#ifndef LFM_FLOW_JUDGE_H
#define LFM_FLOW_JUDGE_H

#include "flow/meter.h"
#include "metric/judge.h"
#include "store/safetensors.h"

/* lfm_judge_train as a part of another call: the progress function of the options is not asked, but the meter's. */
lfm_status lfm_judge_learn_under(lfm_meter *meter, const lfm_judge_options *options, lfm_judge **out,
                                 lfm_judge_result *result);

/* A judge from what its file holds, which may be anything.  LFM_E_FORMAT or LFM_E_UNSUPPORTED names file and fault. */
lfm_status lfm_judge_read(const lfm_archive *archive, lfm_judge **out);

#endif
