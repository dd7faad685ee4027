/* SPDX-License-Identifier: MIT
 *
 * test_matching.c -- the loss and its gradient against the definition, written out in double from the same random numbers;
 * mean targets teach what the pairs' own do; the marginals of both ends; padding and the cutting of a batch.
 */
#include "flow_support.h"

#include "flow/matching.h"

enum { DIM = 2, HIDDEN = 5, POOL = 40, BATCH = 24, GIVENS = 3 };

static const lfm_coupling couplings[] = {LFM_COUPLING_DEPENDENT, LFM_COUPLING_SHUFFLED, LFM_COUPLING_INDEPENDENT,
                                         LFM_COUPLING_SHARED};

typedef struct fixture {
  lfm_net *net, *oracle;
  lfm_params *params, *oracle_params;
  float values[POOL * DIM], given[POOL * GIVENS];
  lfm_pool pool;
} fixture;

static void setup(fixture *f) {
  lfm_mlp_config mlp = {DIM, HIDDEN, 2, {LFM_ACT_SILU, 0}, false, GIVENS, false, {0}};
  OK(lfm_mlp_create(&mlp, lfm_kernels_best(), &f->net));
  OK(lfm_mlp_create(&mlp, lfm_kernels_ref64(), &f->oracle));
  OK(lfm_params_create(f->net, &f->params));
  OK(lfm_params_create(f->oracle, &f->oracle_params));
  lfm_params_init(f->params, 3, 0);
  lfm_params_init(f->oracle_params, 3, 0);
  lfm_rng rng = {.seed = 8, .purpose = LFM_FOR_DATA};
  lfm_rng_normal(&rng, 0, f->values, POOL * DIM);
  lfm_rng_normal(&rng, 1, f->given, POOL * GIVENS);
  f->pool = (lfm_pool){.rows = POOL, .dim = DIM, .values = f->values, .givens = GIVENS, .given = f->given};
}

static void teardown(fixture *f) {
  lfm_params_destroy(f->params);
  lfm_params_destroy(f->oracle_params);
  lfm_net_destroy(f->net);
  lfm_net_destroy(f->oracle);
}

static lfm_pairs pairs_of(const fixture *f, lfm_interp interp, lfm_coupling coupling, int times, bool beta, double before) {
  return (lfm_pairs){.pool = &f->pool,
                     .dim = DIM,
                     .pairing = {.coupling = coupling, .seed = 12, .block = 1, .pool_rows = POOL, .batch = BATCH},
                     .ou_to_right = lfm_ou_step(0.3),
                     .ou_to_left = lfm_ou_step(before),
                     .interp = interp,
                     .beta_times = beta,
                     .alpha = 2.0,
                     .beta = 0.5,
                     .times = times,
                     .noise_for = LFM_FOR_NOISE,
                     .time_for = LFM_FOR_TIME};
}

/* ---- the definition, in double ------------------------------------------------------------------------------- */

/* Number j of a pool row that is seen mirrored in half of the draws. */
static double seen(const lfm_pairs *p, int64_t step, int64_t pair, uint32_t end, const float *row, int j) {
  lfm_rng side = {.seed = p->pairing.seed, .purpose = LFM_FOR_FLIP, .block = p->pairing.block, .step = (uint32_t)step};
  return (double)row[p->mirror && lfm_rng_uniform(&side, pair, end) < 0.5 ? DIM - 1 - j : j];
}

static void ends_again(const lfm_pairs *p, int64_t step, int64_t pair, double left[DIM], double right[DIM]) {
  float z[3 * DIM];
  lfm_rng rng = {.seed = p->pairing.seed, .purpose = p->noise_for, .block = p->pairing.block, .step = (uint32_t)step};
  lfm_rng_normal(&rng, pair, z, 3 * DIM);
  bool shared = p->pairing.coupling == LFM_COUPLING_SHARED, other_row = !lfm_coupling_is_own(p->pairing.coupling);
  double signal = p->ou_to_left.decay * p->ou_to_right.decay; /* of x_0 in x_r, where the rest is one noise */
  const float *from = p->pool->values + lfm_pairing_left(&p->pairing, step, pair) * DIM;
  const float *other = p->pool->values + lfm_pairing_right(&p->pairing, step, pair) * DIM;
  for (int j = 0; j < DIM; j++) {
    double x = seen(p, step, pair, 0, from, j), y = seen(p, step, pair, other_row, other, j);
    left[j] = p->ou_to_left.decay * x + p->ou_to_left.noise * (double)z[(shared ? 0 : DIM) + j];
    double start = p->ou_to_left.decay * y + p->ou_to_left.noise * (double)z[(other_row ? 2 : 1) * DIM + j];
    right[j] = shared ? signal * x + sqrt(1.0 - signal * signal) * (double)z[j]
                      : p->ou_to_right.decay * start + p->ou_to_right.noise * (double)z[j];
  }
}

/* The mean of a' x_l + b' x_r given the point, by Bayes over the candidates x_0: x_l = D x_0 + S n, x_r = e x_l + s z. */
static void mean_target_again(const lfm_pairs *p, int64_t step, bool trig, double t, const double *point, double *target) {
  double angle = M_PI * t / 2.0, a = trig ? cos(angle) : 1.0 - t, b = trig ? sin(angle) : t;
  double da = trig ? -M_PI / 2 * b : -1.0, db = trig ? M_PI / 2 * a : 1.0;
  bool shared = p->pairing.coupling == LFM_COUPLING_SHARED;
  double alpha = a + b * p->ou_to_right.decay, spread = p->ou_to_left.noise, sigma = b * p->ou_to_right.noise;
  double signal = p->ou_to_left.decay * p->ou_to_right.decay,
         noise = a * spread + b * sqrt(1.0 - signal * signal); /* of one z */
  double variance = shared ? noise * noise : alpha * alpha * spread * spread + sigma * sigma, all = 0.0, sums[DIM] = {0};
  for (int64_t k = 0; k < p->target_rows; k++) {
    const float *row = p->pool->values + lfm_pairing_left(&p->pairing, step, k) * DIM;
    double square = 0.0;
    for (int j = 0; j < DIM; j++) square += pow(point[j] - alpha * p->ou_to_left.decay * (double)row[j], 2.0);
    double w = exp(-square / (2.0 * variance));
    all += w;
    for (int j = 0; j < DIM; j++) {
      double start = p->ou_to_left.decay * (double)row[j];
      double gain = shared ? spread / noise : alpha * spread * spread / variance;
      double left = start + gain * (point[j] - alpha * start);
      sums[j] += w * (da * left + db * (point[j] - a * left) / b);
    }
  }
  for (int j = 0; j < DIM; j++) target[j] = sums[j] / all;
}

/* Sum of squared errors of every row of a batch. */
static double loss_again(const fixture *f, const lfm_pairs *p, int64_t step) {
  int64_t rows = BATCH * p->times;
  double sum = 0.0, targets[BATCH * 4 * DIM];
  lfm_run *run;
  OK(lfm_run_create(f->oracle, LFM_RUN_EVAL, rows, &run));
  double *t = lfm_run_t(run), *x = lfm_run_x(run), *given = lfm_run_given(run);
  lfm_rng rng = {.seed = p->pairing.seed, .purpose = p->time_for, .block = p->pairing.block, .step = (uint32_t)step};
  for (int64_t r = 0; r < rows; r++) {
    double left[DIM], right[DIM];
    uint32_t k = (uint32_t)(r % p->times);
    ends_again(p, step, r / p->times, left, right);
    const float *of = p->pool->given + lfm_pairing_left(&p->pairing, step, r / p->times) * GIVENS; /* what x_l's row has */
    for (int j = 0; j < GIVENS; j++) given[r * GIVENS + j] = p->given_drop > 0.0 ? 0.0 : (double)of[j];
    t[r] = p->beta_times ? lfm_rng_beta(&rng, r / p->times, k, p->alpha, p->beta) : lfm_rng_uniform(&rng, r / p->times, k);
    double angle = M_PI * t[r] / 2.0;
    for (int j = 0; j < DIM; j++) {
      bool trig = p->interp == LFM_INTERP_TRIG;
      x[r * DIM + j] = trig ? cos(angle) * left[j] + sin(angle) * right[j] : left[j] + t[r] * (right[j] - left[j]);
      targets[r * DIM + j] = trig ? M_PI / 2 * (cos(angle) * right[j] - sin(angle) * left[j]) : right[j] - left[j];
    }
    if (p->target_rows) mean_target_again(p, step, p->interp == LFM_INTERP_TRIG, t[r], x + r * DIM, targets + r * DIM);
  }
  OK(lfm_run_forward(run, f->oracle_params));
  const double *v = lfm_run_v(run);
  for (int64_t i = 0; i < rows * DIM; i++) sum += (v[i] - targets[i]) * (v[i] - targets[i]);
  lfm_run_destroy(run);
  return sum;
}

static void check_case(const fixture *f, const lfm_pairs *p, int64_t step) {
  int64_t rows = BATCH * p->times, count = lfm_net_param_count(f->net);
  lfm_matching *matching;
  double loss = 0.0, sum = 0.0, normaliser = (double)(rows * DIM);
  float *grads;
  OK(LFM_ALLOC(&grads, count));
  for (int64_t i = 0; i < count; i++) grads[i] = 1e30f;
  OK(lfm_matching_create(f->net, LFM_RUN_TRAIN, rows, &matching));
  if (p->target_rows) OK(lfm_matching_average(matching, p->target_rows));
  OK(lfm_matching_gradient(matching, p, f->params, step, 0, rows, normaliser, grads, false, &loss));
  OK(lfm_matching_loss(matching, p, f->params, step, 0, rows, &sum));
  assert_near(loss, loss_again(f, p, step), 2e-5 * loss);
  assert_true(sum == loss);

  double *weights = lfm_params_data(f->oracle_params);
  for (int64_t i = 0; i < count; i++) {
    const double h = 1e-4;
    double before = weights[i], above, below;
    weights[i] = before + h, lfm_params_pack(f->oracle_params), above = loss_again(f, p, step);
    weights[i] = before - h, lfm_params_pack(f->oracle_params), below = loss_again(f, p, step);
    weights[i] = before, lfm_params_pack(f->oracle_params);
    double slope = (above - below) / (2 * h) / normaliser;
    assert_near((double)grads[i], slope, 2e-5 * (1.0 + fabs(slope)));
  }
  lfm_matching_destroy(matching);
  lfm_free(grads);
}

/* Every interpolant with every coupling, one and several times, both laws of t, both pools, rows as they
 * are and mirrored. */
static void loss_and_gradient_are_the_definition(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  for (int k = 0; k < 4; k++)
    for (int interp = 0; interp < 2; interp++)
      for (int beta = 0; beta < 2; beta++)
        for (int ou = 0; ou < 2; ou++) {
          int times = (k + interp + beta) % 2 ? 3 : 1;
          lfm_pairs p =
              pairs_of(&f, interp ? LFM_INTERP_TRIG : LFM_INTERP_LINEAR, couplings[k], times, beta, ou ? 0.25 : 0.0);
          p.mirror = beta ? DIM : 0;
          check_case(&f, &p, 4 + k);
        }
  lfm_pairs withheld = pairs_of(&f, LFM_INTERP_TRIG, LFM_COUPLING_DEPENDENT, 1, false, 0.0);
  withheld.given_drop = 1.0; /* then it is zeros */
  check_case(&f, &withheld, 1);
  teardown(&f);
}

/* Mean targets over the batch and over more, with both interpolants, pools and kinds of noise, before the last block and in
 * it. */
static void mean_targets_are_the_definition(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  for (int interp = 0; interp < 2; interp++)
    for (int ou = 0; ou < 3; ou++)
      for (int last = 0; last < 2; last++) {
        lfm_pairs p = pairs_of(&f, interp ? LFM_INTERP_TRIG : LFM_INTERP_LINEAR,
                               ou == 2 ? LFM_COUPLING_SHARED : LFM_COUPLING_DEPENDENT, ou ? 3 : 1, false, ou ? 0.25 : 0.0);
        p.target_rows = interp ? BATCH : BATCH + 9;
        if (last) p.ou_to_right = lfm_ou_step(NAN);
        check_case(&f, &p, 2);
      }
  teardown(&f);
}

/* Over many batches the gradient has the same mean as that of the pairs' own targets, and less noise. */
static void mean_targets_teach_the_same_with_less_noise(void **state) {
  (void)state;
  enum { STEPS = 600, MOST = 96 };
  fixture f;
  setup(&f);
  f.pool.given = NULL; /* the mean is over rows of whatever is given */
  lfm_pairs own = pairs_of(&f, LFM_INTERP_TRIG, LFM_COUPLING_DEPENDENT, 1, false, 0.0), mean = own;
  own.ou_to_right = mean.ou_to_right = lfm_ou_step(NAN);
  own.defensive = mean.defensive = 0.1; /* rows of the wide law are among the batch and keep their own */
  mean.target_rows = BATCH;
  int64_t count = lfm_net_param_count(f.net);
  assert_in_range(count, 1, MOST);
  double sum[MOST] = {0}, apart[MOST] = {0}, apart_square[MOST] = {0}, square[MOST] = {0}, mean_sum[MOST] = {0},
         mean_square[MOST] = {0}, noise = 0.0, mean_noise = 0.0;
  lfm_matching *matching;
  OK(lfm_matching_create(f.net, LFM_RUN_TRAIN, BATCH, &matching));
  OK(lfm_matching_average(matching, BATCH));
  for (int64_t step = 0; step < STEPS; step++) {
    float g[MOST], h[MOST];
    double loss = 0.0;
    OK(lfm_matching_gradient(matching, &own, f.params, step, 0, BATCH, BATCH * DIM, g, false, &loss));
    OK(lfm_matching_gradient(matching, &mean, f.params, step, 0, BATCH, BATCH * DIM, h, false, &loss));
    for (int64_t i = 0; i < count; i++) {
      double d = (double)h[i] - (double)g[i];
      sum[i] += (double)g[i], square[i] += (double)g[i] * (double)g[i], apart[i] += d, apart_square[i] += d * d;
      mean_sum[i] += (double)h[i], mean_square[i] += (double)h[i] * (double)h[i];
    }
  }
  for (int64_t i = 0; i < count; i++) {
    assert_true(fabs(apart[i]) < 5.0 * sqrt(apart_square[i]) + 1e-12); /* five standard errors of the mean difference */
    noise += square[i] - sum[i] * sum[i] / STEPS;
    mean_noise += mean_square[i] - mean_sum[i] * mean_sum[i] / STEPS;
  }
  assert_true(mean_noise < 0.8 * noise);
  lfm_matching_destroy(matching);
  teardown(&f);
}

/* The last block: x_r is z alone. */
static void free_block_ends_in_noise(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  lfm_pairs p = pairs_of(&f, LFM_INTERP_TRIG, LFM_COUPLING_DEPENDENT, 1, false, 0.0);
  p.ou_to_right = lfm_ou_step(NAN);
  check_case(&f, &p, 0);
  p.pairing.coupling = LFM_COUPLING_SHARED, p.ou_to_left = lfm_ou_step(0.25); /* the z that x_l has */
  check_case(&f, &p, 0);
  teardown(&f);
}

/* ---- cutting and padding ------------------------------------------------------------------------------------- */

/* Loss and gradient of rows 0 .. rows-1 in parts of `size`. */
static double in_parts(const fixture *f, const lfm_pairs *p, lfm_matching *matching, int64_t rows, int64_t size,
                       float *grads) {
  double loss = 0.0;
  for (int64_t first = 0; first < rows; first += size) {
    int64_t count = rows - first < size ? rows - first : size;
    OK(lfm_matching_gradient(matching, p, f->params, 7, first, count, (double)(rows * DIM), grads, first > 0, &loss));
  }
  return loss;
}

static void cutting_a_batch_changes_rounding_only(void **state) {
  (void)state;
  static const int64_t sizes[] = {72, 36, 20, 7, 1};
  fixture f;
  setup(&f);
  lfm_pairs p = pairs_of(&f, LFM_INTERP_TRIG, LFM_COUPLING_SHUFFLED, 3, false, 0.1);
  int64_t count = lfm_net_param_count(f.net);
  float whole[256], parts[256];
  double loss = 0.0;
  assert_in_range(count, 1, 256);
  for (int k = 0; k < 5; k++) {
    lfm_matching *matching;
    OK(lfm_matching_create(f.net, LFM_RUN_TRAIN, sizes[k], &matching));
    double this_loss = in_parts(&f, &p, matching, 72, sizes[k], k ? parts : whole);
    if (k == 0) loss = this_loss;
    assert_near(this_loss, loss, 1e-12 * loss); /* rows alone to the bit, sums in another order */
    for (int64_t i = 0; k && i < count; i++) assert_near((double)parts[i], (double)whole[i], 1e-6);
    lfm_matching_destroy(matching);
  }
  teardown(&f);
}

/* Rows beyond `count` hold what an earlier, full batch left there. */
static void padding_rows_do_not_matter(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  lfm_pairs p = pairs_of(&f, LFM_INTERP_LINEAR, LFM_COUPLING_DEPENDENT, 1, false, 0.0);
  lfm_matching *fresh, *used;
  float from_fresh[256], from_used[256];
  double loss_fresh = 0.0, loss_used = 0.0, dropped = 0.0;
  OK(lfm_matching_create(f.net, LFM_RUN_TRAIN, 64, &fresh));
  OK(lfm_matching_create(f.net, LFM_RUN_TRAIN, 64, &used));
  lfm_pairs wide = p;
  wide.pairing.batch = 64;
  OK(lfm_matching_gradient(used, &wide, f.params, 0, 0, 64, 1.0, from_used, false, &dropped));
  OK(lfm_matching_gradient(used, &p, f.params, 1, 0, 10, 20.0, from_used, false, &loss_used));
  OK(lfm_matching_gradient(fresh, &p, f.params, 1, 0, 10, 20.0, from_fresh, false, &loss_fresh));
  assert_true(loss_used == loss_fresh);
  assert_memory_equal(from_used, from_fresh, (size_t)lfm_net_param_count(f.net) * sizeof(float));
  lfm_matching_destroy(fresh);
  lfm_matching_destroy(used);
  teardown(&f);
}

/* ---- marginals ----------------------------------------------------------------------------------------------- */

/* The target of one row alone, from a network that is a constant: (0 - u)^2 and (1 - u)^2 give u. */
static double target_of(lfm_matching *matching, const lfm_pairs *p, lfm_params *zero, lfm_params *one, int64_t pair) {
  double at_zero = 0.0, at_one = 0.0;
  OK(lfm_matching_loss(matching, p, zero, 0, pair, 1, &at_zero));
  OK(lfm_matching_loss(matching, p, one, 0, pair, 1, &at_one));
  return (at_zero - at_one + 1.0) / 2.0;
}

typedef struct moments {
  double left, right, left_square, right_square, product, count;
} moments;

/* x_l and x_r of many pairs in one dimension, from the targets that the two interpolants have at the same times. */
static moments ends_of_pool(lfm_coupling coupling, double before, double gamma, double defensive) {
  enum { ROWS = 12000 };
  lfm_net *net;
  lfm_params *zero, *one;
  lfm_matching *matching;
  float *values;
  lfm_mlp_config mlp = {1, 2, 1, {LFM_ACT_RELU, 0}, false, 0, false, {0}};
  OK(lfm_mlp_create(&mlp, lfm_kernels_ref32(), &net));
  OK(lfm_params_create(net, &zero));
  OK(lfm_params_create(net, &one));
  ((float *)lfm_params_data(one))[lfm_net_tensor(net, 3)->offset] = 1.0f; /* the last bias */
  lfm_params_pack(one);
  OK(lfm_matching_create(net, LFM_RUN_EVAL, 1, &matching));
  OK(LFM_ALLOC(&values, ROWS));
  lfm_rng rng = {.seed = 2, .purpose = LFM_FOR_DATA};
  lfm_rng_normal(&rng, 0, values, ROWS);
  for (int i = 0; i < ROWS; i++) values[i] = 1.5f + 0.4f * values[i];
  lfm_pool pool = {.rows = ROWS, .dim = 1, .values = values};
  lfm_pairs p = {.pool = &pool,
                 .dim = 1,
                 .times = 1,
                 .ou_to_right = lfm_ou_step(gamma),
                 .ou_to_left = lfm_ou_step(before),
                 .defensive = defensive,
                 .pairing = {.coupling = coupling, .seed = 1, .pool_rows = ROWS, .batch = ROWS},
                 .noise_for = LFM_FOR_NOISE,
                 .time_for = LFM_FOR_TIME};
  moments sum = {0};
  lfm_rng times = {.seed = 1, .purpose = LFM_FOR_TIME};
  for (int64_t pair = 0; pair < ROWS; pair++) {
    double angle = M_PI / 2 * lfm_rng_uniform(&times, pair, 0), c = cos(angle), s = sin(angle);
    if (fabs(c - s) < 0.3) continue; /* the two targets are almost the same equation; t is independent of the ends */
    p.interp = LFM_INTERP_LINEAR;
    double difference = target_of(matching, &p, zero, one, pair); /* x_r - x_l */
    p.interp = LFM_INTERP_TRIG;
    double turned = target_of(matching, &p, zero, one, pair) / (M_PI / 2); /* c x_r - s x_l */
    double left = (turned - c * difference) / (c - s), right = left + difference;
    sum.left += left, sum.right += right, sum.product += left * right, sum.count += 1;
    sum.left_square += left * left, sum.right_square += right * right;
  }
  lfm_matching_destroy(matching);
  lfm_params_destroy(zero);
  lfm_params_destroy(one);
  lfm_net_destroy(net);
  lfm_free(values);
  return (moments){sum.left / sum.count,         sum.right / sum.count,   sum.left_square / sum.count,
                   sum.right_square / sum.count, sum.product / sum.count, sum.count};
}

static double ou_mean(double time) { return 1.5 * exp(-time); }
static double ou_variance(double time) { return 0.16 * exp(-2 * time) + 1.0 - exp(-2 * time); }

/* pool: ou -- both ends have the process's own mean and variance, and depend on each other as the coupling says. */
static void ends_have_the_marginals_of_the_process(void **state) {
  (void)state;
  const double before = 0.4, gamma = 0.3;
  for (int k = 0; k < 4; k++)
    for (int ou = 0; ou < 2; ou++) {
      double start = ou ? before : 0.0, end = start + gamma;
      moments m = ends_of_pool(couplings[k], start, gamma, 0.0);
      double error = 5.0 / sqrt(m.count); /* five standard errors of unit variance */
      double covariance = couplings[k] == LFM_COUPLING_DEPENDENT ? exp(-gamma) * ou_variance(start) : 0.0;
      if (couplings[k] == LFM_COUPLING_SHARED) /* x_0's part and z's */
        covariance = exp(-start - end) * ou_variance(0.0) + sqrt(expm1(-2.0 * start) * expm1(-2.0 * end));
      assert_near(m.left, ou_mean(start), error);
      assert_near(m.right, ou_mean(end), error);
      assert_near(m.left_square - m.left * m.left, ou_variance(start), 1.5 * error);
      assert_near(m.right_square - m.right * m.right, ou_variance(end), 1.5 * error);
      assert_near(m.product - m.left * m.right, covariance, 1.5 * error);
    }
}

/* x_l is (1 - e) pool + e w, w = s z with E s^2 = (4^2 - 1) / log 4^2; x_r follows it. */
static void defensive_pairs_start_from_the_wide_law(void **state) {
  (void)state;
  const double share = 0.25, gamma = 0.3, wide = 15.0 / log(16.0);
  moments m = ends_of_pool(LFM_COUPLING_DEPENDENT, 0.0, gamma, share);
  double square = (1.0 - share) * (1.5 * 1.5 + 0.16) + share * wide;
  assert_near(m.left, (1.0 - share) * 1.5, 5.0 * sqrt(square / m.count));
  assert_near(m.left_square, square, 5.0 * 9.0 * sqrt(share / m.count)); /* E w^4 is about 9^2 */
  assert_near(m.product, exp(-gamma) * m.left_square, 5.0 * sqrt(square / m.count));
  moments none = ends_of_pool(LFM_COUPLING_DEPENDENT, 0.0, gamma, 0.0);
  assert_true(m.left_square - none.left_square > 0.5);
}

/* ---- pairs that are given ------------------------------------------------------------------------------------ */

/* A student's: v(t_right, x_r) is to be (x_r - x_l) / (t_right - t_left); or, at all times between, along the line. */
static void given_pairs_run_between_their_times(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  float right[POOL * DIM];
  lfm_rng rng = {.seed = 9, .purpose = LFM_FOR_DATA};
  lfm_rng_normal(&rng, 2, right, POOL * DIM);
  lfm_pool ends = {.rows = POOL, .dim = DIM, .values = right};
  for (int at_noise = 0; at_noise < 2; at_noise++) {
    lfm_pairs p = pairs_of(&f, LFM_INTERP_LINEAR, LFM_COUPLING_DEPENDENT, 1, false, 0.0);
    p.right = &ends, p.t_left = 0.25, p.t_right = 0.75, p.at_noise = at_noise;
    double loss = 0.0, sum = 0.0;
    lfm_matching *matching;
    lfm_run *run;
    OK(lfm_matching_create(f.net, LFM_RUN_EVAL, BATCH, &matching));
    OK(lfm_matching_loss(matching, &p, f.params, 5, 0, BATCH, &loss));
    OK(lfm_run_create(f.oracle, LFM_RUN_EVAL, BATCH, &run));
    double *t = lfm_run_t(run), *x = lfm_run_x(run), *given = lfm_run_given(run), target[BATCH * DIM];
    rng = (lfm_rng){.seed = 12, .purpose = LFM_FOR_TIME, .block = 1, .step = 5};
    for (int64_t i = 0; i < BATCH; i++) {
      int64_t row = lfm_pairing_left(&p.pairing, 5, i);
      double u = at_noise ? 1.0 : lfm_rng_uniform(&rng, i, 0);
      t[i] = 0.25 + 0.5 * u;
      for (int j = 0; j < GIVENS; j++) given[i * GIVENS + j] = f.given[row * GIVENS + j];
      for (int j = 0; j < DIM; j++) {
        double l = f.values[row * DIM + j], r = right[row * DIM + j];
        x[i * DIM + j] = l + u * (r - l);
        target[i * DIM + j] = (r - l) / 0.5;
      }
    }
    OK(lfm_run_forward(run, f.oracle_params));
    const double *v = lfm_run_v(run);
    for (int k = 0; k < BATCH * DIM; k++) sum += pow(v[k] - target[k], 2.0);
    assert_near(loss, sum, 2e-5 * sum);
    lfm_run_destroy(run);
    lfm_matching_destroy(matching);
  }
  teardown(&f);
}

/* ---- refusals ------------------------------------------------------------------------------------------------ */

static void double_precision_is_refused(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  lfm_matching *matching = (lfm_matching *)&f;
  FAILS(LFM_E_UNSUPPORTED, lfm_matching_create(f.oracle, LFM_RUN_TRAIN, 8, &matching));
  assert_null(matching);
  lfm_matching_destroy(NULL);
  teardown(&f);
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  lfm_matching *matching;
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_matching_create(f.net, LFM_RUN_TRAIN, 16, &matching);
    assert_true(status == LFM_OK || (status == LFM_E_MEMORY && !matching && at < 1000));
    if (status != LFM_OK) continue;
    status = lfm_matching_average(matching, 16);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
    if (status != LFM_OK) lfm_matching_destroy(matching);
  }
  lfm_alloc_fail_at(0);
  lfm_matching_destroy(matching);
  teardown(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(loss_and_gradient_are_the_definition),
      cmocka_unit_test(mean_targets_are_the_definition),
      cmocka_unit_test(mean_targets_teach_the_same_with_less_noise),
      cmocka_unit_test(free_block_ends_in_noise),
      cmocka_unit_test(cutting_a_batch_changes_rounding_only),
      cmocka_unit_test(padding_rows_do_not_matter),
      cmocka_unit_test(ends_have_the_marginals_of_the_process),
      cmocka_unit_test(defensive_pairs_start_from_the_wide_law),
      cmocka_unit_test(given_pairs_run_between_their_times),
      cmocka_unit_test(double_precision_is_refused),
      cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
