/* SPDX-License-Identifier: MIT
 *
 * fingerprint.h -- do the same rows, or the same model, come back?  64 bits of FNV-1a, in 16 hexadecimal digits: against a
 * mistake, not against an enemy.
 */
#ifndef LFM_FLOW_FINGERPRINT_H
#define LFM_FLOW_FINGERPRINT_H

#include "data/table.h"
#include "flow/chain.h"

enum { LFM_FINGERPRINT = 17 }; /* 16 digits and the end */

uint64_t lfm_fingerprint_begin(void);
uint64_t lfm_fingerprint_bytes(uint64_t hash, const void *data, size_t size);
uint64_t lfm_fingerprint_table(uint64_t hash, const lfm_table *table); /* names and values, or whatever else its rows are */
uint64_t lfm_fingerprint_model(uint64_t hash, const lfm_model *model); /* keys, units and weights of its blocks */
void lfm_fingerprint_end(uint64_t hash, char out[LFM_FINGERPRINT]);

#endif
