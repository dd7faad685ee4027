/* SPDX-License-Identifier: MIT
 *
 * source.h -- the text of src/runtime, as it is in the source tree, inside the binary (cmake/runtime.cmake).
 */
#ifndef LFM_POLICY_SOURCE_H
#define LFM_POLICY_SOURCE_H

typedef struct lfm_runtime_text {
  const char *name, *text;
} lfm_runtime_text;

extern const lfm_runtime_text lfm_runtime_texts[]; /* in the order of one file; ends with a NULL name */

#endif
