#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lfm beside PyTorch on the same machine: training steps, exact log p, sampling, single evaluations.

    compare_torch.py LFM train   [--precision bf16]             the three table networks; torch eager and torch.compile
    compare_torch.py LFM policy  [--precision bf16]             a training step of a policy's 1-D U-Net; the same
    compare_torch.py LFM latency --model RUN                    one row, one evaluation; eager, traced, compiled
    compare_torch.py LFM chunk                                  a policy's chunk of four evaluations, one thread; the same
    compare_torch.py LFM score   --model RUN [--rows 64]        exact log p at equal achieved error
    compare_torch.py LFM sample  --model RUN [--rows 10000]     sampling at equal achieved error; eager, traced, compiled

Both sides run in turn, round after round, on all threads: what disturbs the machine for a while disturbs both.  The best
of PyTorch's ways counts; score and sample print all, the fastest first.  What is compiled is compiled before the clock,
for the shapes that it will meet: torchdiffeq carries all rows to the end.  A tolerance means different things to the two
solvers, so score and sample run at several, measure the error of each against a double-precision solve (--reference;
PyTorch, the same weights) and compare the times at one error, interpolated in logarithms.  The trace of log p has five
ways in PyTorch: `hand`, tangents of all directions through each layer as one product, what the program does too;
`compiled`, the same by torch.compile; `halves`, that with products of bfloat16; `vmap`, by torch.func; `backward`, the
Jacobian by batched reverse differentiation, as in the published code.  In bf16 PyTorch runs under autocast, masters in fp32.
Nothing else should run meanwhile.
"""
import argparse
import copy
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault('TORCHINDUCTOR_FREEZING', '1')  # weights of evaluations; training is not touched

import numpy as np
import torch
import yaml
from safetensors import safe_open
from torchdiffeq import odeint

from lfm_torch import HERE, Velocity, logp_converged, velocity_and_trace
from unet1d_torch import UNet1d

TABLES = {'bsds300@A': 63, 'miniboone@A': 43, 'power@A': 6}


def lfm(args, *words):
    """Standard output of one call of the program."""
    return subprocess.run([args.lfm, *map(str, words)], check=True, capture_output=True, text=True).stdout


def lfm_bench(args, *words):
    """{name: median} of a single repetition."""
    return {figure['name']: figure['median'] for figure in json.loads(lfm(args, 'bench', *words, '-r', 1, '--json'))}


def seconds(act, at_least=0.2):
    """Of one call, warm, over as many as fill the slice that lfm bench gives to a figure."""
    act()
    begun = time.perf_counter()
    act()
    once = time.perf_counter() - begun
    calls = max(1, int(at_least / once))
    begun = time.perf_counter()
    for _ in range(calls):
        act()
    return (time.perf_counter() - begun) / calls


def line(what, ours, theirs, unit):
    """One row of the table: medians of both, and the median of the rounds' ratios."""
    ratios = sorted(b / a for a, b in zip(ours, theirs))
    print(f'| {what} | {statistics.median(ours):.4g} {unit} | {statistics.median(theirs):.4g} {unit} | '
          f'{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |', flush=True)


def header():
    print('| | lfm | PyTorch | times faster (range over rounds) |\n|---|---|---|---|')


# ---- training ------------------------------------------------------------------------------------------------------

def torch_step(loss, optimiser, compiled, precision):
    """A training step: forward, backward, fused optimiser."""
    loss = torch.compile(loss, dynamic=False) if compiled else loss

    def step():
        optimiser.zero_grad()
        with torch.autocast('cpu', torch.bfloat16, enabled=precision == 'bf16'):
            error = loss()
        error.backward()
        optimiser.step()
    return step


def table_step(preset, compiled, precision):
    """Of the preset, on points and velocities that lie ready."""
    with open(os.path.join(HERE, '..', '..', 'configs', preset + '.yaml')) as file:
        config = yaml.safe_load(file)
    block, rows = Velocity(TABLES[preset], config), config['batch_size'] * config.get('num_tk', 1)
    optimiser = torch.optim.Adam(block.parameters(), lr=1e-6, fused=True)
    x, velocity, t = torch.randn(rows, TABLES[preset]), torch.randn(rows, TABLES[preset]), torch.rand(rows)
    return torch_step(lambda: torch.nn.functional.mse_loss(block(t, x), velocity), optimiser, compiled, precision)


def compare_steps(args, presets, step_of):
    header()
    for preset in presets:
        steps = {name: step_of(preset, name == 'compiled', args.precision)
                 for name in args.ways.split(',') if name != 'traced'}
        ours, theirs = [], {name: [] for name in steps}
        for _ in range(args.rounds):
            figures = lfm_bench(args, 'train', '--preset', preset, '--precision', args.precision)
            ours.append(next(value for name, value in figures.items() if 'bare step' in name))
            for name, step in steps.items():
                theirs[name].append(1e3 * seconds(step))
        best = min(theirs, key=lambda name: statistics.median(theirs[name]))
        line(f'{preset}, {args.precision} training step ({best})', ours, theirs[best], 'ms')


def compare_train(args):
    compare_steps(args, TABLES, table_step)


# ---- the trace, in three more ways -----------------------------------------------------------------------------------

def trace_by_hand(block, t, x, digits=None):
    """v and tr dv/dx: the tangents [rows, dim, width] through the layers, whose products may have fewer digits; of the last map
    only the diagonal."""
    h, tangent = torch.cat([t.expand(len(x)).unsqueeze(1), x], 1), None
    for layer in block.net[:-1]:
        if isinstance(layer, torch.nn.Linear):
            if tangent is None:
                tangent = layer.weight[:, 1:].T.unsqueeze(0)
            else:
                tangent = (tangent.to(digits or x.dtype) @ layer.weight.T.to(digits or x.dtype)).to(x.dtype)
            h = layer(h)
        else:
            h, slope = torch.func.jvp(layer, (h,), (torch.ones_like(h),))
            tangent = tangent * slope.unsqueeze(1)
    return block.net[-1](h), torch.einsum('rdh,dh->r', tangent, block.net[-1].weight)


def trace_by_halves(block, t, x):
    """The same with products of bfloat16."""
    return trace_by_hand(block, t, x, torch.bfloat16)


def trace_by_backward(block, t, x):
    """v and tr dv/dx: the whole Jacobian by reverse differentiation, batched over the outputs."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        v = block(t, x)
        units = torch.eye(x.shape[1]).unsqueeze(1).expand(-1, len(x), -1)
        jacobian, = torch.autograd.grad(v, x, units, is_grads_batched=True)
    return v.detach(), torch.einsum('drd->r', jacobian)


TRACES = {'hand': trace_by_hand, 'compiled': torch.compile(trace_by_hand, dynamic=False),
          'halves': torch.compile(trace_by_halves, dynamic=False), 'vmap': velocity_and_trace, 'backward': trace_by_backward}


# ---- with a model ----------------------------------------------------------------------------------------------------

class Model:
    """A chain trained by lfm: blocks in single or double precision, and its normaliser."""

    def __init__(self, run):
        path = run if run.endswith('.safetensors') else os.path.join(run, 'model.safetensors')
        with safe_open(path, 'pt') as file:
            self.tensors = {name: file.get_tensor(name) for name in file.keys()}
            self.config = yaml.safe_load(file.metadata()['config'])
        if 'normaliser.radial' in self.tensors:
            sys.exit('normalise: radial is not in this script')
        self.mean, self.forward = self.tensors['normaliser.mean'], self.tensors['normaliser.forward']
        self.logdet = self.tensors['normaliser.logdet'].item()

    def blocks(self, dtype):
        made = []
        for n in range(len(self.config['hks'])):
            prefix = f'blocks.{n}.'
            block = Velocity(len(self.mean), self.config).to(dtype)
            block.load_state_dict({name[len(prefix):]: tensor.to(dtype) for name, tensor in self.tensors.items()
                                   if name.startswith(prefix)})
            made.append(block)
        return made

    def normalise(self, rows):
        return (torch.from_numpy(rows) - self.mean) @ self.forward.T


def at_error(points, error):
    """Seconds at this error, interpolated (or extended) in logarithms between the two nearest tolerances; infinite where it is
    below all of them and they differ by less than four times: what is left is then not the solver's."""
    points = sorted(points)
    if error < points[0][0] < points[-1][0] < 4 * points[0][0] and len(points) > 2:
        return math.inf
    low, high = next((pair for pair in zip(points, points[1:]) if pair[1][0] >= error), points[-2:])
    slope = (math.log(high[1]) - math.log(low[1])) / (math.log(high[0]) - math.log(low[0]))
    return math.exp(math.log(low[1]) + slope * (math.log(error) - math.log(low[0])))


def compare_curves(args, what, ours_of, theirs_of):
    """ours_of: tolerance -> (error, seconds); theirs_of: {way: the same}."""
    if len(args.tolerances) < 2:
        sys.exit('--tolerances: two at least; the seconds at an error lie between them')
    rounds = []
    print('| tolerance | lfm: error | seconds |' + ''.join(f' {way}: error | seconds |' for way in theirs_of))
    print('|---|---|---|' + '---|---|' * len(theirs_of))
    for r in range(args.rounds):
        curves = [(tol, ours_of(tol), {way: act(tol) for way, act in theirs_of.items()}) for tol in args.tolerances]
        rounds.append(curves)
        for tol, a, ways in curves if r == 0 else []:
            print(f'| {tol:g} |' + ''.join(f' {b[0]:.2e} | {b[1]:.3g} |' for b in (a, *ways.values())), flush=True)
    print()
    header()
    for error in args.errors:
        ours = [at_error([a for _, a, _ in curves], error) for curves in rounds]
        theirs = {way: [at_error([ways[way] for _, _, ways in curves], error) for curves in rounds] for way in theirs_of}
        for way in sorted(theirs, key=lambda way: statistics.median(theirs[way])):
            line(f'{what}, error {error:g} ({way})', ours, theirs[way], 's')


def compare_score(args):
    model = Model(args.model)
    with tempfile.TemporaryDirectory() as folder:
        rows, scores = os.path.join(folder, 'rows.npy'), os.path.join(folder, 'scores.npy')
        lfm(args, 'sample', args.model, '-n', args.rows, '--seed', 1, '-o', rows)
        x = model.normalise(np.load(rows))
        torch.set_default_dtype(torch.float64)
        truth = logp_converged(model.blocks(torch.float64), x, args.reference).numpy()
        torch.set_default_dtype(torch.float32)
        singles, x32 = model.blocks(torch.float32), x.float()

        def ours(tol):
            lfm(args, 'score', args.model, rows, '--tol', tol, '-o', scores)
            error = np.abs(np.load(scores)[:, 1] - model.logdet - truth).mean()
            figures = lfm_bench(args, 'score', '--model', args.model, '--rows', args.rows, '--tol', tol)
            return error, args.rows / next(iter(figures.values()))

        def theirs(field):
            def act(tol):
                begun = time.perf_counter()
                logp = logp_converged(singles, x32, tol, field).numpy()
                return np.abs(logp - truth).mean(), time.perf_counter() - begun
            act(1e-2)
            return act
        compare_curves(args, f'exact log p of {args.rows} rows', ours,
                       {way: theirs(TRACES[way]) for way in args.traces.split(',')})


def evaluations(block, t, x, names):
    """{way: the velocity of a block} for inputs of these shapes."""
    block = block.eval()
    ways = {'eager': lambda: block, 'traced': lambda: torch.jit.freeze(torch.jit.trace(block, (t, x))),
            'compiled': lambda: torch.compile(block, dynamic=False)}
    return {name: ways[name]() for name in names.split(',')}


def decode(blocks, z, tol):
    with torch.inference_mode():
        for block in reversed(blocks):
            z = odeint(block, z, torch.tensor([1.0, 0.0], dtype=z.dtype), rtol=tol, atol=tol, method='dopri5')[1]
    return z


def compare_sample(args):
    model = Model(args.model)
    with tempfile.TemporaryDirectory() as folder:
        noise, out = os.path.join(folder, 'noise.npy'), os.path.join(folder, 'rows.npy')
        z = np.random.default_rng(1).standard_normal((args.rows, len(model.mean)))
        np.save(noise, z)
        few = min(args.rows, 1000)
        truth = decode(model.blocks(torch.float64), torch.from_numpy(z[:few]), args.reference).numpy()
        z32 = torch.from_numpy(z).float()

        def ours(tol):
            lfm(args, 'push', args.model, noise, '--back', '--tol', tol, '-o', out)
            error = np.abs(model.normalise(np.load(out)[:few]).numpy() - truth).mean()
            figures = lfm_bench(args, 'sample', '--model', args.model, '--rows', args.rows, '--tol', tol)
            return error, args.rows / next(iter(figures.values()))

        def theirs(fields):
            def act(tol):
                begun = time.perf_counter()
                x = decode(fields, z32, tol).numpy()
                return np.abs(x[:few] - truth).mean(), time.perf_counter() - begun
            act(1e-2)
            return act
        ways = [evaluations(block, torch.tensor(1.0), z32, args.ways) for block in model.blocks(torch.float32)]
        compare_curves(args, f'sampling {args.rows} rows', ours, {way: theirs([of[way] for of in ways]) for way in ways[0]})


def compare_latency(args):
    block = Model(args.model).blocks(torch.float32)[0]
    x, t = torch.randn(1, block.net[-1].out_features), torch.zeros(1)
    ways = evaluations(block, t, x, args.ways)
    ours, theirs = [], {name: [] for name in ways}
    with torch.inference_mode():
        for _ in range(args.rounds):
            ours.append(next(iter(lfm_bench(args, 'latency', '--model', args.model).values())))
            for name, way in ways.items():
                theirs[name].append(1e6 * seconds(lambda: way(t, x)))
    best = min(theirs, key=lambda name: statistics.median(theirs[name]))
    header()
    line(f'one evaluation ({best})', ours, theirs[best], 'us')


# ---- chunks of a policy ----------------------------------------------------------------------------------------------

# Of Can, whose flow-matching twin has the widths 64, 128 and 256: 16 steps of 10 numbers, given two observations of 23.
STEPS, WIDTH, GIVEN = 16, 10, 46
MLPS = {'MLP, 3 x 256': (256, 3), 'MLP, 4 x 512': (512, 4)}


def policy_step(preset, compiled, precision):
    """Of Can's network for flow matching, on 256 windows that lie ready."""
    field, rows = UNet1d(WIDTH, GIVEN, [64, 128, 256], 5, 8, 64), 256
    optimiser = torch.optim.AdamW(field.parameters(), lr=1e-6, fused=True)
    data, noise, t, given = torch.randn(rows, STEPS, WIDTH), torch.randn(rows, STEPS, WIDTH), torch.rand(rows), torch.randn(rows, GIVEN)

    def loss():
        share = t[:, None, None]
        return (field(t, data + share * (noise - data), given) - (noise - data)).square().mean()
    return torch_step(loss, optimiser, compiled, precision)


def compare_policy(args):
    compare_steps(args, ['can-fm'], policy_step)


class Perceptron(torch.nn.Module):
    """t, what is given and the chunk in a row, as lfm's policies have it."""

    def __init__(self, hidden, layers):
        super().__init__()
        widths = [1 + GIVEN + STEPS * WIDTH] + [hidden] * layers
        maps = [part for a, b in zip(widths, widths[1:]) for part in (torch.nn.Linear(a, b), torch.nn.GELU())]
        self.net = torch.nn.Sequential(*maps, torch.nn.Linear(hidden, STEPS * WIDTH))

    def forward(self, t, x, given):
        return self.net(torch.cat([t[:, None], given, x.flatten(1)], 1)).view_as(x)


def torch_chunk(field, nfe, dtype):
    """Euler's steps from noise at t = 1 to the chunk at t = 0."""
    given = torch.randn(1, GIVEN, dtype=dtype)
    times = [torch.full((1,), 1 - k / nfe, dtype=dtype) for k in range(nfe)]

    def act():
        x = torch.randn(1, STEPS, WIDTH, dtype=dtype)
        for t in times:
            x = x - field(t, x, given) / nfe
        return x
    return act


def chunk_ways(field, nfe):
    """{(precision, way): a chunk}"""
    given, x, t = torch.randn(1, GIVEN), torch.randn(1, STEPS, WIDTH), torch.ones(1)
    ways = {}
    for precision, dtype in (('fp32', torch.float32), ('bf16', torch.bfloat16)):
        own = copy.deepcopy(field).eval().to(dtype)
        traced = torch.jit.freeze(torch.jit.trace(own, (t.to(dtype), x.to(dtype), given.to(dtype))))
        ways[precision, 'eager'] = torch_chunk(own, nfe, dtype)
        ways[precision, 'traced'] = torch_chunk(traced, nfe, dtype)
        ways[precision, 'optimised'] = torch_chunk(torch.jit.optimize_for_inference(traced), nfe, dtype)
        ways[precision, 'compiled'] = torch_chunk(torch.compile(own, dynamic=False), nfe, dtype)
    return ways


def median_time(act, calls):
    taken = []
    for _ in range(calls):
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
    return 1e6 * statistics.median(taken)


def compare_chunk(args):
    """Rounds alternate; of every quantile the median over the rounds, and the greatest time of all of ours.  PyTorch may take
    floats for what we do in bfloat16 where that is faster."""
    torch.set_num_threads(1)
    print(f'| network, {args.nfe} evaluations | lfm p50 | p99 | p99.9 | max | PyTorch, p50, its best way | times faster |')
    print('|---|---|---|---|---|---|---|')
    nets = {'U-Net 64 128 256': (UNet1d(WIDTH, GIVEN, [64, 128, 256], 5, 8, 64), [])}
    for name, (hidden, layers) in MLPS.items():
        keys = ['network=mlp', f'hidden_dim={hidden}', f'num_hidden={layers}']
        nets[name] = Perceptron(hidden, layers), [word for key in keys for word in ('--set', key)]
    for name, (field, words) in nets.items():
        ours = {'fp32': [], 'bf16': []}
        with torch.inference_mode():
            ways = chunk_ways(field, args.nfe)
            theirs = {way: [] for way in ways}
            for act in ways.values():
                median_time(act, 20)
            for _ in range(args.rounds):
                for precision, taken in ours.items():
                    taken += json.loads(lfm(args, 'bench', 'latency', '--preset', 'can-fm', *words, '--nfe', args.nfe, '--precision',
                                            precision, '--rows', args.rows, '--json'))
                for way, act in ways.items():
                    theirs[way].append(median_time(act, 100))
        for precision, taken in ours.items():
            p50, p99, p99_9 = (statistics.median(one[key] for one in taken) for key in ('p50', 'p99', 'p99_9'))
            allowed = {way: statistics.median(times) for way, times in theirs.items() if way[0] in ('fp32', precision)}
            best = min(allowed, key=allowed.get)
            print(f'| {name}, {precision} | {p50:.0f} us | {p99:.0f} | {p99_9:.0f} | {max(one["max"] for one in taken):.0f} | '
                  f'{allowed[best]:.0f} us ({" ".join(best)}) | {allowed[best] / p50:.1f} |', flush=True)


def numbers(text):
    return [float(word) for word in text.split(',')]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('lfm', help='the program')
    parser.add_argument('what', choices=['train', 'policy', 'latency', 'chunk', 'score', 'sample'])
    parser.add_argument('--model', help='a run folder or model file of lfm train')
    parser.add_argument('--rows', type=int, help='score: 64, sample: 10000, chunk: 1000 a round, unless given')
    parser.add_argument('--nfe', type=int, default=4, help='chunk: evaluations')
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--ways', default='eager,traced,compiled', help="PyTorch's ways to try; the best counts")
    parser.add_argument('--precision', choices=['fp32', 'bf16'], default='fp32', help='train, policy: of both sides')
    parser.add_argument('--traces', default='compiled,halves,hand,vmap',
                        help="score: PyTorch's ways to the trace, of compiled,halves,hand,vmap,backward")
    parser.add_argument('--errors', type=numbers, default=[1e-3, 1e-4], help='at which the times are compared')
    parser.add_argument('--tolerances', type=numbers, default=[1e-3, 1e-4, 1e-5, 1e-6])
    parser.add_argument('--reference', type=float, default=1e-10, help='tolerance of the double-precision solve')
    args = parser.parse_args()
    if args.what not in ('train', 'policy', 'chunk') and not args.model:
        parser.error(f'{args.what} needs --model')
    args.rows = args.rows or {'score': 64, 'chunk': 1000}.get(args.what, 10000)
    print(f'PyTorch {torch.__version__}, {torch.get_num_threads()} threads; {lfm(args, "--version").strip()}', file=sys.stderr)
    {'train': compare_train, 'policy': compare_policy, 'latency': compare_latency, 'chunk': compare_chunk, 'score': compare_score,
     'sample': compare_sample}[args.what](args)


if __name__ == '__main__':
    main()
