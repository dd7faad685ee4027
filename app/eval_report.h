/* SPDX-License-Identifier: MIT
 *
 * eval_report.h -- what lfm eval has found out: lines for people, one object for machines, a curve over the budgets.
 */
#ifndef APP_EVAL_REPORT_H
#define APP_EVAL_REPORT_H

#include "app.h"

enum { APP_MOST_BUDGETS = 16 };

/* Of one number of evaluations a picture. */
typedef struct app_eval_line {
  int budget;        /* that was asked for; 0: none was */
  double nfe, flops; /* a picture; NAN: the pictures were drawn elsewhere */
  lfm_eval_result result;
} app_eval_line;

typedef struct app_eval_report {
  const char *model, *against, *folder; /* the latter two may be NULL */
  const lfm_judge *judge;
  int asked, count; /* budgets; fewer are there than were asked for where a fault or the user stopped it */
  app_eval_line lines[APP_MOST_BUDGETS];
  lfm_share by_class[LFM_MOST_CLASSES]; /* of the last line */
  double seconds;
} app_eval_report;

/* Of a line or more. */
void app_eval_print(const app_eval_report *report);
void app_eval_put_json(const void *report, FILE *out); /* an app_eval_report; for app_save, too */
lfm_status app_eval_draw_curve(const app_eval_report *report, const char *path);

#endif
