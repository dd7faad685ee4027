/* SPDX-License-Identifier: MIT
 *
 * run_folder.c -- whose a folder is, and what a run leaves there to look at: config.yaml, metrics.jsonl, loss.png,
 * result.json. The records are in the checkpoint; metrics.jsonl is their text, made anew after a resume so that it never has
 * a line twice.  result.json comes last: it is the sign that a run is finished.
 */
#include "flow/trainer.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/plain.h"
#include "data/runs.h"
#include "store/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 512 };

/* ---- the folder --------------------------------------------------------------------------------------------- */

/* What a run leaves behind. */
static const char *const signs[] = {"config.yaml", "model.safetensors", "result.json", "checkpoint/state.safetensors", NULL};

static lfm_status holds_any(const char *run, const char *const *names, bool *holds) {
  char path[LFM_PATH_SIZE];
  *holds = false;
  for (; *names; names++) {
    LFM_TRY(lfm_path_join(path, sizeof path, run, *names));
    *holds |= lfm_path_exists(path);
  }
  return LFM_OK;
}

/* The run's model file; NULL where there is none, or only a damaged one which its checkpoint makes once more, for the reason
 * that lfm_error() then has. */
static lfm_status open_model(const char *run, bool *is_damaged, lfm_archive **out) {
  char path[LFM_PATH_SIZE];
  *out = NULL;
  *is_damaged = false;
  LFM_TRY(lfm_path_join(path, sizeof path, run, "model.safetensors"));
  if (!lfm_path_exists(path)) return LFM_OK;
  lfm_status status = lfm_archive_open(path, out);
  *is_damaged = status == LFM_E_FORMAT && lfm_checkpoint_exists(run);
  return *is_damaged ? LFM_OK : status;
}

lfm_status lfm_run_folder_has_model(const char *run, bool *has) {
  lfm_archive *archive;
  bool is_damaged;
  LFM_TRY(open_model(run, &is_damaged, &archive));
  if (is_damaged) lfm_note(LFM_WARNING, "%s; it is made once more from the checkpoint", lfm_error());
  *has = archive != NULL;
  lfm_archive_destroy(archive);
  return LFM_OK;
}

static lfm_status model_has_plan(const char *run, bool *has) {
  lfm_archive *archive;
  bool is_damaged;
  LFM_TRY(open_model(run, &is_damaged, &archive));
  *has = archive && lfm_archive_meta_find(archive, "plan");
  lfm_archive_destroy(archive);
  return LFM_OK;
}

lfm_status lfm_run_folder_holds(const char *run, bool *is_run, bool *is_distilled) {
  LFM_TRY(holds_any(run, signs, is_run));
  LFM_TRY(lfm_runs_is_distillation(run, is_distilled));
  return *is_distilled ? LFM_OK : model_has_plan(run, is_distilled); /* where somebody has tidied up */
}

lfm_status lfm_run_folder_check_trained(const char *run) {
  bool is_run, is_distilled;
  LFM_TRY(lfm_run_folder_holds(run, &is_run, &is_distilled));
  if (!is_distilled) return LFM_OK;
  return lfm_fail(LFM_E_EXISTS,
                  "%s: holds a distillation, which lfm distill --resume goes on with; another -o begins a training", run);
}

/* Nobody's run: new, empty, or left by one that was stopped before it had begun.  Among data our curves would be one more
 * picture. */
static lfm_status check_unused(const char *run) {
  char path[LFM_PATH_SIZE];
  lfm_listing names;
  LFM_TRY(lfm_path_join(path, sizeof path, run, "checkpoint"));
  if (!lfm_path_is_folder(run) || lfm_path_exists(path)) return LFM_OK;
  LFM_TRY(lfm_listing_read(run, &names));
  lfm_status status = LFM_OK;
  if (names.count)
    status = lfm_fail(LFM_E_EXISTS, "%s: holds files that are of no run (%s); name a new folder, or an empty one", run,
                      names.names[0]);
  lfm_listing_free(&names);
  return status;
}

lfm_status lfm_run_folder_claim(const char *run, bool resume, lfm_claim *claim) {
  char path[LFM_PATH_SIZE];
  bool holds, is_distilled;
  LFM_TRY(holds_any(run, signs, &holds));
  LFM_TRY(lfm_runs_is_distillation(run, &is_distilled));
  holds |= is_distilled;
  if (holds && !resume)
    return lfm_fail(LFM_E_EXISTS, "%s: holds a run already; --resume goes on with it, another -o begins a new one", run);
  if (!holds) LFM_TRY(check_unused(run));
  claim->was_there = lfm_path_is_folder(run);
  LFM_TRY(lfm_folder_make(run));
  LFM_TRY(lfm_folder_lock(run, "is training", &claim->lock));
  LFM_TRY(lfm_path_join(path, sizeof path, run, "checkpoint"));
  return lfm_folder_make(path);
}

void lfm_run_folder_abandon(const char *run, const lfm_claim *claim) {
  char path[LFM_PATH_SIZE];
  if (claim->lock <= 0 || lfm_path_join(path, sizeof path, run, "checkpoint") != LFM_OK) return;
  rmdir(path); /* where it holds anything, it stays */
  if (!claim->was_there) rmdir(run);
}

void lfm_run_folder_release(const lfm_claim *claim) {
  if (claim->lock > 0) close(claim->lock);
}

lfm_status lfm_run_folder_begin(const char *run, const lfm_config *config) {
  char path[LFM_PATH_SIZE], *text;
  LFM_TRY(lfm_path_join(path, sizeof path, run, "config.yaml"));
  LFM_TRY(lfm_config_write_text(config, &text));
  lfm_status status = lfm_file_write(path, text, strlen(text));
  lfm_free(text);
  return status;
}

/* ---- metrics.jsonl ------------------------------------------------------------------------------------------ */

/* "name": number, or null. */
static int print_number(char *out, size_t size, const char *name, double value, const char *format) {
  char text[64];
  snprintf(text, sizeof text, format, value);
  return snprintf(out, size, ", \"%s\": %s", name, isfinite(value) ? text : "null");
}

static void print_record(const lfm_record *record, char out[LINE]) {
  locale_t before = lfm_plain_begin();
  int at = snprintf(out, LINE, "{\"block\": %.0f, \"step\": %.0f", record->block, record->step);
  at += print_number(out + at, (size_t)(LINE - at), "loss", record->loss, "%.9g");
  at += print_number(out + at, (size_t)(LINE - at), "valid_loss", record->valid_loss, "%.9g");
  at += print_number(out + at, (size_t)(LINE - at), "lr", record->lr, "%.6g");
  at += print_number(out + at, (size_t)(LINE - at), "grad_norm", record->grad_norm, "%.6g");
  at += print_number(out + at, (size_t)(LINE - at), "seconds", record->seconds, "%.3f");
  snprintf(out + at, (size_t)(LINE - at), "}\n");
  lfm_plain_end(before);
}

static lfm_status append_line(const char *path, const char *line) {
  int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) return lfm_fail_errno("%s", path);
  lfm_status status = LFM_OK;
  for (size_t left = strlen(line); status == LFM_OK && left;) { /* a disk that fills up takes a part first, then says why */
    ssize_t wrote = write(descriptor, line, left);
    if (wrote >= 0) line += wrote, left -= (size_t)wrote;
    else if (errno != EINTR) status = lfm_fail_errno("%s: cannot be written", path);
  }
  close(descriptor);
  return status;
}

lfm_status lfm_run_folder_record(lfm_trainer *trainer) {
  if (!trainer->loss_count) return LFM_OK;
  lfm_record record = {
      .block = trainer->block + 1,
      .step = (double)trainer->step,
      .loss = trainer->loss_sum / (double)trainer->loss_count,
      .valid_loss = trainer->last_valid,
      .lr = lfm_lr_at(&trainer->lr, trainer->step - 1),
      .grad_norm = trainer->grad_norm,
      .seconds = trainer->seconds_before + lfm_seconds() - trainer->meter.begun,
  };
  trainer->loss_sum = 0.0;
  trainer->loss_count = 0;
  if (trainer->record_count == trainer->record_capacity) /* of a whole run; an altered checkpoint may have begun with more */
    return lfm_fail(LFM_E_FORMAT, "%s/checkpoint: has more records than the steps it states; the file was altered",
                    trainer->options->run);
  trainer->records[trainer->record_count++] = record;
  char path[LFM_PATH_SIZE], line[LINE];
  LFM_TRY(lfm_path_join(path, sizeof path, trainer->options->run, "metrics.jsonl"));
  print_record(&record, line);
  return append_line(path, line);
}

lfm_status lfm_run_folder_metrics(lfm_trainer *trainer) {
  char path[LFM_PATH_SIZE], line[LINE];
  lfm_writer *writer;
  LFM_TRY(lfm_path_join(path, sizeof path, trainer->options->run, "metrics.jsonl"));
  LFM_TRY(lfm_writer_open(path, &writer));
  for (int64_t k = 0; k < trainer->record_count; k++) {
    print_record(&trainer->records[k], line);
    lfm_status status = lfm_writer_put(writer, line, strlen(line));
    if (status == LFM_OK) continue;
    lfm_writer_abort(writer);
    return status;
  }
  return lfm_writer_commit(writer);
}

/* ---- result.json -------------------------------------------------------------------------------------------- */

/* Where each number of the result lies: one list for writing and reading. */
typedef struct result_field {
  const char *name;
  double *real;
  int64_t *whole;
} result_field;
enum { RESULT_FIELDS = 16 };

static void result_fields(lfm_train_result *result, int64_t *blocks, result_field out[RESULT_FIELDS]) {
  result_field fields[RESULT_FIELDS] = {
      {"blocks", NULL, blocks},
      {"steps", NULL, &result->steps},
      {"seconds", &result->seconds, NULL},
      {"loss", &result->loss, NULL},
      {"valid_nll", &result->valid_nll, NULL},
      {"train_flops", &result->train_flops, NULL},
      {"push_flops", &result->push_flops, NULL},
      {"rows_dropped", NULL, &result->rows_dropped},
      {"memory_tables", NULL, &result->memory.tables},
      {"memory_pool", NULL, &result->memory.pool},
      {"memory_model", NULL, &result->memory.model},
      {"memory_lanes", NULL, &result->memory.lanes},
      {"memory_workers", NULL, &result->memory.workers},
      {"memory_in_files", NULL, &result->memory.in_files},
      {"valid_failed", NULL, &result->valid_failed},
      {"valid_nll_se", &result->valid_nll_se, NULL},
  };
  memcpy(out, fields, sizeof fields);
}

lfm_status lfm_run_folder_result(const char *run, const lfm_train_result *result) {
  char path[LFM_PATH_SIZE];
  lfm_train_result copy = *result;
  int64_t blocks = result->blocks;
  result_field fields[RESULT_FIELDS];
  lfm_facts *facts;
  LFM_TRY(lfm_path_join(path, sizeof path, run, "result.json"));
  LFM_TRY(lfm_facts_create(&facts));
  result_fields(&copy, &blocks, fields);
  for (int k = 0; k < RESULT_FIELDS; k++)
    lfm_facts_number(facts, fields[k].name, fields[k].real ? *fields[k].real : (double)*fields[k].whole);
  lfm_status status = lfm_facts_write(facts, path);
  lfm_facts_destroy(facts);
  return status;
}

lfm_status lfm_run_folder_read_result(const char *run, lfm_train_result *result, bool *finished) {
  char path[LFM_PATH_SIZE];
  int64_t blocks = 0;
  result_field fields[RESULT_FIELDS];
  lfm_facts *facts;
  LFM_TRY(lfm_path_join(path, sizeof path, run, "result.json"));
  *finished = lfm_path_exists(path);
  if (!*finished) return LFM_OK;
  LFM_TRY(lfm_facts_read(path, &facts));
  result_fields(result, &blocks, fields);
  lfm_status status = LFM_OK;
  for (int k = 0; status == LFM_OK && k < RESULT_FIELDS; k++) {
    double value;
    status = lfm_facts_get(facts, fields[k].name, &value);
    if (status != LFM_OK) break;
    if (fields[k].real) *fields[k].real = value;
    else if (fabs(value) <= 1e15) *fields[k].whole = (int64_t)value;
    else status = lfm_fail(LFM_E_FORMAT, "%s: '%s' is not a count", path, fields[k].name);
  }
  result->blocks = (int)blocks;
  lfm_facts_destroy(facts);
  return status;
}

/* ---- loss.png ----------------------------------------------------------------------------------------------- */

/* The lowest validation loss of a block, or its last loss where there is none: what its curves are drawn in units of, since
 * blocks differ by a factor and what each still gains is a few per cent. */
static double level_of(const lfm_trainer *trainer, int block) {
  double lowest = INFINITY, last = NAN;
  for (int64_t k = 0; k < trainer->record_count; k++) {
    const lfm_record *record = &trainer->records[k];
    if (record->block != block + 1.0) continue;
    lowest = fmin(lowest, record->valid_loss);
    last = record->loss;
  }
  return isfinite(lowest) ? lowest : last;
}

/* One block's curve: x the steps over all blocks, y the training or the validation loss over the block's level. */
static void fill_curve(const lfm_trainer *trainer, int block, bool valid, double *x, double *y, char *name,
                       lfm_series *series) {
  int64_t count = 0, before = 0;
  for (int n = 0; n < block; n++) before += lfm_trainer_block_steps(trainer, n);
  double level = level_of(trainer, block);
  for (int64_t k = 0; k < trainer->record_count; k++) {
    const lfm_record *record = &trainer->records[k];
    if (record->block != block + 1.0) continue;
    x[count] = (double)before + record->step;
    y[count++] = (valid ? record->valid_loss : record->loss) / level;
  }
  if (valid) snprintf(name, 32, "block %d: %.4g", block + 1, level);
  else snprintf(name, 32, "in training%s", trainer->config->target_rows ? ", against means" : "");
  bool named = valid || block == 0;
  *series = (lfm_series){.name = named ? name : NULL,
                         .x = x,
                         .y = y,
                         .count = count,
                         .colour = block,
                         .line = valid ? LFM_LINE : LFM_LINE_FAINT};
}

static lfm_status draw_curves(const lfm_trainer *trainer, double *numbers, const char *path) {
  lfm_series series[2 * LFM_MAX_BLOCKS];
  char names[2 * LFM_MAX_BLOCKS][32];
  int blocks = trainer->model->blocks;
  for (int k = 0; k < 2 * blocks; k++) {
    double *x = numbers + (int64_t)2 * k * trainer->record_count;
    fill_curve(trainer, k / 2, k % 2, x, x + trainer->record_count, names[k], &series[k]);
  }
  lfm_curves_options options = {
      .title = "Flow-matching loss, in units of each block's lowest validation loss", .x_label = "batches", .log_y = true};
  return lfm_draw_curves(path, series, 2 * blocks, &options);
}

lfm_status lfm_run_folder_curves(const lfm_trainer *trainer) {
  char path[LFM_PATH_SIZE];
  double *numbers;
  LFM_TRY(lfm_path_join(path, sizeof path, trainer->options->run, "loss.png"));
  LFM_TRY(LFM_ALLOC(&numbers, (int64_t)4 * trainer->model->blocks * trainer->record_count + 1));
  lfm_status status = draw_curves(trainer, numbers, path);
  lfm_free(numbers);
  return status;
}
