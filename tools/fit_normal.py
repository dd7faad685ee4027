#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The coefficients of act_normal_f32 in src/core/act.h: the normal distribution function as 1/2 + x P(x^2) / Q(x^2).

    tools/fit_normal.py          wants numpy; prints P and Q from the constant on, and the largest error on [0, END]

Least squares on the equation made linear, x P - y Q = 0, divided by the last Q [Sanathanan and Koerner 1963], with weights
that grow where the error is largest [Lawson 1961] until it is the same everywhere.
"""
import math

import numpy as np

END, DEGREE, NODES, ROUNDS = 5.5, 5, 4000, 200

x = END * (1 - np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)) / 2
y = np.array([0.5 * math.erf(v / math.sqrt(2)) for v in x])
powers = np.stack([(x / END) ** (2 * j) for j in range(DEGREE + 1)], 1)
matrix = np.concatenate([x[:, None] * powers, -y[:, None] * powers[:, 1:]], 1)
weight, last_q, best, found = np.ones(NODES), np.ones(NODES), math.inf, None
for _ in range(ROUNDS):
    scale = np.sqrt(weight) / last_q
    answer = np.linalg.lstsq(matrix * scale[:, None], y * scale, rcond=1e-18)[0]
    p, q = answer[:DEGREE + 1], np.concatenate([[1.0], answer[DEGREE + 1:]])
    last_q = powers @ q
    error = np.abs(x * (powers @ p) / last_q - y)
    if error.max() < best:
        best, found = error.max(), (p, q)
    weight *= error / error.max() + 1e-3
    weight *= NODES / weight.sum()
for name, of in zip('PQ', found):
    print(name, ' '.join(f'{c / END ** (2 * j):.9g}' for j, c in enumerate(of)))
print(f'largest error {best:.2g}')
