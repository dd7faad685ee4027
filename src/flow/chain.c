/* SPDX-License-Identifier: MIT
 *
 * chain.c -- a chain of blocks: made from a configuration, and asked what it is.
 * One place turns keys into a network, whether the model is to be trained, is read from a file, taught or imported.  What a
 * row is -- the columns' names, a picture's size and classes, a policy's windows -- is copied from whatever has it, a table
 * or another model, without the rows.
 * All but the blocks can be had first: the memory of weights is the large one, and asked for once they are known to be there.
 * A network of its own shape for each block was refused: one plan, made once, serves them all, and so does its work space.
 * The chain's file: chain_file.c.
 */
#include "flow/chain.h"

#include "core/alloc.h"
#include "data/table.h"
#include "data/text.h"

#include <string.h>

/* ---- making ------------------------------------------------------------------------------------------------- */

static lfm_status act_of(const lfm_config *config, lfm_act *act) {
  static const struct {
    const char *name;
    lfm_act_kind kind;
  } known[] = {{"relu", LFM_ACT_RELU}, {"elu", LFM_ACT_ELU},           {"silu", LFM_ACT_SILU}, {"gelu", LFM_ACT_GELU},
               {"tanh", LFM_ACT_TANH}, {"softplus", LFM_ACT_SOFTPLUS}, {"mish", LFM_ACT_MISH}};
  char name[16];
  lfm_config_act_split(config, name, &act->beta);
  for (size_t k = 0; k < sizeof known / sizeof *known; k++)
    if (strcmp(name, known[k].name) == 0) {
      act->kind = known[k].kind;
      return LFM_OK;
    }
  return lfm_fail(LFM_E_USAGE, "act: '%s' is not an activation", name);
}

lfm_status lfm_chain_check_network(const lfm_config *config, bool of_pictures, bool of_demonstrations) {
  if (config->network == LFM_NETWORK_UNET && !of_pictures)
    return lfm_fail(LFM_E_USAGE, "network: unet is for pictures; the data are %s",
                    of_demonstrations ? "demonstrations (network: unet1d, or mlp)" : "columns of numbers (network: mlp)");
  if (config->network == LFM_NETWORK_UNET1D && !of_demonstrations)
    return lfm_fail(LFM_E_USAGE, "network: unet1d is for demonstrations; the data are %s",
                    of_pictures ? "pictures (network: unet)" : "columns of numbers (network: mlp)");
  return LFM_OK;
}

static lfm_status create_unet(const lfm_model *model, const lfm_kernels *kernels, bool span, lfm_net **out) {
  const lfm_config *config = model->config;
  const lfm_images *picture = model->picture;
  LFM_TRY(lfm_chain_check_network(config, picture, model->windows));
  lfm_unet2d_config unet = {.channels = picture->channels,
                            .height = picture->height,
                            .width = picture->width,
                            .hidden_dim = config->hidden_dim,
                            .mult_count = (int)config->unet_dim_mults.count,
                            .res_depth = config->res_depth,
                            .num_head_channels = config->num_head_channels,
                            .dropout = config->dropout,
                            .scale_shift = config->scale_shift,
                            .span = span,
                            .classes = config->conditional ? picture->classes + 1 : 0}; /* the last: no class */
  for (int k = 0; k < unet.mult_count; k++) unet.mults[k] = (int)config->unet_dim_mults.of[k];
  for (int k = 0; k < (int)config->attention_resolution.count; k++)
    if (config->attention_resolution.of[k]) unet.attention[unet.attention_count++] = (int)config->attention_resolution.of[k];
  return lfm_unet2d_create(&unet, kernels, out);
}

/* Numbers that the network is given of a policy's row. */
static int64_t given_of(const lfm_model *model) {
  return model->windows ? model->windows->horizons.observation * model->windows->obs_dim : 0;
}

lfm_status lfm_chain_unet1d(const lfm_model *model, lfm_unet1d_config *out) {
  const lfm_config *config = model->config;
  LFM_TRY(lfm_chain_check_network(config, model->picture, model->windows));
  *out = (lfm_unet1d_config){.length = model->windows->horizons.prediction,
                             .channels = model->windows->width,
                             .given = given_of(model),
                             .hidden_dim = config->hidden_dim,
                             .mult_count = (int)config->unet_dim_mults.count,
                             .kernel_size = config->kernel_size,
                             .groups = config->n_groups,
                             .step_embed_dim = config->step_embed_dim};
  for (int k = 0; k < out->mult_count; k++) out->mults[k] = (int)config->unet_dim_mults.of[k];
  return LFM_OK;
}

lfm_status lfm_chain_mlp(const lfm_model *model, lfm_mlp_config *out) {
  const lfm_config *config = model->config;
  *out = (lfm_mlp_config){.dim = model->normaliser->dim,
                          .hidden_dim = config->hidden_dim,
                          .num_hidden = config->num_hidden,
                          .cat_t_all = config->cat_t_all,
                          .given = given_of(model),
                          .waves = {.count = model->windows ? 0 : config->waves,
                                    .finest = config->finest_wave,
                                    .trig = config->interp == LFM_INTERP_TRIG,
                                    .noise = config->wave_noise}};
  return act_of(config, &out->act);
}

static lfm_status create_unet1d(const lfm_model *model, const lfm_kernels *kernels, bool span, lfm_net **out) {
  lfm_unet1d_config unet;
  LFM_TRY(lfm_chain_unet1d(model, &unet));
  unet.span = span;
  return lfm_unet1d_create(&unet, kernels, out);
}

lfm_status lfm_chain_net(const lfm_model *model, const lfm_kernels *kernels, bool span, lfm_net **out) {
  const lfm_config *config = model->config;
  if (config->network == LFM_NETWORK_UNET) return create_unet(model, kernels, span, out);
  if (config->network == LFM_NETWORK_UNET1D) return create_unet1d(model, kernels, span, out);
  if (config->conditional)
    return lfm_fail(LFM_E_USAGE, "conditional: only the unet knows classes; leave it out, or network: unet");
  lfm_mlp_config mlp;
  LFM_TRY(lfm_chain_mlp(model, &mlp));
  mlp.span = span;
  return lfm_mlp_create(&mlp, kernels, out);
}

lfm_status lfm_chain_make_blocks(lfm_model *model) {
  model->blocks = model->config->blocks;
  for (int n = 0; n < model->blocks; n++) model->span[n] = (lfm_span){.right = 1.0, .left = 0.0};
  for (int n = 0; n < model->blocks; n++) LFM_TRY(lfm_params_create_untrained(model->net, &model->params[n]));
  return LFM_OK;
}

lfm_status lfm_chain_make_schema(lfm_model *model, int64_t cols) {
  model->cols = cols;
  LFM_TRY(LFM_ALLOC(&model->names, cols));
  return LFM_ALLOC(&model->decimals, cols);
}

/* Of one of the three, what it is without its rows. */
typedef struct likeness {
  int64_t cols;
  const lfm_images *images;
  const lfm_windows *windows;
  char *const *names;
  const int *decimals;
} likeness;

static lfm_status copy_schema(lfm_model *model, const likeness *from) {
  model->cols = from->cols;
  if (from->images) return lfm_images_alike(from->images, 0, &model->picture);
  if (from->windows) return lfm_windows_alike(from->windows, 0, &model->windows);
  LFM_TRY(lfm_chain_make_schema(model, from->cols));
  for (int64_t j = 0; j < from->cols; j++) {
    LFM_TRY(lfm_alloc_text(&model->names[j], from->names[j]));
    model->decimals[j] = from->decimals[j] < 0 ? LFM_AS_SINGLE : from->decimals[j];
  }
  return LFM_OK;
}

/* Takes over the normaliser, whatever is returned. */
static lfm_status plan(const lfm_config *resolved, const likeness *from, lfm_normaliser *normaliser, lfm_model **out) {
  *out = NULL;
  lfm_model *model;
  lfm_status status = LFM_ALLOC(&model, 1);
  if (status != LFM_OK) {
    lfm_normaliser_destroy(normaliser);
    return status;
  }
  model->normaliser = normaliser;
  LFM_TRY_GOTO(lfm_config_copy(resolved, &model->config), fail);
  LFM_TRY_GOTO(copy_schema(model, from), fail);
  LFM_TRY_GOTO(lfm_chain_net(model, lfm_kernels_best(), false, &model->net), fail);
  *out = model;
  return LFM_OK;
fail:
  lfm_model_destroy(model);
  return status;
}

lfm_status lfm_chain_plan(const lfm_config *resolved, const lfm_table *table, lfm_normaliser *normaliser, lfm_model **out) {
  return plan(resolved, &(likeness){table->cols, table->images, table->windows, table->names, table->decimals}, normaliser,
              out);
}

/* The plan, and its blocks: whole or not at all. */
static lfm_status complete(lfm_status status, lfm_model **model) {
  LFM_TRY(status);
  status = lfm_chain_make_blocks(*model);
  if (status == LFM_OK) return LFM_OK;
  lfm_model_destroy(*model);
  *model = NULL;
  return status;
}

lfm_status lfm_chain_create(const lfm_config *resolved, const lfm_table *schema, lfm_normaliser *normaliser,
                            lfm_model **out) {
  return complete(lfm_chain_plan(resolved, schema, normaliser, out), out);
}

lfm_status lfm_chain_like(const lfm_model *model, const lfm_config *resolved, lfm_model **out) {
  lfm_normaliser *normaliser;
  *out = NULL;
  LFM_TRY(lfm_normaliser_copy(model->normaliser, &normaliser));
  likeness from = {model->cols, model->picture, model->windows, model->names, model->decimals};
  return complete(plan(resolved, &from, normaliser, out), out);
}

void lfm_model_destroy(lfm_model *model) {
  if (!model) return;
  for (int n = 0; n < LFM_MAX_BLOCKS; n++) lfm_params_destroy(model->params[n]);
  for (int64_t j = 0; model->names && j < model->cols; j++) lfm_free(model->names[j]);
  lfm_free(model->names);
  lfm_free(model->decimals);
  lfm_free(model->plan);
  lfm_images_destroy(model->picture);
  lfm_windows_destroy(model->windows);
  lfm_model_guard_destroy(model->guard);
  lfm_net_destroy(model->net);
  lfm_normaliser_destroy(model->normaliser);
  lfm_config_destroy(model->config);
  lfm_free(model);
}

/* ---- what it is --------------------------------------------------------------------------------------------- */

bool lfm_chain_is_whole(const lfm_model *model) {
  for (int n = 0; n < model->blocks; n++)
    if (model->span[n].right != 1.0 || model->span[n].left != 0.0) return false;
  return true;
}

bool lfm_chain_needs_class(const lfm_model *model) { return lfm_model_classes(model) && model->config->class_drop == 0.0; }

bool lfm_chain_is_flow(const lfm_model *model) { return model->config->objective == LFM_OBJECTIVE_FLOW; }

const char *lfm_model_observations(const lfm_model *model) { return model->windows ? model->windows->observations : NULL; }
const char *lfm_model_plan(const lfm_model *model) { return model->plan; }
int64_t lfm_model_dim(const lfm_model *model) {
  const lfm_windows *windows = model->windows;
  return windows ? windows->horizons.prediction * windows->action_dim : model->cols;
}
int64_t lfm_model_border_dim(const lfm_model *model) { return model->normaliser->dim; }
int lfm_model_blocks(const lfm_model *model) { return model->blocks; }

void lfm_model_hks(const lfm_model *model, double *hks) {
  for (int n = 0; n < model->blocks; n++) hks[n] = model->config->hks[n];
}

int64_t lfm_model_classes(const lfm_model *model) {
  return model->config->conditional && model->picture ? model->picture->classes : 0;
}

const char *lfm_model_class(const lfm_model *model, int64_t label) {
  return label >= 0 && label < lfm_model_classes(model) ? model->picture->class_names[label] : NULL;
}

bool lfm_model_is_mirrored(const lfm_model *model) { return model->config->flip && model->picture; }

bool lfm_model_picture(const lfm_model *model, int64_t *channels, int64_t *height, int64_t *width) {
  const lfm_images *picture = model->picture;
  if (!picture) return false;
  *channels = picture->channels, *height = picture->height, *width = picture->width;
  return true;
}

const char *lfm_model_name(const lfm_model *model, int64_t col) {
  return model->names && col >= 0 && col < model->cols ? model->names[col] : NULL;
}
