/* SPDX-License-Identifier: MIT
 *
 * test_demos_replay.c -- replay buffers: a zarr folder and an HDF5 file of the same numbers are the same demonstrations, and
 * what is wrong with one is said.  The human Push-T demonstrations where they are at hand.
 */
#include "data/support.h"
#include "support/demo_file.h"
#include "support/notes.h"

#include <blosc.h>
#include <sys/stat.h>

/* ---- a small buffer -------------------------------------------------------------------------------------------- */

/* Seven steps in episodes of 3 and 4: state [7, 5], action [7, 2], keypoint [7, 3, 2] in chunks of 4 rows.  Numbers count up
 * from a tenth of the array's own. */
enum { STEPS = 7, CHUNK = 4 };

static void put_file(const char *relative, const void *bytes, size_t size) {
  assert_int_equal(lfm_file_write(in_folder(relative), bytes, size), LFM_OK);
}

/* A float32 array of `rank` dimensions, packed by Blosc. */
static void put_array(const char *name, int rank, const int *shape, double first) {
  char path[256], header[512], dims[64] = "", chunks[64] = "";
  int width = 1;
  for (int k = 0; k < rank; k++) {
    sprintf(dims + strlen(dims), "%s%d", k ? ", " : "", shape[k]);
    sprintf(chunks + strlen(chunks), "%s%d", k ? ", " : "", k ? shape[k] : CHUNK);
    if (k) width *= shape[k];
  }
  sprintf(path, "p.zarr/%s", name);
  mkdir(in_folder(path), 0777);
  sprintf(
      header,
      "{\"chunks\": [%s], \"compressor\": {\"id\": \"blosc\", \"cname\": \"zstd\"}, \"dtype\": \"<f4\", \"fill_value\": 0.0, "
      "\"filters\": null, \"order\": \"C\", \"shape\": [%s], \"zarr_format\": 2}",
      chunks, dims);
  sprintf(path, "p.zarr/%s/.zarray", name);
  put_file(path, header, strlen(header));
  for (int c = 0; c * CHUNK < shape[0]; c++) {
    float numbers[64] = {0};
    uint8_t packed[sizeof numbers + BLOSC_MAX_OVERHEAD];
    for (int i = 0; i < CHUNK * width; i++) numbers[i] = (float)(first + c * CHUNK * width + i);
    int size = blosc_compress_ctx(5, 2, 4, (size_t)(CHUNK * width) * 4, numbers, packed, sizeof packed, "zstd", 0, 1);
    assert_true(size > 0);
    sprintf(path, "p.zarr/%s/%d%s", name, c, (const char *[]){"", "", ".0", ".0.0"}[rank]);
    put_file(path, packed, (size_t)size);
  }
}

static void put_ends(int first, int second) {
  const char header[] = "{\"chunks\": [2], \"compressor\": null, \"dtype\": \"<i8\", \"fill_value\": 0, \"filters\": null, "
                        "\"order\": \"C\", \"shape\": [2], \"zarr_format\": 2}";
  const int64_t ends[] = {first, second};
  put_file("p.zarr/meta/episode_ends/.zarray", header, sizeof header - 1);
  put_file("p.zarr/meta/episode_ends/0", ends, sizeof ends);
}

static void make_zarr(void) {
  static const char *const folders[] = {"p.zarr", "p.zarr/data", "p.zarr/meta", "p.zarr/meta/episode_ends"};
  for (int i = 0; i < 4; i++) mkdir(in_folder(folders[i]), 0777);
  put_file("p.zarr/.zgroup", "{\"zarr_format\": 2}", 18);
  put_array("data/state", 2, (const int[]){STEPS, 5}, 100);
  put_array("data/action", 2, (const int[]){STEPS, 2}, 200);
  put_array("data/keypoint", 3, (const int[]){STEPS, 3, 2}, 300);
  put_ends(3, 7);
}

static void remove_zarr(void) {
  char command[600];
  snprintf(command, sizeof command, "rm -rf '%s'", in_folder("p.zarr"));
  assert_int_equal(system(command), 0);
}

/* Numbers that count up, as put_array's. */
static void put_counting(hid_t file, const char *name, int rank, const hsize_t *shape, double first) {
  double numbers[64];
  hid_t links = H5Pcreate(H5P_LINK_CREATE), space = H5Screate_simple(rank, shape, NULL);
  H5Pset_create_intermediate_group(links, 1);
  for (int i = 0; i < 64; i++) numbers[i] = first + i;
  hid_t dataset = H5Dcreate2(file, name, H5T_IEEE_F32LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(links);
}

static void make_hdf5(void) {
  hid_t file = demo_create(in_folder("p.hdf5"));
  put_counting(file, "data/state", 2, (const hsize_t[]){STEPS, 5}, 100);
  put_counting(file, "data/action", 2, (const hsize_t[]){STEPS, 2}, 200);
  put_counting(file, "data/keypoint", 3, (const hsize_t[]){STEPS, 3, 2}, 300);
  const int64_t ends[] = {3, 7};
  hid_t space = H5Screate_simple(1, (const hsize_t[]){2}, NULL);
  demo_put_group(file, "meta");
  hid_t dataset = H5Dcreate2(file, "meta/episode_ends", H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Dwrite(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, ends) >= 0);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Fclose(file);
}

static lfm_table *read_good(const char *path, const char *observations) {
  lfm_table *table;
  lfm_status status = lfm_table_read(path, &(lfm_table_options){.observations = observations}, &table);
  if (status != LFM_OK) fail_msg("%s", lfm_error());
  assert_non_null(table->demos);
  return table;
}

static void assert_same_demos(const lfm_demos *a, const lfm_demos *b) {
  assert_int_equal(a->episodes, b->episodes);
  assert_int_equal(a->steps, b->steps);
  assert_int_equal(a->obs_dim, b->obs_dim);
  assert_int_equal(a->action_dim, b->action_dim);
  assert_memory_equal(a->ends, b->ends, (size_t)a->episodes * sizeof *a->ends);
  assert_memory_equal(a->obs, b->obs, (size_t)(a->steps * a->obs_dim) * sizeof *a->obs);
  assert_memory_equal(a->actions, b->actions, (size_t)(a->steps * a->action_dim) * sizeof *a->actions);
  assert_int_equal(a->kind, b->kind);
  assert_string_equal(a->task, b->task);
}

/* ---- tests ----------------------------------------------------------------------------------------------------- */

static void reads_both_holders_alike(void **state) {
  (void)state;
  make_zarr();
  make_hdf5();
  const char *const observations[] = {NULL, "keypoint,state"};
  for (int i = 0; i < 2; i++) {
    lfm_table *zarr = read_good(in_folder(i ? "p.zarr/" : "p.zarr"), observations[i]),
              *hdf5 = read_good(in_folder("p.hdf5"), observations[i]);
    assert_same_demos(zarr->demos, hdf5->demos);
    assert_int_equal(zarr->demos->episodes, 2);
    assert_int_equal(zarr->demos->ends[0], 3);
    assert_int_equal(zarr->demos->obs_dim, i ? 11 : 5);
    assert_int_equal(zarr->demos->kind, LFM_ACTION_PLAIN);
    assert_string_equal(zarr->demos->task, "pusht");
    assert_true(zarr->demos->actions[2 * 6 + 1] == 213);
    assert_true(zarr->demos->obs[0] == (i ? 300 : 100));
    if (i) assert_true(zarr->demos->obs[11 * 6 + 5] == 300 + 6 * 6 + 5 && zarr->demos->obs[11 * 6 + 6] == 100 + 5 * 6);
    lfm_table_destroy(zarr);
    lfm_table_destroy(hdf5);
  }
  remove_zarr();
  unlink(in_folder("p.hdf5"));
}

static void refuses(lfm_status code, const char *line) {
  lfm_table *table = (lfm_table *)(uintptr_t)0xDEAD0;
  assert_int_equal(lfm_table_read(in_folder("p.zarr"), NULL, &table), code);
  assert_null(table);
  assert_string_equal(lfm_error() + strlen(folder) + 1, line);
}

static void refuses_key(const char *path, const char *key, lfm_status code, const char *line) {
  lfm_table *table = (lfm_table *)(uintptr_t)0xDEAD0;
  assert_int_equal(lfm_table_read(in_folder(path), &(lfm_table_options){.observations = key}, &table), code);
  assert_null(table);
  assert_string_equal(lfm_error() + strlen(folder) + 1, line);
}

static void names_what_is_wrong(void **state) {
  (void)state;
  make_zarr();
  unlink(in_folder("p.zarr/data/state/1.0"));
  refuses(LFM_E_FORMAT, "p.zarr/data/state: has 1 of its 2 chunks; copy the folder anew");
  put_file("p.zarr/data/state/9.0", "x", 1);
  refuses(LFM_E_IO, "p.zarr/data/state/1.0: No such file or directory");
  put_file("p.zarr/data/state/1.0", "x", 1);
  refuses(LFM_E_FORMAT, "p.zarr/data/state/1.0: is no chunk of Blosc's, or is truncated");
  unlink(in_folder("p.zarr/data/state/.zarray")); /* it is no array then, and the usual key is not there */
  unlink(in_folder("p.zarr/data/keypoint/.zarray"));
  refuses(LFM_E_DATA, "p.zarr: has no observation that is numbers, one row a step");
  make_zarr();
  put_ends(3, 3);
  refuses(LFM_E_FORMAT, "p.zarr: meta/episode_ends: episode 1 ends at 3, behind 3; data has 7 steps");
  put_ends(3, 8);
  refuses(LFM_E_FORMAT, "p.zarr: meta/episode_ends: episode 1 ends at 8, behind 3; data has 7 steps");
  put_ends(0, 7);
  refuses(LFM_E_FORMAT, "p.zarr: meta/episode_ends: episode 0 ends at 0, behind 0; data has 7 steps");
  put_ends(3, 6);
  refuses(LFM_E_FORMAT, "p.zarr: meta/episode_ends: the last episode ends at 6; data has 7 steps");
  put_ends(3, 7);
  put_array("data/state", 2, (const int[]){STEPS - 1, 5}, 100); /* a row short: no observation of these steps */
  lfm_table *table = read_good(in_folder("p.zarr"), NULL);
  assert_string_equal(table->demos->key[0], "keypoint");
  lfm_table_destroy(table);
  put_array("data/keypoint", 2, (const int[]){STEPS + 1, 5}, 100); /* nor the other */
  refuses(LFM_E_DATA, "p.zarr: has no observation that is numbers, one row a step: data/keypoint has 8 rows, data/action 7");
  refuses_key("p.zarr", "state", LFM_E_DATA, "p.zarr: data/state has 6 rows, data/action 7");
  put_array("data/action", 1, (const int[]){STEPS}, 0);
  refuses(LFM_E_DATA,
          "p.zarr: data/action: has the shape [7]; [steps, numbers] is due, [7, 1] where an action is one number");
  put_array("data/action", 3, (const int[]){STEPS, 1, 2}, 0);
  refuses(LFM_E_DATA, "p.zarr: data/action: is no table of numbers, a row a step");
  unlink(in_folder("p.zarr/data/action/.zarray"));
  refuses(LFM_E_FORMAT, "p.zarr: has no array data/action of zarr's format 2; a folder of demonstrations is due");
  remove_zarr();
  refuses(LFM_E_IO, "p.zarr: has no array data/action of zarr's format 2; a folder of demonstrations is due");
}

/* An array in one of the forms that are not read: data/NAME without chunks. */
static void put_strange(const char *name, const char *dtype, const char *shape, const char *compressor) {
  char path[256], header[512];
  snprintf(path, sizeof path, "p.zarr/data/%s", name);
  mkdir(in_folder(path), 0777);
  snprintf(path, sizeof path, "p.zarr/data/%s/.zarray", name);
  snprintf(header, sizeof header,
           "{\"chunks\": %s, \"compressor\": {\"id\": \"%s\"}, \"dtype\": \"%s\", \"filters\": null, \"order\": \"C\", "
           "\"shape\": %s, \"zarr_format\": 2}",
           shape, compressor, dtype, shape);
  put_file(path, header, strlen(header));
}

/* Pictures packed by something else, of more dimensions, and words, beside what is read. */
static void passes_over_arrays_that_it_cannot_read(void **state) {
  (void)state;
  make_zarr();
  put_strange("depth", "|u1", "[7, 8, 8, 3]", "zstd");
  put_strange("stereo", "|u1", "[7, 2, 8, 8, 3]", "blosc");
  put_strange("words", "<U2", "[7]", "blosc");
  unlink(in_folder("p.zarr/data/keypoint/1.0.0"));
  lfm_notes_to(take_note, NULL);
  notes = 0;
  lfm_table *table = read_good(in_folder("p.zarr"), NULL);
  assert_int_equal(table->demos->keys, 1);
  assert_string_equal(table->demos->key[0], "state");
  assert_int_equal(table->demos->others.count, 4);
  assert_string_equal(table->demos->others.names[0], "depth");
  lfm_table_destroy(table);
  assert_int_equal(notes, 0);
#define PACKED "p.zarr/data/depth/.zarray: chunks packed by zstd are not read; save it with Blosc, or without compressor"
  refuses_key("p.zarr", "depth", LFM_E_UNSUPPORTED, PACKED);
  refuses_key("p.zarr", "state,stereo", LFM_E_UNSUPPORTED,
              "p.zarr/data/stereo/.zarray: arrays of 1 to 4 dimensions are read");
  refuses_key("p.zarr", "keypoint", LFM_E_FORMAT, "p.zarr/data/keypoint: has 1 of its 2 chunks; copy the folder anew");
  make_zarr();
  put_strange("state", "<U2", "[7]", "blosc"); /* the usual key is asked for when nobody says another */
  refuses(LFM_E_UNSUPPORTED, "p.zarr/data/state/.zarray: elements of type '<U2' are not read; save it as float64");
  unlink(in_folder("p.zarr/data/state/.zarray"));
  unlink(in_folder("p.zarr/data/stereo/.zarray"));
  unlink(in_folder("p.zarr/data/words/.zarray"));
  table = read_good(in_folder("p.zarr"), NULL); /* all keys, and a word on the one that is missing among them */
  assert_int_equal(table->demos->keys, 1);
  assert_string_equal(table->demos->key[0], "keypoint");
  lfm_table_destroy(table);
  assert_int_equal(notes, 1);
  assert_string_equal(last_note + strlen(folder) + 1, PACKED "; it is left out");
#undef PACKED
  lfm_notes_to(NULL, NULL);
  remove_zarr();
}

/* Behind the look at the actions and before they are read: twice as many a step. */
static void widen_actions(lfm_note_level level, const char *text, void *context) {
  (void)level, (void)text, (void)context;
  put_array("data/action", 2, (const int[]){STEPS, 4}, 200);
}

static void tells_a_folder_that_changes_while_it_is_read(void **state) {
  (void)state;
  make_zarr();
  unlink(in_folder("p.zarr/data/state/.zarray"));
  put_strange("words", "<U2", "[7]", "blosc"); /* is noted, in between */
  lfm_notes_to(widen_actions, NULL);
  refuses(LFM_E_FORMAT, "p.zarr: changed while it was read; try again");
  lfm_notes_to(NULL, NULL);
  lfm_table *table = read_good(in_folder("p.zarr"), NULL);
  assert_int_equal(table->demos->action_dim, 4);
  lfm_table_destroy(table);
  remove_zarr();
}

/* In an HDF5 file such arrays are those that were never written. */
static void passes_over_arrays_that_were_never_written(void **state) {
  (void)state;
  make_hdf5();
  hid_t file = H5Fopen(in_folder("p.hdf5"), H5F_ACC_RDWR, H5P_DEFAULT),
        space = H5Screate_simple(2, (const hsize_t[]){STEPS, 1000000}, NULL);
  H5Dclose(H5Dcreate2(file, "data/depth", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  H5Fclose(file);
  lfm_table_destroy(read_good(in_folder("p.hdf5"), NULL));
  refuses_key("p.hdf5", "depth", LFM_E_FORMAT, "p.hdf5: data/depth: was made and never written; write its numbers");
  unlink(in_folder("p.hdf5"));
}

/* Few bytes that are to become gigabytes: a chunk of that size, and an array of one. */
static void believes_no_empty_promise(void **state) {
  (void)state;
  make_zarr();
#define CLAIM(compressor, shape)                                                                                             \
  "{\"chunks\": [67108864, 2], \"compressor\": " compressor ", \"dtype\": \"<f8\", \"filters\": null, \"order\": \"C\", "    \
  "\"shape\": " shape ", \"zarr_format\": 2}"
  static const char *const claims[] = {CLAIM("null", "[67108864, 2]"), CLAIM("{\"id\": \"blosc\"}", "[7, 2]"),
                                       CLAIM("{\"id\": \"blosc\"}", "[67108864, 2]")};
#undef CLAIM
  for (int i = 0; i < 3; i++) {
    put_file("p.zarr/data/action/.zarray", claims[i], strlen(claims[i]));
    refuses(LFM_E_FORMAT, "p.zarr/data/action: claims more numbers than its bytes can be; copy the folder anew");
  }
  remove_zarr();
}

static void writes_no_zarr(void **state) {
  (void)state;
  lfm_table *table;
  char line[512];
  assert_int_equal(lfm_table_create((const double[]){1}, 1, 1, NULL, NULL, &table), LFM_OK);
  snprintf(line, sizeof line, "%s: folders of this kind are read, and not written", in_folder("w.zarr"));
  assert_failure(lfm_table_write(table, in_folder("w.zarr")), LFM_E_USAGE, line);
  assert_failure(lfm_table_writable(in_folder("w.zarr")), LFM_E_USAGE, line);
  lfm_table_destroy(table);
}

static lfm_status read_path(void *context) {
  lfm_table *table;
  lfm_status status = lfm_table_read(in_folder(context), NULL, &table);
  if (status != LFM_OK) assert_null(table);
  lfm_table_destroy(table);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  make_zarr();
  make_hdf5();
  assert_true(refuse_memory(read_path, "p.zarr") > 20);
  assert_true(refuse_memory(read_path, "p.hdf5") > 20);
  remove_zarr();
  unlink(in_folder("p.hdf5"));
}

static void reads_the_human_demonstrations(void **state) {
  (void)state;
  char zarr[512];
  snprintf(zarr, sizeof zarr, "%s", shared_data("pusht/pusht_cchi_v7_replay.zarr"));
  const char *hdf5 = shared_data("pusht/pusht_cchi_v7_lowdim.hdf5");
  const char *const observations[] = {NULL, "keypoint"};
  for (int i = 0; i < 2; i++) {
    lfm_table *one = read_good(zarr, observations[i]), *other = read_good(hdf5, observations[i]);
    assert_same_demos(one->demos, other->demos);
    assert_int_equal(one->demos->episodes, 206);
    assert_int_equal(one->demos->steps, 25650);
    assert_int_equal(one->demos->obs_dim, i ? 18 : 5);
    assert_int_equal(one->demos->action_dim, 2);
    lfm_table_destroy(one);
    lfm_table_destroy(other);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_both_holders_alike),
      cmocka_unit_test(names_what_is_wrong),
      cmocka_unit_test(believes_no_empty_promise),
      cmocka_unit_test(writes_no_zarr),
      cmocka_unit_test(stands_refused_memory),
      cmocka_unit_test(reads_the_human_demonstrations),
      cmocka_unit_test(passes_over_arrays_that_it_cannot_read),
      cmocka_unit_test(passes_over_arrays_that_were_never_written),
      cmocka_unit_test(tells_a_folder_that_changes_while_it_is_read),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
