/* SPDX-License-Identifier: MIT
 *
 * combinations.c -- the small grammar of --seeds and --over (combinations.h).
 * Another separator than the comma was refused: people write key=a,b first, and a list in brackets is one value to them.
 */
#include "combinations.h"
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- seeds ---- */

/* A whole number at *text, which moves behind it. */
static bool take_seed(const char **text, uint64_t *out) {
  char *end;
  if (!isdigit((unsigned char)**text)) return false; /* strtoull would take -1 and spaces */
  errno = 0;
  *out = strtoull(*text, &end, 10);
  *text = end;
  return errno == 0;
}

static bool has_seed(const app_combinations *c, uint64_t seed) {
  for (int i = 0; i < c->seed_count; i++)
    if (c->seeds[i] == seed) return true;
  return false;
}

static int add_seeds(const app_command *command, uint64_t first, uint64_t last, app_combinations *c) {
  if (last < first) return app_usage_error(command, "--seeds %" PRIu64 "..%" PRIu64 ": runs backwards", first, last);
  if (last - first >= (uint64_t)(APP_MOST_RUNS - c->seed_count))
    return app_usage_error(command, "--seeds: more than %d seeds", APP_MOST_RUNS);
  for (uint64_t i = 0; i <= last - first; i++) {
    if (has_seed(c, first + i)) return app_usage_error(command, "--seeds: %" PRIu64 " is there twice", first + i);
    c->seeds[c->seed_count++] = first + i;
  }
  return APP_DONE;
}

static int read_seeds(const app_command *command, const char *text, app_combinations *c) {
  for (const char *at = text;; at++) {
    uint64_t first = 0, last;
    bool understood = take_seed(&at, &first);
    last = first;
    if (understood && strncmp(at, "..", 2) == 0) {
      at += 2;
      understood = take_seed(&at, &last);
    }
    if (!understood || (*at && *at != ','))
      return app_usage_error(command, "--seeds '%s': not seeds like 1..3 or 1,2,5", text);
    int code = add_seeds(command, first, last, c);
    if (code != APP_DONE || !*at) return code;
  }
}

/* ---- values ---- */

/* The length of the value at TEXT: up to a comma outside brackets and quotes; -1 when one of them is never closed. */
static long value_length(const char *text) {
  int depth = 0;
  char quote = '\0';
  const char *at = text;
  for (; *at && (quote || depth > 0 || *at != ','); at++) {
    if (quote) quote = *at == quote ? '\0' : quote;
    else if (*at == '"' || *at == '\'') quote = *at;
    else if (strchr("[{(", *at)) depth++;
    else if (strchr("]})", *at) && --depth < 0) return -1;
  }
  return quote || depth > 0 ? -1 : at - text;
}

/* What is left of a setting in a name: [0.1, null] becomes 0.1_null. */
static void put_plain(const char *setting, char *out, size_t size) {
  size_t used = 0;
  for (const char *at = setting; *at && used + 1 < size; at++) {
    if (isalnum((unsigned char)*at) || strchr("=._+-", *at)) out[used++] = *at;
    else if (*at == ',' || *at == '/') out[used++] = '_';
  }
  out[used] = '\0';
}

/* 1e-3 and 0.001 would be two columns of one thing. */
static bool is_same_number(const char *a, const char *b) {
  char *end_a, *end_b;
  double x = strtod(a, &end_a), y = strtod(b, &end_b);
  bool are_numbers = end_a != a && end_b != b && end_a[strspn(end_a, " ")] == '\0' && end_b[strspn(end_b, " ")] == '\0';
  return are_numbers && x == y;
}

static int add_value(const app_command *command, const char *value, size_t length, app_axis *axis) {
  char plain[APP_NAME_SIZE], other[APP_NAME_SIZE];
  if (strspn(value, " ") >= length) return app_usage_error(command, "--over %s: a value is missing", axis->key);
  if (axis->count == APP_MOST_VALUES)
    return app_usage_error(command, "--over %s: more than %d values", axis->key, APP_MOST_VALUES);
  char *setting = NULL;
  if (asprintf(&setting, "%s=%.*s", axis->key, (int)length, value) < 0)
    return app_usage_error(command, "memory refused"), APP_FAILED;
  axis->settings[axis->count++] = setting;
  put_plain(setting, plain, sizeof plain);
  for (int i = 0; i + 1 < axis->count; i++) {
    put_plain(axis->settings[i], other, sizeof other);
    if (strcmp(plain, other) == 0)
      return app_usage_error(command, "--over: %s and %s would share the folder '%s'", axis->settings[i], setting, plain);
    if (is_same_number(axis->settings[i] + strlen(axis->key) + 1, setting + strlen(axis->key) + 1))
      return app_usage_error(command, "--over: %s and %s are the same", axis->settings[i], setting);
  }
  return APP_DONE;
}

static int read_values(const app_command *command, const char *text, app_axis *axis) {
  for (const char *at = text;; at++) {
    long length = value_length(at);
    if (length < 0) return app_usage_error(command, "--over %s=%s: a bracket or quote has no partner", axis->key, text);
    int code = add_value(command, at, (size_t)length, axis);
    at += length;
    if (code != APP_DONE || !*at) return code;
  }
}

/* Blanks around the key are none of it: --set takes "lr = 1e-3", too. */
static int read_axis(const app_command *command, const char *text, app_combinations *c) {
  const char *begin = text + strspn(text, " "), *equals = strchr(begin, '='), *end = equals ? equals : begin;
  while (end > begin && end[-1] == ' ') end--;
  if (end <= begin) return app_usage_error(command, "--over '%s': write key=a,b", text);
  if (c->axis_count == APP_MOST_AXES) return app_usage_error(command, "--over: more than %d keys", APP_MOST_AXES);
  app_axis *axis = &c->axes[c->axis_count++];
  axis->key = strndup(begin, (size_t)(end - begin));
  if (!axis->key) return app_usage_error(command, "memory refused"), APP_FAILED;
  if (strcmp(axis->key, "seed") == 0) return app_usage_error(command, "--over seed: use --seeds");
  for (int i = 0; i + 1 < c->axis_count; i++)
    if (strcmp(c->axes[i].key, axis->key) == 0)
      return app_usage_error(command, "--over %s: is there twice; write all values in one", axis->key);
  return read_values(command, equals + 1, axis);
}

/* ---- both ---- */

/* Room for ",seed=" and a number of twenty digits stays behind the name of a combination. */
static int check_names(const app_command *command, const app_combinations *c) {
  enum { LONGEST_SEED = 26 };
  char name[APP_NAME_SIZE];
  for (int k = 0; k < c->count; k++)
    if (strlen(app_combinations_name(c, k, name)) + LONGEST_SEED >= APP_NAME_SIZE)
      return app_usage_error(command, "--over: the values are too long for the name of a folder: %.60s...", name);
  return APP_DONE;
}

int app_combinations_read(const app_command *command, const app_texts *over, const char *seeds, app_combinations *out) {
  memset(out, 0, sizeof *out);
  out->count = 1;
  int code = read_seeds(command, seeds, out);
  for (int i = 0; code == APP_DONE && i < over->count; i++) {
    code = read_axis(command, over->items[i], out);
    if (code != APP_DONE) break;
    out->count *= out->axes[i].count;
    if (out->count * out->seed_count > APP_MOST_RUNS) code = app_usage_error(command, "more than %d runs", APP_MOST_RUNS);
  }
  return code == APP_DONE ? check_names(command, out) : code;
}

void app_combinations_free(app_combinations *combinations) {
  for (int i = 0; i < combinations->axis_count; i++) {
    for (int k = 0; k < combinations->axes[i].count; k++) free(combinations->axes[i].settings[k]);
    free(combinations->axes[i].key);
  }
}

const char *app_combinations_setting(const app_combinations *combinations, int k, int axis) {
  for (int i = combinations->axis_count - 1; i > axis; i--) k /= combinations->axes[i].count;
  return combinations->axes[axis].settings[k % combinations->axes[axis].count];
}

const char *app_combinations_value(const app_combinations *combinations, int k, int axis) {
  return app_combinations_setting(combinations, k, axis) + strlen(combinations->axes[axis].key) + 1;
}

char *app_combinations_name(const app_combinations *combinations, int k, char out[APP_NAME_SIZE]) {
  size_t used = 0;
  out[0] = '\0';
  for (int axis = 0; axis < combinations->axis_count && used + 1 < APP_NAME_SIZE; axis++) {
    if (axis > 0) out[used++] = ',';
    put_plain(app_combinations_setting(combinations, k, axis), out + used, APP_NAME_SIZE - used);
    used += strlen(out + used);
  }
  return out;
}
