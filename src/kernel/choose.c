/* SPDX-License-Identifier: MIT
 *
 * choose.c -- which table a net runs on.  oneDNN where its kernels are compiled for the processor (AVX2 and up); its
 * portable path is slower than ref32's loops.  LFM_KERNELS=onednn|ref32|ref64 forces one, for tests and for reports.
 */
#include "kernel/table.h"
#include <stdlib.h>
#include <string.h>

static const lfm_kernels *fitting(void) {
  const lfm_kernels *onednn = lfm_kernels_onednn();
  return strstr(onednn->identity, "avx") ? onednn : lfm_kernels_ref32();
}

const lfm_kernels *lfm_kernels_best(void) {
  const char *forced = getenv("LFM_KERNELS");
  if (forced && strcmp(forced, "onednn") == 0) return lfm_kernels_onednn();
  if (forced && strcmp(forced, "ref32") == 0) return lfm_kernels_ref32();
  if (forced && strcmp(forced, "ref64") == 0) return lfm_kernels_ref64();
  return fitting();
}

const char *lfm_kernels_name(const lfm_kernels *kernels) { return kernels->name; }
const char *lfm_kernels_identity(const lfm_kernels *kernels) { return kernels->identity; }
