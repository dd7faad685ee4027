/* SPDX-License-Identifier: MIT
 *
 * facts.c -- a jansson tree with two faces.
 * JSON as jansson writes it; text as "name  value" lines, lists as one indented line an item.
 */
#include "store/facts.h"

#include "core/alloc.h"
#include "core/file.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lfm_facts {
  json_t *root, *item; /* item: where facts go while a list item is open, borrowed */
  bool failed;
  char path[256]; /* of a read one, for errors */
};

lfm_status lfm_facts_create(lfm_facts **out) {
  LFM_TRY(LFM_ALLOC(out, 1));
  (*out)->root = json_object();
  if ((*out)->root) return LFM_OK;
  lfm_free(*out);
  *out = NULL;
  return lfm_fail(LFM_E_MEMORY, "memory refused for a description");
}

void lfm_facts_destroy(lfm_facts *facts) {
  if (!facts) return;
  json_decref(facts->root);
  lfm_free(facts);
}

static void put(lfm_facts *facts, const char *name, json_t *value) {
  json_t *target = facts->item ? facts->item : facts->root;
  if (json_object_set_new(target, name, value) != 0) facts->failed = true;
}

void lfm_facts_number(lfm_facts *facts, const char *name, double value) {
  bool is_whole = value == floor(value) && fabs(value) < 9e15;
  put(facts, name, !isfinite(value) ? json_null() : is_whole ? json_integer((json_int_t)value) : json_real(value));
}

/* Names from hostile files may not be UTF-8; JSON can only hold text that is. */
void lfm_facts_text(lfm_facts *facts, const char *name, const char *value) {
  json_t *text = json_string(value);
  put(facts, name, text ? text : json_string("(not UTF-8)"));
}

void lfm_facts_item(lfm_facts *facts, const char *name) {
  json_t *list = json_object_get(facts->root, name);
  if (!list) {
    put(facts, name, json_array());
    list = json_object_get(facts->root, name);
  }
  json_t *item = json_object();
  if (json_array_append_new(list, item) == 0) facts->item = item;
  else facts->failed = true;
}

void lfm_facts_end(lfm_facts *facts) { facts->item = NULL; }

/* ---- as lines ----------------------------------------------------------------------------------------------- */

typedef struct text {
  char *at;
  size_t length, capacity;
  bool failed;
} text;

__attribute__((format(printf, 2, 3))) static void print(text *t, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0 || lfm_alloc_grow(&t->at, &t->capacity, t->length + (size_t)length + 1, 1) != LFM_OK) t->failed = true;
  else t->length += (size_t)vsnprintf(t->at + t->length, (size_t)length + 1, format, again);
  va_end(again);
}

/* Names from hostile files may hold anything. */
static void print_tamed(text *t, const char *words, size_t length) {
  size_t from = t->length;
  print(t, "%.*s", (int)length, words);
  if (!t->failed) lfm_line_tame(t->at + from);
}

static void print_value(text *t, const json_t *value) {
  if (json_is_string(value)) print_tamed(t, json_string_value(value), json_string_length(value));
  else if (json_is_integer(value)) print(t, "%lld", (long long)json_integer_value(value));
  else if (json_is_real(value)) print(t, "%.10g", json_real_value(value));
  else print(t, "-");
}

static bool has_lines(const json_t *value) { return json_is_string(value) && strchr(json_string_value(value), '\n'); }

/* A text of several lines (a configuration) is indented under its name. */
static void print_lines(text *t, const char *name, const char *lines) {
  print(t, "%s\n", name);
  while (*lines) {
    size_t length = strcspn(lines, "\n");
    print(t, "  ");
    print_tamed(t, lines, length);
    print(t, "\n");
    lines += length + (lines[length] == '\n');
  }
}

static void print_list(text *t, const char *name, json_t *list) {
  size_t index;
  json_t *item, *value;
  const char *key;
  print(t, "%s\n", name);
  json_array_foreach(list, index, item) {
    bool first = true;
    json_object_foreach(item, key, value) {
      print(t, first ? "  " : "  %s ", key);
      print_value(t, value);
      first = false;
    }
    print(t, "\n");
  }
}

static void print_object(text *t, json_t *object) {
  const char *key;
  json_t *value;
  json_object_foreach(object, key, value) {
    if (json_is_array(value)) print_list(t, key, value);
    else if (has_lines(value)) print_lines(t, key, json_string_value(value));
    else {
      print(t, "%-14s ", key);
      print_value(t, value);
      print(t, "\n");
    }
  }
}

lfm_status lfm_facts_render(const lfm_facts *facts, bool json, char **out) {
  *out = NULL;
  text t = {.failed = facts->failed};
  if (json) {
    char *dumped = json_dumps(facts->root, JSON_INDENT(2));
    if (dumped) print(&t, "%s\n", dumped);
    else t.failed = true;
    free(dumped);
  } else print_object(&t, facts->root);
  if (!t.failed && t.at) {
    *out = t.at;
    return LFM_OK;
  }
  lfm_free(t.at);
  return lfm_fail(LFM_E_MEMORY, "memory refused for a description");
}

/* ---- files -------------------------------------------------------------------------------------------------- */

lfm_status lfm_facts_write(const lfm_facts *facts, const char *path) {
  char *rendered;
  LFM_TRY(lfm_facts_render(facts, true, &rendered));
  lfm_status status = lfm_file_write(path, rendered, strlen(rendered));
  lfm_free(rendered);
  return status;
}

lfm_status lfm_facts_read(const char *path, lfm_facts **out) {
  uint8_t *bytes;
  size_t size;
  json_error_t fault;
  *out = NULL;
  LFM_TRY(lfm_file_read(path, &bytes, &size));
  json_t *root = json_loadb((const char *)bytes, size, 0, &fault);
  lfm_free(bytes);
  lfm_status status = json_is_object(root) ? LFM_ALLOC(out, 1) : lfm_fail(LFM_E_FORMAT, "%s: is not a JSON object", path);
  if (status != LFM_OK) return json_decref(root), status;
  (*out)->root = root;
  snprintf((*out)->path, sizeof(*out)->path, "%s", path);
  return LFM_OK;
}

lfm_status lfm_facts_get(const lfm_facts *facts, const char *name, double *value) {
  const json_t *item = json_object_get(facts->root, name);
  if (!json_is_number(item) && !json_is_null(item))
    return lfm_fail(LFM_E_FORMAT, "%s: '%s' is missing or not a number", facts->path, name);
  *value = json_is_number(item) ? json_number_value(item) : (double)NAN;
  return LFM_OK;
}
