/* SPDX-License-Identifier: MIT
 *
 * sweep.c -- lfm sweep: one training run after another, for every combination of values and seeds, and the table of them.
 * All combinations with the first seed come before the second seed, so that a sweep that is stopped half-way has compared
 * something.  Each run is a folder of its own, trained with resume: the same command line skips what is finished and goes on
 * with what is not, and the library refuses a folder that was trained with other keys.  Scores are made anew each time, since
 * they are cheap beside training and a stored one could be that of other rows.
 */
#include "columns.h"
#include "combinations.h"
#include "configure.h"
#include "machine_lock.h"
#include "outfile.h"
#include "progress.h"
#include "run.h"
#include "sweep_table.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct request {
  const char *config, *data, *folder, *seeds, *valid, *test;
  app_texts over, sets;
  lfm_table_options columns;
  double time_limit;
  int64_t rows, threads, memory;
  bool allow_drift, json;
} request;

typedef struct sweep {
  const app_command *self;
  request r;
  app_combinations combinations;
  app_run runs[APP_MOST_RUNS]; /* [combinations.count, seed_count] */
  lfm_table *train, *valid, *test;
  app_progress progress;
  int begun, failed, finished; /* runs; finished: by an earlier call */
} sweep;

/* A file where there is one or its name looks like that of one, else a preset. */
static lfm_status configure(const sweep *s, int k, int seed, lfm_config **out) {
  bool is_preset = !strpbrk(s->r.config, "/.") && access(s->r.config, F_OK) != 0;
  lfm_status status = app_configure(is_preset ? s->r.config : NULL, is_preset ? NULL : s->r.config, &s->r.sets, out);
  for (int axis = 0; status == LFM_OK && axis < s->combinations.axis_count; axis++)
    status = lfm_config_set(*out, app_combinations_setting(&s->combinations, k, axis));
  return status == LFM_OK ? app_configure_seed(*out, s->combinations.seeds[seed]) : status;
}

/* One value of an option on its own.  The library takes what it is given for a --set. */
static int check_setting(const sweep *s, const char *option, const char *setting) {
  static const char said[] = "--set: ";
  lfm_config *config = NULL;
  lfm_status status = lfm_config_create(&config);
  if (status == LFM_OK) status = lfm_config_set(config, setting);
  lfm_config_destroy(config);
  if (status != LFM_E_USAGE) return app_report(s->self, status);
  bool as_set = strncmp(lfm_error(), said, sizeof said - 1) == 0;
  return app_usage_error(s->self, "%s: %s", option, lfm_error() + (as_set ? sizeof said - 1 : 0));
}

static int check_values(const sweep *s) {
  int code = APP_DONE;
  for (int axis = 0; axis < s->combinations.axis_count; axis++)
    for (int i = 0; code == APP_DONE && i < s->combinations.axes[axis].count; i++)
      code = check_setting(s, "--over", s->combinations.axes[axis].settings[i]);
  for (int i = 0; code == APP_DONE && i < s->combinations.seed_count; i++) {
    char setting[32];
    snprintf(setting, sizeof setting, "seed=%" PRIu64, s->combinations.seeds[i]);
    code = check_setting(s, "--seeds", setting);
  }
  return code;
}

/* What the runs' own settings would lie over, unheard; and what is read once for all runs. */
static int check_sets(const sweep *s) {
  for (int axis = 0; axis < s->combinations.axis_count; axis++)
    if (app_is_of_key(s->combinations.axes[axis].key, "image_size"))
      return app_usage_error(s->self,
                             "--over image_size: the pictures are read once, for all runs; make a sweep of each size");
  for (int i = 0; i < s->r.sets.count; i++) {
    const char *set = s->r.sets.items[i];
    if (app_is_of_key(set, "seed")) return app_usage_error(s->self, "--set seed: use --seeds");
    for (int axis = 0; axis < s->combinations.axis_count; axis++)
      if (app_is_of_key(set, s->combinations.axes[axis].key))
        return app_usage_error(s->self, "--over and --set both give %.*s", (int)strcspn(set, " ="), set);
  }
  return APP_DONE;
}

/* Values that do not go together. */
static lfm_status check_configs(const sweep *s) {
  lfm_status status = LFM_OK;
  for (int k = 0; status == LFM_OK && k < s->combinations.count; k++) {
    lfm_config *config = NULL;
    status = configure(s, k, 0, &config);
    if (status == LFM_OK) status = lfm_config_validate(config);
    lfm_config_destroy(config);
  }
  return status;
}

/* The library does not know which file the rows to score are from. */
static int report_check(const sweep *s, lfm_status status) {
  static const char whose[] = "the rows to score: ";
  if (status == LFM_OK || strncmp(lfm_error(), whose, sizeof whose - 1) != 0) return app_report(s->self, status);
  fprintf(stderr, "lfm %s: %s: %s\n", s->self->name, s->r.test, lfm_error() + sizeof whose - 1);
  return APP_FAILED;
}

/* Or not with these data, or that make a model without what the table is of. */
static int check_runs(sweep *s) {
  lfm_status status = LFM_OK;
  bool is_scored = true;
  int k = 0;
  s->progress.hushed = true; /* each run will note it */
  for (; status == LFM_OK && is_scored && k < s->combinations.count; k++) {
    lfm_train_options options;
    lfm_config *config = NULL;
    lfm_train_defaults(&options);
    status = configure(s, k, 0, &config);
    options.config = config, options.train = s->train, options.valid = s->valid;
    if (status == LFM_OK) status = lfm_train_check(&options, s->test, &is_scored);
    lfm_config_destroy(config);
  }
  s->progress.hushed = false;
  char name[APP_NAME_SIZE];
  if (status != LFM_OK || is_scored) return report_check(s, status);
  app_combinations_name(&s->combinations, k - 1, name);
  return app_usage_error(s->self,
                         "%s%sthe model has no log p, by which a sweep compares (objective, class_drop and dequantise decide "
                         "that); lfm train makes such models, lfm eval compares their samples",
                         name, *name ? ": " : "");
}

static int read_tables(sweep *s) {
  lfm_config *config = NULL;
  lfm_status status = configure(s, 0, 0, &config);
  s->r.columns.size = lfm_config_image_size(config); /* the same for all combinations */
  s->r.columns.threads = (int)s->r.threads;
  lfm_config_destroy(config);
  if (status == LFM_OK) status = lfm_memory_limit(s->r.memory, s->r.folder);
  if (status == LFM_OK) status = lfm_table_read(s->r.data, &s->r.columns, &s->train);
  if (status == LFM_OK && s->r.valid) status = app_read_beside(s->r.valid, &s->r.columns, s->train, &s->valid);
  if (status == LFM_OK && s->r.test) status = app_read_beside(s->r.test, &s->r.columns, s->train, &s->test);
  return app_report(s->self, status);
}

/* ---- one run ---- */

static lfm_status train(sweep *s, const char *folder, const lfm_config *config, lfm_train_result *result) {
  lfm_train_options options;
  lfm_train_defaults(&options);
  options.config = config;
  options.train = s->train;
  options.valid = s->valid;
  options.run = folder;
  options.time_limit = s->r.time_limit;
  options.threads = (int)s->r.threads;
  options.resume = access(folder, F_OK) == 0;
  options.allow_drift = s->r.allow_drift;
  options.progress = app_progress_show;
  options.context = &s->progress;
  return lfm_train(&options, result);
}

static lfm_status score(sweep *s, const char *folder, app_run *run) {
  lfm_model *model = NULL;
  lfm_score_options options;
  lfm_score_result result;
  lfm_score_defaults(&options);
  options.rows = s->r.rows;
  options.threads = (int)s->r.threads;
  options.progress = app_progress_show;
  options.context = &s->progress;
  lfm_status status = lfm_model_load(folder, &model);
  if (status == LFM_OK) status = lfm_score(model, s->test, &options, NULL, &result);
  lfm_model_destroy(model);
  if (status == LFM_OK) run->nll = result.nll, run->nll_se = result.nll_se;
  return status;
}

static lfm_status make_run(sweep *s, int k, int seed) {
  char name[APP_NAME_SIZE], folder[PATH_MAX];
  app_run *run = &s->runs[k * s->combinations.seed_count + seed];
  lfm_config *config = NULL;
  snprintf(folder, sizeof folder, "%s/%s", s->r.folder, app_sweep_run_name(&s->combinations, k, seed, name));
  app_progress_say(&s->progress, "run %d of %d: %s", ++s->begun, s->combinations.count * s->combinations.seed_count, name);
  bool is_new = access(folder, F_OK) != 0;
  lfm_status status = configure(s, k, seed, &config);
  if (status == LFM_OK) status = train(s, folder, config, &run->trained);
  lfm_config_destroy(config);
  bool by_split = status == LFM_E_DATA && is_new && !s->r.valid; /* this seed holds out what the others cannot do without */
  s->finished += status == LFM_OK && run->trained.was_finished;
  run->nll = run->trained.valid_nll;
  run->nll_se = run->trained.valid_nll_se;
  if (status == LFM_OK && s->test) status = score(s, folder, run);
  run->is_done = status == LFM_OK;
  run->has_failed = status == LFM_E_NUMERIC || by_split;
  return status;
}

/* ---- all of them ---- */

static app_sweep_table table_of(const sweep *s) {
  return (app_sweep_table){&s->combinations, s->runs, s->r.test ? s->r.test : "the validation rows"};
}

static int save_table(const sweep *s) {
  app_sweep_table table = table_of(s);
  const char *name;
  if (app_sweep_save(&table, s->r.folder, &name)) return APP_DONE;
  fprintf(stderr, "lfm %s: %s/%s: cannot be written: %s\n", s->self->name, s->r.folder, name, strerror(errno));
  return APP_FAILED;
}

/* A run whose numbers break down is a result of the sweep, and so is one whose held-out rows do not let it train: the others
 * go on; every other failure would come again.  The table is written after each training, and not while a resumed sweep
 * passes the runs that are in it already. */
static int make_runs(sweep *s, lfm_status *status) {
  for (int seed = 0; seed < s->combinations.seed_count; seed++) {
    for (int k = 0; k < s->combinations.count; k++) {
      const app_run *run = &s->runs[k * s->combinations.seed_count + seed];
      *status = make_run(s, k, seed);
      if (run->has_failed) {
        app_progress_say(&s->progress, "this run failed: %s", lfm_error());
        s->failed++;
      } else if (*status != LFM_OK) {
        return APP_FAILED;
      }
      if (!run->trained.was_finished && save_table(s) != APP_DONE) return APP_FAILED;
    }
  }
  *status = LFM_OK;
  return save_table(s);
}

static void print_table(const sweep *s) {
  app_sweep_table table = table_of(s);
  if (s->r.json) app_sweep_put_json(&table, stdout);
  else app_sweep_put_markdown(&table, stdout);
}

/* Of a folder without runs: a sweep all of whose runs failed has left its three tables, anything else is somebody's and might
 * be written over. */
static int check_strangers(const sweep *s, int tables, const char *stranger) {
  if (!*stranger && (tables == 0 || tables == APP_SWEEP_TABLES)) return APP_DONE;
  fprintf(stderr, "lfm %s: %s: holds %s, which is of no sweep; name a new folder\n", s->self->name, s->r.folder,
          *stranger ? stranger : "a table");
  return APP_FAILED;
}

/* A run's folder has its seed in its name. */
static int check_contents(const sweep *s) {
  DIR *folder = opendir(s->r.folder);
  char stranger[NAME_MAX + 1] = "";
  bool has_runs = false;
  int tables = 0;
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    if (entry->d_name[0] == '.') continue;
    if (strstr(entry->d_name, "seed=")) has_runs = true;
    else if (app_sweep_is_table(entry->d_name)) tables++;
    else snprintf(stranger, sizeof stranger, "%s", entry->d_name);
  }
  if (folder) closedir(folder);
  return has_runs ? APP_DONE : check_strangers(s, tables, stranger);
}

/* Its runs lie in folders of their own. */
static int check_folder(const sweep *s) {
  static const char *const signs[] = {"model.safetensors", "config.yaml", "checkpoint"};
  char path[PATH_MAX];
  for (size_t k = 0; k < sizeof signs / sizeof *signs; k++) {
    snprintf(path, sizeof path, "%s/%s", s->r.folder, signs[k]);
    if (access(path, F_OK) != 0) continue;
    fprintf(stderr, "lfm %s: %s: is itself a run (%s); name another folder for the runs of the sweep\n", s->self->name,
            s->r.folder, signs[k]);
    return APP_FAILED;
  }
  return check_contents(s);
}

static int run_sweep(sweep *s, int argc, char **argv) {
  int code = app_combinations_read(s->self, &s->r.over, s->r.seeds, &s->combinations);
  if (code == APP_DONE) code = check_values(s); /* all of them now: the last must not turn out mistyped after days */
  if (code == APP_DONE) code = check_sets(s);
  if (code == APP_DONE) code = app_report(s->self, check_configs(s));
  if (code == APP_DONE) code = check_folder(s);
  if (code == APP_DONE) code = app_machine_lock(s->self, argc, argv);
  if (code != APP_DONE) return code;
  lfm_status status = LFM_OK;
  app_progress_begin(&s->progress);
  code = read_tables(s);
  if (code == APP_DONE) code = check_runs(s);
  if (code == APP_DONE) code = app_make_folder(s->self, s->r.folder);
  if (code == APP_DONE) code = make_runs(s, &status);
  app_progress_end(&s->progress);
  if (status != LFM_OK) code = app_report(s->self, status);
  if (status == LFM_E_INTERRUPTED) app_print_again(argc, argv, NULL);
  if (code == APP_DONE) print_table(s);
  if (code == APP_DONE && s->finished > 0 && s->r.time_limit > 0)
    fprintf(stderr, "lfm %s: %d of %d runs were finished before; --time chose nothing of theirs\n", s->self->name,
            s->finished, s->begun);
  if (code == APP_DONE && s->failed > 0) {
    fprintf(stderr, "lfm %s: %d of %d runs failed and are not in the table\n", s->self->name, s->failed, s->begun);
    code = APP_FAILED;
  }
  return code;
}

static int run(const app_command *self, int argc, char **argv) {
  sweep *s = calloc(1, sizeof *s);
  if (!s) return app_usage_error(self, "memory refused"), APP_FAILED;
  s->self = self;
  s->r.seeds = "1..3";
  request *r = &s->r;
  const app_option options[] = {
      {APP_OPERAND, .name = "CONFIG", .target = &r->config, .help = "a YAML file of keys, or the name of a preset"},
      {APP_OPERAND, .name = "DATA", .target = &r->data,
       .help = "the table to learn, by its ending: .csv .csv.gz .npy file.npz::key file.hdf5::dataset"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "FOLDER", .target = &r->folder, .required = true,
       .help = "folder for the runs, each in a folder of its own, and for their tables sweep.md, sweep.csv and runs.csv"},
      {APP_TEXT, .name = "seeds", .value = "A..B", .target = &r->seeds,
       .help = "train with each of these seeds (default 1..3); also 1,2,5"},
      {APP_TEXTS, .name = "over", .value = "KEY=A,B", .target = &r->over,
       .help = "train with each of these values of a key of lfm train; commas inside brackets belong to a value: "
               "'hks=[0.1,null],[null]'; may be repeated, for every combination"},
      {APP_TEXTS, .name = "set", .value = "KEY=VALUE", .target = &r->sets,
       .help = "set a key in all runs, over CONFIG, other than those of --over; may be repeated"},
      {APP_TEXT, .name = "valid", .value = "DATA", .target = &r->valid,
       .help = "validation rows (default: a tenth of the rows is held out, another one for each seed)"},
      {APP_TEXT, .name = "test", .value = "DATA", .target = &r->test,
       .help = "score every run on these rows (default: the table shows the nll of the validation rows)"},
      {APP_COUNT, .name = "rows", .value = "K", .target = &r->rows, .needs = "test", .low = 1, .high = 1e12,
       .help = "score only K of the test rows, evenly spaced"},
      {APP_TEXT, .name = "columns", .value = "A,B", .target = &r->columns.columns, .either = 1,
       .help = "learn these columns only, in this order"},
      {APP_TEXT, .name = "drop", .value = "A,B", .target = &r->columns.drop, .either = 1,
       .help = "learn all columns but these"},
      {APP_FLAG, .name = "drop-missing", .target = &r->columns.drop_missing,
       .help = "leave out rows with an empty or NaN field (otherwise they are an error)"},
      APP_OPTION_HEADER(&r->columns.header),
      {APP_TIME, .name = "time", .value = "TIME", .target = &r->time_limit, .low = 1, .high = 30 * 86400,
       .help = "about how long to train each run (default 10m); chooses the number of steps unless max_batch is set; few "
               "rows take less"},
      APP_OPTION_THREADS(&r->threads),
      APP_OPTION_MEMORY(&r->memory),
      {APP_FLAG, .name = "allow-drift", .target = &r->allow_drift,
       .help = "go on with unfinished runs even under another build, processor type or library version: their models will "
               "not be the same to the last bit"},
      APP_OPTION_JSON(&r->json),
      {0},
  };
  int code;
  if (app_parse(self, options, argc, argv, &code)) code = run_sweep(s, argc, argv);
  lfm_table_destroy(s->train);
  lfm_table_destroy(s->valid);
  lfm_table_destroy(s->test);
  app_combinations_free(&s->combinations);
  free(s);
  return code;
}

const app_command app_sweep = {
    .name = "sweep",
    .summary = "train over seeds and values of keys, and compare",
    .about =
        "Trains one run after another, for every combination of the values of --over with every seed, and prints the mean of "
        "the nll over the seeds, its spread, and the difference to the first combination, paired by seed. Stopped or killed, "
        "the same command line goes on: finished runs are skipped. One sweep at a time runs for each user of a machine.",
    .example = "  lfm sweep base.yaml train.csv -o grid --seeds 1..3 --over lr=1e-3,3e-3\n"
               "  lfm sweep tree@B train.csv -o n --over 'hks=[0.1,null],[null]' --test test.csv\n",
    .run = run,
};
