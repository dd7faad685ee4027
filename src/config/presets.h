/* SPDX-License-Identifier: MIT
 *
 * presets.h -- configs/NAME.yaml as they are in the source tree, inside the binary (cmake/presets.cmake).
 */
#ifndef LFM_CONFIG_PRESETS_H
#define LFM_CONFIG_PRESETS_H

typedef struct lfm_preset {
  const char *name, *text;
} lfm_preset;

extern const lfm_preset lfm_presets[]; /* ends with a NULL name */

#endif
