/* SPDX-License-Identifier: MIT
 *
 * choose.c -- which table a net runs on.  oneDNN where its kernels are compiled for the processor (AVX2 and up); its
 * portable path is slower than ref32's loops.  LFM_KERNELS=onednn|ref32|ref64 forces one, for tests, for reports, and for who
 * would train with all bits of a float where there is AMX; another word forces none, and a warning says so, once.
 */
#include "kernel/amx.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const lfm_kernels *fitting(void) {
  const lfm_kernels *onednn = lfm_kernels_onednn();
  return strstr(onednn->identity, "avx") ? onednn : lfm_kernels_ref32();
}

static void warn_once(const char *forced) {
  static atomic_flag warned = ATOMIC_FLAG_INIT;
  if (atomic_flag_test_and_set(&warned)) return;
  lfm_note(LFM_WARNING, "LFM_KERNELS: there are no kernels %s; give onednn, ref32 or ref64, or unset it", forced);
}

const lfm_kernels *lfm_kernels_best(void) {
  const char *forced = getenv("LFM_KERNELS");
  if (!forced || !*forced) return fitting();
  if (strcmp(forced, "onednn") == 0) return lfm_kernels_onednn();
  if (strcmp(forced, "ref32") == 0) return lfm_kernels_ref32();
  if (strcmp(forced, "ref64") == 0) return lfm_kernels_ref64();
  warn_once(forced);
  return fitting();
}

const lfm_kernels *lfm_kernels_training(void) {
  const char *forced = getenv("LFM_KERNELS");
  const lfm_kernels *best = lfm_kernels_best();
  bool is_forced = forced && strcmp(forced, "onednn") == 0;
  return best == lfm_kernels_onednn() && lfm_amx_ready() && !is_forced ? lfm_kernels_onednn_split() : best;
}

const char *lfm_kernels_name(const lfm_kernels *kernels) { return kernels->name; }
const char *lfm_kernels_identity(const lfm_kernels *kernels) { return kernels->identity; }
