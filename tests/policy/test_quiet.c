/* SPDX-License-Identifier: MIT
 *
 * test_quiet.c -- whatever stands below: a policy that acts, clamps, refuses or heeds its guard calls neither the C library's
 * allocator nor its locks.  The program's own malloc and pthread_mutex_lock stand in front of the C library's and count.
 */
#include "flow/modes_support.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define CANNOT_COUNT /* the sanitizers' allocator stands there already */
#else
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t), __libc_free(void *);

static atomic_long asked, locked;

__attribute__((visibility("default"))) void *malloc(size_t bytes) {
  asked++;
  return __libc_malloc(bytes);
}
__attribute__((visibility("default"))) void *calloc(size_t count, size_t bytes) {
  asked++;
  return __libc_calloc(count, bytes);
}
__attribute__((visibility("default"))) void *realloc(void *old, size_t bytes) {
  asked++;
  return __libc_realloc(old, bytes);
}
__attribute__((visibility("default"))) void *aligned_alloc(size_t alignment, size_t bytes) {
  asked++;
  return __libc_memalign(alignment, bytes);
}
__attribute__((visibility("default"))) int posix_memalign(void **out, size_t alignment, size_t bytes) {
  asked++;
  *out = __libc_memalign(alignment, bytes);
  return *out ? 0 : ENOMEM;
}
__attribute__((visibility("default"))) void free(void *old) {
  asked++;
  __libc_free(old);
}
__attribute__((visibility("default"))) int pthread_mutex_lock(pthread_mutex_t *mutex) {
  static int (*real)(pthread_mutex_t *);
  locked++;
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_lock");
  return real(mutex);
}
#endif

#ifndef CANNOT_COUNT
/* A small policy, with a guard. */
static lfm_model *guarded_model(run *r) {
  char path[1100];
  lfm_guard_options options;
  lfm_guard_result result;
  lfm_model *plain, *guarded;
  *r = policy_run(KEYS("max_batch=5"));
  OK(run_train(r));
  plain = model_of(r);
  lfm_guard_defaults(&options);
  options.model = plain, options.demos = r->table, options.alpha = 0.2, options.batches = 20;
  snprintf(path, sizeof path, "%s/guarded.safetensors", r->root.path);
  OK(lfm_guard(&options, path, &result));
  OK(lfm_model_load(path, &guarded));
  remove(path);
  lfm_model_destroy(plain);
  return guarded;
}

static void check(bool rtc, const char *guard, bool clamp) {
  run r;
  lfm_model *model = guarded_model(&r);
  lfm_policy_options options;
  lfm_policy *policy;
  lfm_policy_defaults(&options);
  options.rtc = rtc, options.guard = guard, options.clamp = clamp;
  OK(lfm_policy_create(model, &options, &policy));
  const double good[OBS] = {1.0, 0.05}, nan[OBS] = {NAN, 0.05}, far[OBS] = {90.0, 0.05};
  double action[DIM];
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  asked = locked = 0;
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
  assert_true(locked == 1);
  void *volatile some = malloc(1);
  float *own;
  free(some);
  OK(LFM_ALLOC(&own, 1));
  lfm_free(own);
  assert_true(asked == 4); /* they do count, also what the library asks for */
  int failed = 0;
  asked = locked = 0;
  for (int k = 0; k < 100; k++) {
    if (k % 30 == 0) lfm_policy_begin(policy, k);
    failed += lfm_policy_act(policy, good, OBS, action) != LFM_OK && !guard;
    if (k % 7 == 0) lfm_policy_act(policy, k % 2 ? nan : far, OBS, action); /* what is refused is as quiet */
  }
  long seen = asked, held = locked;
  assert_int_equal(seen, 0);
  assert_int_equal(held, 0);
  lfm_pilot *pilot;
  lfm_pilot_options piloted;
  lfm_pilot_defaults(&piloted);
  piloted.deadline = 60e6;
  piloted.policy.rtc = rtc, piloted.policy.guard = guard, piloted.policy.clamp = clamp;
  OK(lfm_pilot_create(model, &piloted, &pilot));
  lfm_pilot_act(pilot, good, OBS, action); /* the thread has begun by now */
  asked = locked = 0;
  for (int k = 0; k < 100; k++) {
    if (k % 30 == 0) lfm_pilot_begin(pilot, k);
    failed += lfm_pilot_act(pilot, good, OBS, action) != LFM_OK && !guard;
    if (k % 7 == 0) lfm_pilot_act(pilot, k % 2 ? nan : far, OBS, action);
    lfm_pilot_current(pilot, action);
  }
  seen = asked, held = locked;
  assert_int_equal(failed, 0);
  assert_int_equal(seen, 0);
  assert_int_equal(held, 0);
  lfm_pilot_destroy(pilot);
  lfm_policy_destroy(policy);
  lfm_model_destroy(model);
  run_drop(&r);
}
#endif

static void acting_neither_allocates_nor_locks(void **state) {
  (void)state;
#ifdef CANNOT_COUNT
  skip();
#else
  check(false, NULL, false);
  check(true, NULL, true);
  check(false, "hold", true);
  check(true, "stop", false);
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(acting_neither_allocates_nor_locks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
