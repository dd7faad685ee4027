/* SPDX-License-Identifier: MIT
 *
 * test_run.c -- what a run promises besides being right: a row's bytes do not depend on its place, its neighbours or the
 * size of the run; a broken row breaks no other; the same run twice gives the same bytes; nothing is allocated on the way;
 * memory refused is reported and nothing is lost.
 */
#include "net_support.h"

static const lfm_act relu = {LFM_ACT_RELU, 0}, elu = {LFM_ACT_ELU, 0}, silu = {LFM_ACT_SILU, 0};
static const lfm_act softplus = {LFM_ACT_SOFTPLUS, 20}, act_tanh = {LFM_ACT_TANH, 0}, gelu = {LFM_ACT_GELU, 0};

typedef struct fixture {
  lfm_net *net;
  lfm_params *params;
  size_t size; /* of a number */
} fixture;

static fixture make(const lfm_kernels *kernels, int64_t dim, int64_t hidden, lfm_act act, bool cat_t_all) {
  fixture f;
  lfm_mlp_config config = {dim, hidden, 2, act, cat_t_all, 0, false, {0}};
  OK(lfm_mlp_create(&config, kernels, &f.net));
  OK(lfm_params_create(f.net, &f.params));
  lfm_params_init(f.params, 3, 0);
  f.size = lfm_net_number_size(f.net);
  return f;
}

static void drop(fixture *f) {
  lfm_params_destroy(f->params);
  lfm_net_destroy(f->net);
}

/* Row `row` of a run becomes a copy of row `from` of another. */
static void copy_row(const fixture *f, lfm_run *to, int64_t row, lfm_run *source, int64_t from) {
  size_t x = (size_t)lfm_net_dim(f->net) * f->size;
  memcpy((char *)lfm_run_t(to) + (size_t)row * f->size, (char *)lfm_run_t(source) + (size_t)from * f->size, f->size);
  memcpy((char *)lfm_run_x(to) + (size_t)row * x, (char *)lfm_run_x(source) + (size_t)from * x, x);
}

static bool same_result(const fixture *f, const lfm_run *a, int64_t row, const lfm_run *b, int64_t from) {
  size_t x = (size_t)lfm_net_dim(f->net) * f->size;
  if (memcmp((const char *)lfm_run_v(a) + (size_t)row * x, (const char *)lfm_run_v(b) + (size_t)from * x, x) != 0)
    return false;
  if (!lfm_run_trace(a) || !lfm_run_trace(b)) return true;
  return memcmp((const char *)lfm_run_trace(a) + (size_t)row * f->size,
                (const char *)lfm_run_trace(b) + (size_t)from * f->size, f->size) == 0;
}

/* The rows of one run, in another order and beside other rows, in a run of another size. */
static void check_rows(const fixture *f, lfm_run_kind kind, int64_t rows, int64_t other_rows) {
  lfm_run *run, *other;
  OK(lfm_run_create(f->net, kind, rows, &run));
  OK(lfm_run_create(f->net, kind, other_rows, &other));
  fill_inputs(f->net, run);
  OK(lfm_run_forward(run, f->params));
  for (int64_t shift = 0; shift < 3; shift++) {
    fill_inputs(f->net, other);
    for (int64_t row = 0; row < other_rows; row += 1 + shift) copy_row(f, other, row, run, (row * 7 + shift) % rows);
    OK(lfm_run_forward(other, f->params));
    for (int64_t row = 0; row < other_rows; row += 1 + shift)
      if (!same_result(f, other, row, run, (row * 7 + shift) % rows))
        fail_msg("dim %d, %d rows: row %d in %d rows differs", (int)lfm_net_dim(f->net), (int)rows, (int)row,
                 (int)other_rows);
  }
  lfm_run_destroy(run);
  lfm_run_destroy(other);
}

static const int64_t dims[] = {1, 2, 6, 8, 43, 63}, widths[] = {64, 256, 362, 512};

static void check_all_shapes(const lfm_kernels *kernels, int64_t rows, int64_t other_rows) {
  for (int d = 0; d < 6; d++)
    for (int w = 0; w < 4; w++) {
      fixture f = make(kernels, dims[d], widths[w], (d + w) % 2 ? elu : relu, w == 1);
      check_rows(&f, LFM_RUN_EVAL, rows, other_rows);
      if (dims[d] < 43 || widths[w] < 256) check_rows(&f, LFM_RUN_TRACE, 20, 13);
      drop(&f);
    }
}

static void test_rows_stand_alone(void **state) {
  (void)state;
  check_all_shapes(lfm_kernels_onednn(), 125, 125);
  check_all_shapes(lfm_kernels_onednn(), 64, 17);
}

static void test_rows_stand_alone_in_the_reference(void **state) {
  (void)state;
  for (int w = 0; w < 2; w++) {
    fixture f = make(w ? lfm_kernels_ref64() : lfm_kernels_ref32(), 6, widths[w], softplus, w == 1);
    check_rows(&f, LFM_RUN_EVAL, 33, 14);
    check_rows(&f, LFM_RUN_TRACE, 33, 14);
    drop(&f);
  }
}

/* Runs of one row and of a few: where products of a single row are made another way. */
static void test_a_row_alone_has_the_same_bytes(void **state) {
  (void)state;
  static const int64_t sizes[] = {1, 2, 3, 15, 16, 63, 100, 200};
  for (int i = 0; i < 8; i++) {
    fixture f = make(lfm_kernels_onednn(), 8, 362, i % 2 ? silu : gelu, i % 3 == 0);
    check_rows(&f, LFM_RUN_EVAL, 250, sizes[i]);
    check_rows(&f, LFM_RUN_TRACE, 50, sizes[i] / 4 + 1);
    check_rows(&f, LFM_RUN_TRAIN, 125, sizes[i]);
    drop(&f);
  }
}

/* A team's run of few rows: the bytes of one worker's, whatever the team. */
static void check_shared(const fixture *f, int threads, int64_t rows) {
  lfm_run *run, *shared;
  lfm_team *team;
  OK(lfm_team_create(threads, &team));
  OK(lfm_run_create(f->net, LFM_RUN_EVAL, 40, &run));
  OK(lfm_run_create_shared(f->net, team, rows, &shared));
  fill_inputs(f->net, run);
  OK(lfm_run_forward(run, f->params));
  for (int repeat = 0; repeat < 30; repeat++) {
    int64_t from = repeat * 7 % (40 - rows);
    for (int64_t row = 0; row < rows; row++) copy_row(f, shared, row, run, from + row);
    OK(lfm_run_forward(shared, f->params));
    for (int64_t row = 0; row < rows; row++)
      if (!same_result(f, shared, row, run, from + row))
        fail_msg("dim %d, %d threads, %d rows: row %d differs", (int)lfm_net_dim(f->net), threads, (int)rows, (int)row);
    set_number(f->net, lfm_run_x(shared), 0, NAN); /* nothing of it stays behind */
    OK(lfm_run_forward(shared, f->params));
  }
  lfm_run_destroy(run);
  lfm_run_destroy(shared);
  lfm_team_destroy(team);
}

static void test_a_team_makes_the_same_bytes(void **state) {
  (void)state;
  const lfm_kernels *tables[] = {lfm_kernels_onednn(), lfm_kernels_ref32(), lfm_kernels_ref64()};
  for (int t = 0; t < 3; t++)
    for (int i = 0; i < 4; i++) { /* 362 and 200 do not end with a tile */
      fixture f = make(tables[t], i == 1 ? 63 : 6, (int64_t[]){512, 256, 362, 200}[i], i % 2 ? silu : elu, i > 1);
      for (int threads = 1; threads <= 3; threads++)
        for (int64_t rows = 1; rows <= 5; rows += 4) check_shared(&f, threads, rows);
      drop(&f);
    }
}

static lfm_status make_shared(const lfm_net *net, lfm_team *team) {
  lfm_run *run = (lfm_run *)1;
  lfm_status status = lfm_run_create_shared(net, team, 2, &run);
  assert_true((run != NULL) == (status == LFM_OK));
  lfm_run_destroy(run);
  return status;
}

static void test_refused_memory_of_a_team_is_reported(void **state) {
  (void)state;
  lfm_team *team;
  fixture f = make(lfm_kernels_onednn(), 6, 256, elu, false);
  uint64_t at = 0;
  lfm_status status = LFM_E_MEMORY;
  OK(lfm_team_create(2, &team));
  while (status != LFM_OK) {
    assert_int_equal(status, LFM_E_MEMORY);
    lfm_alloc_fail_at(++at);
    status = make_shared(f.net, team);
  }
  lfm_alloc_fail_at(0);
  assert_true(at > 10);
  lfm_team_destroy(team);
  drop(&f);
}

/* Row i of 5 probes: numbers that its place tells. */
static void fill_probes(const fixture *f, lfm_run *run, int64_t row, int64_t salt) {
  int64_t count = 5 * lfm_net_dim(f->net);
  char *e = (char *)lfm_run_probes(run) + (size_t)(row * count) * f->size;
  for (int64_t i = 0; i < count; i++) {
    double sign = (i * 7 + salt * 13 + i * salt % 5) % 3 ? 1.0 : -1.0;
    if (f->size == sizeof(float)) ((float *)e)[i] = (float)sign;
    else ((double *)e)[i] = sign;
  }
}

/* The same row and probes at another place of a run of another size: the same v and the same estimates. */
static void check_probed(const fixture *f, int64_t rows, int64_t other_rows) {
  lfm_run *run, *other;
  OK(lfm_run_create_probed(f->net, 5, rows, &run));
  OK(lfm_run_create_probed(f->net, 5, other_rows, &other));
  fill_inputs(f->net, run);
  fill_inputs(f->net, other);
  for (int64_t row = 0; row < rows; row++) fill_probes(f, run, row, row);
  for (int64_t row = 0; row < other_rows; row++) fill_probes(f, other, row, row % 2 ? row * 7 % rows : -row);
  for (int64_t row = 1; row < other_rows; row += 2) copy_row(f, other, row, run, row * 7 % rows);
  lfm_alloc_fail_at(0);
  OK(lfm_run_forward(run, f->params));
  OK(lfm_run_forward(other, f->params));
  assert_int_equal(lfm_alloc_fail_at(0), 0);
  for (int64_t row = 1; row < other_rows; row += 2) {
    const char *a = (const char *)lfm_run_trace(run) + (size_t)(row * 7 % rows * 5) * f->size;
    const char *b = (const char *)lfm_run_trace(other) + (size_t)(row * 5) * f->size;
    assert_memory_equal(a, b, 5 * f->size);
  }
  lfm_run_destroy(run);
  lfm_run_destroy(other);
}

static void test_probed_rows_stand_alone(void **state) {
  (void)state;
  for (int d = 0; d < 6; d++)
    for (int backend = 0; backend < 2; backend++) {
      fixture f = make(backend ? lfm_kernels_onednn() : lfm_kernels_ref64(), dims[d], 64, d % 2 ? silu : relu, d == 2);
      lfm_params_pack(f.params);
      check_probed(&f, 121, 17);
      lfm_run *run = (lfm_run *)1;
      assert_int_equal(lfm_run_create_probed(f.net, 0, 9, &run), LFM_E_USAGE);
      assert_null(run);
      drop(&f);
    }
}

/* Kinds of runs agree: a sample's v in a TRACE run is its v in an EVAL run. */
static void test_kinds_agree(void **state) {
  (void)state;
  fixture f = make(lfm_kernels_best(), 6, 256, elu, false);
  lfm_run *runs[3];
  for (int kind = LFM_RUN_EVAL; kind <= LFM_RUN_TRACE; kind++) {
    OK(lfm_run_create(f.net, (lfm_run_kind)kind, 30, &runs[kind]));
    fill_inputs(f.net, runs[kind]);
    OK(lfm_run_forward(runs[kind], f.params));
    for (int64_t row = 0; row < 30; row++) assert_true(same_result(&f, runs[kind], row, runs[0], row));
  }
  for (int kind = 0; kind < 3; kind++) lfm_run_destroy(runs[kind]);
  drop(&f);
}

static void check_poison(const lfm_kernels *kernels, lfm_act act, double poison) {
  fixture f = make(kernels, 6, 64, act, true);
  lfm_run *clean, *broken;
  OK(lfm_run_create(f.net, LFM_RUN_TRACE, 21, &clean));
  OK(lfm_run_create(f.net, LFM_RUN_TRACE, 21, &broken));
  fill_inputs(f.net, clean);
  fill_inputs(f.net, broken);
  for (int64_t i = 0; i < 6; i++) set_number(f.net, lfm_run_x(broken), 11 * 6 + i, poison);
  OK(lfm_run_forward(clean, f.params));
  for (int twice = 0; twice < 2; twice++) OK(lfm_run_forward(broken, f.params)); /* nor may it stay behind in a buffer */
  for (int64_t row = 0; row < 21; row++)
    if (row != 11) assert_true(same_result(&f, broken, row, clean, row));
  lfm_run_destroy(clean);
  lfm_run_destroy(broken);
  drop(&f);
}

static void test_a_broken_row_breaks_no_other(void **state) {
  (void)state;
  const lfm_act acts[] = {relu, elu, silu, softplus, act_tanh, gelu};
  for (int i = 0; i < 6; i++) {
    check_poison(lfm_kernels_onednn(), acts[i], NAN);
    check_poison(lfm_kernels_onednn(), acts[i], INFINITY);
    check_poison(lfm_kernels_ref32(), acts[i], NAN);
    check_poison(lfm_kernels_ref64(), acts[i], -INFINITY);
  }
}

/* One training pass of a fresh run into poisoned memory. */
static void train_once(const fixture *f, void *grads, bool twice) {
  lfm_run *run;
  int64_t rows = 50, outputs = rows * lfm_net_dim(f->net);
  OK(lfm_run_create(f->net, LFM_RUN_TRAIN, rows, &run));
  fill_inputs(f->net, run);
  for (int pass = 0; pass <= (int)twice; pass++) {
    memset(grads, 0xFF, (size_t)lfm_net_param_count(f->net) * f->size);
    OK(lfm_run_forward(run, f->params));
    for (int64_t i = 0; i < outputs; i++) set_number(f->net, lfm_run_dv(run), i, wobble(i, 5));
    OK(lfm_run_backward(run, f->params, grads, false));
  }
  lfm_run_destroy(run);
}

static void test_the_same_bytes_again(void **state) {
  (void)state;
  const lfm_kernels *tables[] = {lfm_kernels_onednn(), lfm_kernels_ref32(), lfm_kernels_ref64()};
  for (int i = 0; i < 3; i++) {
    fixture f = make(tables[i], 8, 100, i == 1 ? silu : elu, i == 2);
    void *once, *again;
    size_t count = (size_t)lfm_net_param_count(f.net);
    OK(lfm_alloc_array(&once, count, f.size));
    OK(lfm_alloc_array(&again, count, f.size));
    train_once(&f, once, false);
    train_once(&f, again, true);
    assert_memory_equal(once, again, count * f.size);
    lfm_free(once);
    lfm_free(again);
    drop(&f);
  }
}

static void test_padding_with_zero_dv_adds_nothing(void **state) {
  (void)state;
  fixture f = make(lfm_kernels_ref64(), 3, 40, elu, false);
  size_t count = (size_t)lfm_net_param_count(f.net);
  double *grads[2];
  for (int padded = 0; padded < 2; padded++) {
    lfm_run *run;
    OK(LFM_ALLOC(&grads[padded], count));
    OK(lfm_run_create(f.net, LFM_RUN_TRAIN, padded ? 20 : 12, &run));
    fill_inputs(f.net, run);
    OK(lfm_run_forward(run, f.params));
    for (int64_t i = 0; i < 3 * lfm_run_rows(run); i++) set_number(f.net, lfm_run_dv(run), i, i < 36 ? wobble(i, 5) : 0.0);
    OK(lfm_run_backward(run, f.params, grads[padded], false));
    lfm_run_destroy(run);
  }
  assert_memory_equal(grads[0], grads[1], count * sizeof(double));
  lfm_free(grads[0]);
  lfm_free(grads[1]);
  drop(&f);
}

static void test_a_run_allocates_nothing(void **state) {
  (void)state;
  for (int kind = LFM_RUN_EVAL; kind <= LFM_RUN_TRACE; kind++) {
    fixture f = make(lfm_kernels_best(), 6, 64, gelu, true);
    lfm_run *run;
    float *grads;
    OK(LFM_ALLOC(&grads, lfm_net_param_count(f.net)));
    OK(lfm_run_create(f.net, (lfm_run_kind)kind, 30, &run));
    fill_inputs(f.net, run);
    assert_true(lfm_alloc_fail_at(0) > 0);
    for (int pass = 0; pass < 3; pass++) {
      lfm_params_pack(f.params);
      OK(lfm_run_forward(run, f.params));
      if (kind == LFM_RUN_TRAIN) OK(lfm_run_backward(run, f.params, grads, pass > 0));
    }
    assert_int_equal(lfm_alloc_fail_at(0), 0);
    lfm_run_destroy(run);
    lfm_free(grads);
    drop(&f);
  }
}

static lfm_status make_everything(const lfm_kernels *kernels, lfm_run_kind kind) {
  lfm_mlp_config config = {3, 16, 2, {LFM_ACT_SILU, 0}, true, 0, false, {0}};
  lfm_net *net = NULL;
  lfm_params *params = NULL;
  lfm_run *run = NULL;
  lfm_status status = lfm_mlp_create(&config, kernels, &net);
  if (status == LFM_OK) status = lfm_params_create(net, &params);
  if (status == LFM_OK) status = lfm_run_create(net, kind, 10, &run);
  lfm_run_destroy(run);
  lfm_params_destroy(params);
  lfm_net_destroy(net);
  return status;
}

static void test_refused_memory_is_reported(void **state) {
  (void)state;
  for (int kind = LFM_RUN_EVAL; kind <= LFM_RUN_TRACE; kind++)
    for (int backend = 0; backend < 2; backend++) {
      uint64_t at = 1;
      for (;; at++) {
        lfm_alloc_fail_at(at);
        lfm_status status = make_everything(backend ? lfm_kernels_onednn() : lfm_kernels_ref64(), (lfm_run_kind)kind);
        if (status == LFM_OK) break;
        assert_int_equal(status, LFM_E_MEMORY);
      }
      lfm_alloc_fail_at(0);
      assert_true(at > 20); /* the sweep met the whole construction */
    }
}

static void test_misuse_is_refused(void **state) {
  (void)state;
  fixture f = make(lfm_kernels_best(), 2, 16, relu, false);
  lfm_run *run = (lfm_run *)1;
  assert_int_equal(lfm_run_create(f.net, LFM_RUN_EVAL, 0, &run), LFM_E_USAGE);
  assert_null(run);
  assert_int_equal(lfm_run_create(f.net, LFM_RUN_TRAIN, INT64_MAX, &run), LFM_E_USAGE);
  OK(lfm_run_create(f.net, LFM_RUN_EVAL, 4, &run));
  float grads[1000];
  assert_int_equal(lfm_run_backward(run, f.params, grads, false), LFM_E_USAGE);
  assert_null(lfm_run_dv(run));
  assert_null(lfm_run_trace(run));
  lfm_run_destroy(run);
  for (int kind = LFM_RUN_EVAL; kind <= LFM_RUN_TRACE; kind++)
    assert_true(lfm_run_rows_advised(f.net, (lfm_run_kind)kind) >= 1);
  drop(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows_stand_alone),
      cmocka_unit_test(test_rows_stand_alone_in_the_reference),
      cmocka_unit_test(test_a_row_alone_has_the_same_bytes),
      cmocka_unit_test(test_a_team_makes_the_same_bytes),
      cmocka_unit_test(test_refused_memory_of_a_team_is_reported),
      cmocka_unit_test(test_probed_rows_stand_alone),
      cmocka_unit_test(test_kinds_agree),
      cmocka_unit_test(test_a_broken_row_breaks_no_other),
      cmocka_unit_test(test_the_same_bytes_again),
      cmocka_unit_test(test_padding_with_zero_dv_adds_nothing),
      cmocka_unit_test(test_a_run_allocates_nothing),
      cmocka_unit_test(test_refused_memory_is_reported),
      cmocka_unit_test(test_misuse_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
