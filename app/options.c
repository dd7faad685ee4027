/* SPDX-License-Identifier: MIT
 *
 * options.c -- the command line by table: one walk over argv, one small reader a kind of value, one printer of help.
 * getopt_long was refused: it knows neither ranges nor nearest names, accepts any unambiguous beginning of an option (so that
 * a new option can break an old script) and leaves the help text to be kept in step by hand.
 */
#include "options.h"
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_TERM = 26, LONGEST_SPELLING = 64 };

/* ---- help ---- */

/* "-o RUN" for the usage line, "-o, --out RUN" for the list. */
static void spell(const app_option *option, bool brief, char out[LONGEST_SPELLING]) {
  char letter[8] = "";
  if (option->letter) snprintf(letter, sizeof letter, brief ? "-%c" : "-%c, ", option->letter);
  else if (!brief) snprintf(letter, sizeof letter, "    ");
  bool with_name = !brief || !option->letter;
  if (option->kind == APP_OPERAND) snprintf(out, LONGEST_SPELLING, "%s", option->name);
  else
    snprintf(out, LONGEST_SPELLING, "%s%s%s%s%s", letter, with_name ? "--" : "", with_name ? option->name : "",
             option->value ? " " : "", option->value ? option->value : "");
}

/* One piece of the usage line; alternatives stand side by side in the table and become one piece. */
static const app_option *put_usage_piece(app_paragraph *usage, const app_option *option) {
  char piece[4 * LONGEST_SPELLING] = "", spelling[LONGEST_SPELLING];
  bool optional = !option->required && option->kind != APP_OPERAND;
  const char *repeated = option->kind == APP_TEXTS ? "..." : "";
  spell(option, true, spelling);
  size_t used = (size_t)snprintf(piece, sizeof piece, "%s%s", optional ? "[" : "", spelling);
  for (; option->either > 0 && option[1].either == option->either; option++) {
    spell(option + 1, true, spelling);
    used += (size_t)snprintf(piece + used, sizeof piece - used, " | %s", spelling);
  }
  used += (size_t)snprintf(piece + used, sizeof piece - used, "%s%s", optional ? "]" : "", repeated);
  app_put_word(usage, piece, used);
  return option + 1;
}

static void print_usage_line(const app_command *command, const app_option *options, FILE *out) {
  int column = fprintf(out, "usage: lfm %s", command->name);
  app_paragraph usage = {.out = out, .column = column, .indent = column + 1, .begun = true};
  for (const app_option *option = options; option->kind != APP_END;) option = put_usage_piece(&usage, option);
  fputs("\n\n", out);
}

static void print_option(const app_option *option, int width, FILE *out) {
  char spelling[LONGEST_SPELLING];
  spell(option, false, spelling);
  int column = fprintf(out, "  %-*s  ", width, spelling);
  if (column > width + 4) column = fprintf(out, "\n%*s", width + 4, "") - 1;
  app_paragraph help = {.out = out, .column = column, .indent = width + 4};
  app_put_words(&help, option->help);
  for (const char *const *word = option->words; word && *word; word++) app_put_words(&help, *word);
  fputc('\n', out);
}

static void print_help(const app_command *command, const app_option *options, FILE *out) {
  static const app_option help = {APP_FLAG, .name = "help", .help = "print this and exit"};
  char spelling[LONGEST_SPELLING];
  int width = 0;
  for (const app_option *option = options; option->kind != APP_END; option++) {
    spell(option, false, spelling);
    int length = (int)strlen(spelling);
    if (length > width && length <= LONGEST_TERM) width = length;
  }
  print_usage_line(command, options, out);
  app_paragraph about = {.out = out};
  app_put_words(&about, command->about);
  fprintf(out, "\n\n%s\n", command->example);
  for (const app_option *option = options; option->kind != APP_END; option++) print_option(option, width, out);
  print_option(&help, width, out);
  if (command->more_help) command->more_help(out);
}

/* ---- values ---- */

/* One of over 9e15, where not each has a double, is the largest there is: out of every option's range. */
static bool read_whole(const char *text, int64_t *out) {
  char *end;
  errno = 0;
  long long whole = strtoll(text, &end, 10);
  if (end != text && *end == '\0' && errno == 0) {
    *out = whole;
    return true;
  }
  errno = 0;
  double real = strtod(text, &end); /* 1e6 is a whole number too */
  bool is_small = fabs(real) < 9e15;
  *out = is_small ? (int64_t)real : real > 0 ? INT64_MAX : INT64_MIN;
  return end != text && *end == '\0' && errno == 0 && !isnan(real) && (!is_small || (double)*out == real);
}

static bool read_real(const char *text, double *out) {
  char *end;
  errno = 0;
  *out = strtod(text, &end);
  return end != text && *end == '\0' && errno == 0 && isfinite(*out);
}

static bool read_seed(const char *text, uint64_t *out) {
  if (*text == '\0' || text[strspn(text, "0123456789")] != '\0') return false; /* strtoull would take -1 */
  errno = 0;
  *out = strtoull(text, NULL, 10);
  return errno == 0;
}

/* A sum of numbers with units.  A bare number is refused: people mean minutes and programs mean seconds. */
static bool read_time(const char *text, double *out) {
  *out = 0;
  do {
    char *end;
    if ((*text < '0' || *text > '9') && *text != '.') return false; /* strtod would take -1, nan and spaces */
    double amount = strtod(text, &end);
    double unit = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : NAN;
    if (end == text || !isfinite(amount * unit)) return false;
    *out += amount * unit;
    text = end + 1;
  } while (*text);
  return true;
}

/* Powers of 1024, as sort -S has them.  A bare number is refused: people mean megabytes and programs mean bytes. */
static bool read_size(const char *text, double *out) {
  static const char units[] = "KMGT";
  char *end;
  if ((*text < '0' || *text > '9') && *text != '.') return false;
  *out = strtod(text, &end);
  const char *unit = *end ? strchr(units, *end) : NULL;
  for (long k = 0; unit && k <= unit - units; k++) *out *= 1024;
  return end != text && unit && end[1] == '\0' && isfinite(*out);
}

static const char *wanted_number(app_kind kind) {
  if (kind == APP_COUNT) return "a whole number";
  if (kind == APP_TIME) return "a time like 90s, 10m or 2h";
  return kind == APP_SIZE ? "a size like 500M or 4G" : "a number";
}

static int refuse_range(const app_command *command, const app_option *option, const char *text) {
  if (option->kind == APP_TIME)
    return app_usage_error(command, "--%s %s: must be from %gs to %gd", option->name, text, option->low,
                           option->high / 86400);
  if (option->kind == APP_SIZE)
    return app_usage_error(command, "--%s %s: must be from %gK to %gT", option->name, text, option->low / 0x1p10,
                           option->high / 0x1p40);
  return app_usage_error(command, "--%s %s: must be from %.12g to %.12g", option->name, text, option->low, option->high);
}

static int store_word(const app_command *command, const app_option *option, const char *text) {
  app_nearest nearest = {.given = text};
  for (const char *const *word = option->words; *word; word++) {
    if (strcmp(*word, text) == 0) {
      *(const char **)option->target = *word;
      return APP_DONE;
    }
    app_nearest_offer(&nearest, *word);
  }
  if (nearest.best) return app_usage_error(command, "--%s %s: unknown; did you mean %s?", option->name, text, nearest.best);
  return app_usage_error(command, "--%s %s: unknown; see lfm %s --help", option->name, text, command->name);
}

static int store_text(const app_command *command, const app_option *option, const char *text) {
  char spelling[LONGEST_SPELLING];
  spell(option, true, spelling);
  if (*text == '\0') return app_usage_error(command, "%s is empty", spelling);
  if (option->kind != APP_TEXTS) {
    *(const char **)option->target = text;
    return APP_DONE;
  }
  app_texts *texts = option->target;
  if (texts->count == APP_MOST_TEXTS)
    return app_usage_error(command, "--%s may be given %d times at most", option->name, APP_MOST_TEXTS);
  texts->items[texts->count++] = text;
  return APP_DONE;
}

static int store_number(const app_command *command, const app_option *option, const char *text) {
  int64_t whole = 0;
  double real = 0;
  bool is_count = option->kind == APP_COUNT;
  bool understood = is_count                   ? read_whole(text, &whole)
                    : option->kind == APP_TIME ? read_time(text, &real)
                    : option->kind == APP_SIZE ? read_size(text, &real)
                                               : read_real(text, &real);
  if (!understood) return app_usage_error(command, "--%s '%s': not %s", option->name, text, wanted_number(option->kind));
  if (is_count) real = (double)whole;
  if (real < option->low || real > option->high) return refuse_range(command, option, text);
  if (is_count) *(int64_t *)option->target = whole;
  else if (option->kind == APP_SIZE) *(int64_t *)option->target = (int64_t)real;
  else *(double *)option->target = real;
  return APP_DONE;
}

static int store(const app_command *command, const app_option *option, const char *text) {
  switch (option->kind) {
  case APP_OPERAND:
  case APP_TEXT:
  case APP_TEXTS:
    return store_text(command, option, text);
  case APP_WORD:
    return store_word(command, option, text);
  case APP_COUNT:
  case APP_REAL:
  case APP_TIME:
  case APP_SIZE:
    return store_number(command, option, text);
  case APP_SEED: {
    app_seed *seed = option->target;
    seed->given = read_seed(text, &seed->value) && !(option->high > 0 && seed->value > (uint64_t)option->high);
    return seed->given ? APP_DONE
                       : app_usage_error(command, "--%s '%s': not a whole number from 0 to %s", option->name, text,
                                         option->high > 0 ? "2^53" : "2^64 - 1");
  }
  case APP_FLAG:
  case APP_END:
    break;
  }
  *(bool *)option->target = true;
  return APP_DONE;
}

/* ---- the walk ---- */

typedef struct walk {
  const app_command *command;
  const app_option *options;
  int argc, at; /* argv[at] is the next word */
  char **argv;
  bool options_ended, help;
  const app_option *next_operand;
  uint64_t seen; /* bit k: options[k] was given */
} walk;

static const app_option *find_operand(const app_option *option) {
  while (option->kind != APP_END && option->kind != APP_OPERAND) option++;
  return option;
}

static int take_operand(walk *w, const char *word) {
  const app_option *operand = find_operand(w->next_operand);
  if (operand->kind == APP_END)
    return app_usage_error(w->command, "'%s' is one argument too many; see lfm %s --help", word, w->command->name);
  w->next_operand = operand + 1;
  w->seen |= UINT64_C(1) << (operand - w->options);
  return store(w->command, operand, word);
}

/* The option that WORD names, and the value glued to it ("--tol=1e-6", "-n100"), NULL when there is none. */
static const app_option *find_option(const walk *w, const char *word, const char **glued) {
  bool is_long = word[1] == '-';
  size_t length = strcspn(word + 2, "=");
  for (const app_option *option = w->options; option->kind != APP_END; option++) {
    if (option->kind == APP_OPERAND) continue;
    bool matches =
        is_long ? strlen(option->name) == length && strncmp(option->name, word + 2, length) == 0 : option->letter == word[1];
    if (!matches) continue;
    if (is_long) *glued = word[2 + length] == '=' ? word + 3 + length : NULL;
    else *glued = word[2] ? word + 2 : NULL;
    return option;
  }
  return NULL;
}

static int refuse_option(const walk *w, const char *word) {
  char given[LONGEST_SPELLING];
  snprintf(given, sizeof given, "%.*s", (int)strcspn(word + 1 + (word[1] == '-'), "="), word + 1 + (word[1] == '-'));
  app_nearest nearest = {.given = given};
  for (const app_option *option = w->options; option->kind != APP_END; option++) {
    if (option->kind != APP_OPERAND) app_nearest_offer(&nearest, option->name);
  }
  app_nearest_offer(&nearest, "help");
  int shown = (int)strcspn(word, "=");
  if (nearest.best) return app_usage_error(w->command, "unknown option %.*s; did you mean --%s?", shown, word, nearest.best);
  return app_usage_error(w->command, "unknown option %.*s; see lfm %s --help", shown, word, w->command->name);
}

static int take_option(walk *w, const char *word) {
  const char *value = NULL;
  const app_option *option = find_option(w, word, &value);
  if (!option) return refuse_option(w, word);
  w->seen |= UINT64_C(1) << (option - w->options);
  if (option->kind == APP_FLAG) {
    if (value) return app_usage_error(w->command, "--%s takes no value", option->name);
    return store(w->command, option, "");
  }
  bool next_is_value = w->at < w->argc && strncmp(w->argv[w->at], "--", 2) != 0;
  if (!value && next_is_value) value = w->argv[w->at++];
  if (!value) return app_usage_error(w->command, "--%s needs a value: --%s %s", option->name, option->name, option->value);
  return store(w->command, option, value);
}

/* Was an option given that excludes this operand? */
static bool has_alternative(const walk *w, const app_option *operand) {
  for (const app_option *option = w->options; option->kind != APP_END; option++)
    if (operand->either && option->either == operand->either && w->seen >> (option - w->options) & 1) return true;
  return false;
}

static bool is_given(const walk *w, const char *name) {
  for (const app_option *option = w->options; option->kind != APP_END; option++)
    if (strcmp(option->name, name) == 0) return w->seen >> (option - w->options) & 1;
  return false;
}

static int check_whole_line(const walk *w) {
  const app_option *first_of[8] = {0};
  for (const app_option *option = w->options; option->kind != APP_END; option++) {
    bool given = w->seen >> (option - w->options) & 1;
    char spelling[LONGEST_SPELLING];
    spell(option, true, spelling);
    if (!given && option->missing) return app_usage_error(w->command, "%s is missing; %s", spelling, option->missing);
    if (!given && (option->required || option->kind == APP_OPERAND) && !has_alternative(w, option))
      return app_usage_error(w->command, "%s is missing; see lfm %s --help", spelling, w->command->name);
    if (given && option->needs && !is_given(w, option->needs))
      return app_usage_error(w->command, "--%s has no effect without --%s", option->name, option->needs);
    if (!given || option->either == 0) continue;
    const app_option **first = &first_of[option->either];
    if (*first)
      return app_usage_error(w->command, "%s%s and --%s exclude each other", (*first)->kind == APP_OPERAND ? "" : "--",
                             (*first)->name, option->name);
    *first = option;
  }
  return APP_DONE;
}

bool app_parse(const app_command *command, const app_option *options, int argc, char **argv, int *code) {
  walk w = {.command = command, .options = options, .argc = argc, .at = 2, .argv = argv, .next_operand = options};
  for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) { /* help is given whatever else is wrong */
    if (strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-h") != 0) continue;
    print_help(command, options, stdout);
    *code = APP_DONE;
    return false;
  }
  while (w.at < argc) {
    const char *word = argv[w.at++];
    if (!w.options_ended && strcmp(word, "--") == 0) {
      w.options_ended = true;
      continue;
    }
    bool is_option = !w.options_ended && word[0] == '-' && word[1] != '\0';
    *code = is_option ? take_option(&w, word) : take_operand(&w, word);
    if (*code != APP_DONE) return false;
  }
  *code = check_whole_line(&w);
  return *code == APP_DONE;
}
