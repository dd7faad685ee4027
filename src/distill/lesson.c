/* SPDX-License-Identifier: MIT
 *
 * lesson.c -- see lesson.h.
 */
#include "distill/lesson.h"

#include "core/alloc.h"

#include <string.h>

enum { MOST_VALID = 10000 };

void lfm_lesson_release(lfm_lesson *lesson) {
  lfm_pool_release(&lesson->left);
  lfm_pool_release(&lesson->right);
  lfm_pool_release(&lesson->valid_left);
  lfm_pool_release(&lesson->valid_right);
}

/* ---- the parts, one after the other --------------------------------------------------------------------------- */

/* The rows, which are at the noisy border of this part, through it, but for those that failed before. */
static lfm_status through(const lfm_syllabus *of, int part, lfm_pool *x, uint8_t *failed, double *evaluations) {
  const lfm_model *student = of->student[part];
  const lfm_pool *data = &of->states->border[0];
  lfm_solve one = {.solver = LFM_EULER, .fixed_steps = 1};
  lfm_part block = lfm_part_of(of->how->split, of->plan->node[part].first);
  lfm_span span = student ? student->span[0] : block.span;
  const lfm_solve *solve = student ? &one : &of->how->solve;
  lfm_path path = lfm_solve_path(solve, of->teacher, block.block, span.right, span.left);
  const lfm_params *weights = student ? student->params[0] : of->teacher->params[block.block];
  double passes = student ? 1.0 : lfm_carry_passes(data->given, of->how->guidance);
  int64_t *nfe;
  LFM_TRY(LFM_ALLOC_ROWS(&nfe, x->rows));
  lfm_rows rows = {.count = x->rows,
                   .f16 = x->halves,
                   .f32 = x->values,
                   .failed = failed,
                   .nfe = nfe,
                   .given = data->given,
                   .guidance = student ? 1.0 : of->how->guidance}; /* a student has the guidance within */
  lfm_meter_phase(of->meter, LFM_PHASE_SAMPLE, 1, 1, 0, x->rows);
  lfm_status status = lfm_carry_rows(of->carry, weights, &path, &rows, of->meter);
  for (int64_t i = 0; i < x->rows; i++) *evaluations += passes * (double)nfe[i];
  lfm_free(nfe);
  return status;
}

/* The parts from the noise's side on, for as long as they are blocks: so far the teacher has been.  Those before go on from
 * there, in x. */
static lfm_status through_parts(const lfm_syllabus *of, const int *part, int parts, lfm_pool *x, uint8_t *failed,
                                double *evaluations) {
  int k = parts - 1;
  const lfm_merge_node *node = of->plan->node;
  while (k >= 0 && !of->student[part[k]] && !node[part[k]].children) k--;
  int border = k < parts - 1 ? node[part[k + 1]].first - 1 : node[part[parts - 1]].last;
  memcpy(lfm_pool_numbers(x), lfm_pool_numbers(&of->states->border[border]),
         (size_t)(x->rows * x->dim) * lfm_pool_number_size(x));
  for (; k >= 0; k--) LFM_TRY(through(of, part[k], x, failed, evaluations));
  return LFM_OK;
}

/* From where its noisiest part begins to where that block ends, or the student's part of it. */
lfm_span lfm_lesson_span(int split, const lfm_merge_node *merge) {
  lfm_part from = lfm_part_of(split, merge->last), to = lfm_part_of(split, merge->first);
  return (lfm_span){.right = from.span.right, .left = from.block == to.block ? to.span.left : 0.0};
}

/* ---- pairs ------------------------------------------------------------------------------------------------------ */

/* Rows that did not fail, from row `at` on, until `to` is full, with what is given of them where it has room for that; the
 * row behind the last. */
static int64_t take_rows(const lfm_pool *from, const float *given, const uint8_t *failed, int64_t at, lfm_pool *to) {
  size_t bytes = (size_t)from->dim * lfm_pool_number_size(from), numbers = (size_t)to->givens;
  const char *rows = lfm_pool_numbers(from);
  char *room = lfm_pool_numbers(to);
  for (int64_t taken = 0; taken < to->rows; at++) {
    if (failed[at]) continue;
    memcpy(room + (size_t)taken * bytes, rows + (size_t)at * bytes, bytes);
    if (given) memcpy(to->given + (size_t)taken * numbers, given + (size_t)at * numbers, numbers * sizeof *given);
    taken++;
  }
  return at;
}

int64_t lfm_lesson_rows(int64_t rows) { return rows - (rows / 10 < MOST_VALID ? rows / 10 : MOST_VALID); }

/* Of the `rows` that did not fail the first to learn from, the last to be judged by. */
static lfm_status split(const lfm_pool *from, const lfm_pool *given, const uint8_t *failed, int64_t rows, lfm_pool *train,
                        lfm_pool *valid) {
  int64_t learnt = lfm_lesson_rows(rows), givens = given ? given->givens : 0;
  const float *numbers = given ? given->given : NULL;
  LFM_TRY(lfm_pool_make(learnt, from->dim, from->halves != NULL, givens, train));
  LFM_TRY(lfm_pool_make(rows - learnt, from->dim, from->halves != NULL, givens, valid));
  take_rows(from, numbers, failed, take_rows(from, numbers, failed, 0, train), valid);
  return LFM_OK;
}

lfm_status lfm_lesson_make(const lfm_syllabus *of, int node, lfm_lesson *out, double *evaluations) {
  const lfm_merge_node *merge = &of->plan->node[node];
  const lfm_pool *data = &of->states->border[0], *from = &of->states->border[merge->last];
  int part[LFM_MAX_BLOCKS] = {node}, parts = 0;
  int64_t rows = of->states->rows, lost = 0;
  uint8_t *failed = NULL;
  lfm_pool x = {0};
  *out = (lfm_lesson){0};
  for (int c = merge->child; c >= 0; c = of->plan->node[c].next) part[parts++] = c;
  if (!parts) parts = 1; /* a block alone, whose flow becomes a step */
  const lfm_model *noisiest = of->student[part[parts - 1]];
  lfm_span span = lfm_lesson_span(of->how->split, merge);
  out->t_left = span.left, out->t_right = span.right;
  out->start = noisiest ? noisiest->params[0] : of->teacher->params[lfm_part_of(of->how->split, merge->last).block];
  memcpy(out->origin, of->states->origin, sizeof out->origin);
  lfm_status status;
  LFM_TRY_GOTO(lfm_pool_make(rows, data->dim, data->halves != NULL, 0, &x), done);
  LFM_TRY_GOTO(LFM_ALLOC_ROWS(&failed, rows), done);
  LFM_TRY_GOTO(through_parts(of, part, parts, &x, failed, evaluations), done);
  for (int64_t i = 0; i < rows; i++) lost += failed[i] != 0;
  LFM_TRY_GOTO(lfm_states_do_without(lost, rows, "the solve behind a student"), done);
  LFM_TRY_GOTO(split(&x, data, failed, rows - lost, &out->left, &out->valid_left), done);
  LFM_TRY_GOTO(split(from, NULL, failed, rows - lost, &out->right, &out->valid_right), done);
done:
  lfm_free(failed);
  lfm_pool_release(&x);
  return status;
}
