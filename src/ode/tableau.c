/* SPDX-License-Identifier: MIT
 *
 * tableau.c -- the seven methods as constant tables, and their names.
 *
 *   euler, midpoint, heun, rk4   for a budget of evaluations: fixed steps only
 *   bs23                         Bogacki and Shampine 1989, 3(2): half the stages, for loose tolerances and rough fields
 *   dopri5                       Dormand and Prince 1980, RK5(4)7M: the default, and what the published code uses
 *   tsit5                        Tsitouras 2011: the same shape with other coefficients
 *
 * Which pair?  On the exact flow of a mixture of eight Gaussians, from noise to data with the log-determinant, at equal error
 * of log p: about 90 evaluations a row with either for 8e-5, and 350 (dopri5) against 335 (tsit5) for 1e-8; without the
 * log-determinant dopri5 leads by up to a fifth.  At equal tolerance tsit5 is the more exact and takes about a tenth more.
 * So neither wins, and the familiar one is the default.
 *
 * Tables rather than unrolled code: a method is then data that a test can prove (tests/ode/test_tableau.c checks every order
 * condition, one for each rooted tree), and one stepper serves all.  Methods of higher order were refused: networks evaluated
 * in single precision cannot repay them.
 */
#include "ode/tableau.h"

#include <string.h>

static const lfm_tableau tableaus[LFM_SOLVERS] = {
    [LFM_EULER] = {.name = "euler", .stages = 1, .order = 1, .b = {1.0}},
    [LFM_MIDPOINT] = {.name = "midpoint", .stages = 2, .order = 2, .c = {0.0, 0.5}, .a = {{0}, {0.5}}, .b = {0.0, 1.0}},
    [LFM_HEUN] = {.name = "heun", .stages = 2, .order = 2, .c = {0.0, 1.0}, .a = {{0}, {1.0}}, .b = {0.5, 0.5}},
    [LFM_RK4] = {.name = "rk4",
                 .stages = 4,
                 .order = 4,
                 .c = {0.0, 0.5, 0.5, 1.0},
                 .a = {{0}, {0.5}, {0.0, 0.5}, {0.0, 0.0, 1.0}},
                 .b = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}},
    [LFM_BS23] = {.name = "bs23",
                  .stages = 3,
                  .order = 3,
                  .embedded_order = 2,
                  .fsal = true,
                  .c = {0.0, 0.5, 0.75},
                  .a = {{0}, {0.5}, {0.0, 0.75}},
                  .b = {2.0 / 9, 1.0 / 3, 4.0 / 9},
                  .e = {5.0 / 72, -1.0 / 12, -1.0 / 9, 1.0 / 8}},
    [LFM_DOPRI5] = {.name = "dopri5",
                    .stages = 6,
                    .order = 5,
                    .embedded_order = 4,
                    .fsal = true,
                    .c = {0.0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1.0},
                    .a = {{0},
                          {1.0 / 5},
                          {3.0 / 40, 9.0 / 40},
                          {44.0 / 45, -56.0 / 15, 32.0 / 9},
                          {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
                          {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656}},
                    .b = {35.0 / 384, 0.0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
                    .e = {-71.0 / 57600, 0.0, 71.0 / 16695, -71.0 / 1920, 17253.0 / 339200, -22.0 / 525, 1.0 / 40}},
    [LFM_TSIT5] = {.name = "tsit5",
                   .stages = 6,
                   .order = 5,
                   .embedded_order = 4,
                   .fsal = true,
                   .c = {0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0},
                   .a = {{0},
                         {0.161},
                         {-0.008480655492356989, 0.335480655492357},
                         {2.8971530571054935, -6.359448489975075, 4.3622954328695815},
                         {5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525},
                         {5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401,
                          -0.028269050394068383}},
                   .b = {0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081,
                         2.324710524099774},
                   .e = {-0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629,
                         0.5823571654525552, -0.45808210592918697, 1.0 / 66}},
};

const lfm_tableau *lfm_tableau_of(lfm_solver solver) { return &tableaus[solver]; }

bool lfm_tableau_weighs(const lfm_tableau *tableau, int stage, bool estimates) {
  bool opens_next = stage == tableau->stages; /* the extra stage of a pair is the next step's first */
  return opens_next || tableau->b[stage] != 0.0 || (estimates && tableau->e[stage] != 0.0);
}

const char *lfm_solver_name(lfm_solver solver) { return tableaus[solver].name; }

lfm_status lfm_solver_parse(const char *name, lfm_solver *out) {
  for (lfm_solver solver = LFM_EULER; solver < LFM_SOLVERS; solver++) {
    if (strcmp(name, tableaus[solver].name) != 0) continue;
    *out = solver;
    return LFM_OK;
  }
  return lfm_fail(LFM_E_USAGE, "unknown solver '%s'; the solvers are euler midpoint heun rk4 bs23 dopri5 tsit5", name);
}

bool lfm_solver_is_adaptive(lfm_solver solver) { return tableaus[solver].embedded_order > 0; }

int lfm_solver_stages(lfm_solver solver) { return tableaus[solver].stages; }
