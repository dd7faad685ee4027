# SPDX-License-Identifier: MIT
"""Writes tests/golden/unet.h: what PyTorch gives for small U-Nets, in double: v, loss and the gradient of every tensor.

  python3 tests/golden/make_unet.py > tests/golden/unet.h

The network is written from its description (Dhariwal and Nichol 2021) with the names of the public implementation.  Inputs and
weights are the sequence wobble(i, salt) of tests/net/net_support.h, so only results are stored, and of an array its norm and
its products with four more such sequences: who has all four right is as near as their mean error says.
"""
import math

import numpy as np
import torch
from torch import nn

torch.set_default_dtype(torch.float64)
ROWS, DIRECTIONS, GROUPS, CLASSES = 2, 4, 32, 5

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


class Residual(nn.Module):
    def __init__(self, before, after, scales):
        super().__init__()
        self.scales = scales
        self.in_layers = nn.Sequential(nn.GroupNorm(GROUPS, before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(4 * BASE, 2 * after if scales else after))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(GROUPS, after), nn.SiLU(), nn.Identity(), nn.Conv2d(after, after, 3, padding=1))
        self.skip_connection = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, x, emb):
        h, e = self.in_layers(x), self.emb_layers(emb)[:, :, None, None]
        if self.scales:
            scale, shift = e.chunk(2, dim=1)
            h = self.out_layers[1:](self.out_layers[0](h) * (1 + scale) + shift)
        else:
            h = self.out_layers(h + e)
        return self.skip_connection(x) + h


class Attention(nn.Module):
    def __init__(self, channels, each):
        super().__init__()
        self.heads = channels // each if each else 1
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.qkv, self.proj_out = nn.Conv1d(channels, 3 * channels, 1), nn.Conv1d(channels, channels, 1)

    def forward(self, x, emb):
        line = x.flatten(2)
        heads = self.qkv(self.norm(line)).reshape(len(x) * self.heads, -1, line.shape[2])
        q, k, v = heads.chunk(3, dim=1)
        p = torch.softmax(q.transpose(1, 2) @ k / math.sqrt(q.shape[1]), dim=2)
        return (line + self.proj_out((v @ p.transpose(1, 2)).reshape(line.shape))).reshape(x.shape)


class Smaller(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x, emb):
        return self.op(x)


class Larger(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x, emb):
        return self.conv(x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3))


class First(nn.Conv2d):
    def forward(self, x, emb):
        return super().forward(x)


class Chain(nn.Sequential):
    def forward(self, x, emb):
        for part in self:
            x = part(x, emb)
        return x


class UNet(nn.Module):
    def __init__(self, channels, height, mults, depth, attention, each, scales, classes):
        super().__init__()
        self.time_embed = nn.Sequential(nn.Linear(BASE, 4 * BASE), nn.SiLU(), nn.Linear(4 * BASE, 4 * BASE))
        self.label_emb = nn.Embedding(classes, 4 * BASE) if classes else None
        width, shrunk, kept = BASE * mults[0], 1, [BASE * mults[0]]

        def block(before, after, extra):
            looks = any(height // side == shrunk for side in attention)
            return Chain(Residual(before, after, scales), *([Attention(after, each)] if looks else []), *extra)

        self.input_blocks = nn.ModuleList([Chain(First(channels, width, 3, padding=1))])
        for level, mult in enumerate(mults):
            for _ in range(depth):
                self.input_blocks.append(block(width, BASE * mult, []))
                width = BASE * mult
                kept.append(width)
            if level + 1 < len(mults):
                self.input_blocks.append(Chain(Smaller(width)))
                kept.append(width)
                shrunk *= 2
        self.middle_block = Chain(Residual(width, width, scales), Attention(width, each), Residual(width, width, scales))
        self.output_blocks = nn.ModuleList()
        for level, mult in reversed(list(enumerate(mults))):
            for i in range(depth + 1):
                extra = [Larger(BASE * mult)] if level and i == depth else []
                self.output_blocks.append(block(width + kept.pop(), BASE * mult, extra))
                width = BASE * mult
            shrunk //= 2
        self.out = nn.Sequential(nn.GroupNorm(GROUPS, width), nn.SiLU(), nn.Conv2d(width, channels, 3, padding=1))

    def forward(self, x, t, label):
        angles = t[:, None] * torch.exp(-math.log(10000) * torch.arange(BASE // 2) / (BASE // 2))
        emb = self.time_embed(torch.cat([angles.cos(), angles.sin()], dim=1))
        if self.label_emb:
            emb = emb + self.label_emb(label)
        h, kept = x, []
        for part in self.input_blocks:
            h = part(h, emb)
            kept.append(h)
        h = self.middle_block(h, emb)
        for part in self.output_blocks:
            h = part(torch.cat([h, kept.pop()], dim=1), emb)
        return self.out(h)


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


def write(channels, height, width, mults, depth, attention, each, scales, classes):
    net = UNet(channels, height, mults, depth, attention, each, scales, classes)
    fill(net)
    dim = channels * height * width
    x = 2 * wobble(ROWS * dim, 2).reshape(ROWS, channels, height, width)
    t, label = 0.5 + 0.5 * wobble(ROWS, 1), torch.arange(ROWS) * 3 % CLASSES
    v = net(x, t, label)
    loss = ((v - wobble(ROWS * dim, 3).reshape(v.shape)) ** 2).mean()
    loss.backward()
    print("    {")
    listed = lambda numbers: ", ".join(map(str, numbers))
    print("        .config = {%d, %d, %d, %d, %d, {%s}, %d, %d, {%s}, %d, 0, %s, %d}," % (
        channels, height, width, BASE, len(mults), listed(mults), depth, len(attention), listed(attention) or "0", each,
        str(scales).lower(), classes))
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
