/* SPDX-License-Identifier: MIT
 *
 * text.h -- small things said well: durations, rates, a mean with its error, wrapped paragraphs, the nearest name.
 */
#ifndef APP_TEXT_H
#define APP_TEXT_H

#include "lfm.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { APP_WIDTH = 80, APP_TEXT_SIZE = 48 };

bool app_speaks_utf8(void); /* the user's locale can show more than ASCII */

/* Each fills out [APP_TEXT_SIZE] and returns it. */
char *app_duration(char *out, double seconds);                  /* "3.2 s", "4:05", "2:04:05" */
char *app_amount(char *out, double amount);                     /* three digits and k, M, G: "12.3k" */
char *app_mean(char *out, double mean, double standard_error);  /* "-152.31 ± 0.12" */
void app_print_solver_error(double error, bool fixed_steps);    /* a line of score and ledger; NAN: not known */
char *app_like(char *out, double value, double standard_error); /* "-12.30": the decimals of a mean with this error */

/* "LABEL  3 of 4 THINGS: 75.0 % (95 % interval 30.1 to 95.4)", a line; things NULL: the label says what they are. */
void app_print_share(const char *label, const lfm_share *share, const char *things);

/* A paragraph in the making: words are put one after another and the line is broken before APP_WIDTH. */
typedef struct app_paragraph {
  FILE *out;
  int column; /* where the next character goes */
  int indent; /* where further lines begin */
  bool begun;
} app_paragraph;
void app_put_word(app_paragraph *paragraph, const char *word, size_t length); /* kept in one piece */
void app_put_words(app_paragraph *paragraph, const char *text);               /* broken at its spaces */

void app_print_quoted(FILE *out, const char *argument); /* as a POSIX shell reads it back */

bool app_ends_with(const char *path, const char *ending); /* in letters of either case */

/* The nearest of some names: start with {given, NULL, 0}, offer each name, read `best` (NULL: none is near). */
typedef struct app_nearest {
  const char *given, *best;
  size_t distance;
} app_nearest;
void app_nearest_offer(app_nearest *nearest, const char *name);

#endif
