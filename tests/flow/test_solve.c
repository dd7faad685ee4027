/* SPDX-License-Identifier: MIT
 *
 * test_solve.c -- what a caller's wish for a solver becomes on a chain, and which wishes are refused.
 */
#include "flow_support.h"

#include "flow/solve.h"

static void defaults_are_dopri5(void **state) {
  (void)state;
  lfm_solve solve;
  OK(lfm_solve_parse(&(lfm_solver_options){0}, 4, &solve));
  assert_int_equal(solve.solver, LFM_DOPRI5);
  assert_true(solve.tol == LFM_DEFAULT_TOL && solve.fixed_steps == 0);
  lfm_path path = lfm_solve_path(&solve, &(lfm_model){0}, 0, 1.0, 0.0);
  assert_true(path.t0 == 1.0 && path.t1 == 0.0 && path.tol == LFM_DEFAULT_TOL);
}

/* nfe over a chain of 3 blocks: the solver and its steps in each. */
static void evaluations_are_shared_by_the_blocks(void **state) {
  (void)state;
  static const struct {
    int nfe;
    const char *solver;
    lfm_solver chosen;
    int steps;
  } cases[] = {{3, NULL, LFM_EULER, 1},       {6, NULL, LFM_MIDPOINT, 1},  {21, NULL, LFM_MIDPOINT, 3},
               {24, NULL, LFM_MIDPOINT, 4},   {24, "rk4", LFM_RK4, 2},     {30, "euler", LFM_EULER, 10},
               {18, "dopri5", LFM_DOPRI5, 1}, {37, "tsit5", LFM_TSIT5, 2}, {6, "midpoint", LFM_MIDPOINT, 1},
               {18, "bs23", LFM_BS23, 2}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_solve solve;
    OK(lfm_solve_parse(&(lfm_solver_options){.nfe = cases[k].nfe, .solver = cases[k].solver}, 3, &solve));
    assert_int_equal(solve.solver, cases[k].chosen);
    assert_int_equal(solve.fixed_steps, cases[k].steps);
    assert_true(solve.fixed_steps * lfm_solver_stages(solve.solver) * 3 <= cases[k].nfe);
  }
}

/* Only where we choose, in the block at the data, of rows: whoever names a solver gets its plain steps. */
static void steps_crowd_towards_the_data_of_rows(void **state) {
  (void)state;
  lfm_solve ours, named;
  OK(lfm_solve_parse(&(lfm_solver_options){.nfe = 24}, 3, &ours));
  OK(lfm_solve_parse(&(lfm_solver_options){.nfe = 24, .solver = "midpoint"}, 3, &named));
  lfm_images shape = {0};
  const lfm_model of_rows = {0}, of_pictures = {.picture = &shape};
  assert_true(lfm_solve_path(&ours, &of_rows, 0, 1.0, 0.0).crowding == 1.5);
  assert_true(lfm_solve_path(&ours, &of_rows, 1, 1.0, 0.0).crowding == 1.0);
  assert_true(lfm_solve_path(&ours, &of_pictures, 0, 1.0, 0.0).crowding == 1.0);
  assert_true(lfm_solve_path(&named, &of_rows, 0, 1.0, 0.0).crowding == 1.0);
}

static void refusals_say_why(void **state) {
  (void)state;
  static const struct {
    lfm_solver_options options;
    const char *says;
  } cases[] = {
      {{.solver = "euler"}, "fixed steps: say how many evaluations"},
      {{.solver = "rk5"}, "rk5"},
      {{.tol = 0.5}, "0.5 is not between"},
      {{.tol = -1e-5}, "is not between"},
      {{.tol = (double)NAN}, "is not between"},
      {{.tol = 1e-13}, "is not between"},
      {{.nfe = -1}, "nfe: -1"},
      {{.nfe = 30, .tol = 1e-5}, "give one of the two"},
      {{.nfe = 2}, "needs at least 3"},
      {{.nfe = 11, .solver = "rk4"}, "needs at least 12"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_solve solve;
    FAILS(LFM_E_USAGE, lfm_solve_parse(&cases[k].options, 3, &solve));
    assert_says(cases[k].says);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_dopri5),
      cmocka_unit_test(evaluations_are_shared_by_the_blocks),
      cmocka_unit_test(steps_crowd_towards_the_data_of_rows),
      cmocka_unit_test(refusals_say_why),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
