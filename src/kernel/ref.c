/* SPDX-License-Identifier: MIT
 *
 * ref.c -- the kernels in plain C: double, the oracle that gradients are checked against; float, for processors that the
 * product library does not serve well.  One text (ref_body.h) makes both, so what is proved of one holds for the other.
 * Layouts are plain, nothing is fused, nothing is planned: what a product is can be read in ten lines.  Blocking for the
 * caches was refused: this is the definition, and onednn.c is the fast one.
 */
#include "core/act.h"
#include "core/alloc.h"
#include "core/vmath.h"
#include "kernel/table.h"

enum { PACK_RUN = 16, COL_STEP = 16 };

struct lfm_product {
  lfm_product_spec spec;
  int64_t ldb; /* from a row of B to the next */
};

static lfm_status layout(int64_t k, int64_t n, bool half, lfm_layout *out) {
  (void)half;
  *out = lfm_layout_plain(k, n);
  out->col_step = COL_STEP;
  return LFM_OK;
}

static bool fuses(lfm_act act) { return act.kind == LFM_ACT_NONE; }

static lfm_status product_create(const lfm_product_spec *spec, lfm_product **out) {
  LFM_TRY(LFM_ALLOC(out, 1));
  (*out)->spec = *spec;
  (*out)->ldb = spec->layout ? spec->layout->row_stride : spec->n;
  return LFM_OK;
}

static size_t product_scratch(const lfm_product *product) {
  (void)product;
  return 0;
}

static void product_destroy(lfm_product *product) { lfm_free(product); }

/* sin and cos of 2 pi u, and e^x. */
static inline void wave_f32(float u, float *sine, float *cosine) {
  const float round = 12582912.0f; /* 1.5 2^23: rounds to whole turns, of which waves have some ten thousand at most */
  lfm_sincos_turn(u - ((u + round) - round), sine, cosine);
}
static inline void wave_f64(double u, double *sine, double *cosine) {
  const double circle = 6.283185307179586;
  double rest = u - floor(u);
  *sine = sin(circle * rest), *cosine = cos(circle * rest);
}
static inline float damp_f32(float x) { return lfm_expf(x); }
static inline double damp_f64(double x) { return exp(x); }

#define NUM float
#define TAG f32
#define REF_NAME "ref32"
#include "kernel/ref_body.h"
#undef NUM
#undef TAG
#undef REF_NAME

#define NUM double
#define TAG f64
#define REF_NAME "ref64"
#include "kernel/ref_body.h"

const lfm_kernels *lfm_kernels_ref32(void) { return &table_f32; }
const lfm_kernels *lfm_kernels_ref64(void) { return &table_f64; }
