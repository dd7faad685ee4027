/* SPDX-License-Identifier: MIT
 *
 * onednn.c -- matrix products by oneDNN's matmul primitives, bias and activation fused; every other kernel is ref32's.
 * Products of bfloat16 with sums in float are here as well, for the tables of bf16.c.  Those of numbers in two halves are
 * not the library's (amx_split.c): of tangents by their layout, and in training by a table of its own.
 *
 * Primitives are made once a run for its fixed shapes and hold their memory objects; what changes between calls is a
 * pointer.  Everything happens on one thread: the library's own threading changes sums with the number of threads, so the
 * OpenMP team of the calling thread is set to one around every call and set back after it.
 * Weights lie in the tiles that the library asks for at LAYOUT_ROWS rows; a run of any other row count reads the same ones.
 * No algorithm is ever chosen by timing.
 * A single row goes another way (gemv.c, to the same bits, with the library that this was found out of), with the library's
 * activation behind it; but for relu, which is ref32's: the library's would give -0 alone where it gives 0 behind a product.
 *
 * Rows stand alone: the AVX-512 kernels (brg) sum a row over k in one order wherever it lies.  The AVX2 kernels (gemm) take
 * rows in twenty-fours and sum what is left of a division in another order, so there the row count is rounded up to a
 * multiple of 24.  tests/net/test_run.c holds both to it.
 */
#include "kernel/onednn.h"
#include "core/alloc.h"
#include "kernel/amx_split.h"
#include "kernel/gemv.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { LAYOUT_ROWS = 256, GEMM_ROWS = 24, PRODUCT_ARGS = 5, SHORT_BLOCK = 512, LONG_BLOCK = 1024 };

struct lfm_product {
  dnnl_primitive_t primitive; /* the product; of a single row the activation, or NULL */
  dnnl_stream_t stream;
  size_t scratch;
  lfm_layout own; /* of the weights, where the product is ours, a single row's; else its rows are 0 */
  bool relu;      /* of a single row */
  bool is_split;
  lfm_amx_product split;
  dnnl_exec_arg_t args[PRODUCT_ARGS]; /* source, weights, destination, scratch, bias; of an activation source, destination */
  void *bound[PRODUCT_ARGS];          /* the pointers that they hold now */
  int arg_count;
};

static dnnl_engine_t engine;
static struct lfm_kernels table, direct_table, training_table;
static char identity[96], training_identity[128];
static bool sums_in_blocks; /* this library and processor add up a row as block_of says */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---- memory descriptors -------------------------------------------------------------------------------------- */

static lfm_status plain(dnnl_memory_desc_t *out, int64_t rows, int64_t cols, bool half, dnnl_format_tag_t tag) {
  dnnl_dims_t dims = {rows, cols};
  return lfm_onednn_check(dnnl_memory_desc_init_by_tag(out, 2, dims, half ? dnnl_bf16 : dnnl_f32, tag), "memory descriptor");
}

/* The library's tiles, in our words; false when it wants something that lfm_layout cannot say. */
static bool layout_from(const dnnl_memory_desc_t *md, lfm_layout *out) {
  const dnnl_blocking_desc_t *b = &md->format_desc.blocking;
  bool half = md->data_type == dnnl_bf16, paired = b->inner_nblks == 3 && b->inner_idxs[2] == 0;
  if (md->format_kind != dnnl_blocked || (b->inner_nblks != 2 && !paired)) return false;
  if (b->inner_idxs[0] != 0 || b->inner_idxs[1] != 1) return false;
  int64_t pair = paired ? b->inner_blks[2] : 1;
  *out = (lfm_layout){.rows = md->dims[0],
                      .cols = md->dims[1],
                      .row_block = b->inner_blks[0] * pair,
                      .col_block = b->inner_blks[1],
                      .row_stride = b->strides[0],
                      .col_stride = b->strides[1],
                      .pair = pair,
                      .half = half,
                      .count = dnnl_memory_desc_get_size(md) / (half ? sizeof(uint16_t) : sizeof(float)),
                      .col_step = half ? 0 : b->inner_blks[1]};
  return true;
}

static lfm_status layout_to(const lfm_layout *p, dnnl_memory_desc_t *md) {
  LFM_TRY(plain(md, p->rows, p->cols, p->half, dnnl_ab));
  if (p->row_block == 1) return LFM_OK;
  dnnl_blocking_desc_t *b = &md->format_desc.blocking;
  b->inner_nblks = p->pair > 1 ? 3 : 2;
  b->inner_idxs[0] = 0, b->inner_idxs[1] = 1, b->inner_idxs[2] = 0;
  b->inner_blks[0] = p->row_block / p->pair, b->inner_blks[1] = p->col_block, b->inner_blks[2] = p->pair;
  b->strides[0] = p->row_stride, b->strides[1] = p->col_stride;
  md->padded_dims[0] = (p->rows + p->row_block - 1) / p->row_block * p->row_block;
  md->padded_dims[1] = (p->cols + p->col_block - 1) / p->col_block * p->col_block;
  return LFM_OK;
}

/* ---- products ------------------------------------------------------------------------------------------------ */

static bool fuses(lfm_act act) {
  return act.kind == LFM_ACT_NONE || act.kind == LFM_ACT_RELU || act.kind == LFM_ACT_ELU || act.kind == LFM_ACT_TANH;
}

static dnnl_alg_kind_t act_kind(lfm_act act) {
  return act.kind == LFM_ACT_RELU ? dnnl_eltwise_relu : act.kind == LFM_ACT_ELU ? dnnl_eltwise_elu : dnnl_eltwise_tanh;
}

static float act_alpha(lfm_act act) { return act.kind == LFM_ACT_ELU ? 1.0f : 0.0f; }

static lfm_status append_act(dnnl_post_ops_t ops, lfm_act act) {
  return lfm_onednn_check(dnnl_post_ops_append_eltwise(ops, 1.0f, act_kind(act), act_alpha(act), 0.0f), "activation");
}

/* Scratch memory from the caller; sum or activation behind the product. */
static lfm_status make_attributes(const lfm_product_spec *spec, dnnl_primitive_attr_t *out) {
  dnnl_post_ops_t ops = NULL;
  LFM_TRY(lfm_onednn_check(dnnl_primitive_attr_create(out), "attributes"));
  lfm_status status =
      lfm_onednn_check(dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user), "scratchpad mode");
  if (status == LFM_OK) status = lfm_onednn_check(dnnl_post_ops_create(&ops), "post operations");
  if (status == LFM_OK && spec->accumulate) status = lfm_onednn_check(dnnl_post_ops_append_sum(ops, 1.0f), "sum");
  if (status == LFM_OK && spec->act.kind != LFM_ACT_NONE) status = append_act(ops, spec->act);
  if (status == LFM_OK) status = lfm_onednn_check(dnnl_primitive_attr_set_post_ops(*out, ops), "post operations");
  dnnl_post_ops_destroy(ops);
  return status;
}

typedef struct product_memory { /* in the order of lfm_product.args */
  dnnl_memory_desc_t md[PRODUCT_ARGS];
} product_memory;

static lfm_status describe(const lfm_product_spec *spec, bool any, product_memory *out) {
  dnnl_memory_desc_t *md = out->md;
  LFM_TRY(plain(&md[0], spec->m, spec->k, spec->half_a, spec->layout || any ? dnnl_ab : dnnl_ba));
  if (spec->lda) md[0].format_desc.blocking.strides[1] = spec->lda;
  if (any) LFM_TRY(plain(&md[1], spec->k, spec->n, spec->half_b, dnnl_format_tag_any));
  else if (spec->layout) LFM_TRY(layout_to(spec->layout, &md[1]));
  else LFM_TRY(plain(&md[1], spec->k, spec->n, spec->half_b, dnnl_ab));
  LFM_TRY(plain(&md[2], spec->m, spec->n, spec->half_c, dnnl_ab));
  return plain(&md[4], 1, spec->n, false, dnnl_ab);
}

static lfm_status describe_primitive(const lfm_product_spec *spec, bool any, product_memory *memory,
                                     dnnl_primitive_desc_t *out) {
  dnnl_matmul_desc_t matmul;
  dnnl_primitive_attr_t attributes = NULL;
  LFM_TRY(describe(spec, any, memory));
  LFM_TRY(lfm_onednn_check(
      dnnl_matmul_desc_init(&matmul, &memory->md[0], &memory->md[1], spec->bias ? &memory->md[4] : NULL, &memory->md[2]),
      "matrix product"));
  lfm_status status = make_attributes(spec, &attributes);
  if (status == LFM_OK)
    status = lfm_onednn_check(dnnl_primitive_desc_create(out, &matmul, attributes, engine, NULL), "matrix product");
  dnnl_primitive_attr_destroy(attributes);
  return status;
}

/* In place, on a single row. */
static lfm_status describe_act(const lfm_product_spec *spec, dnnl_memory_desc_t *memory, dnnl_primitive_desc_t *out) {
  dnnl_eltwise_desc_t eltwise;
  LFM_TRY(plain(memory, 1, spec->n, false, dnnl_ab));
  LFM_TRY(lfm_onednn_check(dnnl_eltwise_forward_desc_init(&eltwise, dnnl_forward_inference, act_kind(spec->act), memory,
                                                          act_alpha(spec->act), 0.0f),
                           "activation"));
  return lfm_onednn_check(dnnl_primitive_desc_create(out, &eltwise, NULL, engine, NULL), "activation");
}

static void product_destroy(lfm_product *product) {
  if (!product) return;
  for (int i = 0; i < PRODUCT_ARGS; i++)
    if (product->args[i].memory) dnnl_memory_destroy(product->args[i].memory);
  if (product->primitive) dnnl_primitive_destroy(product->primitive);
  if (product->stream) dnnl_stream_destroy(product->stream);
  lfm_free(product);
}

/* The primitive, and memory objects for its arguments. */
static lfm_status make_primitive(lfm_product *product, dnnl_primitive_desc_t description, const int *names,
                                 const dnnl_memory_desc_t *memory, int count) {
  product->arg_count = count;
  LFM_TRY(lfm_onednn_check(dnnl_primitive_create(&product->primitive, description), "making a primitive"));
  LFM_TRY(lfm_onednn_check(dnnl_stream_create(&product->stream, engine, dnnl_stream_in_order), "stream"));
  for (int i = 0; i < count; i++) {
    product->args[i].arg = names[i];
    LFM_TRY(lfm_onednn_check(dnnl_memory_create(&product->args[i].memory, &memory[i], engine, DNNL_MEMORY_NONE), "memory"));
  }
  return LFM_OK;
}

static lfm_status fill_product(const lfm_product_spec *spec, lfm_product *product) {
  static const int names[PRODUCT_ARGS] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD, DNNL_ARG_BIAS};
  product_memory memory;
  dnnl_primitive_desc_t description = NULL;
  lfm_status status = describe_primitive(spec, false, &memory, &description);
  if (status == LFM_OK) {
    memory.md[3] = *dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    product->scratch = dnnl_memory_desc_get_size(&memory.md[3]);
    status = make_primitive(product, description, names, memory.md, spec->bias ? PRODUCT_ARGS : PRODUCT_ARGS - 1);
  }
  dnnl_primitive_desc_destroy(description);
  return status;
}

static lfm_status fill_row(const lfm_product_spec *spec, lfm_product *product) {
  static const int names[] = {DNNL_ARG_SRC, DNNL_ARG_DST};
  dnnl_memory_desc_t memory[2];
  dnnl_primitive_desc_t description = NULL;
  product->own = *spec->layout;
  product->relu = spec->act.kind == LFM_ACT_RELU;
  if (product->relu || spec->act.kind == LFM_ACT_NONE) return LFM_OK;
  lfm_status status = describe_act(spec, &memory[0], &description);
  memory[1] = memory[0];
  if (status == LFM_OK) status = make_primitive(product, description, names, memory, 2);
  dnnl_primitive_desc_destroy(description);
  return status;
}

/* How many rows of B the AVX-512 product sums at a time. */
static int64_t block_of(int64_t k) { return k > LONG_BLOCK ? LONG_BLOCK : SHORT_BLOCK; }

static bool is_row(const lfm_product_spec *spec) {
  if (!sums_in_blocks || spec->m != 1 || spec->accumulate || spec->half_a || spec->half_c) return false;
  return spec->layout && !spec->layout->half && lfm_gemv_fits(spec->layout);
}

static lfm_status create_split(const lfm_product_spec *spec, lfm_product **out) {
  LFM_TRY(LFM_ALLOC(out, 1));
  (*out)->is_split = true;
  (*out)->split = lfm_amx_split_product_of(spec, &table);
  (*out)->scratch = lfm_amx_split_scratch(&(*out)->split);
  return LFM_OK;
}

static lfm_status product_create(const lfm_product_spec *spec, lfm_product **out) {
  if (spec->layout && spec->layout->split) return create_split(spec, out);
  LFM_TRY(LFM_ALLOC(out, 1));
  int threads = lfm_onednn_threads_to_one();
  lfm_status status = is_row(spec) ? fill_row(spec, *out) : fill_product(spec, *out);
  omp_set_num_threads(threads);
  if (status != LFM_OK) {
    product_destroy(*out);
    *out = NULL;
  }
  return status;
}

static size_t product_scratch(const lfm_product *product) { return product->scratch; }

static lfm_status execute(lfm_product *product, void *const *pointers) {
  int threads = lfm_onednn_threads_to_one();
  dnnl_status_t status = dnnl_success;
  for (int i = 0; i < product->arg_count && status == dnnl_success; i++)
    if (pointers[i] != product->bound[i]) {
      status = dnnl_memory_set_data_handle(product->args[i].memory, pointers[i]);
      product->bound[i] = pointers[i];
    }
  if (status == dnnl_success)
    status = dnnl_primitive_execute(product->primitive, product->stream, product->arg_count, product->args);
  omp_set_num_threads(threads);
  return lfm_onednn_check(status, "running a primitive");
}

static lfm_status product_run(lfm_product *product, const void *a, const void *b, const void *bias, void *c, void *scratch) {
  const lfm_layout *own = &product->own;
  if (product->is_split) {
    lfm_amx_split_run(&product->split, a, b, bias, c, scratch);
    return LFM_OK;
  }
  if (own->rows == 0)
    return execute(product,
                   (void *[PRODUCT_ARGS]){(void *)(uintptr_t)a, (void *)(uintptr_t)b, c, scratch, (void *)(uintptr_t)bias});
  lfm_gemv(c, a, b, own, block_of(own->rows), bias);
  if (product->relu) table.activate(c, NULL, c, (size_t)own->cols, (lfm_act){LFM_ACT_RELU, 0}, false);
  return product->primitive ? execute(product, (void *[PRODUCT_ARGS]){c, c}) : LFM_OK;
}

/* What the library would like for B [k, n]; plain rows where it likes something we cannot write. */
static lfm_status layout(int64_t k, int64_t n, bool half, lfm_layout *out) {
  lfm_product_spec spec = {.m = LAYOUT_ROWS, .n = n, .k = k, .half_a = half, .half_b = half};
  product_memory memory;
  dnnl_primitive_desc_t description = NULL;
  int threads = lfm_onednn_threads_to_one();
  lfm_status status = describe_primitive(&spec, true, &memory, &description);
  if (status == LFM_OK && !layout_from(dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0), out))
    *out = lfm_layout_plain(k, n);
  out->half = half;
  dnnl_primitive_desc_destroy(description);
  omp_set_num_threads(threads);
  return status;
}

static void pack(void *dst, const lfm_layout *layout, bool transposed, const void *w, int64_t ld, int64_t skip, int64_t first,
                 int64_t count) {
  if (layout->split) lfm_amx_split_pack(dst, layout, transposed, w, ld, skip, first, count);
  else lfm_kernels_ref32()->pack(dst, layout, transposed, w, ld, skip, first, count);
}

/* ---- split products: of tangents, and of training -------------------------------------------------------------- */

static bool split_layout(int64_t k, int64_t n, lfm_layout *out) {
  if (!lfm_amx_split_pays(k, n)) return false;
  *out = lfm_amx_split_layout(k, n);
  return true;
}

static lfm_status training_layout(int64_t k, int64_t n, bool half, lfm_layout *out) {
  return split_layout(k, n, out) ? LFM_OK : layout(k, n, half, out);
}

/* Without a layout, the gradient of a matrix: C [m, n]. */
static lfm_status training_product(const lfm_product_spec *spec, lfm_product **out) {
  if (!spec->layout && lfm_amx_split_pays(spec->m, spec->n)) return create_split(spec, out);
  return product_create(spec, out);
}

/* ---- the table ----------------------------------------------------------------------------------------------- */

/* The last whose instructions are all there, as a newer processor has more; NULL: below AVX2, or another architecture. */
static const char *isa_name(dnnl_cpu_isa_t isa) {
  static const struct {
    int isa;
    const char *name;
  } known[] = {{dnnl_cpu_isa_avx2, "avx2"},
               {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
               {dnnl_cpu_isa_avx512_core, "avx512_core"},
               {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
               {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
               {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"}};
  const char *name = NULL;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (((int)isa & known[i].isa) == known[i].isa) name = known[i].name;
  return name;
}

static void make_table(void) {
  const dnnl_version_t *version = dnnl_version();
  const char *isa = isa_name(dnnl_get_effective_cpu_isa());
  table = *lfm_kernels_ref32();
  table.name = "onednn";
  table.identity = identity;
  snprintf(identity, sizeof identity, "onednn %d.%d.%d %s", version->major, version->minor, version->patch,
           isa ? isa : "other");
  table.row_multiple = isa && strncmp(isa, "avx512", 6) == 0 ? 1 : GEMM_ROWS;
  sums_in_blocks = table.row_multiple == 1 && version->major == 2 && version->minor == 6;
  table.layout = layout;
  table.split_layout = split_layout;
  table.pack = pack;
  table.fuses = fuses;
  table.product_create = product_create;
  table.product_scratch = product_scratch;
  table.product_run = product_run;
  table.product_destroy = product_destroy;
  if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) engine = NULL; /* making a product then says so */
  table.image = lfm_onednn_images(false, table.row_multiple == 1);
  direct_table = table;
  direct_table.image = lfm_onednn_images(true, table.row_multiple == 1);
  training_table = table;
  training_table.name = "onednn split";
  training_table.identity = training_identity;
  snprintf(training_identity, sizeof training_identity, "%s, fp32 in two halves", identity);
  training_table.gradient_rows = LFM_AMX_GRADIENT_ROWS;
  training_table.layout = training_layout;
  training_table.product_create = training_product;
}

const lfm_kernels *lfm_kernels_onednn(void) {
  pthread_once(&once, make_table);
  return &table;
}

const lfm_kernels *lfm_kernels_onednn_direct(void) {
  pthread_once(&once, make_table);
  return &direct_table;
}

const lfm_kernels *lfm_kernels_onednn_split(void) {
  pthread_once(&once, make_table);
  return &training_table;
}

dnnl_engine_t lfm_onednn_engine(void) { return engine; }
