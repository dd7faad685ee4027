# SPDX-License-Identifier: MIT
"""Diffusion Policy's conditional 1-D U-Net (Chi et al. 2023) in PyTorch: its names, its arithmetic, and modules in the order in
which they run.  x [rows, length, channels], t [rows], given [rows, numbers] or None."""
import math

import torch
from torch import nn


class Sinusoids(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, t):
        half = self.dim // 2
        rates = torch.exp(-math.log(10000) / (half - 1) * torch.arange(half, dtype=t.dtype))
        angles = t[:, None] * rates
        return torch.cat([angles.sin(), angles.cos()], -1)


class ConvBlock(nn.Module):
    def __init__(self, narrow, wide, size, groups):
        super().__init__()
        self.block = nn.Sequential(nn.Conv1d(narrow, wide, size, padding=size // 2), nn.GroupNorm(groups, wide), nn.Mish())

    def forward(self, x):
        return self.block(x)


class Residual(nn.Module):
    """Two blocks, scaled and shifted between them."""

    def __init__(self, narrow, wide, given, size, groups):
        super().__init__()
        self.cond_encoder = nn.Sequential(nn.Mish(), nn.Linear(given, 2 * wide))
        self.blocks = nn.ModuleList([ConvBlock(narrow, wide, size, groups), ConvBlock(wide, wide, size, groups)])
        self.residual_conv = nn.Conv1d(narrow, wide, 1) if narrow != wide else nn.Identity()

    def forward(self, x, given):
        scale, shift = self.cond_encoder(given)[:, :, None].chunk(2, 1)
        return self.blocks[1](scale * self.blocks[0](x) + shift) + self.residual_conv(x)


class Half(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, 2, 1)

    def forward(self, x):
        return self.conv(x)


class Twice(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.ConvTranspose1d(width, width, 4, 2, 1)

    def forward(self, x):
        return self.conv(x)


class UNet1d(nn.Module):
    def __init__(self, channels, given, widths, size, groups, embed):
        super().__init__()
        block = lambda narrow, wide: Residual(narrow, wide, embed + given, size, groups)
        self.diffusion_step_encoder = nn.Sequential(
            Sinusoids(embed), nn.Linear(embed, 4 * embed), nn.Mish(), nn.Linear(4 * embed, embed))
        self.down_modules = nn.ModuleList()
        for level, (narrow, wide) in enumerate(zip([channels] + widths, widths)):
            step = Half(wide) if level < len(widths) - 1 else nn.Identity()
            self.down_modules.append(nn.ModuleList([block(narrow, wide), block(wide, wide), step]))
        self.mid_modules = nn.ModuleList([block(widths[-1], widths[-1]) for _ in range(2)])
        self.up_modules = nn.ModuleList()
        for narrow, wide in reversed(list(zip(widths, widths[1:]))):
            self.up_modules.append(nn.ModuleList([block(2 * wide, narrow), block(narrow, narrow), Twice(narrow)]))
        self.final_conv = nn.Sequential(ConvBlock(widths[0], widths[0], size, groups), nn.Conv1d(widths[0], channels, 1))

    def forward(self, t, x, given=None):
        embedding = self.diffusion_step_encoder(t)
        if given is not None:
            embedding = torch.cat([embedding, given], -1)
        h, kept = x.transpose(1, 2), []
        for first, second, step in self.down_modules:
            h = second(first(h, embedding), embedding)
            kept.append(h)
            h = step(h)
        for middle in self.mid_modules:
            h = middle(h, embedding)
        for first, second, step in self.up_modules:
            h = torch.cat([h, kept.pop()], 1)
            h = step(second(first(h, embedding), embedding))
        return self.final_conv(h).transpose(1, 2)
