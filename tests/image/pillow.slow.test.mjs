// pillow.slow.test.mjs - files as Pillow writes them, in every mode, with gamma, profile, transparency and EXIF: their greys
// are those that Pillow reads.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { decode, folder, grey, worst } from './decode.mjs';

/** Writes the files and prints per name its size and its R, G, B of 8 or 16 bits, in base64. */
const PILLOW = `import base64, json, os, sys
import numpy as np
from PIL import Image, ImageCms, ImageOps, PngImagePlugin
folder, out = sys.argv[1], {}
y, x = np.mgrid[0:83, 0:97]
rgb = Image.fromarray(np.stack([x * 2, y * 3, (x * y) % 256], -1).astype("uint8"))
smooth = Image.fromarray(np.stack([x * 2, y * 3, x + y], -1).astype("uint8"))
deep = Image.fromarray(((x * 631 + y * 4099) % 65536).astype("uint16"))
profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
gamma = PngImagePlugin.PngInfo()
gamma.add(b"gAMA", (45455).to_bytes(4, "big"))
exif = {}
for turn in range(1, 9):
    exif[turn] = Image.Exif()
    exif[turn][0x112] = turn
def keep(name, image, **options):
    path = os.path.join(folder, name)
    image.save(path, **options)
    with Image.open(path) as read:
        read = ImageOps.exif_transpose(read)
        bits = 16 if read.mode.startswith("I") else 8
        values = np.asarray(read).astype("<u2") if bits == 16 else np.asarray(read.convert("RGB"))
        if bits == 16:
            values = np.repeat(values[..., None], 3, -1)
        out[name] = [read.width, read.height, bits, base64.b64encode(values.tobytes()).decode()]
for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
    keep(f"{mode}.png", rgb.convert(mode))
keep("16.png", deep)
keep("gamma.png", rgb.convert("L"), pnginfo=gamma)
keep("profile.png", rgb, icc_profile=profile)
keep("transparent.png", rgb.convert("L"), transparency=7)
for mode in ("1", "L", "P", "RGB", "RGBA"):
    keep(f"{mode}.bmp", rgb.convert(mode))
for subsampling in (0, 1, 2):
    keep(f"{subsampling}.jpg", smooth, quality=95, subsampling=subsampling)
keep("grey.jpg", smooth.convert("L"), quality=90)
keep("progressive.jpg", smooth, quality=90, progressive=True, optimize=True)
keep("profile.jpg", smooth, quality=95, icc_profile=profile)
keep("cmyk.jpg", smooth.convert("CMYK"), quality=95)
for turn in exif:
    keep(f"turn-{turn}.jpg", smooth.convert("L"), quality=95, exif=exif[turn])
    keep(f"turn-{turn}.png", rgb.convert("L"), exif=exif[turn])
print(json.dumps(out))`;

test('files that Pillow writes have the greys that Pillow reads', () => {
  const told = JSON.parse(
    execFileSync('/usr/bin/python3', ['-c', PILLOW, folder], { encoding: 'utf8', maxBuffer: 1 << 28 }),
  );
  const names = Object.keys(told);
  assert.ok(names.length > 35);
  for (const [i, film] of decode(names.map((name) => join(folder, name))).entries()) {
    const [width, height, bits, text] = told[names[i]];
    const bytes = Buffer.from(text, 'base64');
    const value = (at) => (bits === 16 ? bytes.readUInt16LE(2 * at) : bytes[at] * 257);
    const pixels = Uint16Array.from({ length: width * height }, (_, at) =>
      grey(value(3 * at), value(3 * at + 1), value(3 * at + 2)),
    );
    const difference = worst(film, { width, height, pixels });
    assert.ok(difference <= (names[i].endsWith('.jpg') ? 2 : 0), `${names[i]}: ${difference} levels`);
  }
});
