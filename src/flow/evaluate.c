/* SPDX-License-Identifier: MIT
 *
 * evaluate.c -- how good generated pictures are: the scores of the room metric, put together for one judge and one data set.
 *   1  once: features of the training and the held-out pictures; what training pictures get in the place of generated ones
 *   2  of a set: Frechet distance over its floor, precision and recall, distances to the nearest training pictures
 *   3  where there are labels: what the judge recognises; what another one learns from the set
 * Every figure stands beside that of real pictures in the same number, because none has a scale of its own: the fitted
 * distance of two real samples is not 0, their precision is not 1, and both depend on how many there are.
 *
 * Everything is compared in an order drawn at random.  Generated pictures come class after class and so do those of folders,
 * and the jackknife of metric/frechet.c leaves out every twentieth row: with ten classes in turn these would be one class.
 * Two sets of as many rows are drawn in one order, so that rows from the same noise leave together.
 */
#include "core/alloc.h"
#include "core/order.h"
#include "core/rng.h"
#include "flow/judge.h"
#include "flow/retrain.h"
#include "flow/show.h"
#include "metric/closeness.h"
#include "metric/frechet.h"
#include "metric/manifold.h"

#include <math.h>
#include <string.h>

enum { MOST_ROWS = 10000, DIM = LFM_JUDGE_WIDTH, FEW = 8 * DIM, NEIGHBOURS = 6 };

/* Pictures in the order in which they are compared, and as the judge sees them. */
typedef struct seen {
  const lfm_table *pictures;
  lfm_table *drawn;      /* the same, where it is ours */
  lfm_features features; /* of `values` */
  float *values, *logits;
} seen;

struct lfm_eval {
  lfm_eval_options options;
  lfm_meter meter;
  lfm_team *team;
  int64_t rows, manifold_rows;
  seen train; /* with the mirror image of each behind them, where that was learnt from */
  seen heldout;
  seen sample;            /* training pictures in the place of generated ones */
  float *heldout_squares; /* [held-out rows] of the distance to the nearest training picture */
  lfm_manifold floor;     /* of the sample */
  lfm_share recognised;   /* of the held-out pictures; of 0: they have no labels */
  double *floor_right;    /* [held-out rows] of the judge that the sample taught; NULL: not asked yet */
  lfm_share floor_accuracy;
};

void lfm_eval_defaults(lfm_eval_options *options) { *options = (lfm_eval_options){0}; }

/* ---- what is asked for ----------------------------------------------------------------------------------------- */

static lfm_status check_pictures(const lfm_eval_options *o, const lfm_table *table, const char *name, int64_t least) {
  LFM_TRY(lfm_judge_check(o->judge, table->images));
  if (table->rows >= least) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s: there are %lld; %lld or more are due", name, (long long)table->rows, (long long)least);
}

/* Of those that the judge is asked about. */
static lfm_status check_asked(const lfm_eval_options *o, const lfm_table *table, const char *name, int64_t least) {
  LFM_TRY(check_pictures(o, table, name, least));
  lfm_status status = lfm_judge_check_labels(o->judge, table->images);
  return status == LFM_OK ? LFM_OK : lfm_fail(status, "%s: %s", name, lfm_error());
}

static lfm_status check_number(const char *name, int64_t rows, int64_t most) {
  if (!rows || (rows >= LFM_FRECHET_LEAST && rows <= most)) return LFM_OK;
  if (rows < LFM_FRECHET_LEAST)
    return lfm_fail(LFM_E_USAGE, "%s: %lld pictures asked; %d or more are due", name, (long long)rows, LFM_FRECHET_LEAST);
  return lfm_fail(LFM_E_USAGE, "%s: %lld pictures asked; %d to %lld are possible", name, (long long)rows, LFM_FRECHET_LEAST,
                  (long long)most);
}

static int64_t rows_of(const lfm_eval_options *o) { return o->rows ? o->rows : lfm_least(MOST_ROWS, o->train->rows); }

static int64_t manifold_rows_of(const lfm_eval_options *o) {
  return o->manifold_rows ? o->manifold_rows : lfm_least(MOST_ROWS, lfm_least(rows_of(o), o->heldout->rows));
}

static lfm_status check_labelled(const lfm_table *pictures, const char *name) {
  if (pictures->images->labels) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "retrain: the %s pictures have no labels, which a judge learns from and is asked for", name);
}

/* A judge is to learn the classes of the generated and of the training pictures, and is asked for those of the held-out. */
static lfm_status check_labels(const lfm_eval_options *o, const lfm_table *pictures) {
  const lfm_table *lessons[] = {pictures, o->train}, *exam = o->heldout;
  static const char *const names[] = {"generated", "training"};
  LFM_TRY(check_labelled(exam, "held-out"));
  for (int i = 0; i < 2; i++) {
    if (!lessons[i]) continue;
    LFM_TRY(check_labelled(lessons[i], names[i]));
    int64_t stranger = lfm_images_find_stranger(lessons[i]->images, exam->images);
    if (stranger >= 0)
      return lfm_fail(LFM_E_DATA, "retrain: held-out picture %lld is of class '%s', which is none of the %s pictures'",
                      (long long)stranger + 1, lfm_table_class(exam, lfm_table_labels(exam)[stranger]), names[i]);
  }
  return LFM_OK;
}

static lfm_status check_set(const lfm_eval_options *o, const lfm_eval_set *set) {
  if (set->pictures) LFM_TRY(check_asked(o, set->pictures, "generated pictures", rows_of(o)));
  if (set->against) LFM_TRY(check_pictures(o, set->against, "pictures to compare with", rows_of(o)));
  return set->retrain ? check_labels(o, set->pictures) : LFM_OK;
}

lfm_status lfm_eval_check(const lfm_eval_options *o, const lfm_eval_set *set) {
  if (!o->judge) return lfm_fail(LFM_E_USAGE, "judge: none is given; lfm_judge_train makes one of labelled pictures");
  if (!o->train) return lfm_fail(LFM_E_USAGE, "training pictures: none are given");
  if (!o->heldout) return lfm_fail(LFM_E_USAGE, "held-out pictures: none are given");
  LFM_TRY(check_number("rows", o->rows, INT64_MAX));
  LFM_TRY(check_pictures(o, o->train, "training pictures", o->rows ? o->rows : LFM_FRECHET_LEAST));
  LFM_TRY(check_asked(o, o->heldout, "held-out pictures", LFM_FRECHET_LEAST));
  LFM_TRY(check_number("manifold rows", o->manifold_rows, lfm_least(rows_of(o), o->heldout->rows)));
  return set ? check_set(o, set) : LFM_OK;
}

static void advise(const lfm_eval_options *o) {
  if (rows_of(o) < FEW || o->heldout->rows < FEW)
    lfm_note(LFM_WARNING, "eval: %lld pictures beside %lld held-out ones say little by %d features; some thousands are due",
             (long long)rows_of(o), (long long)o->heldout->rows, DIM);
  if (o->mirrored) lfm_note(LFM_NOTE, "eval: copies are looked for in a mirror, too");
}

/* ---- pictures, seen by the judge ----------------------------------------------------------------------------- */

static void release(seen *s) {
  lfm_free(s->values);
  lfm_free(s->logits);
  lfm_table_destroy(s->drawn);
}

/* `rows` of the table, drawn at random. */
static lfm_status draw(const lfm_eval *e, const lfm_table *from, int64_t rows, uint32_t salt, lfm_table **out) {
  lfm_rng rng = {.seed = e->options.seed, .purpose = LFM_FOR_EVAL};
  int64_t *index;
  LFM_TRY(LFM_ALLOC_ROWS(&index, rows));
  for (int64_t i = 0; i < rows; i++) index[i] = lfm_rng_permute(&rng, salt, from->rows, i);
  lfm_status status = lfm_table_take(from, index, rows, out);
  lfm_free(index);
  return status;
}

static lfm_status see(const lfm_eval *e, const lfm_table *pictures, const char *name, seen *s) {
  const lfm_judge *judge = e->options.judge;
  int64_t rows = pictures->rows;
  s->pictures = pictures;
  LFM_TRY(LFM_ALLOC_ROWS(&s->values, rows * DIM));
  LFM_TRY(LFM_ALLOC_ROWS(&s->logits, rows * lfm_judge_classes(judge)));
  s->features = (lfm_features){name, s->values, rows, DIM};
  return lfm_judge_ask(judge, pictures->images, e->team, s->values, s->logits);
}

/* Salts: two sets are drawn in one order, other pictures in orders of their own. */
enum { OF_SET, OF_SAMPLE, OF_HELDOUT };

static lfm_status draw_and_see(const lfm_eval *e, const lfm_table *from, int64_t rows, uint32_t salt, const char *name,
                               seen *s) {
  LFM_TRY(draw(e, from, rows, salt, &s->drawn));
  return see(e, s->drawn, name, s);
}

/* ---- figures of one form ------------------------------------------------------------------------------------- */

static lfm_estimate of_frechet(const lfm_frechet *f) { return (lfm_estimate){f->corrected, f->low, f->high}; }
static lfm_estimate of_share(const lfm_share *s) { return (lfm_estimate){s->share, s->low, s->high}; }
static lfm_estimate of_summary(const lfm_summary *s) { return (lfm_estimate){s->mean, s->low, s->high}; }

static lfm_eval_figures figures_of(const lfm_frechet *frechet, const lfm_manifold *manifold) {
  return (lfm_eval_figures){.fitted = frechet->distance,
                            .frechet = of_frechet(frechet),
                            .precision = of_share(&manifold->precision),
                            .recall = of_share(&manifold->recall),
                            .density = of_summary(&manifold->density),
                            .coverage = of_share(&manifold->coverage)};
}

/* ---- parts of the work ---------------------------------------------------------------------------------------- */

static void begin_parts(lfm_eval *e, int64_t parts) { lfm_meter_phase(&e->meter, LFM_PHASE_COMPARE, 0, 0, 0, parts); }

static lfm_status end_part(lfm_eval *e, int64_t done) {
  e->meter.last = 0.0; /* parts are few: each is shown */
  return lfm_meter_tick(&e->meter, done) ? lfm_fail(LFM_E_INTERRUPTED, "stopped; the set is not judged") : LFM_OK;
}

static lfm_status compare_manifolds(const lfm_eval *e, const seen *s, lfm_manifold *out) {
  lfm_features some = s->features, real = e->heldout.features;
  some.rows = real.rows = e->manifold_rows;
  return lfm_manifold_compare(&some, &real, e->team, out);
}

/* near [rows, k]: training pictures. */
static lfm_status find_nearest(const lfm_eval *e, const seen *s, int k, lfm_neighbour **near) {
  LFM_TRY(LFM_ALLOC_ROWS(near, s->features.rows * k));
  return lfm_neighbours_find(&s->features, &e->train.features, k, false, e->team, *near);
}

/* squares [rows] of the distances to the first of near [rows, k]. */
static lfm_status take_squares(const lfm_neighbour *near, int64_t rows, int k, float **squares) {
  LFM_TRY(LFM_ALLOC_ROWS(squares, rows));
  for (int64_t i = 0; i < rows; i++) (*squares)[i] = near[i * k].square;
  return LFM_OK;
}

/* by_class [classes] may be NULL. */
static lfm_status recognise(const lfm_eval *e, const seen *s, lfm_share *all, lfm_share *by_class) {
  const lfm_judge *judge = e->options.judge;
  int64_t classes = lfm_judge_classes(judge), *confusion;
  *all = (lfm_share){0};
  if (by_class) memset(by_class, 0, (size_t)classes * sizeof *by_class);
  if (!s->pictures->images->labels) return LFM_OK;
  LFM_TRY(LFM_ALLOC(&confusion, classes * classes));
  lfm_status status = lfm_judge_count(judge, s->pictures, s->logits, confusion, all);
  for (int64_t k = 0; status == LFM_OK && by_class && k < classes; k++) {
    int64_t rows = 0;
    for (int64_t j = 0; j < classes; j++) rows += confusion[k * classes + j];
    by_class[k] = lfm_summary_share(confusion[k * classes + k], rows);
  }
  lfm_free(confusion);
  return status;
}

/* ---- real pictures -------------------------------------------------------------------------------------------- */

/* What generators have learnt from. */
static lfm_status see_train(lfm_eval *e) {
  const lfm_eval_options *o = &e->options;
  if (o->mirrored) LFM_TRY(lfm_table_add_mirror(o->train->images, &e->train.drawn));
  return see(e, o->mirrored ? e->train.drawn : o->train, "training pictures", &e->train);
}

/* Held-out pictures that were learnt from are no measure of copies, nor of anything else. */
static void warn_learnt(const float *squares, int64_t rows) {
  int64_t learnt = 0;
  for (int64_t i = 0; i < rows; i++) learnt += squares[i] == 0.0f;
  if (learnt)
    lfm_note(LFM_WARNING, "eval: %lld of the %lld held-out pictures are training pictures and hide copies; leave them out",
             (long long)learnt, (long long)rows);
}

/* How near others come that nobody can have copied. */
static lfm_status look_at_heldout(lfm_eval *e) {
  int64_t rows = e->heldout.features.rows;
  lfm_neighbour *near = NULL;
  lfm_status status = find_nearest(e, &e->heldout, 1, &near);
  if (status == LFM_OK) status = take_squares(near, rows, 1, &e->heldout_squares);
  if (status == LFM_OK) warn_learnt(e->heldout_squares, rows);
  lfm_free(near);
  return status;
}

static lfm_status see_real(lfm_eval *e) {
  const lfm_eval_options *o = &e->options;
  begin_parts(e, 4);
  LFM_TRY(draw_and_see(e, o->heldout, o->heldout->rows, OF_HELDOUT, "held-out pictures", &e->heldout));
  LFM_TRY(recognise(e, &e->heldout, &e->recognised, NULL));
  LFM_TRY(draw_and_see(e, o->train, e->rows, OF_SAMPLE, "training pictures", &e->sample));
  LFM_TRY(end_part(e, 1));
  LFM_TRY(see_train(e));
  LFM_TRY(end_part(e, 2));
  LFM_TRY(look_at_heldout(e));
  LFM_TRY(end_part(e, 3));
  LFM_TRY(compare_manifolds(e, &e->sample, &e->floor));
  return end_part(e, 4);
}

lfm_status lfm_eval_create(const lfm_eval_options *options, lfm_eval **out) {
  lfm_eval *e;
  *out = NULL;
  LFM_TRY(lfm_eval_check(options, NULL));
  advise(options);
  LFM_TRY(LFM_ALLOC(&e, 1));
  e->options = *options;
  e->rows = rows_of(options);
  e->manifold_rows = manifold_rows_of(options);
  lfm_meter_begin(&e->meter, options->progress, options->context);
  lfm_status status = lfm_team_create(options->threads, &e->team);
  if (status == LFM_OK) status = see_real(e);
  if (status == LFM_OK) *out = e;
  else lfm_eval_destroy(e);
  return status;
}

void lfm_eval_destroy(lfm_eval *e) {
  if (!e) return;
  release(&e->train);
  release(&e->heldout);
  release(&e->sample);
  lfm_free(e->heldout_squares);
  lfm_free(e->floor_right);
  lfm_team_destroy(e->team);
  lfm_free(e);
}

/* ---- a set beside them ---------------------------------------------------------------------------------------- */

static lfm_status compare_laws(const lfm_eval *e, const seen *s, lfm_eval_result *r) {
  lfm_frechet_floor frechet;
  lfm_manifold manifold;
  LFM_TRY(lfm_frechet_above_floor(&s->features, &e->sample.features, &e->heldout.features, e->team, &frechet));
  LFM_TRY(compare_manifolds(e, s, &manifold));
  r->generated = figures_of(&frechet.generated, &manifold);
  r->floor = figures_of(&frechet.floor, &e->floor);
  r->above = of_frechet(&frechet.above);
  return LFM_OK;
}

static void put_closeness(const lfm_closeness *c, lfm_eval_result *r) {
  r->nearest = c->generated, r->heldout_nearest = c->heldout;
  r->closer = of_summary(&c->closer);
  r->memorised = c->memorised;
  r->memorised_due = c->memorised_due;
  r->copies = c->copies;
}

static lfm_status look_for_copies(const lfm_eval *e, const seen *s, const char *path, lfm_eval_result *r) {
  lfm_neighbour *near = NULL;
  float *squares = NULL;
  lfm_closeness closeness;
  lfm_status status;
  LFM_TRY_GOTO(find_nearest(e, s, NEIGHBOURS, &near), done);
  LFM_TRY_GOTO(take_squares(near, e->rows, NEIGHBOURS, &squares), done);
  LFM_TRY_GOTO(lfm_closeness_compare(squares, e->rows, e->heldout_squares, e->heldout.features.rows, &closeness), done);
  put_closeness(&closeness, r);
  if (path) LFM_TRY_GOTO(lfm_show_nearest(s->pictures, e->train.pictures, near, NEIGHBOURS, path), done);
done:
  lfm_free(squares);
  lfm_free(near);
  return status;
}

/* By how much the set is farther off than the other one, in whose place the floor's sample stands elsewhere. */
static lfm_status compare_against(const lfm_eval *e, const seen *s, const lfm_table *other, lfm_eval_result *r) {
  seen against = {0};
  lfm_frechet_floor frechet;
  lfm_status status = draw_and_see(e, other, e->rows, OF_SET, "the other set's pictures", &against);
  if (status == LFM_OK)
    status = lfm_frechet_above_floor(&s->features, &against.features, &e->heldout.features, e->team, &frechet);
  if (status == LFM_OK) r->against = of_frechet(&frechet.floor), r->difference = of_frechet(&frechet.above);
  release(&against);
  return status;
}

/* The floor of retraining is the same for every set. */
static lfm_status retrain_floor(lfm_eval *e) {
  const lfm_eval_options *o = &e->options;
  double *right;
  if (e->floor_right) return LFM_OK;
  LFM_TRY(LFM_ALLOC_ROWS(&right, e->heldout.pictures->rows));
  lfm_status status =
      lfm_retrain(e->sample.pictures, e->heldout.pictures, o->seed, o->threads, &e->meter, right, &e->floor_accuracy);
  if (status == LFM_OK) e->floor_right = right;
  else lfm_free(right);
  return status;
}

static lfm_status retrain(lfm_eval *e, const seen *s, lfm_eval_result *r) {
  const lfm_eval_options *o = &e->options;
  int64_t exam = e->heldout.pictures->rows;
  lfm_summary lost;
  double *right;
  LFM_TRY(retrain_floor(e));
  LFM_TRY(LFM_ALLOC_ROWS(&right, exam));
  lfm_status status = lfm_retrain(s->pictures, e->heldout.pictures, o->seed, o->threads, &e->meter, right, &r->retrained);
  if (status == LFM_OK) status = lfm_summary_paired(e->floor_right, right, NULL, exam, &lost);
  lfm_free(right);
  LFM_TRY(status);
  r->retrained_floor = e->floor_accuracy;
  r->retrained_lost = of_summary(&lost);
  return LFM_OK;
}

static lfm_status judge_set(lfm_eval *e, const lfm_eval_set *set, seen *s, lfm_eval_result *r) {
  begin_parts(e, 3 + (set->against != NULL));
  LFM_TRY(draw_and_see(e, set->pictures, e->rows, OF_SET, "generated pictures", s));
  if (set->samples) LFM_TRY(lfm_show_samples(s->pictures, set->samples));
  LFM_TRY(recognise(e, s, &r->recognised, set->by_class));
  LFM_TRY(end_part(e, 1));
  LFM_TRY(compare_laws(e, s, r));
  LFM_TRY(end_part(e, 2));
  LFM_TRY(look_for_copies(e, s, set->nearest, r));
  LFM_TRY(end_part(e, 3));
  if (set->against) LFM_TRY(compare_against(e, s, set->against, r));
  if (set->against) LFM_TRY(end_part(e, 4));
  return set->retrain ? retrain(e, s, r) : LFM_OK;
}

lfm_status lfm_eval_pictures(lfm_eval *e, const lfm_eval_set *set, lfm_eval_result *result) {
  lfm_eval_result unasked;
  if (!result) result = &unasked;
  const lfm_estimate none = {(double)NAN, (double)NAN, (double)NAN};
  seen s = {0};
  if (!set->pictures) return lfm_fail(LFM_E_USAGE, "generated pictures: none are given");
  LFM_TRY(check_set(&e->options, set));
  lfm_meter_begin(&e->meter, e->options.progress, e->options.context);
  *result = (lfm_eval_result){.rows = e->rows,
                              .train_rows = e->options.train->rows,
                              .heldout_rows = e->heldout.features.rows,
                              .manifold_rows = e->manifold_rows,
                              .heldout_recognised = e->recognised,
                              .against = none,
                              .difference = none,
                              .retrained_lost = none};
  lfm_status status = judge_set(e, set, &s, result);
  result->seconds = lfm_seconds() - e->meter.begun;
  release(&s);
  return status;
}
