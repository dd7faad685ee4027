/* SPDX-License-Identifier: MIT
 *
 * test_states.c -- what a teacher draws, at every border on the way.
 */
#include "distill_support.h"

static const float *row_of(const lfm_states *s, int border, int64_t row) {
  return s->border[border].values + row * s->border[border].dim;
}

static void every_border_lies_where_the_blocks_lead(void **state) {
  (void)state;
  lfm_model *teacher = linear_teacher();
  lfm_states_options how = drawn(200);
  drawing d = draw(teacher, &how, 2);
  double square = 0.0;
  assert_int_equal(d.states.parts, 3);
  assert_int_equal(d.states.rows, 200);
  assert_true(d.states.evaluations > 200.0 * 3 * 6);
  for (int64_t i = 0; i < 200; i++) {
    square += pow((double)row_of(&d.states, 3, i)[0], 2.0);
    for (int n = 0; n < 3; n++)
      for (int j = 0; j < 2; j++)
        assert_near(row_of(&d.states, n, i)[j], shrinks(n + 1, 3) * (double)row_of(&d.states, 3, i)[j], 2e-6);
  }
  assert_near(square / 200.0, 1.0, 5.0 * sqrt(2.0 / 200.0)); /* noise at the last */
  draw_drop(&d);
  lfm_model_destroy(teacher);
}

static void pieces_of_a_block_are_equal_in_time(void **state) {
  (void)state;
  lfm_model *teacher = linear_teacher();
  lfm_states_options how = drawn(50);
  how.split = 4;
  drawing d = draw(teacher, &how, 1);
  assert_int_equal(d.states.parts, 12);
  for (int64_t i = 0; i < 50; i++)
    for (int piece = 1; piece <= 4; piece++) /* of the block on the data's side */
      assert_near(row_of(&d.states, piece, i)[0], exp(rates[0] * piece / 4.0) * (double)row_of(&d.states, 0, i)[0], 2e-6);
  lfm_part part = lfm_part_of(4, 7);
  assert_int_equal(part.block, 1);
  assert_true(part.span.right == 0.75 && part.span.left == 0.5);
  draw_drop(&d);
  lfm_model_destroy(teacher);
}

static void a_row_is_the_same_among_any_others_and_for_any_threads(void **state) {
  (void)state;
  lfm_model *teacher = linear_teacher();
  lfm_states_options many = drawn(300), few = drawn(120);
  drawing a = draw(teacher, &many, 1), b = draw(teacher, &few, 2);
  for (int n = 0; n <= 3; n++)
    assert_memory_equal(a.states.border[n].values, b.states.border[n].values, 120 * 2 * sizeof(float));
  draw_drop(&a);
  draw_drop(&b);
  lfm_model_destroy(teacher);
}

static void a_file_and_back(void **state) {
  (void)state;
  folder root = folder_create();
  const char *path = inside(root.path, "states.safetensors");
  lfm_model *teacher = linear_teacher();
  for (int halves = 0; halves < 2; halves++) {
    lfm_states_options how = drawn(60);
    how.in_halves = halves;
    drawing d = draw(teacher, &how, 1);
    lfm_states back;
    OK(lfm_states_write(&d.states, path));
    OK(lfm_states_read(path, teacher, &how, &back));
    assert_true(back.rows == 60 && back.parts == 3 && back.evaluations == d.states.evaluations && back.drawn == 60);
    for (int n = 0; n <= 3; n++)
      assert_memory_equal(lfm_pool_numbers(&back.border[n]), lfm_pool_numbers(&d.states.border[n]),
                          60 * 2 * lfm_pool_number_size(&back.border[n]));
    lfm_states_release(&back);
    how.rows = 0; /* however many there are */
    OK(lfm_states_read(path, teacher, &how, &back));
    assert_int_equal(back.rows, 60);
    lfm_states_release(&back);
    OK(lfm_states_check(path, teacher, &how, &back));
    assert_true(back.drawn == 60 && back.rows == 60 && !back.border[0].values);
    lfm_states_release(&d.states); /* where they came from is told without them */
    OK(lfm_states_write(&d.states, path));
    OK(lfm_states_check(path, teacher, &how, &back));
    assert_true(back.drawn == 60 && back.rows == 0 && back.evaluations == d.states.evaluations);
    FAILS(LFM_E_FORMAT, lfm_states_read(path, teacher, &how, &back));
    how.rows = 61;
    FAILS(LFM_E_DATA, lfm_states_check(path, teacher, &how, &back));
    how.rows = 60;
    /* another teacher's, or drawn otherwise */
    for (int k = 0; k < 5; k++) {
      lfm_model *other = linear_teacher();
      if (k == 0) set_linear_block(other, 1, 0.25);
      if (k == 1) OK(lfm_config_set(other->config, "act=silu"));
      if (k == 2) other->normaliser->mean[1] += 0.5;
      if (k == 3) other->normaliser->inverse[3] *= 2.0;
      if (k == 4) other->normaliser->kind = LFM_NORMALISE_RADIAL, other->normaliser->radial.knee = 2.0;
      FAILS(LFM_E_DATA, lfm_states_read(path, other, &how, &back));
      assert_says("another teacher, or otherwise");
      lfm_states_release(&back);
      lfm_model_destroy(other);
    }
    how.solve.crowds = true;
    FAILS(LFM_E_DATA, lfm_states_read(path, teacher, &how, &back));
    lfm_states_release(&back);
    how.solve.crowds = false, how.seed = 9;
    FAILS(LFM_E_DATA, lfm_states_read(path, teacher, &how, &back));
    lfm_states_release(&back);
    draw_drop(&d);
  }
  lfm_model_destroy(teacher);
  folder_remove(&root);
}

/* Rows beyond the wall at 4 cannot be solved: of 6,000 normal ones some, and less than one in a thousand. */
static void rows_that_fail_are_left_out_everywhere(void **state) {
  (void)state;
  lfm_table *table = gaussian_table(50, 1, 3);
  lfm_model *teacher = walled_chain(table);
  lfm_states_options how = drawn(60000);
  drawing d = draw(teacher, &how, 2);
  assert_int_equal(d.states.drawn, 60000);
  assert_true(d.states.rows < 60000 && d.states.rows > 59940);
  for (int64_t i = 0; i < d.states.rows; i++) {
    assert_true(row_of(&d.states, 1, i)[0] <= 4.0f);
    assert_near(row_of(&d.states, 0, i)[0], row_of(&d.states, 1, i)[0], 1e-6);
  }
  draw_drop(&d);
  lfm_model_destroy(teacher);
  lfm_table_destroy(table);
}

static void one_row_in_a_thousand_is_done_without(void **state) {
  (void)state;
  OK(lfm_states_do_without(0, 100, "the solve"));
  OK(lfm_states_do_without(50, 50000, "the solve"));
  FAILS(LFM_E_NUMERIC, lfm_states_do_without(51, 50000, "the solve"));
  assert_says("the solve failed for 51 of 50000 rows, more than 0.1 %");
  FAILS(LFM_E_NUMERIC, lfm_states_do_without(100, 100, "the solve"));
}

static void refused_memory_leaves_nothing(void **state) {
  (void)state;
  lfm_model *teacher = linear_teacher();
  lfm_states_options how = drawn(20);
  lfm_team *team;
  lfm_carry *carry;
  lfm_meter meter;
  lfm_states states;
  OK(lfm_team_create(1, &team));
  OK(lfm_carry_create(team, teacher->net, false, &carry));
  lfm_meter_begin(&meter, NULL, NULL);
  lfm_status status = LFM_E_MEMORY;
  for (uint64_t at = 1; status != LFM_OK && at < 100; at++) {
    lfm_alloc_fail_at(at);
    status = lfm_states_record(teacher, &how, carry, &meter, &states);
    assert_true(status == LFM_OK || status == LFM_E_MEMORY);
    lfm_states_release(&states);
  }
  lfm_alloc_fail_at(0);
  assert_int_equal(status, LFM_OK);
  lfm_carry_destroy(carry);
  lfm_team_destroy(team);
  lfm_model_destroy(teacher);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_border_lies_where_the_blocks_lead),
      cmocka_unit_test(pieces_of_a_block_are_equal_in_time),
      cmocka_unit_test(a_row_is_the_same_among_any_others_and_for_any_threads),
      cmocka_unit_test(a_file_and_back),
      cmocka_unit_test(rows_that_fail_are_left_out_everywhere),
      cmocka_unit_test(one_row_in_a_thousand_is_done_without),
      cmocka_unit_test(refused_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
