/* SPDX-License-Identifier: MIT
 *
 * machine.c -- what this process may have of the machine.
 * Linux puts processes into groups within groups, of which each may be bounded: a container is such a group, a job of a batch
 * system another.  What is left is the least of what its own group and every group around it leave; /proc/self/cgroup says
 * where in the hierarchy its own is.  In version 2 there is one hierarchy (its line has no controller), in version 1 one for
 * each controller; both may be there at once.  Where a container shows its own part of the hierarchy as the whole, the
 * folders on the way up are missing and the last one is that part: a folder without the file says nothing and is passed by.
 *
 * What the system keeps of files in a group's memory counts as used there.  The part that was not read lately goes first when
 * somebody asks, and is free here, as it is in /proc/meminfo.
 */
#include "core/machine.h"

#include "core/file.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SETS = 64 }; /* of 1024 processors each: more than any system counts */

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* The `count` numbers behind `key` at the start of a line of a file; false where there are none, as in "max 100000". */
static bool read_numbers(const char *folder, const char *name, const char *key, int count, size_t *numbers) {
  char path[LFM_PATH_SIZE], line[128], *at, *end;
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return false;
  FILE *file = fopen(path, "re");
  int found = 0;
  while (file && found < count && fgets(line, sizeof line, file)) {
    if (strncmp(line, key, strlen(key)) != 0) continue;
    for (at = line + strlen(key), found = 0; found < count; at = end, found++) {
      numbers[found] = strtoull(at, &end, 10);
      if (end == at) break;
    }
  }
  if (file) fclose(file);
  return found == count;
}

/* ---- groups ------------------------------------------------------------------------------------------------- */

/* What one group leaves, its files being those of version 2 or of version 1; SIZE_MAX: it is not bounded. */
typedef size_t (*group_fn)(const char *group, bool is_second);

static size_t memory_of(const char *group, bool is_second) {
  size_t most, used = 0, idle = 0;
  if (!read_numbers(group, is_second ? "memory.max" : "memory.limit_in_bytes", "", 1, &most)) return SIZE_MAX;
  read_numbers(group, is_second ? "memory.current" : "memory.usage_in_bytes", "", 1, &used);
  read_numbers(group, "memory.stat", is_second ? "inactive_file " : "total_inactive_file ", 1, &idle);
  used -= least(idle, used);
  return most - least(used, most);
}

/* So much time a period, in processors, rounded up; version 1 says -1, a very large number here, where there is no bound. */
static size_t processors_of(const char *group, bool is_second) {
  size_t time[2]; /* quota, period */
  bool is_bounded = is_second ? read_numbers(group, "cpu.max", "", 2, time)
                              : read_numbers(group, "cpu.cfs_quota_us", "", 1, &time[0]) &&
                                    read_numbers(group, "cpu.cfs_period_us", "", 1, &time[1]);
  return is_bounded && time[1] ? time[0] / time[1] + (time[0] % time[1] != 0) : SIZE_MAX;
}

static bool has(char *controllers, const char *controller) {
  for (const char *name; (name = strsep(&controllers, ","));)
    if (strcmp(name, controller) == 0) return true;
  return false;
}

/* Of the group at this place of a hierarchy and of those around it. */
static size_t least_up_from(const char *hierarchy, const char *place, group_fn left, bool is_second) {
  char group[2 * LFM_PATH_SIZE];
  size_t found = SIZE_MAX;
  snprintf(group, sizeof group, "%s%s", hierarchy, place);
  do found = least(found, left(group, is_second));
  while (strlen(group) > strlen(hierarchy) && lfm_path_parent(group));
  return found;
}

/* Of the groups that this process is in.  A line of /proc/self/cgroup: NUMBER:CONTROLLER,CONTROLLER:/PLACE */
static size_t least_of_groups(const char *root, const char *controller, group_fn left) {
  char path[LFM_PATH_SIZE], line[LFM_PATH_SIZE];
  size_t found = SIZE_MAX;
  snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
  FILE *file = fopen(path, "re");
  while (file && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = 0;
    char *place = line;
    strsep(&place, ":");
    char *controllers = strsep(&place, ":");
    bool is_second = controllers && !*controllers;
    if (!place || (!is_second && !has(controllers, controller))) continue;
    snprintf(path, sizeof path, "%s/sys/fs/cgroup%s%s", root, is_second ? "" : "/", is_second ? "" : controller);
    found = least(found, least_up_from(path, place, left, is_second));
  }
  if (file) fclose(file);
  return found;
}

/* ---- what is left ------------------------------------------------------------------------------------------- */

size_t lfm_machine_memory(const char *root) {
  size_t kib;
  bool is_told = read_numbers(root, "proc/meminfo", "MemAvailable:", 1, &kib) && kib < SIZE_MAX / 1024;
  return least(is_told ? kib * 1024 : SIZE_MAX, least_of_groups(root, "memory", memory_of));
}

/* taskset and batch systems give a process fewer processors than the machine has, containers often so much of their time. */
int lfm_machine_processors(const char *root) {
  cpu_set_t allowed[MOST_SETS];
  int count = sched_getaffinity(0, sizeof allowed, allowed) == 0 ? CPU_COUNT_S(sizeof allowed, allowed) : 1;
  size_t quota = least_of_groups(root, "cpu", processors_of);
  return quota < 1 ? 1 : (int)least((size_t)count, quota);
}
