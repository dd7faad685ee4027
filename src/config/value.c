/* SPDX-License-Identifier: MIT
 *
 * value.c -- one value: from text into its field of lfm_config, and back (keys.h).
 * The row of the table decides what is read, what is allowed and how the error line says it, so that YAML, --set and the
 * fallbacks cannot differ.  Numbers are read and written in the C locale whatever the program around us has chosen.
 * A count takes digits only: 1e3 for a thousand batches was refused, because 1.5e0 would then need a rule.
 */
#include "config/keys.h"

#include "core/plain.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM = 40 };

lfm_shown lfm_show(const char *text) {
  lfm_shown shown = {{0}};
  for (size_t i = 0; i < 48 && text[i]; i++) shown.text[i] = iscntrl((unsigned char)text[i]) ? '?' : text[i];
  if (strnlen(text, 49) > 48) memcpy(shown.text + 48, "...", 3);
  return shown;
}

/* ---- numbers ------------------------------------------------------------------------------------------------ */

/* Decimal, finite, nothing before or behind: strtod alone would also take hexadecimals, "inf" and "nan". */
static bool read_real(const char *text, double *out) {
  if (!*text || strspn(text, "0123456789+-.eE") != strlen(text)) return false;
  char *end;
  locale_t before = lfm_plain_begin();
  *out = strtod(text, &end);
  lfm_plain_end(before);
  return end != text && *end == 0 && isfinite(*out);
}

static bool read_count(const char *text, uint64_t *out) {
  if (!*text || strspn(text, "0123456789") != strlen(text)) return false;
  errno = 0;
  *out = strtoull(text, NULL, 10);
  return errno == 0;
}

static bool in_range(const lfm_key *key, double value) {
  bool low_enough = key->below ? value < key->high : value <= key->high;
  return low_enough && (key->above ? value > key->low : value >= key->low);
}

/* Any decimal of 15 digits survives being a double; others need 16 or 17.  "1e-05" becomes "1.0e-05": YAML 1.1 readers,
 * Python's among them, take the former for a string. */
static void write_real(double value, char out[32]) {
  locale_t before = lfm_plain_begin();
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(out, 32, "%.*g", digits, value);
    if (strtod(out, NULL) == value) break;
  }
  lfm_plain_end(before);
  char *exponent = strchr(out, 'e');
  if (exponent && !strchr(out, '.')) {
    memmove(exponent + 2, exponent, strlen(exponent) + 1);
    exponent[0] = '.';
    exponent[1] = '0';
  }
}

/* ---- fields ------------------------------------------------------------------------------------------------- */

static void *field_of(const lfm_key *key, lfm_config *config) { return (char *)config + key->offset; }
static const void *value_of(const lfm_key *key, const lfm_config *config) { return (const char *)config + key->offset; }

static void store_whole(const lfm_key *key, lfm_config *config, uint64_t value) {
  bool flag = value != 0;
  uint32_t word = (uint32_t)value;
  const void *from = key->size == sizeof flag ? (const void *)&flag : key->size == sizeof word ? (const void *)&word : &value;
  memcpy(field_of(key, config), from, key->size);
}

static uint64_t load_whole(const lfm_key *key, const lfm_config *config) {
  bool flag;
  uint32_t word;
  uint64_t value;
  const void *from = value_of(key, config);
  if (key->size == sizeof flag) return *(const bool *)from;
  if (key->size == sizeof word) return memcpy(&word, from, sizeof word), word;
  return memcpy(&value, from, sizeof value), value;
}

/* ---- words -------------------------------------------------------------------------------------------------- */

/* The number of `word` in "a|b|c", or -1. */
static int choice_number(const char *names, const char *word) {
  size_t length = strlen(word);
  for (int number = 0; *names; number++) {
    size_t this_length = strcspn(names, "|");
    if (this_length == length && length && memcmp(names, word, length) == 0) return number;
    names += this_length + (names[this_length] == '|');
  }
  return -1;
}

static void choice_name(const char *names, uint64_t number, char out[ITEM]) {
  for (; number; number--) names += strcspn(names, "|") + 1;
  snprintf(out, ITEM, "%.*s", (int)strcspn(names, "|"), names);
}

/* YAML 1.1's words for true and false, in the three spellings of its rule. */
static int flag_number(const char *word) {
  int yes = choice_number("true|True|TRUE|yes|Yes|YES|on|On|ON", word);
  int no = choice_number("false|False|FALSE|no|No|NO|off|Off|OFF", word);
  return yes >= 0 ? 1 : no >= 0 ? 0 : -1;
}

static bool is_null(const char *word) { return choice_number("null|Null|NULL|~", word) >= 0; }

/* softplus(20): the beta between the brackets. */
static bool read_softplus(const char *text, double *beta) {
  size_t length = strlen(text), head = strlen("softplus(");
  if (length <= head || strncmp(text, "softplus(", head) != 0 || text[length - 1] != ')') return false;
  char inside[ITEM];
  snprintf(inside, sizeof inside, "%.*s", (int)(length - head - 1), text + head);
  return read_real(inside, beta);
}

double lfm_key_act_beta(const char *act) {
  double beta;
  return read_softplus(act, &beta) ? beta : 1.0;
}

/* ---- lists -------------------------------------------------------------------------------------------------- */

struct list {
  int count;
  char items[LFM_MAX_BLOCKS][ITEM];
};

/* Copies text [length] without the spaces around it; false when it is empty or too long. */
static bool copy_trimmed(char out[ITEM], const char *text, size_t length) {
  while (length && isspace((unsigned char)*text)) text++, length--;
  while (length && isspace((unsigned char)text[length - 1])) length--;
  if (!length || length >= ITEM) return false;
  memcpy(out, text, length);
  out[length] = 0;
  return true;
}

/* "[a, b]" or "a, b" -> items. */
static bool read_list(const char *text, struct list *out) {
  size_t length = strlen(text);
  bool opened = *text == '[', closed = length && text[length - 1] == ']';
  if (opened != closed || (opened && length < 2)) return false;
  const char *end = text + length - closed;
  text += opened;
  for (out->count = 0; out->count < LFM_MAX_BLOCKS; text++) {
    const char *comma = memchr(text, ',', (size_t)(end - text));
    const char *stop = comma ? comma : end;
    if (!copy_trimmed(out->items[out->count++], text, (size_t)(stop - text))) return false;
    if (!comma) return true;
    text = comma;
  }
  return false;
}

/* ---- reading a value ---------------------------------------------------------------------------------------- */

/* count and of[] lie one behind the other in a list of any room (config.h). */
static int64_t room_of(const lfm_key *key) { return (int64_t)(key->size / sizeof(int64_t)) - 1; }

/* What the key takes, for the error line. */
static void describe(const lfm_key *key, char *out, size_t size) {
  char low[32], high[32], reals[128];
  write_real(key->low, low);
  write_real(key->high, high);
  snprintf(reals, sizeof reals, "%s %s and %s %s", key->above ? "over" : "at least", low, key->below ? "below" : "at most",
           high);
  switch (key->kind) {
  case LFM_KEY_COUNT:
    snprintf(out, size, "a whole number from %s to %s", low, high);
    break;
  case LFM_KEY_REAL:
    snprintf(out, size, "a number %s", reals);
    break;
  case LFM_KEY_FLAG:
    snprintf(out, size, "true or false");
    break;
  case LFM_KEY_CHOICE:
    snprintf(out, size, "one of %s", key->names);
    break;
  case LFM_KEY_ACT:
    snprintf(out, size, "one of %s, or softplus(beta) with beta %s", key->names, reals);
    break;
  case LFM_KEY_HKS:
    snprintf(out, size, "a list of 1 to %d numbers over 0 and below %d, of which the last may be null", LFM_MAX_BLOCKS,
             LFM_STEP_BELOW);
    break;
  case LFM_KEY_COUNTS:
    snprintf(out, size, "a whole number from %s to %s, or a list of 1 to %lld of them", low, high, (long long)room_of(key));
    break;
  }
}

static bool parse_number(const lfm_key *key, const char *text, lfm_config *config) {
  uint64_t whole = 0;
  double real = 0;
  if (key->kind == LFM_KEY_REAL) {
    if (!read_real(text, &real) || !in_range(key, real)) return false;
    memcpy(field_of(key, config), &real, sizeof real);
    return true;
  }
  if (!read_count(text, &whole) || !in_range(key, (double)whole) || whole > (uint64_t)key->high) return false;
  store_whole(key, config, whole);
  return true;
}

static bool parse_word(const lfm_key *key, const char *text, lfm_config *config) {
  int number = key->kind == LFM_KEY_FLAG ? flag_number(text) : choice_number(key->names, text);
  if (key->kind != LFM_KEY_ACT) {
    if (number >= 0) store_whole(key, config, (uint64_t)number);
    return number >= 0;
  }
  double beta;
  bool known = number >= 0 || (read_softplus(text, &beta) && in_range(key, beta));
  if (!known || strlen(text) >= key->size) return false;
  memset(config->act, 0, sizeof config->act); /* equal settings are equal bytes */
  memcpy(config->act, text, strlen(text));
  return true;
}

static bool parse_hks(const lfm_key *key, const struct list *list, lfm_config *config) {
  double hks[LFM_MAX_BLOCKS] = {0};
  for (int n = 0; n < list->count; n++) {
    bool is_free = is_null(list->items[n]);
    if (is_free && n + 1 < list->count) return false;
    if (is_free) hks[n] = NAN;
    else if (!read_real(list->items[n], &hks[n]) || !in_range(key, hks[n])) return false;
  }
  memcpy(config->hks, hks, sizeof hks);
  config->blocks = list->count;
  return true;
}

static bool parse_counts(const lfm_key *key, const struct list *list, lfm_config *config) {
  int64_t counts[1 + LFM_MAX_BLOCKS] = {list->count};
  if (list->count > room_of(key)) return false;
  for (int n = 0; n < list->count; n++) {
    uint64_t whole;
    if (!read_count(list->items[n], &whole) || !in_range(key, (double)whole)) return false;
    counts[1 + n] = (int64_t)whole;
  }
  memcpy(field_of(key, config), counts, key->size);
  return true;
}

/* Not yet known: 0, or NAN for a real. */
static void clear(const lfm_key *key, lfm_config *config) {
  const double unknown = NAN;
  memset(field_of(key, config), 0, key->size);
  if (key->kind == LFM_KEY_REAL) memcpy(field_of(key, config), &unknown, sizeof unknown);
  if (key->kind == LFM_KEY_HKS) config->blocks = 0;
}

lfm_status lfm_key_parse(const lfm_key *key, const char *text, const char *place, lfm_config *config) {
  if (strcmp(text, "auto") == 0) {
    if (strcmp(key->fallback, "auto") != 0) return lfm_key_parse(key, key->fallback, place, config);
    clear(key, config);
    return LFM_OK;
  }
  bool is_list = key->kind == LFM_KEY_HKS || key->kind == LFM_KEY_COUNTS;
  bool is_number = key->kind == LFM_KEY_COUNT || key->kind == LFM_KEY_REAL;
  bool taken;
  if (is_list) {
    struct list items;
    taken = read_list(text, &items);
    taken = taken && (key->kind == LFM_KEY_HKS ? parse_hks : parse_counts)(key, &items, config);
  } else {
    taken = (is_number ? parse_number : parse_word)(key, text, config);
  }
  if (taken) return LFM_OK;
  char allowed[256];
  describe(key, allowed, sizeof allowed);
  return lfm_fail(LFM_E_USAGE, "%s: %s: '%s' is not %s", place, key->name, lfm_show(text).text, allowed);
}

/* ---- writing a value ---------------------------------------------------------------------------------------- */

static void format_list(const lfm_key *key, const lfm_config *config, char out[LFM_KEY_TEXT]) {
  bool is_hks = key->kind == LFM_KEY_HKS;
  const int64_t *counts = value_of(key, config);
  int count = is_hks ? config->blocks : (int)counts[0];
  bool is_bare = !is_hks && count == 1; /* one number for all */
  size_t length = (size_t)snprintf(out, LFM_KEY_TEXT, "%s", is_bare ? "" : "[");
  for (int n = 0; n < count; n++) {
    char item[32];
    if (!is_hks) snprintf(item, sizeof item, "%lld", (long long)counts[1 + n]);
    else if (isnan(config->hks[n])) snprintf(item, sizeof item, "null");
    else write_real(config->hks[n], item);
    length += (size_t)snprintf(out + length, LFM_KEY_TEXT - length, "%s%s", n ? ", " : "", item);
  }
  if (!is_bare) snprintf(out + length, LFM_KEY_TEXT - length, "]");
}

/* A zero that nobody gave, or that cannot be given. */
static bool is_unknown(const lfm_key *key, const lfm_config *config) {
  int bit = (int)(key - lfm_keys);
  bool given = config->set[bit / 64] >> (bit % 64) & 1;
  return strcmp(key->fallback, "auto") == 0 && load_whole(key, config) == 0 && (!given || key->low > 0);
}

void lfm_key_format(const lfm_key *key, const lfm_config *config, char out[LFM_KEY_TEXT]) {
  snprintf(out, LFM_KEY_TEXT, "auto");
  double real;
  switch (key->kind) {
  case LFM_KEY_REAL:
    memcpy(&real, value_of(key, config), sizeof real);
    if (!isnan(real)) write_real(real, out);
    break;
  case LFM_KEY_COUNT:
    if (!is_unknown(key, config)) snprintf(out, LFM_KEY_TEXT, "%llu", (unsigned long long)load_whole(key, config));
    break;
  case LFM_KEY_FLAG:
  case LFM_KEY_CHOICE:
    if (!is_unknown(key, config)) choice_name(key->names, load_whole(key, config), out);
    break;
  case LFM_KEY_ACT:
    snprintf(out, LFM_KEY_TEXT, "%s", config->act);
    break;
  case LFM_KEY_HKS:
    if (config->blocks) format_list(key, config, out);
    break;
  case LFM_KEY_COUNTS:
    if (*(const int64_t *)value_of(key, config)) format_list(key, config, out);
    break;
  }
}
