/* SPDX-License-Identifier: MIT
 *
 * tree.c -- draws the tree whose density the demo learns.
 *
 * A limb is a chain of tapering capsules that bends towards the light; at its end it forks, at its sides it sends out twigs,
 * and where it has become as thin as a pixel it carries leaves.  The children of a fork share the parent's cross section
 * (Leonardo's rule, r^2 = sum of r_i^2), so ink is spread over all scales: the trunk holds some, the twigs as much.
 * Randomness is by the limb's number in the tree, so no limb depends on the order of drawing.  Ink is rounded to 255ths:
 * the last bits of one libm or another then change nothing.
 *
 * Refused: an L-system with a table of angles (the classic binary tree), whose exact symmetry a flow could learn by half.
 */
#include "metric/tree.h"
#include "core/alloc.h"
#include "metric/normal.h"

#define STEPS 6      /* capsules a limb */
#define THINNEST 0.5 /* pixels of 512: radius at which a limb ends in leaves */

typedef struct canvas {
  float *ink;
  int64_t size;
  lfm_rng rng;
} canvas;

typedef struct limb {
  double x, y;  /* where it starts, in 1/512 of the side, y downwards */
  double angle; /* 0 is upwards, clockwise */
  double length, radius;
  int64_t number; /* names it: children of n are 4n + 1 .. 4n + 4 */
} limb;

static double vary(const canvas *c, int64_t number, uint32_t index, double low, double high) {
  return low + (high - low) * lfm_rng_uniform(&c->rng, number, index);
}

/* A capsule from (x0, y0) with radius r0 to (x1, y1) with r1, anti-aliased; ink only ever darkens. */
static void stroke(canvas *c, double x0, double y0, double r0, double x1, double y1, double r1, double tone) {
  double scale = (double)c->size / 512.0, reach = fmax(r0, r1) * scale + 1;
  x0 *= scale, y0 *= scale, x1 *= scale, y1 *= scale;
  double along_x = x1 - x0, along_y = y1 - y0, squared = along_x * along_x + along_y * along_y;
  int64_t left = (int64_t)fmax(0, fmin(x0, x1) - reach), right = (int64_t)fmin((double)c->size, fmax(x0, x1) + reach + 1);
  int64_t top = (int64_t)fmax(0, fmin(y0, y1) - reach), bottom = (int64_t)fmin((double)c->size, fmax(y0, y1) + reach + 1);
  for (int64_t j = top; j < bottom; j++)
    for (int64_t i = left; i < right; i++) {
      double px = (double)i + 0.5 - x0, py = (double)j + 0.5 - y0;
      double s = squared > 0 ? fmin(1, fmax(0, (px * along_x + py * along_y) / squared)) : 0;
      double distance = hypot(px - s * along_x, py - s * along_y);
      double cover = fmin(1, fmax(0, scale * (r0 + s * (r1 - r0)) - distance + 0.5));
      float *ink = &c->ink[j * c->size + i];
      *ink = fmaxf(*ink, (float)(round(cover * tone * 255) / 255));
    }
}

/* Three small leaves at the tip of a twig. */
static void leaves(canvas *c, const limb *tip) {
  for (int k = -1; k <= 1; k++) {
    double angle = tip->angle + k * 0.75 + vary(c, tip->number, 20 + (uint32_t)(k + 1), -0.35, 0.35);
    double length = vary(c, tip->number, 24 + (uint32_t)(k + 1), 2.2, 4.2);
    double x = tip->x + 1.2 * sin(angle), y = tip->y - 1.2 * cos(angle);
    stroke(c, x, y, 1.15, x + length * sin(angle), y - length * cos(angle), 0.35, 0.62);
  }
}

static void grow(canvas *c, limb self);

/* A shoot from the side of a limb. */
static void twig(canvas *c, const limb *self, double x, double y, double angle, double radius, int step) {
  double side = vary(c, self->number, 40 + (uint32_t)step, -1, 1);
  double lean = (side < 0 ? -1 : 1) * vary(c, self->number, 50 + (uint32_t)step, 0.55, 1.05);
  grow(c, (limb){x, y, angle + lean, self->length * vary(c, self->number, 60 + (uint32_t)step, 0.35, 0.6),
                 radius * vary(c, self->number, 70 + (uint32_t)step, 0.3, 0.42), 4 * self->number + 2 + step / 2});
}

static void divide(canvas *c, const limb *tip) {
  double share = vary(c, tip->number, 1, 0.36, 0.64); /* of the cross section, to the left child */
  double spread = vary(c, tip->number, 2, 0.72, 1.12);
  for (int k = 0; k < 2; k++) {
    double part = k == 0 ? share : 1 - share;
    double turn = (k == 0 ? -1 : 1) * spread * (1 - part); /* the thinner child turns further */
    double length = tip->length * (0.62 + 0.36 * part) * vary(c, tip->number, 3 + (uint32_t)k, 0.88, 1.12);
    grow(c, (limb){tip->x, tip->y, tip->angle + turn, length, tip->radius * sqrt(part), 4 * tip->number + 1 + k});
  }
}

static void grow(canvas *c, limb self) {
  if (self.radius < THINNEST) {
    leaves(c, &self);
    return;
  }
  limb tip = self;
  double bend = vary(c, self.number, 0, -0.09, 0.09), taper = 0.88;
  for (int step = 0; step < STEPS; step++) {
    double next_radius = self.radius * (1 - (1 - taper) * (step + 1) / STEPS);
    double next_x = tip.x + self.length / STEPS * sin(tip.angle), next_y = tip.y - self.length / STEPS * cos(tip.angle);
    stroke(c, tip.x, tip.y, tip.radius, next_x, next_y, next_radius, 1);
    tip.x = next_x, tip.y = next_y, tip.radius = next_radius;
    tip.angle += bend - 0.035 * sin(tip.angle); /* a limb seeks the light */
    if (self.number > 0 && (step == 2 || step == 4)) twig(c, &self, tip.x, tip.y, tip.angle, tip.radius, step);
  }
  divide(c, &tip);
}

/* The foot of the trunk: it flares, and runs out in curved roots. */
static void roots(canvas *c, double x, double y, double radius) {
  for (int k = 0; k < 5; k++) {
    double lean = (k - 2) * 0.5 + vary(c, 0, 80 + (uint32_t)k, -0.1, 0.1);
    double at_x = x + 0.4 * radius * lean, at_y = y - 1.9 * radius, angle = 3.14159 - 0.5 * lean, thick = 0.64 * radius;
    for (int step = 0; step < STEPS; step++) {
      double length = radius * (0.34 + 0.16 * fabs(lean)), thin = thick * 0.72;
      double next_x = at_x + length * sin(angle), next_y = at_y - length * cos(angle);
      stroke(c, at_x, at_y, thick, next_x, next_y, thin, 1);
      at_x = next_x, at_y = next_y, thick = thin;
      angle -= 0.16 * lean; /* towards the level */
    }
  }
}

lfm_status lfm_tree_draw(int64_t size, float *ink) {
  if (size < 64 || size > 4096) return lfm_fail(LFM_E_USAGE, "tree: size %lld; give 64 to 4096", (long long)size);
  for (int64_t i = 0; i < size * size; i++) ink[i] = 0;
  canvas c = {.ink = ink, .size = size, .rng = {.seed = 9, .purpose = LFM_FOR_DATA}};
  limb trunk = {.x = 220, .y = 448, .angle = 0.02, .length = 96, .radius = 12.5, .number = 0};
  roots(&c, trunk.x, trunk.y + 0.9 * trunk.radius, trunk.radius);
  grow(&c, trunk);
  return LFM_OK;
}

lfm_status lfm_tree_density(lfm_pixel_density **out) {
  *out = NULL;
  float *ink;
  LFM_TRY(LFM_ALLOC(&ink, LFM_TREE_SIZE * LFM_TREE_SIZE));
  lfm_status status = lfm_tree_draw(LFM_TREE_SIZE, ink);
  if (status == LFM_OK) status = lfm_pixel_density_create(ink, LFM_TREE_SIZE, LFM_TREE_SIZE, 4, 1, out);
  lfm_free(ink);
  return status;
}
