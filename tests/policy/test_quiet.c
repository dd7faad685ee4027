/* SPDX-License-Identifier: MIT
 *
 * test_quiet.c -- whatever stands below: a policy that acts calls neither the C library's allocator nor its locks.  The
 * program's own malloc and pthread_mutex_lock stand in front of the C library's and count.
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
static void check(bool rtc) {
  run r = policy_run(KEYS("max_batch=5"));
  OK(run_train(&r));
  lfm_model *model = model_of(&r);
  lfm_policy_options options;
  lfm_policy *policy;
  lfm_policy_defaults(&options);
  options.rtc = rtc;
  OK(lfm_policy_create(model, &options, &policy));
  const double good[OBS] = {1.0, 0.05};
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
    failed += lfm_policy_act(policy, good, OBS, action) != LFM_OK;
  }
  long seen = asked, held = locked;
  assert_int_equal(seen, 0);
  assert_int_equal(held, 0);
  lfm_pilot *pilot;
  lfm_pilot_options piloted;
  lfm_pilot_defaults(&piloted);
  piloted.deadline = 60e6;
  piloted.policy.rtc = rtc;
  OK(lfm_pilot_create(model, &piloted, &pilot));
  lfm_pilot_act(pilot, good, OBS, action); /* the thread has begun by now */
  asked = locked = 0;
  for (int k = 0; k < 100; k++) {
    if (k % 30 == 0) lfm_pilot_begin(pilot, k);
    failed += lfm_pilot_act(pilot, good, OBS, action) != LFM_OK;
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
  check(false);
  check(true);
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(acting_neither_allocates_nor_locks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
