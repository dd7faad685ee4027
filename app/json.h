/* SPDX-License-Identifier: MIT
 *
 * json.h -- writes one JSON object, a field a call.  Reading JSON is the library's business.
 */
#ifndef APP_JSON_H
#define APP_JSON_H

#include "lfm.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct app_json {
  FILE *out;
  int fields;
} app_json;

app_json app_json_open(FILE *out);
void app_json_text(app_json *json, const char *key, const char *value);
void app_json_whole(app_json *json, const char *key, int64_t value);
void app_json_real(app_json *json, const char *key, double value);                     /* not finite: null */
void app_json_reals(app_json *json, const char *key, const double *values, int count); /* a list of such */
void app_json_texts(app_json *json, const char *key, const char *const *values, int count);
void app_json_flag(app_json *json, const char *key, bool value);
void app_json_begin(app_json *json, const char *key); /* an object in it: its fields, then */
void app_json_end(app_json *json);
void app_json_share(app_json *json, const char *key, const lfm_share *share); /* an object; its share and interval */
void app_json_close(app_json *json);

#endif
