/* SPDX-License-Identifier: MIT
 *
 * test_machine.c -- what a process may have is the least of what its group and every group around it leave, in both versions
 * of the hierarchy: read from folders like the system's, and from the system's own.
 */
#include "core/machine.h"

#include "core/file.h"

#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOT = 200 };

typedef struct machine {
  char root[ROOT];
} machine;

/* A file of that machine, in folders made for it. */
static void put(const machine *m, const char *name, const char *text) {
  char path[ROOT + 200];
  snprintf(path, sizeof path, "%s/%s", m->root, name);
  for (char *slash = path + strlen(m->root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
    *slash = 0;
    assert_int_equal(lfm_folder_make(path), LFM_OK);
  }
  assert_int_equal(lfm_file_write(path, text, strlen(text)), LFM_OK);
}

static void make(machine *m) {
  const char *base = getenv("TMPDIR");
  snprintf(m->root, sizeof m->root, "%.150s/lfm-machine-XXXXXX", base && *base ? base : "/tmp");
  assert_non_null(mkdtemp(m->root));
  put(m, "proc/meminfo", "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n");
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place) {
  (void)facts;
  (void)kind;
  (void)place;
  return remove(path);
}

static void drop(machine *m) { assert_int_equal(nftw(m->root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0); }

static void a_machine_without_groups(void **state) {
  (void)state;
  machine m;
  make(&m);
  assert_int_equal(lfm_machine_memory(m.root), 8000000ull * 1024);
  assert_true(lfm_machine_processors(m.root) >= 1);
  put(&m, "proc/meminfo", "");
  assert_true(lfm_machine_memory(m.root) == SIZE_MAX);
  drop(&m);
}

static void the_groups_around_bound_too(void **state) {
  (void)state;
  machine m;
  make(&m);
  put(&m, "proc/self/cgroup", "0::/batch/job/step\n");
  put(&m, "sys/fs/cgroup/batch/job/step/memory.max", "max\n");
  put(&m, "sys/fs/cgroup/batch/job/step/memory.current", "1000000\n");
  assert_int_equal(lfm_machine_memory(m.root), 8000000ull * 1024);
  put(&m, "sys/fs/cgroup/batch/job/memory.max", "4000000000\n");
  assert_int_equal(lfm_machine_memory(m.root), 4000000000ull); /* who does not say what is used has used nothing */
  put(&m, "sys/fs/cgroup/batch/job/memory.current", "1500000000\n");
  assert_int_equal(lfm_machine_memory(m.root), 2500000000ull);
  put(&m, "sys/fs/cgroup/batch/job/memory.stat", "anon 600000000\ninactive_anon 7\ninactive_file 900000000\nactive_file 5\n");
  assert_int_equal(lfm_machine_memory(m.root), 3400000000ull); /* files kept in memory are free */
  put(&m, "sys/fs/cgroup/batch/memory.max", "3000000000\n");
  assert_int_equal(lfm_machine_memory(m.root), 3000000000ull);
  put(&m, "sys/fs/cgroup/batch/memory.current", "3000000001\n");
  assert_int_equal(lfm_machine_memory(m.root), 0);
  drop(&m);
}

static void the_first_version_has_a_hierarchy_for_each(void **state) {
  (void)state;
  machine m;
  make(&m);
  put(&m, "proc/self/cgroup",
      "9:name=systemd:/\n4:hugetlb,memory:/docker/1f\n3:memory2:/other\n1:cpu,cpuacct:/docker/1f\n0::/\n");
  put(&m, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  put(&m, "sys/fs/cgroup/memory/memory.usage_in_bytes", "70000000\n");
  assert_int_equal(lfm_machine_memory(m.root), 8000000ull * 1024);
  put(&m, "sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000000\n"); /* a container's part, shown as the whole */
  assert_int_equal(lfm_machine_memory(m.root), 1930000000);
  put(&m, "sys/fs/cgroup/memory/docker/1f/memory.limit_in_bytes", "1000000000\n");
  put(&m, "sys/fs/cgroup/memory/docker/1f/memory.usage_in_bytes", "800000000\n");
  put(&m, "sys/fs/cgroup/memory/docker/1f/memory.stat", "inactive_file 1\ntotal_inactive_file 300000000\n");
  assert_int_equal(lfm_machine_memory(m.root), 500000000);
  drop(&m);
}

/* A quota under one processor tells one from all; one above one processor is rounded up, and seen where there are two. */
static void processors_are_time_too(void **state) {
  (void)state;
  machine m;
  cpu_set_t allowed;
  assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  int all = CPU_COUNT(&allowed), two = all < 2 ? all : 2;
  make(&m);
  assert_int_equal(lfm_machine_processors(m.root), all);
  put(&m, "proc/self/cgroup", "4:cpu,cpuacct:/box\n0::/box\n");
  put(&m, "sys/fs/cgroup/box/cpu.max", "max 100000\n");
  put(&m, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  put(&m, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  assert_int_equal(lfm_machine_processors(m.root), all);
  put(&m, "sys/fs/cgroup/box/cpu.max", "110000 100000\n");
  assert_int_equal(lfm_machine_processors(m.root), two);
  put(&m, "sys/fs/cgroup/cpu.max", "1000000 1000000\n");
  assert_int_equal(lfm_machine_processors(m.root), 1);
  put(&m, "sys/fs/cgroup/cpu.max", "max 1000000\n");
  put(&m, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
  put(&m, "sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "20000\n");
  assert_int_equal(lfm_machine_processors(m.root), two); /* a quota without a period is none */
  put(&m, "sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "0\n");
  assert_int_equal(lfm_machine_processors(m.root), two);
  put(&m, "sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
  assert_int_equal(lfm_machine_processors(m.root), 1);
  drop(&m);
}

static void files_that_say_nothing_of_use(void **state) {
  (void)state;
  const char *lines[] = {"", "\n", "0\n", "0:\n", "::\n", "0::nowhere\n", "4:memory\n", "4:memory:\n", "0::/../../outside\n"};
  machine m;
  make(&m);
  put(&m, "sys/fs/cgroup/memory.max", "many\n");
  put(&m, "sys/fs/cgroup/cpu.max", "\n");
  put(&m, "sys/fs/cgroup/memory/memory.limit_in_bytes", "");
  for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
    put(&m, "proc/self/cgroup", lines[k]);
    assert_int_equal(lfm_machine_memory(m.root), 8000000ull * 1024);
    assert_true(lfm_machine_processors(m.root) >= 1);
  }
  drop(&m);
}

static void this_machine_has_some_of_both(void **state) {
  (void)state;
  assert_true(lfm_machine_memory("") > 1 << 20);
  assert_true(lfm_machine_processors("") >= 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_machine_without_groups),      cmocka_unit_test(the_groups_around_bound_too),
      cmocka_unit_test(processors_are_time_too),       cmocka_unit_test(the_first_version_has_a_hierarchy_for_each),
      cmocka_unit_test(files_that_say_nothing_of_use), cmocka_unit_test(this_machine_has_some_of_both),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
