/* SPDX-License-Identifier: MIT
 *
 * export.c -- weights to PyTorch: the model's tensors, and its columns as metadata, without what only we read.
 */
#include "config/keys.h"
#include "flow/chain.h"

lfm_status lfm_model_export(const lfm_model *model, const char *path) {
  char objective[LFM_KEY_TEXT];
  LFM_TRY(lfm_chain_writable(path));
  if (model->guard) lfm_note(LFM_NOTE, "the model's guard stays with it: lfm guard gives one to what is imported");
  lfm_archive *archive;
  LFM_TRY(lfm_archive_create(&archive));
  lfm_key_format(&lfm_keys[lfm_key_find("objective")], model->config, objective);
  lfm_status status = lfm_archive_meta(archive, "objective", objective);
  if (status == LFM_OK) status = lfm_chain_add_columns(model, archive);
  if (status == LFM_OK) status = lfm_chain_add_plan(model, archive);
  if (status == LFM_OK) status = lfm_chain_add_normaliser(model, archive);
  for (int n = 0; status == LFM_OK && n < model->blocks; n++) status = lfm_chain_add_block(model, n, archive);
  if (status == LFM_OK) status = lfm_archive_write(archive, path);
  lfm_archive_destroy(archive);
  return status;
}
