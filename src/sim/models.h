/* SPDX-License-Identifier: MIT
 *
 * models.h -- the MJCF of src/sim/models/ inside the binary, by name without ending (cmake/embed.cmake makes it).
 */
#ifndef LFM_SIM_MODELS_H
#define LFM_SIM_MODELS_H

typedef struct lfm_model_text {
  const char *name, *text; /* NULL, NULL ends them */
} lfm_model_text;

extern const lfm_model_text lfm_model_texts[];

#endif
