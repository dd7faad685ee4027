/* SPDX-License-Identifier: MIT
 *
 * test_resolve.c -- what follows from the data where nobody said, that what somebody said stays as it is, and which keys a
 * resume may repeat.
 */
#include "flow_support.h"

#include "flow/resolve.h"

static lfm_config *resolved(int64_t rows, int64_t dim, const char *const *keys) {
  lfm_config *config = config_of(keys, NULL);
  lfm_data_shape shape = {.rows = rows, .dim = dim, .valid_rows = rows / 10};
  OK(lfm_resolve_shape(config, &shape));
  lfm_resolve_lanes(config, false, 250);
  lfm_resolve_steps(config, &shape, 1e-3, 60.0);
  lfm_resolve_rhythm(config, &shape);
  return config;
}

static void the_chain_is_one_step_and_the_free_block(void **state) {
  (void)state;
  for (int64_t dim = 1; dim <= 5; dim++) {
    lfm_config *config = resolved(5000, dim, NULL);
    assert_int_equal(config->blocks, 2);
    assert_true(config->hks[0] == (dim == 2 ? 0.3 : dim <= 3 ? 0.1 : 1.0) && isnan(config->hks[1]));
    lfm_config_destroy(config);
  }
}

/* In the plane alone, unless they are asked for or refused. */
static void waves_are_of_the_plane(void **state) {
  (void)state;
  for (int64_t dim = 1; dim <= 5; dim++) {
    lfm_config *open = resolved(5000, dim, NULL), *asked = resolved(5000, dim, KEYS("waves=3")),
               *refused = resolved(5000, dim, KEYS("waves=0"));
    assert_int_equal(open->waves, dim == 2 ? 64 : 0);
    assert_int_equal(asked->waves, 3);
    assert_int_equal(refused->waves, 0);
    lfm_config_destroy(open), lfm_config_destroy(asked), lfm_config_destroy(refused);
  }
}

static void larger_tables_get_larger_networks(void **state) {
  (void)state;
  static const struct {
    int64_t rows, dim, width;
    int hidden;
  } cases[] = {{1000, 4, 128, 3}, {20000, 10, 256, 3}, {2000, 40, 128, 4}, {20000, 40, 512, 4}, {600000, 5, 512, 4}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_config *config = resolved(cases[k].rows, cases[k].dim, NULL);
    assert_int_equal(config->hidden_dim, cases[k].width);
    assert_int_equal(config->num_hidden, cases[k].hidden);
    assert_near(config->lr, 6e-3 * sqrt(128.0 / (double)cases[k].width), 1e-15);
    assert_in_range(config->batch_size, 128, 512);
    lfm_config_destroy(config);
  }
}

/* No microbatch lacks more than a row of the others', and there are no more lanes than microbatches. */
static void a_batch_is_cut_evenly(void **state) {
  (void)state;
  for (int64_t batch = 1; batch < 3000; batch += 37) {
    char size[32];
    snprintf(size, sizeof size, "batch_size=%lld", (long long)batch);
    lfm_config *config = resolved(100000, 5, (const char *const[]){size, NULL});
    int64_t parts = (batch + config->microbatch - 1) / config->microbatch;
    assert_true(parts * config->microbatch - batch < parts);
    assert_in_range(config->microbatch, 1, 250);
    assert_in_range(config->lanes, batch < 128 ? 1 : 4, parts < 8 ? parts : 8);
    lfm_config_destroy(config);
  }
}

/* Pictures are few at a time: as many as are advised, or evenly fewer, but never more. */
static void a_batch_of_pictures_is_cut_evenly(void **state) {
  (void)state;
  static const int64_t expected[][4] = {{32, 8, 8, 4}, {256, 4, 4, 8}, {12, 8, 6, 2}, {5, 1, 1, 5}};
  for (int i = 0; i < 4; i++) {
    lfm_config *config = config_of(NULL, NULL);
    config->batch_size = expected[i][0];
    lfm_resolve_lanes(config, false, expected[i][1]);
    assert_int_equal(config->microbatch, expected[i][2]);
    assert_int_equal(config->lanes, expected[i][3]);
    lfm_config_destroy(config);
  }
}

/* Factors make one gradient, unless several lanes are asked for or the batch is large; its cut is what it always is. */
static void factors_need_one_lane(void **state) {
  (void)state;
  static const struct {
    const char *keys[3];
    int lanes;
    int64_t microbatch;
    bool keeps;
  } cases[] = {{{"batch_size=500"}, 1, 125, true},
               {{"batch_size=500", "num_tk=4"}, 1, 125, true},
               {{"batch_size=500", "num_tk=5"}, 8, 125, false},
               {{"batch_size=500", "lanes=1"}, 1, 125, true},
               {{"batch_size=500", "lanes=3"}, 3, 125, false},
               {{"batch_size=500", "microbatch=4"}, 1, 4, true},
               {{"batch_size=500", "microbatch=3"}, 8, 3, false}, /* 167 parts, each as much work as one of 32 rows */
               {{"batch_size=4000", "lanes=1"}, 1, 125, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    lfm_config *config = config_of(cases[i].keys, NULL);
    lfm_resolve_lanes(config, true, 125);
    assert_int_equal(config->lanes, cases[i].lanes);
    assert_int_equal(config->microbatch, cases[i].microbatch);
    assert_int_equal(lfm_resolve_keeps_factors(config, true), cases[i].keeps);
    assert_false(lfm_resolve_keeps_factors(config, false));
    lfm_config_destroy(config);
  }
}

static void time_becomes_steps(void **state) {
  (void)state;
  lfm_data_shape shape = {.rows = 6000, .dim = 5, .valid_rows = 600};
  lfm_config *config = config_of(KEYS("batch_size=600", "hks=[0.5, null]", "push_tol=1e-5"), NULL);
  OK(lfm_resolve_shape(config, &shape));
  lfm_resolve_steps(config, &shape, 0.01, 100.0);
  /* 90 s, less a push of 6,600 rows at 60 evaluations of a third of a row's step, over two blocks of 10 ms steps */
  assert_int_equal(config->max_batch.of[0], (int64_t)((90.0 - 60.0 * 0.01 / 600.0 / 3.0 * 6600.0) / 0.02));
  lfm_config_destroy(config);

  /* A looser push leaves more of it: a thousand times the tolerance takes half the evaluations. */
  config = config_of(KEYS("batch_size=600", "hks=[0.5, null]", "push_tol=1e-2"), NULL);
  OK(lfm_resolve_shape(config, &shape));
  lfm_resolve_steps(config, &shape, 0.01, 100.0);
  double evaluations = 60.0 * pow(1e-3, 0.1);
  assert_int_equal(config->max_batch.of[0], (int64_t)((90.0 - evaluations * 0.01 / 600.0 / 3.0 * 6600.0) / 0.02));
  lfm_config_destroy(config);

  config = config_of(KEYS("batch_size=600", "hks=[0.5, null]", "pool=ou"), NULL);
  OK(lfm_resolve_shape(config, &shape));
  lfm_resolve_steps(config, &shape, 0.01, 100.0);
  assert_int_equal(config->max_batch.of[0], 4500); /* nothing is pushed */
  lfm_config_destroy(config);

  config = config_of(KEYS("batch_size=600", "hks=[0.5, null]"), NULL);
  OK(lfm_resolve_shape(config, &shape));
  lfm_resolve_steps(config, &shape, 10.0, 1.0);
  assert_int_equal(config->max_batch.of[0], 200); /* however little time there is */
  lfm_config_destroy(config);

  /* However much there is, a few rows are not learnt by heart: 8 sqrt(300) times each; but a teacher draws any number. */
  lfm_data_shape few = {.rows = 300, .dim = 5, .valid_rows = 30};
  static const struct {
    int64_t rows;
    bool taught;
    int64_t batches;
  } cases[] = {{300, false, 416}, {300, true, 4500}, {20, false, 100}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    few.rows = cases[k].rows, few.taught = cases[k].taught;
    config = config_of(KEYS("batch_size=100", "hks=[0.5, null]", "pool=ou"), NULL);
    OK(lfm_resolve_shape(config, &few));
    lfm_resolve_steps(config, &few, 0.01, 100.0);
    assert_int_equal(config->max_batch.of[0], cases[k].batches);
    lfm_config_destroy(config);
  }

  config = config_of(KEYS("max_batch=7"), NULL);
  OK(lfm_resolve_shape(config, &shape));
  lfm_resolve_steps(config, &shape, 0.01, 100.0);
  assert_int_equal(config->max_batch.of[0], 7);
  lfm_config_destroy(config);
}

static char heard[400];

static void hear(lfm_note_level level, const char *text, void *context) {
  (void)context;
  if (level == LFM_WARNING) snprintf(heard, sizeof heard, "%s", text);
}

/* Of a table every ten epochs, however long the training is. */
static void validation_comes_before_rows_are_learnt_by_heart(void **state) {
  (void)state;
  lfm_data_shape shape = {.rows = 3000, .dim = 5, .valid_rows = 300};
  lfm_config *config = config_of(KEYS("batch_size=100", "hks=[0.5, null]", "max_batch=100000"), NULL);
  OK(lfm_resolve_shape(config, &shape));
  lfm_resolve_rhythm(config, &shape);
  assert_int_equal(config->valid_every, 300);
  lfm_config_destroy(config);
}

/* Whoever gives less time than the push takes hears what else there is. */
static void a_push_beyond_the_time_is_said(void **state) {
  (void)state;
  lfm_data_shape shape = {.rows = 60000, .dim = 5, .valid_rows = 6000};
  static const char *const pools[] = {"pool=ou", "pool=pushed"};
  lfm_notes_to(hear, NULL);
  for (size_t k = 0; k < 2; k++) {
    *heard = 0;
    lfm_config *config = config_of(KEYS("batch_size=60", "hks=[0.5, null]", pools[k]), NULL);
    OK(lfm_resolve_shape(config, &shape));
    lfm_resolve_steps(config, &shape, 0.1, 100.0);
    if (k == 0) assert_int_equal(*heard, 0);
    else assert_non_null(strstr(heard, "pool: ou"));
    lfm_config_destroy(config);
  }
  lfm_notes_to(NULL, NULL);
}

/* Some six hundred wide rows a block, between one in ten thousand and one in a thousand. */
static void the_defensive_share_follows_the_run(void **state) {
  (void)state;
  static const struct {
    const char *batches;
    double share;
  } cases[] = {{"max_batch=100", 1e-3}, {"max_batch=12000", 1e-4}, {"max_batch=3000", 600.0 / (3000.0 * 512.0)}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_config *config = resolved(100000, 5, (const char *const[]){"batch_size=512", cases[k].batches, NULL});
    assert_near(config->defensive, cases[k].share, 1e-15);
    lfm_config_destroy(config);
  }
}

/* What a run without a preset does, as docs/decisions/defaults.md has it. */
static void the_recipe_is_the_measured_one(void **state) {
  (void)state;
  lfm_config *config = resolved(60000, 10, KEYS("max_batch=4000"));
  assert_true(config->blocks == 2 && config->hks[0] == 1.0 && isnan(config->hks[1]));
  assert_true(config->interp == LFM_INTERP_TRIG && config->coupling == LFM_COUPLING_DEPENDENT);
  assert_true(config->beta_sample_t == LFM_TIME_BETA && config->alpha == 1.0 && config->beta == 2.0);
  assert_true(config->cosine && config->ema_decay == 0.999 && config->warm_start);
  assert_int_equal(config->hidden_dim, 256);
  assert_int_equal(config->num_hidden, 3);
  assert_int_equal(config->batch_size, 256);
  assert_int_equal(config->patience, 4000); /* a block is not ended early under a cosine */
  assert_int_equal(config->warmup, 200);
  assert_near(config->lr, 6e-3 * sqrt(0.5), 1e-15);
  lfm_config_destroy(config);
  config = resolved(60000, 3, KEYS("max_batch=4000"));
  assert_true(config->blocks == 2 && config->hks[0] == 0.1);
  lfm_config_destroy(config);
}

/* However little patience: a block is judged before it ends. */
static void patience_holds_some_validations(void **state) {
  (void)state;
  static const struct {
    const char *patience;
    int64_t every;
  } cases[] = {{"patience=50", 12}, {"patience=3", 1}, {"patience=300", 75}, {"patience=1000", 100}, {"patience=0", 100}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_config *config = resolved(3000, 5, KEYS("max_batch=5000", cases[k].patience));
    assert_int_equal(config->valid_every, cases[k].every);
    lfm_config_destroy(config);
  }
  lfm_config *config = resolved(3000, 5, KEYS("max_batch=5000", "cosine=false", "valid_every=2000"));
  assert_int_equal(config->patience, 2000);
  lfm_config_destroy(config);
}

/* What is reckoned from the length of blocks suits the shortest of them. */
static void a_short_block_beside_a_long_one_has_its_rhythm(void **state) {
  (void)state;
  lfm_config *both = resolved(3000, 5, KEYS("max_batch=[200, 5000]")), *alone = resolved(3000, 5, KEYS("max_batch=200"));
  assert_int_equal(both->warmup, alone->warmup);
  assert_int_equal(both->valid_every, alone->valid_every);
  assert_true(both->ema_decay == alone->ema_decay && both->defensive == alone->defensive);
  assert_int_equal(both->patience, 5000); /* no block ends early */
  lfm_config_destroy(both);
  lfm_config_destroy(alone);
}

/* Pictures that are not square are halved while both sides are even, and attend where they are smallest. */
static void a_picture_of_any_shape_has_its_network(void **state) {
  (void)state;
  static const struct {
    int64_t height, width, sizes, attention;
  } cases[] = {{28, 28, 3, 7},  {32, 32, 3, 8},  {28, 30, 2, 14}, {30, 28, 2, 15},
               {28, 31, 1, 28}, {64, 32, 3, 16}, {32, 64, 3, 8}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_images picture = {.channels = 1, .height = cases[k].height, .width = cases[k].width};
    lfm_data_shape shape = {.rows = 600, .dim = picture.height * picture.width, .valid_rows = 60, .picture = &picture};
    lfm_config *config = config_of(NULL, NULL);
    *heard = 0;
    lfm_notes_to(hear, NULL);
    OK(lfm_resolve_shape(config, &shape));
    assert_int_equal(*heard, 0);
    assert_int_equal(config->unet_dim_mults.count, cases[k].sizes);
    assert_int_equal(config->attention_resolution.of[0], cases[k].attention);
    OK(lfm_config_set(config, "attention_resolution=100"));
    OK(lfm_resolve_shape(config, &shape));
    assert_non_null(strstr(heard, "attention_resolution: 100 is at no size"));
    lfm_notes_to(NULL, NULL);
    lfm_config_destroy(config);
  }
}

/* What a run states of its pictures is what they were read as. */
static void pictures_of_another_size_are_refused(void **state) {
  (void)state;
  lfm_images picture = {.channels = 1, .height = 28, .width = 28};
  lfm_data_shape shape = {.rows = 600, .dim = 784, .valid_rows = 60, .picture = &picture};
  lfm_config *config = config_of(KEYS("image_size=16"), NULL);
  FAILS(LFM_E_USAGE, lfm_resolve_shape(config, &shape));
  assert_says("image_size: 16, but the pictures were read as 28 x 28");
  OK(lfm_config_set(config, "image_size=28"));
  OK(lfm_resolve_shape(config, &shape));
  lfm_config_destroy(config);
}

static lfm_status shaped(const char *key, const lfm_data_shape *shape) {
  lfm_config *config = config_of((const char *const[]){key, NULL}, NULL);
  lfm_status status = lfm_resolve_shape(config, shape);
  lfm_config_destroy(config);
  return status;
}

/* Given, and not what they are without a word: else a run's own file, which states all keys, would be good for no other data.
 */
static void keys_that_would_do_nothing_are_refused(void **state) {
  (void)state;
  lfm_images picture = {.channels = 1, .height = 28, .width = 28};
  lfm_windows windows = {.horizons = {2, 16, 8}, .width = 2, .action_dim = 2};
  const lfm_data_shape table = {.rows = 600, .dim = 5, .valid_rows = 60}, pictures = {600, 784, 60, .picture = &picture},
                       chunks = {600, 32, 60, .windows = &windows};
  static const char *const of_pictures[] = {"flip=true", "dequantise=uniform", "res_depth=1", "num_head_channels=16"};
  static const char *const of_chunks[] = {"action_horizon=3", "observation_horizon=1", "kernel_size=3", "n_groups=4"};
  for (size_t k = 0; k < 4; k++) {
    OK(shaped(of_pictures[k], &pictures));
    FAILS(LFM_E_USAGE, shaped(of_pictures[k], &table));
    FAILS(LFM_E_USAGE, shaped(of_pictures[k], &chunks));
    OK(shaped(of_chunks[k], &chunks));
    FAILS(LFM_E_USAGE, shaped(of_chunks[k], &table));
    FAILS(LFM_E_USAGE, shaped(of_chunks[k], &pictures));
  }
  FAILS(LFM_E_USAGE, shaped("attention_resolution=4", &table));
  FAILS(LFM_E_USAGE, shaped("unet_dim_mults=[1,2]", &table));
  OK(shaped("unet_dim_mults=[1,2]", &chunks));
  OK(shaped("dropout=0.1", &pictures));
  FAILS(LFM_E_USAGE, shaped("dropout=0.1", &table));
  assert_says("dropout: the network is no unet");
  FAILS(LFM_E_USAGE, shaped("normalise=none", &chunks));
  FAILS(LFM_E_USAGE, shaped("normalise=whiten", &pictures));
  OK(shaped("normalise=none", &table));
  OK(shaped("waves=4", &table));
  FAILS(LFM_E_USAGE, shaped("waves=4", &pictures));
  assert_says("waves: the data are no table");
  FAILS(LFM_E_USAGE, shaped("waves=4", &chunks));
  OK(shaped("waves=0", &pictures));
  FAILS(LFM_E_USAGE, shaped("finest_wave=4", &pictures));
  OK(shaped("flip=false", &table));
  OK(shaped("dropout=0", &chunks));
}

/* alpha and beta mean a Beta law, also without its flag; against the flag they are refused. */
static void a_given_law_of_times_is_meant(void **state) {
  (void)state;
  const lfm_data_shape table = {.rows = 600, .dim = 5, .valid_rows = 60};
  lfm_config *config = resolved(3000, 5, KEYS("beta=0.5"));
  assert_true(config->beta_sample_t == LFM_TIME_BETA && config->alpha == 1.0 && config->beta == 0.5);
  lfm_config_destroy(config);
  config = config_of(KEYS("beta_sample_t=false", "alpha=2"), NULL);
  FAILS(LFM_E_USAGE, lfm_resolve_shape(config, &table));
  assert_says("alpha, beta");
  OK(lfm_config_set(config, "alpha=1"));
  OK(lfm_resolve_shape(config, &table));
  lfm_config_destroy(config);
  config = config_of(KEYS("schedule.kind=cosine", "schedule.blocks=3"), NULL);
  OK(lfm_resolve_shape(config, &table));
  lfm_config_destroy(config);
}

/* A rate that never rises, a mean of where the weights began: said, where it was asked for. */
static void keys_of_longer_trainings_are_warned_of(void **state) {
  (void)state;
  static const struct {
    const char *key, *said;
  } cases[] = {{"ema_decay=0.9999", "ema_decay: 0.9"},
               {"warmup=600", "warmup: of 600 batches, in a block of 600"},
               {"ema_decay=0.99", ""},
               {"ema_power=0.75", ""},
               {"warmup=100", ""}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    *heard = 0;
    lfm_notes_to(hear, NULL);
    lfm_config_destroy(resolved(3000, 5, (const char *const[]){"max_batch=600", cases[k].key, NULL}));
    lfm_notes_to(NULL, NULL);
    assert_true(strncmp(heard, cases[k].said, strlen(cases[k].said)) == 0 && !*heard == !*cases[k].said);
  }
}

/* Where few rows are held out, each is drawn so often that there are a thousand pairs, or eight batches. */
static void few_rows_are_validated_by_as_many_pairs(void **state) {
  (void)state;
  static const int64_t batches[] = {16, 500};
  for (int k = 0; k < 2; k++)
    for (int64_t rows = 1; rows < 5000; rows += 7) {
      lfm_config config = {.batch_size = batches[k]};
      int64_t pairs = rows * lfm_resolve_valid_draws(&config, rows), wanted = k ? 1024 : 128;
      assert_true(rows >= wanted ? pairs == rows : pairs >= wanted && pairs < wanted + rows);
    }
}

static void a_microbatch_is_a_batch_at_most(void **state) {
  (void)state;
  lfm_config *config = resolved(3000, 5, KEYS("batch_size=256", "num_tk=2", "microbatch=100000"));
  assert_int_equal(config->microbatch, 512);
  lfm_config_destroy(config);
}

/* The batch is among the rows that a target is averaged over; none comes twice but where the walk meets an epoch's end. */
static void mean_targets_take_the_batch_in(void **state) {
  (void)state;
  static const struct {
    const char *asked;
    int64_t rows;
  } cases[] = {{"target_rows=0", 0}, {"target_rows=1", 200}, {"target_rows=300", 300}, {"target_rows=9999", 900}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_config *config = resolved(900, 5, (const char *const[]){"batch_size=200", cases[k].asked, NULL});
    assert_int_equal(config->target_rows, cases[k].rows);
    lfm_config_destroy(config);
  }
}

/* Without a word: rows that cost a twentieth of the network's operations, a thousand at most, where a batch is no dearer and
 * columns are few. */
static void mean_targets_cost_a_twentieth(void **state) {
  (void)state;
  static const struct {
    int64_t rows, dim, batch, target_rows;
  } cases[] = {{60000, 2, 256, 1024},   {20000, 10, 256, 454}, {3000, 10, 150, 0},
               {600000, 31, 512, 1024}, {20000, 32, 512, 0},   {600000, 5, 512, 1024}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    lfm_config *config = resolved(cases[k].rows, cases[k].dim, NULL);
    assert_int_equal(config->batch_size, cases[k].batch);
    assert_int_equal(config->target_rows, cases[k].target_rows);
    lfm_config_destroy(config);
  }
  lfm_config *config = resolved(60000, 2, KEYS("coupling=shuffled"));
  assert_int_equal(config->target_rows, 0);
  lfm_config_destroy(config);
}

static void lists_must_fit_the_chain(void **state) {
  (void)state;
  lfm_data_shape shape = {.rows = 5000, .dim = 5, .valid_rows = 500};
  lfm_config *config = config_of(KEYS("max_batch=[1,2,3]"), NULL); /* two blocks follow from the data */
  FAILS(LFM_E_USAGE, lfm_resolve_shape(config, &shape));
  assert_says("max_batch lists 3 numbers");
  assert_says("2 blocks");
  lfm_config_destroy(config);
}

static void what_was_said_stays(void **state) {
  (void)state;
  static const char *const said[] = {"hks=[0.3]",
                                     "hidden_dim=24",
                                     "num_hidden=1",
                                     "beta_sample_t=true",
                                     "alpha=3",
                                     "batch_size=9",
                                     "lr=0.25",
                                     "cosine=false",
                                     "ema_decay=0",
                                     "lanes=2",
                                     "microbatch=5",
                                     "max_batch=11",
                                     "valid_every=4",
                                     "checkpoint_every=3",
                                     "warmup=0",
                                     "patience=0",
                                     "defensive=0",
                                     "target_rows=0",
                                     NULL};
  lfm_config *config = resolved(5000, 5, said);
  assert_true(config->blocks == 1 && config->hks[0] == 0.3);
  assert_true(config->hidden_dim == 24 && config->num_hidden == 1 && config->batch_size == 9 && config->lr == 0.25);
  assert_true(config->beta_sample_t == LFM_TIME_BETA && config->alpha == 3.0);
  assert_true(!config->cosine && config->ema_decay == 0.0 && config->lanes == 2 && config->microbatch == 5);
  assert_true(config->max_batch.of[0] == 11 && config->valid_every == 4 && config->checkpoint_every == 3);
  assert_true(config->warmup == 0 && config->patience == 0 && config->defensive == 0.0 && config->target_rows == 0);
  lfm_config_destroy(config);
}

/* As a checkpoint has it: resolved, written and read. */
static lfm_config *stored(const char *const *keys) {
  lfm_config *config = resolved(5000, 5, keys), *read;
  char *text;
  lfm_config_settle(config);
  OK(lfm_config_write_text(config, &text));
  OK(lfm_config_create(&read));
  OK(lfm_config_parse(read, text, strlen(text), "checkpoint"));
  lfm_free(text);
  lfm_config_destroy(config);
  return read;
}

static lfm_status resume(const char *const *begun, const char *const *again) {
  const lfm_data_shape shape = {.rows = 5000, .dim = 5, .valid_rows = 500};
  lfm_config *then = stored(begun), *now = config_of(again, NULL);
  lfm_status status = lfm_resolve_agreement(then, now, &shape);
  lfm_config_destroy(then);
  lfm_config_destroy(now);
  return status;
}

/* Keys that say nothing on their own, or something else, are read beside the stored ones. */
static void some_of_the_keys_agree(void **state) {
  (void)state;
  OK(resume(KEYS("pool=ou", "coupling=shared"), KEYS("coupling=shared")));
  OK(resume(KEYS("hks=[0.1, 0.2, null]", "max_batch=[300, 400, 500]"), KEYS("max_batch=[300, 400, 500]")));
  OK(resume(KEYS("target_rows=10", "batch_size=64"), KEYS("target_rows=10")));
  OK(resume(KEYS("pool=ou", "objective=meanflow"), KEYS("objective=meanflow")));
  OK(resume(KEYS("batch_size=9000", "max_batch=300"), KEYS("batch_size=9000")));
  OK(resume(NULL, KEYS("hks=auto")));
  OK(lfm_resolve_agreement(NULL, NULL, NULL)); /* nothing is asked */
}

static void a_part_of_the_schedule_agrees(void **state) {
  (void)state;
  static const char *const whole[] = {"schedule.blocks=6", "schedule.c=0.13", "schedule.rho=1.7", NULL};
  for (size_t k = 0; k < 3; k++) {
    OK(resume(whole, KEYS(whole[k])));
    OK(resume(whole, KEYS(whole[k], whole[(k + 1) % 3])));
  }
  OK(resume(whole, KEYS("schedule.kind=exponential")));
  OK(resume(KEYS("schedule.kind=cosine", "schedule.blocks=4"), KEYS("schedule.blocks=4")));
  OK(resume(KEYS("schedule.kind=cosine", "schedule.blocks=4"), KEYS("schedule.kind=cosine")));
  OK(resume(KEYS("hks=[null]"), KEYS("schedule.blocks=1")));
}

static void what_was_changed_is_named(void **state) {
  (void)state;
  static const char *const whole[] = {"schedule.blocks=4", "schedule.c=0.2", "max_batch=[300, 301, 302, 303]", NULL};
  const struct {
    const char *key, *says;
  } cases[] = {
      {"schedule.c=0.21", "hks: "},      {"schedule.rho=1.6", "hks: "},       {"schedule.blocks=3", "hks: "},
      {"schedule.kind=cosine", "hks: "}, {"hks=[0.2, null]", "hks: "},        {"max_batch=[300, 301]", "max_batch: "},
      {"coupling=shared", "coupling: "}, {"target_rows=77", "target_rows: "}, {"batch_size=99", "batch_size: "}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    FAILS(LFM_E_USAGE, resume(whole, KEYS(cases[k].key)));
    assert_true(strstr(lfm_error(), cases[k].says) == lfm_error());
    assert_says("the run was begun with ");
  }
  FAILS(LFM_E_USAGE, resume(KEYS("pool=ou", "coupling=shared"), KEYS("pool=pushed"))); /* which goes with no shared noise */
  assert_says("pool: the run was begun with ou, not pushed");
  FAILS(LFM_E_USAGE, resume(whole, KEYS("hks=[0.2, null]", "schedule.c=0.2")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_chain_is_one_step_and_the_free_block),
      cmocka_unit_test(waves_are_of_the_plane),
      cmocka_unit_test(larger_tables_get_larger_networks),
      cmocka_unit_test(a_batch_is_cut_evenly),
      cmocka_unit_test(a_batch_of_pictures_is_cut_evenly),
      cmocka_unit_test(factors_need_one_lane),
      cmocka_unit_test(time_becomes_steps),
      cmocka_unit_test(validation_comes_before_rows_are_learnt_by_heart),
      cmocka_unit_test(a_push_beyond_the_time_is_said),
      cmocka_unit_test(the_defensive_share_follows_the_run),
      cmocka_unit_test(the_recipe_is_the_measured_one),
      cmocka_unit_test(patience_holds_some_validations),
      cmocka_unit_test(a_short_block_beside_a_long_one_has_its_rhythm),
      cmocka_unit_test(a_picture_of_any_shape_has_its_network),
      cmocka_unit_test(keys_that_would_do_nothing_are_refused),
      cmocka_unit_test(a_given_law_of_times_is_meant),
      cmocka_unit_test(keys_of_longer_trainings_are_warned_of),
      cmocka_unit_test(few_rows_are_validated_by_as_many_pairs),
      cmocka_unit_test(a_microbatch_is_a_batch_at_most),
      cmocka_unit_test(pictures_of_another_size_are_refused),
      cmocka_unit_test(mean_targets_take_the_batch_in),
      cmocka_unit_test(mean_targets_cost_a_twentieth),
      cmocka_unit_test(lists_must_fit_the_chain),
      cmocka_unit_test(what_was_said_stays),
      cmocka_unit_test(some_of_the_keys_agree),
      cmocka_unit_test(a_part_of_the_schedule_agrees),
      cmocka_unit_test(what_was_changed_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
