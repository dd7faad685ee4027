/* SPDX-License-Identifier: MIT
 *
 * test_judge.c -- a judge through its file and back, to the byte; files that are no judge, not whole or not honest; what the
 * meter hears; what `lfm info` says.
 */
#include "archive_copy.h"
#include "support/patterns.h"

#include <math.h>

/* Classes called by number unless named; one epoch. */
static lfm_judge *small_judge(const char *const names[PATTERNS]) {
  lfm_table *train = patterns(40, 5, 1, true);
  lfm_judge *judge;
  lfm_judge_options options;
  lfm_judge_result result;
  for (int k = 0; names && k < PATTERNS; k++) OK(lfm_images_name_class(train->images, k, names[k]));
  lfm_judge_defaults(&options);
  options.train = train;
  options.epochs = 1;
  OK(lfm_judge_train(&options, &judge, &result));
  lfm_table_destroy(train);
  return judge;
}

static folder folder_with_judge(void) {
  folder here = folder_create();
  lfm_judge *judge = small_judge(NULL);
  OK(lfm_judge_write(judge, inside(here.path, "judge.safetensors")));
  lfm_judge_destroy(judge);
  return here;
}

static void file_and_back(void **state) {
  (void)state;
  static const char *const names[PATTERNS] = {"Größe \"b\"", "a,b", "3"};
  folder here = folder_create();
  lfm_judge *judge = small_judge(names), *loaded;
  lfm_table *pictures = patterns(9, 5, 2, false), *before, *after;
  int64_t channels, height, width;
  OK(lfm_judge_write(judge, inside(here.path, "a.safetensors")));
  OK(lfm_judge_load(inside(here.path, "a.safetensors"), &loaded));
  OK(lfm_judge_write(loaded, inside(here.path, "b.safetensors")));
  assert_true(same_bytes(inside(here.path, "a.safetensors"), inside(here.path, "b.safetensors")));
  lfm_judge_picture(loaded, &channels, &height, &width);
  assert_true(channels == 1 && height == 5 && width == 5 && lfm_judge_classes(loaded) == PATTERNS);
  for (int k = 0; k < PATTERNS; k++) assert_string_equal(lfm_judge_class(loaded, k), names[k]);
  for (int logits = 0; logits < 2; logits++) {
    OK(lfm_judge_apply(judge, pictures, 1, logits ? NULL : &before, logits ? &before : NULL, NULL));
    OK(lfm_judge_apply(loaded, pictures, 2, logits ? NULL : &after, logits ? &after : NULL, NULL));
    assert_int_equal(after->cols, logits ? PATTERNS : 128);
    assert_memory_equal(after->values, before->values, (size_t)(9 * after->cols) * sizeof(double));
    lfm_table_destroy(after);
    lfm_table_destroy(before);
  }
  FAILS(LFM_E_USAGE, lfm_judge_write(judge, inside(here.path, "judge.bin")));
  assert_says(".safetensors");
  FAILS(LFM_E_IO, lfm_judge_write(judge, inside(here.path, "nowhere/judge.safetensors")));
  lfm_table_destroy(pictures);
  lfm_judge_destroy(loaded);
  lfm_judge_destroy(judge);
  folder_remove(&here);
}

/* Kernels of doubles, forced from outside, are not for a judge: its numbers are those of its file. */
static void says_the_same_under_every_table(void **state) {
  (void)state;
  static const char *const tables[] = {"ref64", "ref32", "onednn"};
  folder here = folder_with_judge();
  lfm_table *pictures = patterns(9, 5, 2, false), *said[3];
  lfm_judge *judge;
  for (int k = 0; k < 3; k++) {
    setenv("LFM_KERNELS", tables[k], 1);
    OK(lfm_judge_load(inside(here.path, "judge.safetensors"), &judge));
    OK(lfm_judge_apply(judge, pictures, 1, NULL, &said[k], NULL));
    for (int i = 0; i < 9 * PATTERNS; i++) assert_near(said[k]->values[i], said[0]->values[i], 1e-4);
    lfm_judge_destroy(judge);
  }
  unsetenv("LFM_KERNELS");
  for (int k = 0; k < 3; k++) lfm_table_destroy(said[k]);
  lfm_table_destroy(pictures);
  folder_remove(&here);
}

/* ---- hostile files ------------------------------------------------------------------------------------------- */

static void expect_refusal(const char *path, const alteration *change, lfm_status status, const char *says) {
  lfm_judge *judge = (lfm_judge *)&status;
  archive_copy(inside(path, "judge.safetensors"), inside(path, "altered.safetensors"), change);
  FAILS(status, lfm_judge_load(inside(path, "altered.safetensors"), &judge));
  assert_null(judge);
  assert_says(says);
  assert_says("altered.safetensors");
}

static void metadata_that_makes_no_sense(void **state) {
  (void)state;
  folder here = folder_with_judge();
  static const struct {
    alteration change;
    lfm_status status;
    const char *says;
  } cases[] = {
      {{.name = "format"}, LFM_E_FORMAT, "not a judge"},
      {{.name = "format", .text = "lfm 1"}, LFM_E_FORMAT, "not a judge"},
      {{.name = "format", .text = "lfm judge 2"}, LFM_E_UNSUPPORTED, "format 'lfm judge 2'"},
      {{.name = "channels"}, LFM_E_FORMAT, "'channels'"},
      {{.name = "channels", .text = "2"}, LFM_E_FORMAT, "2 channels"},
      {{.name = "channels", .text = "3"}, LFM_E_FORMAT, "net.0.weight"},
      {{.name = "channels", .text = "4"}, LFM_E_FORMAT, "'channels'"},
      {{.name = "height"}, LFM_E_FORMAT, "'height'"},
      {{.name = "height", .text = "0"}, LFM_E_FORMAT, "'height'"},
      {{.name = "height", .text = "5x"}, LFM_E_FORMAT, "'height'"},
      {{.name = "height", .text = "129"}, LFM_E_FORMAT, "129"},
      {{.name = "height", .text = "128"}, LFM_E_FORMAT, "net.10.weight"},
      {{.name = "width"}, LFM_E_FORMAT, "'width'"},
      {{.name = "width", .text = "-5"}, LFM_E_FORMAT, "'width'"},
      {{.name = "width", .text = "99999999999999999999"}, LFM_E_FORMAT, "'width'"},
      {{.name = "classes"}, LFM_E_FORMAT, "'classes'"},
      {{.name = "classes", .text = "0"}, LFM_E_FORMAT, "0 classes"},
      {{.name = "classes", .text = "1"}, LFM_E_FORMAT, "1 classes"},
      {{.name = "classes", .text = "2"}, LFM_E_FORMAT, "net.12.weight"},
      {{.name = "classes", .text = "4"}, LFM_E_FORMAT, "'class.3' is missing"},
      {{.name = "classes", .text = "1001"}, LFM_E_FORMAT, "'classes'"},
      {{.name = "class.1"}, LFM_E_FORMAT, "'class.1' is missing"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    expect_refusal(here.path, &cases[k].change, cases[k].status, cases[k].says);
  folder_remove(&here);
}

static void tensors_that_do_not_fit(void **state) {
  (void)state;
  static const char *const names[] = {"net.0.weight",  "net.0.bias",  "net.4.weight",  "net.7.bias",
                                      "net.10.weight", "net.10.bias", "net.12.weight", "net.12.bias"};
  folder here = folder_with_judge();
  const float numbers[PATTERNS] = {0, INFINITY, 0}, plain[PATTERNS] = {0};
  const lfm_tensor shorter = {.dtype = LFM_F32, .dims = 1, .shape = {2}, .data = numbers};
  const lfm_tensor whole = {.dtype = LFM_U8, .dims = 1, .shape = {PATTERNS}, .data = plain};
  const lfm_tensor endless = {.dtype = LFM_F32, .dims = 1, .shape = {PATTERNS}, .data = numbers};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    expect_refusal(here.path, &(alteration){.name = names[k]}, LFM_E_FORMAT, names[k]);
    expect_refusal(here.path, &(alteration){.name = names[k], .tensor = &shorter}, LFM_E_FORMAT, names[k]);
  }
  expect_refusal(here.path, &(alteration){.name = "net.12.bias", .tensor = &whole}, LFM_E_FORMAT, "net.12.bias");
  expect_refusal(here.path, &(alteration){.name = "net.12.bias", .tensor = &endless}, LFM_E_FORMAT, "not finite");
  folder_remove(&here);
}

/* Shorter files, and bytes flipped here and there. */
static void damaged_files(void **state) {
  (void)state;
  folder here = folder_with_judge();
  uint8_t *bytes;
  size_t size;
  lfm_judge *judge;
  OK(lfm_file_read(inside(here.path, "judge.safetensors"), &bytes, &size));
  for (size_t k = 0; k < 40; k++) {
    OK(lfm_file_write(inside(here.path, "cut.safetensors"), bytes, k < 20 ? k * 53 : size - (k - 19) * (size / 21)));
    FAILS(LFM_E_FORMAT, lfm_judge_load(inside(here.path, "cut.safetensors"), &judge));
    bytes[k * (size / 40) + 8] ^= 0x55;
    OK(lfm_file_write(inside(here.path, "cut.safetensors"), bytes, size));
    FAILS(LFM_E_FORMAT, lfm_judge_load(inside(here.path, "cut.safetensors"), &judge));
    bytes[k * (size / 40) + 8] ^= 0x55;
    assert_null(judge);
  }
  OK(lfm_file_write(inside(here.path, "rows.csv"), "a,b\n1,2\n", 8));
  FAILS(LFM_E_FORMAT, lfm_judge_load(inside(here.path, "rows.csv"), &judge));
  assert_says("lfm features train");
  FAILS(LFM_E_IO, lfm_judge_load(inside(here.path, "none.safetensors"), &judge));
  lfm_free(bytes);
  folder_remove(&here);
}

/* ---- the meter, and memory --------------------------------------------------------------------------------------- */

typedef struct heard {
  int64_t times, last;
} heard;

static bool hear(const lfm_progress *now, void *context) {
  heard *h = context;
  assert_int_equal(now->phase, LFM_PHASE_JUDGE);
  assert_int_equal(now->total, 3);
  assert_true(now->done > h->last && now->loss > 0);
  h->last = now->done;
  return ++h->times == 100;
}

static bool stop(const lfm_progress *now, void *context) {
  (void)now, (void)context;
  return true;
}

static void progress_is_heard(void **state) {
  (void)state;
  lfm_table *train = patterns(40, 5, 1, true);
  heard h = {0};
  lfm_judge *judge;
  lfm_judge_result result;
  lfm_judge_options options = {.train = train, .epochs = 3, .threads = 1, .progress = hear, .context = &h};
  OK(lfm_judge_train(&options, &judge, &result));
  assert_true(h.times >= 1 && h.last == 3 && result.seconds > 0);
  lfm_judge_destroy(judge);
  options.progress = stop;
  FAILS(LFM_E_INTERRUPTED, lfm_judge_train(&options, &judge, &result));
  assert_null(judge);
  lfm_table_destroy(train);
}

static void is_described(void **state) {
  (void)state;
  folder here = folder_with_judge();
  char *text;
  OK(lfm_describe(inside(here.path, "judge.safetensors"), false, &text));
  assert_non_null(strstr(text, "judge"));
  assert_non_null(strstr(text, "net.12.weight"));
  assert_non_null(strstr(text, "classes"));
  lfm_text_free(text);
  archive_copy(inside(here.path, "judge.safetensors"), inside(here.path, "altered.safetensors"),
               &(alteration){.name = "height"});
  FAILS(LFM_E_FORMAT, lfm_describe(inside(here.path, "altered.safetensors"), false, &text));
  lfm_model *model; /* where a model is due, it is none */
  FAILS(LFM_E_FORMAT, lfm_model_load(inside(here.path, "judge.safetensors"), &model));
  folder_remove(&here);
}

static void refused_memory_is_reported(void **state) {
  (void)state;
  folder here = folder_with_judge();
  size_t before = lfm_alloc_in_use();
  uint64_t at = 0;
  lfm_status status = LFM_E_MEMORY;
  while (status != LFM_OK) {
    lfm_judge *judge = NULL;
    assert_int_equal(status, LFM_E_MEMORY);
    lfm_alloc_fail_at(++at);
    status = lfm_judge_load(inside(here.path, "judge.safetensors"), &judge);
    if (status == LFM_OK) status = lfm_judge_write(judge, inside(here.path, "again.safetensors"));
    lfm_judge_destroy(judge);
    assert_int_equal(lfm_alloc_in_use(), before);
  }
  lfm_alloc_fail_at(0);
  assert_true(at > 50);
  folder_remove(&here);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(file_and_back),
      cmocka_unit_test(says_the_same_under_every_table),
      cmocka_unit_test(metadata_that_makes_no_sense),
      cmocka_unit_test(tensors_that_do_not_fit),
      cmocka_unit_test(damaged_files),
      cmocka_unit_test(progress_is_heard),
      cmocka_unit_test(is_described),
      cmocka_unit_test(refused_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
