/* SPDX-License-Identifier: MIT
 *
 * demos_env.c -- what robomimic's env_args say of the world that the demonstrations come from.
 * A JSON text whose depths differ between versions of robosuite, so that what tells steps from absolute actions is looked for
 * wherever it stands: "control_delta": false, or since 1.5 "input_type": "absolute".
 */
#include "data/demos_read.h"

#include "core/alloc.h"

#include <jansson.h>
#include <string.h>

static bool says_absolute(const json_t *value) {
  const char *name;
  json_t *part;
  size_t i;
  if (json_is_object(value)) {
    json_object_foreach((json_t *)(uintptr_t)value, name, part) {
      if (strcmp(name, "control_delta") == 0 && json_is_false(part)) return true;
      if (strcmp(name, "input_type") == 0 && json_is_string(part) && strcmp(json_string_value(part), "absolute") == 0)
        return true;
      if (says_absolute(part)) return true;
    }
  }
  json_array_foreach(value, i, part) if (says_absolute(part)) return true;
  return false;
}

/* The tasks that have a world here, by robosuite's names for them. */
static const char *task_of(const char *name) {
  static const char *const names[][2] = {{"Lift", "lift"}, {"PickPlaceCan", "can"}, {"NutAssemblySquare", "square"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i][0]) == 0) return names[i][1];
  return name;
}

lfm_status lfm_demos_env(const char *name, const char *text, char **task, bool *absolute) {
  json_error_t error;
  *task = NULL;
  json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
  if (!root && json_error_code(&error) == json_error_out_of_memory) return lfm_fail(LFM_E_MEMORY, "%s: out of memory", name);
  if (!root)
    return lfm_fail(LFM_E_FORMAT, "%s: data: its attribute env_args is not JSON (line %d: %s)", name, error.line, error.text);
  *absolute = says_absolute(root);
  const char *world = json_string_value(json_object_get(root, "env_name"));
  lfm_status status = world ? lfm_alloc_text(task, task_of(world)) : LFM_OK;
  json_decref(root);
  return status;
}
