#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Patches of the BSDS300 images in the layout of the MAF data sets, for bench/bsds.sh and its kin.

The recipe of the published density estimators (Masked Autoregressive Flow, arXiv 1705.07057, after Zoran and Weiss, 2011):
grey 8 x 8 patches, a patch at a place drawn at random, uniform noise in the step of each grey level, divided by 256; the
patch's mean is taken off and the last pixel, which follows from the others, left out: 63 columns.  Train: the first 180
training images by name; validation: the other 20; test: the 100 test images.  The draw behind published numbers is not
public, so this is another: the same distribution, other rows.  A Gaussian fitted to the training rows has 96.7 nats a row on
all of the test rows, as MAF's table has it (the mean of gaussian.csv by `kit rivals OUT.hdf5::train OUT.hdf5::test FOLDER
--components 1`).

Beside each set NAME stands NAME_image, the image of each row: rows of one image resemble each other, and of 2,000 test rows
the standard error that is not clustered by it (--group of lfm score) comes out less than half as large.

    make_bsds.py IMAGES OUT.hdf5 [TRAIN VALIDATION TEST [SEED]]    rows of each set (default 1000000 50000 250000) and seed (0)

IMAGES is the folder of the distribution with train/ and test/ in it, of JPEG or any other format that Pillow reads.
"""
import os
import sys

import h5py
import numpy as np
from PIL import Image

SIDE = 8


def read(folder):
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        sys.exit(f"{folder}: {error.strerror}; the folder of the images has train and test in it")
    return [np.asarray(Image.open(os.path.join(folder, name)).convert("L")) for name in names]


def draw(rng, images, rows):
    out = np.empty((rows, SIDE * SIDE - 1), np.float32)
    image = rng.integers(len(images), size=rows).astype(np.int32)
    for k, grey in enumerate(images):
        mine = np.flatnonzero(image == k)
        windows = np.lib.stride_tricks.sliding_window_view(grey, (SIDE, SIDE))
        y = rng.integers(windows.shape[0], size=len(mine))
        x = rng.integers(windows.shape[1], size=len(mine))
        patch = (windows[y, x].reshape(-1, SIDE * SIDE) + rng.random((len(mine), SIDE * SIDE))) / 256
        out[mine] = (patch - patch.mean(1, keepdims=True))[:, :-1]
    return out, image


def main():
    if len(sys.argv) not in (3, 6, 7):
        sys.exit(__doc__)
    folder, path = sys.argv[1:3]
    sizes = [int(text) for text in sys.argv[3:6]] or [1_000_000, 50_000, 250_000]
    rng = np.random.default_rng(int(sys.argv[6]) if len(sys.argv) > 6 else 0)
    train, test = read(os.path.join(folder, "train")), read(os.path.join(folder, "test"))
    if len(train) != 200 or len(test) != 100:
        sys.exit(f"{folder}: {len(train)} training and {len(test)} test images; BSDS300 has 200 and 100")
    parts = {"train": train[:180], "validation": train[180:], "test": test}
    with h5py.File(path, "w") as file:
        for (name, images), rows in zip(parts.items(), sizes):
            file[name], file[name + "_image"] = draw(rng, images, rows)


main()
