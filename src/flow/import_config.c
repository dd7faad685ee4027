/* SPDX-License-Identifier: MIT
 *
 * import_config.c -- the configuration of foreign weights.  It is asked for, not guessed from the shapes: an activation, or
 * the channels of a head, leaves no trace in them, and a wrong one makes a model that is wrong without a sign.
 */
#include "flow/import.h"

#include "config/keys.h"
#include "flow/ou.h"

#include <math.h>
#include <string.h>

lfm_status lfm_import_require_keys(const lfm_config *given, const char *const *keys, const char *what) {
  for (; *keys; keys++)
    if (!lfm_config_is_set(given, *keys))
      return lfm_fail(LFM_E_USAGE, "%s: is not in the configuration, which has to say what %s", *keys, what);
  return LFM_OK;
}

/* Training has its own for what is not said, the first by the data: here that would be a guess. */
static lfm_status check_schedule(const lfm_config *config, const lfm_import_source *s) {
  bool decides = !config->blocks && config->schedule_kind == LFM_SCHEDULE_EXPONENTIAL;
  bool wants_c = decides && s->blocks > 1, wants_rho = decides && s->blocks > 2;
  if (!(wants_c && isnan(config->schedule_c)) && !(wants_rho && isnan(config->schedule_rho))) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "%s: is not in the configuration; write it, or hks as config.yaml of the run has it",
                  isnan(config->schedule_c) ? "schedule.c" : "schedule.rho");
}

/* The chain's hks, from the list, the schedule, or the fact that there is one block. */
static lfm_status complete_chain(lfm_config *config, const lfm_import_source *s) {
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
static const char *const wave_keys[] = {"finest_wave", "interp", NULL}, *const step_keys[] = {"wave_noise", NULL};
static const char *const unet_keys[] = {"hidden_dim",        "unet_dim_mults", "res_depth", "attention_resolution",
                                        "num_head_channels", "scale_shift",    NULL};
static const char *const unet1d_keys[] = {"hidden_dim", "unet_dim_mults", "kernel_size", "n_groups", "step_embed_dim", NULL};

static lfm_network network_of(const lfm_config *given, const lfm_import_source *s) {
  if (given->network != LFM_NETWORK_AUTO) return given->network;
  return s->picture ? LFM_NETWORK_UNET : s->windows ? LFM_NETWORK_UNET1D : LFM_NETWORK_MLP;
}

/* Flows and single steps have the same tensors: an export says which they are. */
static lfm_status check_objective(const lfm_config *given, const lfm_import_source *s) {
  char asked[LFM_KEY_TEXT];
  const char *learnt = lfm_archive_meta_find(s->archive, "objective");
  lfm_key_format(&lfm_keys[lfm_key_find("objective")], given, asked);
  if (!learnt || strcmp(learnt, asked) == 0) return LFM_OK;
  return lfm_fail(LFM_E_FORMAT,
                  "%s: its blocks have learnt by objective: %s, but the configuration says %s; take the config.yaml of "
                  "their run",
                  s->path, lfm_show(learnt).text, asked);
}

lfm_status lfm_import_config(const lfm_config *given, const lfm_import_source *s, lfm_config **out) {
  lfm_network network = network_of(given, s);
  static const char *const *const of[] = {[LFM_NETWORK_AUTO] = mlp_keys,
                                          [LFM_NETWORK_MLP] = mlp_keys,
                                          [LFM_NETWORK_UNET] = unet_keys,
                                          [LFM_NETWORK_UNET1D] = unet1d_keys};
  LFM_TRY(lfm_import_require_keys(given, of[network], "network the weights belong to"));
  if (given->waves && (s->picture || s->windows))
    return lfm_fail(LFM_E_USAGE, "waves: the weights are of no table, so the network sees none; leave it out");
  if (given->waves) LFM_TRY(lfm_import_require_keys(given, wave_keys, "waves that the network sees"));
  if (given->waves && given->objective == LFM_OBJECTIVE_RESIDUAL)
    LFM_TRY(lfm_import_require_keys(given, step_keys, "waves that a student's step sees"));
  if (given->conditional && s->picture && !s->picture->classes)
    return lfm_fail(LFM_E_FORMAT, "%s: names no classes (metadata classes and class.0, ...), but conditional is true",
                    s->path);
  LFM_TRY(check_objective(given, s));
  LFM_TRY(lfm_config_validate(given));
  LFM_TRY(lfm_config_copy(given, out));
  if (s->picture || s->windows) (*out)->network = network;
  return complete_chain(*out, s);
}
