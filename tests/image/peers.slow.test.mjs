// peers.slow.test.mjs - Pillow and libvips read the same greys. Files as Pillow writes them, in every mode, with gamma,
// profile, transparency and EXIF; and PNG of every kind, interlaced, with the same beside its pixels.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { deflateSync } from 'node:zlib';
import { decode, folder, grey, worst } from './decode.mjs';
import { chunk, png } from './png.mjs';

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

const told = JSON.parse(
  execFileSync('/usr/bin/python3', ['-c', PILLOW, folder], { encoding: 'utf8', maxBuffer: 1 << 28 }),
);
const names = Object.keys(told);
const limit = (name) => (name.endsWith('.jpg') ? 2 : 0);

test('files that Pillow writes have the greys that Pillow reads', () => {
  assert.ok(names.length > 35);
  for (const [i, film] of decode(names.map((name) => join(folder, name))).entries()) {
    const [width, height, bits, text] = told[names[i]];
    const bytes = Buffer.from(text, 'base64');
    const value = (at) => (bits === 16 ? bytes.readUInt16LE(2 * at) : bytes[at] * 257);
    const pixels = Uint16Array.from({ length: width * height }, (_, at) =>
      grey(value(3 * at), value(3 * at + 1), value(3 * at + 2)),
    );
    const difference = worst(film, { width, height, pixels });
    assert.ok(difference <= limit(names[i]), `${names[i]}: ${difference} levels`);
  }
});

/** Colour types of PNG with samples per pixel and depths; a palette has one sample (PNG, table 11.1). */
const KINDS = [
  [0, 1, [1, 2, 4, 8, 16]],
  [2, 3, [8, 16]],
  [3, 1, [1, 2, 4, 8]],
  [4, 2, [8, 16]],
  [6, 4, [8, 16]],
];

/** Writes interlaced PNG of every kind, with gamma, profile and, where it may be, transparency. @returns {string[]} names */
function writePngs() {
  const profile = Buffer.concat([Buffer.from('p\0\0'), deflateSync(Buffer.alloc(200))]);
  return KINDS.flatMap(([type, channels, depths]) =>
    depths.map((depth) => {
      const palette = Buffer.from(Array.from({ length: 3 << depth }, (_, i) => (i * 37 + (i >> 3)) & 255));
      const extra = [
        chunk('gAMA', Buffer.from([0, 0, 177, 143])),
        chunk('iCCP', profile),
        ...(type === 3 ? [chunk('PLTE', palette)] : []),
        ...(type < 4 ? [chunk('tRNS', Buffer.alloc(type === 3 ? 1 : 2 * channels))] : []),
      ];
      const noise = (x, y, c) => ((x * 2654435 + y * 40503 + c * 9176 + x * y * 131) >>> 3) & ((1 << depth) - 1);
      const pixel = (x, y) => Array.from({ length: channels }, (_, c) => noise(x, y, c));
      const name = `colour type ${type}, ${depth} bits.png`;
      const kind = { width: 97, height: 83, type, depth, interlace: 1, extra, filter: (y) => y % 5 };
      writeFileSync(join(folder, name), png(/** @type {any} */ (kind), pixel));
      return name;
    }),
  );
}

/**
 * The greys that libvips reads. Its own format is a header of 64 bytes, then the samples: width, height and bands at 4, 8
 * and 12, their type at 20 (2: 16 bits) and the colours at 28 (15: CMYK).
 * @param {string} path
 */
async function readByVips(path) {
  const out = join(folder, `${basename(path)}.v`);
  await promisify(execFile)('vips', ['autorot', path, out]);
  const bytes = readFileSync(out);
  const [width, height, bands, type, colours] = [4, 8, 12, 20, 28].map((at) => bytes.readInt32LE(at));
  const value = (i) => (type === 2 ? bytes.readUInt16LE(64 + 2 * i) : bytes[64 + i] * 257);
  const printed = (ink, black) => Math.round(((65535 - ink) * (65535 - black)) / 65535);
  const pixels = Uint16Array.from({ length: width * height }, (_, n) => {
    const [a, b, c, d] = [0, 1, 2, 3].map((band) => (band < bands ? value(n * bands + band) : 0));
    if (bands < 3) return a;
    return colours === 15 ? grey(printed(a, d), printed(b, d), printed(c, d)) : grey(a, b, c);
  });
  return { width, height, pixels };
}

test('libvips reads the same greys, and neither applies gamma, profile or transparency', async () => {
  const paths = [...names, ...writePngs()].map((name) => join(folder, name));
  assert.equal(paths.length, names.length + 15);
  for (const [i, film] of decode(paths).entries()) {
    const difference = worst(film, await readByVips(paths[i]));
    assert.ok(difference <= limit(paths[i]), `${basename(paths[i])}: ${difference} levels`);
  }
});
