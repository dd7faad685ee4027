/* SPDX-License-Identifier: MIT
 *
 * yaml.c -- YAML text -> (key, value as text, place), over libyaml's event reader (yaml.h).
 * Events rather than a document tree: the line of every key is at hand for the error, nothing is built that a hostile file
 * could blow up, and aliases, the tool of such files, are simply refused.  What the keys mean is config.c's affair.
 */
#include "config/yaml.h"

#include "core/alloc.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

enum { LARGEST = 1 << 16, NAME = 128, PLACE = 512 };

struct reader {
  yaml_parser_t parser;
  yaml_event_t event; /* the one at work */
  const char *file, *text;
  size_t size;
  lfm_yaml_fn fn;
  void *context;
  char place[PLACE];
  char *value; /* a list as text */
  size_t capacity;
};

static const char *place_at(struct reader *reader, size_t line) {
  snprintf(reader->place, sizeof reader->place, "%.400s:%zu", reader->file, line + 1);
  return reader->place;
}

/* A fault of the text at the event at work. */
static lfm_status fault(struct reader *reader, const char *what) {
  return lfm_fail(LFM_E_USAGE, "%s: %s", place_at(reader, reader->event.start_mark.line), what);
}

/* The line of what the parser complains of.  For bytes that are no text it gives their offset only. */
static size_t problem_line(const struct reader *reader) {
  if (reader->parser.error != YAML_READER_ERROR) return reader->parser.problem_mark.line;
  size_t line = 0;
  for (size_t i = 0; i < reader->parser.problem_offset && i < reader->size; i++) line += reader->text[i] == '\n';
  return line;
}

static lfm_status next(struct reader *reader) {
  yaml_event_delete(&reader->event);
  if (yaml_parser_parse(&reader->parser, &reader->event)) return LFM_OK;
  const yaml_parser_t *parser = &reader->parser;
  if (parser->error == YAML_MEMORY_ERROR) return lfm_fail(LFM_E_MEMORY, "%s: memory refused", reader->file);
  const char *problem = parser->problem ? parser->problem : "unreadable";
  return lfm_fail(LFM_E_USAGE, "%s: not YAML: %s", place_at(reader, problem_line(reader)), problem);
}

/* The scalar at work as a C string; NULL, with the error line set, when it is none. */
static const char *scalar(struct reader *reader) {
  const char *text = (const char *)reader->event.data.scalar.value;
  if (reader->event.type == YAML_ALIAS_EVENT) fault(reader, "aliases (*name) are not understood; write the value out");
  else if (reader->event.type != YAML_SCALAR_EVENT) fault(reader, "expected a single word or number here");
  else if (strlen(text) != reader->event.data.scalar.length) fault(reader, "a zero byte inside a value");
  else return text;
  return NULL;
}

/* [a, b] -> "[a, b]".  An item with a comma or bracket of its own would come out as two. */
static lfm_status read_sequence(struct reader *reader) {
  size_t length = 1;
  LFM_TRY(lfm_alloc_grow(&reader->value, &reader->capacity, 16, 1));
  reader->value[0] = '[';
  for (bool first = true;; first = false) {
    LFM_TRY(next(reader));
    if (reader->event.type == YAML_SEQUENCE_END_EVENT) break;
    const char *item = scalar(reader);
    if (!item) return LFM_E_USAGE;
    if (strpbrk(item, ",[]")) return fault(reader, "an item of a list is one word or number");
    size_t size = strlen(item);
    LFM_TRY(lfm_alloc_grow(&reader->value, &reader->capacity, length + size + 8, 1));
    if (!first) memcpy(reader->value + length, ", ", 2), length += 2;
    memcpy(reader->value + length, item, size);
    length += size;
  }
  memcpy(reader->value + length, "]", 2);
  return LFM_OK;
}

/* The pairs of one mapping, up to its end; prefix is "" or "schedule.". */
static lfm_status read_mapping(struct reader *reader, const char *prefix) {
  for (;;) {
    LFM_TRY(next(reader));
    if (reader->event.type == YAML_MAPPING_END_EVENT) return LFM_OK;
    const char *word = scalar(reader);
    if (!word) return LFM_E_USAGE;
    char name[NAME];
    snprintf(name, sizeof name, "%s%.*s", prefix, NAME / 2, word);
    size_t line = reader->event.start_mark.line;

    LFM_TRY(next(reader));
    if (reader->event.type == YAML_MAPPING_START_EVENT) {
      if (*prefix) return lfm_fail(LFM_E_USAGE, "%s: mappings nest one level deep at most", place_at(reader, line));
      LFM_TRY(reader->fn(reader->context, name, NULL, place_at(reader, line)));
      size_t length = strlen(name);
      snprintf(name + length, sizeof name - length, ".");
      LFM_TRY(read_mapping(reader, name));
      continue;
    }
    bool is_list = reader->event.type == YAML_SEQUENCE_START_EVENT;
    if (is_list) LFM_TRY(read_sequence(reader));
    const char *text = is_list ? reader->value : scalar(reader);
    if (!text) return LFM_E_USAGE;
    LFM_TRY(reader->fn(reader->context, name, text, place_at(reader, line)));
  }
}

static lfm_status read_stream(struct reader *reader) {
  LFM_TRY(next(reader)); /* the stream's start */
  LFM_TRY(next(reader));
  if (reader->event.type == YAML_STREAM_END_EVENT) return LFM_OK; /* nothing but comments */
  LFM_TRY(next(reader));                                          /* behind the document's start */
  bool is_empty = reader->event.type == YAML_SCALAR_EVENT && reader->event.data.scalar.length == 0;
  if (reader->event.type == YAML_MAPPING_START_EVENT) LFM_TRY(read_mapping(reader, ""));
  else if (!is_empty) return fault(reader, "expected lines of the form 'key: value'");
  LFM_TRY(next(reader)); /* the document's end */
  LFM_TRY(next(reader));
  if (reader->event.type != YAML_STREAM_END_EVENT) return fault(reader, "a second document; a configuration is one");
  return LFM_OK;
}

lfm_status lfm_yaml_read(const char *text, size_t size, const char *file, lfm_yaml_fn fn, void *context) {
  if (size > LARGEST)
    return lfm_fail(LFM_E_USAGE, "%.400s: %zu bytes are no configuration (at most %d)", file, size, LARGEST);
  struct reader reader = {.file = file, .text = size ? text : "", .size = size, .fn = fn, .context = context};
  if (!yaml_parser_initialize(&reader.parser)) return lfm_fail(LFM_E_MEMORY, "%.400s: memory refused", file);
  yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.text, size);
  lfm_status status = read_stream(&reader);
  yaml_event_delete(&reader.event);
  yaml_parser_delete(&reader.parser);
  lfm_free(reader.value);
  return status;
}
