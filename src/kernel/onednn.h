/* SPDX-License-Identifier: MIT
 *
 * onednn.h -- what the files share that call oneDNN: one engine, its statuses as ours, and one thread around every call.
 * Internal to this room.
 */
#ifndef LFM_KERNEL_ONEDNN_H
#define LFM_KERNEL_ONEDNN_H

#include "kernel/table.h"
#include <dnnl.h>

/* Of the OpenMP library that oneDNN runs on.  <omp.h> is the compiler's, and clang's may not be installed. */
int omp_get_max_threads(void);
void omp_set_num_threads(int threads);

/* The library's own threading changes sums with the number of threads: give back what this returns afterwards. */
static inline int lfm_onednn_threads_to_one(void) {
  int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  return threads;
}

static inline lfm_status lfm_onednn_check(dnnl_status_t status, const char *what) {
  if (status == dnnl_success) return LFM_OK;
  if (status == dnnl_out_of_memory) return lfm_fail(LFM_E_MEMORY, "oneDNN: %s: out of memory", what);
  return lfm_fail(LFM_E_UNSUPPORTED, "oneDNN: %s failed with status %d; set LFM_KERNELS=ref32 to do without it", what,
                  (int)status);
}

dnnl_engine_t lfm_onednn_engine(void); /* NULL when the library refuses one */

/* wide: AVX-512; direct: no convolution by tiles. */
const lfm_image_kernels *lfm_onednn_images(bool direct, bool wide);
const lfm_image_kernels *lfm_onednn_images_of_halves(void); /* of bfloat16; once the other is there */

#endif
