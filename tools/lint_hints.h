/* SPDX-License-Identifier: MIT
 *
 * lint_hints.h -- read by clang-tidy before every file (tools/lint.sh), by no compiler.
 * Its analyser looks at one file at a time and so cannot see that lfm_fail returns the status it was given, never LFM_OK;
 * without that, every path behind `if (status == LFM_OK)` would seem to be open to a failure's half-made objects.
 */
#include "core/status.h"

#define lfm_fail(code, ...) ((lfm_fail)((code), __VA_ARGS__), (code))
#define lfm_fail_errno(...) ((lfm_fail_errno)(__VA_ARGS__), LFM_E_IO)
