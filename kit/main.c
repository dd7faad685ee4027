/* SPDX-License-Identifier: MIT
 *
 * main.c -- kit ACT ARGUMENTS: one line an act; `kit --help` and kit.h say what each does.
 */
#include "kit/kit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char manual[] = "usage: kit ACT ...\n\n"
                             "data: train.csv, valid.csv and test.csv in FOLDER\n"
                             "  magic TABLE.csv.gz FOLDER          the MAGIC telescope's table, made ready\n"
                             "  power maf|whole TABLE FOLDER       household power, with noise by either recipe\n"
                             "  tree FOLDER                        our tree, a density in two dimensions\n"
                             "  gaussian FOLDER, mixture FOLDER    densities of closed form\n"
                             "  picture FILE.png FOLDER            a picture as a density\n\n"
                             "log p of test.csv\n"
                             "  truth tree|gaussian|mixture|FILE.png FOLDER\n"
                             "                                     under what it was drawn from: truth.csv\n"
                             "  rivals FOLDER [--rows N]           under a Gaussian and a mixture of up to 40;\n"
                             "                                     N: of so many rows, evenly spaced\n"
                             "  rivals TRAIN TEST FOLDER --components K [--iterations N] [--fit-rows N] [--rows N]\n"
                             "                                     the same of large tables, with K components\n\n"
                             "comparisons; [LABEL=]NAME,... are the runs of one line: NAME.csv, NAME-samples.csv\n"
                             "  compare FOLDER [LABEL=]NAME[,NAME]... [--group TABLE] [--md]\n"
                             "                                     NLLs, paired with the first\n"
                             "  quality TEST REAL FOLDER [LABEL=]NAME[,NAME]... [--rows N]\n"
                             "                                     samples beside real rows, in parts of N\n"
                             "  episodes FOLDER [LABEL=]NAME[,NAME]...\n"
                             "                                     successes and scores of lfm rollout -o\n"
                             "  gap FOLDER NAME                    how far log p is from truth.csv\n"
                             "  tell-apart FOLDER NAME             can a classifier tell samples from test.csv?\n\n"
                             "pictures\n"
                             "  panel FOLDER NAME...               a density, its data and its models: panel.png\n"
                             "  pairs FOLDER NAME                  samples under real rows: pairs.png\n"
                             "  curves TABLE FILE.png TITLE        columns of a table over its first\n";

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

/* *out stays where the option is not there. */
static lfm_status take_count(int *count, char **words, const char *name, int64_t *out) {
  const char *text = take_option(count, words, name);
  char *end;
  if (!text) return LFM_OK;
  long long value = strtoll(text, &end, 10);
  if (end == text || *end || value < 1 || value > INT_MAX)
    return lfm_fail(LFM_E_USAGE, "%s '%s': not a whole number from 1 to %d", name, text, INT_MAX);
  *out = value;
  return LFM_OK;
}

/* To be asked once an act has taken its options. */
static lfm_status check_words(int count, char **words, bool enough) {
  for (int k = 1; k < count; k++)
    if (strncmp(words[k], "--", 2) == 0)
      return lfm_fail(LFM_E_USAGE, "%s: %s is no option of it, or its value is missing; see kit --help", words[0], words[k]);
  return enough ? LFM_OK : lfm_fail(LFM_E_USAGE, "%s: too many or too few words; see kit --help", words[0]);
}

static lfm_status compare(int count, char **words) {
  const char *group = take_option(&count, words, "--group");
  bool markdown = take_flag(&count, words, "--md");
  LFM_TRY(check_words(count, words, count > 2));
  return kit_compare(words[1], group, markdown, words + 2, count - 2);
}

static lfm_status rivals(int count, char **words) {
  kit_large large = {0};
  LFM_TRY(take_count(&count, words, "--components", &large.components));
  LFM_TRY(take_count(&count, words, "--iterations", &large.iterations));
  LFM_TRY(take_count(&count, words, "--fit-rows", &large.fit_rows));
  LFM_TRY(take_count(&count, words, "--rows", &large.rows));
  LFM_TRY(check_words(count, words, count == 2 || count == 4));
  bool is_large = large.components || large.iterations || large.fit_rows;
  if (count == 2 && is_large)
    return lfm_fail(LFM_E_USAGE, "rivals: --components, --iterations and --fit-rows are of TRAIN TEST FOLDER");
  if (count == 2) return kit_rivals(words[1], large.rows);
  if (!large.components) return lfm_fail(LFM_E_USAGE, "rivals: of TRAIN TEST FOLDER --components K is missing");
  if (!large.iterations) large.iterations = 100;
  large.train = words[1];
  large.test = words[2];
  return kit_rivals_large(&large, words[3]);
}

static lfm_status quality(int count, char **words) {
  kit_samples samples = {0};
  LFM_TRY(take_count(&count, words, "--rows", &samples.rows));
  LFM_TRY(check_words(count, words, count > 4));
  samples.test = words[1], samples.real = words[2], samples.folder = words[3];
  return kit_quality(&samples, words + 4, count - 4);
}

static lfm_status act(int count, char **words) {
  const char *name = words[0];
  if (strcmp(name, "rivals") == 0) return rivals(count, words);
  if (strcmp(name, "compare") == 0) return compare(count, words);
  if (strcmp(name, "quality") == 0) return quality(count, words);
  LFM_TRY(check_words(count, words, true));
  if (strcmp(name, "magic") == 0 && count == 3) return kit_make_magic(words[1], words[2]);
  if (strcmp(name, "power") == 0 && count == 4) return kit_make_power(words[1], words[2], words[3]);
  if (strcmp(name, "tree") == 0 && count == 2) return kit_make_tree(words[1]);
  if (strcmp(name, "gaussian") == 0 && count == 2) return kit_make_gaussian(words[1]);
  if (strcmp(name, "mixture") == 0 && count == 2) return kit_make_mixture(words[1]);
  if (strcmp(name, "picture") == 0 && count == 3) return kit_make_picture(words[1], words[2]);
  if (strcmp(name, "truth") == 0 && count == 3) return kit_truth(words[1], words[2]);
  if (strcmp(name, "episodes") == 0 && count > 2) return kit_episodes(words[1], words + 2, count - 2);
  if (strcmp(name, "gap") == 0 && count == 3) return kit_gap(words[1], words[2]);
  if (strcmp(name, "tell-apart") == 0 && count == 3) return kit_tell_apart(words[1], words[2]);
  if (strcmp(name, "panel") == 0 && count > 2) return kit_panel(words[1], words + 2, count - 2);
  if (strcmp(name, "pairs") == 0 && count == 3) return kit_pairs(words[1], words[2]);
  if (strcmp(name, "curves") == 0 && count == 4) return kit_curves(words[1], words[2], words[3]);
  return lfm_fail(LFM_E_USAGE, "%s: no such act, or not with so many words; see kit --help", name);
}

static int run(int count, char **words) {
  bool wants_help = count > 1 && (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0);
  if (wants_help || count < 2) {
    fputs(manual, wants_help ? stdout : stderr);
    return wants_help ? 0 : 2;
  }
  lfm_notes_to(print_note, NULL);
  lfm_status status = act(count - 1, words + 1);
  if (status != LFM_OK) fprintf(stderr, "kit: %s\n", lfm_error());
  return status == LFM_OK ? 0 : status == LFM_E_USAGE ? 2 : 1;
}

/* A table that nobody received is a failure: the stream is looked at once, at its close. */
int main(int count, char **words) {
  int code = run(count, words);
  bool lost = ferror(stdout) != 0;
  if ((fclose(stdout) != 0 || lost) && code == 0) {
    fprintf(stderr, "kit: cannot write to standard output: %s\n", strerror(errno));
    code = 1;
  }
  return code;
}
