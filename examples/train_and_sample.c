/* SPDX-License-Identifier: MIT
 *
 * train_and_sample.c -- Local Flow Matching from C, in a page: make a table, train on it, draw new rows, score them.
 *
 *   cc train_and_sample.c $(pkg-config --cflags --libs lfm) -lm -o train_and_sample
 *   ./train_and_sample moons
 *
 * The table is two half moons with a little noise.  The folder given must not exist; the model stays in it, so that
 * `lfm sample moons -n 1000 -o new.csv` works afterwards.
 */
#include <lfm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 2000, DRAWN = 500 };

/* Two interleaved half circles; the noise is a sum of uniforms, near enough to a normal. */
static lfm_status make_moons(unsigned seed, lfm_table **out) {
  static const char *const names[] = {"east", "north"};
  static const int decimals[] = {3, 3};
  static double values[ROWS][2];
  srand(seed);
  for (int i = 0; i < ROWS; i++) {
    double angle = 3.14159265 * rand() / RAND_MAX, noise[2] = {0, 0};
    for (int k = 0; k < 8; k++) noise[k % 2] += 0.3 * (rand() / (double)RAND_MAX - 0.5);
    values[i][0] = (i % 2 ? 1 - cos(angle) : cos(angle)) + noise[0];
    values[i][1] = (i % 2 ? 0.5 - sin(angle) : sin(angle)) + noise[1];
  }
  return lfm_table_create(values[0], ROWS, 2, names, decimals, out);
}

static lfm_status train(const lfm_table *moons, const char *folder) {
  static const char *const settings[] = {"hidden_dim=64", "num_hidden=2", "batch_size=256", "max_batch=1500",
                                         "schedule.blocks=2"};
  lfm_config *config = NULL;
  lfm_status status = lfm_config_create(&config);
  for (size_t i = 0; status == LFM_OK && i < sizeof settings / sizeof *settings; i++)
    status = lfm_config_set(config, settings[i]);
  lfm_train_options options;
  lfm_train_defaults(&options);
  options.config = config;
  options.train = moons;
  options.run = folder;
  lfm_train_result result;
  if (status == LFM_OK) status = lfm_train(&options, &result);
  if (status == LFM_OK) printf("trained %d blocks in %.1f s\n", result.blocks, result.seconds);
  lfm_config_destroy(config);
  return status;
}

/* Draws rows from the model, prints a few, and says how likely rows that the model has never seen are under it. */
static lfm_status use(const lfm_model *model, const lfm_table *unseen, lfm_table **drawn) {
  lfm_sample_options sampling;
  lfm_sample_defaults(&sampling);
  sampling.rows = DRAWN;
  sampling.seed = 1;
  lfm_sample_result sampled;
  lfm_status status = lfm_sample(model, &sampling, drawn, &sampled);
  if (status != LFM_OK) return status;
  const double *row = lfm_table_values(*drawn);
  printf("drew %lld rows; the first three (%s, %s):\n", (long long)sampled.rows, lfm_table_name(*drawn, 0),
         lfm_table_name(*drawn, 1));
  for (int i = 0; i < 3; i++, row += 2) printf("  %6.3f  %6.3f\n", row[0], row[1]);

  lfm_score_options scoring;
  lfm_score_defaults(&scoring);
  lfm_score_result score;
  status = lfm_score(model, unseen, &scoring, NULL, &score);
  if (status == LFM_OK) printf("unseen rows: -log p = %.3f +- %.3f nats a row\n", score.nll, score.nll_se);
  return status;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  lfm_table *moons = NULL, *unseen = NULL, *drawn = NULL;
  lfm_model *model = NULL;
  lfm_status status = make_moons(1, &moons);
  if (status == LFM_OK) status = make_moons(2, &unseen);
  if (status == LFM_OK) status = train(moons, argv[1]);
  if (status == LFM_OK) status = lfm_model_load(argv[1], &model);
  if (status == LFM_OK) status = use(model, unseen, &drawn);
  if (status != LFM_OK) fprintf(stderr, "%s\n", lfm_error());
  lfm_table_destroy(drawn);
  lfm_model_destroy(model);
  lfm_table_destroy(unseen);
  lfm_table_destroy(moons);
  return status == LFM_OK ? 0 : 1;
}
