/* SPDX-License-Identifier: MIT
 *
 * plan.c -- lays buffers of known lifetimes in one arena: those that never live at the same step may share memory.
 * Largest first, each at the lowest place where it meets no placed buffer that lives at the same time; within a few
 * percent of the best for chains like ours, and a page shorter than anything exact.
 */
#include "core/alloc.h"
#include "graph/op.h"
#include <stdlib.h>

static int larger_first(const void *a, const void *b) {
  const lfm_buffer *const *x = a, *const *y = b;
  if ((*x)->bytes != (*y)->bytes) return (*x)->bytes < (*y)->bytes ? 1 : -1;
  return *x < *y ? -1 : *x > *y; /* one order for equals, so that a plan is always the same */
}

static bool live_together(const lfm_buffer *a, const lfm_buffer *b) { return a->first <= b->last && b->first <= a->last; }

/* The lowest offset where no neighbour in time is in the way: the first gap that is wide enough, going by offset. */
static size_t lowest_place(lfm_buffer *const *placed, size_t count, const lfm_buffer *buffer) {
  size_t offset = 0;
  for (size_t i = 0; i < count && placed[i]->offset < offset + buffer->bytes; i++) {
    size_t end = placed[i]->offset + placed[i]->bytes;
    if (live_together(placed[i], buffer) && end > offset) offset = end;
  }
  return offset;
}

static void insert_by_offset(lfm_buffer **placed, size_t count, lfm_buffer *buffer) {
  size_t at = count;
  for (; at > 0 && placed[at - 1]->offset > buffer->offset; at--) placed[at] = placed[at - 1];
  placed[at] = buffer;
}

lfm_status lfm_plan_memory(lfm_buffer *buffers, size_t count, size_t *total) {
  lfm_buffer **order;
  LFM_TRY(LFM_ALLOC(&order, count));
  for (size_t i = 0; i < count; i++) {
    order[i] = &buffers[i];
    buffers[i].bytes = lfm_whole_lines(buffers[i].bytes);
  }
  qsort(order, count, sizeof *order, larger_first);
  *total = 0;
  for (size_t i = 0; i < count; i++) { /* the front of the list are those placed, by offset */
    lfm_buffer *buffer = order[i];
    buffer->offset = lowest_place(order, i, buffer);
    insert_by_offset(order, i, buffer);
    if (buffer->offset + buffer->bytes > *total) *total = buffer->offset + buffer->bytes;
  }
  lfm_free(order);
  return LFM_OK;
}
