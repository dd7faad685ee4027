/* SPDX-License-Identifier: MIT
 *
 * sheet.h -- a contact sheet: episodes of a world to look at, a strip of moments each.
 */
#ifndef LFM_POLICY_SHEET_H
#define LFM_POLICY_SHEET_H

#include "sim/world.h"

enum { LFM_SHEET_ROWS = 6, LFM_SHEET_MOMENTS = 8, LFM_SHEET_SIDE = 160 };

/* One episode: where it was before each action, and at the end. */
typedef struct lfm_strip {
  int64_t states;      /* how many */
  const double *state; /* [states, state_dim] */
} lfm_strip;

/* One PNG of the first LFM_SHEET_ROWS strips, the first moment to the last from left to right.  LFM_E_UNSUPPORTED without
 * something to draw with. */
lfm_status lfm_sheet_draw(const char *path, const lfm_task *task, const lfm_strip *strips, int64_t count);

/* Whether that has a chance, to be asked before the work: by a picture of one pixel. */
lfm_status lfm_sheet_check(const char *path, const lfm_task *task);

#endif
