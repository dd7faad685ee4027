/* SPDX-License-Identifier: MIT
 *
 * progress.c -- a bar on a terminal, a few plain lines in a log.
 *
 *   block 2/4 [#########-----------]  43 %  loss 0.8123  1.24k steps/s  3:12 left        terminal, redrawn in place
 *   0:42  block 1/4  5000/5000 steps  loss 0.8123  valid 0.8240  1.24k steps/s           log, and above the bar
 *
 * The bar takes the columns that its words leave; on a narrow terminal words go first, the least needed ones before the
 * others, so that a line never wraps (a wrapped line cannot be redrawn).  A log gets a line when a phase ends and otherwise
 * ever more rarely, so that its length grows with the logarithm of the time, up to one line a minute.
 * Notes of the library may come from any thread: the lock of stderr keeps a note and a frame apart.
 */
#include "progress.h"
#include "app.h"
#include "text.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LONGEST_LINE = 512, NARROWEST_BAR = 8, WIDEST_BAR = 40, DEFAULT_COLUMNS = 80 };
static const double first_line_after = 1, line_every = 5, line_every_at_most = 60;

/* ---- signals ---- */

static volatile sig_atomic_t stop_asked, is_drawing;         /* the second: a bar, on a terminal */
static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP}; /* the last: the terminal was closed */
enum { STOP_SIGNALS = sizeof stop_signals / sizeof *stop_signals };
static struct sigaction old_actions[STOP_SIGNALS];

/* At once, however long the next step or the reading of a table takes; in the place of the bar, which is drawn anew. */
static void say_that_it_was_heard(void) {
  static const char said[] = "\r\033[Kstopping at the next step; a second Ctrl-C or SIGTERM stops at once\n";
  size_t skipped = is_drawing ? 0 : sizeof "\r\033[K" - 1;
  int kept = errno;
  ssize_t written = write(STDERR_FILENO, said + skipped, sizeof said - 1 - skipped);
  (void)written; /* who has closed it does not want to know */
  errno = kept;
}

/* The first signal asks the library to stop; after it, SIGINT and SIGTERM do what they would have done.  SIGHUP does not: a
 * terminal that closes sends it, and the shell in it once more. */
static void ask_to_stop(int number) {
  (void)number;
  if (!stop_asked) say_that_it_was_heard();
  stop_asked = 1;
  for (int i = 0; i < STOP_SIGNALS; i++)
    if (stop_signals[i] != SIGHUP) sigaction(stop_signals[i], &old_actions[i], NULL);
}

static void catch_signals(void) {
  struct sigaction action = {.sa_handler = ask_to_stop, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < STOP_SIGNALS; i++) {
    sigaction(stop_signals[i], NULL, &old_actions[i]);
    if (old_actions[i].sa_handler != SIG_IGN) sigaction(stop_signals[i], &action, NULL); /* nohup and shells' & mean it */
  }
}

static void release_signals(void) {
  for (int i = 0; i < STOP_SIGNALS; i++) sigaction(stop_signals[i], &old_actions[i], NULL);
}

/* ---- the words ---- */

static const char *unit_of(const lfm_progress *now) {
  if (now->phase == LFM_PHASE_COMPARE) return "parts";
  if (now->phase == LFM_PHASE_RECORD || now->phase == LFM_PHASE_ROLLOUT) return "episodes";
  bool steps = now->phase == LFM_PHASE_TRAIN || now->phase == LFM_PHASE_JUDGE || now->phase == LFM_PHASE_TRIAL;
  return steps ? "steps" : "rows";
}

static void write_title(const lfm_progress *now, char out[APP_TEXT_SIZE]) {
  static const char *const titles[] = {
      [LFM_PHASE_TRAIN] = "block",   [LFM_PHASE_PUSH] = "push ",      [LFM_PHASE_SAMPLE] = "sample",
      [LFM_PHASE_SCORE] = "score",   [LFM_PHASE_JUDGE] = "judge",     [LFM_PHASE_COMPARE] = "compare",
      [LFM_PHASE_RECORD] = "record", [LFM_PHASE_ROLLOUT] = "rollout", [LFM_PHASE_TRIAL] = "trial"};
  if (now->blocks > 0) snprintf(out, APP_TEXT_SIZE, "%s %d/%d", titles[now->phase], now->block, now->blocks);
  else snprintf(out, APP_TEXT_SIZE, "%s", titles[now->phase]);
}

/* Of everything that the call does: by steps where the library counts them over all blocks, else by passes. */
static double fraction_done(const lfm_progress *now) {
  int64_t steps = now->phase == LFM_PHASE_TRAIN ? now->done : 0;
  if (now->all_total > 0) return fmin((double)(now->all_before + steps) / (double)now->all_total, 1);
  double here = now->total > 0 ? (double)now->done / (double)now->total : 0;
  return now->blocks > 0 ? (now->block - 1 + here) / now->blocks : here;
}

/* By the mean speed of this call, pushes included; NAN until it is worth saying, and amid a push, which no step counts. */
static double seconds_left(const app_progress *progress) {
  if (progress->last.phase == LFM_PHASE_PUSH && progress->last.all_total > 0) return (double)NAN;
  double spent = progress->last.seconds - progress->first_seconds;
  double now = fraction_done(&progress->last), made = now - progress->first_fraction;
  return made > 0 && spent > 0.5 ? spent * (1 - now) / made : (double)NAN;
}

enum { FIELD_PERCENT, FIELD_LOSS, FIELD_VALID, FIELD_RATE, FIELD_LEFT, FIELDS, FIELD_SIZE = APP_TEXT_SIZE + 16 };

/* Trailing zeros are kept: words whose length changes make the bar tremble. */
static void write_loss(char out[FIELD_SIZE], const char *name, double loss) {
  if (isfinite(loss)) snprintf(out, FIELD_SIZE, fabs(loss) < 1000 ? "  %s %.4f" : "  %s %.4g", name, loss);
}

/* The words behind the bar, each with two spaces before it; "" where there is nothing to say. */
static void write_fields(const app_progress *progress, char fields[FIELDS][FIELD_SIZE]) {
  const lfm_progress *now = &progress->last;
  char text[APP_TEXT_SIZE];
  for (int i = 0; i < FIELDS; i++) fields[i][0] = '\0';
  snprintf(fields[FIELD_PERCENT], FIELD_SIZE, "  %3.0f %%", floor(100 * fraction_done(now)));
  write_loss(fields[FIELD_LOSS], "loss", now->loss);
  write_loss(fields[FIELD_VALID], "valid", now->valid_loss);
  bool alike = now->phase != LFM_PHASE_COMPARE; /* what is counted */
  if (now->rate > 0 && alike)
    snprintf(fields[FIELD_RATE], FIELD_SIZE, "  %s %s/s", app_amount(text, now->rate), unit_of(now));
  double left = seconds_left(progress);
  if (isfinite(left)) snprintf(fields[FIELD_LEFT], FIELD_SIZE, "  %s left", app_duration(text, left));
}

/* ---- lines ---- */

/* Looking back, at the end of a phase, there is no time left to speak of. */
static void print_line(app_progress *progress, bool looks_back) {
  const lfm_progress *now = &progress->last;
  char title[APP_TEXT_SIZE], time[APP_TEXT_SIZE], fields[FIELDS][FIELD_SIZE];
  write_title(now, title);
  write_fields(progress, fields);
  if (looks_back) fields[FIELD_LEFT][0] = '\0';
  fprintf(stderr, "%7s  %s  %lld/%lld %s%s%s%s%s\n", app_duration(time, now->seconds), title, (long long)now->done,
          (long long)now->total, unit_of(now), fields[FIELD_LOSS], fields[FIELD_VALID], fields[FIELD_RATE],
          fields[FIELD_LEFT]);
  progress->last_is_printed = true;
  double rarer = fmin(fmax(line_every, now->seconds / 20), line_every_at_most);
  progress->next_line = now->seconds + rarer;
}

/* ---- the bar ---- */

static int terminal_columns(void) {
  struct winsize size;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : DEFAULT_COLUMNS;
}

static size_t append(char *line, size_t used, const char *text) {
  size_t length = strlen(text);
  if (used + length >= LONGEST_LINE) return used;
  memcpy(line + used, text, length + 1);
  return used + length;
}

/* WIDTH columns; in UTF-8 the last one filled is filled by eighths. */
static size_t append_bar(char *line, size_t used, int width, double fraction, bool utf8) {
  static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
  int filled = (int)(fraction * width * 8);
  for (int i = 0; i < width; i++) {
    int here = filled - 8 * i < 0 ? 0 : filled - 8 * i > 8 ? 8 : filled - 8 * i;
    used = append(line, used, utf8 ? eighths[here] : here == 8 ? "#" : "-");
  }
  return used;
}

/* Leaves out words, the least needed first, until the narrowest bar fits; returns the columns of the bar, a multiple of
 * NARROWEST_BAR so that it stands still while the words change; 0 when not even that fits. */
static int make_room(char fields[FIELDS][FIELD_SIZE], int room) {
  static const int least_needed[] = {FIELD_VALID, FIELD_RATE, FIELD_LOSS, FIELD_LEFT, FIELD_PERCENT};
  for (int i = 0; i < FIELDS; i++) room -= (int)strlen(fields[i]);
  for (int i = 0; i < FIELDS && room < NARROWEST_BAR; i++) {
    room += (int)strlen(fields[least_needed[i]]);
    fields[least_needed[i]][0] = '\0';
  }
  if (room < NARROWEST_BAR) return 0;
  return room < WIDEST_BAR ? room - room % NARROWEST_BAR : WIDEST_BAR;
}

static void draw_bar(app_progress *progress) {
  char line[LONGEST_LINE] = "", title[APP_TEXT_SIZE], fields[FIELDS][FIELD_SIZE];
  write_title(&progress->last, title);
  write_fields(progress, fields);
  int brackets = 3; /* " [" and "]"; the last column stays free, because some terminals wrap there */
  int width = make_room(fields, terminal_columns() - 1 - (int)strlen(title) - brackets);
  if (width == 0) return;
  size_t used = append(line, 0, "\r");
  used = append(line, used, title);
  used = append(line, used, " [");
  used = append_bar(line, used, width, fraction_done(&progress->last), progress->utf8);
  used = append(line, used, "]");
  for (int i = 0; i < FIELDS; i++) used = append(line, used, fields[i]);
  append(line, used, "\033[K");
  fputs(line, stderr);
  progress->shown = true;
}

static void clear_bar(app_progress *progress) {
  if (progress->shown) fputs("\r\033[K", stderr);
  progress->shown = false;
}

/* ---- the library's voice ---- */

static void show_note(lfm_note_level level, const char *text, void *context) {
  app_progress *progress = context;
  if (progress->hushed) return;
  flockfile(stderr);
  bool was_shown = progress->shown;
  clear_bar(progress);
  app_show_note(level, text, NULL);
  if (was_shown) draw_bar(progress);
  funlockfile(stderr);
}

static bool is_same_phase(const lfm_progress *a, const lfm_progress *b) {
  return a->phase == b->phase && a->block == b->block;
}

/* A phase of training that ends stays as a line; on a terminal only that of the steps, whose loss is worth keeping. */
static void keep_last(app_progress *progress) {
  bool trains = progress->last.phase == LFM_PHASE_TRAIN, pushes = progress->last.phase == LFM_PHASE_PUSH;
  bool worth_keeping = trains || (pushes && !progress->on_terminal);
  if (!worth_keeping || progress->last.done == 0 || progress->last_is_printed) return;
  clear_bar(progress);
  print_line(progress, true);
}

/* Time left counts from the first call, and anew when the library begins another round (a second model to score); in
 * another call of the library its clock begins anew, too. */
static void begin_round(app_progress *progress, const lfm_progress *now) {
  if (!progress->begun || now->seconds < progress->last.seconds) progress->next_line = now->seconds + first_line_after;
  progress->begun = true;
  progress->first_seconds = now->seconds;
  progress->first_fraction = fraction_done(now);
}

bool app_progress_show(const lfm_progress *now, void *context) {
  app_progress *progress = context;
  flockfile(stderr);
  if (!is_same_phase(now, &progress->last)) keep_last(progress);
  if (!progress->begun || fraction_done(now) < fraction_done(&progress->last)) begin_round(progress, now);
  progress->last = *now;
  progress->last_is_printed = false;
  if (progress->on_terminal) draw_bar(progress);
  else if (now->seconds >= progress->next_line) print_line(progress, false);
  funlockfile(stderr);
  return stop_asked != 0;
}

void app_progress_begin(app_progress *progress) {
  const char *terminal = getenv("TERM");
  bool dumb = !terminal || strcmp(terminal, "dumb") == 0;
  *progress = (app_progress){.on_terminal = isatty(STDERR_FILENO) && !dumb, .utf8 = app_speaks_utf8()};
  stop_asked = 0;
  is_drawing = progress->on_terminal;
  catch_signals();
  lfm_notes_to(show_note, progress);
}

void app_progress_say(app_progress *progress, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  flockfile(stderr);
  clear_bar(progress);
  keep_last(progress);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  funlockfile(stderr);
  va_end(arguments);
}

void app_progress_end(app_progress *progress) {
  lfm_notes_to(app_show_note, NULL);
  release_signals();
  clear_bar(progress);
  keep_last(progress);
}
