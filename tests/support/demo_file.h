/* SPDX-License-Identifier: MIT
 *
 * demo_file.h -- demonstrations in robomimic's layout, written with the HDF5 library itself in the variants that real files
 * come in.  The number at (step, column) tells its episode, array and place, so that one in the wrong place is seen.
 */
#ifndef LFM_TESTS_SUPPORT_DEMO_FILE_H
#define LFM_TESTS_SUPPORT_DEMO_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* after the four headers that it leans on */

#include <hdf5.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void demo_put_group(hid_t file, const char *name) {
  hid_t groups = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(groups, 1);
  hid_t group = H5Gcreate2(file, name, groups, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(group >= 0);
  H5Gclose(group);
  H5Pclose(groups);
}

/* value + step + column / 100, in the type `stored`; gzip chunks where asked for. */
static inline void demo_put(hid_t file, const char *name, hid_t stored, int rank, int64_t steps, int64_t width, double value,
                            bool gzip) {
  hsize_t shape[2] = {(hsize_t)steps, (hsize_t)width};
  double *values = calloc((size_t)(steps * width) + 1, sizeof *values);
  assert_non_null(values);
  for (int64_t i = 0; i < steps * width; i++) values[i] = value + (double)(i / width) + (double)(i % width) / 100;
  hid_t links = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  if (gzip) {
    H5Pset_chunk(creation, rank, (const hsize_t[]){1, 2});
    H5Pset_deflate(creation, 4);
  }
  hid_t space = H5Screate_simple(rank, shape, NULL);
  hid_t dataset = H5Dcreate2(file, name, stored, space, links, creation, H5P_DEFAULT);
  assert_true(dataset >= 0);
  assert_true(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(creation);
  H5Pclose(links);
  free(values);
}

static inline void demo_put_text(hid_t file, const char *object, const char *name, const char *text, bool variable) {
  hid_t place = H5Oopen(file, object, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, variable ? H5T_VARIABLE : strlen(text));
  hid_t attribute = H5Acreate2(place, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, type, variable ? (const void *)&text : text) >= 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  H5Oclose(place);
}

static inline void demo_put_whole(hid_t file, const char *object, const char *name, int64_t value) {
  hid_t place = H5Oopen(file, object, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
  hid_t attribute = H5Acreate2(place, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, H5T_NATIVE_INT64, &value) >= 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Oclose(place);
}

/* mask/NAME: texts of 8 bytes, or of variable length. */
static inline void demo_put_filter(hid_t file, const char *name, int count, const char *const *episodes, bool variable) {
  char path[64], fixed[8][8] = {{0}};
  hsize_t shape = (hsize_t)count;
  hid_t links = H5Pcreate(H5P_LINK_CREATE), type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &shape, NULL);
  H5Pset_create_intermediate_group(links, 1);
  H5Tset_size(type, variable ? H5T_VARIABLE : sizeof fixed[0]);
  H5Tset_strpad(type, variable ? H5T_STR_NULLTERM : H5T_STR_NULLPAD); /* as NumPy's */
  if (variable) H5Tset_cset(type, H5T_CSET_UTF8);
  for (int i = 0; i < count; i++) memcpy(fixed[i], episodes[i], strlen(episodes[i])); /* eight letters need no zero */
  snprintf(path, sizeof path, "mask/%s", name);
  hid_t dataset = H5Dcreate2(file, path, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(dataset >= 0);
  if (count)
    assert_true(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, variable ? (const void *)episodes : fixed) >= 0);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Tclose(type);
  H5Pclose(links);
}

/* An empty file with its group of episodes; close with H5Fclose. */
static inline hid_t demo_create(const char *path) {
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(file >= 0);
  demo_put_group(file, "data");
  return file;
}

/* An episode whose arrays begin at its number times 100, each key at a tenth more. */
static inline void demo_put_episode(hid_t file, int number, int64_t steps) {
  static const struct {
    const char *key;
    int64_t dim;
  } keys[] = {
      {"object", 3}, {"robot0_eef_pos", 3}, {"robot0_eef_quat", 4}, {"robot0_gripper_qpos", 2}, {"robot0_joint_pos", 7}};
  char path[64];
  snprintf(path, sizeof path, "data/demo_%d/actions", number);
  demo_put(file, path, H5T_IEEE_F64LE, 2, steps, 7, 100 * number, false);
  for (int k = 0; k < 5; k++) { /* both float types and gzip come up */
    snprintf(path, sizeof path, "data/demo_%d/obs/%s", number, keys[k].key);
    demo_put(file, path, k % 2 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE, 2, steps, keys[k].dim, 100 * number + 10 * (k + 1), k < 2);
  }
}

#endif
