#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lfm beside PyTorch on pictures: training steps of U-Nets and their memory, single evaluations, sampling.

    compare_unet.py LFM train   [--network NAME] [--precision bf16]    a training step, Adam included
    compare_unet.py LFM memory  [--network NAME]            the most memory of a short training, of whole processes
    compare_unet.py LFM latency --model RUN [--threads 1]   one picture, one evaluation
    compare_unet.py LFM sample  --model RUN [--rows 256]    sampling at equal achieved error

Both sides run in turn, round after round, on all threads, and the best of PyTorch's ways counts: eager and torch.compile with
channels last, and eager with channels first; for single pictures also torch.jit.trace.  In bf16 PyTorch runs under autocast.  Compiled code that only evaluates has
its weights frozen.  Steps are without dropout on both sides; the program's average their weights, PyTorch's do not.  How
sampling is compared is said in compare_torch.py.  Nothing else should run meanwhile.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

os.environ.setdefault('TORCHINDUCTOR_FREEZING', '1')  # weights of evaluations; training is not touched

import numpy as np
import torch
import yaml
from safetensors import safe_open

from compare_torch import compare_curves, decode, header, lfm, lfm_bench, line, numbers, seconds
from unet_torch import UNet

# words for lfm bench train; picture; batch; base, multipliers, depth, attention, head channels, scale and shift
NETWORKS = {
    'cifar10': (['--preset', 'cifar10', '--set', 'hidden_dim=64', '--set', 'batch_size=32'], (3, 32, 32), 32,
                (64, [1, 2, 2, 2], 2, [16], 32, False)),
    'fashion': (['--picture', '1x28x28'], (1, 28, 28), 64, (32, [1, 2, 2], 2, [7], 32, True)),
}
FORMATS = {'eager': torch.channels_last, 'compiled': torch.channels_last, 'traced': torch.channels_last,
           'first': torch.contiguous_format}


# ---- training ------------------------------------------------------------------------------------------------------

def loss_of(net, left, right, t):
    s = t[:, None, None, None]
    return torch.nn.functional.mse_loss(net(t, left + s * (right - left)), right - left)


def torch_step(name, way, precision):
    """A training step on pictures that lie ready: forward, backward, fused Adam."""
    _, picture, batch, shape = NETWORKS[name]
    net = UNet(picture[0], picture[1], *shape, classes=0).to(memory_format=FORMATS[way])
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-6, fused=True)
    left, right = (torch.randn(batch, *picture).contiguous(memory_format=FORMATS[way]) for _ in range(2))
    t = torch.rand(batch)
    loss = torch.compile(loss_of, dynamic=False) if way == 'compiled' else loss_of

    def step():
        optimiser.zero_grad()
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=precision == 'bf16'):
            out = loss(net, left, right, t)
        out.backward()
        optimiser.step()
    return step


def compare_train(args):
    header()
    for name in args.network.split(','):
        steps = {way: torch_step(name, way, args.precision) for way in args.ways.split(',')}
        for step in steps.values():
            step()
        ours, theirs = [], {way: [] for way in steps}
        for _ in range(args.rounds):
            figures = lfm_bench(args, 'train', *NETWORKS[name][0], '--precision', args.precision)
            ours.append(next(value for figure, value in figures.items() if 'bare step' in figure))
            for way, step in steps.items():
                theirs[way].append(1e3 * seconds(step))
        for way in theirs:
            line(f'{name} {args.precision}, training step of {NETWORKS[name][2]} ({way})', ours, theirs[way], 'ms')


# ---- memory --------------------------------------------------------------------------------------------------------

PEAK = 'import resource as r, subprocess as s, sys; s.run(sys.argv[1:], check=True, stdout=s.DEVNULL); ' \
       'print(r.getrusage(r.RUSAGE_CHILDREN).ru_maxrss)'


def peak(*words):
    """MB that a command's process took at most; started by a small one, whose own size it would inherit."""
    done = subprocess.run([sys.executable, '-c', PEAK, *map(str, words)], check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024


def compare_memory(args):
    """lfm train, three steps on noise, against three steps of PyTorch with the same arrays; whole processes."""
    header()
    for name in args.network.split(','):
        words, picture, batch, _ = NETWORKS[name]
        with tempfile.TemporaryDirectory() as folder:
            pictures = os.path.join(folder, 'noise.npy')
            np.save(pictures, np.random.default_rng(1).integers(0, 256, (4 * batch, *picture[1:], picture[0]), np.uint8))
            keys = ['--set', f'batch_size={batch}'] if words[0] == '--picture' else words
            ours = peak(args.lfm, 'train', pictures, '-o', os.path.join(folder, 'run'), *keys, '--set', 'hks=[null]',
                        '--set', 'max_batch=3')
        ways = {way: peak(sys.executable, __file__, args.lfm, 'steps', '--network', name, '--ways', way)
                for way in args.ways.split(',')}
        for way, theirs in ways.items():
            line(f'{name}, most memory of training at {batch} ({way})', [ours], [theirs], 'MB')


def run_steps(args):
    step = torch_step(args.network, args.ways, 'fp32')
    for _ in range(3):
        step()


# ---- with a model ----------------------------------------------------------------------------------------------------

def networks_of(run, dtype):
    """The blocks of a chain trained by lfm, and the shape of its pictures."""
    path = run if run.endswith('.safetensors') else os.path.join(run, 'model.safetensors')
    with safe_open(path, 'pt') as file:
        meta = file.metadata()
        config = yaml.safe_load(meta['config'])
        picture = tuple(int(meta[key]) for key in ('channels', 'height', 'width'))
        made = []
        for n in range(len(config['hks'])):
            mults, attention = (np.atleast_1d(config[key]).tolist() for key in ('unet_dim_mults', 'attention_resolution'))
            net = UNet(picture[0], picture[1], config['hidden_dim'], mults, config['res_depth'], attention,
                       config['num_head_channels'], config['scale_shift'], classes=0).to(dtype)
            prefix = f'blocks.{n}.'
            net.load_state_dict({name[len(prefix):]: file.get_tensor(name).to(dtype)
                                 for name in file.keys() if name.startswith(prefix)})
            made.append(net.eval().to(memory_format=torch.channels_last))
    return made, picture


def compare_latency(args):
    if args.threads:
        torch.set_num_threads(args.threads)
    nets, picture = networks_of(args.model, torch.float32)
    x, t = torch.randn(1, *picture).contiguous(memory_format=torch.channels_last), torch.zeros(1)
    ours = []
    with torch.inference_mode():
        ways = {'eager': nets[0], 'compiled': torch.compile(nets[0], dynamic=False),
                'traced': torch.jit.freeze(torch.jit.trace(nets[0], (t, x), check_trace=False))}
        theirs = {name: [] for name in ways if name in args.ways.split(',')}
        for name in theirs:
            ways[name](t, x)
        for _ in range(args.rounds):
            words = ['--threads', args.threads] if args.threads else []
            ours.append(1e-3 * next(iter(lfm_bench(args, 'latency', '--model', args.model, *words).values())))
            for name in theirs:
                theirs[name].append(1e3 * seconds(lambda: ways[name](t, x)))
    header()
    for name in theirs:
        line(f'one evaluation of one picture ({name})', ours, theirs[name], 'ms')


def grey_levels(x):
    """Pictures in [-1, 1] as bytes, as the program writes them."""
    return np.clip(np.rint((x + 1) * 127.5), 0, 255)


def compare_sample(args):
    """Errors in grey levels, of bytes: the mean difference of two rounded numbers is that of the numbers."""
    nets, picture = networks_of(args.model, torch.float32)
    exact, _ = networks_of(args.model, torch.float64)
    with tempfile.TemporaryDirectory() as folder:
        noise, out = os.path.join(folder, 'noise.npy'), os.path.join(folder, 'pictures.npy')
        z = np.random.default_rng(1).standard_normal((args.rows, int(np.prod(picture))))
        np.save(noise, z)
        few = min(args.rows, args.judged)
        shaped = torch.from_numpy(z).reshape(args.rows, *picture).contiguous(memory_format=torch.channels_last)
        truth = grey_levels(decode(exact, shaped[:few], args.reference).numpy())
        single = shaped.float()
        ways = {'eager': nets, 'compiled': [torch.compile(net, dynamic=False) for net in nets]}
        ways = {name: way for name, way in ways.items() if name in args.ways.split(',')}

        def ours(tol):
            begun = time.perf_counter()
            lfm(args, 'push', args.model, noise, '--back', '--tol', tol, '-o', out)
            took = time.perf_counter() - begun
            drawn = np.load(out)[:few].reshape(few, *picture[1:], picture[0]).transpose(0, 3, 1, 2)
            return np.abs(drawn - truth).mean(), took

        def theirs(way):
            def act(tol):
                begun = time.perf_counter()
                x = decode(way, single, tol).numpy()
                return np.abs(grey_levels(x[:few]) - truth).mean(), time.perf_counter() - begun
            decode(way, single, 0.1)
            return act
        compare_curves(args, f'sampling {args.rows} pictures', ours, {name: theirs(way) for name, way in ways.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('lfm', help='the program')
    parser.add_argument('what', choices=['train', 'memory', 'latency', 'sample', 'steps'])
    parser.add_argument('--network', default=','.join(NETWORKS), help='train, memory: of ' + ', '.join(NETWORKS))
    parser.add_argument('--model', help='latency, sample: a run folder or model file of lfm train, without classes')
    parser.add_argument('--rows', type=int, default=256, help='sample: how many')
    parser.add_argument('--judged', type=int, default=16, help='sample: of how many of them the error is measured')
    parser.add_argument('--precision', default='fp32', choices=['fp32', 'bf16'], help='train')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, help='latency: of both sides; all unless given')
    parser.add_argument('--ways', help="PyTorch's ways to try; the best counts")
    parser.add_argument('--errors', type=numbers, default=[0.1], help='sample: grey levels, at which the times are compared')
    parser.add_argument('--tolerances', type=numbers, default=[1e-2, 1e-3, 1e-4])
    parser.add_argument('--reference', type=float, default=1e-7, help='tolerance of the double-precision solve')
    args = parser.parse_args()
    if args.what in ('latency', 'sample') and not args.model:
        parser.error(f'{args.what} needs --model')
    args.ways = args.ways or {'train': 'eager,compiled,first', 'memory': 'eager,compiled', 'latency': 'eager,compiled,traced',
                              'sample': 'eager,compiled', 'steps': 'eager'}[args.what]
    if args.what != 'steps':
        print(f'PyTorch {torch.__version__}, {torch.get_num_threads()} threads; {lfm(args, "--version").strip()}',
              file=sys.stderr)
    {'train': compare_train, 'memory': compare_memory, 'latency': compare_latency, 'sample': compare_sample,
     'steps': run_steps}[args.what](args)


if __name__ == '__main__':
    main()
