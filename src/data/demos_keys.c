/* SPDX-License-Identifier: MIT
 *
 * demos_keys.c -- which of the things that were observed make up an observation: --observations "object,robot0_eef_pos".
 * Their order is the list's, for it becomes the order of the network's inputs.  Without a list it is the one that policies of
 * this kind are trained on as published, so that figures compare; a source that has none of those gives all that it has.
 */
#include "data/demos_read.h"

#include "core/alloc.h"
#include "data/text.h"

#include <math.h>
#include <string.h>

lfm_status lfm_offer_add(lfm_offer *offer, const char *name, int64_t dim) {
  LFM_TRY(lfm_alloc_grow(&offer->dims, &offer->room, (size_t)offer->names.count + 1, sizeof *offer->dims));
  offer->dims[offer->names.count] = dim;
  return lfm_listing_add(&offer->names, name);
}

void lfm_offer_free(lfm_offer *offer) {
  lfm_listing_free(&offer->names);
  lfm_free(offer->dims);
  *offer = (lfm_offer){0};
}

static int64_t find(const lfm_offer *offer, const char *name, size_t length) {
  for (int64_t i = 0; i < offer->names.count; i++)
    if (strlen(offer->names.names[i]) == length && strncmp(offer->names.names[i], name, length) == 0) return i;
  return -1;
}

static bool is_among(const int64_t *chosen, int64_t count, int64_t i) {
  for (int64_t k = 0; k < count; k++)
    if (chosen[k] == i) return true;
  return false;
}

static lfm_status refuse(lfm_status code, const lfm_source *source, const lfm_offer *offer, const char *name, size_t length,
                         const char *what) {
  char quoted[LFM_QUOTE_MAX], list[400];
  return lfm_fail(code, "%s: %s %s; there are %s", source->name, what, lfm_quote(name, length, quoted),
                  lfm_quote_list(offer->names.names, offer->names.count, list, sizeof list));
}

/* The next name of a list without the blanks around it; false at its end.  "" has one name, the empty one. */
static bool next_name(const char **list, const char **name, size_t *length) {
  if (!*list) return false;
  *name = *list + strspn(*list, " ");
  *length = strcspn(*name, ",");
  *list = (*name)[*length] ? *name + *length + 1 : NULL;
  while (*length && (*name)[*length - 1] == ' ') --*length;
  return true;
}

bool lfm_offer_asks(const lfm_source *source, const char *usual, const char *name) {
  const char *list = source->options && source->options->observations ? source->options->observations : usual, *asked;
  size_t length;
  while (next_name(&list, &asked, &length))
    if (strlen(name) == length && strncmp(name, asked, length) == 0) return true;
  return false;
}

static lfm_status choose_listed(const lfm_source *source, const lfm_offer *offer, int64_t *chosen, int64_t *count) {
  const char *list = source->options->observations, *name;
  size_t length;
  while (next_name(&list, &name, &length)) {
    int64_t i = find(offer, name, length);
    if (i < 0) return refuse(LFM_E_USAGE, source, offer, name, length, "has no observation");
    if (!offer->dims[i]) return refuse(LFM_E_DATA, source, offer, name, length, "these are no numbers a step, in one row:");
    if (is_among(chosen, *count, i))
      return refuse(LFM_E_USAGE, source, offer, name, length, "an observation is named twice:");
    chosen[(*count)++] = i;
  }
  return LFM_OK;
}

static lfm_status choose_usual(const lfm_source *source, const lfm_offer *offer, const char *usual, int64_t *chosen,
                               int64_t *count) {
  const char *name;
  size_t length;
  while (next_name(&usual, &name, &length)) {
    int64_t i = find(offer, name, length);
    if (i >= 0 && offer->dims[i]) chosen[(*count)++] = i;
  }
  for (int64_t i = 0, any = *count; !any && i < offer->names.count; i++)
    if (offer->dims[i]) chosen[(*count)++] = i;
  if (*count) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s: has no observation that is numbers, one row a step%s%s", source->name,
                  offer->misfit[0] ? ": " : "", offer->misfit);
}

lfm_status lfm_offer_choose(const lfm_source *source, const lfm_offer *offer, const char *usual, int64_t **chosen,
                            int64_t *count, int64_t *dim) {
  bool listed = source->options && source->options->observations;
  *count = *dim = 0;
  LFM_TRY(LFM_ALLOC(chosen, offer->names.count));
  lfm_status status =
      listed ? choose_listed(source, offer, *chosen, count) : choose_usual(source, offer, usual, *chosen, count);
  for (int64_t k = 0; status == LFM_OK && k < *count; k++)
    if (__builtin_add_overflow(*dim, offer->dims[(*chosen)[k]], dim))
      status = lfm_fail(LFM_E_FORMAT, "%s: an observation claims too many numbers", source->name);
  if (status == LFM_OK) return status;
  lfm_free(*chosen);
  *chosen = NULL;
  return status;
}

lfm_status lfm_demos_name_keys(const lfm_offer *offer, const int64_t *chosen, int64_t count, lfm_demos *demos) {
  LFM_TRY(LFM_ALLOC(&demos->key, count));
  LFM_TRY(LFM_ALLOC(&demos->key_dim, count));
  for (; demos->keys < count; demos->keys++) { /* counts the names that lfm_demos_destroy has to free */
    LFM_TRY(lfm_alloc_text(&demos->key[demos->keys], offer->names.names[chosen[demos->keys]]));
    demos->key_dim[demos->keys] = offer->dims[chosen[demos->keys]];
  }
  for (int64_t i = 0; i < offer->names.count; i++)
    if (!is_among(chosen, count, i)) LFM_TRY(lfm_listing_add(&demos->others, offer->names.names[i]));
  return LFM_OK;
}

lfm_status lfm_demos_check_options(const lfm_source *source) {
  const lfm_table_options *options = source->options;
  if (!options || !(options->columns || options->drop || options->drop_missing)) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "%s: holds demonstrations, whose actions and steps cannot be chosen or dropped one by one",
                  source->name);
}

lfm_status lfm_demos_check_finite(const lfm_source *source, const char *path, const double *values, int64_t steps,
                                  int64_t cols, int64_t first, int64_t width) {
  for (int64_t step = 0; !source->survey && step < steps; step++)
    for (int64_t j = first; j < first + width; j++)
      if (!isfinite(values[step * cols + j]))
        return lfm_fail(LFM_E_DATA, "%s: %s: row %lld holds a value that is not finite; leave its episode out with a filter",
                        source->name, path, (long long)step + 1);
  return LFM_OK;
}
