/* SPDX-License-Identifier: MIT
 *
 * options.h -- one table a verb says what its command line may hold; parsing, range checks and the help come from it.
 * Long options take their value behind '=' or as the next word, short ones as the next word or glued on (-n100).  Options
 * and operands mix in any order; "--" ends the options; the last of a repeated option counts.
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include "app.h"

typedef enum app_kind {
  APP_END,     /* ends the table */
  APP_OPERAND, /* const char *: by position; required, it or one of the options that it excludes */
  APP_FLAG,    /* bool */
  APP_TEXT,    /* const char * */
  APP_TEXTS,   /* app_texts: the option may be repeated */
  APP_WORD,    /* const char *: one of `words` */
  APP_COUNT,   /* int64_t, low..high; 1000 or 1e3 */
  APP_REAL,    /* double, low..high */
  APP_TIME,    /* double, low..high seconds, written 90s, 10m, 2h, 1h30m */
  APP_SIZE,    /* int64_t, low..high bytes, written 500M, 4G, 1.5G: powers of 1024 */
  APP_SEED,    /* app_seed: any whole number below 2^64, or, with high = 2^53, to that */
} app_kind;

enum { APP_MOST_TEXTS = 128 };

typedef struct app_texts {
  const char *items[APP_MOST_TEXTS];
  int count;
} app_texts;

typedef struct app_seed {
  uint64_t value;
  bool given;
} app_seed;

typedef struct app_option {
  app_kind kind;
  char letter;       /* 'o': -o; 0: none */
  const char *name;  /* "out": --out; of an operand as help shows it: "DATA" */
  const char *value; /* what stands for the value in help: "RUN"; NULL for flags and operands */
  const char *help;
  void *target; /* where the value goes; left alone when the option is not given */
  bool required;
  const char *missing; /* where a required one comes from, for whoever left it out; NULL: see the help */
  const char *needs;   /* the option without which this one would have no effect; NULL: none */
  int either;          /* over 0: at most one of the options with this number */
  double low, high;
  const char *const *words; /* of APP_WORD; NULL ends them */
} app_option;

/* Lines that every verb of a kind shares. */
#define APP_OPTION_THREADS(address)                                                                                          \
  {                                                                                                                          \
    APP_COUNT, .name = "threads", .value = "T", .low = 1, .high = 1024, .target = (address),                                 \
               .help = "threads to use (default: all processors that it may have); the result is the same for any number"    \
  }
#define APP_OPTION_MEMORY(address)                                                                                           \
  {                                                                                                                          \
    APP_SIZE, .name = "memory", .value = "SIZE", .target = (address), .low = 1024, .high = 0x1p50,                           \
              .help = "rows that would take more memory than this lie in files beside the output, which the system pages: "  \
                      "500M, 4G (default: half of what is free); the result is the same for any"                             \
  }
#define APP_OPTION_HEADER(address)                                                                                           \
  {                                                                                                                          \
    APP_WORD, .name = "header", .value = "yes|no", .target = (address), .words = (const char *const[]){"yes", "no", NULL},   \
              .help = "whether the first row of a CSV has the names of its columns (default: by what it holds):"             \
  }
#define APP_OPTION_JSON(address)                                                                                             \
  { APP_FLAG, .name = "json", .target = (address), .help = "print the result as one JSON object on standard output" }
#define APP_OPTION_SOLVER(address)                                                                                           \
  {                                                                                                                          \
    APP_WORD,                                                                                                                \
        .name = "solver", .value = "NAME", .target = (address),                                                              \
        .words = (const char *const[]){"euler", "midpoint", "heun", "rk4", "bs23", "dopri5", "tsit5", NULL},                 \
        .help =                                                                                                              \
            "integrator (default dopri5; with --nfe midpoint, in steps that are smaller near the data unless it is named, "  \
            "or euler: of policies, and of one evaluation a block):"                                                         \
  }
/* Of a policy, which takes fixed steps of four evaluations at most; `of` stands in front of the help. */
#define APP_OPTION_POLICY_SOLVER(of, address)                                                                                \
  {                                                                                                                          \
    APP_WORD, .name = "solver", .value = "NAME", .target = (address),                                                        \
              .words = (const char *const[]){"euler", "midpoint", "heun", "rk4", "bs23", NULL},                              \
              .help = of "integrator of a chunk, in as many equal steps as --nfe holds (default euler):"                     \
  }
/* Of a verb without --nfe, which the others need. */
#define APP_OPTION_ADAPTIVE(address)                                                                                         \
  {                                                                                                                          \
    APP_WORD, .name = "solver", .value = "NAME", .target = (address),                                                        \
              .words = (const char *const[]){"bs23", "dopri5", "tsit5", NULL}, .help = "integrator (default dopri5):"        \
  }

/* How a policy acts, into the lfm_policy_options at `p`; `of` stands in front of the help, and `beyond` says what becomes of
 * an observation out of range. */
#define APP_OPTIONS_ACTING(of, beyond, p, nfe_at)                                                                            \
  APP_OPTION_POLICY_SOLVER(of, &(p)->solve.solver),                                                                          \
      {APP_COUNT,                                                                                                            \
       .name = "nfe",                                                                                                        \
       .value = "K",                                                                                                         \
       .target = (nfe_at),                                                                                                   \
       .low = 1,                                                                                                             \
       .high = 1e6,                                                                                                          \
       .help = of "evaluations of the velocity a chunk, over the whole chain (default 8 a block)"},                          \
      {APP_WORD,                                                                                                             \
       .name = "precision",                                                                                                  \
       .value = "P",                                                                                                         \
       .target = &(p)->precision,                                                                                            \
       .words = (const char *const[]){"fp32", "bf16", NULL},                                                                 \
       .help = of "of the weights (default fp32):"},                                                                         \
      {APP_REAL,                                                                                                             \
       .name = "range",                                                                                                      \
       .value = "R",                                                                                                         \
       .target = &(p)->range,                                                                                                \
       .low = 1,                                                                                                             \
       .high = 1e6,                                                                                                          \
       .help = of "observations more than R times as far out as the demonstrations go " beyond " (default 2)"},              \
      {APP_FLAG, .name = "clamp", .target = &(p)->clamp, .help = "they are moved to the edge of that range instead"},        \
      {APP_WORD,                                                                                                             \
       .name = "guard",                                                                                                      \
       .value = "WHAT",                                                                                                      \
       .target = &(p)->guard,                                                                                                \
       .words = (const char *const[]){"count", "hold", "stop", NULL},                                                        \
       .help = "ask the guard that lfm guard has given the model, and where it finds an observation strange, do this:"},     \
      {APP_COUNT,                                                                                                            \
       .name = "delay",                                                                                                      \
       .value = "D",                                                                                                         \
       .target = &(p)->delay,                                                                                                \
       .low = 0,                                                                                                             \
       .high = 1e6,                                                                                                          \
       .help = of "a chunk comes D steps of control after what it is drawn of; so long the one before goes on (default 0)"}, \
      {APP_FLAG, .name = "rtc", .target = &(p)->rtc,                                                                         \
       .help = of "real-time chunking: a chunk is drawn so that it goes on from the one before"},                            \
  {                                                                                                                          \
    APP_REAL, .name = "guidance", .value = "B", .target = &(p)->guidance, .needs = "rtc", .low = 0.01, .high = 1000,         \
              .help = of "with --rtc: its strongest correction of the velocity (default 5)"                                  \
  }

#define APP_OPTION_TOL(address, group)                                                                                       \
  {                                                                                                                          \
    APP_REAL, .name = "tol", .value = "T", .target = (address), .either = (group), .low = 1e-12, .high = 0.1,                \
              .help = "tolerance of the adaptive solvers (default 1e-5)"                                                     \
  }
#define APP_OPTION_NFE(address, group)                                                                                       \
  {                                                                                                                          \
    APP_COUNT, .name = "nfe", .value = "K", .target = (address), .either = (group), .low = 1, .high = 1e6,                   \
               .help = "fixed steps instead: K evaluations of the velocity over the whole chain, each block its share"       \
  }
#define APP_OPTION_GROUP(address)                                                                                            \
  {                                                                                                                          \
    APP_TEXT,                                                                                                                \
        .name = "group", .value = "DATA", .target = (address),                                                               \
        .help = "a table of one column, numbers or words, a row for each row of DATA: its cluster, for the standard errors"  \
  }
/* `unasked`: what becomes of the trace without it, where that is not the same of every model. */
#define APP_OPTION_PROBES(address, unasked)                                                                                  \
  {                                                                                                                          \
    APP_COUNT, .name = "probes", .value = "K", .target = (address), .low = 1, .high = 1000,                                  \
               .help = "estimate the trace by K random vectors a row instead of computing it: for very many columns" unasked \
  }
#define APP_OPTION_PROBE_SEED(address)                                                                                       \
  { APP_SEED, .name = "seed", .value = "S", .target = (address), .help = "another seed draws other probes (default 0)" }

/* Parses argv[2..] by OPTIONS, which an APP_END ends.  True: go on with the verb.  False: *code is the exit code, because
 * help was asked for and printed, or because the line was wrong and the fault is on standard error. */
bool app_parse(const app_command *command, const app_option *options, int argc, char **argv, int *code);

#endif
