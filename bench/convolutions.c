/* SPDX-License-Identifier: MIT
 *
 * convolutions.c -- what our ways gain at which shape: the numbers of docs/decisions/convolutions.md and bf16.md.
 * Each pass of each shape on one thread, the best of some runs, directly by oneDNN, and as chosen (kernel/onednn_conv.c) in
 * floats and in bfloat16; GFLOP/s count the direct algorithm's operations.  On an idle machine, beside CMake's build folder:
 *
 *   cc -O2 -D_GNU_SOURCE -Isrc -Iinclude -o conv bench/convolutions.c build/liblfm_kernel.a build/liblfm_core.a \
 *     -ldnnl -lgomp -lm
 *   ./conv [images] [runs] [first shape]
 */
#include "core/alloc.h"
#include "kernel/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const int64_t shapes[][5] = {/* channels in, out, pixels along a side; taps along one, below 0: of a line; stride */
                                    {16, 64, 32, 3, 1},   {64, 16, 32, 3, 1},   {64, 64, 32, 3, 1},   {128, 64, 32, 3, 1},
                                    {192, 64, 32, 3, 1},  {32, 32, 28, 3, 1},   {64, 32, 28, 3, 1},   {128, 128, 16, 3, 1},
                                    {256, 128, 16, 3, 1}, {64, 64, 14, 3, 1},   {128, 64, 14, 3, 1},  {64, 64, 8, 3, 1},
                                    {128, 128, 8, 3, 1},  {256, 128, 8, 3, 1},  {256, 256, 8, 3, 1},  {64, 64, 7, 3, 1},
                                    {128, 128, 7, 3, 1},  {128, 128, 4, 3, 1},  {256, 128, 4, 3, 1},  {64, 64, 32, 3, 2},
                                    {128, 128, 16, 3, 2}, {128, 64, 32, 1, 1},  {128, 384, 16, 1, 1}, {256, 128, 8, 1, 1},
                                    {10, 64, 16, -5, 1},  {64, 64, 16, -5, 1},  {32, 32, 16, -5, 1},  {64, 128, 8, -5, 1},
                                    {128, 128, 8, -5, 1}, {256, 64, 8, -5, 1},  {64, 64, 8, -5, 1},   {128, 256, 4, -5, 1},
                                    {256, 256, 4, -5, 1}, {512, 128, 4, -5, 1}, {128, 128, 4, -5, 1}, {64, 64, 4, -5, 1},
                                    {64, 64, 3, -5, 1},   {64, 64, 5, -5, 1},   {64, 64, 6, -5, 1},   {64, 64, 7, -5, 1},
                                    {64, 64, 13, -5, 1},  {32, 96, 16, -5, 1},  {176, 176, 4, -5, 1}, {24, 24, 16, -5, 1}};
static const char *const passes[] = {"forward", "data", "weights"};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *room(size_t numbers) {
  float *out;
  if (lfm_alloc_array(&out, numbers, sizeof *out) != LFM_OK) exit(1);
  for (size_t i = 0; i < numbers; i++) out[i] = (float)(i % 13) / 13.0f;
  return out;
}

static double rate(const lfm_kernels *kernels, const int64_t *s, lfm_conv_pass pass, int64_t images, int runs) {
  const lfm_image_kernels *k = kernels->image;
  bool line = s[3] < 0;
  int64_t side = (s[2] - 1) / s[4] + 1;
  lfm_conv_shape shape = {
      {s[0], line ? 1 : s[2], s[2], k->block}, {s[1], line ? 1 : side, side, k->block}, line ? -s[3] : s[3], s[4], line};
  size_t x_count = (size_t)(images * lfm_image_count(shape.in)), y_count = (size_t)(images * lfm_image_count(shape.out));
  lfm_conv *conv;
  if (k->conv_create(&shape, pass, pass != LFM_CONV_BACK_DATA, images, &conv) != LFM_OK) return 0;
  void *x = room(x_count), *y = room(y_count), *w = room(k->filter(&shape, pass).count), *bias = room((size_t)s[1]);
  void *scratch = room(k->conv_scratch(conv) / sizeof(float) + 1);
  double best = 1e9;
  for (int run = 0; run < runs; run++) {
    double start = now();
    lfm_status status = pass == LFM_CONV_FORWARD     ? k->conv_run(conv, x, w, bias, y, scratch)
                        : pass == LFM_CONV_BACK_DATA ? k->conv_run(conv, y, w, NULL, x, scratch)
                                                     : k->conv_gradient(conv, x, y, w, bias, false, scratch);
    double took = now() - start;
    if (status == LFM_OK && took < best) best = took;
  }
  k->conv_destroy(conv);
  lfm_free(x), lfm_free(y), lfm_free(w), lfm_free(bias), lfm_free(scratch);
  return 2e-9 * (double)(images * s[0] * s[1] * lfm_conv_taps(&shape) * lfm_image_pixels(shape.out)) / best;
}

/* Of images of bfloat16, where this processor has it. */
static double rate_of_halves(const int64_t *s, lfm_conv_pass pass, int64_t images, int runs) {
  const lfm_kernels *bf16;
  return lfm_kernels_bf16(&bf16) == LFM_OK ? rate(lfm_kernels_bf16_pairs(), s, pass, images, runs) : 0;
}

int main(int argc, char **argv) {
  int64_t images = argc > 1 ? atoi(argv[1]) : 16;
  int runs = argc > 2 ? atoi(argv[2]) : 20;
  printf("%s, %d images, GFLOP/s\n  in  out side taps stride  pass     direct   ours  bf16\n",
         lfm_kernels_identity(lfm_kernels_onednn()), (int)images);
  for (size_t i = argc > 3 ? (size_t)atoi(argv[3]) : 0; i < sizeof shapes / sizeof *shapes; i++)
    for (lfm_conv_pass pass = LFM_CONV_FORWARD; pass <= LFM_CONV_BACK_WEIGHTS; pass++)
      printf("%4d %4d %4d %4d %6d  %-8s %6.0f %6.0f %5.0f\n", (int)shapes[i][0], (int)shapes[i][1], (int)shapes[i][2],
             (int)shapes[i][3], (int)shapes[i][4], passes[pass],
             rate(lfm_kernels_onednn_direct(), shapes[i], pass, images, runs),
             rate(lfm_kernels_onednn(), shapes[i], pass, images, runs), rate_of_halves(shapes[i], pass, images, runs));
  return 0;
}
