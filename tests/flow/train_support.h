/* SPDX-License-Identifier: MIT
 *
 * train_support.h -- small training runs: their options, their files, and a clock on which every look is a second later, so
 * that progress is heard at every step and a test can stop a run exactly where it means to.  Files are not synced: crashes
 * are tests/program/test_crash.sh's, and a thousand runs would wait for the disk.
 */
#ifndef FLOW_TRAIN_SUPPORT_H
#define FLOW_TRAIN_SUPPORT_H

#include "flow_support.h"

#include <stdatomic.h>
#include <time.h>

/* In place of the C library's, for all that is linked into this program. */
#ifndef REAL_CLOCK /* for whoever waits by it */
int clock_gettime(clockid_t clock, struct timespec *now) {
  static atomic_long seconds;
  (void)clock;
  *now = (struct timespec){.tv_sec = 1000 + atomic_fetch_add(&seconds, 1)};
  return 0;
}
#endif

int fsync(int descriptor) {
  (void)descriptor;
  return 0;
}

/* Three blocks over two columns: 24 steps each, two checkpoints and two validations inside a block. */
#define SMALL                                                                                                                \
  KEYS("hks=[0.2, 0.3, null]", "hidden_dim=16", "num_hidden=2", "batch_size=64", "max_batch=24", "checkpoint_every=9",       \
       "valid_every=8", "patience=0", "warmup=2", "cosine=true", "lr=0.01", "seed=5")

typedef struct run {
  folder root;
  char path[600];
  lfm_table *table;
  lfm_config *config;
  lfm_train_options options;
  lfm_train_result result;
} run;

/* The table is taken over. */
static inline run run_of(lfm_table *table, const char *const *base, const char *const *more) {
  run made = {.root = folder_create(), .table = table, .config = config_of(base, more)};
  snprintf(made.path, sizeof made.path, "%s/run", made.root.path);
  lfm_train_defaults(&made.options);
  made.options.train = table;
  made.options.threads = 1;
  made.options.preview_every = 0; /* test_preview.c's own are shown */
  return made;
}

/* Options hold addresses inside the run, which may have been copied since. */
static inline lfm_status run_train(run *r) {
  r->options.config = r->config;
  r->options.run = r->path;
  memset(&r->result, 0xA5, sizeof r->result);
  return lfm_train(&r->options, &r->result);
}

static inline void run_drop(run *r) {
  lfm_config_destroy(r->config);
  lfm_table_destroy(r->table);
  folder_remove(&r->root);
}

static inline run small_run(const char *const *more) { return run_of(gaussian_table(300, 2, 7), SMALL, more); }

static inline const char *file_of(const run *r, const char *name) { return inside(r->path, name); }

/* Beside so many gradients of so many weights its lanes hold the factors of a batch. */
static inline bool trained_by_factors(const run *r, int lanes, int64_t weights) {
  return (double)r->result.memory.lanes > 1.05 * (double)lanes * (double)weights * sizeof(float);
}

static inline bool same_model(const run *a, const run *b) {
  return same_bytes(file_of(a, "model.safetensors"), file_of(b, "model.safetensors"));
}

/* ---- metrics.jsonl ------------------------------------------------------------------------------------------- */

typedef struct metric {
  int block;
  long step;
  double loss, valid_loss, lr, grad_norm;
} metric;

/* nan where it says null. */
static inline double number_after(const char *line, const char *name) {
  char key[32];
  snprintf(key, sizeof key, "\"%s\": ", name);
  const char *at = strstr(line, key);
  assert_non_null(at);
  at += strlen(key);
  return strncmp(at, "null", 4) == 0 ? (double)NAN : strtod(at, NULL);
}

enum { MOST_METRICS = 2000 };

static inline int read_metrics(const run *r, metric out[MOST_METRICS]) {
  char line[1024];
  int count = 0;
  FILE *file = fopen(file_of(r, "metrics.jsonl"), "r");
  assert_non_null(file);
  for (; fgets(line, sizeof line, file); count++) {
    assert_true(count < MOST_METRICS && line[0] == '{' && strstr(line, "}\n"));
    out[count] = (metric){.block = (int)number_after(line, "block"),
                          .step = (long)number_after(line, "step"),
                          .loss = number_after(line, "loss"),
                          .valid_loss = number_after(line, "valid_loss"),
                          .lr = number_after(line, "lr"),
                          .grad_norm = number_after(line, "grad_norm")};
    assert_true(number_after(line, "seconds") >= 0.0);
  }
  fclose(file);
  return count;
}

/* The lines of both are the same but for their seconds. */
static inline bool same_metrics(const run *a, const run *b) {
  char of_a[1024], of_b[1024];
  FILE *file_a = fopen(file_of(a, "metrics.jsonl"), "r"), *file_b = fopen(file_of(b, "metrics.jsonl"), "r");
  assert_true(file_a && file_b);
  bool same = true;
  for (;;) {
    char *more_a = fgets(of_a, sizeof of_a, file_a), *more_b = fgets(of_b, sizeof of_b, file_b);
    same &= !more_a == !more_b;
    if (!more_a || !more_b || !same) break;
    char *cut_a = strstr(of_a, ", \"seconds\""), *cut_b = strstr(of_b, ", \"seconds\"");
    assert_true(cut_a && cut_b);
    *cut_a = *cut_b = 0;
    same &= strcmp(of_a, of_b) == 0;
  }
  fclose(file_a);
  fclose(file_b);
  return same;
}

/* ---- stopping where a test means to -------------------------------------------------------------------------- */

typedef struct stop_at {
  int phase, block;
  int64_t done;
  bool stopped;
} stop_at;

static inline bool stops_there(const lfm_progress *progress, void *context) {
  stop_at *stop = context;
  bool there = (int)progress->phase == stop->phase && progress->block == stop->block && progress->done >= stop->done;
  stop->stopped |= there;
  return there;
}

/* ---- refused memory ------------------------------------------------------------------------------------------ */

static inline bool has_litter(const run *r) {
  static const char *const names[] = {"model.safetensors",
                                      "config.yaml",
                                      "metrics.jsonl",
                                      "result.json",
                                      "loss.png",
                                      "preview.png",
                                      "strip.png",
                                      "checkpoint/state.safetensors",
                                      "checkpoint/pool-1.safetensors"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    char partial[64];
    snprintf(partial, sizeof partial, "%s.partial", names[k]);
    if (lfm_path_exists(file_of(r, partial))) return true;
  }
  return false;
}

/* Request `at` is refused: the run ends with a status and leaves whole files; resumed, it is `whole` (NULL: not looked at).
 * The run is dropped. */
static inline void check_refusal(run *r, uint64_t at, const run *whole) {
  lfm_alloc_fail_at(at);
  FAILS(LFM_E_MEMORY, run_train(r));
  lfm_alloc_fail_at(0);
  assert_false(has_litter(r));
  if (whole) {
    r->options.resume = true;
    OK(run_train(r));
    assert_true(same_model(r, whole));
    assert_true(same_metrics(r, whole));
  }
  run_drop(r);
}

#endif
