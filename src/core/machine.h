/* SPDX-License-Identifier: MIT
 *
 * machine.h -- what this process may have of the machine: memory and processors, as the system, a batch system or a container
 * bounds them.  `root` is where the system's /proc and /sys lie: "", or in the tests a folder with some like them.
 */
#ifndef LFM_CORE_MACHINE_H
#define LFM_CORE_MACHINE_H

#include <stddef.h>

/* Bytes that could be had without swapping; SIZE_MAX where the system says nothing. */
size_t lfm_machine_memory(const char *root);

/* At least 1. */
int lfm_machine_processors(const char *root);

#endif
