/* SPDX-License-Identifier: MIT
 * The nearest rows against a plain search in double, ties and equal rows, one thread against three. */
#include "core/alloc.h"
#include "core/rng.h"
#include "metric/neighbours.h"
#include "support/near.h"

#include <string.h>

enum { QUERIES = 131, ROWS = 203, DIM = 7, K = 5 }; /* none a multiple of a panel or a batch */
static float queries[QUERIES * DIM], rows[ROWS * DIM];

static lfm_features view(const char *name, const float *x, int64_t count) {
  return (lfm_features){.name = name, .x = x, .rows = count, .dim = DIM};
}

static int draw_rows(void **state) {
  (void)state;
  const lfm_rng rng = {.seed = 4, .purpose = LFM_FOR_DATA};
  for (int64_t i = 0; i < ROWS + QUERIES; i++)
    lfm_rng_normal(&rng, i, i < ROWS ? rows + i * DIM : queries + (i - ROWS) * DIM, DIM);
  return 0;
}

static double square(const float *x, const float *y) {
  double sum = 0;
  for (int c = 0; c < DIM; c++) sum += ((double)x[c] - (double)y[c]) * ((double)x[c] - (double)y[c]);
  return sum;
}

/* Each found row is at the distance that is said, and just as many rows are nearer as its place says. */
static void check_neighbours(const float *asked, int64_t count, bool itself, const lfm_neighbour *found) {
  for (int64_t i = 0; i < count; i++)
    for (int k = 0; k < K; k++) {
      const lfm_neighbour *n = &found[i * K + k];
      double distance = square(asked + i * DIM, rows + n->row * DIM);
      int nearer = 0;
      for (int64_t r = 0; r < ROWS; r++) nearer += !(itself && r == i) && square(asked + i * DIM, rows + r * DIM) < distance;
      assert_in_range(n->row, 0, ROWS - 1);
      assert_near((double)n->square, distance, 1e-5 * distance);
      assert_int_equal(nearer, k);
      assert_false(itself && n->row == i);
    }
}

static void a_plain_search_agrees(void **state) {
  (void)state;
  static lfm_neighbour found[QUERIES * K], own[ROWS * K];
  lfm_features asked = view("asked", queries, QUERIES), known = view("known", rows, ROWS);
  memset(found, 0x55, sizeof found);
  memset(own, 0x55, sizeof own);
  assert_int_equal(lfm_neighbours_find(&asked, &known, K, false, NULL, found), LFM_OK);
  check_neighbours(queries, QUERIES, false, found);
  assert_int_equal(lfm_neighbours_find(&known, &known, K, true, NULL, own), LFM_OK);
  check_neighbours(rows, ROWS, true, own);
}

/* A row finds itself at 0, its copy comes after it, and a tie goes to the lower row; far from the origin too. */
static void equal_rows_and_ties(void **state) {
  (void)state;
  static float line[40 * DIM];
  lfm_neighbour found[40 * 3];
  for (int i = 0; i < 40; i++) line[i * DIM] = 100000 + (float)(i % 20); /* row i + 20 is row i again */
  lfm_features x = view("line", line, 40);
  assert_int_equal(lfm_neighbours_find(&x, &x, 3, false, NULL, found), LFM_OK);
  for (int i = 0; i < 40; i++) {
    assert_int_equal(found[i * 3].row, i % 20);
    assert_int_equal(found[i * 3 + 1].row, i % 20 + 20);
    assert_near((double)found[i * 3 + 1].square, 0, 0);
    assert_int_equal(found[i * 3 + 2].row, i % 20 ? i % 20 - 1 : 1);
    assert_near((double)found[i * 3 + 2].square, 1, 0);
  }
}

typedef struct seen {
  float squares[ROWS][ROWS];
  int64_t next[ROWS];
} seen;

static void note(void *context, int64_t query, int64_t first, int64_t count, const float *squares) {
  seen *s = context;
  if (s->next[query] != first) fail_msg("query %lld: rows out of order", (long long)query);
  for (int64_t i = 0; i < count; i++) s->squares[query][first + i] = squares[i];
  s->next[query] = first + count;
}

static void every_pair_once_and_from_either_side(void **state) {
  (void)state;
  static seen s;
  lfm_features known = view("known", rows, ROWS);
  assert_int_equal(lfm_distances_visit(&known, &known, NULL, note, &s), LFM_OK);
  for (int i = 0; i < ROWS; i++) {
    assert_int_equal(s.next[i], ROWS);
    assert_near((double)s.squares[i][i], 0, 0);
    for (int j = 0; j < i; j++) assert_near((double)s.squares[i][j], (double)s.squares[j][i], 0);
  }
}

static void the_team_changes_nothing(void **state) {
  (void)state;
  static lfm_neighbour alone[QUERIES * K], together[QUERIES * K];
  lfm_features asked = view("asked", queries, QUERIES), known = view("known", rows, ROWS);
  assert_int_equal(lfm_neighbours_find(&asked, &known, K, false, NULL, alone), LFM_OK);
  for (int threads = 1; threads <= 3; threads++) {
    lfm_team *team = NULL;
    assert_int_equal(lfm_team_create(threads, &team), LFM_OK);
    memset(together, 0x55, sizeof together);
    assert_int_equal(lfm_neighbours_find(&asked, &known, K, false, team, together), LFM_OK);
    for (int i = 0; i < QUERIES * K; i++) {
      assert_int_equal(together[i].row, alone[i].row);
      assert_near((double)together[i].square, (double)alone[i].square, 0);
    }
    lfm_team_destroy(team);
  }
}

static void refuses_nonsense(void **state) {
  (void)state;
  lfm_neighbour found[ROWS * K];
  lfm_features known = view("known", rows, 5), none = view("asked", queries, 0), narrow = known;
  narrow.dim = DIM - 1;
  assert_int_equal(lfm_neighbours_find(&known, &known, 5, true, NULL, found), LFM_E_DATA);
  assert_int_equal(lfm_neighbours_find(&known, &known, 0, false, NULL, found), LFM_E_DATA);
  assert_int_equal(lfm_neighbours_find(&none, &known, 1, false, NULL, found), LFM_E_DATA);
  assert_int_equal(lfm_neighbours_find(&narrow, &known, 1, false, NULL, found), LFM_E_DATA);
  float kept = rows[2 * DIM + 1];
  rows[2 * DIM + 1] = NAN;
  assert_int_equal(lfm_neighbours_find(&known, &known, 1, false, NULL, found), LFM_E_DATA);
  assert_non_null(strstr(lfm_error(), "known: feature 1 of row 2 is nan"));
  rows[2 * DIM + 1] = kept;
  assert_int_equal(lfm_neighbours_find(&known, &known, 5, false, NULL, found), LFM_OK);
}

static void survives_refused_memory(void **state) {
  (void)state;
  lfm_features known = view("known", rows, ROWS);
  lfm_neighbour found[ROWS];
  size_t before = lfm_alloc_in_use();
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_neighbours_find(&known, &known, 1, true, NULL, found);
    lfm_alloc_fail_at(0);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
    assert_int_equal(lfm_alloc_in_use(), before);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_plain_search_agrees),
      cmocka_unit_test(equal_rows_and_ties),
      cmocka_unit_test(every_pair_once_and_from_either_side),
      cmocka_unit_test(the_team_changes_nothing),
      cmocka_unit_test(refuses_nonsense),
      cmocka_unit_test(survives_refused_memory),
  };
  return cmocka_run_group_tests(tests, draw_rows, NULL);
}
