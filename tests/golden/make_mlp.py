# SPDX-License-Identifier: MIT
"""Writes tests/golden/mlp.h: what PyTorch gives for small MLPs, in double: v, tr dv/dx, loss, gradients, 3 optimiser steps.

  python3 tests/golden/make_mlp.py > tests/golden/mlp.h

Inputs and weights are the sequence wobble(i, salt) of tests/net/net_support.h, so only results are stored.
"""
import torch

torch.set_default_dtype(torch.float64)
DIM, HIDDEN, LAYERS, ROWS, STEPS, LR = 2, 4, 2, 3, 3, 0.01
MASK = (1 << 64) - 1

# C name, module, beta, t beside every layer, optimiser, weight decay, gradient clip
CASES = [
    ("LFM_ACT_RELU", torch.nn.ReLU, 0, False, torch.optim.Adam, 0.0, 0.0),
    ("LFM_ACT_ELU", torch.nn.ELU, 0, True, torch.optim.Adam, 0.0, 0.05),
    ("LFM_ACT_SILU", torch.nn.SiLU, 0, False, torch.optim.Adam, 0.1, 0.0),
    ("LFM_ACT_GELU", torch.nn.GELU, 0, True, torch.optim.AdamW, 0.1, 0.05),
    ("LFM_ACT_TANH", torch.nn.Tanh, 0, False, torch.optim.AdamW, 0.1, 0.0),
    ("LFM_ACT_SOFTPLUS", lambda: torch.nn.Softplus(beta=20), 20, False, torch.optim.Adam, 0.0, 0.0),
    ("LFM_ACT_SOFTPLUS", lambda: torch.nn.Softplus(beta=1), 1, True, torch.optim.Adam, 0.0, 1.0),
]


def wobble(i, salt):
    bits = ((i + 1) * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03) & MASK
    bits ^= bits >> 29
    bits = bits * 0xBF58476D1CE4E5B9 & MASK
    bits ^= bits >> 32
    return (bits & 0xFFFF) / 32768.0 - 1.0


class Mlp(torch.nn.Module):
    def __init__(self, act, cat_t_all):
        super().__init__()
        self.act, self.cat_t_all = act, cat_t_all
        widths = [DIM] + [HIDDEN] * LAYERS + [DIM]
        self.maps = torch.nn.ModuleList(
            torch.nn.Linear(widths[i] + (i == 0 or cat_t_all), widths[i + 1]) for i in range(LAYERS + 1)
        )
        count = 0
        with torch.no_grad():
            for p in self.parameters():
                p.copy_(torch.tensor([wobble(count + i, 9) for i in range(p.numel())]).reshape(p.shape))
                count += p.numel()

    def forward(self, t, x):
        h = x
        for i, linear in enumerate(self.maps):
            h = linear(torch.cat([t, h], 1) if i == 0 or self.cat_t_all else h)
            h = self.act(h) if i < LAYERS else h
        return h


def flat(tensors):
    return torch.cat([x.detach().reshape(-1) for x in tensors])


def numbers(name, values):
    text = [f"{float(v):.17g}" for v in torch.as_tensor(values).reshape(-1)]
    lines = ["            " + ", ".join(text[i : i + 5]) for i in range(0, len(text), 5)]
    return f"        .{name} =\n            {{\n" + ",\n".join(lines) + "},"


def run(act_name, act, beta, cat_t_all, optimiser, decay, clip):
    net = Mlp(act(), cat_t_all)
    t = torch.tensor([0.5 + 0.5 * wobble(b, 1) for b in range(ROWS)]).reshape(ROWS, 1)
    x = torch.tensor([2 * wobble(i, 2) for i in range(ROWS * DIM)]).reshape(ROWS, DIM)
    target = torch.tensor([wobble(i, 3) for i in range(ROWS * DIM)]).reshape(ROWS, DIM)
    optim = optimiser(net.parameters(), lr=LR, weight_decay=decay)
    jacobian = torch.autograd.functional.jacobian(lambda y: net(t, y).sum(0), x)  # [out, row, in]
    trace = torch.einsum("jbj->b", jacobian)
    for step in range(STEPS):
        optim.zero_grad()
        v = net(t, x)
        loss = ((v - target) ** 2).mean()
        loss.backward()
        if step == 0:
            first = (v.detach().clone(), loss.item(), flat(p.grad for p in net.parameters()))
        if clip:
            torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
        optim.step()
    print(f"    {{\n        .act = {{{act_name}, {beta}}},\n        .cat_t_all = {str(cat_t_all).lower()},")
    print(f"        .decoupled = {str(optimiser is torch.optim.AdamW).lower()},")
    print(f"        .weight_decay = {decay},\n        .grad_clip = {clip},\n        .loss = {first[1]:.17g},")
    print(numbers("v", first[0]))
    print(numbers("trace", trace))
    print(numbers("grads", first[2]))
    print(numbers("after", flat(net.parameters())))
    print("    },")


print("/* SPDX-License-Identifier: MIT\n *\n * mlp.h -- PyTorch's numbers for test_golden.c; written by tests/golden/make_mlp.py.\n */")
print(f"enum {{ GOLDEN_DIM = {DIM}, GOLDEN_HIDDEN = {HIDDEN}, GOLDEN_LAYERS = {LAYERS}, GOLDEN_ROWS = {ROWS}, GOLDEN_STEPS = {STEPS} }};")
print(f"enum {{ GOLDEN_MOST = {(DIM + 1) * HIDDEN + HIDDEN + LAYERS * ((HIDDEN + 1) * HIDDEN + HIDDEN)} }};")
print(f"static const double golden_lr = {LR};\n")
print("static const struct golden {\n  lfm_act act;\n  bool cat_t_all, decoupled;\n  double weight_decay, grad_clip, loss;")
print("  double v[GOLDEN_ROWS * GOLDEN_DIM], trace[GOLDEN_ROWS], grads[GOLDEN_MOST], after[GOLDEN_MOST];\n} golden[] = {")
for case in CASES:
    run(*case)
print("};")
