# SPDX-License-Identifier: MIT
"""Writes tests/golden/unet.h: what PyTorch gives for small U-Nets, in double: v, loss and the gradient of every tensor.

  python3 tests/golden/make_unet.py > tests/golden/unet.h

The network is bench/torch/unet_torch.py; inputs, weights and what is stored are as wobble.py says.  And how far from that
PyTorch's own training in bfloat16 is, under autocast: of v, and of all gradients as one vector, the norm of the difference over
the norm.
"""
import copy
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "torch"))
from unet_torch import UNet
from wobble import fill, print_results, wobble

torch.set_default_dtype(torch.float64)
ROWS, CLASSES = 2, 5

# channels, height, width, multipliers, depth, attention, head channels, scale and shift, classes
CASES = [
    (3, 16, 16, [1, 2], 1, [8], 16, True, 0),
    (1, 14, 14, [2, 1], 1, [14, 7], 32, False, CLASSES),
    (3, 8, 16, [1, 1, 2], 2, [], 0, True, CLASSES),
]
BASE = 32


def far(a, b):
    return float((a - b).norm() / b.norm())


def autocast_errors(net, x, t, label, v, target):
    """Of v and of the gradient, the net's being there."""
    rough = copy.deepcopy(net).float()
    rough.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = rough(t.float(), x.float(), label)
    ((got.float() - target.float()) ** 2).mean().backward()
    flat = lambda of: torch.cat([tensor.grad.double().flatten() for tensor in of.parameters()])
    return far(got.double(), v.detach()), far(flat(rough), flat(net))


def write(channels, height, width, mults, depth, attention, each, scales, classes):
    net = UNet(channels, height, BASE, mults, depth, attention, each, scales, classes)
    fill(net)
    dim = channels * height * width
    x = 2 * wobble(ROWS * dim, 2).reshape(ROWS, channels, height, width)
    t, label = 0.5 + 0.5 * wobble(ROWS, 1), torch.arange(ROWS) * 3 % CLASSES
    label = label if classes else None
    v, target = net(t, x, label), wobble(ROWS * dim, 3).reshape(x.shape)
    loss = ((v - target) ** 2).mean()
    loss.backward()
    print("    {")
    listed = lambda numbers: ", ".join(map(str, numbers))
    print("        .config = {%d, %d, %d, %d, %d, {%s}, %d, %d, {%s}, %d, 0, %s, %d}," % (
        channels, height, width, BASE, len(mults), listed(mults), depth, len(attention), listed(attention) or "0", each,
        str(scales).lower(), classes))
    print("        .autocast = {%.2g, %.2g}," % autocast_errors(net, x, t, label, v, target))
    print_results(v, loss, net)


print("""/* SPDX-License-Identifier: MIT
 *
 * unet.h -- PyTorch's numbers for test_unet_golden.c; written by tests/golden/make_unet.py.
 */
enum { GOLDEN_ROWS = %d, GOLDEN_CLASSES = %d };

/* clang-format off */
static const struct golden {
  lfm_unet2d_config config;
  double autocast[2]; /* what its bfloat16 loses of v and of the gradient */
  golden_results results;
} golden[] = {""" % (ROWS, CLASSES))
for case in CASES:
    write(*case)
print("};\n/* clang-format on */")
