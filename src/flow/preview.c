/* SPDX-License-Identifier: MIT
 *
 * preview.c -- how training goes, to look at: two pictures in RUN, drawn anew every so many steps and when a block ends.
 *
 *   preview.png  a grid by the blocks so far, which end at the border behind the block at work.  There it begins,
 *                  x_r = e^{-g} x_l + sqrt(1 - e^{-2g}) z,   x_l a held-out picture as it was carried there,
 *                and goes back to pictures: variations of x_l where the border still knows it, new ones in the end, which
 *                are what lfm_sample draws under the run's seed with as many evaluations
 *   strip.png    a line for each of some held-out pictures, border by border towards the noise and back
 *
 * Fixed steps, by the weights that push and sampling take (the average).  Nothing here enters the state of the run: the model
 * has the same bytes whether one looks or not, and so how often is an option and no key.  [docs/decisions/previews.md]
 */
#include "flow/trainer.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/order.h"
#include "flow/columns.h"
#include "flow/ou.h"
#include "report/pictures.h"

#include <math.h>
#include <string.h>

enum {
  SIDE = 8,  /* of the grid, in pictures */
  LINES = 6, /* of the strip */
  STEPS = 8, /* of midpoints through a block [docs/decisions/fixed-steps.md] */
  EVALUATIONS = 2 * STEPS,
  MOST_A_BLOCK = 20,     /* previews */
  SHARE = 50,            /* of the steps: so much do they cost */
  MOST_NUMBERS = 1 << 22 /* of the grid: large pictures are fewer */
};

struct lfm_preview {
  int64_t every;          /* steps between two */
  int64_t count, columns; /* of the grid */
  int64_t lines;          /* of the strip; 0: there is none */
  double *x;              /* [count, dim] pictures on their way */
  float *z, *room;        /* [dim] */
  float *labels;          /* [count]; NULL: the network knows no classes */
  uint8_t *failed;        /* [count] */
  lfm_pool data;          /* [lines] held-out pictures at border 0 */
  lfm_table *grid;        /* [count] pictures */
  lfm_table *strip;       /* [lines, 2 blocks + 1] */
  lfm_params *weights;    /* of the block at work, as the model's kernels read them; NULL: the steps have the same */
};

/* ---- making ------------------------------------------------------------------------------------------------- */

/* Evaluations cost a third of a step's row. */
static int64_t period(const lfm_trainer *trainer, const lfm_preview *preview) {
  const lfm_config *config = trainer->config;
  int64_t asked = trainer->options->preview_every, blocks = trainer->model->blocks, steps = 1;
  if (asked > 0) return asked;
  for (int n = 0; n < blocks; n++) steps = lfm_most(steps, lfm_trainer_block_steps(trainer, n));
  double rows = (double)(EVALUATIONS * blocks * (preview->count + 2 * preview->lines)) / 3.0;
  double cost = rows / (double)(config->batch_size * config->num_tk);
  return lfm_most(lfm_most(steps / MOST_A_BLOCK, (int64_t)ceil(SHARE * cost)), 1);
}

static lfm_status make_strip(const lfm_trainer *trainer, lfm_preview *preview) {
  const lfm_model *model = trainer->model;
  int64_t columns = 2 * model->blocks + 1;
  if (lfm_grid_check(LINES, columns, model->picture->height, model->picture->width) != LFM_OK) return LFM_OK; /* too long */
  preview->lines = LINES < preview->count ? LINES : preview->count;
  LFM_TRY(lfm_pool_make(preview->lines, model->cols, false, preview->labels != NULL, &preview->data));
  LFM_TRY(lfm_trainer_fill_pool(trainer, trainer->valid_table, preview->lines, &preview->data));
  return lfm_columns_make(model, preview->lines * columns, 0, &preview->strip);
}

static lfm_status make(const lfm_trainer *trainer, lfm_preview *preview) {
  const lfm_model *model = trainer->model;
  preview->columns = SIDE;
  while (preview->columns > 2 && preview->columns * preview->columns * model->cols > MOST_NUMBERS) preview->columns--;
  preview->count = preview->columns * preview->columns;
  LFM_TRY(LFM_ALLOC(&preview->x, preview->count * model->cols));
  LFM_TRY(LFM_ALLOC(&preview->z, model->cols));
  LFM_TRY(LFM_ALLOC(&preview->room, model->cols));
  LFM_TRY(LFM_ALLOC(&preview->failed, preview->count));
  if (trainer->config->conditional) LFM_TRY(LFM_ALLOC(&preview->labels, preview->count));
  LFM_TRY(lfm_columns_make(model, preview->count, 0, &preview->grid));
  LFM_TRY(make_strip(trainer, preview));
  if (trainer->own_net) LFM_TRY(lfm_params_create_untrained(model->net, &preview->weights));
  preview->every = period(trainer, preview);
  return LFM_OK;
}

lfm_status lfm_preview_create(const lfm_trainer *trainer, lfm_preview **out) {
  const lfm_train_options *options = trainer->options;
  *out = NULL;
  if (!trainer->model->picture || !options->run || !options->preview_every || !lfm_chain_is_flow(trainer->model))
    return LFM_OK;
  LFM_TRY(LFM_ALLOC(out, 1));
  LFM_TRY(make(trainer, *out)); /* the trainer destroys what was begun */
  lfm_note(LFM_NOTE, "%s/preview.png and strip.png show every %lld batches what is learnt", options->run,
           (long long)(*out)->every);
  return LFM_OK;
}

void lfm_preview_destroy(lfm_preview *preview) {
  if (!preview) return;
  lfm_free(preview->x);
  lfm_free(preview->z);
  lfm_free(preview->room);
  lfm_free(preview->labels);
  lfm_free(preview->failed);
  lfm_pool_release(&preview->data);
  lfm_table_destroy(preview->grid);
  lfm_table_destroy(preview->strip);
  lfm_params_destroy(preview->weights);
  lfm_free(preview);
}

int64_t lfm_preview_memory(const lfm_preview *preview) {
  if (!preview) return 0;
  const void *const parts[] = {preview->x,
                               preview->z,
                               preview->room,
                               preview->labels,
                               preview->failed,
                               preview->data.values,
                               preview->data.given,
                               preview->grid->images->pixels,
                               preview->strip ? preview->strip->images->pixels : NULL};
  size_t bytes = 0;
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) bytes += lfm_alloc_size(parts[k]);
  return (int64_t)bytes;
}

size_t lfm_preview_weights_memory(const lfm_preview *preview) { return preview ? lfm_params_memory(preview->weights) : 0; }

/* ---- drawing ------------------------------------------------------------------------------------------------ */

typedef enum way { TO_NOISE, TO_DATA } way;

/* The first `count` pictures through block n, of which `weights` are the block at work's. */
static lfm_status carry(lfm_trainer *trainer, const lfm_params *weights, int n, way to, int64_t count) {
  lfm_preview *preview = trainer->preview;
  lfm_path path = {.t0 = to == TO_DATA, .t1 = to == TO_NOISE, .solver = LFM_MIDPOINT, .fixed_steps = STEPS};
  lfm_rows rows = {.count = count,
                   .f64 = preview->x,
                   .failed = preview->failed,
                   .given = preview->labels,
                   .guidance = 1.0,
                   .spread = true};
  return lfm_carry_rows(trainer->carry, n == trainer->block ? weights : trainer->model->params[n], &path, &rows, NULL);
}

/* x_r of every picture of the grid: from a held-out one, of which behind the last block nothing is left. */
static void begin_grid(const lfm_trainer *trainer, lfm_preview *preview) {
  const lfm_config *config = trainer->config;
  int64_t dim = trainer->model->cols, classes = trainer->model->picture->classes;
  bool is_last = trainer->block == trainer->model->blocks - 1;
  double before = config->pool == LFM_POOL_OU ? lfm_ou_time_before(config->hks, trainer->block) : 0.0;
  lfm_ou step = lfm_ou_step(is_last ? (double)NAN : before + config->hks[trainer->block]);
  lfm_rng rng = {.seed = config->seed, .purpose = LFM_FOR_SAMPLE};
  for (int64_t i = 0; i < preview->count; i++) {
    int64_t row = lfm_spaced(i, trainer->valid.rows, preview->count);
    const float *from = lfm_pool_row(&trainer->valid, row, preview->room);
    double *x = preview->x + i * dim;
    lfm_rng_normal(&rng, i, preview->z, (size_t)dim);
    for (int64_t j = 0; j < dim; j++) x[j] = step.decay * (double)from[j] + step.noise * (double)preview->z[j];
    if (preview->labels) preview->labels[i] = is_last ? (float)(i % classes) : trainer->valid.given[row];
  }
}

static lfm_status draw_grid(lfm_trainer *trainer, const lfm_params *weights) {
  lfm_preview *preview = trainer->preview;
  int64_t dim = trainer->model->cols;
  char path[LFM_PATH_SIZE];
  begin_grid(trainer, preview);
  memset(preview->failed, 0, (size_t)preview->count);
  for (int n = trainer->block; n >= 0; n--) LFM_TRY(carry(trainer, weights, n, TO_DATA, preview->count));
  for (int64_t i = 0; i < preview->count; i++) lfm_columns_put(trainer->model, preview->x + i * dim, preview->grid, i);
  LFM_TRY(lfm_path_join(path, sizeof path, trainer->options->run, "preview.png"));
  return lfm_draw_grid(path, preview->grid->images, preview->columns, preview->columns);
}

/* What the pictures are by now, into column `at` of `columns`. */
static void keep_column(lfm_trainer *trainer, int64_t at, int64_t columns) {
  lfm_preview *preview = trainer->preview;
  for (int64_t line = 0; line < preview->lines; line++)
    lfm_columns_put(trainer->model, preview->x + line * trainer->model->cols, preview->strip, line * columns + at);
}

static lfm_status draw_strip(lfm_trainer *trainer, const lfm_params *weights) {
  lfm_preview *preview = trainer->preview;
  int64_t numbers = preview->lines * trainer->model->cols, columns = 2 * trainer->block + 3, at = 0;
  char path[LFM_PATH_SIZE];
  for (int64_t k = 0; k < numbers; k++) preview->x[k] = (double)preview->data.values[k];
  if (preview->labels) memcpy(preview->labels, preview->data.given, (size_t)preview->lines * sizeof(float));
  memset(preview->failed, 0, (size_t)preview->lines);
  keep_column(trainer, at++, columns);
  for (int n = 0; n <= trainer->block; n++, keep_column(trainer, at++, columns))
    LFM_TRY(carry(trainer, weights, n, TO_NOISE, preview->lines));
  for (int n = trainer->block; n >= 0; n--, keep_column(trainer, at++, columns))
    LFM_TRY(carry(trainer, weights, n, TO_DATA, preview->lines));
  LFM_TRY(lfm_path_join(path, sizeof path, trainer->options->run, "strip.png"));
  return lfm_draw_grid(path, preview->strip->images, preview->lines, columns);
}

bool lfm_trainer_is_preview_due(const lfm_trainer *trainer) {
  return trainer->preview && trainer->step % trainer->preview->every == 0;
}

lfm_status lfm_trainer_preview(lfm_trainer *trainer, const lfm_params *weights) {
  if (!trainer->preview || !trainer->valid.rows) return LFM_OK;
  if (trainer->preview->weights) {
    lfm_params_copy(trainer->preview->weights, weights);
    weights = trainer->preview->weights;
  }
  LFM_TRY(draw_grid(trainer, weights));
  return trainer->preview->lines ? draw_strip(trainer, weights) : LFM_OK;
}
