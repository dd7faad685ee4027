/* SPDX-License-Identifier: MIT
 *
 * plan.h -- which blocks become one student, and in which order: the merge plan.
 *   1 | (2 3) | 4             three students: block 1, blocks 2 and 3 merged, block 4; block 1 is the data's
 *   (1 (2 (3 4))) | 5         4 is merged into 3, the result into 2, that into 1; block 5 stays as it is
 * A group between bars is a tree over consecutive blocks: a leaf is a block, a node a merge of its children, two or more,
 * into one network.  Students are evaluated once each, so a plan of K groups is a sampler of K evaluations.  The shapes that
 * have names in the literature [arXiv 2505.16024, section 3], here of blocks 1 to 4:
 *   vanilla      (1 2 3 4)        one merge of all: one network learns the whole way
 *   boot         (1 (2 (3 4)))    from the noise's side, a block at a time
 *   consistency  (((1 2) 3) 4)    from the data's side, a block at a time
 *   progressive  ((1 2) (3 4))    pairs, then pairs of pairs
 *
 * A plan is a plain value: nothing is allocated, it may be copied, and there is nothing to destroy.
 */
#ifndef LFM_DISTILL_PLAN_H
#define LFM_DISTILL_PLAN_H

#include "core/status.h"

enum {
  LFM_MERGE_MOST_NODES = 2 * LFM_MAX_BLOCKS - 1, /* every inner node has two children or more */
  LFM_MERGE_TEXT = LFM_PLAN_TEXT, /* two digits and a bar a block, two parentheses an inner node: less than 8 a block */
};

typedef struct lfm_merge_node {
  int first, last; /* the blocks that it covers, 1 .. blocks: first is the one on the data's side */
  int children;    /* 0: a leaf, which is block `first` itself; else 2 or more */
  int child;       /* the first of them, on the data's side; -1: none */
  int next;        /* the next child of the same parent, towards the noise; -1: this is the last, or a student's root */
} lfm_merge_node;

/* To make every merge after its parts, take node[0], node[1], ...; to see the parts of one:
 *   for (int c = node->child; c >= 0; c = plan->node[c].next) */
typedef struct lfm_merge_plan {
  int blocks;                                /* N: every one is a leaf, in order */
  int students;                              /* K: groups */
  int count;                                 /* of nodes, leaves among them */
  lfm_merge_node node[LFM_MERGE_MOST_NODES]; /* [count] in post-order: children before their parent, groups in order */
  int student[LFM_MAX_BLOCKS];               /* [students] the root of each group, its last node; the data's first */
} lfm_merge_plan;

typedef enum lfm_merge_shape {
  LFM_MERGE_VANILLA,
  LFM_MERGE_BOOT,
  LFM_MERGE_CONSISTENCY,
  LFM_MERGE_PROGRESSIVE,
  LFM_MERGE_SHAPES, /* how many there are */
} lfm_merge_shape;

const char *lfm_merge_shape_name(lfm_merge_shape shape); /* "vanilla", ... */

/* The plan that TEXT says over a chain of so many blocks, 1 to LFM_MAX_BLOCKS.  Blocks are whole numbers; spaces separate
 * them, bars the groups; a group of several things without parentheses around them is one merge of them; parentheses around
 * a single thing say nothing.  LFM_E_USAGE, with the character where the text goes wrong, when it is no such text or when it
 * does not have every block once, in order; plan is then unspecified. */
lfm_status lfm_merge_plan_parse(const char *text, int blocks, lfm_merge_plan *plan);

/* The canonical text, as at the top of this file; plans are equal if their texts are. */
void lfm_merge_plan_format(const lfm_merge_plan *plan, char text[LFM_MERGE_TEXT]);

/* The blocks cut evenly into so many students, each group in that shape: group k ends with block floor(k blocks / students),
 * so that sizes differ by one at most.  With `vanilla` this is the distillation of the LFM paper [arXiv 2410.02548,
 * Algorithm A.1].  LFM_E_USAGE unless 1 <= students <= blocks <= LFM_MAX_BLOCKS. */
lfm_status lfm_merge_plan_even(lfm_merge_shape shape, int blocks, int students, lfm_merge_plan *plan);

/* The last block of group k, 1 .. students, of that cut. */
int lfm_merge_even_end(int blocks, int students, int k);

/* ---- making a plan, node by node in post-order: what parser, shapes and planner share ------------------------- */

typedef struct lfm_merge_maker {
  lfm_merge_plan *plan;
  int waiting;              /* nodes that have no parent yet and are no student */
  int node[LFM_MAX_BLOCKS]; /* [waiting] */
} lfm_merge_maker;

lfm_merge_maker lfm_merge_begin(lfm_merge_plan *plan, int blocks);
void lfm_merge_leaf(lfm_merge_maker *maker);            /* the next block waits */
void lfm_merge_join(lfm_merge_maker *maker, int count); /* the last `count` that wait become one; of one: nothing happens */
void lfm_merge_student(lfm_merge_maker *maker);         /* all that wait become one, which is the next student */

#endif
