/* SPDX-License-Identifier: MIT
 *
 * describe.c -- `lfm info`: what a model, a checkpoint, a run folder or a data file holds.
 * Of a data file, whatever its columns hold: whoever asks has often not cleaned it yet.
 */
#include "core/alloc.h"
#include "core/file.h"
#include "data/images_format.h"
#include "data/runs.h"
#include "data/survey.h"
#include "flow/trainer.h"
#include "store/facts.h"

#include <stdio.h>
#include <string.h>

void lfm_text_free(char *text) { lfm_free(text); }

/* ---- tables ------------------------------------------------------------------------------------------------- */

/* What there is of each kind; a column of plain numbers has no other lines than its statistics. */
static lfm_status describe_column(const lfm_table *table, int64_t j, lfm_facts *facts) {
  lfm_column_survey column;
  LFM_TRY(lfm_survey_column(table, j, &column));
  lfm_facts_item(facts, "columns");
  lfm_facts_text(facts, "name", table->names[j]);
  if (column.words) {
    lfm_facts_number(facts, "text", (double)column.words);
    lfm_facts_number(facts, "distinct", (double)column.distinct);
  }
  if (column.missing) lfm_facts_number(facts, "missing", (double)column.missing);
  if (column.infinite) lfm_facts_number(facts, "infinite", (double)column.infinite);
  if (column.numbers) {
    lfm_facts_number(facts, "min", column.min);
    lfm_facts_number(facts, "mean", column.mean);
    lfm_facts_number(facts, "max", column.max);
    lfm_facts_number(facts, "sd", column.sd);
    if (table->decimals[j] >= 0) lfm_facts_number(facts, "decimals", table->decimals[j]);
  }
  lfm_facts_end(facts);
  return LFM_OK;
}

static void describe_classes(const lfm_images *images, lfm_facts *facts) {
  for (int64_t k = 0; k < images->classes; k++) {
    lfm_facts_item(facts, "classes");
    lfm_facts_text(facts, "name", images->class_names[k]);
    lfm_facts_end(facts);
  }
}

static void describe_pictures(const lfm_images *images, lfm_facts *facts) {
  lfm_facts_number(facts, "channels", (double)images->channels);
  lfm_facts_number(facts, "height", (double)images->height);
  lfm_facts_number(facts, "width", (double)images->width);
  describe_classes(images, facts);
}

/* Whoever asks may not have scaled them yet. */
static void describe_sizes(const char *path, const lfm_images *images, const lfm_images_sizes *sizes, lfm_facts *facts) {
  lfm_facts_number(facts, "channels", (double)images->channels);
  lfm_facts_number(facts, "sizes", (double)sizes->count);
  lfm_facts_number(facts, "least_height", (double)sizes->least_height);
  lfm_facts_number(facts, "least_width", (double)sizes->least_width);
  lfm_facts_number(facts, "most_height", (double)sizes->most_height);
  lfm_facts_number(facts, "most_width", (double)sizes->most_width);
  describe_classes(images, facts);
  lfm_note(LFM_NOTE, "%s: pictures of %lld sizes; where they are learnt, --size N makes all of them N x N", path,
           (long long)sizes->count);
}

static lfm_status describe_set(const char *path, lfm_facts *facts) {
  lfm_images *images;
  lfm_images_sizes sizes = {0};
  LFM_TRY(lfm_images_read(path, &(lfm_images_options){.sizes = &sizes}, &images));
  lfm_facts_text(facts, "kind", "pictures");
  lfm_facts_number(facts, "rows", (double)images->count);
  if (images->broken) lfm_facts_number(facts, "broken", (double)images->broken);
  if (sizes.count > 1) describe_sizes(path, images, &sizes, facts);
  else describe_pictures(images, facts);
  lfm_images_destroy(images);
  return LFM_OK;
}

static void describe_names(const char *list, const lfm_listing *names, lfm_facts *facts) {
  for (int64_t i = 0; i < names->count; i++) {
    lfm_facts_item(facts, list);
    lfm_facts_text(facts, "name", names->names[i]);
    lfm_facts_end(facts);
  }
}

static void describe_actions(lfm_action_kind kind, const char *task, int64_t keys, char *const *key, const int64_t *dims,
                             lfm_facts *facts) {
  lfm_facts_text(facts, "action", lfm_action_kind_name(kind));
  if (task) lfm_facts_text(facts, "task", task);
  for (int64_t k = 0; k < keys; k++) {
    lfm_facts_item(facts, "observations");
    lfm_facts_text(facts, "name", key[k]);
    lfm_facts_number(facts, "numbers", (double)dims[k]);
    lfm_facts_end(facts);
  }
}

/* Its columns are the numbers of an action. */
static void describe_demos(const lfm_demos *demos, lfm_facts *facts) {
  lfm_facts_number(facts, "episodes", (double)demos->episodes);
  describe_actions(demos->kind, demos->task, demos->keys, demos->key, demos->key_dim, facts);
  describe_names("other_observations", &demos->others, facts);
  describe_names("filters", &demos->filters, facts);
}

static lfm_status describe_table(const char *path, lfm_facts *facts) {
  lfm_table *table;
  lfm_images_kind kind;
  LFM_TRY(lfm_images_recognise(path, &kind));
  if (kind != LFM_IMAGES_NONE) return describe_set(path, facts);
  LFM_TRY(lfm_survey_read(path, &table));
  lfm_facts_text(facts, "kind", table->demos ? "demonstrations" : "table");
  lfm_facts_number(facts, "rows", (double)table->rows);
  if (table->demos) describe_demos(table->demos, facts);
  lfm_status status = LFM_OK;
  for (int64_t j = 0; j < table->cols && status == LFM_OK; j++) status = describe_column(table, j, facts);
  lfm_table_destroy(table);
  return status;
}

/* ---- models and checkpoints ---------------------------------------------------------------------------------- */

static void describe_policy(const lfm_windows *w, lfm_facts *facts) {
  lfm_facts_number(facts, "action_dim", (double)w->action_dim);
  lfm_facts_number(facts, "observation_horizon", (double)w->horizons.observation);
  lfm_facts_number(facts, "prediction_horizon", (double)w->horizons.prediction);
  lfm_facts_number(facts, "action_horizon", (double)w->horizons.action);
  describe_actions(w->kind, w->task, w->keys, w->key, w->key_dim, facts);
}

static void describe_guard(const lfm_model_guard *guard, lfm_facts *facts) {
  lfm_facts_number(facts, "guard_alpha", guard->alpha);
  lfm_facts_number(facts, "guard_level", guard->level[0]);
}

static void describe_chain(const lfm_model *model, lfm_facts *facts) {
  double parameters = (double)lfm_net_param_count(model->net);
  lfm_facts_number(facts, "blocks", model->blocks);
  lfm_facts_number(facts, "parameters", parameters * model->blocks);
  if (model->plan) lfm_facts_text(facts, "plan", model->plan);
  if (model->picture) describe_pictures(model->picture, facts);
  if (model->windows) describe_policy(model->windows, facts);
  if (model->guard) describe_guard(model->guard, facts);
  for (int64_t j = 0; model->names && j < model->cols; j++) {
    lfm_facts_item(facts, "columns");
    lfm_facts_text(facts, "name", model->names[j]);
    if (model->decimals[j] >= 0) lfm_facts_number(facts, "decimals", model->decimals[j]);
    lfm_facts_end(facts);
  }
}

static void describe_tensors(const lfm_archive *archive, lfm_facts *facts) {
  static const char *const dtypes[] = {
      [LFM_F32] = "float32", [LFM_F64] = "float64", [LFM_F16] = "float16", [LFM_I64] = "int64", [LFM_U8] = "uint8"};
  for (int k = 0; k < lfm_archive_size(archive); k++) {
    const lfm_tensor *tensor = lfm_archive_at(archive, k);
    char shape[LFM_MAX_DIMS * 22 + 2] = "[";
    size_t used = 1;
    for (int i = 0; i < tensor->dims; i++)
      used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%lld", i ? ", " : "", (long long)tensor->shape[i]);
    snprintf(shape + used, sizeof shape - used, "]");
    lfm_facts_item(facts, "tensors");
    lfm_facts_text(facts, "name", tensor->name);
    lfm_facts_text(facts, "type", dtypes[tensor->dtype]);
    lfm_facts_text(facts, "shape", shape);
    lfm_facts_end(facts);
  }
}

/* Block and step are the first two numbers of a checkpoint's place (flow/checkpoint.c). */
static void describe_place(const lfm_archive *archive, lfm_facts *facts) {
  const lfm_tensor *place = lfm_archive_find(archive, "place");
  if (!place || place->dtype != LFM_F64 || lfm_tensor_count(place) < 2) return;
  const double *numbers = place->data;
  lfm_facts_number(facts, "block", numbers[0] + 1.0);
  lfm_facts_number(facts, "step", numbers[1]);
}

static lfm_status describe_judge(const lfm_archive *archive, lfm_facts *facts) {
  lfm_images *picture;
  LFM_TRY(lfm_chain_read_picture(archive, &picture));
  describe_pictures(picture, facts);
  lfm_images_destroy(picture);
  return LFM_OK;
}

static lfm_status describe_archive(const char *path, lfm_facts *facts) {
  lfm_archive *archive;
  lfm_model *model = NULL;
  LFM_TRY(lfm_archive_open(path, &archive));
  const char *config = lfm_archive_meta_find(archive, "config");
  const char *format = lfm_archive_meta_find(archive, "format");
  bool is_checkpoint = lfm_archive_find(archive, "place") != NULL, is_judge = format && !strncmp(format, "lfm judge", 9);
  lfm_facts_text(facts, "kind", is_judge ? "judge" : !config ? "tensors" : is_checkpoint ? "checkpoint" : "model");
  lfm_status status = is_judge ? describe_judge(archive, facts) : config ? lfm_chain_open(archive, &model) : LFM_OK;
  if (model && !is_checkpoint) status = lfm_chain_read_guard(archive, model);
  if (status == LFM_OK && model) describe_chain(model, facts);
  if (is_checkpoint) describe_place(archive, facts);
  if (config) lfm_facts_text(facts, "config", config);
  describe_tensors(archive, facts);
  lfm_model_destroy(model);
  lfm_archive_destroy(archive);
  return status;
}

/* How a run ended, from its result.json. */
static lfm_status describe_result(const char *run, lfm_facts *facts) {
  lfm_train_result result = {0};
  bool finished;
  LFM_TRY(lfm_run_folder_read_result(run, &result, &finished));
  lfm_facts_text(facts, "run", finished ? "finished" : "not finished");
  if (!finished) return LFM_OK;
  lfm_facts_number(facts, "valid_nll", result.valid_nll);
  lfm_facts_number(facts, "valid_nll_se", result.valid_nll_se);
  lfm_facts_number(facts, "loss", result.loss);
  lfm_facts_number(facts, "steps", (double)result.steps);
  lfm_facts_number(facts, "seconds", result.seconds);
  lfm_facts_number(facts, "memory_tables", (double)result.memory.tables);
  lfm_facts_number(facts, "memory_pool", (double)result.memory.pool);
  lfm_facts_number(facts, "memory_model", (double)result.memory.model);
  lfm_facts_number(facts, "memory_lanes", (double)result.memory.lanes);
  lfm_facts_number(facts, "memory_workers", (double)result.memory.workers);
  lfm_facts_number(facts, "memory_in_files", (double)result.memory.in_files);
  return LFM_OK;
}

/* ---- folders ------------------------------------------------------------------------------------------------- */

/* The runs that lie in a folder, and whether each is finished. */
static lfm_status list_runs(const char *folder, const lfm_listing *runs, lfm_facts *facts) {
  char path[LFM_PATH_SIZE];
  int64_t finished = 0;
  bool *is_finished;
  lfm_status status = LFM_OK;
  LFM_TRY(LFM_ALLOC(&is_finished, runs->count));
  for (int64_t i = 0; status == LFM_OK && i < runs->count; i++) {
    char name[LFM_PATH_SIZE];
    status = lfm_path_join(name, sizeof name, runs->names[i], "result.json");
    if (status == LFM_OK) status = lfm_path_join(path, sizeof path, folder, name);
    if (status == LFM_OK) status = lfm_path_find(path, &is_finished[i]);
    finished += is_finished[i];
  }
  lfm_facts_number(facts, "finished", (double)finished);
  for (int64_t i = 0; i < runs->count; i++) {
    lfm_facts_item(facts, "runs");
    lfm_facts_text(facts, "name", runs->names[i]);
    lfm_facts_text(facts, "run", is_finished[i] ? "finished" : "not finished");
    lfm_facts_end(facts);
  }
  lfm_free(is_finished);
  return status;
}

static lfm_status describe_runs(const char *folder, const char *kind, lfm_facts *facts) {
  lfm_listing runs;
  LFM_TRY(lfm_runs_list(folder, &runs));
  lfm_facts_text(facts, "kind", kind);
  lfm_status status = list_runs(folder, &runs, facts);
  lfm_listing_free(&runs);
  return status;
}

static lfm_status has_runs(const char *folder, bool *found) {
  lfm_listing runs;
  LFM_TRY(lfm_runs_list(folder, &runs));
  *found = runs.count > 0;
  lfm_listing_free(&runs);
  return LFM_OK;
}

/* Its plan is there before its first student, but not before its teacher's rows. */
static lfm_status describe_distillation(const char *folder, lfm_facts *facts) {
  char path[LFM_PATH_SIZE];
  uint8_t *text;
  size_t size;
  bool has_plan;
  lfm_note(LFM_NOTE, "%s: is a distillation that is not finished; lfm distill --resume goes on with it", folder);
  LFM_TRY(lfm_path_join(path, sizeof path, folder, LFM_RUNS_PLAN));
  LFM_TRY(lfm_path_find(path, &has_plan));
  LFM_TRY(describe_runs(folder, "distillation", facts));
  lfm_facts_text(facts, "run", "not finished");
  if (!has_plan) return LFM_OK;
  LFM_TRY(lfm_file_read(path, &text, &size));
  text[strcspn((const char *)text, "\n")] = 0;
  lfm_facts_text(facts, "plan", (const char *)text);
  lfm_free(text);
  return LFM_OK;
}

/* A run that was stopped before its first checkpoint. */
static lfm_status describe_beginning(lfm_facts *facts) {
  lfm_facts_text(facts, "kind", "run");
  lfm_facts_text(facts, "run", "not finished");
  return LFM_OK;
}

/* Data; or runs, as of a sweep before its first table. */
static lfm_status describe_other(const char *folder, lfm_facts *facts) {
  lfm_images_kind kind;
  bool found;
  LFM_TRY(lfm_images_recognise(folder, &kind));
  if (kind != LFM_IMAGES_NONE) return describe_set(folder, facts);
  if (lfm_path_ends_with(folder, ".zarr") || lfm_path_ends_with(folder, ".zarr/")) return describe_table(folder, facts);
  LFM_TRY(has_runs(folder, &found));
  if (found) return describe_runs(folder, "runs", facts);
  LFM_TRY(lfm_folder_explain(folder));
  return lfm_fail(LFM_E_USAGE,
                  "%s: a folder without model.safetensors or checkpoint or pictures; it is not a run of lfm train", folder);
}

/* A run: its model when finished, its checkpoint before; and the checkpoint's own folder. */
static lfm_status describe_folder(const char *folder, lfm_facts *facts) {
  static const char *const places[] = {"model.safetensors", "checkpoint/state.safetensors", "state.safetensors"};
  char path[LFM_PATH_SIZE];
  bool is_there;
  for (int k = 0; k < 3; k++) {
    LFM_TRY(lfm_path_join(path, sizeof path, folder, places[k]));
    LFM_TRY(lfm_path_find(path, &is_there));
    if (!is_there) continue;
    if (k < 2) LFM_TRY(describe_result(folder, facts));
    return describe_archive(path, facts);
  }
  lfm_runs_kind kind;
  LFM_TRY(lfm_runs_recognise(folder, &kind));
  switch (kind) {
  case LFM_RUNS_ONE:
    return describe_beginning(facts);
  case LFM_RUNS_SWEEP:
    return describe_runs(folder, "sweep", facts);
  case LFM_RUNS_DISTILLATION:
    return describe_distillation(folder, facts);
  case LFM_RUNS_NONE:
    break;
  }
  return describe_other(folder, facts);
}

lfm_status lfm_describe(const char *path, bool json, char **text) {
  *text = NULL;
  lfm_facts *facts;
  bool is_there;
  LFM_TRY(lfm_path_find(path, &is_there));
  if (!strstr(path, "::") && !is_there) /* whatever its ending */
    return lfm_fail(LFM_E_IO, "%s: there is no such file or folder", path);
  LFM_TRY(lfm_facts_create(&facts));
  lfm_facts_text(facts, "path", path);
  lfm_status status = lfm_path_is_folder(path)                   ? describe_folder(path, facts)
                      : lfm_path_ends_with(path, ".safetensors") ? describe_archive(path, facts)
                                                                 : describe_table(path, facts);
  if (status == LFM_OK) status = lfm_facts_render(facts, json, text);
  lfm_facts_destroy(facts);
  return status;
}
