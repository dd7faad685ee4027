/* SPDX-License-Identifier: MIT
 *
 * cost.c -- see cost.h: a JSON object of four numbers.
 */
#include "distill/cost.h"

#include "core/file.h"
#include "store/facts.h"

enum { FIELDS = 4 };
static const char *const names[FIELDS] = {"seconds", "flops", "evaluations", "rows"};
static const double most[FIELDS] = {1e15, 1e30, 1e30, 0x1p53};

lfm_status lfm_cost_keep(const lfm_cost *cost, const char *path) {
  const double numbers[FIELDS] = {cost->seconds, cost->flops, cost->evaluations, cost->rows};
  lfm_facts *facts;
  LFM_TRY(lfm_facts_create(&facts));
  for (int k = 0; k < FIELDS; k++) lfm_facts_number(facts, names[k], numbers[k]);
  lfm_status status = lfm_facts_write(facts, path);
  lfm_facts_destroy(facts);
  return status;
}

static lfm_status take(const lfm_facts *facts, const char *path, double numbers[FIELDS]) {
  for (int k = 0; k < FIELDS; k++) {
    LFM_TRY(lfm_facts_get(facts, names[k], &numbers[k]));
    if (!(numbers[k] >= 0.0 && numbers[k] <= most[k])) /* NAN, too */
      return lfm_fail(LFM_E_FORMAT, "%s: '%s' is %g, which nothing costs; remove the file", path, names[k], numbers[k]);
  }
  return LFM_OK;
}

lfm_status lfm_cost_recall(const char *path, lfm_cost *out) {
  double numbers[FIELDS] = {0};
  lfm_facts *facts;
  *out = (lfm_cost){0};
  if (!lfm_path_exists(path)) return LFM_OK;
  LFM_TRY(lfm_facts_read(path, &facts));
  lfm_status status = take(facts, path, numbers);
  lfm_facts_destroy(facts);
  LFM_TRY(status);
  *out = (lfm_cost){numbers[0], numbers[1], numbers[2], numbers[3]};
  return LFM_OK;
}
