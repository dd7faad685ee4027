/* SPDX-License-Identifier: MIT
 *
 * foreign.c -- keys that say nothing of the data at hand, or of the network.  One that is given, and otherwise than it is
 * without a word, is a mistake that nothing else would show: it would be written to the run and do nothing.  (A run's own
 * file states all keys, so that a value which is the fallback says nothing.)  Keys that are resolved
 * for any data, as num_hidden, are not among them; nor those of the other network that data of this kind may have, which a
 * preset names.
 */
#include "flow/resolve.h"

typedef enum owner { PICTURES, DEMONSTRATIONS, TABLE, NO_TABLE, UNET } owner;

static bool applies(owner of, const lfm_config *config, const lfm_data_shape *shape) {
  switch (of) {
  case PICTURES:
    return shape->picture;
  case DEMONSTRATIONS:
    return shape->windows;
  case TABLE:
    return !shape->picture && !shape->windows;
  case NO_TABLE:
    return shape->picture || shape->windows;
  default:
    return config->network == LFM_NETWORK_UNET;
  }
}

lfm_status lfm_resolve_check_keys(const lfm_config *config, const lfm_data_shape *shape) {
  static const char *const why[] = {
      [PICTURES] = "the data are no pictures",
      [DEMONSTRATIONS] = "the data are no demonstrations",
      [TABLE] = "pictures and actions have units of their own",
      [NO_TABLE] = "the data are a table",
      [UNET] = "the network is no unet",
  };
  static const struct {
    const char *key;
    owner of;
  } keys[] = {
      {"flip", PICTURES},
      {"dequantise", PICTURES},
      {"observation_horizon", DEMONSTRATIONS},
      {"prediction_horizon", DEMONSTRATIONS},
      {"action_horizon", DEMONSTRATIONS},
      {"normalise", TABLE},
      {"finest_wave", TABLE},
      {"wave_noise", TABLE},
      {"unet_dim_mults", NO_TABLE},
      {"attention_resolution", PICTURES},
      {"res_depth", PICTURES},
      {"num_head_channels", PICTURES},
      {"dropout", UNET},
      {"kernel_size", DEMONSTRATIONS},
      {"n_groups", DEMONSTRATIONS},
      {"step_embed_dim", DEMONSTRATIONS},
  };
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
    if (lfm_config_differs(config, keys[k].key) && !applies(keys[k].of, config, shape))
      return lfm_fail(LFM_E_USAGE, "%s: %s, so it would do nothing; leave it out", keys[k].key, why[keys[k].of]);
  /* Two whose fallback follows from the data. */
  if (config->waves && !applies(TABLE, config, shape))
    return lfm_fail(LFM_E_USAGE, "waves: the data are no table, so the network sees none; leave it out");
  if (config->scale_shift && !shape->picture)
    return lfm_fail(LFM_E_USAGE, "scale_shift: the data are no pictures, so it would do nothing; leave it out");
  if (lfm_config_differs(config, "class_drop") && config->class_drop > 0.0 && !config->conditional)
    return lfm_fail(LFM_E_USAGE, "class_drop: no classes are shown (conditional), so it would do nothing; leave it out");
  return LFM_OK;
}
