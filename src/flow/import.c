/* SPDX-License-Identifier: MIT
 *
 * import.c -- weights from PyTorch: an export of ours, or a file that a user wrote with safetensors.torch.save_file, and a
 * configuration that says what network they belong to.
 *
 *   blocks.N.net.K.weight [out, in], .bias [out]   or of a single block  net.K.weight, .bias       float32
 *   normaliser.mean, normaliser.scale [dim]        x = (data - mean) / scale, float32 or float64; or all of an export
 *   blocks.N.input_blocks.0.0.weight, ...          of pictures: the names of guided diffusion's U-Net; beside them, as
 *                                                  metadata, channels, height, width and classes
 *   blocks.N.down_modules.0.0..., action.mean, ...  of policies: the names of Diffusion Policy's 1-D U-Net, and what
 *                                                  chain_windows.c says
 */
#include "flow/import.h"

void lfm_import_defaults(lfm_import_options *options) { *options = (lfm_import_options){0}; }

/* The weights of a network that saw normalised rows, in a file that does not say how they were normalised. */
static void warn_of_units(const lfm_import_source *s, const lfm_config *asked) {
  if (s->form == LFM_FORM_NONE && lfm_config_is_set(asked, "normalise") && asked->normalise != LFM_NORMALISE_NONE)
    lfm_note(LFM_WARNING,
             "%s: has no normaliser, though the configuration names one: the model takes rows in the units its weights know",
             s->path);
}

static lfm_status plan(const lfm_import_source *s, const lfm_import_options *options, lfm_model **out) {
  lfm_config *config = NULL;
  lfm_normaliser *normaliser = NULL;
  lfm_table *schema = NULL;
  lfm_status status;
  LFM_TRY_GOTO(lfm_import_config(options->config, s, &config), done);
  LFM_TRY_GOTO(lfm_import_normaliser(s, config, &normaliser), done);
  LFM_TRY_GOTO(lfm_import_schema(s, options->columns, normaliser->cols, &schema), done);
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
  lfm_import_source s;
  LFM_TRY(lfm_archive_open(path, &archive));
  lfm_status status = lfm_import_survey(archive, options->config, &s);
  if (status == LFM_OK) status = plan(&s, options, &model);
  if (status == LFM_OK) status = lfm_import_blocks(&s, model);
  if (status == LFM_OK) status = lfm_chain_read_plan(model, archive);
  lfm_images_destroy(s.picture);
  lfm_windows_destroy(s.windows);
  lfm_archive_destroy(archive);
  if (status == LFM_OK) *out = model;
  else lfm_model_destroy(model);
  return status;
}
