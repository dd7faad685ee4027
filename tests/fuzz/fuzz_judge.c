/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a judge's file, and as the header of one whose weights are zeros, as many as the smallest judge has: refused
 * with one line that names the file, or a judge that can be asked.
 */
#include "core/alloc.h"
#include "flow/judge.h"
#include "metric/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of one channel, up to four pixels a side, two classes: net.0, 1, 3, 4, 6, 7, 10, 12. */
enum { WEIGHTS = 320 + 64 + 18496 + 128 + 73856 + 256 + 16512 + 258, LENGTH = 8 };

static void require(bool holds) {
  if (!holds) abort();
}

static void ask(const lfm_judge *judge) {
  int64_t channels, height, width;
  lfm_judge_picture(judge, &channels, &height, &width);
  uint8_t *black = calloc((size_t)(channels * height * width), 1);
  lfm_table *picture, *features, *logits;
  require(black && lfm_table_create_pictures(black, 1, channels, height, width, NULL, &picture) == LFM_OK);
  require(lfm_judge_apply(judge, picture, 1, &features, &logits, NULL) == LFM_OK);
  require(lfm_table_cols(logits) == lfm_judge_classes(judge));
  for (int64_t i = 0; i < lfm_table_cols(logits); i++) require(!strcmp(lfm_table_name(logits, i), lfm_judge_class(judge, i)));
  lfm_table_destroy(logits);
  lfm_table_destroy(features);
  lfm_table_destroy(picture);
  free(black);
}

static void require_refusal(lfm_status status) {
  require(status == LFM_E_FORMAT || status == LFM_E_UNSUPPORTED);
  require(strstr(lfm_error(), "input: ") == lfm_error() && !strchr(lfm_error(), '\n'));
}

static void read_file(const uint8_t *data, size_t size) {
  lfm_archive *archive = NULL;
  lfm_judge *judge = NULL;
  size_t before = lfm_alloc_in_use();
  lfm_status status = lfm_archive_open_memory(data, size, "input", &archive);
  if (status == LFM_OK) status = lfm_judge_read(archive, &judge);
  require((status == LFM_OK) == (judge != NULL));
  if (judge) ask(judge);
  else require_refusal(status);
  lfm_judge_destroy(judge);
  lfm_archive_destroy(archive);
  require(lfm_alloc_in_use() == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t whole = LENGTH + size + WEIGHTS * sizeof(float);
  uint8_t *file = calloc(whole, 1);
  require(file != NULL);
  for (int i = 0; i < LENGTH; i++) file[i] = (uint8_t)(size >> 8 * i & 0xFF);
  if (size) memcpy(file + LENGTH, data, size);
  read_file(data, size);
  read_file(file, whole);
  free(file);
  return 0;
}
