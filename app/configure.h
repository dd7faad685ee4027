/* SPDX-License-Identifier: MIT
 *
 * configure.h -- a configuration in layers, each over the one before: preset or file, --set in the order given, the seed.
 */
#ifndef APP_CONFIGURE_H
#define APP_CONFIGURE_H

#include "options.h"

/* PRESET and FILE may be NULL.  *out is to be destroyed whatever is returned. */
lfm_status app_configure(const char *preset, const char *file, const app_texts *sets, lfm_config **out);
/* The same, and the seed where one was given. */
lfm_status app_configure_seeded(const char *preset, const char *file, const app_texts *sets, const app_seed *seed,
                                lfm_config **out);
lfm_status app_configure_seed(lfm_config *config, uint64_t seed);

/* Whether "key = value" is of KEY ("key", or itself with a value); and whether one of SETS is. */
bool app_is_of_key(const char *setting, const char *key);
bool app_sets_key(const app_texts *sets, const char *key);

#endif
