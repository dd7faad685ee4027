# SPDX-License-Identifier: MIT
"""Writes tests/golden/pictures.h: small PNG and JPEG files of every kind, and the pixels that Pillow reads from them.

  python3 tests/golden/make_pictures.py > tests/golden/pictures.h

Pixels are [height, width, channels]; where the file is transparent, those on white.
"""
import io

from PIL import Image

HEIGHT, WIDTH = 11, 14


def ramp(mode, channels):
    values = []
    for y in range(HEIGHT):
        for x in range(WIDTH):
            values += [(x * 18) % 256, (y * 22) % 256, (x * 9 + y * 11) % 256, (x * 16 + 40) % 256][:channels]
    return Image.frombytes(mode, (WIDTH, HEIGHT), bytes(values))


def to_light(v):
    return v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4


def from_light(v):
    return round(255 * (v * 12.92 if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055))


def on_white(picture):
    """Light adds up, not the numbers that stand for it (libpng takes a power of 2.2 for it)."""
    values = []
    for *colour, alpha in picture.getdata():
        values += [from_light(to_light(v) * alpha / 255 + 1 - alpha / 255) for v in colour]
    return Image.frombytes("RGB", picture.size, bytes(values))


def packed(picture, form, **options):
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def array(name, values):
    print(f"static const uint8_t {name}[] = {{")
    for at in range(0, len(values), 24):
        print("    " + ", ".join(map(str, values[at:at + 24])) + ",")
    print("};")


grey, rgb, rgba = ramp("L", 1), ramp("RGB", 3), ramp("RGBA", 4)
wide = Image.frombytes("I;16", (WIDTH, HEIGHT), b"".join(bytes([0, v]) for v in grey.tobytes())).convert("I")
few = rgb.quantize(16)
CASES = [  # name, file, channels, pixels
    ("grey_png", packed(grey, "PNG"), 1, grey),
    ("rgb_png", packed(rgb, "PNG"), 3, rgb),
    ("rgba_png", packed(rgba, "PNG"), 3, on_white(rgba)),
    ("palette_png", packed(few, "PNG"), 3, few.convert("RGB")),
    ("bits_png", packed(grey.point(lambda v: v > 99 and 255, "1"), "PNG"), 1, grey.point(lambda v: v > 99 and 255)),
    ("wide_png", packed(wide, "PNG"), 1, grey),
    ("grey_jpeg", packed(grey, "JPEG", quality=90), 1, None),
    ("rgb_jpeg", packed(rgb, "JPEG", quality=90), 3, None),
    ("progressive_jpeg", packed(rgb, "JPEG", quality=70, progressive=True), 3, None),
]
print("/* SPDX-License-Identifier: MIT\n * Made by tests/golden/make_pictures.py. */")
print(f"enum {{ GOLDEN_HEIGHT = {HEIGHT}, GOLDEN_WIDTH = {WIDTH} }};")
for name, data, channels, pixels in CASES:
    pixels = pixels or Image.open(io.BytesIO(data))
    array(name, data)
    array(name + "_pixels", pixels.convert("L" if channels == 1 else "RGB").tobytes())
array("cmyk_jpeg", packed(ramp("CMYK", 4), "JPEG"))
print("static const struct {\n  const char *name;\n  const uint8_t *file;\n  size_t size;\n  int channels;\n"
      "  const uint8_t *pixels;\n  int off; /* how far a byte may be */\n} golden_pictures[] = {")
for name, data, channels, _ in CASES:
    print(f'    {{"{name}", {name}, sizeof {name}, {channels}, {name}_pixels, {6 if name == "rgba_png" else 1}}},')
print("};")
