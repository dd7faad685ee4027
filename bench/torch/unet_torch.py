#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The U-Net of guided diffusion in PyTorch: the yardstick of the C program's, in numbers and in speed.

Written from its description (Dhariwal and Nichol 2021), with the names of the public implementation.  tests/golden/make_unet.py
has the numbers from it that the tests hold to, compare_unet.py the times.
"""
import math

import torch
from torch import nn

GROUPS = 32


class Residual(nn.Module):
    def __init__(self, before, after, embedded, scales, dropout):
        super().__init__()
        self.scales = scales
        self.in_layers = nn.Sequential(nn.GroupNorm(GROUPS, before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedded, 2 * after if scales else after))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(GROUPS, after), nn.SiLU(), nn.Dropout(dropout), nn.Conv2d(after, after, 3, padding=1))
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
        heads = self.qkv(self.norm(line)).reshape(len(x), self.heads, -1, line.shape[2])
        q, k, v = heads.transpose(2, 3).chunk(3, dim=3)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        return x + self.proj_out(mixed.transpose(2, 3).reshape(line.shape)).reshape(x.shape)


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
        return self.conv(nn.functional.interpolate(x, scale_factor=2, mode='nearest'))


class First(nn.Conv2d):
    def forward(self, x, emb):
        return super().forward(x)


class Chain(nn.Sequential):
    def forward(self, x, emb):
        for part in self:
            x = part(x, emb)
        return x


class UNet(nn.Module):
    """v(t, x): x [rows, channels, height, width], t [rows] or a scalar, label [rows] -> as x."""

    def __init__(self, channels, height, base, mults, depth, attention, each, scales, classes, dropout=0.0):
        super().__init__()
        self.base = base
        self.time_embed = nn.Sequential(nn.Linear(base, 4 * base), nn.SiLU(), nn.Linear(4 * base, 4 * base))
        self.label_emb = nn.Embedding(classes, 4 * base) if classes else None
        width, shrunk, kept = base * mults[0], 1, [base * mults[0]]

        def block(before, after, extra):
            looks = any(height // side == shrunk for side in attention)
            return Chain(Residual(before, after, 4 * base, scales, dropout), *([Attention(after, each)] if looks else []),
                         *extra)

        self.input_blocks = nn.ModuleList([Chain(First(channels, width, 3, padding=1))])
        for level, mult in enumerate(mults):
            for _ in range(depth):
                self.input_blocks.append(block(width, base * mult, []))
                width = base * mult
                kept.append(width)
            if level + 1 < len(mults):
                self.input_blocks.append(Chain(Smaller(width)))
                kept.append(width)
                shrunk *= 2
        self.middle_block = Chain(Residual(width, width, 4 * base, scales, dropout), Attention(width, each),
                                  Residual(width, width, 4 * base, scales, dropout))
        self.output_blocks = nn.ModuleList()
        for level, mult in reversed(list(enumerate(mults))):
            for i in range(depth + 1):
                extra = [Larger(base * mult)] if level and i == depth else []
                self.output_blocks.append(block(width + kept.pop(), base * mult, extra))
                width = base * mult
            shrunk //= 2
        self.out = nn.Sequential(nn.GroupNorm(GROUPS, width), nn.SiLU(), nn.Conv2d(width, channels, 3, padding=1))

    def forward(self, t, x, label=None):
        half = self.base // 2
        frequencies = torch.exp(-math.log(10000) * torch.arange(half, dtype=x.dtype) / half)
        angles = t.expand(len(x))[:, None] * frequencies
        emb = self.time_embed(torch.cat([angles.cos(), angles.sin()], dim=1))
        if label is not None:
            emb = emb + self.label_emb(label)
        h, kept = x, []
        for part in self.input_blocks:
            h = part(h, emb)
            kept.append(h)
        h = self.middle_block(h, emb)
        for part in self.output_blocks:
            h = part(torch.cat([h, kept.pop()], dim=1), emb)
        return self.out(h)
