/* SPDX-License-Identifier: MIT
 *
 * main.c -- kit ACT ARGUMENTS: one line an act; kit.h says what each does.
 */
#include "kit/kit.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "kit magic TABLE.csv.gz FOLDER      kit power maf|whole TABLE FOLDER\n"
    "kit tree|gaussian|mixture FOLDER      kit picture FILE.png FOLDER\n"
    "kit truth tree|gaussian|mixture|FILE.png FOLDER                          kit rivals FOLDER\n"
    "kit compare FOLDER NAME...         kit gap FOLDER NAME                   kit tell-apart FOLDER NAME\n"
    "kit panel FOLDER NAME...           kit pairs FOLDER NAME\n";

static void print_note(lfm_note_level level, const char *text, void *context) {
  (void)context;
  fprintf(stderr, "%s: %s\n", level == LFM_WARNING ? "warning" : "note", text);
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
  if (strcmp(name, "rivals") == 0 && count == 2) return kit_rivals(words[1]);
  if (strcmp(name, "compare") == 0 && count > 2) return kit_compare(words[1], words + 2, count - 2);
  if (strcmp(name, "gap") == 0 && count == 3) return kit_gap(words[1], words[2]);
  if (strcmp(name, "tell-apart") == 0 && count == 3) return kit_tell_apart(words[1], words[2]);
  if (strcmp(name, "panel") == 0 && count > 2) return kit_panel(words[1], words + 2, count - 2);
  if (strcmp(name, "pairs") == 0 && count == 3) return kit_pairs(words[1], words[2]);
  return lfm_fail(LFM_E_USAGE, "%s", usage);
}

int main(int count, char **words) {
  lfm_notes_to(print_note, NULL);
  lfm_status status = act(count - 1, words + 1);
  if (status != LFM_OK) fprintf(stderr, "kit: %s\n", status == LFM_E_USAGE ? usage : lfm_error());
  return status == LFM_OK ? 0 : status == LFM_E_USAGE ? 2 : 1;
}
