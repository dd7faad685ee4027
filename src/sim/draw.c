/* SPDX-License-Identifier: MIT
 *
 * draw.c -- MuJoCo draws with OpenGL into a buffer of its own; OSMesa is the OpenGL.
 */
#include "sim/draw.h"

#include "core/alloc.h"
#include "sim/guard.h"

#include <dlfcn.h>
#include <GL/osmesa.h>
#include <string.h>

enum { MOST_SHAPES = 1000 };

/* OSMesa as far as it is needed.  It stays loaded. */
typedef struct mesa {
  OSMesaContext (*create)(GLenum format, GLint depth, GLint stencil, GLint accumulate, OSMesaContext shared);
  GLboolean (*make_current)(OSMesaContext context, void *buffer, GLenum type, GLsizei width, GLsizei height);
  void (*destroy)(OSMesaContext context);
} mesa;

struct lfm_drawer {
  mesa mesa;
  OSMesaContext context;
  const mjModel *model;
  mjData *data;
  uint8_t *screen; /* what OSMesa takes for a window; nothing is drawn there */
  mjvScene scene;
  mjrContext render;
  mjvCamera camera;
  mjvOption option;
  int width, height;
  uint8_t *rgb;
};

static lfm_status load_mesa(mesa *out) {
  void *library = dlopen("libOSMesa.so.8", RTLD_NOW | RTLD_GLOBAL); /* MuJoCo looks for it among what is loaded */
  if (!library) return lfm_fail(LFM_E_UNSUPPORTED, "pictures of worlds need OSMesa; install libosmesa6");
  /* a function pointer from dlsym, as POSIX writes it */
  *(void **)&out->create = dlsym(library, "OSMesaCreateContextExt");
  *(void **)&out->make_current = dlsym(library, "OSMesaMakeCurrent");
  *(void **)&out->destroy = dlsym(library, "OSMesaDestroyContext");
  if (out->create && out->make_current && out->destroy) return LFM_OK;
  return lfm_fail(LFM_E_UNSUPPORTED, "pictures of worlds: the OSMesa of this machine lacks a function");
}

static lfm_status make_current(lfm_drawer *d) {
  if (d->mesa.make_current(d->context, d->screen, GL_UNSIGNED_BYTE, LFM_DRAW_MOST, LFM_DRAW_MOST)) return LFM_OK;
  return lfm_fail(LFM_E_UNSUPPORTED, "pictures of worlds: OSMesa refuses to draw");
}

static void make_scene(void *context) {
  lfm_drawer *d = context;
  mjv_makeScene(d->model, &d->scene, MOST_SHAPES);
  mjr_makeContext(d->model, &d->render, mjFONTSCALE_100);
  mjr_setBuffer(mjFB_OFFSCREEN, &d->render);
}

static lfm_status create(const mjModel *model, lfm_drawer **out) {
  lfm_drawer *d;
  lfm_status status;
  LFM_TRY(LFM_ALLOC(&d, 1));
  d->model = model;
  mjv_defaultScene(&d->scene);
  mjr_defaultContext(&d->render);
  mjv_defaultOption(&d->option);
  mjv_defaultCamera(&d->camera);
  d->camera.type = mjCAMERA_FIXED;
  d->camera.fixedcamid = mj_name2id(model, mjOBJ_CAMERA, "view");
  LFM_TRY_GOTO(LFM_ALLOC(&d->screen, LFM_DRAW_MOST * LFM_DRAW_MOST * 4), fail);
  LFM_TRY_GOTO(load_mesa(&d->mesa), fail);
  d->context = d->mesa.create(GL_RGBA, 24, 8, 0, NULL);
  if (!d->context) {
    status = lfm_fail(LFM_E_MEMORY, "pictures of worlds: OSMesa has no memory to draw with");
    goto fail;
  }
  LFM_TRY_GOTO(make_current(d), fail);
  LFM_TRY_GOTO(lfm_physics_guard(make_scene, d), fail);
  *out = d;
  return LFM_OK;
fail:
  lfm_drawer_destroy(d);
  return status;
}

void lfm_drawer_destroy(lfm_drawer *d) {
  if (!d) return;
  if (d->context && d->mesa.make_current(d->context, d->screen, GL_UNSIGNED_BYTE, LFM_DRAW_MOST, LFM_DRAW_MOST)) {
    mjr_freeContext(&d->render);
    mjv_freeScene(&d->scene);
  }
  if (d->context) d->mesa.destroy(d->context);
  lfm_free(d->screen);
  lfm_free(d);
}

static void render(void *context) {
  lfm_drawer *d = context;
  mjrRect view = {0, 0, d->width, d->height};
  mj_fwdPosition(d->model, d->data); /* cameras and lights are placed there */
  mjv_updateScene(d->model, d->data, &d->option, NULL, &d->camera, mjCAT_ALL, &d->scene);
  mjr_render(view, &d->scene, &d->render);
  mjr_readPixels(d->rgb, NULL, view, &d->render);
}

/* OpenGL's first line is the lowest. */
static void turn_over(uint8_t *rgb, size_t width, size_t height) {
  for (size_t y = 0; y < height / 2; y++) {
    uint8_t *a = rgb + 3 * width * y, *b = rgb + 3 * width * (height - 1 - y);
    for (size_t i = 0; i < 3 * width; i++) {
      uint8_t kept = a[i];
      a[i] = b[i], b[i] = kept;
    }
  }
}

lfm_status lfm_draw_scene(lfm_drawer **drawer, const mjModel *model, mjData *data, int64_t width, int64_t height,
                          uint8_t *rgb) {
  if (width < 1 || height < 1 || width > LFM_DRAW_MOST || height > LFM_DRAW_MOST)
    return lfm_fail(LFM_E_USAGE, "a picture of a world has 1 to %d pixels a side", (int)LFM_DRAW_MOST);
  if (!*drawer) LFM_TRY(create(model, drawer));
  lfm_drawer *d = *drawer;
  d->data = data, d->width = (int)width, d->height = (int)height, d->rgb = rgb;
  LFM_TRY(make_current(d));
  LFM_TRY(lfm_physics_guard(render, d));
  turn_over(rgb, (size_t)width, (size_t)height);
  return LFM_OK;
}
