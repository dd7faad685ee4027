/* SPDX-License-Identifier: MIT
 *
 * radial.c -- see radial.h.
 */
#include "data/radial.h"

#include "core/order.h"

#include <math.h>
#include <stdlib.h>

double lfm_radial_length(const double *w, int64_t dim) {
  double largest = 0.0, squares = 0.0;
  for (int64_t i = 0; i < dim; i++) largest = fmax(largest, fabs(w[i]));
  if (!(largest > 0.0 && largest < INFINITY)) return largest;
  for (int64_t i = 0; i < dim; i++) squares += w[i] / largest * (w[i] / largest);
  return largest * sqrt(squares);
}

/* (1 + R^2)^(-1/4) */
static double drawn_together(const lfm_radial *map, double radius) { return sqrt(map->knee / hypot(map->knee, radius)); }

/* R of a row whose y is so long. */
static double radius_of(const lfm_radial *map, double length) {
  double u = length / map->scale / map->knee, square = u * u;
  return u * sqrt(0.5 * (square + hypot(square, 2.0)));
}

lfm_radial lfm_radial_fit(double *radii, int64_t rows, int64_t dim) {
  qsort(radii, (size_t)rows, sizeof *radii, lfm_by_size);
  const double least = 1e-6 * radii[rows - 1]; /* a hundredth of the rows may be the mean itself */
  lfm_radial map = {.knee = fmax(radii[rows / 100], least), .scale = 1.0};
  double squares = 0.0;
  for (int64_t i = 0; i < rows; i++) squares += pow(radii[i] * drawn_together(&map, radii[i]), 2) / (double)rows;
  map.scale = sqrt((double)dim / squares);
  return map;
}

double lfm_radial_forth(const lfm_radial *map, int64_t dim, const double *w) {
  return map->scale * drawn_together(map, lfm_radial_length(w, dim));
}

double lfm_radial_back(const lfm_radial *map, int64_t dim, const double *y) {
  return sqrt(hypot(1.0, radius_of(map, lfm_radial_length(y, dim)))) / map->scale;
}

double lfm_radial_logdet(const lfm_radial *map, int64_t dim, const double *y) {
  double radius = radius_of(map, lfm_radial_length(y, dim)), d = (double)dim;
  return d * (log(map->scale) - 0.5 * log(hypot(1.0, radius))) + log(0.5 + 0.5 / (1.0 + radius * radius));
}
