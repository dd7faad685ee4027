/* SPDX-License-Identifier: MIT
 *
 * eval.c -- lfm eval: how good the pictures of a model are, or pictures that were drawn elsewhere.
 *   1  read the judge, the real pictures and whoever draws; refuse what cannot work before anything takes long
 *   2  for each number of evaluations: draw, have the library compare, keep what is found
 *   3  print; in the folder, result.json, a grid of pictures, their nearest training pictures, and a curve
 * Where a fault, or the user, ends 2 between two numbers, 3 tells of those that are done.
 */
#include "app.h"
#include "columns.h"
#include "eval_report.h"
#include "options.h"
#include "outfile.h"
#include "progress.h"
#include "text.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_ROWS = 40, MOST_ROWS = 10000, MOST_NFE = 1000000 };

typedef struct request {
  const char *model, *heldout, *train, *judge, *against, *out, *solver, *nfe;
  int64_t rows, manifold, threads;
  double tol, guidance;
  app_seed seed;
  bool flip, retrain, strict, json;
  int budgets[APP_MOST_BUDGETS], budget_count;
} request;

/* Who draws: a model, or somebody who has drawn. */
typedef struct generator {
  const char *path;
  lfm_model *model;
  lfm_table *pictures;
} generator;

typedef struct work {
  const app_command *self;
  request r;
  app_progress progress;
  lfm_judge *judge;
  lfm_table *train, *heldout;
  generator own, other;
  lfm_eval *eval;
  app_eval_report report;
} work;

/* ---- what is given ---- */

/* "2,4,8".  Without --nfe there is one budget, of no number. */
static bool read_budgets(const app_command *self, request *r) {
  const char *at = r->nfe;
  r->budget_count = at ? 0 : 1;
  while (at && r->budget_count < APP_MOST_BUDGETS) {
    char *end;
    long value = strtol(at, &end, 10);
    if (end == at || value < 1 || value > MOST_NFE || (*end && *end != ',')) break;
    r->budgets[r->budget_count++] = (int)value;
    at = *end ? end + 1 : NULL;
  }
  if (!at || !r->nfe) return true;
  if (r->budget_count == APP_MOST_BUDGETS)
    app_usage_error(self, "--nfe '%s': more than %d numbers", r->nfe, APP_MOST_BUDGETS);
  else app_usage_error(self, "--nfe '%s': not a whole number from 1 to %d, or some of them: 2,4,8", r->nfe, MOST_NFE);
  return false;
}

/* Real and drawn pictures as the judge knows them. */
static lfm_status read_pictures(const work *w, const char *path, lfm_table **out) {
  int64_t channels, height, width;
  lfm_judge_picture(w->judge, &channels, &height, &width);
  const lfm_table_options options = {.strict = w->r.strict, .threads = (int)w->r.threads};
  return app_read_pictures(path, &options, channels, height, width, out);
}

static bool is_model(const char *path) {
  static const char *const inside[] = {"config.yaml", "model.safetensors"};
  const char *ending = strrchr(path, '.');
  char name[PATH_MAX];
  if (access(path, F_OK) != 0) return true; /* and the model's reader says that it is not there */
  if (ending && strcmp(ending, ".safetensors") == 0) return true;
  for (int i = 0; i < 2; i++)
    if (snprintf(name, sizeof name, "%s/%s", path, inside[i]) < PATH_MAX && access(name, F_OK) == 0) return true;
  return false;
}

static lfm_sample_options sample_options(const work *w, const generator *g, int budget) {
  lfm_sample_options options;
  lfm_sample_defaults(&options);
  options.solve = (lfm_solver_options){.solver = w->r.solver, .tol = w->r.tol, .nfe = budget};
  options.rows = w->r.rows;
  options.seed = w->r.seed.value;
  if (g == &w->own || lfm_model_classes(g->model)) options.guidance = w->r.guidance;
  options.threads = (int)w->r.threads;
  return options;
}

/* Whether it can draw at every budget is known before it draws at the first. */
static lfm_status open_generator(work *w, const char *path, generator *g) {
  g->path = path;
  if (!path) return LFM_OK;
  if (!is_model(path)) return read_pictures(w, path, &g->pictures);
  lfm_status status = lfm_model_load(path, &g->model);
  if (status == LFM_OK) status = lfm_judge_fits(w->judge, g->model);
  for (int i = 0; status == LFM_OK && i < w->r.budget_count; i++) {
    lfm_sample_options options = sample_options(w, g, w->r.budgets[i]);
    options.rows = 1;
    status = lfm_sample_check(g->model, &options);
  }
  return status;
}

static int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

/* As many as all of them have, unless the user says; fewer than can be judged are then refused as what is there. */
static int64_t choose_rows(const work *w) {
  int64_t rows = least_of(lfm_table_rows(w->train), MOST_ROWS);
  if (w->r.rows) return w->r.rows;
  if (w->own.pictures) rows = least_of(rows, lfm_table_rows(w->own.pictures));
  if (w->other.pictures) rows = least_of(rows, lfm_table_rows(w->other.pictures));
  return rows < LEAST_ROWS ? LEAST_ROWS : rows;
}

static lfm_status read_all(work *w) {
  lfm_status status = lfm_judge_load(w->r.judge, &w->judge);
  if (status == LFM_OK) status = open_generator(w, w->r.model, &w->own);
  if (status == LFM_OK) status = open_generator(w, w->r.against, &w->other);
  if (status == LFM_OK) status = read_pictures(w, w->r.train, &w->train);
  if (status == LFM_OK) status = read_pictures(w, w->r.heldout, &w->heldout);
  return status;
}

/* Not after the hours of sampling. */
static int check_classes(const work *w) {
  int label;
  if (!w->r.retrain || !w->own.model) return APP_DONE;
  if (!lfm_model_classes(w->own.model))
    return app_usage_error(w->self, "--retrain: %s knows no classes; it was trained without --set conditional=true",
                           w->r.model);
  for (int64_t k = 0; k < lfm_table_classes(w->heldout); k++)
    if (lfm_model_find_class(w->own.model, lfm_table_class(w->heldout, k), &label) != LFM_OK)
      return app_usage_error(w->self, "--retrain: HELDOUT has a class that is never drawn: %s", lfm_error()), APP_FAILED;
  return APP_DONE;
}

/* What does not fit is told of ahead of the judge's work. */
static lfm_status look_at_real(work *w) {
  lfm_eval_options options;
  w->r.rows = choose_rows(w);
  w->report.judge = w->judge;
  lfm_eval_defaults(&options);
  options.judge = w->judge;
  options.train = w->train;
  options.heldout = w->heldout;
  options.rows = w->r.rows;
  options.manifold_rows = w->r.manifold;
  options.mirrored = w->r.flip || (w->own.model && lfm_model_is_mirrored(w->own.model));
  options.seed = w->r.seed.value;
  options.threads = (int)w->r.threads;
  options.progress = app_progress_show;
  options.context = &w->progress;
  const lfm_eval_set known = {.pictures = w->own.pictures, .against = w->other.pictures, .retrain = w->r.retrain};
  lfm_status status = lfm_eval_check(&options, &known);
  return status == LFM_OK ? lfm_eval_create(&options, &w->eval) : status;
}

static void release(work *w) {
  lfm_eval_destroy(w->eval);
  lfm_table_destroy(w->own.pictures);
  lfm_table_destroy(w->other.pictures);
  lfm_model_destroy(w->own.model);
  lfm_model_destroy(w->other.model);
  lfm_table_destroy(w->heldout);
  lfm_table_destroy(w->train);
  lfm_judge_destroy(w->judge);
}

/* ---- one budget ---- */

/* FOLDER/NAME.png, or FOLDER/NAME-8.png where there are several budgets; NULL without a folder. */
static const char *picture_path(const work *w, const char *name, int budget, char out[PATH_MAX]) {
  char number[24] = "";
  if (!w->r.out) return NULL;
  if (w->r.budget_count > 1) snprintf(number, sizeof number, "-%d", budget);
  snprintf(out, PATH_MAX, "%s/%s%s.png", w->r.out, name, number);
  return out;
}

/* *drawn: to be destroyed; NULL: the pictures are there. */
static lfm_status draw(work *w, const generator *g, int budget, lfm_table **drawn, lfm_sample_result *result) {
  *drawn = NULL;
  *result = (lfm_sample_result){.nfe_mean = (double)NAN, .flops = (double)NAN};
  if (!g->model) return LFM_OK;
  lfm_sample_options options = sample_options(w, g, budget);
  options.progress = app_progress_show;
  options.context = &w->progress;
  lfm_status status = lfm_sample(g->model, &options, drawn, result);
  if (status == LFM_OK && result->failed > 0)
    app_progress_say(&w->progress, "%s: the solve of %lld pictures failed", g->path, (long long)result->failed);
  return status;
}

/* Pictures without a result beside them. */
static void remove_pictures(const lfm_eval_set *set) {
  if (set->samples) unlink(set->samples);
  if (set->nearest) unlink(set->nearest);
}

static lfm_status judge_one(work *w, int budget, app_eval_line *line) {
  lfm_table *own, *other = NULL;
  lfm_sample_result sampled, by_other;
  lfm_share by_class[LFM_MOST_CLASSES] = {{0}}; /* those of the line before stay until this one is done */
  char samples[PATH_MAX], nearest[PATH_MAX];
  lfm_status status = draw(w, &w->own, budget, &own, &sampled);
  if (status == LFM_OK) status = draw(w, &w->other, budget, &other, &by_other);
  const lfm_eval_set set = {.pictures = own ? own : w->own.pictures,
                            .against = other ? other : w->other.pictures,
                            .retrain = w->r.retrain,
                            .samples = picture_path(w, "samples", budget, samples),
                            .nearest = picture_path(w, "nearest", budget, nearest),
                            .by_class = by_class};
  const lfm_sample_result *cost = w->own.model ? &sampled : &by_other;
  *line = (app_eval_line){.budget = budget, .nfe = cost->nfe_mean, .flops = cost->flops};
  if (status == LFM_OK) status = lfm_eval_pictures(w->eval, &set, &line->result);
  if (status == LFM_OK) memcpy(w->report.by_class, by_class, sizeof by_class);
  else remove_pictures(&set);
  lfm_table_destroy(other);
  lfm_table_destroy(own);
  return status;
}

/* ---- all of them ---- */

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

static lfm_status judge_all(work *w) {
  app_eval_report *report = &w->report;
  lfm_status status = LFM_OK;
  for (int i = 0; status == LFM_OK && i < w->r.budget_count; i++) {
    app_eval_line *line = &report->lines[i];
    status = judge_one(w, w->r.budgets[i], line);
    if (status == LFM_OK && w->r.budget_count > 1) /* what is known if the rest never comes */
      app_progress_say(&w->progress, "nfe %d: %.4g above the floor", line->budget, line->result.above.value);
    if (status == LFM_OK) report->count = i + 1;
  }
  return status;
}

static int save(const work *w) {
  char path[PATH_MAX];
  if (!app_save(w->r.out, "result.json", app_eval_put_json, &w->report)) {
    fprintf(stderr, "lfm %s: %s/result.json: cannot be written: %s\n", w->self->name, w->r.out, strerror(errno));
    return APP_FAILED;
  }
  if (w->report.count < 2) return APP_DONE;
  snprintf(path, sizeof path, "%s/curve.png", w->r.out);
  return app_report(w->self, app_eval_draw_curve(&w->report, path));
}

static lfm_status check_folder(const request *r) {
  char folder[PATH_MAX];
  if (!r->out) return LFM_OK;
  snprintf(folder, sizeof folder, "%s/", r->out);
  return lfm_draw_pictures_writable(folder, 1, 1, 1);
}

static int evaluate(work *w) {
  double begun = now();
  int code = APP_DONE;
  lfm_status status = check_folder(&w->r);
  if (status == LFM_OK) status = read_all(w);
  if (status == LFM_OK) code = check_classes(w);
  if (status == LFM_OK && code == APP_DONE) status = look_at_real(w);
  if (status == LFM_OK && code == APP_DONE && w->r.out) code = app_make_folder(w->self, w->r.out);
  if (status == LFM_OK && code == APP_DONE) status = judge_all(w);
  w->report.seconds = now() - begun;
  app_progress_end(&w->progress);
  bool tells = w->report.count > 0;
  if (tells && w->r.json) app_eval_put_json(&w->report, stdout);
  if (tells && !w->r.json) app_eval_print(&w->report);
  if (status != LFM_OK) code = app_report(w->self, status);
  int saved = tells && w->r.out ? save(w) : APP_DONE;
  return code != APP_DONE ? code : saved;
}

/* An option that says how a model is to draw; NULL: none is given. */
static const char *how_to_draw(const request *r) {
  return r->nfe ? "nfe" : r->solver ? "solver" : r->tol != 0.0 ? "tol" : r->guidance != 1.0 ? "guidance" : NULL;
}

static int run(const app_command *self, int argc, char **argv) {
  work w = {.self = self, .r = {.guidance = 1.0}};
  request *r = &w.r;
  const app_option options[] = {
      {APP_OPERAND, .name = "MODEL", .target = &r->model,
       .help = "a model of pictures (a file, or a run folder of lfm train); or pictures that were drawn elsewhere: a folder "
               "of PNG and JPEG, IDX, .npy"},
      {APP_OPERAND, .name = "HELDOUT", .target = &r->heldout, .help = "real pictures that it has not learnt from"},
      {APP_TEXT, .name = "train", .value = "DATA", .target = &r->train, .required = true,
       .missing = "the floor and the nearest pictures are of what the model learnt from",
       .help = "the pictures that it has learnt from: for the floor, and to find copies of them"},
      {APP_TEXT, .name = "judge", .value = "FILE", .target = &r->judge, .required = true,
       .missing = "lfm features train LABELLED -o FILE makes one",
       .help = "a judge of such pictures, from lfm features train"},
      {APP_COUNT, .letter = 'n', .name = "rows", .value = "N", .target = &r->rows, .low = LEAST_ROWS, .high = 1e9,
       .help = "how many pictures to draw and judge (default 10,000, or as many as there are)"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "FOLDER", .target = &r->out,
       .help = "a new folder to make: result.json, samples.png, nearest.png (some pictures, and those nearest to the "
               "training set, each beside its nearest training pictures), curve.png"},
      {APP_TEXT, .name = "nfe", .value = "K", .target = &r->nfe, .either = 1,
       .help = "fixed steps: K evaluations of the velocity over the whole chain; a list as 2,4,8,16 gives a table"},
      APP_OPTION_SOLVER(&r->solver),
      APP_OPTION_TOL(&r->tol, 1),
      {APP_REAL, .name = "guidance", .value = "W", .target = &r->guidance, .low = 0.0, .high = 100.0,
       .help = "of a model that knows classes: W times as far from the field without one (default 1)"},
      {APP_TEXT, .name = "against", .value = "OTHER", .target = &r->against,
       .help = "another model or other pictures: prints the paired difference of the Frechet distances"},
      {APP_FLAG, .name = "flip", .target = &r->flip,
       .help = "look for copies in a mirror, too: for pictures drawn elsewhere and students, if what draws them has seen "
               "mirrored pictures (a model trained with flip=true says so itself)"},
      {APP_FLAG, .name = "retrain", .target = &r->retrain,
       .help = "also train a judge on the generated pictures, by their classes, and test it on HELDOUT"},
      {APP_COUNT, .name = "manifold", .value = "N", .target = &r->manifold, .low = LEAST_ROWS, .high = 1e9,
       .help = "precision, recall, density and coverage by N pictures of either side, which they depend on; the time grows "
               "with N squared (default 10,000, or as many as there are)"},
      {APP_FLAG, .name = "strict", .target = &r->strict,
       .help = "a picture that cannot be read is an error (otherwise it is left out, with a warning)"},
      {APP_SEED, .name = "seed", .value = "S", .target = &r->seed,
       .help = "another seed draws other pictures and compares them with others (default 0)"},
      APP_OPTION_THREADS(&r->threads),
      APP_OPTION_JSON(&r->json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  if (!read_budgets(self, r)) return APP_USAGE;
  const char *how = how_to_draw(r);
  if (how && !is_model(r->model) && !(r->against && is_model(r->against)))
    return app_usage_error(self, "--%s: %s is no model, and pictures are not drawn again", how, r->model);
  w.report.model = r->model, w.report.against = r->against, w.report.folder = r->out, w.report.asked = r->budget_count;
  app_progress_begin(&w.progress);
  code = evaluate(&w);
  release(&w);
  return code;
}

const app_command app_eval = {
    .name = "eval",
    .summary = "how good the pictures of a model are",
    .about =
        "Draws pictures and compares them, by the features of a judge, with real ones: Frechet distance above its floor, "
        "which is what training pictures get in their place; precision and recall; copies of training pictures; where there "
        "are classes, how many the judge recognises. Intervals hold 95 %: of distances "
        "over both sets, of shares over the pictures asked about, with the others as they are. Classes are drawn in equal "
        "shares.",
    .example = "  lfm features train train-images-idx3-ubyte.gz -o judge.safetensors\n"
               "  lfm eval run t10k-images-idx3-ubyte.gz --train train-images-idx3-ubyte.gz \\\n"
               "    --judge judge.safetensors --nfe 4,8,16,32 -o quality\n",
    .run = run,
};
