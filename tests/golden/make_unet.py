# SPDX-License-Identifier: MIT
"""Writes tests/golden/unet.h: what PyTorch gives for small U-Nets, in double: v, loss and the gradient of every tensor.

  python3 tests/golden/make_unet.py > tests/golden/unet.h

The network is bench/torch/unet_torch.py.  Inputs and weights are the sequence wobble(i, salt) of tests/net/net_support.h, so
only results are stored, and of an array its norm and its products with four more such sequences: who has all four right is as
near as their mean error says.  And how far from that PyTorch's own training in bfloat16 is, under autocast: of v, and of all
gradients as one vector, the norm of the difference over the norm.
"""
import copy
import math
import os
import sys

import numpy as np
import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "torch"))
from unet_torch import UNet

torch.set_default_dtype(torch.float64)
ROWS, DIRECTIONS, CLASSES = 2, 4, 5

# channels, height, width, multipliers, depth, attention, head channels, scale and shift, classes
CASES = [
    (3, 16, 16, [1, 2], 1, [8], 16, True, 0),
    (1, 14, 14, [2, 1], 1, [14, 7], 32, False, CLASSES),
    (3, 8, 16, [1, 1, 2], 2, [], 0, True, CLASSES),
]
BASE = 32


def wobble(count, salt, first=0):
    mix = np.uint64
    with np.errstate(over="ignore"):
        bits = (np.arange(first, first + count, dtype=mix) + mix(1)) * mix(0x9E3779B97F4A7C15)
        bits += mix(salt * 0xD1B54A32D192ED03 & (1 << 64) - 1)
        bits ^= bits >> mix(29)
        bits *= mix(0xBF58476D1CE4E5B9)
        bits ^= bits >> mix(32)
    return torch.from_numpy((bits & mix(0xFFFF)).astype(np.float64) / 32768.0 - 1.0)


def summary(values, first=0):
    flat = values.detach().flatten()
    products = [float(flat @ wobble(len(flat), 20 + k, first)) for k in range(DIRECTIONS)]
    return "{%s}" % ", ".join("%.8g" % number for number in [float(flat.norm())] + products)


def fill(net):
    at = 0
    for name, tensor in net.named_parameters():
        w = wobble(tensor.numel(), 9, at).reshape(tensor.shape)
        if tensor.dim() > 1:
            w = w / math.sqrt(tensor[0].numel())
        else:
            w = 0.1 * w + is_norm(net, name)
        tensor.data = w
        at += tensor.numel()


def is_norm(net, name):
    owner = net.get_submodule(name.rpartition(".")[0])
    return name.endswith(".weight") and isinstance(owner, nn.GroupNorm)


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
    print("        .loss = %.15g," % loss.item())
    print("        .v = %s," % summary(v))
    print("        .grads =\n            {")
    at = 0
    for name, tensor in net.named_parameters():
        print('                {"%s", %s},' % (name, summary(tensor.grad, at)))
        at += tensor.numel()
    print("            },\n    },")


print("""/* SPDX-License-Identifier: MIT
 *
 * unet.h -- PyTorch's numbers for test_unet_golden.c; written by tests/golden/make_unet.py.
 */
enum { GOLDEN_ROWS = %d, GOLDEN_DIRECTIONS = %d, GOLDEN_CLASSES = %d, GOLDEN_MOST = 256 };

/* An array's norm, and its products with wobble(i, 20), wobble(i, 21), ... */
typedef double summary[1 + GOLDEN_DIRECTIONS];

/* clang-format off */
static const struct golden {
  lfm_unet2d_config config;
  double autocast[2]; /* what its bfloat16 loses of v and of the gradient */
  double loss;
  summary v;
  struct {
    const char *name;
    summary of;
  } grads[GOLDEN_MOST];
} golden[] = {""" % (ROWS, DIRECTIONS, CLASSES))
for case in CASES:
    write(*case)
print("};\n/* clang-format on */")
