/* SPDX-License-Identifier: MIT
 *
 * keys.h -- the table of keys, and how one value goes from text into lfm_config and back.
 * A value is always text, a list being "[a, b]" or "a, b": YAML, --set and the resolved file then share one reader.
 */
#ifndef LFM_CONFIG_KEYS_H
#define LFM_CONFIG_KEYS_H

#include "config/config.h"

typedef enum lfm_key_kind {
  LFM_KEY_COUNT,  /* a whole number, 0 or more */
  LFM_KEY_REAL,   /* a finite number */
  LFM_KEY_FLAG,   /* true|false */
  LFM_KEY_CHOICE, /* one of `names` */
  LFM_KEY_ACT,    /* one of `names`, or softplus(beta) */
  LFM_KEY_HKS,    /* list of numbers, null at most last */
  LFM_KEY_COUNTS, /* one whole number or a list of them: an lfm_counts */
} lfm_key_kind;

typedef struct lfm_key {
  const char *name;
  lfm_key_kind kind;
  size_t offset, size;  /* of the field in lfm_config */
  double low, high;     /* allowed values; low itself is not where `above` */
  bool above, below;    /* low, high are excluded */
  const char *names;    /* CHOICE, ACT: "linear|trig", numbered from 0 */
  const char *fallback; /* as text; "auto": follows the data */
  const char *help;
} lfm_key;

extern const lfm_key lfm_keys[]; /* ends with a NULL name */

int lfm_key_find(const char *name);            /* -1 when unknown */
const char *lfm_key_nearest(const char *name); /* NULL when none is near */

/* How many letters of `given` are missing, extra, wrong or swapped beside `name`; an end left off counts as one,
 * where three letters or more are given.  The first 63 letters of each are looked at. */
int lfm_name_distance(const char *given, const char *name);

/* The value of one key from text, "auto" being its fallback.  LFM_E_USAGE: "PLACE: key: 'text' is not ...; what is". */
lfm_status lfm_key_parse(const lfm_key *key, const char *text, const char *place, lfm_config *config);

enum { LFM_KEY_TEXT = 32 * LFM_MAX_BLOCKS };
/* The value as text that lfm_key_parse reads back, "auto" where it is still to come from the data. */
void lfm_key_format(const lfm_key *key, const lfm_config *config, char out[LFM_KEY_TEXT]);

/* The beta of "softplus(20)"; 1 where none is given. */
double lfm_key_act_beta(const char *act);

/* At most 48 letters of text fit for an error line: control characters become '?'. */
typedef struct lfm_shown {
  char text[52];
} lfm_shown;
lfm_shown lfm_show(const char *text);

#endif
