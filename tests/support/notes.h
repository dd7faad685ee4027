/* SPDX-License-Identifier: MIT
 * notes.h -- what the library notes: how often, and the last one.  lfm_notes_to(take_note, NULL) begins.
 */
#ifndef LFM_TESTS_SUPPORT_NOTES_H
#define LFM_TESTS_SUPPORT_NOTES_H

#include "core/status.h"

#include <stdio.h>

static int notes;
static char last_note[1200];
static lfm_note_level last_level;

static void take_note(lfm_note_level level, const char *text, void *context) {
  (void)context;
  notes++;
  last_level = level;
  snprintf(last_note, sizeof last_note, "%s", text);
}

#endif
