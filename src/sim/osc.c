/* SPDX-License-Identifier: MIT
 *
 * osc.c -- the formulas of osc.h, with Cholesky factors in the place of inverses.
 */
#include "sim/osc.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { N = LFM_ARM_JOINTS };

static const double stiffness = 150, posture_stiffness = 10;

/* A = L L^T in place (lower triangle) of a [n, n]. */
static bool factor(double *a, int n) {
  for (int j = 0; j < n; j++) {
    for (int i = j; i < n; i++) {
      double sum = a[i * n + j];
      for (int k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (i > j) a[i * n + j] = sum / a[j * n + j];
      else if (sum > 0) a[j * n + j] = sqrt(sum);
      else return false;
    }
  }
  return true;
}

/* x = A^-1 x */
static void solve(const double *factors, int n, double *x) {
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < i; k++) x[i] -= factors[i * n + k] * x[k];
    x[i] /= factors[i * n + i];
  }
  for (int i = n - 1; i >= 0; i--) {
    for (int k = i + 1; k < n; k++) x[i] -= factors[k * n + i] * x[k];
    x[i] /= factors[i * n + i];
  }
}

static double dot(const double *a, const double *b, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* a[i, j] = row i of J times row j of J M^-1, both from `first` on. */
static void make_gram(const double *jacobian, const double *divided, ptrdiff_t first, int n, double *a) {
  for (ptrdiff_t i = 0; i < n; i++)
    for (ptrdiff_t j = 0; j < n; j++) a[i * n + j] = dot(jacobian + (first + i) * N, divided + (first + j) * N, N);
}

/* The acceleration asked of the tip: pull [6], position then orientation. */
static void make_pull(const lfm_osc_state *now, const lfm_osc_goal *goal, double pull[6]) {
  const double *r = now->rotation, *g = goal->rotation;
  double damping = 2 * sqrt(stiffness);
  for (int i = 0; i < 3; i++) {
    int j = (i + 1) % 3, k = (i + 2) % 3; /* component i of the cross products of columns c */
    double cross = 0;
    for (int c = 0; c < 3; c++) cross += r[3 * j + c] * g[3 * k + c] - r[3 * k + c] * g[3 * j + c];
    pull[i] = stiffness * (goal->position[i] - now->position[i]);
    pull[3 + i] = stiffness * 0.5 * cross;
  }
  for (ptrdiff_t i = 0; i < 6; i++) pull[i] -= damping * dot(now->jacobian + i * N, now->qd, N);
}

bool lfm_osc_torque(const lfm_osc_state *now, const lfm_osc_goal *goal, double torque[LFM_ARM_JOINTS]) {
  double mass[N * N], divided[6 * N], whole[36], position[9], orientation[9], pull[6], held[N], lost[6];
  memcpy(mass, now->inertia, sizeof mass);
  if (!factor(mass, N)) return false;
  memcpy(divided, now->jacobian, sizeof divided); /* rows of J M^-1 */
  for (ptrdiff_t i = 0; i < 6; i++) solve(mass, N, divided + i * N);
  make_gram(now->jacobian, divided, 0, 3, position);
  make_gram(now->jacobian, divided, 3, 3, orientation);
  make_gram(now->jacobian, divided, 0, 6, whole);
  if (!factor(position, 3) || !factor(orientation, 3) || !factor(whole, 6)) return false;

  make_pull(now, goal, pull);
  solve(position, 3, pull);
  solve(orientation, 3, pull + 3);
  /* what holds the posture, less what of it the tip would feel */
  double spring[N], damping = 2 * sqrt(posture_stiffness);
  for (int i = 0; i < N; i++) spring[i] = posture_stiffness * (goal->posture[i] - now->q[i]) - damping * now->qd[i];
  for (ptrdiff_t i = 0; i < N; i++) held[i] = dot(now->inertia + i * N, spring, N);
  for (ptrdiff_t i = 0; i < 6; i++) lost[i] = dot(now->jacobian + i * N, spring, N);
  solve(whole, 6, lost);
  for (int j = 0; j < N; j++) {
    torque[j] = now->bias[j] + held[j];
    for (int i = 0; i < 6; i++) torque[j] += now->jacobian[i * N + j] * (pull[i] - lost[i]);
  }
  return true;
}
