/* SPDX-License-Identifier: MIT
 *
 * features.c -- lfm features train | apply: a small classifier of labelled pictures, as judge of generated ones and as the
 * maker of the features by which sets of pictures are compared.  Each of the two is a verb with options of its own.
 */
#include "app.h"
#include "columns.h"
#include "json.h"
#include "options.h"
#include "outfile.h"
#include "progress.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define APP_OPTION_STRICT(address)                                                                                           \
  {                                                                                                                          \
    APP_FLAG, .name = "strict", .target = (address),                                                                         \
              .help = "a picture that cannot be read is an error (otherwise it is left out, with a warning)"                 \
  }

static void print_accuracy(const lfm_share *accuracy, const char *of) {
  printf("accuracy       %.2f %%, 95 %% interval %.2f to %.2f; %" PRId64 " of %" PRId64 " %s\n", 100 * accuracy->share,
         100 * accuracy->low, 100 * accuracy->high, accuracy->count, accuracy->of, of);
}

static void json_accuracy(app_json *json, const lfm_share *accuracy) {
  app_json_real(json, "accuracy", accuracy->share);
  app_json_real(json, "accuracy_low", accuracy->low);
  app_json_real(json, "accuracy_high", accuracy->high);
  app_json_whole(json, "right", accuracy->count);
  app_json_whole(json, "rows", accuracy->of);
}

/* ---- train ---------------------------------------------------------------------------------------------------- */

typedef struct train_request {
  const char *data, *valid, *out;
  int64_t epochs, threads;
  app_seed seed;
  lfm_table_options pictures;
  bool flip, json;
} train_request;

static lfm_status train(const train_request *r, app_progress *progress, lfm_judge_result *result) {
  lfm_table *pictures = NULL, *valid = NULL;
  lfm_judge *judge = NULL;
  lfm_status status = lfm_judge_writable(r->out); /* not after the epochs */
  if (status == LFM_OK) status = lfm_table_read(r->data, &r->pictures, &pictures);
  if (status == LFM_OK && r->valid) status = app_read_beside(r->valid, &r->pictures, pictures, &valid);
  if (status == LFM_OK) {
    lfm_judge_options options;
    lfm_judge_defaults(&options);
    options.train = pictures;
    options.valid = valid;
    options.epochs = (int)r->epochs;
    options.seed = r->seed.value;
    options.flip = r->flip;
    options.threads = (int)r->threads;
    options.progress = app_progress_show;
    options.context = progress;
    status = lfm_judge_train(&options, &judge, result);
  }
  if (status == LFM_OK) status = lfm_judge_write(judge, r->out);
  lfm_judge_destroy(judge);
  lfm_table_destroy(valid);
  lfm_table_destroy(pictures);
  return status;
}

static void print_train_json(const lfm_judge_result *result) {
  app_json json = app_json_open(stdout);
  json_accuracy(&json, &result->valid);
  app_json_real(&json, "loss", result->loss);
  app_json_whole(&json, "pictures", result->pictures);
  app_json_whole(&json, "epochs", result->epochs);
  app_json_whole(&json, "best_epoch", result->best_epoch);
  app_json_real(&json, "seconds", result->seconds);
  app_json_close(&json);
}

static void print_trained(const train_request *r, const lfm_judge_result *result) {
  char text[APP_TEXT_SIZE];
  print_accuracy(&result->valid, "held out");
  printf("loss           %.4f nats a picture held out\n", result->loss);
  printf("learnt         %" PRId64 " pictures; epoch %d of %d was the best\n", result->pictures, result->best_epoch,
         result->epochs);
  printf("time           %s\n", app_duration(text, result->seconds));
  printf("judge          %s\n", r->out);
}

static int run_train(const app_command *self, int argc, char **argv) {
  train_request r = {0};
  const app_option options[] = {
      {APP_OPERAND, .name = "DATA", .target = &r.data,
       .help = "labelled pictures, at most 128 x 128: a folder of folders of PNG and JPEG, IDX, CIFAR-10"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "FILE", .target = &r.out, .required = true,
       .help = "the judge to write, a .safetensors file" APP_REPLACED},
      {APP_TEXT, .name = "valid", .value = "DATA", .target = &r.valid,
       .help = "labelled pictures to choose the best epoch by (default: a tenth of DATA is held out)"},
      {APP_COUNT, .name = "epochs", .value = "N", .target = &r.epochs, .low = 1, .high = LFM_JUDGE_MOST_EPOCHS,
       .help = "how many times all pictures are shown (default 10)"},
      {APP_FLAG, .name = "flip", .target = &r.flip,
       .help = "show half of them in a mirror: not where left and right mean something, as in digits"},
      {APP_COUNT, .name = "size", .value = "S", .target = &r.pictures.size, .low = 1, .high = 128,
       .help = "scale the middle square of each picture to S x S (default: as they are)"},
      APP_OPTION_STRICT(&r.pictures.strict),
      {APP_SEED, .name = "seed", .value = "S", .target = &r.seed,
       .help = "another seed starts from other weights and holds out other pictures (default 0)"},
      APP_OPTION_THREADS(&r.threads),
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  if (!app_out_is_apart(self, r.out, (const char *const[APP_MOST_READ]){r.data, r.valid})) return APP_USAGE;
  r.pictures.threads = (int)r.threads;
  r.pictures.due = LFM_ROWS_PICTURES;
  app_progress progress;
  lfm_judge_result result;
  app_progress_begin(&progress);
  lfm_status status = train(&r, &progress, &result);
  app_progress_end(&progress);
  if (status == LFM_OK && r.json) print_train_json(&result);
  if (status == LFM_OK && !r.json) print_trained(&r, &result);
  return app_report(self, status);
}

static const app_command train_command = {
    .name = "features train",
    .about =
        "Learns to tell the classes of labelled pictures apart, by a network of three convolutions, and prints how often "
        "it is right on pictures held out: a little too often, as they also choose the epoch. FILE then makes features of "
        "other pictures, and judges generated ones.",
    .example = "  lfm features train train-images-idx3-ubyte.gz -o judge.safetensors\n",
    .run = run_train,
};

/* ---- apply ---------------------------------------------------------------------------------------------------- */

typedef struct apply_request {
  const char *judge, *data, *out;
  int64_t threads;
  bool logits, strict, json;
} apply_request;

typedef struct applied {
  int64_t rows, cols;
  lfm_share accuracy; /* of 0: the judge knows no labels of theirs */
} applied;

/* In the size and colours that the judge knows. */
static lfm_status read_pictures(const apply_request *r, const lfm_judge *judge, lfm_table **out) {
  int64_t channels, height, width;
  lfm_judge_picture(judge, &channels, &height, &width);
  return app_read_pictures(r->data, &(lfm_table_options){.strict = r->strict, .threads = (int)r->threads}, channels, height,
                           width, out);
}

static lfm_status apply(const apply_request *r, applied *result) {
  lfm_judge *judge = NULL;
  lfm_table *pictures = NULL, *said = NULL;
  lfm_status status = lfm_table_writable(r->out);
  if (status == LFM_OK) status = lfm_judge_load(r->judge, &judge);
  if (status == LFM_OK) status = read_pictures(r, judge, &pictures);
  if (status == LFM_OK)
    status = lfm_judge_apply(judge, pictures, (int)r->threads, r->logits ? NULL : &said, r->logits ? &said : NULL,
                             &result->accuracy);
  if (status == LFM_OK) status = lfm_table_write(said, r->out);
  if (status == LFM_OK) result->rows = lfm_table_rows(said), result->cols = lfm_table_cols(said);
  lfm_table_destroy(said);
  lfm_table_destroy(pictures);
  lfm_judge_destroy(judge);
  return status;
}

static void print_apply_json(const applied *result) {
  app_json json = app_json_open(stdout);
  if (result->accuracy.of > 0) json_accuracy(&json, &result->accuracy);
  else app_json_whole(&json, "rows", result->rows);
  app_json_whole(&json, "columns", result->cols);
  app_json_close(&json);
}

static int run_apply(const app_command *self, int argc, char **argv) {
  apply_request r = {0};
  const app_option options[] = {
      {APP_OPERAND, .name = "FILE", .target = &r.judge, .help = "a judge, from lfm features train"},
      {APP_OPERAND, .name = "DATA", .target = &r.data,
       .help = "pictures, which are scaled where the judge knows squares of another size"},
      {APP_TEXT, .letter = 'o', .name = "out", .value = "OUT", .target = &r.out, .required = true,
       .help = "a row of 128 features for each picture, by the ending: .npy .csv .csv.gz file.npz::key "
               "file.hdf5::dataset" APP_ARRAY_REPLACED},
      {APP_FLAG, .name = "logits", .target = &r.logits, .help = "write the logit of each class instead of the features"},
      APP_OPTION_STRICT(&r.strict),
      APP_OPTION_THREADS(&r.threads),
      APP_OPTION_JSON(&r.json),
      {0},
  };
  int code;
  if (!app_parse(self, options, argc, argv, &code)) return code;
  if (!app_out_is_apart(self, r.out, (const char *const[APP_MOST_READ]){r.judge, r.data})) return APP_USAGE;
  applied result = {0};
  lfm_status status = apply(&r, &result); /* in one pass, which nobody asks whether to go on: Ctrl-C ends the program */
  if (status == LFM_OK && r.json) print_apply_json(&result);
  if (status == LFM_OK && !r.json) {
    if (result.accuracy.of > 0) print_accuracy(&result.accuracy, "pictures");
    printf("%s       %" PRId64 " rows of %" PRId64 ", in %s\n", r.logits ? "logits  " : "features", result.rows, result.cols,
           r.out);
  }
  return app_report(self, status);
}

static const app_command apply_command = {
    .name = "features apply",
    .about =
        "Writes what a judge makes of pictures: the features of the layer under its logits, or the logits. Where DATA has "
        "labels of its classes, prints how often the judge finds them.",
    .example = "  lfm features apply judge.safetensors t10k-images-idx3-ubyte.gz -o test.npy\n"
               "  lfm features apply judge.safetensors generated/ -o generated.npy\n",
    .run = run_apply,
};

/* ---- the verb ------------------------------------------------------------------------------------------------- */

static int run(const app_command *self, int argc, char **argv) {
  static const app_command *const parts[] = {&train_command, &apply_command};
  const char *word = argc > 2 ? argv[2] : NULL;
  if (!word) return app_usage_error(self, "train or apply is missing; see lfm features --help");
  if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
    parts[0]->run(parts[0], argc, argv);
    putchar('\n');
    return parts[1]->run(parts[1], argc, argv);
  }
  app_nearest nearest = {.given = word};
  for (int i = 0; i < 2; i++) {
    const char *name = strchr(parts[i]->name, ' ') + 1;
    if (strcmp(word, name) == 0) return parts[i]->run(parts[i], argc - 1, argv + 1);
    app_nearest_offer(&nearest, name);
  }
  if (nearest.best) return app_usage_error(self, "'%s': did you mean %s?", word, nearest.best);
  return app_usage_error(self, "'%s': train or apply is due there; see lfm features --help", word);
}

const app_command app_features = {
    .name = "features",
    .summary = "a classifier of pictures: features, and a judge",
    .run = run,
};
