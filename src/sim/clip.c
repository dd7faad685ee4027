/* SPDX-License-Identifier: MIT
 *
 * clip.c -- one polygon is cut along every edge of the other, and what is left is measured.
 * Sutherland and Hodgman 1974: a cut by a line keeps the corners on its left and adds one wherever an edge crosses it.  Of
 * convex polygons the rest is convex again and at most one corner richer.  The area is the shoelace formula's.
 */
#include "sim/clip.h"

#include <string.h>

typedef struct polygon {
  int count;
  double corner[LFM_CLIP_MOST][2];
} polygon;

/* Over 0 where p is on the left of the line from `from` to `to`. */
static double side(const double from[2], const double to[2], const double p[2]) {
  return (to[0] - from[0]) * (p[1] - from[1]) - (to[1] - from[1]) * (p[0] - from[0]);
}

static void add(polygon *out, double x, double y) {
  if (out->count == LFM_CLIP_MOST) return; /* rounding alone could make one more, on top of another */
  out->corner[out->count][0] = x;
  out->corner[out->count++][1] = y;
}

static void cut(polygon *p, const double from[2], const double to[2]) {
  polygon kept = {0};
  for (int i = 0; i < p->count; i++) {
    const double *here = p->corner[i], *next = p->corner[(i + 1) % p->count];
    double s = side(from, to, here), t = side(from, to, next);
    if (s >= 0.0) add(&kept, here[0], here[1]);
    if ((s > 0.0 && t < 0.0) || (s < 0.0 && t > 0.0)) {
      double share = s / (s - t);
      add(&kept, here[0] + share * (next[0] - here[0]), here[1] + share * (next[1] - here[1]));
    }
  }
  *p = kept;
}

static double area(const polygon *p) {
  double twice = 0.0;
  for (int i = 1; i + 1 < p->count; i++) twice += side(p->corner[0], p->corner[i], p->corner[i + 1]);
  return 0.5 * twice;
}

double lfm_clip_area(const double *a, int n, const double *b, int m) {
  polygon rest = {.count = n}, other = {.count = m};
  memcpy(rest.corner, a, 2 * (size_t)n * sizeof *a);
  memcpy(other.corner, b, 2 * (size_t)m * sizeof *b);
  for (int i = 0; i < m; i++) cut(&rest, other.corner[i], other.corner[(i + 1) % m]);
  return area(&rest);
}
