/* SPDX-License-Identifier: MIT
 *
 * meter.c -- see meter.h.
 */
#include "flow/meter.h"

#include <math.h>
#include <time.h>

double lfm_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

lfm_status lfm_time_limit_check(double asked) {
  if (asked >= 0.0) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "time_limit: %g seconds; 0 takes the usual %d", asked, LFM_USUAL_SECONDS);
}

void lfm_meter_begin(lfm_meter *meter, lfm_progress_fn fn, void *context) {
  *meter = (lfm_meter){.fn = fn, .context = context, .begun = lfm_seconds()};
  meter->at.loss = meter->at.valid_loss = (double)NAN;
}

void lfm_meter_phase(lfm_meter *meter, unsigned phase, int block, int blocks, int64_t done, int64_t total) {
  meter->at.phase = phase;
  meter->at.block = block;
  meter->at.blocks = blocks;
  meter->at.total = total;
  meter->phase_begun = lfm_seconds();
  meter->phase_first = done;
  meter->last = 0.0; /* the first tick of a phase is shown at once */
  lfm_meter_tick(meter, done);
}

bool lfm_meter_tick(lfm_meter *meter, int64_t done) {
  if (!meter->fn || meter->stopped) return meter->stopped;
  double now = lfm_seconds();
  if (now - meter->last < 0.1 && done < meter->at.total) return false;
  meter->last = now;
  double elapsed = now - meter->phase_begun;
  meter->at.done = done;
  meter->at.seconds = now - meter->begun;
  meter->at.rate = elapsed > 0.0 ? (double)(done - meter->phase_first) / elapsed : 0.0;
  meter->stopped = meter->fn(&meter->at, meter->context);
  return meter->stopped;
}
