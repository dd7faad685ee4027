/* SPDX-License-Identifier: MIT
 *
 * main.c -- the program `lfm`: finds the verb, runs it, and makes sure that what was printed has arrived.
 * Standard output may be a closed pipe or a full disk; a result that nobody received is a failure (exit 1), so SIGPIPE is
 * ignored and the stream is checked once, at its close.  LC_CTYPE alone follows the user: a decimal comma has no place in CSV
 * or JSON.
 */
#include "app.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static const app_command *const commands[] = {&app_train, &app_sweep, &app_sample,  &app_score,  &app_ledger, &app_eval,
                                              &app_push,  &app_plan,  &app_distill, &app_import, &app_export, &app_features,
                                              &app_demos, &app_guard, &app_rollout, &app_info,   &app_bench,  &app_selftest};
enum { COMMANDS = sizeof commands / sizeof *commands };

int app_usage_error(const app_command *command, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  fprintf(stderr, "lfm%s%s: %s\n", command ? " " : "", command ? command->name : "", text);
  return APP_USAGE;
}

int app_report(const app_command *command, lfm_status status) {
  if (status == LFM_OK) return APP_DONE;
  fprintf(stderr, "lfm %s: %s\n", command->name, lfm_error());
  return status == LFM_E_USAGE ? APP_USAGE : APP_FAILED;
}

/* A note is news once a command, though several of its steps may come upon the matter; a warning is shown each time. */
static bool was_said(const char *text) {
  enum { REMEMBERED = 16 };
  static char said[REMEMBERED][200];
  static int count;
  for (int i = 0; i < REMEMBERED && i < count; i++)
    if (strncmp(said[i], text, sizeof said[i] - 1) == 0) return true;
  snprintf(said[count++ % REMEMBERED], sizeof said[0], "%s", text);
  return false;
}

void app_show_note(lfm_note_level level, const char *text, void *context) {
  (void)context;
  if (level == LFM_NOTE && was_said(text)) return;
  fprintf(stderr, "%s: %s\n", level == LFM_WARNING ? "warning" : "note", text);
}

static void print_overview(FILE *out) {
  fputs("usage: lfm VERB ...        lfm help VERB is the manual of a verb\n\n"
        "Local Flow Matching: learns the density of a table or of pictures, or a policy\n"
        "from demonstrations; draws new rows and scores them.\n\n",
        out);
  for (int i = 0; i < COMMANDS; i++) fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
  fputs("\nexample:\n"
        "  lfm train data.csv -o run               learn, in about ten minutes\n"
        "  lfm sample run -n 1000 -o new.csv       draw a thousand new rows\n"
        "  lfm score run test.csv -o scores.csv    log p of each row\n\n"
        "lfm --version prints the version. Exit codes: 0 done; 1 failed, as where a file is\n"
        "missing or a table does not fit the model; 2 the command line, or a key in a\n"
        "configuration, makes no sense.\n",
        out);
}

static int refuse_verb(const char *word) {
  app_nearest nearest = {.given = word};
  for (int i = 0; i < COMMANDS; i++) app_nearest_offer(&nearest, commands[i]->name);
  app_nearest_offer(&nearest, "help");
  if (*word == '-') return app_usage_error(NULL, "unknown option %s in the place of a verb; see lfm --help", word);
  if (nearest.best) return app_usage_error(NULL, "unknown verb '%s'; did you mean %s?", word, nearest.best);
  return app_usage_error(NULL, "unknown verb '%s'; see lfm --help", word);
}

static int run_verb(int argc, char **argv) {
  for (int i = 0; i < COMMANDS; i++) {
    if (strcmp(argv[1], commands[i]->name) == 0) return commands[i]->run(commands[i], argc, argv);
  }
  return refuse_verb(argv[1]);
}

static bool asks_for_help(const char *word) {
  return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* The list of verbs, or, as other programs have it too, `lfm help VERB` for lfm VERB --help. */
static int print_help(int argc, char **argv) {
  if (argc > 2 && !asks_for_help(argv[2])) return run_verb(3, (char *[]){argv[0], argv[2], "--help", NULL});
  print_overview(stdout);
  return APP_DONE;
}

static int dispatch(int argc, char **argv) {
  if (argc < 2) {
    print_overview(stderr);
    return APP_USAGE;
  }
  if (asks_for_help(argv[1])) return print_help(argc, argv);
  if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
    puts("lfm " LFM_VERSION);
    return APP_DONE;
  }
  return run_verb(argc, argv);
}

/* Files are mapped while they are read (lfm.h): one that is cut short meanwhile has no bytes behind its new end.  Any other
 * SIGBUS is a fault of ours and ends as one. */
static void end_for_cut_file(int number, siginfo_t *facts, void *context) {
  static const char line[] =
      "lfm: a file was cut short by another program while it was read; write the new one beside it and rename it\n";
  (void)context;
  if (facts->si_code != BUS_ADRERR) {
    signal(number, SIG_DFL);
    raise(number);
    return;
  }
  ssize_t told = write(STDERR_FILENO, line, sizeof line - 1);
  (void)told; /* there is no other way to say it */
  _exit(APP_FAILED);
}

/* A file opened later must not become standard output because the caller had closed that: a descriptor that is missing is
 * filled with one that reads nothing and cannot be written. */
static bool fill_standard_descriptors(void) {
  for (int fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) != fd) return false;
  }
  return true;
}

int main(int argc, char **argv) {
  if (!fill_standard_descriptors()) return APP_FAILED;
  setlocale(LC_CTYPE, "");
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  sigaction(SIGBUS, &(struct sigaction){.sa_sigaction = end_for_cut_file, .sa_flags = SA_SIGINFO}, NULL);
  lfm_notes_to(app_show_note, NULL);
  int code = dispatch(argc, argv);
  bool lost = ferror(stdout) != 0;
  if ((fclose(stdout) != 0 || lost) && code == APP_DONE) {
    fprintf(stderr, "lfm: cannot write to standard output: %s\n", strerror(errno));
    code = APP_FAILED;
  }
  return code;
}
