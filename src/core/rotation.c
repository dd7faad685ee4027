/* SPDX-License-Identifier: MIT
 *
 * rotation.c -- axis-angle to two rows of a matrix by Rodrigues' formula, and back by the matrix's quaternion.
 * Near pi the matrix hardly shows the axis in its antisymmetric part, R - R'; the quaternion takes it from the largest of its
 * own four numbers, of which one is always 1/2 or more.  [Shepperd 1978]
 */
#include "core/rotation.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static double dot(const double a[3], const double b[3]) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

LFM_RT_API void lfm_rotation_to_six(const double axis_angle[3], double six[6]) {
  const double *v = axis_angle;
  double square = dot(v, v), angle = sqrt(square);
  bool is_small = angle < 1e-4; /* where the quotients are their series' first terms, to the last digit */
  double a = is_small ? 1.0 - square / 6.0 : sin(angle) / angle;
  double b = is_small ? 0.5 - square / 24.0 : (1.0 - cos(angle)) / square;
  double c = cos(angle);
  /* R = c I + a [v]x + b v v' */
  six[0] = c + b * v[0] * v[0], six[1] = b * v[0] * v[1] - a * v[2], six[2] = b * v[0] * v[2] + a * v[1];
  six[3] = b * v[1] * v[0] + a * v[2], six[4] = c + b * v[1] * v[1], six[5] = b * v[1] * v[2] - a * v[0];
}

/* to = v / |v|; an axis of its own where v is none. */
static void normalise(const double v[3], int axis, double to[3]) {
  double length = sqrt(dot(v, v));
  bool names_one = length > 1e-12 && isfinite(length);
  for (int i = 0; i < 3; i++) to[i] = names_one ? v[i] / length : i == axis ? 1.0 : 0.0;
}

/* The axis that the row points along least. */
static int least_along(const double row[3]) {
  int least = 0;
  for (int i = 1; i < 3; i++)
    if (fabs(row[i]) < fabs(row[least])) least = i;
  return least;
}

/* A matrix of three rows, the first along six's first. */
static void orthogonal(const double six[6], double r[3][3]) {
  double rest[3];
  normalise(six, 0, r[0]);
  double along = dot(r[0], six + 3);
  for (int i = 0; i < 3; i++) rest[i] = six[3 + i] - along * r[0][i];
  if (!(sqrt(dot(rest, rest)) > 1e-12)) { /* parallel: anything else does */
    memset(rest, 0, sizeof rest);
    rest[least_along(r[0])] = 1.0;
    along = dot(r[0], rest);
    for (int i = 0; i < 3; i++) rest[i] -= along * r[0][i];
  }
  normalise(rest, 1, r[1]);
  for (int i = 0; i < 3; i++) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    r[2][i] = r[0][j] * r[1][k] - r[0][k] * r[1][j];
  }
}

/* q = (x, y, z, w), up to its sign, from the largest of the four. */
static void quaternion(double r[3][3], double q[4]) {
  double trace = r[0][0] + r[1][1] + r[2][2];
  int largest = 3;
  double most = trace;
  for (int i = 0; i < 3; i++)
    if (r[i][i] > most) most = r[i][i], largest = i;
  if (largest == 3) {
    q[0] = r[2][1] - r[1][2], q[1] = r[0][2] - r[2][0], q[2] = r[1][0] - r[0][1], q[3] = 1.0 + trace;
    return;
  }
  int i = largest, j = (i + 1) % 3, k = (i + 2) % 3;
  q[i] = 1.0 + 2.0 * r[i][i] - trace;
  q[j] = r[j][i] + r[i][j], q[k] = r[k][i] + r[i][k];
  q[3] = r[k][j] - r[j][k];
}

LFM_RT_API void lfm_rotation_from_six(const double six[6], double axis_angle[3]) {
  double r[3][3], q[4];
  orthogonal(six, r);
  quaternion(r, q);
  double sign = q[3] < 0.0 ? -1.0 : 1.0, sine = sqrt(dot(q, q)), norm = hypot(sine, q[3]);
  double angle = 2.0 * atan2(sine, sign * q[3]);
  double scale = sine > 1e-9 * norm ? angle / sine : 2.0 / (sign * q[3]); /* sin x / x is 1 there */
  for (int i = 0; i < 3; i++) axis_angle[i] = sign * scale * q[i];
}

enum { POSITION = 3, SIX = 6 };

LFM_RT_API void lfm_pose_to_inside(const double pose[LFM_POSE], double inside[LFM_POSE_INSIDE]) {
  memcpy(inside, pose, POSITION * sizeof *pose);
  lfm_rotation_to_six(pose + POSITION, inside + POSITION);
  inside[POSITION + SIX] = pose[LFM_POSE - 1];
}

LFM_RT_API void lfm_pose_from_inside(const double inside[LFM_POSE_INSIDE], double pose[LFM_POSE]) {
  memcpy(pose, inside, POSITION * sizeof *pose);
  lfm_rotation_from_six(inside + POSITION, pose + POSITION);
  pose[LFM_POSE - 1] = inside[POSITION + SIX];
}
