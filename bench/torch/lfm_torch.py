#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Local Flow Matching (arXiv 2410.02548) in PyTorch: the independent yardstick of the C program, in speed and in numbers.

It reads the same presets (configs/*.yaml), trains the same chain and scores the same rows, and shares no code, no random
numbers and no derivation with the C: gradients come from autograd, the trace of dv/dx from torch.func.jvp, the solver is
torchdiffeq's.  Written the way PyTorch is fast: whole batches, fused Adam, no synchronisation in the loop, torch.compile on
request, and on a GPU (--device cuda) a captured graph for each step.

    lfm_torch.py DATA -o RUN --preset bsds300@A [--fraction 0.1 | --steps N] [--seed S] [--test DATA --rows K]
    lfm_torch.py --model RUN/model.safetensors --preset bsds300@A --test DATA --rows K        only score

DATA is file.hdf5::dataset, file.npy or a CSV with a header.  RUN gets model.safetensors (blocks.0.net.0.weight, ...),
result.json and, when scored, converged.csv and paper.csv, which `kit compare` pairs with those of other models.
--fraction f runs f times max_batch batches a block; lr_step stays as published, so the learning rate ends higher than in the
full run, as it does at that point of the full run.
"""
import argparse
import csv
import json
import math
import os
import time

import numpy as np
import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import nn
from torch.func import jvp, vmap
from torchdiffeq import odeint

HERE = os.path.dirname(os.path.abspath(__file__))
ACTIVATIONS = {'relu': nn.ReLU, 'elu': nn.ELU, 'silu': nn.SiLU, 'gelu': nn.GELU, 'tanh': nn.Tanh, 'softplus': nn.Softplus}
# What is read, and what a preset may leave to the default alone: asking for anything else is an error, not a surprise.
READ = {'act', 'hidden_dim', 'num_hidden', 'hks', 'interp', 'coupling', 'warm_start', 'normalise', 'push_tol', 'batch_size',
        'max_batch', 'num_tk', 'beta_sample_t', 'alpha', 'beta', 'lr', 'lr_step', 'lr_decay', 'grad_clip'}
ONLY = {'pool': 'pushed', 'cat_t': 'first', 'warmup': 0, 'cosine': False, 'ema_decay': 0, 'patience': 0,
        'optimizer': 'adam', 'weight_decay': 0, 'target_rows': 0, 'defensive': 0, 'waves': 0}
WARM_UP = 10  # steps before a GPU's are captured, so that whatever is set up once has been


# ---- configuration and data --------------------------------------------------------------------------------------

def read_config(args):
    path = args.config or os.path.join(HERE, '..', '..', 'configs', args.preset + '.yaml')
    config = yaml.safe_load(open(path))
    for setting in args.set:
        key, value = setting.split('=', 1)
        config[key] = yaml.safe_load(value)
    for key in config.keys() - READ - ONLY.keys():
        raise SystemExit(f'{path}: {key}: not implemented here')
    for key, value in ONLY.items():
        if config.get(key, value) != value:
            raise SystemExit(f'{path}: {key}: only {value} is implemented here')
    if args.device == 'cuda' and (config.get('beta_sample_t') or config.get('coupling') == 'shuffled'):
        raise SystemExit(f'{path}: beta_sample_t and coupling: shuffled ask the host in every step, which a graph cannot')
    batches = config['max_batch'] if isinstance(config['max_batch'], list) else [config['max_batch']] * len(config['hks'])
    config['max_batch'] = [args.steps or max(1, round(args.fraction * count)) for count in batches]
    return config


def read_table(path):
    """[rows, columns] float32."""
    if '::' in path:
        import h5py
        name, dataset = path.split('::')
        with h5py.File(name) as file:
            values = file[dataset][:]
    elif path.endswith('.npy'):
        values = np.load(path)
    else:
        with open(path, newline='') as file:
            values = np.array(list(csv.reader(file))[1:], np.float64)
    values = values.reshape(len(values), -1)
    return values if values.dtype == np.float64 else values.astype(np.float32)


class Normaliser:
    """y = (x - mean) W with log |det W|; sums in double.  Whitening is by the root of the correlation, as lfm's."""

    def __init__(self, kind, rows):
        dim = rows.shape[1]
        self.mean, self.matrix, self.logdet = np.zeros(dim), np.eye(dim), 0.0
        if kind == 'none':
            return
        if kind not in ('standardise', 'whiten'):
            raise SystemExit(f'normalise: {kind} is not in this script')
        rows = rows.astype(np.float64)
        self.mean = rows.mean(0)
        if kind == 'standardise':
            self.matrix = np.diag(1 / rows.std(0))
        else:
            sd = rows.std(0)
            values, vectors = np.linalg.eigh(np.corrcoef(rows.T))
            self.matrix = np.diag(1 / sd) @ vectors @ np.diag(values**-0.5) @ vectors.T
        self.logdet = np.linalg.slogdet(self.matrix)[1]

    @staticmethod
    def of(tensors):
        """That of a model of lfm's, whose forward is the transpose."""
        if 'normaliser.radial' in tensors:
            raise SystemExit('normalise: radial is not in this script')
        made = Normaliser('none', tensors['normaliser.mean'][None])
        made.mean, made.matrix = tensors['normaliser.mean'].cpu().numpy(), tensors['normaliser.forward'].cpu().numpy().T
        made.logdet = tensors['normaliser.logdet'].item()
        return made

    def __call__(self, rows):
        return torch.from_numpy(((rows - self.mean) @ self.matrix).astype(np.float32)).to(torch.get_default_device())


# ---- the network -------------------------------------------------------------------------------------------------

class Velocity(nn.Module):
    """v(t, x): an MLP of concat(t, x).  t [rows] or a scalar, x [rows, dim] -> [rows, dim]."""

    def __init__(self, dim, config):
        super().__init__()
        name, _, beta = config['act'].partition('(')
        activation = (lambda: nn.Softplus(beta=float(beta.rstrip(')')))) if beta else ACTIVATIONS[name]
        widths = [dim + 1] + [config['hidden_dim']] * config['num_hidden']
        layers = [layer for a, b in zip(widths, widths[1:]) for layer in (nn.Linear(a, b), activation())]
        self.net = nn.Sequential(*layers, nn.Linear(widths[-1], dim))

    def forward(self, t, x):
        return self.net(torch.cat([t.expand(len(x)).unsqueeze(1), x], 1))


def velocity_and_trace(block, t, x):
    """v and tr dv/dx, exactly: one forward tangent for each dimension."""
    def diagonal(direction):
        v, tangent = jvp(lambda x: block(t, x), (x,), (direction.expand_as(x),))
        return v, tangent @ direction
    v, diagonals = vmap(diagonal, out_dims=(None, 0))(torch.eye(x.shape[1]))
    return v, diagonals.sum(0)


# ---- training: Algorithm 1 -----------------------------------------------------------------------------------------

def batches(pool, size):
    """Batches of pool rows for ever; each epoch in a fresh random order."""
    while True:
        order = torch.randperm(len(pool))
        for at in range(0, len(pool) - size + 1, size):
            yield pool[order[at:at + size]]


def right_end(x_left, x_other, gamma, coupling):
    """x_r: an OU step of length gamma from the coupled row; None is infinite."""
    noise = torch.randn_like(x_left)
    if gamma is None:
        return noise
    start = {'dependent': lambda: x_left, 'shuffled': lambda: x_left[torch.randperm(len(x_left))],
             'independent': lambda: x_other}[coupling]()
    return math.exp(-gamma) * start + math.sqrt(1 - math.exp(-2 * gamma)) * noise


def flow_times(count, config):
    if config.get('beta_sample_t'):
        return torch.distributions.Beta(float(config['alpha']), float(config['beta'])).sample((count,))
    return torch.rand(count)


def matching_loss(block, x_left, x_right, t, interp):
    """mean |v(t, I_t) - dI_t/dt|^2 over batch and dimensions."""
    s = t.unsqueeze(1)
    if interp == 'trig':
        cos, sin = torch.cos(s * (math.pi / 2)), torch.sin(s * (math.pi / 2))
        x, velocity = cos * x_left + sin * x_right, (math.pi / 2) * (cos * x_right - sin * x_left)
    else:
        x, velocity = x_left + s * (x_right - x_left), x_right - x_left
    return nn.functional.mse_loss(block(t, x), velocity)


def captured(step, x_left, x_other):
    """The same step as one graph, which a GPU replays without waiting for Python: a function of the same arguments."""
    graph, inputs = torch.cuda.CUDAGraph(), (x_left.clone(), x_other.clone())
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        loss = step(*inputs)

    def replay(*rows):
        for held, fresh in zip(inputs, rows):
            held.copy_(fresh)
        graph.replay()
        return loss
    return replay


def train_block(block, pool, gamma, steps, config, loss_function):
    """Matches one block's flow on the pool; returns the loss of every step."""
    size, times, coupling = min(config['batch_size'], len(pool)), config.get('num_tk', 1), config.get('coupling', 'dependent')
    lr = torch.tensor(config['lr'])
    optimiser = torch.optim.Adam(block.parameters(), lr=lr, fused=True, capturable=pool.is_cuda)

    def step(x_left, x_other):
        x_right = right_end(x_left, x_other, gamma, coupling)
        if times > 1:
            x_left, x_right = x_left.repeat_interleave(times, 0), x_right.repeat_interleave(times, 0)
        loss = loss_function(block, x_left, x_right, flow_times(len(x_left), config), config['interp'])
        optimiser.zero_grad()
        loss.backward()
        if config.get('grad_clip', 0):
            nn.utils.clip_grad_norm_(block.parameters(), config['grad_clip'])
        optimiser.step()
        return loss.detach()

    left, other = batches(pool, size), batches(pool, size)
    losses = torch.empty(steps)
    for k in range(steps):
        x_left = next(left)
        x_other = next(other) if coupling == 'independent' else x_left
        if k == WARM_UP and pool.is_cuda:
            step = captured(step, x_left, x_other)
        lr.fill_(config['lr'] * config['lr_decay'] ** (k // config['lr_step']))
        losses[k] = step(x_left, x_other)
    return losses


@torch.no_grad()
def push(block, rows, tol):
    """The rows carried from t = 0 to 1 by dopri5."""
    ends, chunk = torch.tensor([0.0, 1.0]), 65536 if rows.is_cuda else 8192
    return torch.cat([odeint(block, part, ends, rtol=tol, atol=tol, method='dopri5')[1] for part in rows.split(chunk)])


def train(rows, config, result, compiled):
    """The chain of blocks; the pool is pushed once through each block but the last."""
    loss_function = torch.compile(matching_loss, dynamic=False) if compiled else matching_loss
    pool, blocks = rows, []
    for n, (gamma, steps) in enumerate(zip(config['hks'], config['max_batch'])):
        block = Velocity(rows.shape[1], config)
        if config.get('warm_start') and blocks:
            block.load_state_dict(blocks[-1].state_dict())
        if compiled:  # before the clock
            some = pool[:min(config['batch_size'], len(pool))].repeat_interleave(config.get('num_tk', 1), 0)
            loss_function(block, some, some.clone(), flow_times(len(some), config), config['interp']).backward()
            block.zero_grad()
        began = time.perf_counter()
        losses = train_block(block, pool, gamma, steps, config, loss_function)
        if pool.is_cuda:
            torch.cuda.synchronize()
        trained = time.perf_counter()
        if n + 1 < len(config['hks']):
            pool = push(block, pool, config['push_tol'])
        blocks.append(block)
        result['loss'].append(losses[-max(1, steps // 100):].mean().item())
        result['train_seconds'].append(trained - began)
        result['push_seconds'].append(time.perf_counter() - trained)
        print(f'block {n}: {steps} steps, loss {result["loss"][-1]:.6f}, training {trained - began:.1f} s, '
              f'push {result["push_seconds"][-1]:.1f} s', flush=True)
    return blocks


# ---- likelihood ------------------------------------------------------------------------------------------------------

def log_normal(x):
    return -0.5 * (x.double()**2).sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi)


@torch.no_grad()
def logp_converged(blocks, x, tol, field=velocity_and_trace):
    """log p by dopri5 on the joint state (x, log-determinant), block after block."""
    logdet = torch.zeros(len(x))
    ends = torch.tensor([0.0, 1.0])
    total = torch.zeros(len(x), dtype=torch.float64)
    for block in blocks:
        xs, logdets = odeint(lambda t, state: field(block, t, state[0]), (x, logdet), ends, rtol=tol, atol=tol,
                             method='dopri5')
        x = xs[1]
        total += logdets[1].double()
    return total + log_normal(x)


@torch.no_grad()
def logp_paper(blocks, x, tol, nodes=150):
    """The published protocol: Euler on 150 nodes for the trace; the base density at its end point; between blocks dopri5."""
    total = torch.zeros(len(x), dtype=torch.float64)
    step = 1 / (nodes - 1)
    for block in blocks:
        euler = x
        for k in range(nodes - 1):
            v, trace = velocity_and_trace(block, torch.tensor(k * step), euler)
            total += step * trace.double()
            euler = euler + step * v
        x = push(block, x, tol)
    return total + log_normal(euler)


def standard_error(values, groups=None):
    """Of the mean; of rows that come in groups, from the groups' sums."""
    deviations = values - values.mean()
    if groups is None:
        return deviations.std(ddof=1) / math.sqrt(len(values))
    _, member = np.unique(groups, return_inverse=True)
    sums = np.bincount(member, deviations)
    return math.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(values)


def score(blocks, normaliser, config, args, result):
    """nll in the data's units by both protocols, on evenly spaced test rows: which rows, and their log p each way."""
    table = read_table(args.test)
    chosen = np.arange(args.rows) * len(table) // args.rows
    groups = read_table(args.group)[chosen, 0] if args.group else None
    x = normaliser(table[chosen])
    if args.double:
        torch.set_default_dtype(torch.float64)
        blocks, x = blocks.double(), x.double()
    protocols = {'converged': lambda part: logp_converged(blocks, part, args.tol),
                 'paper': lambda part: logp_paper(blocks, part, config['push_tol'])}
    logps = {}
    for name in args.protocols.split(','):
        began = time.perf_counter()
        logp = torch.cat([protocols[name](part) for part in x.split(args.chunk)]).cpu().numpy() + normaliser.logdet
        logps[name] = logp
        result['score'][name] = {'rows': len(logp), 'nll': -logp.mean(), 'nll_se': standard_error(logp, groups),
                                 'nll_standardised': normaliser.logdet - logp.mean(),
                                 'seconds': time.perf_counter() - began}
        print(f'{name}: nll {-logp.mean():.4f} +- {result["score"][name]["nll_se"]:.4f} on {len(logp)} rows, '
              f'{result["score"][name]["seconds"]:.1f} s', flush=True)
    return chosen, logps


# ---- command line ------------------------------------------------------------------------------------------------------

def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('data', nargs='?', help='training table (also the normaliser\'s)')
    p.add_argument('-o', '--out', help='run folder to make')
    p.add_argument('--preset', default='bsds300@A')
    p.add_argument('--config', help='a YAML file instead of a preset')
    p.add_argument('--set', action='append', default=[], metavar='KEY=VALUE')
    p.add_argument('--fraction', type=float, default=1.0, help='of max_batch')
    p.add_argument('--steps', type=int, help='batches a block, whatever the preset says')
    p.add_argument('--train-rows', type=int, help='only the first so many rows')
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--device', default='cpu', choices=('cpu', 'cuda'))
    p.add_argument('--threads', type=int, default=os.cpu_count())
    p.add_argument('--compile', action='store_true', help='torch.compile the loss')
    p.add_argument('--model', help='score this model instead of training one')
    p.add_argument('--test', help='table to score')
    p.add_argument('--group', help='table with the cluster of each test row, for the standard error')
    p.add_argument('--rows', type=int, default=100, help='evenly spaced test rows')
    p.add_argument('--protocols', default='converged,paper')
    p.add_argument('--tol', type=float, default=1e-5, help='of the converged protocol')
    p.add_argument('--double', action='store_true', help='score in double precision')
    p.add_argument('--chunk', type=int, default=100, help='rows scored at once')
    return p.parse_args()


def main():
    args = parse()
    config = read_config(args)
    torch.set_num_threads(args.threads)
    torch.set_default_device(args.device)
    if args.device == 'cuda':
        torch.cuda.set_stream(torch.cuda.Stream())  # the default one cannot be captured
    torch.manual_seed(args.seed)
    if args.out:
        os.makedirs(args.out, exist_ok=True)
    rows = read_table(args.data)[:args.train_rows] if args.data else None
    normaliser = Normaliser(config['normalise'] if args.data else 'none', rows if args.data else read_table(args.test)[:1])
    result = {'preset': args.preset, 'seed': args.seed, 'threads': args.threads, 'compile': args.compile,
              'torch': torch.__version__, 'steps': config['max_batch'], 'loss': [], 'train_seconds': [], 'push_seconds': [],
              'device': torch.cuda.get_device_name() if args.device == 'cuda' else args.device, 'score': {}}
    if args.model:
        tensors = load_file(args.model, device=args.device)
        dim = tensors['blocks.0.net.0.weight'].shape[1] - 1
        blocks = nn.ModuleList(Velocity(dim, config) for _ in config['hks'])
        if 'normaliser.forward' in tensors:
            normaliser = Normaliser.of(tensors)
        blocks.load_state_dict({name.removeprefix('blocks.'): tensors[name] for name in tensors if name.startswith('blocks.')})
    else:
        blocks = nn.ModuleList(train(normaliser(rows), config, result, args.compile))
        save_file({'blocks.' + name: tensor for name, tensor in blocks.state_dict().items()},
                  os.path.join(args.out, 'model.safetensors'))
    if args.test:
        chosen, logps = score(blocks, normaliser, config, args, result)
        for name in logps if args.out else ():
            with open(os.path.join(args.out, name + '.csv'), 'w', newline='') as file:
                csv.writer(file).writerows([('row', 'logp'), *zip((chosen + 1).tolist(), logps[name].tolist())])
    if args.out:
        with open(os.path.join(args.out, 'result.json'), 'w') as file:
            json.dump(result, file, indent=1)


if __name__ == '__main__':
    main()
