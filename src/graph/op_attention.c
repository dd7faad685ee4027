/* SPDX-License-Identifier: MIT
 *
 * op_attention.c -- every pixel looks at all others: O = softmax(Q K' / sqrt(d)) V, head by head.  [Vaswani et al. 2017]
 * Head h has the channels 3 d h of qkv: d of Q, d of K, d of V, one after the other; that is how the weights of the public
 * implementation lie, whose scale d^(-1/4) on each of Q and K the products have, too (a kernel a head scales Q K').
 *   forward   P = softmax(Q K'), O = P V
 *   backward  dV = P' dO;  dS = the softmax's slope of (dO V');  dQ = dS K;  dK = dS' Q
 *   tangent   T_S = T_Q K' + Q T_K';  T_P = the softmax's slope of T_S, which is symmetric;  T_O = T_P V + P T_V
 * P [pixels, pixels] is made again in backward, at the price of one product: to keep it for all rows would take more memory
 * than all else [Dao et al. 2022].  Forward and backward are one kernel a head where there is one, and in a shared run of one
 * image each worker makes some heads; else all products are table.h's, whose matrices stay in the second-level cache head by
 * head.  Where images are of halves so are Q, K, V and dO; P and dS, which sums pass through, are made so on their way into a
 * product.
 */
#include "graph/op.h"

#include <math.h>

enum { SCORES, SCORES_ADD, MIX, MIX_ADD, SLOPES, MEET }; /* products: A'B of [d, pixels]; P V; dO V'; P' dO */
enum { ROOM, ROOM_AGAIN };                               /* buffers, of forward and of the pass behind it: */
enum { BIG = 2, SMALL = 5 };                             /* so many [pixels, pixels] and [pixels, d] */

typedef struct head {
  lfm_image qkv, out;
  int64_t pixels, d;
  double scale;
  char *p, *s, *small[SMALL]; /* [pixels, pixels]; [pixels, d] or its transpose */
} head;

static head head_of(const lfm_exec *exec, const lfm_node *node, int buffer) {
  head h = {.qkv = lfm_exec_info(exec, node->input[0])->image, .out = lfm_exec_info(exec, node->output)->image};
  h.pixels = lfm_image_pixels(h.out), h.d = h.out.channels / node->heads;
  h.scale = 1 / sqrt(sqrt((double)h.d));
  if (buffer < 0) return h;
  char *at = lfm_exec_at(exec, buffer);
  h.p = at, h.s = at + lfm_exec_bytes(exec, h.pixels * h.pixels);
  for (int i = 0; i < SMALL; i++) h.small[i] = at + lfm_exec_bytes(exec, BIG * h.pixels * h.pixels + i * h.pixels * h.d);
  return h;
}

static bool is_whole(const lfm_exec *exec, const lfm_node *node) {
  const lfm_image_kernels *kernels = exec->graph->kernels->image;
  return kernels->can_attend && kernels->can_attend(lfm_exec_info(exec, node->output)->image, node->heads);
}

/* ---- planning --------------------------------------------------------------------------------------------------- */

static lfm_status refuse_adding(const lfm_node_state *state) {
  return state->adds[0] ? lfm_fail(LFM_E_UNSUPPORTED, "graph: attention of a value that others read, too") : LFM_OK;
}

static bool in_halves(const lfm_exec *exec) { return exec->graph->kernels->image->half; }

static lfm_layout plain_layout(const lfm_exec *exec, int64_t k, int64_t n) {
  lfm_layout plain = lfm_layout_plain(k, n);
  plain.half = in_halves(exec);
  return plain;
}

static lfm_status plan_scores(lfm_exec *exec, const head *h, lfm_node_state *state, bool add) {
  bool half = in_halves(exec);
  lfm_product_spec scores = {.m = h->pixels, .n = h->pixels, .k = h->d, .accumulate = add, .half_a = half, .half_b = half};
  return lfm_exec_want_product(exec, &scores, &state->product[add ? SCORES_ADD : SCORES]);
}

static lfm_status plan_mix(lfm_exec *exec, const head *h, lfm_node_state *state, bool add) {
  lfm_layout plain = plain_layout(exec, h->pixels, h->d);
  lfm_product_spec mix = {.m = h->pixels, .n = h->d, .k = h->pixels, .layout = &plain, .accumulate = add};
  return lfm_exec_want_product(exec, &mix, &state->product[add ? MIX_ADD : MIX]);
}

static lfm_status plan_backward(lfm_exec *exec, const head *h, lfm_node_state *state) {
  lfm_layout plain = plain_layout(exec, h->d, h->pixels);
  lfm_product_spec slopes = {.m = h->pixels, .n = h->pixels, .k = h->d, .layout = &plain, .half_a = in_halves(exec)};
  lfm_product_spec meet = {.m = h->pixels, .n = h->d, .k = h->pixels, .half_b = in_halves(exec)};
  LFM_TRY(refuse_adding(state));
  LFM_TRY(lfm_exec_want_product(exec, &slopes, &state->product[SLOPES]));
  return lfm_exec_want_product(exec, &meet, &state->product[MEET]);
}

/* Heads by the kernel: a room for each worker. */
static lfm_status plan_whole(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  const lfm_image image = lfm_exec_info(exec, node->output)->image;
  size_t room = exec->graph->kernels->image->attend_room(image, node->heads);
  int here = lfm_exec_info(exec, node->output)->producer, again = 2 * (int)exec->graph->node_count - 1 - here;
  state->parts = lfm_exec_parts(exec, node->heads);
  LFM_TRY(lfm_exec_want(exec, (size_t)state->parts * room, here, here, &state->buffer[ROOM]));
  if (exec->kind != LFM_EXEC_BACKWARD) return LFM_OK;
  LFM_TRY(refuse_adding(state));
  return lfm_exec_want(exec, room, again, again, &state->buffer[ROOM_AGAIN]);
}

static lfm_status plan(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  bool whole = is_whole(exec, node);
  if (whole) LFM_TRY(plan_whole(exec, node, state));
  if (whole && exec->kind != LFM_EXEC_TRACE) return LFM_OK;
  head h = head_of(exec, node, -1);
  size_t room = lfm_exec_bytes(exec, BIG * h.pixels * h.pixels + SMALL * h.pixels * h.d);
  int here = lfm_exec_info(exec, node->output)->producer, nodes = (int)exec->graph->node_count;
  int again = exec->kind == LFM_EXEC_BACKWARD ? 2 * nodes - 1 - here : nodes + here;
  if (!whole) LFM_TRY(lfm_exec_want(exec, room, here, here, &state->buffer[ROOM]));
  if (exec->kind != LFM_EXEC_FORWARD) LFM_TRY(lfm_exec_want(exec, room, again, again, &state->buffer[ROOM_AGAIN]));
  LFM_TRY(plan_scores(exec, &h, state, false));
  LFM_TRY(plan_mix(exec, &h, state, false));
  if (exec->kind == LFM_EXEC_BACKWARD) return plan_backward(exec, &h, state);
  if (exec->kind != LFM_EXEC_TRACE || !lfm_exec_moves(exec, node->output)) return LFM_OK;
  LFM_TRY(plan_scores(exec, &h, state, true));
  return plan_mix(exec, &h, state, true);
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

enum { OF_Q, OF_K, OF_V };

static size_t row_bytes(const lfm_exec *exec, lfm_value v, int64_t rows) {
  return lfm_exec_value_bytes(exec, lfm_exec_info(exec, v), rows);
}

/* Q, K or V of head i of one image as a matrix [pixels, d], or transposed. */
static void take(const lfm_exec *exec, const head *h, const void *qkv, int64_t i, int of, bool transposed, void *to) {
  exec->graph->kernels->image->gather(to, qkv, h->qkv, (3 * i + of) * h->d, h->d, transposed, of == OF_V ? 1.0 : h->scale);
}

static void put(const lfm_exec *exec, const head *h, void *qkv, int64_t i, int of, const void *from) {
  exec->graph->kernels->image->scatter(qkv, from, h->qkv, (3 * i + of) * h->d, h->d, of == OF_V ? 1.0 : h->scale);
}

static lfm_status product(lfm_exec *exec, lfm_product *made, const void *a, const void *b, void *c) {
  return exec->graph->kernels->product_run(made, a, b, NULL, c, lfm_exec_scratch(exec, 0));
}

/* P of head i, in h->p; Q' and K' [d, pixels] in small[0] and small[1]. */
static lfm_status attend(lfm_exec *exec, lfm_node_state *state, const head *h, const void *qkv, int64_t i) {
  take(exec, h, qkv, i, OF_Q, true, h->small[0]);
  take(exec, h, qkv, i, OF_K, true, h->small[1]);
  LFM_TRY(product(exec, state->product[SCORES], h->small[0], h->small[1], h->p));
  exec->graph->kernels->image->softmax(h->p, h->pixels, h->pixels);
  return LFM_OK;
}

/* The heads of a part, or all of them backward. */
static void run_whole(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part, bool back) {
  const lfm_image_kernels *kernels = exec->graph->kernels->image;
  lfm_image qkv = lfm_exec_info(exec, node->input[0])->image, out = lfm_exec_info(exec, node->output)->image;
  int64_t first = back ? 0 : lfm_part_begins(node->heads, state->parts, part);
  int64_t end = back ? node->heads : lfm_part_begins(node->heads, state->parts, part + 1);
  char *room = lfm_exec_at(exec, state->buffer[back ? ROOM_AGAIN : ROOM]);
  room += (size_t)part * kernels->attend_room(out, node->heads);
  for (int64_t row = 0; row < exec->rows; row++) {
    size_t at = lfm_exec_bytes(exec, row * lfm_image_count(qkv)), to = lfm_exec_bytes(exec, row * lfm_image_count(out));
    const char *read = (const char *)lfm_exec_value(exec, node->input[0]) + at;
    for (int64_t i = first; i < end; i++) {
      if (back)
        kernels->attend_backward((char *)lfm_exec_gradient(exec, node->input[0]) + at,
                                 (const char *)lfm_exec_gradient(exec, node->output) + to, read, out, node->heads, i, room);
      else kernels->attend((char *)lfm_exec_value(exec, node->output) + to, read, out, node->heads, i, room);
    }
  }
}

static lfm_status forward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state, int part) {
  if (is_whole(exec, node)) {
    run_whole(exec, node, state, part, false);
    return LFM_OK;
  }
  head h = head_of(exec, node, state->buffer[ROOM]);
  for (int64_t row = 0; row < exec->rows; row++) {
    const char *qkv = (char *)lfm_exec_value(exec, node->input[0]) + row_bytes(exec, node->input[0], row);
    char *out = (char *)lfm_exec_value(exec, node->output) + row_bytes(exec, node->output, row);
    for (int64_t i = 0; i < node->heads; i++) {
      LFM_TRY(attend(exec, state, &h, qkv, i));
      take(exec, &h, qkv, i, OF_V, false, h.small[2]);
      LFM_TRY(product(exec, state->product[MIX], h.p, h.small[2], h.small[3]));
      exec->graph->kernels->image->scatter(out, h.small[3], h.out, i * h.d, h.d, 1.0);
    }
  }
  return LFM_OK;
}

static lfm_status backward_head(lfm_exec *exec, lfm_node_state *state, const head *h, const char *qkv, const char *dout,
                                char *dqkv, int64_t i) {
  char *d_out = h->small[2], *matrix = h->small[3], *result = h->small[4];
  const lfm_image_kernels *kernels = exec->graph->kernels->image;
  LFM_TRY(attend(exec, state, h, qkv, i));
  kernels->gather(d_out, dout, h->out, i * h->d, h->d, false, 1.0);
  LFM_TRY(product(exec, state->product[MEET], h->p, d_out, result)); /* dV = P' dO */
  put(exec, h, dqkv, i, OF_V, result);
  take(exec, h, qkv, i, OF_V, true, matrix);
  LFM_TRY(product(exec, state->product[SLOPES], d_out, matrix, h->s)); /* dP = dO V' */
  kernels->softmax_slope(h->s, h->p, h->pixels, h->pixels);
  take(exec, h, qkv, i, OF_K, false, matrix);
  LFM_TRY(product(exec, state->product[MIX], h->s, matrix, result)); /* dQ = dS K */
  put(exec, h, dqkv, i, OF_Q, result);
  take(exec, h, qkv, i, OF_Q, false, matrix);
  LFM_TRY(product(exec, state->product[MEET], h->s, matrix, result)); /* dK = dS' Q */
  put(exec, h, dqkv, i, OF_K, result);
  return LFM_OK;
}

static lfm_status backward(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  if (is_whole(exec, node)) {
    run_whole(exec, node, state, 0, true);
    return LFM_OK;
  }
  head h = head_of(exec, node, state->buffer[ROOM_AGAIN]);
  for (int64_t row = 0; row < exec->rows; row++) {
    size_t at = row_bytes(exec, node->input[0], row), to = row_bytes(exec, node->output, row);
    const char *qkv = (char *)lfm_exec_value(exec, node->input[0]) + at;
    const char *dout = (char *)lfm_exec_gradient(exec, node->output) + to;
    char *dqkv = (char *)lfm_exec_gradient(exec, node->input[0]) + at;
    for (int64_t i = 0; i < node->heads; i++) LFM_TRY(backward_head(exec, state, &h, qkv, dout, dqkv, i));
  }
  return LFM_OK;
}

static lfm_status tangent_head(lfm_exec *exec, lfm_node_state *state, const head *h, const char *qkv, const char *moved,
                               char *to, int64_t i) {
  char *matrix = h->small[2], *result = h->small[3];
  const lfm_image_kernels *kernels = exec->graph->kernels->image;
  LFM_TRY(attend(exec, state, h, qkv, i));
  take(exec, h, moved, i, OF_Q, true, matrix);
  LFM_TRY(product(exec, state->product[SCORES], matrix, h->small[1], h->s));
  take(exec, h, moved, i, OF_K, true, matrix);
  LFM_TRY(product(exec, state->product[SCORES_ADD], h->small[0], matrix, h->s));
  kernels->softmax_slope(h->s, h->p, h->pixels, h->pixels);
  take(exec, h, qkv, i, OF_V, false, matrix);
  LFM_TRY(product(exec, state->product[MIX], h->s, matrix, result));
  take(exec, h, moved, i, OF_V, false, matrix);
  LFM_TRY(product(exec, state->product[MIX_ADD], h->p, matrix, result));
  kernels->scatter(to, result, h->out, i * h->d, h->d, 1.0);
  return LFM_OK;
}

static lfm_status tangent(lfm_exec *exec, const lfm_node *node, lfm_node_state *state) {
  head h = head_of(exec, node, state->buffer[ROOM_AGAIN]);
  for (int64_t f = 0; f < exec->panel_count; f++) {
    int64_t row = (exec->panel_first + f) / exec->directions, count = lfm_image_count(h.qkv);
    const char *qkv = (char *)lfm_exec_value(exec, node->input[0]) + lfm_exec_bytes(exec, row * count);
    const char *moved = (char *)lfm_exec_tangent(exec, node->input[0]) + lfm_exec_bytes(exec, f * count);
    char *to = (char *)lfm_exec_tangent(exec, node->output) + lfm_exec_bytes(exec, f * lfm_image_count(h.out));
    for (int64_t i = 0; i < node->heads; i++) LFM_TRY(tangent_head(exec, state, &h, qkv, moved, to, i));
  }
  return LFM_OK;
}

/* ---- building --------------------------------------------------------------------------------------------------- */

static double macs(const lfm_graph *graph, const lfm_node *node) {
  lfm_image out = graph->values[node->output].image;
  double pixels = (double)lfm_image_pixels(out);
  return 2 * pixels * pixels * (double)out.channels;
}

static const lfm_op op_attention = {
    .name = "attention", .macs = macs, .plan = plan, .forward = forward, .backward = backward, .tangent = tangent};

lfm_status lfm_graph_attention(lfm_graph *graph, lfm_value qkv, int64_t heads, lfm_value *out) {
  LFM_TRY(lfm_graph_check_image(graph, qkv));
  lfm_value_info *in = &graph->values[qkv];
  if (heads < 1 || in->shape[0] % (3 * heads) || !in->has_parameters)
    return lfm_fail(LFM_E_USAGE, "graph: %lld channels are no queries, keys and values of %lld heads",
                    (long long)in->shape[0], (long long)heads);
  in->kept = true;
  lfm_node node = {.op = &op_attention, .inputs = 1, .input = {qkv}, .heads = heads};
  lfm_value_info info = lfm_graph_image_info(graph, qkv, in->shape[0] / 3, in->shape[1], in->shape[2]);
  return lfm_graph_add_node(graph, &node, &info, out);
}
