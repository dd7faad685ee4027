# SPDX-License-Identifier: MIT
"""What the scripts beside this share: the sequence wobble(i, salt) of tests/net/net_support.h, of which inputs and weights are,
so that only results are stored; and of an array its norm and its products with four more such sequences: who has all four right
is as near as their mean error says."""
import math

import numpy as np
import torch
from torch import nn

DIRECTIONS = 4


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


def print_results(v, loss, net):
    """Into a golden_results of tests/net/golden_support.h: what net's last backward left."""
    print("        .results.loss = %.15g," % loss.item())
    print("        .results.v = %s," % summary(v))
    print("        .results.grads =\n            {")
    at = 0
    for name, tensor in net.named_parameters():
        print('                {"%s", %s},' % (name, summary(tensor.grad, at)))
        at += tensor.numel()
    print("            },\n    },")
