/* SPDX-License-Identifier: MIT
 *
 * student.c -- see student.h.
 */
#include "distill/student.h"

#include "core/alloc.h"
#include "distill/states.h"
#include "flow/interpolant.h"

#include <math.h>
#include <string.h>

/* What the teacher says. */
static const char *const inherited[] = {"normalise",
                                        "image_size",
                                        "dequantise",
                                        "conditional",
                                        "observation_horizon",
                                        "prediction_horizon",
                                        "action_horizon",
                                        "network",
                                        "hidden_dim",
                                        "num_hidden",
                                        "act",
                                        "cat_t",
                                        "waves",
                                        "finest_wave",
                                        "unet_dim_mults",
                                        "res_depth",
                                        "attention_resolution",
                                        "num_head_channels",
                                        "scale_shift",
                                        "kernel_size",
                                        "n_groups",
                                        "step_embed_dim",
                                        NULL};

/* What the caller may say: how a student is trained. */
static const char *const open_keys[] = {
    "pool_precision", "batch_size", "max_batch",  "lr",         "lr_decay",         "lr_step",     "warmup",    "cosine",
    "grad_clip",      "optimizer",  "adam_beta1", "adam_beta2", "weight_decay",     "ema_decay",   "ema_power", "patience",
    "precision",      "lanes",      "microbatch", "seed",       "checkpoint_every", "valid_every", NULL};

/* What the method says: pairs as they are, on straight lines. */
static const char *const fixed[] = {"hks=[null]", "interp=linear",       "coupling=dependent", "pool=ou",
                                    "num_tk=1",   "beta_sample_t=false", "target_rows=0",      "defensive=0",
                                    "flip=false", "class_drop=0",        "dropout=0",          "warm_start=true",
                                    NULL};

static bool is_among(const char *const *names, const char *name) {
  for (; *names; names++)
    if (strcmp(*names, name) == 0) return true;
  return false;
}

static lfm_status take_asked(const lfm_config *asked, lfm_config *config) {
  const char *name, *fallback, *help;
  for (int k = 0; lfm_config_key(k, &name, &fallback, &help); k++) {
    if (!lfm_config_is_set(asked, name)) continue;
    if (!is_among(open_keys, name))
      return lfm_fail(LFM_E_USAGE, "%s: a student has it from its teacher or from the method; leave it out", name);
    lfm_config_take(config, asked, name);
  }
  return LFM_OK;
}

/* One step is a map of x alone, as fine wherever it begins: its waves fade as near the data, not by the time at which it is
 * taken, when all but the longest would be gone (docs/decisions/waves.md). */
static const double WAVE_NOISE = 0.2;

static void show_waves(const lfm_model *teacher, lfm_objective objective, lfm_config *config) {
  bool is_step = objective == LFM_OBJECTIVE_RESIDUAL && teacher->config->waves;
  if (is_step) lfm_config_take(config, &(lfm_config){.wave_noise = WAVE_NOISE}, "wave_noise");
}

lfm_status lfm_student_configure(const lfm_model *teacher, lfm_objective objective, const lfm_config *asked,
                                 lfm_config **out) {
  lfm_status status;
  LFM_TRY(lfm_config_create(out));
  for (int k = 0; fixed[k]; k++) LFM_TRY_GOTO(lfm_config_set(*out, fixed[k]), failed);
  for (int k = 0; inherited[k]; k++) lfm_config_take(*out, teacher->config, inherited[k]);
  lfm_config_take(*out, &(lfm_config){.objective = objective}, "objective");
  show_waves(teacher, objective, *out);
  if (asked) LFM_TRY_GOTO(take_asked(asked, *out), failed);
  return LFM_OK;
failed:
  lfm_config_destroy(*out);
  *out = NULL;
  return status;
}

/* ---- training ------------------------------------------------------------------------------------------------ */

lfm_status lfm_student_train(const lfm_model *teacher, const lfm_train_options *options, lfm_lesson *lesson, lfm_model **out,
                             lfm_train_result *result) {
  bool finished = false;
  *result = (lfm_train_result){0};
  *out = NULL;
  if (options->resume) LFM_TRY(lfm_run_folder_read_result(options->run, result, &finished));
  if (!finished) {
    lfm_trainer *trainer;
    LFM_TRY(lfm_trainer_create_student(options, teacher, lesson, &trainer));
    lfm_status status = lfm_trainer_run(trainer, result);
    lfm_trainer_destroy(trainer);
    LFM_TRY(status);
  }
  LFM_TRY(lfm_model_load(options->run, out));
  (*out)->span[0] = (lfm_span){lesson->t_right, lesson->t_left};
  return finished ? lfm_trainer_check_taught(*out, options->config, lesson->left.rows) : LFM_OK;
}

/* ---- the chain ----------------------------------------------------------------------------------------------- */

/* The OU time of I_t = (a + b e^{-g}) x + b sqrt(1 - e^{-2g}) z, as far as signal and noise tell; infinite of noise alone. */
static double time_within(const lfm_config *config, int block, double t) {
  lfm_ou step = lfm_ou_step(config->hks[block]);
  lfm_interpolant at = lfm_interpolant_at(config->interp, t);
  double signal = (double)at.a + (double)at.b * step.decay, noise = (double)at.b * step.noise;
  return -log(signal / hypot(signal, noise));
}

double lfm_student_step(const lfm_config *config, int split, const lfm_merge_node *node) {
  double sum = 0.0;
  for (int n = node->first; n <= node->last; n++) {
    lfm_part part = lfm_part_of(split, n);
    bool is_free = isnan(config->hks[part.block]);
    if (is_free && part.span.right == 1.0) return (double)NAN;
    sum += split == 1 ? config->hks[part.block]
                      : time_within(config, part.block, part.span.right) - time_within(config, part.block, part.span.left);
  }
  return sum;
}

lfm_status lfm_students_join(const lfm_model *teacher, const lfm_merge_plan *plan, int split,
                             const lfm_model *const *students, lfm_model **out) {
  char text[LFM_MERGE_TEXT];
  lfm_config *config;
  *out = NULL;
  LFM_TRY(lfm_config_copy(students[0]->config, &config));
  config->blocks = plan->students;
  for (int k = 0; k < plan->students; k++)
    config->hks[k] = lfm_student_step(teacher->config, split, &plan->node[plan->student[k]]);
  lfm_status status = lfm_chain_like(teacher, config, out);
  lfm_config_destroy(config);
  LFM_TRY(status);
  for (int k = 0; k < plan->students; k++) {
    lfm_params_copy((*out)->params[k], students[k]->params[0]);
    (*out)->span[k] = students[k]->span[0];
  }
  lfm_merge_plan_format(plan, text);
  status = lfm_alloc_text(&(*out)->plan, text);
  if (status == LFM_OK) return LFM_OK;
  lfm_model_destroy(*out);
  *out = NULL;
  return status;
}
