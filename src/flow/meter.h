/* SPDX-License-Identifier: MIT
 *
 * meter.h -- how far a call has come: feeds the caller's progress function about ten times a second, and hears its wish to
 * stop.  Only the calling thread ticks; the clock never decides a number.
 */
#ifndef LFM_FLOW_METER_H
#define LFM_FLOW_METER_H

#include "core/status.h"

typedef struct lfm_meter {
  lfm_progress_fn fn;
  void *context;
  lfm_progress at;
  double begun, phase_begun, last; /* seconds of the monotonic clock */
  int64_t phase_first;             /* `done` when the phase began: a resumed phase counts its own speed */
  bool stopped;
} lfm_meter;

double lfm_seconds(void); /* monotonic */

/* The seconds that a call's length follows from: those asked for, or the usual. */
enum { LFM_USUAL_SECONDS = 600 };
lfm_status lfm_time_limit_check(double asked);
static inline double lfm_time_limit(double asked) { return asked > 0.0 ? asked : LFM_USUAL_SECONDS; }

void lfm_meter_begin(lfm_meter *meter, lfm_progress_fn fn, void *context);
void lfm_meter_phase(lfm_meter *meter, unsigned phase, int block, int blocks, int64_t done, int64_t total);

/* True, from then on always, when the caller wants to stop. */
bool lfm_meter_tick(lfm_meter *meter, int64_t done);

#endif
