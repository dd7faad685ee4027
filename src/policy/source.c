/* SPDX-License-Identifier: MIT
 *
 * source.c -- a policy as one C file: the runtime's text, the policy's numbers as tables, a few functions around them.
 * Numbers are hexadecimal floats, which lose nothing.  What the file does is what lfm_policy_act does, by the same lines.
 */
#include "policy/source.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/plain.h"
#include "core/rotation.h"
#include "policy/policy.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 512, A_LINE = 8 };

typedef struct source {
  lfm_writer *writer;
  lfm_status status; /* the first fault; nothing is written after it */
} source;

static void put(source *s, const char *text) {
  if (s->status == LFM_OK) s->status = lfm_writer_put(s->writer, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void print(source *s, const char *format, ...) {
  char line[LINE];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  put(s, line);
}

/* ---- the runtime -------------------------------------------------------------------------------------------------- */

/* Our own headers are all here; those of the C library stay. */
static void put_text(source *s, const char *text) {
  static const char ours[] = "#include \"";
  while (*text && s->status == LFM_OK) {
    const char *end = strchr(text, '\n');
    size_t length = end ? (size_t)(end - text) + 1 : strlen(text);
    if (strncmp(text, ours, sizeof ours - 1) != 0) s->status = lfm_writer_put(s->writer, text, length);
    text += length;
  }
}

/* ---- tables ------------------------------------------------------------------------------------------------------- */

/* `type` NAME[] = {...}, with room for `more` behind it. */
static void open_table(source *s, const char *type, const char *name, int64_t count, int64_t more) {
  long long all = count + more;
  print(s, "static %s%s %s[%lld] = {", more ? "" : "const ", type, name, all);
}

static void put_some_floats(source *s, const char *name, const float *x, int64_t count, int64_t more) {
  open_table(s, "float", name, count, more);
  for (int64_t i = 0; i < count; i++) print(s, "%s%af,", i % A_LINE ? " " : "\n  ", (double)x[i]);
  put(s, "\n};\n");
}

static void put_floats(source *s, const char *name, const float *x, int64_t count) { put_some_floats(s, name, x, count, 0); }

static void put_words(source *s, const char *name, const uint32_t *x, int64_t count, int64_t more) {
  open_table(s, "uint32_t", name, count, more);
  for (int64_t i = 0; i < count; i++) print(s, "%s0x%08xu,", i % A_LINE ? " " : "\n  ", x[i]);
  put(s, "\n};\n");
}

static void put_doubles(source *s, const char *name, const double *x, int64_t count) {
  print(s, "static const double %s[] = {", name);
  for (int64_t i = 0; i < count; i++) {
    put(s, i % A_LINE ? " " : "\n  ");
    if (isinf(x[i])) put(s, "INFINITY,");
    else print(s, "%a,", x[i]);
  }
  put(s, "\n};\n");
}

#define NUMBER(of, field) print(s, "." #field " = %lld, ", (long long)(of)->field)
#define PLACE(of, field) print(s, "." #field " = {%lld, %lld}, ", (long long)(of)->field.at, (long long)(of)->field.row)

static void put_step(source *s, const lfm_rt_step *step) {
  print(s, "  {.kind = (lfm_rt_kind)%d, .beta = %af, ", (int)step->kind, (double)step->beta);
  PLACE(step, from);
  PLACE(step, to);
  NUMBER(step, positions);
  NUMBER(step, channels);
  NUMBER(step, stride);
  NUMBER(step, taps);
  NUMBER(step, in);
  NUMBER(step, weights);
  NUMBER(step, bias);
  NUMBER(step, adds);
  NUMBER(step, is_series);
  NUMBER(step, more);
  NUMBER(step, groups);
  NUMBER(step, scale);
  NUMBER(step, shift);
  NUMBER(step, act);
  NUMBER(step, of);
  NUMBER(step, tap);
  NUMBER(step, tap_step);
  put(s, "},\n");
}

/* `whose` stands in front of the names: "" of the policy's own network, "guard_" of its guard's. */
static void put_field(source *s, const char *whose, const lfm_rt_field *f) {
  print(s, "static const lfm_rt_step %ssteps[] = {\n", whose);
  for (int64_t i = 0; i < f->back_steps; i++) put_step(s, &f->steps[i]);
  print(s, "};\nstatic const lfm_rt_field %sfield = {.steps = %ssteps, ", whose, whose);
  NUMBER(f, given_steps);
  NUMBER(f, all_steps);
  NUMBER(f, back_steps);
  NUMBER(f, positions);
  NUMBER(f, channels);
  PLACE(f, x);
  PLACE(f, v);
  NUMBER(f, given);
  NUMBER(f, given_count);
  NUMBER(f, base);
  NUMBER(f, timed);
  NUMBER(f, timed_count);
  NUMBER(f, room);
  NUMBER(f, mirror);
  NUMBER(f, back);
  NUMBER(f, back_floats);
  NUMBER(f, floats);
  put(s, "};\n");
}

static void put_chain(source *s, const char *whose, const lfm_compiled *compiled) {
  const lfm_rt_chain *chain = lfm_compiled_chain(compiled);
  char name[48];
  put_field(s, whose, chain->field);
  for (int64_t n = 0; n < chain->blocks; n++) {
    int64_t turned = lfm_compiled_turned(compiled), weights = lfm_compiled_weights(compiled) - turned;
    snprintf(name, sizeof name, "%sweights_%lld", whose, (long long)n);
    if (chain->half) put_words(s, name, chain->block[n].weights, weights / 2, turned / 2);
    else put_some_floats(s, name, chain->block[n].weights, weights, turned);
    snprintf(name, sizeof name, "%sconstants_%lld", whose, (long long)n);
    put_floats(s, name, chain->block[n].constants, lfm_compiled_constants(compiled));
  }
  snprintf(name, sizeof name, "%skeeps", whose);
  put_floats(s, name, chain->keeps, chain->blocks);
  print(s, "static const lfm_rt_block %sblocks[] = {", whose);
  for (long long n = 0; n < chain->blocks; n++) print(s, "{%sweights_%lld, %sconstants_%lld}, ", whose, n, whose, n);
  print(s, "};\nstatic const lfm_rt_chain %schain = {&%sfield, %sblocks, %skeeps, %lld, %d};\n", whose, whose, whose, whose,
        (long long)chain->blocks, chain->half);
}

/* The weights of gradients stand nowhere in the file. */
static void put_ready(source *s, const lfm_compiled *compiled) {
  const lfm_rt_chain *chain = lfm_compiled_chain(compiled);
  bool is_guided = lfm_compiled_turned(compiled) > 0;
  put(s, "\n/* Weights of gradients are made of the others, once. */\nstatic void make_ready(void) {\n");
  if (is_guided) put(s, "  static int is_ready;\n");
  for (long long n = 0; is_guided && n < chain->blocks; n++)
    print(s, "  if (!is_ready) lfm_rt_turn(&field, %d, weights_%lld);\n", chain->half, n);
  put(s, is_guided ? "  is_ready = 1;\n}\n" : "}\n");
}

static void put_plan(source *s, const lfm_rt_chain *chain, const lfm_rt_plan *plan) {
  const lfm_rt_method *m = &plan->method;
  int64_t stages = plan->steps * m->stages;
  put_floats(s, "times", plan->time, chain->blocks * stages * chain->field->timed_count);
  put_floats(s, "of_x", plan->of_x, stages);
  put_floats(s, "of_v", plan->of_v, stages);
  put_floats(s, "pulls", plan->pull, chain->blocks * stages);
  print(s, "static const lfm_rt_plan plan = {{%lld, {", (long long)m->stages);
  for (int i = 0; i < LFM_RT_STAGES; i++)
    print(s, "{%af, %af, %af, %af}, ", (double)m->a[i][0], (double)m->a[i][1], (double)m->a[i][2], (double)m->a[i][3]);
  print(s, "}, {%af, %af, %af, %af}}, %lld, times, of_x, of_v, pulls};\n", (double)m->b[0], (double)m->b[1], (double)m->b[2],
        (double)m->b[3], (long long)plan->steps);
}

static void put_units(source *s, const lfm_rt_units *u) {
  put_doubles(s, "obs_mean", u->obs_mean, u->obs_dim);
  put_doubles(s, "obs_scale", u->obs_scale, u->obs_dim);
  put_doubles(s, "obs_middle", u->obs_middle, u->obs_dim);
  put_doubles(s, "obs_reach", u->obs_reach, u->obs_dim);
  put_doubles(s, "action_mean", u->action_mean, u->width);
  put_doubles(s, "action_scale", u->action_scale, u->width);
  put(s, "static const lfm_rt_units units = {.obs_mean = obs_mean, .obs_scale = obs_scale, .obs_middle = obs_middle,\n"
         "  .obs_reach = obs_reach, .action_mean = action_mean, .action_scale = action_scale, ");
  NUMBER(u, observed);
  NUMBER(u, predicted);
  NUMBER(u, executed);
  NUMBER(u, obs_dim);
  NUMBER(u, action_dim);
  NUMBER(u, width);
  NUMBER(u, poses);
  put(s, "};\n");
}

static void put_guard(source *s, const lfm_compiled *flow) {
  const lfm_rt_guard *g = lfm_compiled_guard(flow);
  put_chain(s, "guard_", flow);
  put_floats(s, "guard_time", g->time, g->chain->field->timed_count);
  put(s, "static const int64_t guard_number[] = {");
  for (int64_t k = 0; k < g->numbers; k++) print(s, "%lld, ", (long long)g->number[k]);
  put(s, "};\n");
  put_doubles(s, "guard_mean", g->mean, g->numbers);
  put_doubles(s, "guard_scale", g->scale, g->numbers);
  put_doubles(s, "guard_level", g->level, g->levels);
  print(s, "static float guard_space[%lld];\n", (long long)g->chain->field->floats);
  put(s, "static lfm_rt_guard guard = {.chain = &guard_chain, .time = guard_time, .number = guard_number, .mean = "
         "guard_mean,\n  .scale = guard_scale, .level = guard_level, .space = guard_space, ");
  NUMBER(g, numbers);
  NUMBER(g, levels);
  put(s, ".first = -1};\n#define POLICY_GUARD\n");
}

/* ---- around it ---------------------------------------------------------------------------------------------------- */

/* A word out of a model file, inside a comment: nothing of it may end that, or the line. */
static void put_word(source *s, const char *word) {
  enum { MOST = 64 };
  char safe[MOST + 1];
  size_t n = 0;
  for (; n < MOST && word[n]; n++) {
    char c = word[n];
    bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    safe[n] = is_plain ? c : '_';
  }
  safe[n] = '\0';
  put(s, safe);
}

static const char *const kinds[] = {[LFM_ACTION_PLAIN] = "",
                                    [LFM_ACTION_POSE] = ": position 3, axis-angle 3, gripper 1",
                                    [LFM_ACTION_DELTA] = ", steps of a controller: position 3, axis-angle 3, gripper 1; the "
                                                         "same\n * again goes on with the motion, so a guard should stop it"};

static void put_head(source *s, const lfm_windows *w, const lfm_rt_units *u, int nfe) {
  put(s, "/* A policy");
  if (w->task) put(s, " for ");
  if (w->task) put_word(s, w->task);
  print(s, ", made by lfm " LFM_VERSION ": %lld evaluations a chunk of %lld actions, %lld of which are executed.\n",
        (long long)nfe, (long long)u->predicted, (long long)u->executed);
  print(s, " *\n * An observation is %lld numbers, in the units of the demonstrations:", (long long)u->obs_dim);
  for (int64_t k = 0; k < w->keys; k++) {
    put(s, k ? ", " : " ");
    put_word(s, w->key[k]);
    print(s, " %lld", (long long)w->key_dim[k]);
  }
  print(s, ".\n * An action is %lld numbers%s.\n *\n", (long long)u->action_dim, kinds[w->kind]);
  put(s,
      " *   void policy_begin(int64_t episode);    before an episode, 0 to 2^24 - 1; each has noise of its own,\n"
      " *       for 2^20 chunks\n"
      " *   int policy_act(const double observation[], double action[]);\n"
      " *       0: action is filled;  1, 2: refused, a number that is not finite or out of range, and action is as it was;\n"
      " *       3: the network gives something that is not finite\n"
      " *       4: its guard, if it has one that may, has stopped it, until the next episode\n"
      " *       5: its guard, which may hold an action, finds strange what is observed before there is one\n"
      " *   int policy_selftest(double *difference); 0: the actions that were computed when this file was made come out,\n"
      " *       but for a thousandth of half their range; the largest difference in that unit;\n"
      " *       it ends the episode: policy_begin comes before what is acted next\n"
      " *   double policy_score(double *level);      with a guard: how strange the last observation is, and what is too "
      "much\n"
      " *\n"
      " * It needs libc and libm, allocates nothing and takes no lock; one thread at a time.  GCC from -O2 on and clang give "
      "the\n"
      " * same bits on processors that fuse multiply-adds, on x86-64 and aarch64; on others the last bits differ.  To "
      "compile:\n"
      " *   cc -std=c99 -O3 -march=native -c policy.c        and link with -lm\n"
      " *   cc -std=c99 -O3 -march=native -DPOLICY_MAIN policy.c -o policy -lm && ./policy       the self-test, and times\n"
      " * Two policies in one program: -Dpolicy_act=other_act, and so on, for one of them.\n */\n"
      "#define LFM_NO_CLONES\n#if defined(__GNUC__)\n#define LFM_RT_API static __attribute__((unused))\n#else\n"
      "#define LFM_RT_API static\n#endif\n"
      "#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__\n"
      "#error an observation that is no number must be told: compile without -ffast-math and -ffinite-math-only\n#endif\n"
      /* Nothing is fused but what says so.  Comparisons become vector code without AVX-512, too; no bit of what is finite
       * changes. */
      "#if defined(__clang__)\n#pragma clang fp contract(off)\n#pragma clang diagnostic ignored \"-Wunused-function\"\n"
      "#pragma clang diagnostic ignored \"-Wpass-failed\"\n"
      "#elif defined(__GNUC__)\n"
      "#pragma GCC optimize(\"fp-contract=off\", \"no-trapping-math\", \"no-math-errno\")\n#endif\n");
}

/* Half the range of each number of an action in the demonstrations: the unit of what the self-test finds different. */
static void put_reach(source *s, const lfm_rt_units *u) {
  put(s, "static const double reach[] = {");
  for (int64_t j = 0; j < u->action_dim; j++) {
    int64_t part = j % LFM_POSE, inside = u->poses ? j / LFM_POSE * LFM_POSE_INSIDE + part : j;
    bool is_turn = u->poses && part >= LFM_POSITION; /* rotations and grippers are as they are */
    print(s, "%a, ", is_turn ? 1.0 : 1.0 / u->action_scale[inside]);
  }
  put(s, "};\n");
}

/* What the self-test expects for the observation in the middle of the range: the first chunk's actions, with guides the
 * second's, too, which goes on from it, and what a guard, which is only to count, says of that. */
static lfm_status put_expected(source *s, const lfm_compiled *compiled, const lfm_rt_plan *plan,
                               const lfm_policy_options *options, const lfm_rt_units *u) {
  lfm_policy *policy;
  lfm_policy_options counting = *options;
  lfm_guard_state state;
  double *actions;
  int64_t steps = options->delay + u->executed * (options->rtc ? 2 : 1);
  if (counting.guard) counting.guard = "count";
  LFM_TRY(lfm_policy_create_shared(compiled, plan, &counting, &policy));
  lfm_policy_begin(policy, 0);
  lfm_status status = LFM_ALLOC(&actions, steps * u->action_dim);
  for (int64_t k = 0; status == LFM_OK && k < steps; k++)
    status = lfm_policy_act(policy, u->obs_middle, u->obs_dim, actions + k * u->action_dim);
  if (status == LFM_OK) put_doubles(s, "expected", actions, steps * u->action_dim);
  if (status == LFM_OK && lfm_policy_guard(policy, &state))
    print(s, "static const double expected_score = %a;\n", state.score);
  lfm_free(actions);
  lfm_policy_destroy(policy);
  return status;
}

static void put_loop(source *s, const lfm_rt_chain *chain, const lfm_rt_plan *plan, const lfm_rt_units *u,
                     const lfm_policy_options *options) {
  int64_t numbers = chain->field->positions * chain->field->channels, seen = u->observed * u->obs_dim;
  int64_t chunk = u->predicted * u->action_dim, room = numbers * (plan->method.stages + 1 + options->rtc);
  print(s, "\nstatic double seen[%lld], coming[%lld], chunk[%lld], last[%lld];\n", (long long)seen, (long long)chunk,
        (long long)chunk, (long long)u->action_dim);
  print(s, "static float given[%lld], x[%lld], before[%lld], room[%lld], space[%lld];\n",
        (long long)chain->field->given_count, (long long)numbers, (long long)numbers, (long long)room,
        (long long)chain->field->floats);
  if (options->rtc) print(s, "static float mask[%lld];\n", (long long)numbers);
  print(s,
        "static lfm_rt_loop loop = {.chain = &chain, .plan = &plan, .units = &units, .seed = %lluu, .range = %a, .clamp = "
        "%d,\n",
        (unsigned long long)options->seed, options->range, options->clamp);
  if (options->guard) print(s, "  .guard = &guard, .heed = (lfm_rt_heed)%d,\n", (int)lfm_policy_heed(options));
  print(s, "  .delay = %lld, .most = %af, .mask = %s, .wait = -1,\n", (long long)options->delay, options->guidance,
        options->rtc ? "mask" : "0");
  put(s, "  .seen = seen, .given = given, .x = x, .space = space, .room = room, .before = before, .coming = coming, .chunk = "
         "chunk, .last = last};\n");
}

static const char functions[] =
    "\n"
    "void policy_begin(int64_t episode);\n"
    "int policy_act(const double observation[], double action[]);\n"
    "int policy_selftest(double *difference);\n"
    "#if defined(POLICY_GUARD)\n"
    "double policy_score(double *level);\n"
    "#endif\n"
    "\n"
    "void policy_begin(int64_t episode) {\n"
    "  make_ready();\n"
    "  lfm_rt_begin(&loop, episode);\n"
    "}\n"
    "\n"
    "int policy_act(const double observation[], double action[]) {\n"
    "  int64_t which;\n"
    "  make_ready();\n"
    "  lfm_rt_outcome outcome = lfm_rt_act(&loop, observation, action, &which);\n"
    "  return outcome <= LFM_RT_HELD ? 0 : (int)outcome - (int)LFM_RT_HELD;\n"
    "}\n"
    "\n"
    "#if defined(POLICY_GUARD)\n"
    "double policy_score(double *level) {\n"
    "  *level = lfm_rt_guard_level(&guard, guard.step ? guard.step - 1 : 0);\n"
    "  return guard.score;\n"
    "}\n"
    "#endif\n"
    "\n"
    "/* *difference: the largest of them; 0 where processor and compiler compute as those that made the file. */\n"
    "int policy_selftest(double *difference) {\n"
    "  double action[sizeof expected / sizeof *expected], spoilt[sizeof obs_middle / sizeof *obs_middle];\n"
    "  lfm_rt_heed heed = loop.heed;\n"
    "  *difference = 0.0;\n"
    "  policy_begin(0);\n"
    "  memcpy(spoilt, obs_middle, sizeof spoilt);\n"
    "  spoilt[0] = NAN;\n"
    "  if (policy_act(spoilt, action) != 1) *difference = INFINITY;\n"
    "  loop.heed = LFM_RT_COUNT;\n"
    "  for (int64_t k = 0; k * units.action_dim < (int64_t)(sizeof expected / sizeof *expected); k++) {\n"
    "    if (policy_act(obs_middle, action)) *difference = INFINITY;\n"
    "    for (int64_t j = 0; j < units.action_dim; j++) {\n"
    "      double off = fabs(action[j] - expected[k * units.action_dim + j]) / reach[j];\n"
    "      if (!(off <= *difference)) *difference = off;\n"
    "    }\n"
    "  }\n"
    "#if defined(POLICY_GUARD)\n"
    "  double off = fabs(guard.score - expected_score) / (1.0 + expected_score);\n"
    "  if (!(off <= *difference)) *difference = off;\n"
    "#endif\n"
    "  loop.heed = heed;\n"
    "  policy_begin(0);\n"
    "  return !(*difference <= 1e-3);\n"
    "}\n"
    "\n"
    "#if defined(POLICY_MAIN)\n"
    "#include <stdio.h>\n"
    "#include <time.h>\n"
    "\n"
    "#ifndef POLICY_CHUNKS\n"
    "#define POLICY_CHUNKS 200\n"
    "#endif\n"
    "\n"
    "int main(void) {\n"
    "  double difference, action[sizeof expected / sizeof *expected];\n"
    "  int failed = policy_selftest(&difference);\n"
    "  printf(\"self-test %s: largest difference %g\\n\", failed ? \"failed\" : \"passed\", difference);\n"
    "  loop.heed = LFM_RT_COUNT; /* who is stopped takes no time */\n"
    "  clock_t begun = clock();\n"
    "  for (int64_t k = 0; k < POLICY_CHUNKS * units.executed; k++) policy_act(obs_middle, action);\n"
    "  printf(\"chunk %.0f us of processor time, in the mean\\n\", 1e6 * (double)(clock() - begun) / CLOCKS_PER_SEC / "
    "POLICY_CHUNKS);\n"
    "  return failed;\n"
    "}\n"
    "#endif\n";

static lfm_status write_all(source *s, const lfm_compiled *compiled, const lfm_rt_plan *plan,
                            const lfm_policy_options *options) {
  const lfm_windows *w = lfm_compiled_windows(compiled);
  const lfm_rt_chain *chain = lfm_compiled_chain(compiled);
  lfm_rt_units units = lfm_policy_units(w);
  put_head(s, w, &units, (int)(chain->blocks * plan->steps * plan->method.stages));
  for (const lfm_runtime_text *text = lfm_runtime_texts; text->name; text++) put_text(s, text->text);
  put_chain(s, "", compiled);
  put_ready(s, compiled);
  put_plan(s, chain, plan);
  put_units(s, &units);
  if (options->guard) put_guard(s, lfm_compiled_flow(compiled));
  put_reach(s, &units);
  LFM_TRY(put_expected(s, compiled, plan, options, &units));
  put_loop(s, chain, plan, &units, options);
  put(s, functions);
  return s->status;
}

static lfm_status export_compiled(const lfm_compiled *compiled, const lfm_policy_options *options, const char *path) {
  lfm_rt_plan plan;
  float *time;
  source s = {0};
  LFM_TRY(lfm_compiled_plan(compiled, &options->solve, &plan, &time));
  lfm_status status = lfm_writer_open(path, &s.writer);
  if (status == LFM_OK) {
    locale_t before = lfm_plain_begin(); /* a C compiler reads points alone */
    status = write_all(&s, compiled, &plan, options);
    lfm_plain_end(before);
    if (status == LFM_OK) status = lfm_writer_commit(s.writer);
    else lfm_writer_abort(s.writer);
  }
  lfm_free(time);
  return status;
}

lfm_status lfm_policy_export(const lfm_model *model, const lfm_policy_options *options, const char *path) {
  lfm_policy_options resolved;
  lfm_compiled *compiled;
  if (!lfm_path_ends_with(path, ".c")) return lfm_fail(LFM_E_USAGE, "%s: a policy's source is a .c file", path);
  LFM_TRY(lfm_policy_resolve(options, model, &resolved));
  LFM_TRY(lfm_compile(model, lfm_policy_is_half(&resolved), resolved.rtc, &compiled));
  lfm_status status = lfm_policy_check_guard(&resolved, compiled);
  if (status == LFM_OK) status = export_compiled(compiled, &resolved, path);
  lfm_compiled_destroy(compiled);
  return status;
}
