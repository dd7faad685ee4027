# SPDX-License-Identifier: MIT
"""Writes tests/golden/resample.h: what Pillow's resize(..., BICUBIC) makes of small squares, smaller and larger.

  python3 tests/golden/make_resample.py > tests/golden/resample.h

The squares are made of made_byte(i) of tests/data/images_support.h, or are a disc, so only results are stored.
"""
from PIL import Image

CASES = [(23, 8, "made"), (64, 20, "disc"), (5, 12, "made"), (9, 9, "made"), (17, 16, "disc"), (3, 1, "made"), (1, 3, "made")]


def made(side):
    return bytes((i * 37 + i // 7 * 11 + 5) % 256 for i in range(side * side))


def disc(side):
    return bytes(240 if (2 * x + 1 - side) ** 2 + (2 * y + 1 - side) ** 2 < side * side // 2 else 15
                 for y in range(side) for x in range(side))


print("/* SPDX-License-Identifier: MIT\n * Made by tests/golden/make_resample.py. */")
for number, (side, size, kind) in enumerate(CASES):
    picture = Image.frombytes("L", (side, side), (made if kind == "made" else disc)(side))
    values = [str(v) for v in picture.resize((size, size), Image.BICUBIC).tobytes()]
    print(f"static const uint8_t resampled_{number}[] = {{ /* {kind}, {side} to {size} */")
    for at in range(0, len(values), 24):
        print("    " + ", ".join(values[at:at + 24]) + ",")
    print("};")
print("static const struct {\n  int side, size;\n  bool is_disc;\n  const uint8_t *expected;\n} resampled[] = {")
for number, (side, size, kind) in enumerate(CASES):
    print(f"    {{{side}, {size}, {'true' if kind == 'disc' else 'false'}, resampled_{number}}},")
print("};")
