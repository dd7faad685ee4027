/* SPDX-License-Identifier: MIT
 *
 * hush.h -- for libraries that greet on standard output.
 */
#ifndef LFM_SIM_HUSH_H
#define LFM_SIM_HUSH_H

#include "core/status.h"

/* Calls noisy(context): what it prints to stdout, in this thread, goes nowhere; what other threads print meanwhile comes out
 * as ever.  LFM_E_MEMORY: it was not called. */
lfm_status lfm_hush(void (*noisy)(void *context), void *context);

#endif
