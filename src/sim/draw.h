/* SPDX-License-Identifier: MIT
 *
 * draw.h -- pictures of a MuJoCo scene without a screen, by OSMesa.
 * OSMesa brings a compiler of its own along (54 MB and 20 ms at every start of the program), so it is not linked: the first
 * picture loads it.
 */
#ifndef LFM_SIM_DRAW_H
#define LFM_SIM_DRAW_H

#include "core/status.h"

#include <mujoco/mujoco.h>

enum { LFM_DRAW_MOST = 640 }; /* pixels a side, as models/panda.xml has it */

typedef struct lfm_drawer lfm_drawer;

/* The scene from camera "view".  *drawer is made when it is NULL; it belongs to this model, and to the thread that draws.
 * LFM_E_UNSUPPORTED without OSMesa, LFM_E_USAGE when the picture is larger than LFM_DRAW_MOST. */
lfm_status lfm_draw_scene(lfm_drawer **drawer, const mjModel *model, mjData *data, int64_t width, int64_t height,
                          uint8_t *rgb);
void lfm_drawer_destroy(lfm_drawer *drawer); /* accepts NULL */

#endif
