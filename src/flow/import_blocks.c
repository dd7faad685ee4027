/* SPDX-License-Identifier: MIT
 *
 * import_blocks.c -- every tensor of the file must have its place in the network, and every place its tensor; all faults are
 * told at once, as one who renames tensors wants them.  Weights lie in PyTorch's order in the file and in our masters; blocks
 * of channels are how the kernels' packed copies lie.
 */
#include "flow/import.h"

#include "core/alloc.h"
#include "data/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct faults {
  char text[640];
  size_t length;
  int count, unsaid;
} faults;

static void __attribute__((format(printf, 2, 3))) add_fault(faults *f, const char *format, ...) {
  char line[LFM_QUOTE_MAX + 2 * LFM_TENSOR_TEXT + 64];
  va_list arguments;
  va_start(arguments, format);
  size_t length = (size_t)vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  f->count++;
  if (f->unsaid || f->length + length + 3 > sizeof f->text) f->unsaid++;
  else f->length += (size_t)snprintf(f->text + f->length, sizeof f->text - f->length, "%s%s", f->length ? "; " : "", line);
}

/* Which of the network's tensors, over all blocks, has this name; -1: none. */
static int64_t place_of(const lfm_import_source *s, const lfm_net *net, const char *name) {
  const char *rest = name;
  int n = s->bare ? 0 : lfm_import_block_of(name, &rest);
  for (int i = 0; n >= 0 && i < lfm_net_tensor_count(net); i++)
    if (strcmp(lfm_net_tensor(net, i)->name, rest) == 0) return (int64_t)n * lfm_net_tensor_count(net) + i;
  return -1;
}

static bool are_finite(const lfm_tensor *tensor) {
  const float *values = tensor->data;
  for (int64_t i = 0; i < lfm_tensor_count(tensor); i++)
    if (!isfinite(values[i])) return false;
  return true;
}

/* The tensor at one place of the network, judged. */
static void judge(const lfm_tensor_info *due, const char *prefix, const lfm_tensor *tensor, faults *f) {
  char expected[LFM_TENSOR_TEXT], found[LFM_TENSOR_TEXT];
  lfm_tensor_describe(LFM_F32, due->dims, due->shape, expected);
  if (!tensor) {
    add_fault(f, "tensor '%s%s' is missing (expected %s)", prefix, due->name, expected);
    return;
  }
  lfm_tensor_describe(tensor->dtype, tensor->dims, tensor->shape, found);
  if (strcmp(found, expected) != 0) add_fault(f, "tensor '%s' is %s, expected %s", tensor->name, found, expected);
  else if (!are_finite(tensor)) add_fault(f, "tensor '%s' holds a number that is not finite", tensor->name);
}

/* found [blocks, tensors of the net]: every place with its tensor, and no tensor without a place. */
static lfm_status place_tensors(const lfm_import_source *s, const lfm_net *net, const lfm_tensor **found) {
  faults f = {.length = 0};
  int tensors = lfm_net_tensor_count(net);
  for (int k = 0; k < lfm_archive_size(s->archive); k++) {
    const lfm_tensor *tensor = lfm_archive_at(s->archive, k);
    int64_t place = place_of(s, net, tensor->name);
    if (place >= 0) found[place] = tensor;
  }
  for (int n = 0; n < s->blocks; n++) {
    char prefix[32];
    lfm_import_prefix(s, n, prefix);
    for (int i = 0; i < tensors; i++) judge(lfm_net_tensor(net, i), prefix, found[(int64_t)n * tensors + i], &f);
  }
  for (int k = 0; k < lfm_archive_size(s->archive); k++) {
    const char *name = lfm_archive_at(s->archive, k)->name;
    char quoted[LFM_QUOTE_MAX];
    if (place_of(s, net, name) < 0 && !lfm_import_is_normalisers(s, name) && strcmp(name, LFM_CHAIN_SPANS) != 0)
      add_fault(&f, "tensor %s has no place in this network", lfm_quote(name, strlen(name), quoted));
  }
  if (!f.count) return LFM_OK;
  char more[48] = "";
  if (f.unsaid) snprintf(more, sizeof more, "; and %d more like these", f.unsaid);
  return lfm_fail(LFM_E_FORMAT, "%.200s: %s%s", s->path, f.text, more);
}

static lfm_status read_blocks(const lfm_import_source *s, const lfm_tensor *const *found, lfm_model *model) {
  float *values;
  int tensors = lfm_net_tensor_count(model->net);
  LFM_TRY(lfm_chain_make_blocks(model));
  LFM_TRY(LFM_ALLOC(&values, lfm_net_param_count(model->net)));
  for (int n = 0; n < s->blocks; n++) {
    for (int i = 0; i < tensors; i++) {
      const lfm_tensor_info *info = lfm_net_tensor(model->net, i);
      memcpy(values + info->offset, found[(int64_t)n * tensors + i]->data, (size_t)info->count * sizeof *values);
    }
    lfm_params_set(model->params[n], values);
  }
  lfm_free(values);
  return LFM_OK;
}

lfm_status lfm_import_blocks(const lfm_import_source *s, lfm_model *model) {
  const lfm_tensor **found;
  LFM_TRY(LFM_ALLOC(&found, (int64_t)s->blocks * lfm_net_tensor_count(model->net)));
  lfm_status status = place_tensors(s, model->net, found);
  if (status == LFM_OK) status = read_blocks(s, found, model);
  lfm_free(found);
  return status;
}
