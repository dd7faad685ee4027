/* SPDX-License-Identifier: MIT
 *
 * main.c -- kit ACT ARGUMENTS: one line an act; kit.h says what each does.
 */
#include "kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "kit magic TABLE.csv.gz FOLDER      kit power maf|whole TABLE FOLDER\n"
    "kit tree|gaussian|mixture FOLDER      kit picture FILE.png FOLDER\n"
    "kit truth tree|gaussian|mixture|FILE.png FOLDER                          kit rivals FOLDER [--rows N]\n"
    "kit rivals TRAIN TEST FOLDER --components K [--iterations N] [--fit-rows N] [--rows N]\n"
    "kit compare FOLDER [LABEL=]NAME[,NAME]... [--group TABLE] [--md]\n"
    "kit quality TEST REAL FOLDER [LABEL=]NAME[,NAME]... [--rows N]\n"
    "kit episodes FOLDER [LABEL=]NAME[,NAME]...\n"
    "kit gap FOLDER NAME                kit tell-apart FOLDER NAME\n"
    "kit panel FOLDER NAME...           kit pairs FOLDER NAME                 kit curves TABLE FILE.png TITLE\n";

static void print_note(lfm_note_level level, const char *text, void *context) {
  (void)context;
  fprintf(stderr, "%s: %s\n", level == LFM_WARNING ? "warning" : "note", text);
}

/* Takes NAME and the word behind it out of the line; NULL where it is not there. */
static const char *take_option(int *count, char **words, const char *name) {
  for (int k = 0; k + 1 < *count; k++) {
    if (strcmp(words[k], name) != 0) continue;
    const char *value = words[k + 1];
    *count -= 2;
    memmove(words + k, words + k + 2, (size_t)(*count - k) * sizeof *words);
    return value;
  }
  return NULL;
}

static bool take_flag(int *count, char **words, const char *name) {
  for (int k = 0; k < *count; k++) {
    if (strcmp(words[k], name) != 0) continue;
    --*count;
    memmove(words + k, words + k + 1, (size_t)(*count - k) * sizeof *words);
    return true;
  }
  return false;
}

/* Whole numbers of a handful of digits; 0 is what no number gives. */
static int64_t take_count(int *count, char **words, const char *name, int64_t otherwise) {
  const char *text = take_option(count, words, name);
  return text ? strtoll(text, NULL, 10) : otherwise;
}

static lfm_status compare(int count, char **words) {
  const char *group = take_option(&count, words, "--group");
  bool markdown = take_flag(&count, words, "--md");
  return count > 2 ? kit_compare(words[1], group, markdown, words + 2, count - 2)
                   : lfm_fail(LFM_E_USAGE, "what is asked for is none of these:");
}

static lfm_status rivals(int count, char **words) {
  kit_large large = {.components = take_count(&count, words, "--components", 0),
                     .iterations = take_count(&count, words, "--iterations", 100),
                     .fit_rows = take_count(&count, words, "--fit-rows", 0),
                     .rows = take_count(&count, words, "--rows", 0)};
  if (count == 2) return kit_rivals(words[1], large.rows);
  if (count != 4) return lfm_fail(LFM_E_USAGE, "what is asked for is none of these:");
  large.train = words[1];
  large.test = words[2];
  return kit_rivals_large(&large, words[3]);
}

static lfm_status quality(int count, char **words) {
  kit_samples samples = {.rows = take_count(&count, words, "--rows", 0)};
  if (count < 5) return lfm_fail(LFM_E_USAGE, "what is asked for is none of these:");
  samples.test = words[1], samples.real = words[2], samples.folder = words[3];
  return kit_quality(&samples, words + 4, count - 4);
}

static lfm_status act(int count, char **words) {
  const char *name = count > 0 ? words[0] : "";
  if (strcmp(name, "magic") == 0 && count == 3) return kit_make_magic(words[1], words[2]);
  if (strcmp(name, "power") == 0 && count == 4) return kit_make_power(words[1], words[2], words[3]);
  if (strcmp(name, "tree") == 0 && count == 2) return kit_make_tree(words[1]);
  if (strcmp(name, "gaussian") == 0 && count == 2) return kit_make_gaussian(words[1]);
  if (strcmp(name, "mixture") == 0 && count == 2) return kit_make_mixture(words[1]);
  if (strcmp(name, "picture") == 0 && count == 3) return kit_make_picture(words[1], words[2]);
  if (strcmp(name, "truth") == 0 && count == 3) return kit_truth(words[1], words[2]);
  if (strcmp(name, "rivals") == 0) return rivals(count, words);
  if (strcmp(name, "compare") == 0) return compare(count, words);
  if (strcmp(name, "quality") == 0) return quality(count, words);
  if (strcmp(name, "episodes") == 0 && count > 2) return kit_episodes(words[1], words + 2, count - 2);
  if (strcmp(name, "gap") == 0 && count == 3) return kit_gap(words[1], words[2]);
  if (strcmp(name, "tell-apart") == 0 && count == 3) return kit_tell_apart(words[1], words[2]);
  if (strcmp(name, "panel") == 0 && count > 2) return kit_panel(words[1], words + 2, count - 2);
  if (strcmp(name, "pairs") == 0 && count == 3) return kit_pairs(words[1], words[2]);
  if (strcmp(name, "curves") == 0 && count == 4) return kit_curves(words[1], words[2], words[3]);
  return lfm_fail(LFM_E_USAGE, "what is asked for is none of these:");
}

int main(int count, char **words) {
  lfm_notes_to(print_note, NULL);
  lfm_status status = act(count - 1, words + 1);
  if (status != LFM_OK) fprintf(stderr, "kit: %s\n", lfm_error());
  if (status == LFM_E_USAGE) fputs(usage, stderr);
  return status == LFM_OK ? 0 : status == LFM_E_USAGE ? 2 : 1;
}
