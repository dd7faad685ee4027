/* SPDX-License-Identifier: MIT
 *
 * import_source.c -- what a file of weights holds: how many blocks, of how many columns, or of what pictures or actions.  A
 * table's first layer tells its columns; the size of a picture leaves no trace in weights, so the file says it.
 */
#include "flow/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The normaliser of a model without one is dim x dim numbers that the file does not hold. */
enum { MOST_COLUMNS = 4096 };

/* N of "blocks.N.", and what stands behind it; -1 when the name does not begin so. */
int lfm_import_block_of(const char *name, const char **rest) {
  if (strncmp(name, "blocks.", 7) != 0 || name[7] < '0' || name[7] > '9') return -1;
  if (name[7] == '0' && name[8] != '.') return -1; /* one spelling a block */
  char *end;
  long n = strtol(name + 7, &end, 10);
  *rest = end + 1;
  return *end != '.' ? -1 : n < LFM_MAX_BLOCKS ? (int)n : LFM_MAX_BLOCKS;
}

void lfm_import_prefix(const lfm_import_source *s, int n, char out[32]) {
  if (s->bare) *out = 0;
  else snprintf(out, 32, "blocks.%d.", n);
}

static lfm_status count_blocks(lfm_import_source *s) {
  const char *rest;
  for (int k = 0; k < lfm_archive_size(s->archive); k++) {
    int n = lfm_import_block_of(lfm_archive_at(s->archive, k)->name, &rest);
    if (n >= s->blocks) s->blocks = n + 1;
  }
  if (s->blocks > LFM_MAX_BLOCKS)
    return lfm_fail(LFM_E_FORMAT, "%s: holds blocks beyond blocks.%d; a chain has at most %d", s->path, LFM_MAX_BLOCKS - 1,
                    LFM_MAX_BLOCKS);
  s->bare = s->blocks == 0;
  if (s->bare) s->blocks = 1;
  return LFM_OK;
}

/* The metadata say what a picture is; weights of a network that slides over it do not. */
static lfm_status find_picture(lfm_import_source *s, const lfm_config *asked) {
  if (lfm_archive_meta_find(s->archive, "channels")) {
    LFM_TRY(lfm_chain_read_picture(s->archive, &s->picture));
    s->dim = (int64_t)lfm_images_row_size(s->picture);
    return LFM_OK;
  }
  if (asked->network != LFM_NETWORK_UNET) return LFM_OK;
  return lfm_fail(LFM_E_FORMAT,
                  "%s: does not say how large the pictures of its network are; save it with the metadata channels, height, "
                  "width and classes, each a number in quotes",
                  s->path);
}

static const char *const policy_keys[] = {"observation_horizon", "prediction_horizon", "action_horizon", NULL};

/* What a policy acts and sees is metadata, and its units tensors (chain_windows.c); of its horizons there is no trace. */
static lfm_status find_windows(lfm_import_source *s, const lfm_config *asked) {
  if (lfm_archive_meta_find(s->archive, "action")) {
    LFM_TRY(lfm_import_require_keys(asked, policy_keys, "a policy sees, predicts and does"));
    LFM_TRY(lfm_chain_read_windows(s->archive, lfm_chain_horizons(asked), &s->windows));
    s->dim = s->windows->horizons.prediction * s->windows->width;
    s->form = LFM_FORM_CHUNKS;
    return LFM_OK;
  }
  if (asked->network != LFM_NETWORK_UNET1D) return LFM_OK;
  return lfm_fail(LFM_E_FORMAT, "%s: does not say what its policy acts and sees; an export of lfm does, and docs/formats.md",
                  s->path);
}

/* The columns of which a first layer takes so many numbers, t and waves among them; 0: of no number of columns. */
static int64_t columns_seen(int64_t seen, int64_t waves) {
  int64_t dim = seen - 1 == lfm_wave_columns(2, waves) ? 2 : (seen - 1) / lfm_wave_columns(1, waves);
  return seen - 1 == lfm_wave_columns(dim, waves) ? dim : 0;
}

/* What a normaliser in the file holds has its own bound: the file's length. */
static lfm_status find_dim(lfm_import_source *s, const lfm_config *asked) {
  char prefix[32], first[64], shape[LFM_TENSOR_TEXT];
  lfm_import_prefix(s, 0, prefix);
  snprintf(first, sizeof first, "%snet.0.weight", prefix);
  const lfm_tensor *weight = lfm_archive_find(s->archive, first);
  if (!weight)
    return lfm_fail(LFM_E_FORMAT,
                    "%s: has no tensor '%s'; weights are called blocks.N.net.K.weight and .bias with N = 0, 1, ... and "
                    "K = 0, 2, 4, ..., or net.K.weight and .bias of a single block",
                    s->path, first);
  s->dim = weight->dims == 2 ? columns_seen(weight->shape[1], asked->waves) : 0;
  if (s->dim < 1 || (s->dim > MOST_COLUMNS && s->form != LFM_FORM_WHOLE))
    return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' is %s, expected [hidden_dim, 1 + columns%s] with 1 to %d columns", s->path,
                    first, lfm_tensor_describe(weight->dtype, weight->dims, weight->shape, shape),
                    asked->waves ? " + waves" : "", MOST_COLUMNS);
  return LFM_OK;
}

static const char *const whole_form[] = {"normaliser.varying", "normaliser.constant", "normaliser.mean",
                                         "normaliser.forward", "normaliser.inverse",  "normaliser.logdet",
                                         "normaliser.radial"};
static const char *const scale_form[] = {"normaliser.mean", "normaliser.scale"};
static const char *const chunk_form[] = {"action.mean",       "action.scale",       "observation.mean",
                                         "observation.scale", "observation.middle", "observation.reach"};

bool lfm_import_is_normalisers(const lfm_import_source *s, const char *name) {
  static const struct {
    const char *const *names;
    size_t count;
  } forms[] = {[LFM_FORM_NONE] = {NULL, 0},
               [LFM_FORM_SCALE] = {scale_form, sizeof scale_form / sizeof *scale_form},
               [LFM_FORM_WHOLE] = {whole_form, sizeof whole_form / sizeof *whole_form},
               [LFM_FORM_CHUNKS] = {chunk_form, sizeof chunk_form / sizeof *chunk_form}};
  const char *const *names = forms[s->form].names;
  size_t count = forms[s->form].count;
  for (size_t k = 0; k < count; k++)
    if (strcmp(names[k], name) == 0) return true;
  return false;
}

/* A mean alone, which both forms have, lacks its scale. */
static lfm_import_form find_form(const lfm_archive *archive) {
  bool has_mean = lfm_archive_find(archive, "normaliser.mean");
  int parts = 0;
  if (lfm_archive_find(archive, "normaliser.scale")) return LFM_FORM_SCALE;
  for (size_t k = 0; k < sizeof whole_form / sizeof *whole_form; k++)
    parts += lfm_archive_find(archive, whole_form[k]) != NULL;
  return parts > has_mean ? LFM_FORM_WHOLE : has_mean ? LFM_FORM_SCALE : LFM_FORM_NONE;
}

lfm_status lfm_import_survey(const lfm_archive *archive, const lfm_config *asked, lfm_import_source *s) {
  *s = (lfm_import_source){.archive = archive, .path = lfm_archive_path(archive)};
  LFM_TRY(find_picture(s, asked));
  LFM_TRY(find_windows(s, asked));
  LFM_TRY(count_blocks(s));
  if (s->picture || s->windows) return LFM_OK;
  s->form = find_form(archive);
  return find_dim(s, asked);
}
