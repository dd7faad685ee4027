/* SPDX-License-Identifier: MIT
 *
 * retrain.h -- train on generated pictures, test on real ones: what a set teaches about the classes.
 */
#ifndef LFM_FLOW_RETRAIN_H
#define LFM_FLOW_RETRAIN_H

#include "data/table.h"
#include "flow/meter.h"

/* A judge learns from `lessons`, a tenth of which chooses its epoch, and is asked about `exam`; both have labels.
 *   right [rows of exam]  1 where it finds the class, else 0
 * LFM_E_DATA where a label of the exam is none of the lessons'. */
lfm_status lfm_retrain(const lfm_table *lessons, const lfm_table *exam, uint64_t seed, int threads, lfm_meter *meter,
                       double *right, lfm_share *accuracy);

#endif
