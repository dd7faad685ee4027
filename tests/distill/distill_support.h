/* SPDX-License-Identifier: MIT
 *
 * distill_support.h -- teachers whose maps are known: chains of linear blocks, x(1) = e^rate x(0), of which a student of
 * blocks 1 to n has to learn v = (1 - e^-(rate_1 + ... + rate_n)) x.
 */
#ifndef DISTILL_SUPPORT_H
#define DISTILL_SUPPORT_H

#include "flow/train_support.h"

#include "distill/states.h"

/* Three blocks over two columns. */
static const double rates[3] = {0.4, -0.3, 0.2};

static inline lfm_model *linear_teacher(void) {
  lfm_table *table = gaussian_table(50, 2, 3);
  lfm_model *teacher = linear_chain(table, rates, 3);
  lfm_table_destroy(table);
  return teacher;
}

/* Of blocks first to last, 1-based: what a row at the noisy border is multiplied by on its way to the other. */
static inline double shrinks(int first, int last) {
  double sum = 0.0;
  for (int n = first; n <= last; n++) sum += rates[n - 1];
  return exp(-sum);
}

static inline lfm_states_options drawn(int64_t rows) {
  return (lfm_states_options){
      .split = 1, .rows = rows, .seed = 8, .guidance = 1.0, .solve = {.solver = LFM_DOPRI5, .tol = 1e-7}};
}

/* What the teacher draws, and all that was needed for it. */
typedef struct drawing {
  lfm_team *team;
  lfm_carry *carry;
  lfm_meter meter;
  lfm_states states;
} drawing;

static inline drawing draw(const lfm_model *teacher, const lfm_states_options *how, int threads) {
  drawing made;
  OK(lfm_team_create(threads, &made.team));
  OK(lfm_carry_create(made.team, teacher->net, false, &made.carry));
  lfm_meter_begin(&made.meter, NULL, NULL);
  OK(lfm_states_record(teacher, how, made.carry, &made.meter, &made.states));
  return made;
}

static inline void draw_drop(drawing *made) {
  lfm_states_release(&made->states);
  lfm_carry_destroy(made->carry);
  lfm_team_destroy(made->team);
}

#endif
