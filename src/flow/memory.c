/* SPDX-License-Identifier: MIT
 *
 * memory.c -- what a training run holds, term by term:
 *
 *   tables + pool + model + lanes x gradient + threads x microbatch
 *
 * where one lane may have the activations of a whole batch beside it, as the factors of the gradient (graph/factors.h).
 * Each term is the sum of what its owners were given, asked of core/alloc.c: nothing is estimated, so nothing can drift from
 * what is allocated.  Left out is what no data set or network makes large: configuration, records, plans, and the kernel
 * library's own.
 */
#include "flow/trainer.h"

#include "core/alloc.h"

#include <stdio.h>

static void add(const void *memory, int64_t *term, lfm_memory *sum) {
  *term += (int64_t)lfm_alloc_size(memory);
  sum->in_files += (int64_t)lfm_alloc_size_in_file(memory);
}

static void add_table(const lfm_table *table, lfm_memory *sum) {
  if (table && table->images) add(table->images->pixels, &sum->tables, sum);
  else if (table) add(table->values, &sum->tables, sum);
  if (table && table->demos) add(table->demos->obs, &sum->tables, sum);
  if (table && table->windows) add(table->windows->given, &sum->tables, sum);
}

lfm_memory lfm_trainer_memory(const lfm_trainer *trainer) {
  lfm_memory sum = {0};
  add_table(trainer->options->train, &sum);
  add_table(trainer->valid_table, &sum); /* the caller's, or the tenth that was held out */
  add(lfm_pool_numbers(&trainer->pool), &sum.pool, &sum);
  add(trainer->pool.given, &sum.pool, &sum);
  add(lfm_pool_numbers(&trainer->valid), &sum.pool, &sum);
  add(trainer->valid.given, &sum.pool, &sum);
  if (trainer->lesson) {
    add(lfm_pool_numbers(&trainer->lesson->right), &sum.pool, &sum);
    add(lfm_pool_numbers(&trainer->lesson->valid_right), &sum.pool, &sum);
  }
  add(trainer->push_nfe, &sum.pool, &sum);
  add(trainer->push_failed, &sum.pool, &sum);
  sum.pool += lfm_preview_memory(trainer->preview);
  for (int n = 0; n < trainer->model->blocks; n++) sum.model += (int64_t)lfm_params_memory(trainer->model->params[n]);
  sum.model += (int64_t)(lfm_params_memory(trainer->params) + lfm_params_memory(trainer->average) +
                         lfm_params_memory(trainer->push_params) + lfm_preview_weights_memory(trainer->preview));
  sum.model += (int64_t)lfm_optim_memory(trainer->optim);
  for (int lane = 0; lane < trainer->config->lanes; lane++) add(trainer->grads[lane], &sum.lanes, &sum);
  sum.lanes += (int64_t)lfm_factors_memory(trainer->factors);
  int parts = trainer->factors ? trainer->tasks : 0; /* of the batch, however many threads there are */
  for (int w = 0; w < trainer->worker_count; w++)
    *(w < parts ? &sum.lanes : &sum.workers) += (int64_t)lfm_matching_memory(trainer->workers[w]);
  sum.workers += (int64_t)lfm_carry_memory(trainer->carry);
  return sum;
}

void lfm_trainer_note_memory(const lfm_trainer *trainer) {
  const double mb = 1e-6;
  char in_files[48] = "";
  lfm_memory sum = lfm_trainer_memory(trainer);
  double tables = mb * (double)sum.tables, pool = mb * (double)sum.pool, model = mb * (double)sum.model,
         lanes = mb * (double)sum.lanes, workers = mb * (double)sum.workers;
  int lane_count = trainer->config->lanes, threads = lfm_team_size(trainer->team);
  if (sum.in_files) snprintf(in_files, sizeof in_files, ", of which %.3g in files", mb * (double)sum.in_files);
  lfm_note(LFM_NOTE, "memory in MB: %.3g tables + %.3g pool + %.3g model + %d x %.3g lanes + %d x %.3g threads = %.3g%s",
           tables, pool, model, lane_count, lanes / lane_count, threads, workers / threads,
           tables + pool + model + lanes + workers, in_files);
}
