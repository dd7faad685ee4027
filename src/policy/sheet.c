/* SPDX-License-Identifier: MIT
 *
 * sheet.c -- a world of its own is set to the states that were recorded, and drawn: whoever recorded them need not draw.
 */
#include "policy/sheet.h"

#include "core/alloc.h"
#include "core/file.h"
#include "report/pictures.h"

enum { SIDE = LFM_SHEET_SIDE };
#define PLANE ((int64_t)SIDE * SIDE)

lfm_status lfm_sheet_check(const char *path, const lfm_task *task) {
  lfm_world *world;
  uint8_t pixel[3];
  if (!lfm_path_ends_with(path, ".png")) return lfm_fail(LFM_E_USAGE, "%s: a contact sheet is a .png file", path);
  LFM_TRY(lfm_path_check_writable(path));
  LFM_TRY(lfm_world_create(task, &world));
  lfm_status status = lfm_world_reset(world, 0, 0);
  if (status == LFM_OK) status = lfm_world_draw(world, 1, 1, pixel);
  lfm_world_destroy(world);
  return status;
}

/* Lines of three bytes a pixel to three planes. */
static void to_planes(const uint8_t *rgb, uint8_t *planes) {
  for (int i = 0; i < PLANE; i++)
    for (int k = 0; k < 3; k++) planes[k * PLANE + i] = rgb[3 * i + k];
}

static lfm_status draw_strip(lfm_world *world, const lfm_strip *strip, uint8_t *rgb, uint8_t *pixels) {
  int64_t numbers = lfm_world_task(world)->state_dim;
  for (int64_t moment = 0; moment < LFM_SHEET_MOMENTS; moment++) {
    int64_t at = moment * (strip->states - 1) / (LFM_SHEET_MOMENTS - 1);
    LFM_TRY(lfm_world_set_state(world, strip->state + at * numbers));
    LFM_TRY(lfm_world_draw(world, SIDE, SIDE, rgb));
    to_planes(rgb, pixels + 3 * PLANE * moment);
  }
  return LFM_OK;
}

lfm_status lfm_sheet_draw(const char *path, const lfm_task *task, const lfm_strip *strips, int64_t count) {
  int64_t rows = count < LFM_SHEET_ROWS ? count : LFM_SHEET_ROWS;
  lfm_images *images = NULL;
  lfm_world *world = NULL;
  uint8_t *rgb = NULL;
  lfm_status status;
  LFM_TRY_GOTO(LFM_ALLOC(&rgb, 3 * PLANE), done);
  LFM_TRY_GOTO(lfm_images_make(rows * LFM_SHEET_MOMENTS, 3, SIDE, SIDE, &images), done);
  LFM_TRY_GOTO(lfm_world_create(task, &world), done);
  for (int64_t row = 0; row < rows; row++)
    LFM_TRY_GOTO(draw_strip(world, &strips[row], rgb, images->pixels + 3 * PLANE * LFM_SHEET_MOMENTS * row), done);
  status = lfm_draw_grid(path, images, rows, LFM_SHEET_MOMENTS);
done:
  lfm_world_destroy(world);
  lfm_images_destroy(images);
  lfm_free(rgb);
  return status;
}
