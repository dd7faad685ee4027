/* SPDX-License-Identifier: MIT
 *
 * noise.c -- see noise.h.
 */
#include "runtime/noise.h"

#include "core/vmath.h"

enum { ROUNDS = 10, FOR_SAMPLE = 9 }; /* core/rng.h: LFM_FOR_SAMPLE */

static void philox(uint32_t counter[4], uint64_t seed) {
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  for (int round = 0; round < ROUNDS; round++, key[0] += 0x9E3779B9u, key[1] += 0xBB67AE85u) {
    uint64_t a = (uint64_t)counter[0] * 0xD2511F53u, b = (uint64_t)counter[2] * 0xCD9E8D57u;
    uint32_t mixed[4] = {(uint32_t)(b >> 32) ^ counter[1] ^ key[0], (uint32_t)b, (uint32_t)(a >> 32) ^ counter[3] ^ key[1],
                         (uint32_t)a};
    memcpy(counter, mixed, sizeof mixed);
  }
}

LFM_RT_API void lfm_rt_noise(uint64_t seed, int64_t row, float *out, int64_t count) {
  for (int64_t i = 0; i < count; i += 4) {
    float four[4];
    uint32_t words[4] = {(uint32_t)(i / 4), (uint32_t)row, 0, FOR_SAMPLE | (uint32_t)((uint64_t)row >> 32) << 20};
    philox(words, seed);
    lfm_box_muller(words[0], words[1], &four[0], &four[1]);
    lfm_box_muller(words[2], words[3], &four[2], &four[3]);
    for (int64_t j = i; j < i + 4 && j < count; j++) out[j] = four[j - i];
  }
}
