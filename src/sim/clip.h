/* SPDX-License-Identifier: MIT
 *
 * clip.h -- how much two convex polygons have in common.
 */
#ifndef LFM_SIM_CLIP_H
#define LFM_SIM_CLIP_H

enum { LFM_CLIP_MOST = 8 }; /* corners of one polygon and of its part within another */

/* The area of the intersection of two convex polygons, corners a [n, 2] and b [m, 2] in one sense of rotation: the one in
 * which (0, 0), (1, 0), (0, 1) goes.  n + m <= LFM_CLIP_MOST. */
double lfm_clip_area(const double *a, int n, const double *b, int m);

#endif
