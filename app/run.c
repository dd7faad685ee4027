/* SPDX-License-Identifier: MIT
 *
 * run.c -- see run.h.
 */
#include "run.h"

#include "text.h"

#include <string.h>

char *app_name_model(const char *run, char out[PATH_MAX]) {
  int length = (int)strlen(run);
  while (length > 1 && run[length - 1] == '/') length--;
  snprintf(out, PATH_MAX, "%.*s/model.safetensors", length, run);
  return out;
}

void app_print_again(int argc, char **argv, const char *with) {
  bool said = !with;
  fputs("to go on:", stderr);
  for (int i = 0; i < argc; i++) {
    if (!said && strcmp(argv[i], "--") == 0) {
      fprintf(stderr, " %s", with);
      said = true;
    }
    said = said || strcmp(argv[i], with) == 0;
    fputc(' ', stderr);
    app_print_quoted(stderr, argv[i]);
  }
  if (!said) fprintf(stderr, " %s", with);
  fputc('\n', stderr);
}
