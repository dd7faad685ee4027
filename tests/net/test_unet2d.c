/* SPDX-License-Identifier: MIT
 *
 * test_unet2d.c -- the U-Net against its own definition: gradients and tangents against central differences in double, with
 * every choice its configuration has; float against double; rows that stand alone; dropout that an address tells; the start;
 * what is refused; memory.
 */
#include "fixture_support.h"

#include "net/optim.h"

static lfm_unet2d_config tiny(void) {
  return (lfm_unet2d_config){.channels = 3,
                             .height = 4,
                             .width = 4,
                             .hidden_dim = 32,
                             .mult_count = 2,
                             .mults = {1, 2},
                             .res_depth = 1,
                             .attention_count = 1,
                             .attention = {4},
                             .num_head_channels = 16};
}

/* The other choice everywhere. */
static lfm_unet2d_config other(void) {
  lfm_unet2d_config c = tiny();
  c.channels = 1, c.mults[1] = 1, c.res_depth = 2, c.attention[0] = 2, c.num_head_channels = 0;
  c.scale_shift = true, c.classes = 3, c.dropout = 0.25;
  return c;
}

/* All parameters drawn: nothing stays zero. */
static fixture make(const lfm_unet2d_config *c, const lfm_kernels *kernels) {
  lfm_net *net;
  OK(lfm_unet2d_create(c, kernels, &net));
  fixture f = fixture_of(net);
  for (int64_t i = 0; i < f.count; i++)
    set_number(f.net, lfm_params_data(f.params), i,
               (double)(float)(number_at(f.net, lfm_params_data(f.params), i) + 0.05 * wobble(i, 9)));
  lfm_params_pack(f.params);
  return f;
}

static const lfm_rng dropout = {.seed = 11, .purpose = LFM_FOR_DROPOUT, .step = 4};

static void test_gradients(void **state) {
  (void)state;
  if (getenv("DNNL_MAX_CPU_ISA")) skip(); /* half the time of this file, and the oracle is the same on every processor */
  lfm_unet2d_config configs[] = {tiny(), other()};
  for (int i = 0; i < 2; i++) {
    fixture f = make(&configs[i], lfm_kernels_ref64());
    lfm_run *run = run_of(&f, LFM_RUN_TRAIN, 1);
    lfm_run_dropout(run, &dropout);
    check_gradients(&f, run);
    lfm_run_destroy(run);
    drop(&f);
  }
}

static void test_tangents(void **state) {
  (void)state;
  lfm_unet2d_config configs[] = {tiny(), other()};
  for (int i = 0; i < 2; i++) {
    fixture f = make(&configs[i], lfm_kernels_ref64());
    check_tangents(&f, 3, 2);
    drop(&f);
  }
}

/* The tables of floats give what the oracle gives: v, the gradient, the probes' estimates. */
static void check_floats(const lfm_unet2d_config *c, const lfm_kernels *kernels) {
  enum { ROWS = 3, PROBES = 2 };
  fixture f[2] = {make(c, lfm_kernels_ref64()), make(c, kernels)};
  double *results[2][3];
  int64_t counts[] = {ROWS * lfm_net_dim(f[0].net), f[0].count, ROWS * PROBES};
  for (int k = 0; k < 2; k++) {
    lfm_run *run = run_of(&f[k], LFM_RUN_TRAIN, ROWS), *probed = probed_of(&f[k], PROBES, ROWS);
    lfm_run_dropout(run, &dropout);
    void *grads = gradient_of(&f[k], run);
    const void *found[] = {lfm_run_v(run), grads, lfm_run_trace(probed)};
    for (int r = 0; r < 3; r++) {
      OK(LFM_ALLOC(&results[k][r], counts[r]));
      for (int64_t i = 0; i < counts[r]; i++) results[k][r][i] = number_at(f[k].net, found[r], i);
    }
    lfm_free(grads);
    lfm_run_destroy(run), lfm_run_destroy(probed);
  }
  for (int r = 0; r < 3; r++) {
    double off = 0, norm = 0;
    for (int64_t i = 0; i < counts[r]; i++)
      off += pow(results[1][r][i] - results[0][r][i], 2), norm += pow(results[0][r][i], 2);
    if (!(sqrt(off / norm) < (r == 2 ? 2e-5 : 5e-6))) /* an estimate is a sum of opposite signs */
      fail_msg("%s: result %d is off by %.3g", lfm_kernels_name(kernels), r, sqrt(off / norm));
    lfm_free(results[0][r]), lfm_free(results[1][r]);
  }
  drop(&f[0]), drop(&f[1]);
}

static void test_floats(void **state) {
  (void)state;
  lfm_unet2d_config configs[] = {tiny(), other()};
  for (int i = 0; i < 2; i++) {
    configs[i].height = configs[i].width = 8, configs[i].attention[0] = 4; /* groups of few numbers are ill-conditioned */
    check_floats(&configs[i], lfm_kernels_ref32());
    check_floats(&configs[i], i ? lfm_kernels_onednn_direct() : lfm_kernels_onednn());
  }
}

/* Rows of one run at other places of runs of other sizes, with the address they had: the same bytes; and in every kind. */
static void check_rows(const lfm_kernels *kernels) {
  enum { ROWS = 7 };
  lfm_unet2d_config c = other();
  c.height = c.width = 16, c.attention[0] = 8;
  fixture f = make(&c, kernels);
  size_t dim = (size_t)lfm_net_dim(f.net);
  for (lfm_run_kind kind = LFM_RUN_EVAL; kind <= LFM_RUN_TRAIN; kind++) {
    lfm_run *run = run_of(&f, kind, ROWS);
    if (kind == LFM_RUN_TRAIN) lfm_run_dropout(run, &dropout);
    OK(lfm_run_forward(run, f.params));
    for (int64_t rows = 1; rows <= 10; rows += 3) {
      lfm_run *few = run_of(&f, kind, rows);
      float *x = lfm_run_x(few), *t = lfm_run_t(few), *labels = lfm_run_given(few);
      if (kind == LFM_RUN_TRAIN) lfm_run_dropout(few, &dropout);
      for (int64_t row = 0; row < rows; row++) {
        int64_t from = (row * 3 + 1) % ROWS;
        memcpy(x + (size_t)row * dim, (float *)lfm_run_x(run) + (size_t)from * dim, dim * sizeof *x);
        t[row] = ((float *)lfm_run_t(run))[from], labels[row] = ((float *)lfm_run_given(run))[from];
        if (kind == LFM_RUN_TRAIN) lfm_run_dropout_rows(few)[row] = from;
      }
      OK(lfm_run_forward(few, f.params));
      for (int64_t row = 0; row < rows; row++)
        assert_memory_equal((const float *)lfm_run_v(few) + (size_t)row * dim,
                            (const float *)lfm_run_v(run) + (size_t)((row * 3 + 1) % ROWS) * dim, dim * sizeof *x);
      lfm_run_destroy(few);
    }
    lfm_run_destroy(run);
  }
  drop(&f);
}

/* On a processor that has it; NULL: none. */
static const lfm_kernels *bf16(void) {
  const lfm_kernels *kernels;
  return lfm_kernels_bf16(&kernels) == LFM_OK ? lfm_kernels_bf16_pairs() : NULL;
}

static void test_rows_stand_alone(void **state) {
  (void)state;
  check_rows(lfm_kernels_onednn());
  if (bf16()) check_rows(bf16());
}

/* Twice the same bytes; added gradients are the sum; none of it asks for memory; without an address nothing is dropped. */
static void test_runs_repeat(void **state) {
  (void)state;
  lfm_unet2d_config c = other();
  fixture f = make(&c, lfm_kernels_onednn());
  lfm_run *run = run_of(&f, LFM_RUN_TRAIN, 3), *eval = run_of(&f, LFM_RUN_EVAL, 3);
  size_t bytes = 3 * (size_t)lfm_net_dim(f.net) * sizeof(float);
  lfm_run_dropout(run, &dropout);
  float *first = gradient_of(&f, run), *second = gradient_of(&f, run);
  assert_memory_equal(first, second, (size_t)f.count * sizeof *first);
  for (int64_t i = 0; i < 3 * lfm_net_dim(f.net); i++) set_number(f.net, lfm_run_dv(run), i, wobble(i, 5));
  lfm_alloc_fail_at(0);
  OK(lfm_run_forward(run, f.params));
  OK(lfm_run_backward(run, f.params, second, true));
  assert_int_equal(lfm_alloc_fail_at(0), 0);
  double off = 0, norm = 0;
  for (int64_t i = 0; i < f.count; i++) {
    double once = (double)first[i];
    off += pow((double)second[i] - 2 * once, 2), norm += pow(2 * once, 2);
  }
  assert_true(sqrt(off / norm) < 1e-6);
  OK(lfm_run_forward(eval, f.params));
  assert_memory_not_equal(lfm_run_v(run), lfm_run_v(eval), bytes);
  lfm_run_dropout(run, NULL);
  OK(lfm_run_forward(run, f.params));
  assert_memory_equal(lfm_run_v(run), lfm_run_v(eval), bytes);
  lfm_free(first), lfm_free(second);
  lfm_run_destroy(run), lfm_run_destroy(eval);
  drop(&f);
}

typedef struct lanes {
  const fixture *f;
  lfm_run *run[3];
  float *grads[3];
} lanes;

static lfm_status run_lane(void *context, int worker, int64_t lane) {
  lanes *l = context;
  lfm_run *run = l->run[lane];
  (void)worker;
  LFM_TRY(lfm_run_forward(run, l->f->params));
  memcpy(lfm_run_dv(run), lfm_run_v(run), (size_t)(lfm_run_rows(run) * lfm_net_dim(l->f->net)) * sizeof(float));
  return lfm_run_backward(run, l->f->params, l->grads[lane], false);
}

/* Some steps of three lanes by a team.  What the optimiser packed strip by strip is what a fresh packing gives. */
static float *train(const lfm_kernels *kernels, int threads) {
  enum { LANES = 3, STEPS = 3 };
  lfm_unet2d_config c = other();
  fixture f = make(&c, kernels);
  lanes l = {.f = &f};
  lfm_team *team;
  lfm_optim *optim;
  lfm_optim_config config;
  double norm, first = 0;
  OK(lfm_team_create(threads, &team));
  lfm_optim_defaults(&config);
  OK(lfm_optim_create(f.net, &config, &optim));
  for (int lane = 0; lane < LANES; lane++) {
    l.run[lane] = run_of(&f, LFM_RUN_TRAIN, 2 + lane);
    OK(LFM_ALLOC(&l.grads[lane], f.count));
  }
  for (int step = 0; step < STEPS; step++) {
    OK(lfm_team_run(team, LANES, run_lane, &l));
    OK(lfm_optim_step(optim, team, f.params, &(lfm_gradient){l.grads, LANES, NULL}, 1e-3, 0, &norm));
    if (step == 0) first = norm;
  }
  assert_true(norm < 0.9 * first); /* v goes to zero: the loss is its square */
  float *out;
  OK(LFM_ALLOC(&out, f.count));
  memcpy(out, lfm_params_values(f.params), (size_t)f.count * sizeof *out);
  size_t bytes = 2 * (size_t)lfm_net_dim(f.net) * sizeof(float);
  float *v;
  OK(lfm_alloc_array(&v, bytes, 1));
  OK(lfm_run_forward(l.run[0], f.params));
  memcpy(v, lfm_run_v(l.run[0]), bytes);
  lfm_params_pack(f.params);
  OK(lfm_run_forward(l.run[0], f.params));
  assert_memory_equal(v, lfm_run_v(l.run[0]), bytes);
  for (int lane = 0; lane < LANES; lane++) lfm_run_destroy(l.run[lane]), lfm_free(l.grads[lane]);
  lfm_free(v);
  lfm_optim_destroy(optim);
  lfm_team_destroy(team);
  drop(&f);
  return out;
}

static void check_teams(const lfm_kernels *kernels) {
  float *one = train(kernels, 1), *two = train(kernels, 2), *three = train(kernels, 3);
  lfm_net *net;
  lfm_unet2d_config c = other();
  OK(lfm_unet2d_create(&c, lfm_kernels_onednn(), &net));
  size_t bytes = (size_t)lfm_net_param_count(net) * sizeof(float);
  assert_memory_equal(one, two, bytes);
  assert_memory_equal(one, three, bytes);
  lfm_net_destroy(net);
  lfm_free(one), lfm_free(two), lfm_free(three);
}

/* One image made by a team, blocks of channels by each, or of the larger ones some of the pixels: the bytes of one worker's,
 * also among others. */
static void test_a_team_evaluates_the_same_bytes(void **state) {
  (void)state;
  lfm_unet2d_config configs[] = {tiny(), other(), tiny()};
  configs[0].scale_shift = true, configs[0].hidden_dim = 64; /* more blocks than workers; shifts far from their scales */
  configs[2].height = configs[2].width = 32, configs[2].hidden_dim = 64, configs[2].attention[0] = 16; /* copies are shared */
  for (int i = 0; i < 3; i++) {
    fixture f = make(&configs[i], i == 1 ? lfm_kernels_ref32() : lfm_kernels_onednn());
    lfm_run *run = run_of(&f, LFM_RUN_EVAL, 3);
    size_t dim = (size_t)lfm_net_dim(f.net);
    OK(lfm_run_forward(run, f.params));
    for (int threads = 1; threads <= 3; threads++) {
      lfm_team *team;
      lfm_run *alone;
      OK(lfm_team_create(threads, &team));
      OK(lfm_run_create_shared(f.net, team, 1, &alone));
      for (int64_t row = 0; row < 3; row++) {
        set_number(f.net, lfm_run_t(alone), 0, number_at(f.net, lfm_run_t(run), row));
        memcpy(lfm_run_x(alone), (float *)lfm_run_x(run) + (size_t)row * dim, dim * sizeof(float));
        if (lfm_run_given(run)) set_number(f.net, lfm_run_given(alone), 0, number_at(f.net, lfm_run_given(run), row));
        OK(lfm_run_forward(alone, f.params));
        assert_memory_equal(lfm_run_v(alone), (const float *)lfm_run_v(run) + (size_t)row * dim, dim * sizeof(float));
      }
      lfm_run_destroy(alone);
      lfm_team_destroy(team);
    }
    lfm_run_destroy(run);
    drop(&f);
  }
}

static void test_any_team_trains_the_same_bytes(void **state) {
  (void)state;
  check_teams(lfm_kernels_onednn());
  if (bf16()) check_teams(bf16());
}

/* Weights for evaluation alone: the same bytes from less memory, and no gradient; trained ones may begin with them. */
static void test_untrained_weights(void **state) {
  (void)state;
  lfm_unet2d_config c = tiny();
  fixture f = make(&c, lfm_kernels_onednn());
  lfm_params *untrained;
  OK(lfm_params_create_untrained(f.net, &untrained));
  lfm_params_copy(untrained, f.params);
  assert_true(lfm_params_memory(untrained) < lfm_params_memory(f.params));
  lfm_run *run = run_of(&f, LFM_RUN_TRAIN, 2);
  float *grads = gradient_of(&f, run), *v;
  size_t bytes = 2 * (size_t)lfm_net_dim(f.net) * sizeof *v;
  OK(lfm_alloc_array(&v, bytes, 1));
  memcpy(v, lfm_run_v(run), bytes);
  memset(lfm_run_x(run), 0, bytes);
  fill_inputs(f.net, run);
  OK(lfm_run_forward(run, untrained));
  assert_memory_equal(v, lfm_run_v(run), bytes);
  assert_int_equal(lfm_run_backward(run, untrained, grads, false), LFM_E_USAGE);
  lfm_params_init(f.params, 8, 1);
  lfm_params_copy(f.params, untrained);
  float *again = gradient_of(&f, run); /* through what backward reads, too */
  assert_memory_equal(again, grads, (size_t)f.count * sizeof *grads);
  lfm_free(v), lfm_free(grads), lfm_free(again);
  lfm_params_destroy(untrained);
  lfm_run_destroy(run);
  drop(&f);
}

/* torch's laws, tensor by tensor; every residual branch and the output start at zero. */
static void test_the_start(void **state) {
  (void)state;
  lfm_unet2d_config c = other();
  fixture f = make(&c, lfm_kernels_ref32());
  lfm_params_init(f.params, 7, 1);
  for (int i = 0; i < lfm_net_tensor_count(f.net); i++) {
    const lfm_tensor_info *info = lfm_net_tensor(f.net, i);
    const float *w = (const float *)lfm_params_values(f.params) + info->offset;
    bool zero = strstr(info->name, "out_layers.3") || strstr(info->name, "proj_out") || strncmp(info->name, "out.2", 5) == 0;
    bool norm = strstr(info->name, "in_layers.0") || strstr(info->name, "out_layers.0") || strstr(info->name, ".norm.") ||
                strncmp(info->name, "out.0", 5) == 0;
    double most = 0, squares = 0, fan_in = 1;
    for (int64_t j = 0; j < info->count; j++) most = fmax(most, fabs((double)w[j])), squares += (double)w[j] * (double)w[j];
    for (int d = 1; d < info->dims; d++) fan_in *= (double)info->shape[d];
    if (zero) assert_true(most == 0);
    else if (norm) assert_true(squares == (strstr(info->name, "weight") ? (double)info->count : 0));
    else if (strstr(info->name, "label_emb")) assert_true(fabs(squares / (double)info->count - 1) < 0.25);
    else if (info->dims > 1) {
      assert_true(most <= 1 / sqrt(fan_in) && most > 0.9 / sqrt(fan_in));
      assert_true(fabs(squares / (double)info->count * fan_in * 3 - 1) < 0.2);
    }
  }
  lfm_run *run = run_of(&f, LFM_RUN_EVAL, 2);
  OK(lfm_run_forward(run, f.params));
  for (int64_t i = 0; i < 2 * lfm_net_dim(f.net); i++) assert_true(number_at(f.net, lfm_run_v(run), i) == 0);
  lfm_run_destroy(run);
  drop(&f);
}

/* Multiply-adds of one image by hand: the maps of a network of one level, of one pixel each. */
static void test_operations_are_counted(void **state) {
  (void)state;
  lfm_unet2d_config c = {
      .channels = 1, .height = 2, .width = 2, .hidden_dim = 32, .mult_count = 1, .mults = {1}, .res_depth = 1};
  lfm_net *net;
  OK(lfm_unet2d_create(&c, lfm_kernels_onednn(), &net)); /* which pads what is not counted */
  double pixels = 4, conv = 9 * 32 * 32 * pixels, time = 32 * 128 + 128 * 128, emb = 128 * 32;
  double first = 9 * 32 * pixels, last = 9 * 32 * pixels,
         attention = 32 * 96 * pixels + 2 * pixels * pixels * 32 + 32 * 32 * pixels;
  double skip = 64 * 32 * pixels, wide = 9 * 64 * 32 * pixels; /* of the two blocks up */
  double macs = first + last + time + attention + 3 * (2 * conv + emb) + 2 * (wide + conv + emb + skip);
  assert_true(lfm_net_forward_flops(net) == 2 * macs);
  assert_true(lfm_net_train_flops(net) == 2 * (3 * macs - first - 32 * 128)); /* neither image nor time takes a gradient */
  lfm_net_destroy(net);
}

static void test_rows_advised(void **state) {
  (void)state;
  lfm_unet2d_config c = {
      .channels = 3, .height = 32, .width = 32, .hidden_dim = 64, .mult_count = 2, .mults = {1, 2}, .res_depth = 2};
  lfm_net *net;
  OK(lfm_unet2d_create(&c, lfm_kernels_onednn(), &net));
  assert_int_equal(lfm_run_rows_advised(net, LFM_RUN_TRAIN), 8);
  assert_int_equal(lfm_run_rows_advised(net, LFM_RUN_EVAL), 16);
  assert_in_range(lfm_run_rows_advised(net, LFM_RUN_TRACE), 1, 16);
  lfm_net_destroy(net);
  c.height = c.width = 8;
  OK(lfm_unet2d_create(&c, lfm_kernels_onednn(), &net));
  assert_int_equal(lfm_run_rows_advised(net, LFM_RUN_TRAIN), 16); /* of small ones there is room for more */
  lfm_net_destroy(net);
  c.height = c.width = 256;
  OK(lfm_unet2d_create(&c, lfm_kernels_onednn(), &net));
  assert_in_range(lfm_run_rows_advised(net, LFM_RUN_TRAIN), 1, 2);
  lfm_net_destroy(net);
}

static void test_labels_are_checked(void **state) {
  (void)state;
  lfm_unet2d_config c = other();
  fixture f = make(&c, lfm_kernels_onednn());
  lfm_run *run = run_of(&f, LFM_RUN_EVAL, 2);
  static const double wrong[] = {-1, 3, 0.5, 1e30, NAN};
  for (int i = 0; i < 5; i++) {
    set_number(f.net, lfm_run_given(run), 1, wrong[i]);
    assert_int_equal(lfm_run_forward(run, f.params), LFM_E_USAGE);
  }
  set_number(f.net, lfm_run_given(run), 1, 2);
  OK(lfm_run_forward(run, f.params));
  lfm_run_destroy(run);
  drop(&f);
}

static void refused(lfm_unet2d_config c, const lfm_kernels *kernels, lfm_status status) {
  lfm_net *net = (lfm_net *)1;
  assert_int_equal(lfm_unet2d_create(&c, kernels, &net), status);
  assert_null(net);
}

static void test_what_is_refused(void **state) {
  (void)state;
  lfm_unet2d_config c = tiny();
  c.height = 5, refused(c, lfm_kernels_ref64(), LFM_E_USAGE), c = tiny();
  c.hidden_dim = 48, refused(c, lfm_kernels_ref64(), LFM_E_USAGE), c = tiny();
  assert_non_null(strstr(lfm_error(), "hidden_dim is 48; a multiple of 32 is needed"));
  c.num_head_channels = 24, refused(c, lfm_kernels_ref64(), LFM_E_USAGE), c = tiny();
  c.mult_count = 9, refused(c, lfm_kernels_ref64(), LFM_E_USAGE), c = tiny();
  c.mults[1] = 0, refused(c, lfm_kernels_ref64(), LFM_E_USAGE), c = tiny();
  c.attention[0] = 0, refused(c, lfm_kernels_ref64(), LFM_E_USAGE), c = tiny();
  c.dropout = 1, refused(c, lfm_kernels_ref64(), LFM_E_USAGE), c = tiny();
  c.height = c.width = 512, c.mults[0] = 2, c.dropout = 0.1, refused(c, lfm_kernels_ref64(), LFM_E_UNSUPPORTED), c = tiny();
  c.res_depth = 0, refused(c, lfm_kernels_ref64(), LFM_E_USAGE), c = tiny();
  c.channels = 0, refused(c, lfm_kernels_ref64(), LFM_E_USAGE), c = tiny();
  fixture f = make(&c, lfm_kernels_ref64()); /* an exact trace would take as many tangents as there are pixels */
  lfm_run *run = (lfm_run *)1;
  assert_int_equal(lfm_run_create(f.net, LFM_RUN_TRACE, 2, &run), LFM_E_UNSUPPORTED);
  assert_null(run);
  drop(&f);
}

typedef struct plan {
  const lfm_kernels *kernels;
  bool probed;
} plan;

static lfm_status build_and_plan(const void *context) {
  const plan *p = context;
  lfm_unet2d_config c = other();
  lfm_net *net;
  c.height = c.width = 1, c.res_depth = c.mult_count = 1;
  LFM_TRY(lfm_unet2d_create(&c, p->kernels, &net));
  return plan_and_drop(net, p->probed);
}

static void test_refused_memory_is_reported(void **state) {
  (void)state;
  for (int probed = 0; probed < 2; probed++) {
    uint64_t at = check_refused_memory(build_and_plan, &(plan){lfm_kernels_ref64(), probed});
    size_t before = lfm_alloc_in_use();
    assert_true(at > 50);
    for (uint64_t some = 1; some < at; some += 37) { /* the library's convolutions */
      lfm_alloc_fail_at(some);
      assert_int_equal(build_and_plan(&(plan){lfm_kernels_onednn(), probed}), LFM_E_MEMORY);
      assert_int_equal(lfm_alloc_in_use(), before);
    }
    lfm_alloc_fail_at(0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradients),
      cmocka_unit_test(test_tangents),
      cmocka_unit_test(test_floats),
      cmocka_unit_test(test_rows_stand_alone),
      cmocka_unit_test(test_runs_repeat),
      cmocka_unit_test(test_any_team_trains_the_same_bytes),
      cmocka_unit_test(test_a_team_evaluates_the_same_bytes),
      cmocka_unit_test(test_the_start),
      cmocka_unit_test(test_operations_are_counted),
      cmocka_unit_test(test_rows_advised),
      cmocka_unit_test(test_labels_are_checked),
      cmocka_unit_test(test_untrained_weights),
      cmocka_unit_test(test_what_is_refused),
      cmocka_unit_test(test_refused_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
