/* SPDX-License-Identifier: MIT
 *
 * interpolant.h -- the path between the two ends of a block.                           [paper, table of interpolants]
 *   I_t = a(t) x_l + b(t) x_r,   dI_t/dt = a'(t) x_l + b'(t) x_r
 *   linear (OT)  a = 1 - t,           b = t
 *   trig         a = cos(pi t / 2),   b = sin(pi t / 2)
 */
#ifndef LFM_FLOW_INTERPOLANT_H
#define LFM_FLOW_INTERPOLANT_H

#include "config/config.h"

typedef struct lfm_interpolant {
  float a, b, da, db;
} lfm_interpolant;

lfm_interpolant lfm_interpolant_at(lfm_interp kind, double t);

#endif
