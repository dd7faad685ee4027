/* SPDX-License-Identifier: MIT
 *
 * load.c -- src/sim/models/ as a folder in memory (MuJoCo's VFS), from which its compiler reads.
 */
#include "sim/load.h"

#include "core/alloc.h"
#include "sim/guard.h"
#include "sim/models.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

typedef struct loading {
  char file[64], fault[256];
  mjVFS *folder; /* two megabytes: too large for a stack */
  mjModel *model;
} loading;

static void put_texts(mjVFS *folder) {
  for (const lfm_model_text *text = lfm_model_texts; text->name; text++) {
    char file[64];
    size_t size = strlen(text->text);
    snprintf(file, sizeof file, "%s.xml", text->name);
    if (mj_makeEmptyFileVFS(folder, file, (int)size) == 0) memcpy(folder->filedata[folder->nfile - 1], text->text, size);
  }
}

static void load(void *context) {
  loading *l = context;
  mj_defaultVFS(l->folder);
  put_texts(l->folder);
  l->model = mj_loadXML(l->file, l->folder, l->fault, sizeof l->fault);
  mj_deleteVFS(l->folder);
}

lfm_status lfm_load_model(const char *name, mjModel **out) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  loading l = {.fault = ""};
  snprintf(l.file, sizeof l.file, "%s.xml", name);
  LFM_TRY(LFM_ALLOC(&l.folder, 1));
  pthread_mutex_lock(&lock);
  lfm_status status = lfm_physics_guard(load, &l);
  pthread_mutex_unlock(&lock);
  lfm_free(l.folder);
  if (status == LFM_OK && !l.model) status = lfm_fail(LFM_E_FORMAT, "model %s: %s", name, l.fault);
  *out = l.model;
  return status;
}
