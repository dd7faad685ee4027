/* SPDX-License-Identifier: MIT
 *
 * images_folder.c -- a folder of PNG and JPEG files, or of a folder of them for each class.
 *
 * Two passes: the first looks at every file for its size and colours, because the set is allocated once and is in RGB when
 * any picture is; the second decodes each into its place.  Both run on all threads, a task a file, and a file's place is
 * that of its name in the sorted list, so that no byte depends on the threads or on the file system.
 * What cannot be read is left out at the end, and named: of a million pictures a few are always broken, and training for
 * hours to learn so is worse than going on.  A reader that must not lose any asks for `strict`.
 */
#include "core/file.h"
#include "core/order.h"
#include "core/threads.h"
#include "data/decode.h"
#include "data/images_format.h"
#include "data/runs.h"
#include "data/text.h"

#include "core/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 600 };

typedef struct entry {
  char *name; /* below the folder: "cat.png", "cats/1.png" */
  char *fault;
  int32_t label;
  lfm_decoded shape;
} entry;

typedef struct search {
  const char *folder;
  lfm_images_options options;
  entry *entries;
  int64_t count, classes;
  char **class_names;
  size_t entries_room, classes_room;
  lfm_images *images;
} search;

/* ---- finding -------------------------------------------------------------------------------------------------- */

static bool is_picture(const char *name) {
  return lfm_path_ends_with(name, ".png") || lfm_path_ends_with(name, ".jpg") || lfm_path_ends_with(name, ".jpeg");
}

/* A picture to whoever put it there, of a kind that is not read. */
static bool is_other_picture(const char *name) {
  static const char *const endings[] = {".webp", ".gif",  ".bmp",  ".tif",  ".tiff", ".ppm",
                                        ".pgm",  ".avif", ".heic", ".jfif", ".jp2"};
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
    if (lfm_path_ends_with(name, endings[i])) return true;
  return false;
}

static int64_t count_pictures(const lfm_listing *listing) {
  int64_t count = 0;
  for (int64_t i = 0; i < listing->count; i++) count += is_picture(listing->names[i]);
  return count;
}

/* Its own, that is: the curves of a run are nobody's data. */
static bool has_own_pictures(const lfm_listing *inside) { return count_pictures(inside) > 0 && !lfm_runs_is_inside(inside); }

lfm_status lfm_folder_has_pictures(const char *folder, const lfm_listing *listing, bool *found) {
  lfm_listing inside;
  *found = has_own_pictures(listing);
  for (int64_t i = 0; i < listing->count && !*found; i++) {
    lfm_status status = lfm_listing_inside(folder, listing->names[i], &inside);
    if (status == LFM_E_MEMORY) return status;
    if (status != LFM_OK) continue;
    *found = has_own_pictures(&inside);
    lfm_listing_free(&inside);
  }
  return LFM_OK;
}

/* Beside pictures that are read. */
static lfm_status warn_of_others(const search *s, const char *class_name, const lfm_listing *listing) {
  char path[LFM_PATH_SIZE];
  const char *first = NULL;
  int64_t count = 0;
  for (int64_t i = 0; i < listing->count; i++)
    if (is_other_picture(listing->names[i]) && count++ == 0) first = listing->names[i];
  if (count == 0) return LFM_OK;
  LFM_TRY(lfm_path_join(path, sizeof path, s->folder, class_name));
  lfm_note(LFM_WARNING, "%s: %lld pictures are passed over ('%s', ...): .png, .jpg and .jpeg are read", path,
           (long long)count, first);
  return LFM_OK;
}

static lfm_status add_entries(search *s, const char *class_name, const lfm_listing *listing) {
  char name[LFM_PATH_SIZE];
  for (int64_t i = 0; i < listing->count; i++) {
    if (!is_picture(listing->names[i])) continue;
    LFM_TRY(lfm_path_join(name, sizeof name, class_name, listing->names[i]));
    LFM_TRY(lfm_alloc_grow_rows(&s->entries, &s->entries_room, (size_t)s->count + 1, sizeof *s->entries));
    s->entries[s->count].label = (int32_t)s->classes;
    LFM_TRY(lfm_alloc_text(&s->entries[s->count].name, name));
    s->count++;
  }
  return count_pictures(listing) > 0 ? warn_of_others(s, class_name, listing) : LFM_OK;
}

static lfm_status add_class(search *s, const char *name, const lfm_listing *inside) {
  LFM_TRY(add_entries(s, name, inside));
  LFM_TRY(lfm_alloc_grow(&s->class_names, &s->classes_room, (size_t)s->classes + 1, sizeof *s->class_names));
  LFM_TRY(lfm_alloc_text(&s->class_names[s->classes], name));
  s->classes++;
  return LFM_OK;
}

/* A class whose pictures lie in folders of its own, or are of another kind, would be missing, and nobody would know. */
static lfm_status warn_of_missing(const search *s, const char *name, const lfm_listing *inside) {
  char path[LFM_PATH_SIZE];
  bool found;
  if (inside->count == 0) return LFM_OK;
  LFM_TRY(lfm_path_join(path, sizeof path, s->folder, name));
  LFM_TRY(lfm_folder_has_pictures(path, inside, &found));
  if (lfm_runs_is_inside(inside)) lfm_note(LFM_WARNING, "%s: is a run folder, whose pictures are passed over", path);
  else if (found)
    lfm_note(LFM_WARNING, "%s: has pictures in its folders alone, which are passed over; move them up into it", path);
  else lfm_note(LFM_WARNING, "%s: has no .png, .jpg or .jpeg in it ('%s', ...) and is passed over", path, inside->names[0]);
  return LFM_OK;
}

static lfm_status look_inside(search *s, const char *name) {
  lfm_listing inside;
  LFM_TRY(lfm_listing_inside(s->folder, name, &inside));
  lfm_status status = has_own_pictures(&inside) ? add_class(s, name, &inside) : warn_of_missing(s, name, &inside);
  lfm_listing_free(&inside);
  return status;
}

static lfm_status find_all(search *s, const lfm_listing *listing) {
  LFM_TRY(add_entries(s, "", listing));
  int64_t loose = s->count;
  for (int64_t i = 0; i < listing->count; i++)
    if (!is_picture(listing->names[i])) LFM_TRY(look_inside(s, listing->names[i]));
  if (s->count == 0) return lfm_fail(LFM_E_DATA, "%s: has no .png, .jpg or .jpeg in it or in its folders", s->folder);
  if (loose && s->classes)
    return lfm_fail(LFM_E_DATA, "%s: pictures (%s) lie beside folders of pictures (%s), which are classes; move either",
                    s->folder, s->entries[0].name, s->class_names[0]);
  return LFM_OK;
}

/* ---- why there are none --------------------------------------------------------------------------------------- */

/* Adds what is `depth` steps down from NAME in the folder and would be read, had it been named.  looks: so many more. */
static lfm_status find_deeper(const char *folder, const char *name, int depth, int *looks, lfm_listing *found) {
  lfm_listing names;
  char place[LFM_PATH_SIZE], below[LFM_PATH_SIZE];
  lfm_runs_kind kind;
  LFM_TRY(lfm_path_join(place, sizeof place, folder, name));
  LFM_TRY(lfm_runs_recognise(place, &kind));
  if (kind != LFM_RUNS_NONE || --*looks < 0 || !lfm_path_is_folder(place)) return LFM_OK;
  LFM_TRY(lfm_listing_read(place, &names));
  bool here = false;
  lfm_status status = depth == 0 ? lfm_folder_has_pictures(place, &names, &here) : LFM_OK;
  if (here) status = lfm_listing_add(found, name);
  for (int64_t i = 0; depth > 0 && status == LFM_OK && i < names.count; i++) {
    status = lfm_path_join(below, sizeof below, name, names.names[i]);
    if (status == LFM_OK) status = find_deeper(folder, below, depth - 1, looks, found);
    if (status == LFM_E_IO) status = LFM_OK; /* what is closed to us is no place to send anybody to */
  }
  lfm_listing_free(&names);
  return status;
}

/* Of a folder of train and test, or of what an archive was unpacked into. */
static lfm_status refuse_deeper(const char *folder) {
  enum { DEEPEST = 4, MOST_LOOKS = 10000 };
  lfm_listing found = {0};
  char list[400];
  lfm_status status = LFM_OK;
  int looks = MOST_LOOKS;
  for (int depth = 1; status == LFM_OK && depth <= DEEPEST && found.count == 0; depth++)
    status = find_deeper(folder, "", depth, &looks, &found);
  if (status == LFM_OK && found.count)
    status = lfm_fail(LFM_E_USAGE, "%s: its pictures lie deeper, in %s; name %s", folder,
                      lfm_quote_list(found.names, found.count, list, sizeof list),
                      found.count > 1 ? "one of these folders" : "that folder");
  lfm_listing_free(&found);
  return status;
}

static lfm_status refuse_runs(const char *folder) {
  lfm_listing runs;
  char list[400];
  LFM_TRY(lfm_runs_list(folder, &runs));
  lfm_status status = LFM_OK;
  if (runs.count)
    status = lfm_fail(LFM_E_USAGE, "%s: holds runs (%s), and no data", folder,
                      lfm_quote_list(runs.names, runs.count, list, sizeof list));
  lfm_listing_free(&runs);
  return status;
}

static lfm_status refuse_others_among(const char *folder, const lfm_listing *names) {
  char quoted[LFM_QUOTE_MAX];
  for (int64_t i = 0; i < names->count; i++)
    if (is_other_picture(names->names[i]))
      return lfm_fail(LFM_E_USAGE, "%s: holds pictures of a kind that is not read (%s, ...); save them as .png or .jpg",
                      folder, lfm_quote(names->names[i], strlen(names->names[i]), quoted));
  return LFM_OK;
}

/* Or folders that are closed to us, which may hold anything. */
static lfm_status refuse_others(const char *folder) {
  lfm_listing names, inside;
  LFM_TRY(lfm_listing_read(folder, &names));
  lfm_status status = refuse_others_among(folder, &names);
  for (int64_t i = 0; status == LFM_OK && i < names.count; i++) {
    status = lfm_listing_inside(folder, names.names[i], &inside);
    if (status == LFM_OK) status = refuse_others_among(folder, &inside);
    lfm_listing_free(&inside);
  }
  lfm_listing_free(&names);
  return status;
}

lfm_status lfm_folder_explain(const char *folder) {
  LFM_TRY(refuse_runs(folder));
  LFM_TRY(refuse_deeper(folder));
  return refuse_others(folder);
}

/* ---- the two passes ------------------------------------------------------------------------------------------- */

typedef lfm_status (*entry_fn)(search *s, int64_t i, const char *name, const lfm_map *map);

static lfm_status look(search *s, int64_t i, const char *name, const lfm_map *map) {
  return lfm_decode_look(name, map->data, map->size, &s->entries[i].shape);
}

static lfm_status decode(search *s, int64_t i, const char *name, const lfm_map *map) {
  lfm_decoded read;
  (void)s, (void)i;
  LFM_TRY(lfm_decode(name, map->data, map->size, &read));
  lfm_decoded_free(&read);
  return LFM_OK;
}

static lfm_status take(search *s, int64_t i, const char *name, const lfm_map *map) {
  lfm_decoded read;
  LFM_TRY(lfm_decode(name, map->data, map->size, &read));
  size_t channels = (size_t)read.channels;
  lfm_picture picture = {read.height, read.width, read.channels, read.pixels, (size_t)read.width * channels, channels, 1};
  bool as_seen = read.height == s->entries[i].shape.height && read.width == s->entries[i].shape.width;
  lfm_status status = as_seen ? lfm_picture_fit(&picture, s->images, i)
                              : lfm_fail(LFM_E_IO, "%s: changed while it was read; try again", name);
  lfm_decoded_free(&read);
  return status;
}

/* Of a file that cannot be read the reason is kept, unless nothing may be left out. */
static lfm_status visit(search *s, int64_t i, entry_fn action) {
  entry *e = &s->entries[i];
  char path[LFM_PATH_SIZE];
  lfm_map map = {0};
  if (e->fault) return LFM_OK;
  lfm_status status = lfm_path_join(path, sizeof path, s->folder, e->name);
  if (status == LFM_OK) status = lfm_map_open(path, &map);
  if (status == LFM_OK) status = action(s, i, s->options.strict ? path : e->name, &map);
  lfm_map_close(&map);
  if (status == LFM_OK || status == LFM_E_MEMORY || s->options.strict) return status;
  return lfm_alloc_text(&e->fault, lfm_error());
}

static lfm_status look_at(void *context, int worker, int64_t task) {
  (void)worker;
  return visit(context, task, look);
}

static lfm_status take_one(void *context, int worker, int64_t task) {
  (void)worker;
  return visit(context, task, take);
}

/* ---- the set -------------------------------------------------------------------------------------------------- */

static lfm_status refuse_sizes(const search *s, const entry *a, const entry *b) {
  return lfm_fail(LFM_E_DATA, "%s: %s has %lld x %lld pixels and %s %lld x %lld; --size N makes all of them N x N", s->folder,
                  a->name, (long long)a->shape.width, (long long)a->shape.height, b->name, (long long)b->shape.width,
                  (long long)b->shape.height);
}

static lfm_status refuse_all(const search *s, const char *first) {
  return lfm_fail(LFM_E_DATA, "%s: none of its %lld pictures can be read; the first: %s", s->folder, (long long)s->count,
                  first);
}

static bool are_of_one_size(const entry *a, const entry *b) {
  return a->shape.height == b->shape.height && a->shape.width == b->shape.width;
}

/* The first entry that is not known to be broken, from number i on; count: there is none. */
static int64_t next_whole(const search *s, int64_t i) {
  while (i < s->count && s->entries[i].fault) i++;
  return i;
}

/* Whatever differs in size from the first is decoded, and so is the first then: what is broken says nothing of the others'
 * size.  *first: to go by. */
static lfm_status choose_size(search *s, int64_t *first) {
  *first = next_whole(s, 0);
  for (int64_t i = *first; i < s->count && s->options.size == 0; i = next_whole(s, i + 1)) {
    if (are_of_one_size(&s->entries[*first], &s->entries[i])) continue;
    LFM_TRY(visit(s, i, decode));
    if (s->entries[i].fault) continue;
    LFM_TRY(visit(s, *first, decode));
    if (!s->entries[*first].fault && !s->options.sizes) return refuse_sizes(s, &s->entries[*first], &s->entries[i]);
    if (!s->entries[*first].fault) s->options.size = 1;
    i = *first = next_whole(s, 0);
  }
  return *first < s->count ? LFM_OK : refuse_all(s, s->entries[0].fault);
}

/* RGB when any picture is in colour, of which one that is broken says nothing. */
static lfm_status choose_channels(search *s, int64_t first, int64_t *channels) {
  *channels = 1;
  for (int64_t i = first; i < s->count; i = next_whole(s, i + 1)) {
    if (s->entries[i].shape.channels <= *channels) continue;
    LFM_TRY(visit(s, i, decode));
    if (!s->entries[i].fault) *channels = s->entries[i].shape.channels;
  }
  return LFM_OK;
}

static lfm_status choose_shape(search *s, lfm_picture *like) {
  int64_t first;
  LFM_TRY(choose_size(s, &first));
  *like = (lfm_picture){.height = s->entries[first].shape.height, .width = s->entries[first].shape.width};
  return choose_channels(s, first, &like->channels);
}

static lfm_status make_set(search *s) {
  lfm_picture like;
  LFM_TRY(choose_shape(s, &like));
  LFM_TRY(lfm_images_make_like(s->folder, &like, s->count, &s->options, &s->images));
  if (s->classes == 0) return LFM_OK;
  LFM_TRY(lfm_images_blame(s->folder, lfm_images_label(s->images, s->classes)));
  for (int64_t k = 0; k < s->classes; k++)
    LFM_TRY(lfm_images_blame(s->folder, lfm_images_name_class(s->images, k, s->class_names[k])));
  for (int64_t i = 0; i < s->count; i++) s->images->labels[i] = s->entries[i].label;
  return LFM_OK;
}

/* Of those that could be read. */
static lfm_status measure(search *s) {
  lfm_images_sizes *sizes = s->options.sizes;
  uint64_t *keys;
  int64_t count = 0;
  LFM_TRY(LFM_ALLOC(&keys, s->count));
  for (int64_t i = next_whole(s, 0); i < s->count; i = next_whole(s, i + 1)) {
    int64_t height = s->entries[i].shape.height, width = s->entries[i].shape.width;
    keys[count++] = (uint64_t)height << 32 | (uint64_t)width;
    if (count == 1 || height * width < sizes->least_height * sizes->least_width)
      sizes->least_height = height, sizes->least_width = width;
    if (count == 1 || height * width > sizes->most_height * sizes->most_width)
      sizes->most_height = height, sizes->most_width = width;
  }
  qsort(keys, (size_t)count, sizeof *keys, lfm_by_bits);
  for (int64_t i = 0; i < count; i++) sizes->count += i == 0 || keys[i] != keys[i - 1];
  lfm_free(keys);
  return LFM_OK;
}

/* Closes the gaps that broken pictures left, whose faults go over to the set. */
static lfm_status leave_out_broken(search *s) {
  lfm_images *images = s->images;
  size_t size = lfm_images_row_size(images);
  int64_t broken = 0, kept = 0;
  for (int64_t i = 0; i < s->count; i++) broken += s->entries[i].fault != NULL;
  if (broken == 0) return LFM_OK;
  LFM_TRY(LFM_ALLOC(&images->broken_names, broken));
  for (int64_t i = 0; i < s->count; i++) {
    if (s->entries[i].fault) {
      images->broken_names[images->broken++] = s->entries[i].fault;
      s->entries[i].fault = NULL;
      continue;
    }
    if (kept < i) memcpy(images->pixels + (size_t)kept * size, images->pixels + (size_t)i * size, size);
    if (images->labels) images->labels[kept] = images->labels[i];
    kept++;
  }
  images->count = kept;
  return LFM_OK;
}

/* Names as many as a line holds. */
static void warn_of_broken(const search *s) {
  char list[SHOWN];
  size_t used = 0;
  int64_t shown = 0, broken = s->images->broken;
  for (; shown < broken; shown++) {
    const char *text = s->images->broken_names[shown];
    if (used + strlen(text) + 3 > sizeof list && shown > 0) break;
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", shown ? "; " : "", text);
    if (used >= sizeof list) used = sizeof list - 1;
  }
  char more[48] = "";
  if (shown < broken) snprintf(more, sizeof more, "; and %lld more", (long long)(broken - shown));
  lfm_note(LFM_WARNING, "%s: %lld of %lld pictures are left out, since they cannot be read: %s%s", s->folder,
           (long long)broken, (long long)s->count, list, more);
}

static lfm_status read_all(search *s, lfm_team *team) {
  LFM_TRY(lfm_team_run(team, s->count, look_at, s));
  LFM_TRY(make_set(s));
  LFM_TRY(lfm_team_run(team, s->count, take_one, s));
  if (s->options.sizes) LFM_TRY(measure(s));
  LFM_TRY(leave_out_broken(s));
  if (s->images->count == 0) return refuse_all(s, s->images->broken_names[0]);
  if (s->images->broken) warn_of_broken(s);
  return LFM_OK;
}

static lfm_status find_and_read(search *s) {
  lfm_listing listing;
  lfm_team *team;
  LFM_TRY(lfm_listing_read(s->folder, &listing));
  lfm_status status = find_all(s, &listing);
  lfm_listing_free(&listing);
  LFM_TRY(status);
  LFM_TRY(lfm_team_create(s->options.threads, &team));
  status = read_all(s, team);
  lfm_team_destroy(team);
  return status;
}

lfm_status lfm_folder_read(const char *folder, const lfm_images_options *options, lfm_images **out) {
  search s = {.folder = folder, .options = *options};
  *out = NULL;
  lfm_status status = find_and_read(&s);
  for (int64_t i = 0; i < s.count; i++) {
    lfm_free(s.entries[i].name);
    lfm_free(s.entries[i].fault);
  }
  for (int64_t k = 0; k < s.classes; k++) lfm_free(s.class_names[k]);
  lfm_free(s.entries);
  lfm_free(s.class_names);
  if (status == LFM_OK) *out = s.images;
  else lfm_images_destroy(s.images);
  return status;
}
