/* SPDX-License-Identifier: MIT
 *
 * show.h -- which pictures of a generated set are looked at.
 */
#ifndef LFM_FLOW_SHOW_H
#define LFM_FLOW_SHOW_H

#include "data/table.h"
#include "metric/neighbours.h"

/* A PNG of the first pictures, about eight each way; where there are labels of up to 16 classes, with columns of one class.
 */
lfm_status lfm_show_samples(const lfm_table *pictures, const char *path);

/* A PNG of some pictures as they come, and of those that are the nearest of all to a training picture, each beside its k
 * nearest ones: near [rows of pictures, k]. */
lfm_status lfm_show_nearest(const lfm_table *pictures, const lfm_table *train, const lfm_neighbour *near, int k,
                            const char *path);

#endif
