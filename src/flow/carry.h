/* SPDX-License-Identifier: MIT
 *
 * carry.h -- rows through one block: the solution of dx/dt = v_n(t, x) between two flow times, for many rows at once.
 * The push (t: 0 -> 1 on the pool), generation (1 -> 0) and likelihood (0 -> 1 with the log-determinant) are this.
 */
#ifndef LFM_FLOW_CARRY_H
#define LFM_FLOW_CARRY_H

#include "core/rng.h"
#include "flow/meter.h"
#include "net/net.h"
#include "ode/ode.h"

typedef struct lfm_carry lfm_carry; /* every worker's network run and solver work space */

lfm_status lfm_carry_create(lfm_team *team, const lfm_net *net, bool with_logdet, lfm_carry **out);
/* With the log-determinant estimated from `probes` random vectors a row.  [Hutchinson 1989; FFJORD section 3.1] */
lfm_status lfm_carry_create_probed(lfm_team *team, const lfm_net *net, int probes, lfm_carry **out);
void lfm_carry_destroy(lfm_carry *carry);
size_t lfm_carry_memory(const lfm_carry *carry); /* bytes of all workers' buffers; NULL: 0 */

typedef struct lfm_path {
  double t0, t1;
  lfm_solver solver;
  double tol;      /* absolute and relative, adaptive solvers */
  int fixed_steps; /* over 0: so many steps instead, */
  double crowding; /* equal in t^(1 / crowding); 0: 1 */
} lfm_path;

/* The rows, carried in place.  Exactly one of f16, f32 and f64 is set; the solver's state is of doubles, so that a row is
 * rounded once, when it is put back. */
typedef struct lfm_rows {
  int64_t count;
  uint16_t *f16;   /* [count, dim] halves (core/half.h) */
  float *f32;      /* [count, dim] */
  double *f64;     /* [count, dim] */
  double *logdet;  /* [count], probed [count, probes], += integral of div v dt; NULL without */
  uint8_t *failed; /* [count] lfm_row_status, kept once set: such a row is carried no further */
  int64_t *nfe;    /* [count] += evaluations; may be NULL */
  bool spread;     /* a few rows, too, go to the workers of many: some passes are padded, but no memory is asked for */
  /* What the net is given of each row, [count, given]; NULL: nothing, as where it takes nothing.  guidance w: the field is
   * u + w (v - u), u that with nothing given; 1 is v itself and takes one evaluation, not two.
   * [Ho and Salimans 2022, their 1 + w] */
  const float *given;
  double guidance;
  /* Probed: where the probes are drawn, by this row number.  One set a row and solve, so that the ODE has a fixed field. */
  lfm_rng probe;         /* its step is the probe's number */
  const int64_t *number; /* [count]; NULL: 0, 1, ... */
} lfm_rows;

/* Passes of the network for one evaluation of the field: two where something given is guided. */
static inline double lfm_carry_passes(const float *given, double guidance) { return given && guidance != 1.0 ? 2.0 : 1.0; }

/* LFM_E_INTERRUPTED when the meter's caller wants to stop: rows are then in between. */
lfm_status lfm_carry_rows(lfm_carry *carry, const lfm_params *params, const lfm_path *path, lfm_rows *rows, lfm_meter *meter);

#endif
