/* SPDX-License-Identifier: MIT
 *
 * exchange.c -- weights from PyTorch and to PyTorch.
 * Export writes the model's tensors, and its columns as metadata, without what only we read; import takes such a file, or one
 * that a user wrote with safetensors.torch.save_file, and a configuration that says what network the weights belong to.
 *
 *   blocks.N.net.K.weight [out, in], .bias [out]   or of a single block  net.K.weight, .bias       float32
 *   normaliser.mean, normaliser.scale [dim]        x = (data - mean) / scale, float32 or float64; or the six of an export
 *   blocks.N.input_blocks.0.0.weight, ...          of pictures: the names of guided diffusion's U-Net; beside them, as
 *                                                  metadata, channels, height, width and classes
 *   blocks.N.down_modules.0.0..., action.mean, ...  of policies: the names of Diffusion Policy's 1-D U-Net, and what
 *                                                  chain_windows.c says
 *
 * The configuration is asked for, not guessed from the shapes: an activation, or the channels of a head, leaves no trace in
 * them, and a wrong one makes a model that is wrong without a sign.  Nor does the size of a picture, and so the file says it.
 * Weights lie in PyTorch's order in the file and in our masters; blocks of channels are how the kernels' packed copies lie.
 * Every tensor of the file must have its place in the network and every place its
 * tensor; all faults are told at once, as one who renames tensors wants them.
 */
#include "config/keys.h"
#include "core/alloc.h"
#include "core/file.h"
#include "core/utf8.h"
#include "data/table.h"
#include "data/text.h"
#include "flow/chain.h"
#include "flow/ou.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The normaliser of a model without one is dim x dim numbers that the file does not hold. */
enum { MOST_COLUMNS = 4096 };

void lfm_import_defaults(lfm_import_options *options) { *options = (lfm_import_options){0}; }

/* ---- what the file holds ------------------------------------------------------------------------------------- */

typedef enum normaliser_form { FORM_NONE, FORM_SCALE, FORM_WHOLE, FORM_CHUNKS } normaliser_form;

typedef struct source {
  const lfm_archive *archive;
  const char *path;
  bool bare; /* one block, whose tensors have no "blocks.N." */
  int blocks;
  int64_t dim;          /* of x, by the first layer, or by the picture */
  lfm_images *picture;  /* size and classes; NULL: no pictures */
  lfm_windows *windows; /* of a policy: actions and observations; NULL: it is none */
  normaliser_form form;
} source;

/* N of "blocks.N.", and what stands behind it; -1 when the name does not begin so. */
static int block_of(const char *name, const char **rest) {
  if (strncmp(name, "blocks.", 7) != 0 || name[7] < '0' || name[7] > '9') return -1;
  if (name[7] == '0' && name[8] != '.') return -1; /* one spelling a block */
  char *end;
  long n = strtol(name + 7, &end, 10);
  *rest = end + 1;
  return *end != '.' ? -1 : n < LFM_MAX_BLOCKS ? (int)n : LFM_MAX_BLOCKS;
}

static void name_prefix(const source *s, int n, char out[32]) {
  if (s->bare) *out = 0;
  else snprintf(out, 32, "blocks.%d.", n);
}

static lfm_status count_blocks(source *s) {
  const char *rest;
  for (int k = 0; k < lfm_archive_size(s->archive); k++) {
    int n = block_of(lfm_archive_at(s->archive, k)->name, &rest);
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
static lfm_status find_picture(source *s, const lfm_config *asked) {
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

static lfm_status require_keys(const lfm_config *given, const char *const *keys, const char *what) {
  for (; *keys; keys++)
    if (!lfm_config_is_set(given, *keys))
      return lfm_fail(LFM_E_USAGE, "%s: is not in the configuration, which has to say what %s", *keys, what);
  return LFM_OK;
}

static const char *const policy_keys[] = {"observation_horizon", "prediction_horizon", "action_horizon", NULL};

/* What a policy acts and sees is metadata, and its units tensors (chain_windows.c); of its horizons there is no trace. */
static lfm_status find_windows(source *s, const lfm_config *asked) {
  if (lfm_archive_meta_find(s->archive, "action")) {
    LFM_TRY(require_keys(asked, policy_keys, "a policy sees, predicts and does"));
    LFM_TRY(lfm_chain_read_windows(s->archive, lfm_chain_horizons(asked), &s->windows));
    s->dim = s->windows->horizons.prediction * s->windows->width;
    s->form = FORM_CHUNKS;
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
static lfm_status find_dim(source *s, const lfm_config *asked) {
  char prefix[32], first[64], shape[LFM_TENSOR_TEXT];
  name_prefix(s, 0, prefix);
  snprintf(first, sizeof first, "%snet.0.weight", prefix);
  const lfm_tensor *weight = lfm_archive_find(s->archive, first);
  if (!weight)
    return lfm_fail(LFM_E_FORMAT,
                    "%s: has no tensor '%s'; weights are called blocks.N.net.K.weight and .bias with N = 0, 1, ... and "
                    "K = 0, 2, 4, ..., or net.K.weight and .bias of a single block",
                    s->path, first);
  s->dim = weight->dims == 2 ? columns_seen(weight->shape[1], asked->waves) : 0;
  if (s->dim < 1 || (s->dim > MOST_COLUMNS && s->form != FORM_WHOLE))
    return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' is %s, expected [hidden_dim, 1 + columns%s] with 1 to %d columns", s->path,
                    first, lfm_tensor_describe(weight->dtype, weight->dims, weight->shape, shape),
                    asked->waves ? " + waves" : "", MOST_COLUMNS);
  return LFM_OK;
}

static const char *const whole_form[] = {"normaliser.varying", "normaliser.constant", "normaliser.mean",
                                         "normaliser.forward", "normaliser.inverse",  "normaliser.logdet"};
static const char *const scale_form[] = {"normaliser.mean", "normaliser.scale"};
static const char *const chunk_form[] = {"action.mean",       "action.scale",       "observation.mean",
                                         "observation.scale", "observation.middle", "observation.reach"};

/* A mean alone, which both forms have, lacks its scale. */
static normaliser_form find_form(const lfm_archive *archive) {
  bool has_mean = lfm_archive_find(archive, "normaliser.mean");
  int parts = 0;
  if (lfm_archive_find(archive, "normaliser.scale")) return FORM_SCALE;
  for (size_t k = 0; k < sizeof whole_form / sizeof *whole_form; k++)
    parts += lfm_archive_find(archive, whole_form[k]) != NULL;
  return parts > has_mean ? FORM_WHOLE : has_mean ? FORM_SCALE : FORM_NONE;
}

static lfm_status survey(const lfm_archive *archive, const lfm_config *asked, source *s) {
  *s = (source){.archive = archive, .path = lfm_archive_path(archive)};
  LFM_TRY(find_picture(s, asked));
  LFM_TRY(find_windows(s, asked));
  LFM_TRY(count_blocks(s));
  if (s->picture || s->windows) return LFM_OK;
  s->form = find_form(archive);
  return find_dim(s, asked);
}

/* ---- the configuration --------------------------------------------------------------------------------------- */

/* Training has its own for what is not said, the first by the data: here that would be a guess. */
static lfm_status check_schedule(const lfm_config *config, const source *s) {
  bool decides = !config->blocks && config->schedule_kind == LFM_SCHEDULE_EXPONENTIAL;
  bool wants_c = decides && s->blocks > 1, wants_rho = decides && s->blocks > 2;
  if (!(wants_c && isnan(config->schedule_c)) && !(wants_rho && isnan(config->schedule_rho))) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "%s: is not in the configuration; write it, or hks as config.yaml of the run has it",
                  isnan(config->schedule_c) ? "schedule.c" : "schedule.rho");
}

/* The chain's hks, from the list, the schedule, or the fact that there is one block. */
static lfm_status complete_chain(lfm_config *config, const source *s) {
  double gammas[LFM_MAX_BLOCKS];
  int blocks;
  bool is_said = config->blocks || lfm_config_is_set(config, "schedule");
  if (!is_said && s->blocks > 1)
    return lfm_fail(LFM_E_USAGE, "hks: %s holds %d blocks; list the OU time of each in the configuration", s->path,
                    s->blocks);
  if (!config->schedule_blocks) config->schedule_blocks = s->blocks;
  LFM_TRY(check_schedule(config, s));
  LFM_TRY(lfm_ou_schedule(config, gammas, &blocks));
  if (blocks != s->blocks)
    return lfm_fail(LFM_E_FORMAT, "%s: holds %d block%s, but hks of the configuration makes %d", s->path, s->blocks,
                    s->blocks == 1 ? "" : "s", blocks);
  memcpy(config->hks, gammas, (size_t)blocks * sizeof *gammas);
  config->blocks = blocks;
  return LFM_OK;
}

/* The keys that say what network the weights belong to, as far as the weights cannot. */
static const char *const mlp_keys[] = {"hidden_dim", "num_hidden", "act", NULL};
static const char *const wave_keys[] = {"finest_wave", "interp", NULL};
static const char *const unet_keys[] = {"hidden_dim",        "unet_dim_mults", "res_depth", "attention_resolution",
                                        "num_head_channels", "scale_shift",    NULL};
static const char *const unet1d_keys[] = {"hidden_dim", "unet_dim_mults", "kernel_size", "n_groups", "step_embed_dim", NULL};

static lfm_network network_of(const lfm_config *given, const source *s) {
  if (given->network != LFM_NETWORK_AUTO) return given->network;
  return s->picture ? LFM_NETWORK_UNET : s->windows ? LFM_NETWORK_UNET1D : LFM_NETWORK_MLP;
}

static void objective_of(const lfm_config *config, char out[LFM_KEY_TEXT]) {
  lfm_key_format(&lfm_keys[lfm_key_find("objective")], config, out);
}

/* Flows and single steps have the same tensors: an export says which they are. */
static lfm_status check_objective(const lfm_config *given, const source *s) {
  char asked[LFM_KEY_TEXT];
  const char *learnt = lfm_archive_meta_find(s->archive, "objective");
  objective_of(given, asked);
  if (!learnt || strcmp(learnt, asked) == 0) return LFM_OK;
  return lfm_fail(LFM_E_FORMAT,
                  "%s: its blocks have learnt by objective: %s, but the configuration says %s; take the config.yaml of "
                  "their run",
                  s->path, lfm_show(learnt).text, asked);
}

static lfm_status complete_config(const lfm_config *given, const source *s, lfm_config **out) {
  lfm_network network = network_of(given, s);
  static const char *const *const of[] = {[LFM_NETWORK_AUTO] = mlp_keys,
                                          [LFM_NETWORK_MLP] = mlp_keys,
                                          [LFM_NETWORK_UNET] = unet_keys,
                                          [LFM_NETWORK_UNET1D] = unet1d_keys};
  LFM_TRY(require_keys(given, of[network], "network the weights belong to"));
  if (given->waves && (s->picture || s->windows))
    return lfm_fail(LFM_E_USAGE, "waves: the weights are of no table, so the network sees none; leave it out");
  if (given->waves) LFM_TRY(require_keys(given, wave_keys, "waves that the network sees"));
  if (given->conditional && s->picture && !s->picture->classes)
    return lfm_fail(LFM_E_FORMAT, "%s: names no classes (metadata classes and class.0, ...), but conditional is true",
                    s->path);
  LFM_TRY(check_objective(given, s));
  LFM_TRY(lfm_config_validate(given));
  LFM_TRY(lfm_config_copy(given, out));
  if (s->picture || s->windows) (*out)->network = network;
  return complete_chain(*out, s);
}

/* ---- the normaliser ------------------------------------------------------------------------------------------ */

/* out [dim], from a tensor of either float type. */
static lfm_status read_numbers(const source *s, const char *name, double *out) {
  const lfm_tensor *tensor = lfm_archive_find(s->archive, name);
  bool is_double = tensor && tensor->dtype == LFM_F64;
  LFM_TRY(lfm_archive_require(s->archive, name, is_double ? LFM_F64 : LFM_F32, 1, &s->dim, &tensor));
  for (int64_t i = 0; i < s->dim; i++) {
    out[i] = is_double ? ((const double *)tensor->data)[i] : (double)((const float *)tensor->data)[i];
    if (!isfinite(out[i])) return lfm_fail(LFM_E_FORMAT, "%s: tensor '%s' holds a number that is not finite", s->path, name);
  }
  return LFM_OK;
}

/* Where the file has a normaliser.scale, its columns are scaled one by one; where it has none, they are taken as they are. */
static lfm_status fill_diagonal(const source *s, lfm_normaliser *m) {
  double *scale;
  LFM_TRY(LFM_ALLOC(&scale, s->dim));
  lfm_status status = LFM_OK;
  for (int64_t i = 0; i < s->dim; i++) scale[i] = 1.0;
  if (s->form == FORM_SCALE) status = read_numbers(s, "normaliser.mean", m->mean);
  if (s->form == FORM_SCALE && status == LFM_OK) status = read_numbers(s, "normaliser.scale", scale);
  for (int64_t i = 0; i < s->dim && status == LFM_OK; i++) {
    if (!(scale[i] > 0.0 && isnormal(1.0 / scale[i])))
      status = lfm_fail(LFM_E_FORMAT, "%s: tensor 'normaliser.scale' holds %g; a standard deviation is due there", s->path,
                        scale[i]);
    m->varying[i] = i;
    m->forward[i * s->dim + i] = 1.0 / scale[i];
    m->inverse[i * s->dim + i] = scale[i];
    m->logdet -= log(scale[i]);
  }
  lfm_free(scale);
  return status;
}

static lfm_normalise kind_of(const lfm_normaliser *m) {
  lfm_normalise kind = LFM_NORMALISE_NONE;
  for (int64_t i = 0; i < m->dim; i++)
    for (int64_t j = 0; j < m->dim; j++) {
      double w = m->forward[i * m->dim + j], back = m->inverse[i * m->dim + j];
      if (i != j && (w != 0.0 || back != 0.0)) return LFM_NORMALISE_WHITEN;
      if (i == j && (w != 1.0 || back != 1.0 || m->mean[i] != 0.0)) kind = LFM_NORMALISE_STANDARDISE;
    }
  return kind;
}

/* All of an export's. */
static lfm_status read_whole(const source *s, lfm_normaliser **out) {
  const lfm_tensor *constant = lfm_archive_find(s->archive, "normaliser.constant");
  int64_t cols = constant && constant->dims == 1 && constant->shape[0] <= 1 << 20 ? constant->shape[0] : 0;
  if (cols < 1) return lfm_fail(LFM_E_FORMAT, "%s: tensor 'normaliser.constant' is missing, empty or too long", s->path);
  return lfm_chain_read_normaliser(s->archive, LFM_NORMALISE_WHITEN, cols, out);
}

static lfm_status read_normaliser(const source *s, const lfm_config *config, lfm_normaliser **out) {
  *out = NULL;
  lfm_status status;
  if (s->picture) return lfm_normaliser_pixels(s->dim, config->dequantise == LFM_DEQUANTISE_UNIFORM, out);
  if (s->windows) return lfm_chain_units(s->windows, out);
  if (s->form == FORM_WHOLE) {
    status = read_whole(s, out);
  } else {
    LFM_TRY(lfm_normaliser_make(LFM_NORMALISE_NONE, s->dim, s->dim, out));
    status = fill_diagonal(s, *out);
  }
  if (status == LFM_OK) (*out)->kind = kind_of(*out);
  else {
    lfm_normaliser_destroy(*out);
    *out = NULL;
  }
  return status;
}

/* ---- the names of the columns -------------------------------------------------------------------------------- */

/* "a , b" into the columns of an empty table. */
static bool name_columns(char *text, lfm_table *schema, lfm_status *status) {
  int64_t named = 0;
  for (char *name = text, *end; *status == LFM_OK; name = end + 1) {
    name += strspn(name, " ");
    end = name + strcspn(name, ",");
    bool is_last = *end == 0;
    for (char *last = end; last > name && last[-1] == ' ';) *--last = 0;
    *end = 0;
    if (!*name || named == schema->cols || !lfm_utf8_is_text(name)) return false;
    *status = lfm_table_rename(schema, named++, name);
    if (is_last) break;
  }
  return named == schema->cols || *status != LFM_OK;
}

/* The names and decimals that an export has kept; a file written elsewhere has none of them, and leaves x0, x1, ... */
static lfm_status take_kept(const lfm_archive *archive, lfm_table *schema) {
  const char *name, *twice;
  if (!lfm_archive_meta_find(archive, "column.0")) return LFM_OK;
  for (int64_t j = 0; j < schema->cols; j++) {
    LFM_TRY(lfm_chain_find_column(archive, j, &name, &schema->decimals[j]));
    LFM_TRY(lfm_table_rename(schema, j, name));
  }
  LFM_TRY(lfm_table_unique_names(schema->names, schema->cols, &twice));
  return twice ? lfm_fail(LFM_E_FORMAT, "%s: two columns are named '%s'", lfm_archive_path(archive), twice) : LFM_OK;
}

/* No pictures, of the file's size. */
static lfm_status make_picture(const source *s, const char *columns, lfm_table **out) {
  lfm_images *none;
  if (columns) return lfm_fail(LFM_E_USAGE, "columns: %s holds a model of pictures, which have none", s->path);
  LFM_TRY(lfm_images_alike(s->picture, 0, &none));
  return lfm_table_of_images(none, out);
}

/* No windows, of the file's actions and observations. */
static lfm_status make_windows(const source *s, const char *columns, lfm_table **out) {
  if (columns) return lfm_fail(LFM_E_USAGE, "columns: %s holds a policy, which has none", s->path);
  LFM_TRY(lfm_table_make(0, s->dim, out));
  return lfm_windows_alike(s->windows, 0, &(*out)->windows);
}

/* An empty table under the names the caller gives, else those of the file. */
static lfm_status make_schema(const lfm_archive *archive, const char *columns, int64_t cols, lfm_table **out) {
  char *text, quoted[LFM_QUOTE_MAX];
  const char *twice = NULL;
  lfm_status status = LFM_OK;
  LFM_TRY(lfm_table_make(0, cols, out));
  LFM_TRY(take_kept(archive, *out));
  if (!columns) return LFM_OK;
  LFM_TRY(lfm_alloc_text(&text, columns));
  bool fit = name_columns(text, *out, &status);
  lfm_free(text);
  LFM_TRY(status);
  if (fit) LFM_TRY(lfm_table_unique_names((*out)->names, cols, &twice));
  if (fit && !twice) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "columns: %s is not a list of %lld different name%s with commas between",
                  lfm_quote(columns, strlen(columns), quoted), (long long)cols, cols == 1 ? "" : "s");
}

/* ---- tensors and their places -------------------------------------------------------------------------------- */

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
static int64_t place_of(const source *s, const lfm_net *net, const char *name) {
  const char *rest = name;
  int n = s->bare ? 0 : block_of(name, &rest);
  for (int i = 0; n >= 0 && i < lfm_net_tensor_count(net); i++)
    if (strcmp(lfm_net_tensor(net, i)->name, rest) == 0) return (int64_t)n * lfm_net_tensor_count(net) + i;
  return -1;
}

static bool is_normalisers(const source *s, const char *name) {
  static const struct {
    const char *const *names;
    size_t count;
  } forms[] = {[FORM_NONE] = {NULL, 0},
               [FORM_SCALE] = {scale_form, sizeof scale_form / sizeof *scale_form},
               [FORM_WHOLE] = {whole_form, sizeof whole_form / sizeof *whole_form},
               [FORM_CHUNKS] = {chunk_form, sizeof chunk_form / sizeof *chunk_form}};
  const char *const *names = forms[s->form].names;
  size_t count = forms[s->form].count;
  for (size_t k = 0; k < count; k++)
    if (strcmp(names[k], name) == 0) return true;
  return false;
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
static lfm_status place_tensors(const source *s, const lfm_net *net, const lfm_tensor **found) {
  faults f = {.length = 0};
  int tensors = lfm_net_tensor_count(net);
  for (int k = 0; k < lfm_archive_size(s->archive); k++) {
    const lfm_tensor *tensor = lfm_archive_at(s->archive, k);
    int64_t place = place_of(s, net, tensor->name);
    if (place >= 0) found[place] = tensor;
  }
  for (int n = 0; n < s->blocks; n++) {
    char prefix[32];
    name_prefix(s, n, prefix);
    for (int i = 0; i < tensors; i++) judge(lfm_net_tensor(net, i), prefix, found[(int64_t)n * tensors + i], &f);
  }
  for (int k = 0; k < lfm_archive_size(s->archive); k++) {
    const char *name = lfm_archive_at(s->archive, k)->name;
    char quoted[LFM_QUOTE_MAX];
    if (place_of(s, net, name) < 0 && !is_normalisers(s, name) && strcmp(name, LFM_CHAIN_SPANS) != 0)
      add_fault(&f, "tensor %s has no place in this network", lfm_quote(name, strlen(name), quoted));
  }
  if (!f.count) return LFM_OK;
  char more[48] = "";
  if (f.unsaid) snprintf(more, sizeof more, "; and %d more like these", f.unsaid);
  return lfm_fail(LFM_E_FORMAT, "%.200s: %s%s", s->path, f.text, more);
}

static lfm_status read_blocks(const source *s, const lfm_tensor *const *found, lfm_model *model) {
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

static lfm_status fill_blocks(const source *s, lfm_model *model) {
  const lfm_tensor **found;
  LFM_TRY(LFM_ALLOC(&found, (int64_t)s->blocks * lfm_net_tensor_count(model->net)));
  lfm_status status = place_tensors(s, model->net, found);
  if (status == LFM_OK) status = read_blocks(s, found, model);
  lfm_free(found);
  return status;
}

/* ---- import and export --------------------------------------------------------------------------------------- */

/* The weights of a network that saw normalised rows, in a file that does not say how they were normalised. */
static void warn_of_units(const source *s, const lfm_config *asked) {
  if (s->form == FORM_NONE && lfm_config_is_set(asked, "normalise") && asked->normalise != LFM_NORMALISE_NONE)
    lfm_note(LFM_WARNING,
             "%s: has no normaliser, though the configuration names one: the model takes rows in the units its weights know",
             s->path);
}

static lfm_status plan(const source *s, const lfm_import_options *options, lfm_model **out) {
  lfm_config *config = NULL;
  lfm_normaliser *normaliser = NULL;
  lfm_table *schema = NULL;
  lfm_status status;
  LFM_TRY_GOTO(complete_config(options->config, s, &config), done);
  LFM_TRY_GOTO(read_normaliser(s, config, &normaliser), done);
  LFM_TRY_GOTO(s->picture   ? make_picture(s, options->columns, &schema)
               : s->windows ? make_windows(s, options->columns, &schema)
                            : make_schema(s->archive, options->columns, normaliser->cols, &schema),
               done);
  if (!s->picture && !s->windows) {
    warn_of_units(s, config);
    config->normalise = (int)normaliser->kind;
  }
  status = lfm_chain_plan(config, schema, normaliser, out);
  normaliser = NULL;
done:
  lfm_config_destroy(config);
  lfm_normaliser_destroy(normaliser);
  lfm_table_destroy(schema);
  return status;
}

lfm_status lfm_model_import(const char *path, const lfm_import_options *options, lfm_model **out) {
  *out = NULL;
  if (!options->config)
    return lfm_fail(LFM_E_USAGE, "%s: weights need a configuration that says what network they are", path);
  lfm_archive *archive;
  lfm_model *model = NULL;
  source s;
  LFM_TRY(lfm_archive_open(path, &archive));
  lfm_status status = survey(archive, options->config, &s);
  if (status == LFM_OK) status = plan(&s, options, &model);
  if (status == LFM_OK) status = fill_blocks(&s, model);
  if (status == LFM_OK) status = lfm_chain_read_plan(model, archive);
  lfm_images_destroy(s.picture);
  lfm_windows_destroy(s.windows);
  lfm_archive_destroy(archive);
  if (status == LFM_OK) *out = model;
  else lfm_model_destroy(model);
  return status;
}

lfm_status lfm_model_export(const lfm_model *model, const char *path) {
  char objective[LFM_KEY_TEXT];
  LFM_TRY(lfm_chain_writable(path));
  if (model->guard) lfm_note(LFM_NOTE, "the model's guard stays with it: lfm guard gives one to what is imported");
  lfm_archive *archive;
  LFM_TRY(lfm_archive_create(&archive));
  objective_of(model->config, objective);
  lfm_status status = lfm_archive_meta(archive, "objective", objective);
  if (status == LFM_OK) status = lfm_chain_add_columns(model, archive);
  if (status == LFM_OK) status = lfm_chain_add_plan(model, archive);
  if (status == LFM_OK) status = lfm_chain_add_normaliser(model, archive);
  for (int n = 0; status == LFM_OK && n < model->blocks; n++) status = lfm_chain_add_block(model, n, archive);
  if (status == LFM_OK) status = lfm_archive_write(archive, path);
  lfm_archive_destroy(archive);
  return status;
}
