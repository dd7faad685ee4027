# SPDX-License-Identifier: MIT
"""Writes tests/golden/unet1d.h: what PyTorch gives for small conditional 1-D U-Nets, in double: v, loss and the gradient of every
tensor.

  python3 tests/golden/make_unet1d.py > tests/golden/unet1d.h

The network is bench/torch/unet1d_torch.py; inputs, weights and what is stored are as wobble.py says.
"""
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "torch"))
from unet1d_torch import UNet1d
from wobble import fill, print_results, wobble

torch.set_default_dtype(torch.float64)
ROWS = 3

# length, channels, numbers given, base, multipliers, kernel, groups, step embedding
CASES = [
    (16, 7, 11, 16, [1, 2, 4], 5, 8, 32),
    (8, 2, 0, 24, [1, 2], 3, 4, 16),
    (12, 20, 5, 32, [2, 1, 1], 7, 1, 6),
]


def write(length, channels, given, base, mults, size, groups, embed):
    net = UNet1d(channels, given, [base * m for m in mults], size, groups, embed)
    fill(net)
    count = ROWS * length * channels
    x = 2 * wobble(count, 2).reshape(ROWS, length, channels)
    t, beside = 0.5 + 0.5 * wobble(ROWS, 1), wobble(ROWS * given, 4).reshape(ROWS, given) if given else None
    v, target = net(t, x, beside), wobble(count, 3).reshape(x.shape)
    loss = ((v - target) ** 2).mean()
    loss.backward()
    print("    {")
    print("        .config = {%d, %d, %d, %d, %d, {%s}, %d, %d, %d, false}," % (
        length, channels, given, base, len(mults), ", ".join(map(str, mults)), size, groups, embed))
    print_results(v, loss, net)


print("""/* SPDX-License-Identifier: MIT
 *
 * unet1d.h -- PyTorch's numbers for test_unet1d_golden.c; written by tests/golden/make_unet1d.py.
 */
enum { GOLDEN_ROWS = %d };

/* clang-format off */
static const struct golden {
  lfm_unet1d_config config;
  golden_results results;
} golden[] = {""" % ROWS)
for case in CASES:
    write(*case)
print("};\n/* clang-format on */")
