/* SPDX-License-Identifier: MIT
 *
 * json.c -- the result of a verb as one object on one line (RFC 8259).
 * Numbers get the fewest digits that read back as the same double, so that 0.1 is 0.1 and nothing is lost.  NAN, which JSON
 * cannot say, is null: "there is none".  Text comes from the user (paths) and may be any bytes: what is not UTF-8 becomes
 * U+FFFD, so that the object is always one that a parser accepts.
 */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* The length of the UTF-8 sequence at text, 0 if it is none (overlong, surrogate, beyond U+10FFFF, cut off). */
static int sequence_length(const unsigned char *text) {
  int length = text[0] < 0x80 ? 1 : text[0] >= 0xC2 && text[0] < 0xE0 ? 2 : (text[0] & 0xF0) == 0xE0 ? 3 : 0;
  if (text[0] >= 0xF0 && text[0] <= 0xF4) length = 4;
  for (int i = 1; i < length; i++) {
    if ((text[i] & 0xC0) != 0x80) return 0;
  }
  bool overlong = (text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xF0 && text[1] < 0x90);
  bool surrogate = text[0] == 0xED && text[1] > 0x9F;
  bool beyond = text[0] == 0xF4 && text[1] > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

static void put_text(FILE *out, const char *text) {
  fputc('"', out);
  for (const unsigned char *at = (const unsigned char *)text; *at;) {
    int length = sequence_length(at);
    if (length == 0) fputs("\\ufffd", out);
    else if (*at == '"' || *at == '\\') fprintf(out, "\\%c", *at);
    else if (*at < 0x20) fprintf(out, "\\u%04x", *at);
    else fwrite(at, 1, (size_t)length, out);
    at += length > 0 ? length : 1;
  }
  fputc('"', out);
}

static void put_key(app_json *json, const char *key) {
  if (json->fields++ > 0) fputs(", ", json->out);
  put_text(json->out, key);
  fputs(": ", json->out);
}

app_json app_json_open(FILE *out) {
  fputc('{', out);
  return (app_json){.out = out};
}

void app_json_text(app_json *json, const char *key, const char *value) {
  put_key(json, key);
  put_text(json->out, value);
}

void app_json_whole(app_json *json, const char *key, int64_t value) {
  put_key(json, key);
  fprintf(json->out, "%" PRId64, value);
}

static void put_real(FILE *out, double value) {
  if (!isfinite(value)) {
    fputs("null", out);
    return;
  }
  char text[32];
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  fputs(text, out);
}

void app_json_real(app_json *json, const char *key, double value) {
  put_key(json, key);
  put_real(json->out, value);
}

void app_json_reals(app_json *json, const char *key, const double *values, int count) {
  put_key(json, key);
  fputc('[', json->out);
  for (int i = 0; i < count; i++) {
    if (i > 0) fputs(", ", json->out);
    put_real(json->out, values[i]);
  }
  fputc(']', json->out);
}

void app_json_texts(app_json *json, const char *key, const char *const *values, int count) {
  put_key(json, key);
  fputc('[', json->out);
  for (int i = 0; i < count; i++) {
    if (i > 0) fputs(", ", json->out);
    put_text(json->out, values[i]);
  }
  fputc(']', json->out);
}

void app_json_flag(app_json *json, const char *key, bool value) {
  put_key(json, key);
  fputs(value ? "true" : "false", json->out);
}

void app_json_begin(app_json *json, const char *key) {
  put_key(json, key);
  fputc('{', json->out);
  json->fields = 0;
}

void app_json_end(app_json *json) {
  fputc('}', json->out);
  json->fields = 1;
}

void app_json_share(app_json *json, const char *key, const lfm_share *share) {
  app_json_begin(json, key);
  app_json_whole(json, "of", share->of);
  app_json_whole(json, "in", share->count);
  app_json_real(json, "share", share->of ? share->share : (double)NAN);
  app_json_real(json, "low", share->of ? share->low : (double)NAN);
  app_json_real(json, "high", share->of ? share->high : (double)NAN);
  app_json_end(json);
}

void app_json_close(app_json *json) { fputs("}\n", json->out); }
