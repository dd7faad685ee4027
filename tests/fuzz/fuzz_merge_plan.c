/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a merge plan: refused with a line of text, or taken, and then written and read again as the same plan.
 */
#include "core/alloc.h"
#include "distill/plan.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) abort();
}

static void check_tree(const lfm_merge_plan *plan) {
  int leaves = 0;
  for (int i = 0; i < plan->count; i++) {
    const lfm_merge_node *node = &plan->node[i];
    int at = node->first, children = 0;
    for (int c = node->child; c >= 0; c = plan->node[c].next, children++) {
      require(c < i && plan->node[c].first == at);
      at = plan->node[c].last + 1;
    }
    require(children == node->children && children != 1);
    if (!children) require(node->first == ++leaves && node->last == leaves);
    else require(at == node->last + 1);
  }
  require(leaves == plan->blocks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lfm_merge_plan plan, again;
  char *text, written[LFM_MERGE_TEXT];
  int blocks = size ? data[0] % (LFM_MAX_BLOCKS + 1) : 1; /* the first byte: of how many blocks; the rest: the text */
  require(LFM_ALLOC(&text, size + 1) == LFM_OK);
  if (size) memcpy(text, data + 1, size - 1);
  lfm_status status = lfm_merge_plan_parse(text, blocks, &plan);
  if (status == LFM_OK) {
    check_tree(&plan);
    lfm_merge_plan_format(&plan, written);
    require(lfm_merge_plan_parse(written, blocks, &again) == LFM_OK);
    require(memcmp(&plan, &again, sizeof plan) == 0);
  } else {
    require(status == LFM_E_USAGE && *lfm_error() && !strchr(lfm_error(), '\n'));
  }
  lfm_free(text);
  return 0;
}
