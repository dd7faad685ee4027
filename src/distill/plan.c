/* SPDX-License-Identifier: MIT
 *
 * plan.c -- merge plans: their text, read and written, and the shapes that have names.
 * All of them make a plan as a stack machine does, in post-order: a leaf is pushed, a join takes the last few from the stack
 * and pushes their parent.  So the text is read in one pass without recursion, however deep somebody nests it, and a plan is
 * complete when every block was pushed once.
 */
#include "distill/plan.h"

#include "data/text.h"

#include <stdio.h>
#include <string.h>

/* ---- making ---------------------------------------------------------------------------------------------------- */

lfm_merge_maker lfm_merge_begin(lfm_merge_plan *plan, int blocks) {
  memset(plan, 0, sizeof *plan); /* equal plans are equal bytes */
  plan->blocks = blocks;
  return (lfm_merge_maker){.plan = plan};
}

static void push(lfm_merge_maker *maker, lfm_merge_node node) {
  maker->node[maker->waiting++] = maker->plan->count;
  maker->plan->node[maker->plan->count++] = node;
}

/* The next block is the one behind all that were pushed. */
static int next_block(const lfm_merge_maker *maker) {
  const lfm_merge_plan *plan = maker->plan;
  return plan->count ? plan->node[plan->count - 1].last + 1 : 1;
}

void lfm_merge_leaf(lfm_merge_maker *maker) {
  int block = next_block(maker);
  push(maker, (lfm_merge_node){.first = block, .last = block, .child = -1, .next = -1});
}

void lfm_merge_join(lfm_merge_maker *maker, int count) {
  lfm_merge_node *node = maker->plan->node;
  if (count < 2) return;
  const int *child = maker->node + (maker->waiting -= count);
  for (int i = 0; i + 1 < count; i++) node[child[i]].next = child[i + 1];
  push(maker, (lfm_merge_node){.first = node[child[0]].first,
                               .last = node[child[count - 1]].last,
                               .children = count,
                               .child = child[0],
                               .next = -1});
}

void lfm_merge_student(lfm_merge_maker *maker) {
  lfm_merge_join(maker, maker->waiting);
  maker->plan->student[maker->plan->students++] = maker->node[0];
  maker->waiting = 0;
}

/* ---- shapes ---------------------------------------------------------------------------------------------------- */

const char *lfm_merge_shape_name(lfm_merge_shape shape) {
  static const char *const names[LFM_MERGE_SHAPES] = {"vanilla", "boot", "consistency", "progressive"};
  return names[shape];
}

static void make_leaves(lfm_merge_maker *maker, int count) {
  for (int i = 0; i < count; i++) lfm_merge_leaf(maker);
}

static void make_halves(lfm_merge_maker *maker, int count) {
  if (count == 1) lfm_merge_leaf(maker);
  if (count < 2) return;
  make_halves(maker, count / 2);
  make_halves(maker, count - count / 2);
  lfm_merge_join(maker, 2);
}

/* The next `count` blocks as one node. */
static void make_shape(lfm_merge_maker *maker, lfm_merge_shape shape, int count) {
  switch (shape) {
  case LFM_MERGE_BOOT:
    make_leaves(maker, count);
    for (int joins = 1; joins < count; joins++) lfm_merge_join(maker, 2);
    break;
  case LFM_MERGE_CONSISTENCY:
    lfm_merge_leaf(maker);
    for (int joins = 1; joins < count; joins++) {
      lfm_merge_leaf(maker);
      lfm_merge_join(maker, 2);
    }
    break;
  case LFM_MERGE_PROGRESSIVE:
    make_halves(maker, count);
    break;
  case LFM_MERGE_VANILLA:
  case LFM_MERGE_SHAPES:
    make_leaves(maker, count);
    lfm_merge_join(maker, count);
    break;
  }
}

int lfm_merge_even_end(int blocks, int students, int k) { return k * blocks / students; }

lfm_status lfm_merge_plan_even(lfm_merge_shape shape, int blocks, int students, lfm_merge_plan *plan) {
  if (blocks < 1 || blocks > LFM_MAX_BLOCKS || students < 1 || students > blocks)
    return lfm_fail(LFM_E_USAGE, "%d students of a chain of %d blocks: 1 to %d are possible", students, blocks, blocks);
  lfm_merge_maker maker = lfm_merge_begin(plan, blocks);
  for (int k = 1; k <= students; k++) {
    make_shape(&maker, shape, lfm_merge_even_end(blocks, students, k) - lfm_merge_even_end(blocks, students, k - 1));
    lfm_merge_student(&maker);
  }
  return LFM_OK;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

typedef struct reader {
  lfm_merge_maker maker;
  const char *text, *at;
  int depth;
  int opened[LFM_MAX_BLOCKS]; /* [depth] how many waited when a parenthesis opened */
} reader;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* A whole number, of which more digits than any block has are not distinguished. */
static int read_number(const char **at) {
  int number = 0;
  for (; is_digit(**at); ++*at)
    if (number < 1000) number = 10 * number + (**at - '0');
  return number;
}

/* Does the rest of the text speak of this block? */
static bool comes_later(const char *at, int block) {
  while (*at)
    if (!is_digit(*at)) at++;
    else if (read_number(&at) == block) return true;
  return false;
}

static int place_of(const reader *r, const char *at) { return (int)(at - r->text) + 1; }

static lfm_status read_block(reader *r) {
  const char *begin = r->at;
  int block = read_number(&r->at), due = next_block(&r->maker), place = place_of(r, begin);
  if (block < 1 || block > r->maker.plan->blocks)
    return lfm_fail(LFM_E_USAGE, "merge plan, character %d: there is no block %.*s; the chain has blocks 1 to %d", place,
                    (int)(r->at - begin < 8 ? r->at - begin : 8), begin, r->maker.plan->blocks);
  if (block < due) return lfm_fail(LFM_E_USAGE, "merge plan, character %d: block %d comes twice", place, block);
  if (block > due && comes_later(r->at, due))
    return lfm_fail(LFM_E_USAGE, "merge plan, character %d: block %d comes before block %d; blocks are merged in their order",
                    place, block, due);
  if (block > due) return lfm_fail(LFM_E_USAGE, "merge plan, character %d: block %d is missing", place, due);
  lfm_merge_leaf(&r->maker);
  return LFM_OK;
}

static lfm_status open_parenthesis(reader *r) {
  if (r->depth == LFM_MAX_BLOCKS)
    return lfm_fail(LFM_E_USAGE, "merge plan, character %d: more than %d parentheses are open", place_of(r, r->at),
                    LFM_MAX_BLOCKS);
  r->opened[r->depth++] = r->maker.waiting;
  r->at++;
  return LFM_OK;
}

static lfm_status close_parenthesis(reader *r) {
  int place = place_of(r, r->at);
  if (!r->depth) return lfm_fail(LFM_E_USAGE, "merge plan, character %d: nothing was opened that ')' could close", place);
  int inside = r->maker.waiting - r->opened[--r->depth];
  if (!inside) return lfm_fail(LFM_E_USAGE, "merge plan, character %d: there is no block between the parentheses", place);
  lfm_merge_join(&r->maker, inside);
  r->at++;
  return LFM_OK;
}

/* At a bar or at the end of the text. */
static lfm_status close_group(reader *r) {
  int place = place_of(r, r->at);
  if (r->depth) return lfm_fail(LFM_E_USAGE, "merge plan, character %d: a ')' is missing", place);
  if (!r->maker.waiting)
    return lfm_fail(LFM_E_USAGE, "merge plan, character %d: student %d has no block", place, r->maker.plan->students + 1);
  lfm_merge_student(&r->maker);
  if (*r->at) r->at++;
  return LFM_OK;
}

static lfm_status read_next(reader *r) {
  char quoted[LFM_QUOTE_MAX];
  if (is_digit(*r->at)) return read_block(r);
  switch (*r->at) {
  case ' ':
  case '\t':
    r->at++;
    return LFM_OK;
  case '(':
    return open_parenthesis(r);
  case ')':
    return close_parenthesis(r);
  case '|':
    return close_group(r);
  default:
    return lfm_fail(LFM_E_USAGE, "merge plan, character %d: %s; a plan is blocks, parentheses and bars: 1 | (2 3) | 4",
                    place_of(r, r->at), lfm_quote(r->at, 1, quoted));
  }
}

lfm_status lfm_merge_plan_parse(const char *text, int blocks, lfm_merge_plan *plan) {
  if (blocks < 1 || blocks > LFM_MAX_BLOCKS)
    return lfm_fail(LFM_E_USAGE, "a merge plan of %d blocks; 1 to %d are possible", blocks, LFM_MAX_BLOCKS);
  reader r = {.maker = lfm_merge_begin(plan, blocks), .text = text, .at = text};
  if (strlen(text) > 100000) return lfm_fail(LFM_E_USAGE, "merge plan: more than 100,000 characters");
  while (*r.at) LFM_TRY(read_next(&r));
  LFM_TRY(close_group(&r));
  if (next_block(&r.maker) <= blocks)
    return lfm_fail(LFM_E_USAGE, "merge plan: block %d is missing; the chain has %d", next_block(&r.maker), blocks);
  return LFM_OK;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

typedef struct writer {
  char *text; /* [LFM_MERGE_TEXT] */
  size_t length;
} writer;

static void put(writer *w, const char *text) {
  w->length += (size_t)snprintf(w->text + w->length, LFM_MERGE_TEXT - w->length, "%s", text);
}

static void put_node(writer *w, const lfm_merge_plan *plan, int at) {
  const lfm_merge_node *node = &plan->node[at];
  char number[16];
  snprintf(number, sizeof number, "%d", node->first);
  if (!node->children) put(w, number);
  for (int c = node->child; c >= 0; c = plan->node[c].next) {
    put(w, c == node->child ? "(" : " ");
    put_node(w, plan, c);
  }
  if (node->children) put(w, ")");
}

void lfm_merge_plan_format(const lfm_merge_plan *plan, char text[LFM_MERGE_TEXT]) {
  writer w = {.text = text};
  text[0] = 0;
  for (int k = 0; k < plan->students; k++) {
    if (k) put(&w, " | ");
    put_node(&w, plan, plan->student[k]);
  }
}
