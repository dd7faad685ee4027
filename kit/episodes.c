/* SPDX-License-Identifier: MIT
 *
 * episodes.c -- what the episodes of policies say about each other, where all began from the same starts (lfm rollout with
 * one seed): a start that is hard is hard for all, so differences are paired, start by start.  Several runs of a recipe are
 * one line: the mean over its runs at each start, so that an error is that of the starts; what the runs differ by stands
 * beside it.
 */
#include "core/alloc.h"
#include "kit/kit.h"
#include "metric/summary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_LINES = 48 };

typedef struct line {
  kit_names names;
  double run[KIT_MOST_RUNS]; /* successes, a share of each run's starts */
  double *success, *score;   /* [starts] in the mean over the runs */
} line;

typedef struct survey {
  const char *folder;
  int64_t starts;
  int count;
  line lines[MOST_LINES];
} survey;

static lfm_status add_run(survey *s, line *l, int run) {
  lfm_table *table;
  char file[224];
  snprintf(file, sizeof file, "%s.csv", l->names.name[run]);
  LFM_TRY(kit_read(s->folder, file, &table));
  int64_t success = lfm_table_find(table, "success"), score = lfm_table_find(table, "score");
  lfm_status status = LFM_OK;
  if (success < 0 || score < 0)
    status = lfm_fail(LFM_E_DATA, "%s/%s: has no column success or none of score", s->folder, file);
  else if (s->starts && table->rows != s->starts)
    status = lfm_fail(LFM_E_DATA, "%s/%s: has %lld episodes, and the first %lld", s->folder, file, (long long)table->rows,
                      (long long)s->starts);
  if (status == LFM_OK) s->starts = table->rows;
  if (status == LFM_OK && !l->success) status = LFM_ALLOC(&l->success, s->starts);
  if (status == LFM_OK && !l->score) status = LFM_ALLOC(&l->score, s->starts);
  for (int64_t i = 0; status == LFM_OK && i < s->starts; i++) {
    const double *row = table->values + i * table->cols;
    l->run[run] += row[success] / (double)s->starts;
    l->success[i] += row[success] / l->names.count;
    l->score[i] += row[score] / l->names.count;
  }
  lfm_table_destroy(table);
  return status;
}

static lfm_status add_line(survey *s, const char *text) {
  line *l = &s->lines[s->count++];
  LFM_TRY(kit_split_names(text, &l->names));
  for (int run = 0; run < l->names.count; run++) LFM_TRY(add_run(s, l, run));
  return LFM_OK;
}

static lfm_status print_difference(const survey *s, const double *a, const double *b, double unit, int digits) {
  lfm_summary paired;
  LFM_TRY(lfm_summary_paired(a, b, NULL, s->starts, &paired));
  printf(" %+.*f (%.*f to %.*f) |", digits, unit * paired.mean, digits, unit * paired.low, digits, unit * paired.high);
  return LFM_OK;
}

/* The interval of a share is Wilson's of so many starts, however many runs there are: they began from the same ones. */
static lfm_status print_line(const survey *s, const line *l) {
  const line *first = &s->lines[0];
  lfm_summary success, score;
  LFM_TRY(lfm_summary_mean(l->success, NULL, s->starts, &success));
  LFM_TRY(lfm_summary_mean(l->score, NULL, s->starts, &score));
  lfm_share share = lfm_summary_share(llround(success.mean * (double)s->starts), s->starts);
  printf("| %s | %.1f (%.1f to %.1f) |", l->names.label, 100 * success.mean, 100 * share.low, 100 * share.high);
  for (int run = 0; run < l->names.count; run++) printf("%s%.1f", run ? " / " : " ", 100 * l->run[run]);
  printf(" |");
  if (l == first) printf(" |");
  else LFM_TRY(print_difference(s, l->success, first->success, 100, 1));
  printf(" %.3f ± %.3f |", score.mean, score.se);
  if (l == first) printf(" |");
  else LFM_TRY(print_difference(s, l->score, first->score, 1, 3));
  printf("\n");
  return LFM_OK;
}

static lfm_status print(const survey *s) {
  printf("| %lld starts | success, %% (95 %%) | each run | minus %s, paired (95 %%) | score | minus that, paired |\n",
         (long long)s->starts, s->lines[0].names.label);
  printf("|---|---|---|---|---|---|\n");
  for (int k = 0; k < s->count; k++) LFM_TRY(print_line(s, &s->lines[k]));
  return LFM_OK;
}

lfm_status kit_episodes(const char *folder, char **names, int count) {
  survey s = {.folder = folder};
  lfm_status status = LFM_OK;
  if (count > MOST_LINES) return lfm_fail(LFM_E_USAGE, "episodes: more than %d lines", MOST_LINES);
  for (int k = 0; status == LFM_OK && k < count; k++) status = add_line(&s, names[k]);
  if (status == LFM_OK) status = print(&s);
  for (int k = 0; k < s.count; k++) {
    lfm_free(s.lines[k].success);
    lfm_free(s.lines[k].score);
  }
  return status;
}
