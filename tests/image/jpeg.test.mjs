// Decodes JPEG files of every process, subsampling and order of scans, written by libjpeg-turbo. Each is
// within 2 grey levels of libjpeg-turbo's own pixels or gives the right error.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import jpeg from 'jpeg-js';
import { fragments, open } from '../../src/dicom/dataset.mjs';
import { data, missing } from '../support/data.mjs';
import { decode, decodeBytes, folder, grey, REASON, root, witness, worst } from './decode.mjs';
import { dicomFile } from '../dicom/file.mjs';

const fixtures = join(root, 'tests/fixtures');
const LIMIT = 2;

/** A picture with a slope, an edge, a little noise and some colour. */
const shade = (x, y, c) =>
  Math.max(
    0,
    Math.min(
      255,
      Math.round(
        40 +
          1.1 * x +
          0.7 * y +
          40 * Math.sin((x + 9 * c) / 11) +
          (Math.hypot(x - 50, y - 40) < 25 ? 60 : 0) +
          ((x * 7 + y * 13) % 5) -
          12 * c,
      ),
    ),
  );

/** Writes a PGM (1 channel) or PPM (3). @param {number} width @param {number} height @param {number} [channels] */
function picture(width, height, channels = 3, of = shade) {
  const bytes = Buffer.alloc(width * height * channels);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = of(Math.floor(i / channels) % width, Math.floor(i / channels / width), i % channels);
  return Buffer.concat([Buffer.from(`P${channels === 3 ? 6 : 5}\n${width} ${height}\n255\n`), bytes]);
}

const run = (program, options, input) => execFileSync(program, options, { input, maxBuffer: 1 << 28 });
const cjpeg = (options, source) => run('cjpeg', options, source);

/** Compares every file with djpeg's pixels. @param {Record<string, Buffer>} files by name */
function right(files) {
  const films = decodeBytes(Object.values(files));
  Object.keys(files).forEach((name, i) => {
    assert.equal(films[i].code, 'ok', name);
    const difference = worst(films[i], witness(['djpeg', '-pnm'], files[name]));
    assert.ok(difference <= LIMIT, `${name}: ${difference}`);
  });
}

/** Checks that every file gives this error code.
 *  @param {Record<string, Buffer>} files by name @param {string} code @param {number} [reason] of REASON */
function refused(files, code, reason) {
  const films = decodeBytes(Object.values(files));
  Object.keys(files).forEach((name, i) => {
    assert.equal(films[i].code, code, name);
    if (reason) assert.equal(films[i].status, reason, name);
  });
}

const SIZES = [
  [64, 64],
  [65, 64],
  [64, 71],
  [97, 83],
  [103, 79],
  [128, 96],
];
const SAMPLINGS = ['1x1', '2x1', '1x2', '2x2', '4x1', '1x4', '4x2', '2x4', '2x2,2x1,1x2', '1x1,2x2,1x1', '3x1', '3x2'];

test('baseline and progressive, grey and colour, of every subsampling and odd size', () => {
  for (const process of [
    [],
    ['-progressive'],
    ['-optimize'],
    ['-restart', '1'],
    ['-restart', '3B'],
    ['-progressive', '-restart', '2'],
  ]) {
    const files = {};
    for (const [width, height] of process.length ? SIZES.slice(2, 4) : SIZES) {
      for (const sampling of process.length ? SAMPLINGS.slice(0, 4) : SAMPLINGS) {
        files[`${width}x${height} ${sampling} ${process}`] = cjpeg(
          [...process, '-quality', '90', '-sample', sampling],
          picture(width, height),
        );
      }
      files[`${width}x${height} grey ${process}`] = cjpeg([...process, '-grayscale'], picture(width, height, 1));
      files[`${width}x${height} rgb ${process}`] = cjpeg(
        [...process, '-rgb', '-quality', '90'],
        picture(width, height),
      );
    }
    right(files);
  }
});

test('every quality, including 16-bit quantisation tables, and grey files with sampling factors', () => {
  const files = Object.fromEntries(
    [1, 2, 10, 50, 75, 95, 100].flatMap((quality) =>
      [[], ['-baseline'], ['-progressive']].map((process) => [
        `quality ${quality} ${process}`,
        cjpeg(['-quality', String(quality), '-grayscale', ...process], picture(97, 83, 1)),
      ]),
    ),
  );
  for (const factor of ['2x2', '1x4', '4x4'])
    files[`grey ${factor}`] = cjpeg(['-grayscale', '-sample', factor], picture(97, 83, 1));
  right(files);
});

test('scans in any order: one per component, spectral selection, successive approximation', () => {
  const scripts = {
    'one scan per component': '0;1;2;',
    'the last component first': '2;0;1;',
    'two components together': '0;1 2;',
    'spectral selection': '0 1 2:0-0,0,0;0:1-5,0,0;0:6-63,0,0;1:1-63,0,0;2:1-63,0,0;',
    'successive approximation':
      '0 1 2:0-0,0,2;0 1 2:0-0,2,1;0 1 2:0-0,1,0;0:1-63,0,3;0:1-63,3,2;0:1-63,2,1;0:1-63,1,0;1:1-63,0,1;2:1-63,0,1;2:1-63,1,0;1:1-63,1,0;',
    'one scan per coefficient': `0 1 2:0-0,0,0;${Array.from({ length: 63 }, (_, i) => `0:${i + 1}-${i + 1},0,0;`).join('')}1:1-63,0,0;2:1-63,0,0;`,
  };
  const files = {};
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, 'scans'), script);
    for (const sampling of ['1x1', '2x2', '2x1'])
      for (const more of [[], ['-restart', '2']]) {
        files[`${name} ${sampling} ${more}`] = cjpeg(
          ['-scans', join(folder, 'scans'), '-sample', sampling, '-quality', '90', ...more],
          picture(97, 83),
        );
      }
  }
  right(files);
});

/** Splits a file into markers with their segments and, after SOS, entropy-coded data. @param {Buffer} file */
function parts(file) {
  const found = [];
  for (let at = 2; file[at + 1] !== 0xd9;) {
    const length = 2 + file.readUInt16BE(at + 2);
    let end = at + length;
    if (file[at + 1] === 0xda)
      while (file[end] !== 0xff || file[end + 1] === 0 || (file[end + 1] & 0xf8) === 0xd0) end++;
    found.push({ marker: file[at + 1], bytes: file.subarray(at, end), length });
    at = end;
  }
  return found;
}

const SOI = Buffer.of(0xff, 0xd8),
  EOI = Buffer.of(0xff, 0xd9);
const segment = (marker, body) =>
  Buffer.concat([Buffer.of(0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255), body]);
const adobe = (transform) =>
  segment(0xee, Buffer.concat([Buffer.from('Adobe'), Buffer.of(0, 100, 0, 0, 0, 0, transform)]));
/** The file with more segments after SOI. */
const dressed = (file, ...more) => Buffer.concat([SOI, ...more, file.subarray(2)]);

/** Joins grey files of one size into one file with a scan per component.
 *  @param {Buffer[]} greys @param {number[]} ids of the components @param {Buffer[]} more segments */
function together(greys, ids, ...more) {
  const all = greys.map((one) => parts(one)),
    of = (marker) => all[0].filter((one) => one.marker === marker).map(({ bytes }) => bytes);
  const [frame] = of(0xc0),
    size = frame.subarray(4, 9);
  const channels = Buffer.concat(ids.map((id) => Buffer.of(id, 0x11, 0)));
  const scans = all.map((own, i) => {
    const { bytes, length } = own.find(({ marker }) => marker === 0xda);
    return Buffer.concat([segment(0xda, Buffer.of(1, ids[i], 0, 0, 63, 0)), bytes.subarray(length)]);
  });
  return Buffer.concat([
    SOI,
    ...more,
    ...of(0xdb),
    ...of(0xc4),
    segment(0xc0, Buffer.concat([size, Buffer.of(ids.length), channels])),
    ...scans,
    EOI,
  ]);
}

/** Decodes with jpeg-js, in the engine's grey; djpeg does not decode four components. */
function other(bytes) {
  const { width, height, data: rgb } = jpeg.decode(bytes, { useTArray: true, formatAsRGBA: false });
  return {
    width,
    height,
    pixels: Uint16Array.from({ length: width * height }, (_, i) => grey(...[0, 1, 2].map((c) => rgb[3 * i + c] * 257))),
  };
}

test('colour spaces: Adobe’s marker, component identifiers, three and four components', () => {
  const greys = [0, 1, 2, 3].map((c) =>
    cjpeg(
      ['-grayscale', '-quality', '95'],
      picture(97, 83, 1, (x, y) => shade(x, y, c * 2)),
    ),
  );
  const three = greys.slice(0, 3);
  right({
    'YCC without a marker': together(three, [1, 2, 3]),
    'YCC by JFIF': together(three, [1, 2, 3], segment(0xe0, Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1'))),
    'YCC by Adobe': together(three, [1, 2, 3], adobe(1)),
    'RGB by Adobe': together(three, [1, 2, 3], adobe(0)),
    'RGB by identifier': together(three, [82, 71, 66]),
    'identifiers from 0': together(three, [0, 1, 2]),
    'identifiers without order': together(three, [7, 3, 200]),
  });
  const four = { CMYK: together(greys, [1, 2, 3, 4], adobe(0)), YCCK: together(greys, [1, 2, 3, 4], adobe(2)) };
  const films = decodeBytes(Object.values(four));
  Object.entries(four).forEach(([name, bytes], i) => {
    assert.equal(films[i].code, 'ok', name);
    assert.ok(worst(films[i], other(bytes)) <= LIMIT, `${name}: ${worst(films[i], other(bytes))}`);
  });
  assert.notDeepEqual(films[0].pixels, films[1].pixels);
  refused({ 'two components': together(greys.slice(0, 2), [1, 2]) }, 'image-unsupported');
  refused({ 'five components': together([...greys, greys[0]], [1, 2, 3, 4, 5]) }, 'image-unsupported');
});

test('comments, profiles, unknown segments and fill bytes change nothing', () => {
  const plain = cjpeg(['-quality', '90'], picture(97, 83)),
    progressive = cjpeg(['-progressive', '-quality', '90'], picture(97, 83));
  const long = Buffer.alloc(65533, 0xff),
    thumbnail = Buffer.concat([Buffer.from('Exif\0\0MM\0*\0\0\0\x08\0\0', 'latin1'), cjpeg([], picture(64, 64))]);
  const more = {
    comment: [segment(0xfe, Buffer.from('a'))],
    'a long comment': [segment(0xfe, long)],
    'an empty comment': [segment(0xfe, Buffer.alloc(0))],
    'a profile in three segments': [1, 2, 3].map((n) =>
      segment(0xe2, Buffer.concat([Buffer.from('ICC_PROFILE\0'), Buffer.of(n, 3), Buffer.alloc(9000)])),
    ),
    'every APPn': Array.from({ length: 16 }, (_, n) =>
      n === 14 ? Buffer.alloc(0) : segment(0xe0 + n, Buffer.from('unknown to us')),
    ),
    'a thumbnail in EXIF': [segment(0xe1, thumbnail)],
    'fill bytes': [Buffer.alloc(7, 0xff)],
  };
  const filled = (file) =>
    Buffer.concat([SOI, ...parts(file).flatMap(({ bytes }) => [Buffer.of(0xff, 0xff), bytes]), Buffer.of(0xff), EOI]);
  for (const [file, name] of [
    [plain, 'baseline'],
    [progressive, 'progressive'],
  ]) {
    const [film] = decodeBytes([file]);
    const files = [
      ...Object.entries(more).map(([key, segments]) => [key, dressed(file, ...segments)]),
      ['fill bytes everywhere', filled(file)],
      ['bytes behind the end', Buffer.concat([file, Buffer.alloc(999, 0xff), file])],
    ];
    decodeBytes(files.map(([, bytes]) => bytes)).forEach((one, i) =>
      assert.deepEqual(one, film, `${name}: ${files[i][0]}`),
    );
  }
});

test('what libjpeg forgives between segments changes nothing', () => {
  const plain = cjpeg(['-quality', '90'], picture(97, 83)),
    progressive = cjpeg(['-progressive', '-quality', '90'], picture(97, 83)),
    xmp = Buffer.from('http://ns.adobe.com/xap/1.0/\0<x/>');
  const short = (marker, length) => Buffer.concat([Buffer.of(0xff, marker, 0, length), xmp]);
  /** The file with these bytes before the segment of this number. */
  const before = (file, number, bytes) =>
    Buffer.concat([SOI, ...parts(file).flatMap((one, i) => (i === number ? [bytes, one.bytes] : [one.bytes])), EOI]);
  for (const file of [plain, progressive]) {
    const files = {};
    for (let i = 1; i < parts(file).length; i++)
      for (const stray of [Buffer.of(0), Buffer.of(0x11, 0x22, 0x33), Buffer.of(0xff, 0, 7), Buffer.alloc(999, 1)])
        files[`${stray.toString('hex', 0, 4)} before segment ${i}`] = before(file, i, stray);
    for (const marker of [0xe0, 0xe1, 0xee, 0xef, 0xfe])
      for (const length of [0, 1, 2, 20])
        files[`${marker} of length ${length}`] = before(file, 1, short(marker, length));
    files['TEM and a restart marker'] = before(file, 1, Buffer.of(0xff, 1, 0xff, 0xd3));
    files['stray bytes before the end'] = Buffer.concat([file.subarray(0, -2), EOI.subarray(0, 1), EOI]);
    const [film, ...films] = decodeBytes([file, ...Object.values(files)]);
    Object.keys(files).forEach((name, i) => assert.deepEqual(films[i], film, name));
  }
  const colour = cjpeg(['-quality', '90'], picture(97, 83)),
    same = Buffer.from(colour),
    frame = same.indexOf(Buffer.of(0xff, 0xc0)),
    scan = same.indexOf(Buffer.of(0xff, 0xda));
  for (let i = 0; i < 3; i++) {
    same[frame + 10 + 3 * i] = 1;
    same[scan + 5 + 2 * i] = 1;
  }
  const [film, renumbered] = decodeBytes([colour, same]);
  assert.deepEqual(renumbered, film, 'three components of one number');
});

test('a sequential file without Huffman tables, as in Motion JPEG, is read by the standard ones', () => {
  const without = (file, keep) =>
    Buffer.concat([
      SOI,
      ...parts(file)
        .filter((one) => one.marker !== 0xc4 || keep(one.bytes[4]))
        .map(({ bytes }) => bytes),
      EOI,
    ]);
  const all = [cjpeg(['-quality', '90'], picture(97, 83)), cjpeg(['-grayscale', '-restart', '2'], picture(97, 83, 1))];
  for (const plain of all)
    for (const keep of [() => false, (table) => table === 0, (table) => table === 0x10]) {
      const [film, bare] = decodeBytes([plain, without(plain, keep)]);
      assert.deepEqual(bare, film);
    }
  refused({ progressive: without(cjpeg(['-progressive'], picture(97, 83)), () => false) }, 'image-damaged');
});

test('of two EXIF segments the first counts', () => {
  const plain = cjpeg(['-grayscale'], picture(97, 83, 1)),
    exif = (n) =>
      segment(
        0xe1,
        Buffer.from(`Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0${String.fromCharCode(n)}\0\0`, 'latin1'),
      );
  const [film, turned] = decodeBytes([dressed(plain, exif(6), exif(1)), dressed(plain, exif(6))]);
  assert.deepEqual(film, turned);
  assert.equal(film.width, 83);
});

test('EXIF orientation turns a subsampled picture of odd size like djpeg’s pixels', () => {
  const plain = cjpeg(['-quality', '95', '-sample', '2x2'], picture(97, 83)),
    upright = witness(['djpeg', '-pnm'], plain),
    { width: w, height: h } = upright;
  const place = {
    1: (x, y) => [x, y],
    2: (x, y) => [w - 1 - x, y],
    3: (x, y) => [w - 1 - x, h - 1 - y],
    4: (x, y) => [x, h - 1 - y],
    5: (x, y) => [y, x],
    6: (x, y) => [y, h - 1 - x],
    7: (x, y) => [w - 1 - y, h - 1 - x],
    8: (x, y) => [w - 1 - y, x],
  }; // where an upright pixel is stored (EXIF 2.3, tag 0x0112)
  const exif = (n) =>
    segment(
      0xe1,
      Buffer.concat([
        Buffer.from('Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0', 'latin1'),
        Buffer.of(n, 0, 0, 0, 0, 0, 0, 0),
      ]),
    );
  decodeBytes(Object.keys(place).map((n) => dressed(plain, exif(Number(n))))).forEach((film, i) => {
    const [width, height] = i >= 4 ? [h, w] : [w, h];
    const turned = {
      width,
      height,
      pixels: Uint16Array.from({ length: w * h }, (_, n) => {
        const [x, y] = place[i + 1](n % width, Math.floor(n / width));
        return upright.pixels[y * w + x];
      }),
    };
    assert.ok(worst(film, turned) <= LIMIT, `orientation ${i + 1}`);
  });
});

test('arithmetic, lossless, 12-bit and hierarchical files are unsupported, each for its own reason', () => {
  const stream = (options, bits) => {
    const pixels =
      bits > 8
        ? Uint16Array.from({ length: 64 * 64 }, (_, i) => i & 4095)
        : Uint8Array.from({ length: 64 * 64 }, (_, i) => i & 255);
    writeFileSync(join(folder, 'in.dcm'), dicomFile({ width: 64, height: 64, pixels, bits }));
    execFileSync('dcmcjpeg', [...options, join(folder, 'in.dcm'), join(folder, 'out.dcm')], { stdio: 'pipe' });
    const { bytes, pixels: encapsulated } = open(new Uint8Array(readFileSync(join(folder, 'out.dcm'))));
    return Buffer.concat(fragments(bytes, encapsulated.at).slice(1));
  };
  const plain = cjpeg([], picture(97, 83)),
    at = plain.indexOf(Buffer.of(0xff, 0xc0)) + 1;
  const process = (marker) => {
    const copy = Buffer.from(plain);
    copy[at] = marker;
    return copy;
  };
  const ofMarkers = (...markers) => Object.fromEntries(markers.map((marker) => [marker.toString(16), process(marker)]));
  const kinds = {
    arithmetic: {
      sequential: cjpeg(['-arithmetic'], picture(97, 83)),
      progressive: cjpeg(['-arithmetic', '-progressive'], picture(97, 83)),
      ...ofMarkers(0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf),
    },
    depth: {
      'lossless, 8 bits': stream(['+e1'], 8),
      'lossless, 12 bits': stream(['+el', '+sv', '6'], 12),
      'extended, 12 bits': stream(['+ee'], 12),
      ...ofMarkers(0xc3),
    },
    jpegLs: { 'JPEG-LS': Buffer.concat([SOI, segment(0xf7, Buffer.from([8, 0, 64, 0, 64, 1, 1, 17, 0])), EOI]) },
    other: {
      hierarchical: Buffer.concat([SOI, segment(0xde, Buffer.from([8, 0, 64, 0, 64, 1, 1, 17, 0])), EOI]),
      ...ofMarkers(0xc5, 0xc6, 0xc7),
    },
  };
  for (const [reason, files] of Object.entries(kinds)) refused(files, 'image-unsupported', REASON[reason]);
});

test('what is missing or broken is damage, and never grey in its place', () => {
  const colour = cjpeg(['-quality', '90', '-restart', '1'], picture(97, 83)),
    all = parts(colour);
  const without = (marker) =>
    Buffer.concat([SOI, ...all.filter((one) => one.marker !== marker).map(({ bytes }) => bytes), EOI]);
  const scan = colour.indexOf(Buffer.of(0xff, 0xda)),
    restarts = [...colour.keys()].filter((i) => i > scan && colour[i] === 0xff && (colour[i + 1] & 0xf8) === 0xd0);
  const [frame] = all.filter(({ marker }) => marker === 0xc0),
    edited = (offset, ...values) => {
      const copy = Buffer.from(colour);
      copy.set(values, colour.indexOf(frame.bytes) + offset);
      return copy;
    };
  refused(
    {
      'no frame': without(0xc0),
      'no scan': without(0xda),
      'two frames': dressed(colour, frame.bytes),
      'a cut segment': Buffer.concat([SOI, Buffer.of(0xff, 0xdb, 0, 67, 0)]),
      'no end': colour.subarray(0, -2),
      'no components': edited(9, 0),
      'a missing quantisation table': edited(12, 7),
      'a factor of 0': edited(11, 0),
      'a factor of 5': edited(11, 0x51),
      'a scan cut off before its end': Buffer.concat([colour.subarray(0, restarts[3]), EOI]),
      'a lost interval between two restarts': Buffer.concat([
        colour.subarray(0, restarts[1]),
        colour.subarray(restarts[2]),
      ]),
      'two exchanged intervals': Buffer.concat([
        colour.subarray(0, restarts[1]),
        colour.subarray(restarts[2], restarts[3]),
        colour.subarray(restarts[1], restarts[2]),
        colour.subarray(restarts[3]),
      ]),
      'restarts without DRI': without(0xdd),
    },
    'image-damaged',
  );
  refused({ 'no height before the scan': edited(5, 0, 0) }, 'image-unsupported');
  refused({ 'no width': edited(7, 0, 0) }, 'image-too-small');
  refused({ 'a side of 65535': edited(5, 255, 255, 255, 255) }, 'image-too-large');
});

test('a scan without its last byte is damaged, in every process and order of scans', () => {
  writeFileSync(
    join(folder, 'scans'),
    '0 1 2:0-0,0,1;0:1-5,0,2;2:1-63,0,1;1:1-63,0,1;0:6-63,0,2;0:1-63,2,1;0 1 2:0-0,1,0;2:1-63,1,0;1:1-63,1,0;0:1-63,1,0;',
  );
  const files = {};
  for (const process of [
    [],
    ['-optimize'],
    ['-restart', '3B'],
    ['-progressive'],
    ['-progressive', '-restart', '2'],
    ['-scans', join(folder, 'scans')],
    ['-grayscale'],
  ])
    for (const sampling of ['1x1', '2x2', '1x2']) {
      const file = cjpeg([...process, '-sample', sampling, '-quality', '90'], picture(97, 83)),
        all = parts(file);
      for (const [i, { marker }] of all.entries()) {
        if (marker !== 0xda) continue;
        files[`${process} ${sampling}, part ${i}`] = Buffer.concat([
          SOI,
          ...all.map(({ bytes }, j) => (j < i || j > i ? bytes : bytes.subarray(0, bytes.at(-2) === 0xff ? -2 : -1))),
          EOI,
        ]);
      }
    }
  assert.equal(Object.keys(files).length, 102);
  refused(files, 'image-damaged');
});

test('grey, colour, progressive and CMYK files by Pillow agree with jpeg-js within 2 levels', () => {
  const paths = ['grey', 'colour', 'progressive', 'cmyk'].map((name) => join(fixtures, `${name}.jpg`));
  decode(paths).forEach((film, i) => assert.ok(worst(film, other(readFileSync(paths[i]))) <= LIMIT, paths[i]));
});

test('real films agree with another decoder within 2 levels', (t) => {
  if (missing(t)) return;
  const paths = readdirSync(join(data, 'images')).flatMap((source) => {
    const all = readdirSync(join(data, 'images', source))
      .filter((name) => name.endsWith('.jpg'))
      .sort();
    return [0.1, 0.5, 0.9].map((at) => join(data, 'images', source, all[Math.floor(at * all.length)]));
  });
  decode(paths).forEach((film, i) =>
    assert.ok(worst(film, witness(['djpeg', '-pnm'], readFileSync(paths[i]))) <= LIMIT, paths[i]),
  );
});
