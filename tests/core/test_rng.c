/* SPDX-License-Identifier: MIT
 *
 * test_rng.c -- the words are Random123's Philox (published vectors), every address has its own counter, and the normals,
 * uniforms, Beta draws and permutations have the distributions they claim.  Seeds are fixed: a test passes always or never.
 * Philox is invertible, so the test finds the address of any words it likes: the rarest draws are tried through the front.
 */
#include "core/rng.h"

#include "core/vmath.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Philox ------------------------------------------------------------------------------------------------- */

typedef struct address {
  lfm_rng rng;
  int64_t row;
  uint32_t group;
} address;

/* The address that `counter` belongs to. */
static address address_of(uint64_t seed, const uint32_t counter[4]) {
  return (address){
      .rng = {.seed = seed, .purpose = (lfm_purpose)(counter[3] & 255), .block = counter[3] >> 8 & 4095, .step = counter[2]},
      .row = (int64_t)((uint64_t)(counter[3] >> 20) << 32 | counter[1]),
      .group = counter[0]};
}

static void words_are_those_published(void **state) {
  (void)state;
  /* kat_vectors of Random123, philox4x32 with 10 rounds: counter, key, words. */
  static const uint32_t known[3][10] = {
      {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420,
       0x24126ea1},
  };
  for (int i = 0; i < 3; i++) {
    uint32_t words[4] = {0};
    address at = address_of((uint64_t)known[i][5] << 32 | known[i][4], known[i]);
    lfm_rng_words(&at.rng, at.row, at.group, words);
    assert_memory_equal(words, known[i] + 6, sizeof words);
  }
}

static void signs_are_the_bits_of_the_words(void **state) {
  (void)state;
  lfm_rng rng = {.seed = 7, .purpose = LFM_FOR_PROBE, .block = 2, .step = 3};
  double signs[LFM_RNG_SIGNS], sum = 0.0, pairs = 0.0;
  uint32_t words[4];
  lfm_rng_words(&rng, 11, 5, words);
  lfm_rng_signs(&rng, 11, 5, signs);
  for (int i = 0; i < LFM_RNG_SIGNS; i++) assert_true(signs[i] == ((words[i / 32] >> (i % 32)) & 1 ? 1.0 : -1.0));
  for (uint32_t group = 0; group < 1000; group++) {
    lfm_rng_signs(&rng, 4, group, signs);
    for (int i = 0; i < LFM_RNG_SIGNS; i++) sum += signs[i], pairs += signs[i] * signs[(i + 1) % LFM_RNG_SIGNS];
  }
  assert_true(fabs(sum) < 4.0 * sqrt(1000.0 * LFM_RNG_SIGNS)); /* both signs alike, and neighbours independent */
  assert_true(fabs(pairs) < 4.0 * sqrt(1000.0 * LFM_RNG_SIGNS));
}

/* x with a x = 1 modulo 2^32, by Newton's iteration. */
static uint32_t inverse(uint32_t a) {
  uint32_t x = a;
  for (int i = 0; i < 5; i++) x *= 2 - a * x;
  return x;
}

/* The counter that Philox turns into `words`: its ten rounds backwards. */
static void counter_of(uint64_t seed, const uint32_t words[4], uint32_t counter[4]) {
  const uint32_t m0 = 0xD2511F53, m1 = 0xCD9E8D57;
  memcpy(counter, words, 4 * sizeof *words);
  for (uint32_t round = 10; round-- > 0;) {
    uint32_t key0 = (uint32_t)seed + round * 0x9E3779B9, key1 = (uint32_t)(seed >> 32) + round * 0xBB67AE85;
    uint32_t r0 = counter[3] * inverse(m0), r2 = counter[1] * inverse(m1);
    uint32_t r1 = counter[0] ^ (uint32_t)((uint64_t)m1 * r2 >> 32) ^ key0;
    uint32_t r3 = counter[2] ^ (uint32_t)((uint64_t)m0 * r0 >> 32) ^ key1;
    counter[0] = r0, counter[1] = r1, counter[2] = r2, counter[3] = r3;
  }
}

static address address_of_words(const uint32_t words[4]) {
  uint32_t counter[4], back[4];
  counter_of(42, words, counter);
  address at = address_of(42, counter);
  lfm_rng_words(&at.rng, at.row, at.group, back);
  assert_memory_equal(back, words, sizeof back);
  return at;
}

typedef struct words {
  uint32_t v[4];
} words;

static int compare_words(const void *a, const void *b) { return memcmp(a, b, sizeof(words)); }

static void many_words_are_those_of_each(void **state) {
  (void)state;
  lfm_rng rng = {.seed = 0x123456789abcull, .purpose = LFM_FOR_DROPOUT, .block = 5, .step = 77};
  for (uint32_t groups = 1; groups < 70; groups += 17) {
    uint32_t many[4 * 70], one[4];
    lfm_rng_words_range(&rng, ((int64_t)1 << 40) + 3, 1000, groups, many);
    for (uint32_t i = 0; i < groups; i++) {
      lfm_rng_words(&rng, ((int64_t)1 << 40) + 3, 1000 + i, one);
      assert_memory_equal(many + 4 * (size_t)i, one, sizeof one);
    }
  }
}

static void no_two_addresses_share_a_counter(void **state) {
  (void)state;
  static const int64_t rows[] = {0, 1, 4095, 4096, (1ll << 32) - 1, 1ll << 32, (1ll << 32) + 1, 1ll << 43, (1ll << 44) - 1};
  static const uint32_t steps[] = {0, 1, 255, 256, 1u << 31, ~0u}, blocks[] = {0, 1, 15, 16, 2048, 4095};
  static const uint32_t purposes[] = {0, 1, 2, 12, 128, 255}, groups[] = {0, 1, 4096, 1u << 20, ~0u};
  static words seen[9 * 6 * 6 * 6 * 5];
  size_t n = 0;
  for (int r = 0; r < 9; r++)
    for (int s = 0; s < 6; s++)
      for (int b = 0; b < 6; b++)
        for (int p = 0; p < 6; p++)
          for (int g = 0; g < 5; g++) {
            lfm_rng rng = {.seed = 7, .purpose = (lfm_purpose)purposes[p], .block = blocks[b], .step = steps[s]};
            lfm_rng_words(&rng, rows[r], groups[g], seen[n++].v);
          }
  /* Philox is one to one for a seed: equal words would be equal counters. */
  qsort(seen, n, sizeof *seen, compare_words);
  for (size_t i = 1; i < n; i++) assert_int_not_equal(compare_words(&seen[i - 1], &seen[i]), 0);
}

static void another_seed_gives_other_words(void **state) {
  (void)state;
  uint32_t low[4], high[4], none[4];
  lfm_rng_words(&(lfm_rng){.seed = 1}, 0, 0, low);
  lfm_rng_words(&(lfm_rng){.seed = 1ull << 32}, 0, 0, high);
  lfm_rng_words(&(lfm_rng){.seed = 0}, 0, 0, none);
  assert_memory_not_equal(low, none, sizeof low);
  assert_memory_not_equal(high, none, sizeof low);
  assert_memory_not_equal(high, low, sizeof low);
}

/* ---- normals ------------------------------------------------------------------------------------------------ */

static const lfm_rng noise = {.seed = 42, .purpose = LFM_FOR_NOISE, .block = 3, .step = 17};

/* The pair of normals of two words, one pair at a time. */
__attribute__((noinline)) static void pair_of(uint32_t radius_word, uint32_t angle_word, float out[2]) {
  float u = ((float)(int32_t)(radius_word >> 1) + 0.5f) * 0x1p-31f;
  float radius = __builtin_sqrtf(-2.0f * lfm_logf(u)), sine, cosine;
  lfm_sincos_turn((float)(int32_t)(angle_word >> 8) * 0x1p-24f, &sine, &cosine);
  out[0] = radius * cosine;
  out[1] = radius * sine;
}

static void normals_are_those_of_the_words_for_every_length(void **state) {
  (void)state;
  enum { MOST = 203 };
  const float poison = 77.0f;
  for (size_t n = 0; n <= MOST; n++) {
    float out[MOST + 4], expected[MOST + 4];
    int64_t row = (int64_t)n << 33 | 5;
    for (size_t i = 0; i < MOST + 4; i++) out[i] = poison;
    lfm_rng_normal(&noise, row, out, n);
    for (size_t i = 0; i < n; i += 4) {
      uint32_t drawn[4];
      lfm_rng_words(&noise, row, (uint32_t)(i / 4), drawn);
      pair_of(drawn[0], drawn[1], expected + i);
      pair_of(drawn[2], drawn[3], expected + i + 2);
    }
    if (n) assert_memory_equal(out, expected, n * sizeof *out);
    for (size_t i = n; i < MOST + 4; i++) assert_true(out[i] == poison);
  }
}

static const lfm_rng shuffle = {.seed = 3, .purpose = LFM_FOR_BATCH, .block = 2};

/* Together or alone, whatever the address: normals of short and of long rows, uniforms, places of a permutation. */
static void many_rows_are_those_of_each(void **state) {
  (void)state;
  enum { ROWS = 21, MOST = 70 };
  static const int64_t firsts[] = {0, 3, (INT64_C(1) << 32) - 4};
  for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++)
    for (int64_t rows = 0; rows <= ROWS; rows++) {
      double uniforms[ROWS + 1];
      memset(uniforms, 0xFF, sizeof uniforms);
      lfm_rng_uniform_rows(&noise, firsts[f], rows, 9, uniforms);
      for (int64_t i = 0; i < rows; i++) assert_true(uniforms[i] == lfm_rng_uniform(&noise, firsts[f] + i, 9));
      assert_true(isnan(uniforms[rows]));
      for (size_t n = 1; n <= MOST; n += n < 12 ? 1 : 9) {
        float together[ROWS * MOST + 1], alone[MOST];
        memset(together, 0xFF, sizeof together);
        lfm_rng_normal_rows(&noise, firsts[f], rows, together, n);
        for (int64_t i = 0; i < rows; i++) {
          lfm_rng_normal(&noise, firsts[f] + i, alone, n);
          assert_memory_equal(together + (size_t)i * n, alone, n * sizeof *alone);
        }
        assert_true(isnan(together[(size_t)rows * n]));
      }
    }
  for (int64_t n = 1; n < 300; n += 13)
    for (int64_t i = 0; i < n; i += 5) {
      int64_t places[300];
      memset(places, 0xFF, sizeof places);
      lfm_rng_permute_range(&shuffle, 2, n, i, n - i, places);
      for (int64_t k = 0; k < n - i; k++) assert_int_equal(places[k], lfm_rng_permute(&shuffle, 2, n, i + k));
      assert_int_equal(places[n - i], -1);
    }
}

static int compare_floats(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* The largest distance between the distribution of sorted x and the standard normal's. */
static double kolmogorov_distance(const float *x, size_t n) {
  double worst = 0.0;
  for (size_t i = 0; i < n; i++) {
    double truth = 0.5 * erfc(-(double)x[i] * M_SQRT1_2);
    worst = fmax(worst, fmax(truth - (double)i / (double)n, (double)(i + 1) / (double)n - truth));
  }
  return worst;
}

static void normals_are_standard_normal(void **state) {
  (void)state;
  enum { ROWS = 10000, D = 43, N = ROWS * D };
  static float x[N];
  for (int64_t row = 0; row < ROWS; row++) lfm_rng_normal(&noise, row, x + row * D, D);
  double m[5] = {0}, lagged = 0.0, across = 0.0, tails = 0.0;
  for (int i = 0; i < N; i++) {
    double v = (double)x[i];
    for (int k = 1; k < 5; k++) m[k] += pow(v, k) / N;
    if (i + 1 < N) lagged += v * (double)x[i + 1] / N;
    if (i + D < N) across += v * (double)x[i + D] / N;
    tails += fabs(v) > 3.0;
  }
  /* Four standard errors of each moment of N draws: sqrt(1, 2, 15, 96 over N). */
  assert_true(fabs(m[1]) < 4.0 * sqrt(1.0 / N));
  assert_true(fabs(m[2] - 1.0) < 4.0 * sqrt(2.0 / N));
  assert_true(fabs(m[3]) < 4.0 * sqrt(15.0 / N));
  assert_true(fabs(m[4] - 3.0) < 4.0 * sqrt(96.0 / N));
  assert_true(fabs(lagged) < 4.0 * sqrt(1.0 / N) && fabs(across) < 4.0 * sqrt(1.0 / N));
  double expected_tails = N * erfc(3.0 * M_SQRT1_2);
  assert_true(fabs(tails - expected_tails) < 4.0 * sqrt(expected_tails));
  qsort(x, N, sizeof *x, compare_floats);
  assert_true(kolmogorov_distance(x, N) < 1.63 / sqrt(N)); /* the 1 % point */
}

static void the_rarest_normals_are_finite(void **state) {
  (void)state;
  enum { FAR = 4096 };
  static const uint32_t ends[] = {0, 1, 0xFFFFFFFE, 0xFFFFFFFF};
  static float row_of_normals[4 * FAR];
  for (int i = 0; i < 4; i++) {
    uint32_t drawn[4] = {ends[i], 0x12345678, 0, 0}, counter[4];
    do { /* until the address is near enough to the beginning of its row to be drawn */
      drawn[2]++;
      counter_of(42, drawn, counter);
    } while (counter[0] >= FAR);
    address at = address_of_words(drawn);
    lfm_rng_normal(&at.rng, at.row, row_of_normals, 4 * at.group + 2);
    const float *pair = row_of_normals + 4 * at.group;
    double radius = hypot((double)pair[0], (double)pair[1]);
    assert_true(i < 2 ? fabs(radius - sqrt(2.0 * 32.0 * M_LN2)) < 1e-5 : radius == 0.0);
  }
}

/* ---- uniforms and Beta -------------------------------------------------------------------------------------- */

static void uniforms_are_uniform(void **state) {
  (void)state;
  enum { BINS = 64, N = 200000 };
  lfm_rng rng = {.seed = 5, .purpose = LFM_FOR_TIME};
  double counts[BINS] = {0}, chi = 0.0, mean = 0.0, lagged = 0.0, before = 0.5;
  for (int i = 0; i < N; i++) {
    double u = lfm_rng_uniform(&rng, i / 100, (uint32_t)(i % 100));
    assert_true(u > 0.0 && u < 1.0);
    counts[(int)(u * BINS)] += 1.0;
    mean += u / N;
    lagged += (u - 0.5) * (before - 0.5) / N;
    before = u;
  }
  for (int b = 0; b < BINS; b++) chi += (counts[b] - (double)N / BINS) * (counts[b] - (double)N / BINS) / ((double)N / BINS);
  assert_true(fabs(mean - 0.5) < 4.0 * sqrt(1.0 / 12.0 / N));
  assert_true(fabs(lagged) < 4.0 * (1.0 / 12.0) / sqrt(N));
  assert_true(chi > 30.0 && chi < 104.0); /* 63 degrees: beyond lie 1 in 10^4 on the left and 1 in 10^3 on the right */
}

static void the_rarest_uniforms_stay_inside(void **state) {
  (void)state;
  address lowest = address_of_words((const uint32_t[4]){0, 0, 1, 2});
  address highest = address_of_words((const uint32_t[4]){~0u, ~0u, 1, 2});
  assert_true(lfm_rng_uniform(&lowest.rng, lowest.row, lowest.group) == 0x1p-53);
  assert_true(lfm_rng_uniform(&highest.rng, highest.row, highest.group) == 1.0 - 0x1p-53);
}

static void beta_draws_have_their_moments(void **state) {
  (void)state;
  enum { N = 100000 };
  static const double shapes[][2] = {{1.0, 0.5}, {2.0, 5.0}, {0.1, 0.1}, {1.0, 1.0}, {30.0, 0.3}};
  lfm_rng rng = {.seed = 11, .purpose = LFM_FOR_TIME, .block = 1};
  for (int k = 0; k < 5; k++) {
    double a = shapes[k][0], b = shapes[k][1], m1 = 0.0, m2 = 0.0, m3 = 0.0;
    for (int i = 0; i < N; i++) {
      double x = lfm_rng_beta(&rng, i, (uint32_t)k, a, b);
      assert_true(x >= 0.0 && x <= 1.0);
      m1 += x / N;
      m2 += x * x / N;
      m3 += x * x * x / N;
    }
    /* E x^r = prod_{j < r} (a + j) / (a + b + j); the variance of x^r is E x^{2r} - (E x^r)^2. */
    double e[7] = {1.0};
    for (int r = 1; r < 7; r++) e[r] = e[r - 1] * (a + r - 1) / (a + b + r - 1);
    assert_true(fabs(m1 - e[1]) < 4.0 * sqrt((e[2] - e[1] * e[1]) / N));
    assert_true(fabs(m2 - e[2]) < 4.0 * sqrt((e[4] - e[2] * e[2]) / N));
    assert_true(fabs(m3 - e[3]) < 4.0 * sqrt((e[6] - e[3] * e[3]) / N));
  }
}

static void extreme_beta_shapes_end(void **state) {
  (void)state;
  lfm_rng rng = {.seed = 1, .purpose = LFM_FOR_TIME};
  for (int i = 0; i < 200; i++) {
    double tiny = lfm_rng_beta(&rng, i, (1u << 22) - 1, 1e-3, 1e-3), huge = lfm_rng_beta(&rng, i, 0, 1e6, 1e6);
    assert_true(tiny >= 0.0 && tiny <= 1.0);
    assert_true(fabs(huge - 0.5) < 0.003); /* eight standard deviations */
  }
}

/* ---- permutation -------------------------------------------------------------------------------------------- */

static void a_permutation_is_a_bijection(void **state) {
  (void)state;
  enum { MOST = 65537 };
  static const int64_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 1000, 1024, 1025, MOST};
  static char hit[MOST];
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
    for (int64_t salt = 0; salt < (sizes[k] < 100 ? 50 : 2); salt++) {
      memset(hit, 0, sizeof hit);
      for (int64_t i = 0; i < sizes[k]; i++) {
        int64_t to = lfm_rng_permute(&shuffle, salt, sizes[k], i);
        assert_in_range(to, 0, sizes[k] - 1);
        assert_int_equal(hit[to]++, 0);
      }
    }
  static const int64_t n = (int64_t)1 << 62;
  for (int64_t i = 0; i < 100; i++) assert_true((uint64_t)lfm_rng_permute(&shuffle, 0, n, n - 1 - i) < (uint64_t)n);
}

static void a_permutation_looks_shuffled(void **state) {
  (void)state;
  enum { N = 1000, SALTS = 400, BINS = 20 };
  double fixed = 0.0, neighbours = 0.0, rank = 0.0, same = 0.0, chi = 0.0;
  static double cells[BINS][BINS];
  static int64_t to[N], last[N];
  for (int64_t salt = 0; salt < SALTS; salt++) {
    for (int64_t i = 0; i < N; i++) to[i] = lfm_rng_permute(&shuffle, salt, N, i);
    for (int64_t i = 0; i < N; i++) {
      fixed += to[i] == i;
      same += salt && to[i] == last[i];
      neighbours += i && (to[i] - to[i - 1] == 1);
      rank += ((double)i - (N - 1) / 2.0) * ((double)to[i] - (N - 1) / 2.0) / (N * (N * (double)N - 1) / 12.0);
      cells[i * BINS / N][to[i] * BINS / N] += 1.0;
      last[i] = to[i];
    }
  }
  /* A uniform one: fixed points, repeats and successors are Poisson(1) each, the rank correlation has variance 1/(N - 1). */
  assert_true(fabs(fixed - SALTS) < 4.0 * sqrt(SALTS));
  assert_true(fabs(same - SALTS) < 4.0 * sqrt(SALTS));
  assert_true(fabs(neighbours - SALTS) < 4.0 * sqrt(SALTS));
  assert_true(fabs(rank) < 4.0 * sqrt((double)SALTS / (N - 1)));
  double expected = (double)N * SALTS / (BINS * BINS);
  for (int a = 0; a < BINS; a++)
    for (int b = 0; b < BINS; b++) chi += (cells[a][b] - expected) * (cells[a][b] - expected) / expected;
  assert_true(chi > 250.0 && chi < 480.0); /* 19 x 19 = 361 degrees, standard deviation 27 */
}

static void every_place_is_reached_in_a_short_permutation(void **state) {
  (void)state;
  enum { N = 7, SALTS = 7000 };
  int counts[N][N] = {{0}};
  for (int64_t salt = 0; salt < SALTS; salt++)
    for (int64_t i = 0; i < N; i++) counts[i][lfm_rng_permute(&shuffle, salt, N, i)]++;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) assert_in_range(counts[i][j], SALTS / N - 200, SALTS / N + 200);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_are_those_published),       cmocka_unit_test(signs_are_the_bits_of_the_words),
      cmocka_unit_test(many_words_are_those_of_each),    cmocka_unit_test(no_two_addresses_share_a_counter),
      cmocka_unit_test(another_seed_gives_other_words),  cmocka_unit_test(normals_are_those_of_the_words_for_every_length),
      cmocka_unit_test(many_rows_are_those_of_each),     cmocka_unit_test(normals_are_standard_normal),
      cmocka_unit_test(the_rarest_normals_are_finite),   cmocka_unit_test(uniforms_are_uniform),
      cmocka_unit_test(the_rarest_uniforms_stay_inside), cmocka_unit_test(beta_draws_have_their_moments),
      cmocka_unit_test(extreme_beta_shapes_end),         cmocka_unit_test(a_permutation_is_a_bijection),
      cmocka_unit_test(a_permutation_looks_shuffled),    cmocka_unit_test(every_place_is_reached_in_a_short_permutation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
