/* SPDX-License-Identifier: MIT
 *
 * text.c -- numbers and words for people; json.c is for machines.
 * A mean is printed with as many decimals as its standard error supports (two digits of it): more would be noise, fewer
 * would hide what was paid for.  Names are compared by the edit distance that counts a swap of neighbours as one slip
 * (optimal string alignment), because that is how people mistype.
 */
#include "text.h"

#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <string.h>
#include <strings.h>

bool app_ends_with(const char *path, const char *ending) {
  size_t length = strlen(path), tail = strlen(ending);
  return length > tail && strcasecmp(path + length - tail, ending) == 0;
}

bool app_speaks_utf8(void) { return strcmp(nl_langinfo(CODESET), "UTF-8") == 0; }

char *app_duration(char *out, double seconds) {
  if (!(seconds >= 0 && seconds < 1e9)) {
    snprintf(out, APP_TEXT_SIZE, "?");
  } else if (seconds < 59.95) {
    snprintf(out, APP_TEXT_SIZE, "%.1f s", seconds);
  } else {
    long whole = lround(seconds);
    if (whole < 3600) snprintf(out, APP_TEXT_SIZE, "%ld:%02ld", whole / 60, whole % 60);
    else snprintf(out, APP_TEXT_SIZE, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return out;
}

char *app_amount(char *out, double amount) {
  static const char *const units[] = {"", "k", "M", "G", "T", "P", "E"};
  size_t unit = 0;
  double shown = fabs(amount);
  for (; shown >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++) shown /= 1000;
  int decimals = shown < 9.995 ? 2 : shown < 99.95 ? 1 : 0;
  if (unit == 0 && amount == floor(amount)) decimals = 0;
  snprintf(out, APP_TEXT_SIZE, "%.*f%s", decimals, copysign(shown, amount), units[unit]);
  return out;
}

static int decimals_for(double error) {
  if (!isfinite(error) || error <= 0) return 4;
  double decimals = 1 - floor(log10(error));
  return decimals < 0 ? 0 : decimals > 9 ? 9 : (int)decimals;
}

/* Beyond these digits a number in full would not fit, nor be read. */
static bool is_vast(double value) { return fabs(value) >= 1e12; }

char *app_like(char *out, double value, double standard_error) {
  if (is_vast(value)) snprintf(out, APP_TEXT_SIZE, "%.4g", value);
  else snprintf(out, APP_TEXT_SIZE, "%.*f", decimals_for(standard_error), value);
  return out;
}

char *app_mean(char *out, double mean, double standard_error) {
  if (!isfinite(standard_error)) return app_like(out, mean, standard_error);
  int decimals = decimals_for(standard_error);
  const char *sign = app_speaks_utf8() ? "\u00b1" : "+-";
  if (is_vast(mean) || is_vast(standard_error)) snprintf(out, APP_TEXT_SIZE, "%.4g %s %.2g", mean, sign, standard_error);
  else snprintf(out, APP_TEXT_SIZE, "%.*f %s %.*f", decimals, mean, sign, decimals, standard_error);
  return out;
}

void app_print_solver_error(double error, bool fixed_steps) {
  const char *finer = fixed_steps ? "under error control" : "at a tenth of the tolerance";
  if (isfinite(error)) printf("solver error   %.2g nats: how far log p moves %s\n", error, finer);
  else if (fixed_steps) printf("solver error   not known of so few rows and steps; without --nfe it is controlled\n");
}

void app_put_word(app_paragraph *paragraph, const char *word, size_t length) {
  bool fits = paragraph->column + 1 + (int)length < APP_WIDTH;
  if (paragraph->begun && fits) paragraph->column += fprintf(paragraph->out, " ");
  else if (paragraph->begun) paragraph->column = fprintf(paragraph->out, "\n%*s", paragraph->indent, "") - 1;
  paragraph->column += fprintf(paragraph->out, "%.*s", (int)length, word);
  paragraph->begun = true;
}

void app_put_words(app_paragraph *paragraph, const char *text) {
  for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
    size_t length = strcspn(text, " ");
    app_put_word(paragraph, text, length);
    text += length;
  }
}

void app_print_quoted(FILE *out, const char *argument) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,@%+-";
  if (*argument && argument[strspn(argument, plain)] == '\0') {
    fputs(argument, out);
    return;
  }
  fputc('\'', out);
  for (; *argument; argument++) {
    if (*argument == '\'') fputs("'\\''", out);
    else fputc(*argument, out);
  }
  fputc('\'', out);
}

enum { LONGEST_NAME = 64 };

/* d[i][j]: slips between the first i letters of a and the first j of b; three rows of it are enough. */
static size_t edit_distance(const char *a, const char *b) {
  size_t m = strlen(a), n = strlen(b);
  if (m > LONGEST_NAME || n > LONGEST_NAME) return SIZE_MAX;
  size_t rows[3][LONGEST_NAME + 1] = {0};
  size_t *before = rows[0], *last = rows[1], *now = rows[2];
  for (size_t j = 0; j <= n; j++) last[j] = j;
  for (size_t i = 1; i <= m; i++) {
    now[0] = i;
    for (size_t j = 1; j <= n; j++) {
      size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
      if (last[j] + 1 < best) best = last[j] + 1;
      if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && before[j - 2] + 1 < best) best = before[j - 2] + 1;
      now[j] = best;
    }
    size_t *spare = before;
    before = last;
    last = now;
    now = spare;
  }
  return last[n];
}

void app_nearest_offer(app_nearest *nearest, const char *name) {
  size_t distance = edit_distance(nearest->given, name), length = strlen(nearest->given);
  bool begins = length >= 3 && strncmp(nearest->given, name, length) == 0; /* --sol is --solver, not --tol */
  if (begins) distance = 0;
  bool near = distance <= (length < 4 ? 1 : length / 2);
  if (near && (!nearest->best || distance < nearest->distance)) {
    nearest->best = name;
    nearest->distance = distance;
  }
}

void app_print_share(const char *label, const lfm_share *share, const char *things) {
  printf("%-13s %" PRId64 " of %" PRId64 "%s%s: %.1f %% (95 %% interval %.1f to %.1f)\n", label, share->count, share->of,
         things ? " " : "", things ? things : "", 100 * share->share, 100 * share->low, 100 * share->high);
}
