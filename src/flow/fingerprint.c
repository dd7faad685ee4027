/* SPDX-License-Identifier: MIT
 *
 * fingerprint.c -- see fingerprint.h.
 */
#include "flow/fingerprint.h"

#include "config/keys.h"
#include "data/demos.h"
#include "data/images.h"

#include <stdio.h>
#include <string.h>

uint64_t lfm_fingerprint_begin(void) { return 0xcbf29ce484222325u; }

uint64_t lfm_fingerprint_bytes(uint64_t hash, const void *data, size_t size) {
  const uint8_t *bytes = data;
  for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return hash;
}

static uint64_t text(uint64_t hash, const char *of) { return lfm_fingerprint_bytes(hash, of, strlen(of) + 1); }

static uint64_t pictures(uint64_t hash, const lfm_images *images) {
  int64_t shape[] = {images->channels, images->height, images->width, images->classes};
  hash = lfm_fingerprint_bytes(hash, shape, sizeof shape);
  for (int64_t k = 0; k < images->classes; k++) hash = text(hash, images->class_names[k]);
  if (images->labels) hash = lfm_fingerprint_bytes(hash, images->labels, (size_t)images->count * sizeof *images->labels);
  return lfm_fingerprint_bytes(hash, images->pixels, (size_t)images->count * lfm_images_row_size(images));
}

static uint64_t demonstrations(uint64_t hash, const lfm_demos *demos) {
  hash = text(hash, lfm_action_kind_name(demos->kind));
  for (int64_t k = 0; k < demos->keys; k++) hash = text(hash, demos->key[k]);
  hash = lfm_fingerprint_bytes(hash, demos->key_dim, (size_t)demos->keys * sizeof *demos->key_dim);
  hash = lfm_fingerprint_bytes(hash, demos->ends, (size_t)demos->episodes * sizeof *demos->ends);
  return lfm_fingerprint_bytes(hash, demos->obs, (size_t)demos->steps * (size_t)demos->obs_dim * sizeof *demos->obs);
}

uint64_t lfm_fingerprint_table(uint64_t hash, const lfm_table *table) {
  if (table->images) return pictures(hash, table->images);
  if (table->demos) hash = demonstrations(hash, table->demos);
  for (int64_t j = 0; j < table->cols; j++) hash = text(hash, table->names[j]);
  return lfm_fingerprint_bytes(hash, table->values, (size_t)table->rows * (size_t)table->cols * sizeof(double));
}

/* Every key: an activation leaves no trace in the weights. */
static uint64_t keys(uint64_t hash, const lfm_config *config) {
  char value[LFM_KEY_TEXT];
  for (const lfm_key *key = lfm_keys; key->name; key++) {
    lfm_key_format(key, config, value);
    hash = text(hash, value);
  }
  return hash;
}

static uint64_t numbers(uint64_t hash, const double *of, int64_t count) {
  return of ? lfm_fingerprint_bytes(hash, of, (size_t)count * sizeof *of) : hash;
}

/* To the flow's units and back, and a policy's observations to what its network sees. */
static uint64_t units(uint64_t hash, const lfm_normaliser *m, const lfm_windows *windows) {
  int64_t map = m->kind == LFM_NORMALISE_CHUNKS ? m->dim : m->dim * m->dim;
  hash = numbers(hash, &m->scale, 1);
  hash = numbers(hash, &m->logdet, 1);
  if (m->kind == LFM_NORMALISE_RADIAL) hash = numbers(numbers(hash, &m->radial.knee, 1), &m->radial.scale, 1);
  hash = numbers(hash, m->constant, m->cols);
  hash = numbers(hash, m->mean, m->dim);
  hash = numbers(hash, m->forward, map);
  hash = numbers(hash, m->inverse, map);
  if (!windows) return hash;
  hash = numbers(hash, windows->obs_mean, windows->obs_dim);
  return numbers(hash, windows->obs_scale, windows->obs_dim);
}

uint64_t lfm_fingerprint_model(uint64_t hash, const lfm_model *model) {
  size_t size = (size_t)lfm_net_param_count(model->net) * lfm_net_number_size(model->net);
  hash = keys(hash, model->config);
  hash = units(hash, model->normaliser, model->windows);
  hash = lfm_fingerprint_bytes(hash, model->span, (size_t)model->blocks * sizeof *model->span);
  for (int n = 0; n < model->blocks; n++) hash = lfm_fingerprint_bytes(hash, lfm_params_values(model->params[n]), size);
  return hash;
}

void lfm_fingerprint_end(uint64_t hash, char out[LFM_FINGERPRINT]) {
  snprintf(out, LFM_FINGERPRINT, "%016llx", (unsigned long long)hash);
}
