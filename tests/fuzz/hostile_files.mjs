// Hostile DICOM files, archives, overlays, tables and records, made by rule from whole ones, and what must become of them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import { applyAdapter } from '../../src/weights/adapter.mjs';
import { fragments, open } from '../../src/dicom/dataset.mjs';
import { createDicomReader, hashPatient, listTags } from '../../src/dicom/reader.mjs';
import { createEngine, PleuraError } from '../../src/engine.mjs';
import { evaluationMarkdown } from '../../src/cli/evaluation_markdown.mjs';
import { films } from '../../src/cli/paths.mjs';
import {
  floatTensor,
  floatValue,
  floatValues,
  readGguf,
  textValue,
  textValues,
  writeGguf,
} from '../../src/weights/gguf.mjs';
import { readLabels } from '../../src/cli/labels.mjs';
import { openResume } from '../../src/cli/resume.mjs';
import { mergedLines } from '../../src/cli/commands/merge.mjs';
import { CommandError, ReadError } from '../../src/node/errors.mjs';
import { createReader } from '../../src/node/read.mjs';
import { toJson, toRecord } from '../../src/result/record.mjs';
import { heading } from '../../src/node/shards.mjs';
import { loadCodec, sha256 } from '../../src/node/assets.mjs';
import { isDicom } from '../../src/sniff.mjs';
import { report } from '../../src/stats/evaluation.mjs';
import { dicomFile, encapsulated } from '../dicom/file.mjs';
import { png } from '../image/png.mjs';

configure({ useWebWorkers: false });
const part = (name) => new Uint8Array(readFileSync(new URL(`../../${name}`, import.meta.url)));
const weights = part('tests/fixtures/tiny.gguf'),
  base = sha256(weights),
  wasm = await WebAssembly.compile(part('build/pleura.wasm'));
const engine = await createEngine({ wasm, weights });
const folder = mkdtempSync(join(tmpdir(), 'pleura-hostile-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** @typedef {() => number} Rng  0 <= x < 1 */
const below = (rng, n) => Math.floor(rng() * n);
const pick = (rng, all) => all[below(rng, all.length)];
const chance = (rng, p) => rng() < p;
const some = (rng, most, act) => {
  for (let n = below(rng, most); n >= 0; n--) act();
};

const NUMBERS = [
  0, 1, 2, 3, 7, 8, 9, 12, 15, 16, 17, 31, 32, 63, 64, 65, 127, 255, 256, 4095, 4096, 32767, 32768, 65534, 65535,
];
const LARGE = [...NUMBERS, 1e6, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, -1, -2, 0.5, NaN, Infinity, 1e308];
const TEXTS = [
  '',
  ' ',
  '0',
  '-1',
  '1e999',
  '1e-300',
  '99999999999999999999',
  'NaN',
  '\\',
  '1\\2\\3',
  'x'.repeat(3000),
  '\0',
  '\n',
  '\x1b[2J',
  '=1+1',
  '\u202e',
  '__proto__',
  'constructor',
  '../../x',
  'ISO 2022 IR 87',
  '1.2.840.10008.1.2.4.90',
];

/** Bytes overwritten, cut out, doubled, or the end cut off. @param {Rng} rng @param {Uint8Array} bytes */
function flipped(rng, bytes) {
  let data = Buffer.from(bytes);
  some(rng, 6, () => {
    if (!data.length) return;
    const at = below(rng, chance(rng, 0.5) ? data.length : Math.min(data.length, 1500)),
      kind = below(rng, 9);
    if (kind < 5) data[at] = pick(rng, [0, 255, 127, 128, below(rng, 256), data[at] ^ (1 << below(rng, 8))]);
    else if (kind === 5 && at + 4 <= data.length)
      data.writeUInt32LE(pick(rng, [0, 1, 0xffffffff, 0x7fffffff, data.length, below(rng, 2 ** 32)]), at);
    else if (kind === 6 && at + 2 <= data.length) data.writeUInt16BE(pick(rng, NUMBERS), at);
    else if (kind === 7)
      data = Buffer.concat([data.subarray(0, at), data.subarray(at, at + below(rng, 64)), data.subarray(at)]);
    else data = Buffer.concat([data.subarray(0, at), data.subarray(at + pick(rng, [1, 8, 64, data.length]))]);
  });
  return new Uint8Array(data);
}

/** The code of a failure that a person can be told; any other error is thrown on. */
function told(error) {
  if (!(error instanceof PleuraError || error instanceof ReadError || error instanceof CommandError)) throw error;
  assert.match(error.message, /^\S.*\.$/s, 'a sentence');
  assert.ok(error.code || error instanceof CommandError);
  return error.code ?? 'command';
}

const SIDE = 64;
const grey = Uint16Array.from({ length: SIDE * SIDE }, (_, i) => ((i % SIDE) * 60 + ((i * 7919) & 31)) & 4095);

/** Whole films as other programs code them: the syntax, the bits, the stream of the frame. */
function codedFilms() {
  const coders = [
    ['dcmcrle'],
    ['dcmcjpeg', '+eb'],
    ['dcmcjpeg', '+ee'],
    ['dcmcjpeg', '+e1'],
    ['dcmcjpeg', '+el', '+sv', '7'],
    ['dcmcjpls'],
    ['dcmcjpls', '+en'],
    ['gdcmconv', '--j2k'],
  ];
  return coders.map(([tool, ...options]) => {
    const bits = options[0] === '+eb' ? 8 : 12,
      from = join(folder, 'from'),
      to = join(folder, 'to');
    writeFileSync(
      from,
      dicomFile({ width: SIDE, height: SIDE, bits, pixels: bits === 8 ? Uint8Array.from(grey, (v) => v >> 4) : grey }),
    );
    execFileSync(tool, [...options, from, to], { stdio: 'pipe' });
    const source = open(new Uint8Array(readFileSync(to)));
    return { syntax: source.syntax, bits, stream: Buffer.concat(fragments(source.bytes, source.pixels.at).slice(1)) };
  });
}

/** The same by the encoder of high throughput. */
async function highThroughput() {
  const openjph = await createRequire(import.meta.url)('@cornerstonejs/codec-openjph/wasmjs')(),
    encoder = new openjph.HTJ2KEncoder();
  encoder
    .getDecodedBuffer({
      width: SIDE,
      height: SIDE,
      bitsPerSample: 12,
      componentCount: 1,
      isSigned: false,
      isUsingColorTransform: false,
    })
    .set(new Uint8Array(grey.buffer));
  encoder.setQuality(true, 0);
  encoder.encode();
  return { syntax: '1.2.840.10008.1.2.4.201', bits: 12, stream: Buffer.from(encoder.getEncodedBuffer()) };
}

const CODES = [
  'MONOCHROME1',
  'MONOCHROME2',
  'RGB',
  'YBR_FULL',
  'YBR_FULL_422',
  'YBR_ICT',
  'YBR_RCT',
  'PALETTE COLOR',
  'CMYK',
  'SIGMOID',
  'LINEAR_EXACT',
  'INVERSE',
  'A\\F',
  'LL',
  'CT',
  ...TEXTS,
];
const TAGS = {
  US: [
    '00280002',
    '00280006',
    '00280010',
    '00280011',
    '00280100',
    '00280101',
    '00280102',
    '00280103',
    '00280120',
    '00280121',
    '00281101',
    '00281102',
    '00281103',
  ],
  CS: ['00280004', '00080060', '00080068', '00180015', '00185101', '00281056', '20500020', '00200020', '00080005'],
  DS: ['00281050', '00281051', '00281052', '00281053', '00280008'],
  LO: ['00100010', '00100020', '00080070', '00080016'],
  SQ: ['00283000', '00283010', '00540220', '00081140'],
  OW: ['00281201', '00281202', '00281203', '7fe00008', '7fe00009'],
};

/** Tags with values that nobody writes, or of another kind than theirs. @param {Rng} rng @returns {Record<string, any>} */
function oddTags(rng, depth = 0) {
  const tags = {};
  some(rng, 4, () => {
    const own = pick(rng, Object.keys(TAGS)),
      vr = chance(rng, 0.15) ? pick(rng, Object.keys(TAGS)) : own;
    tags[pick(rng, TAGS[own])] = chance(rng, 0.1)
      ? null
      : [
          vr,
          {
            US: () => Array.from({ length: pick(rng, [0, 1, 1, 1, 2, 3]) }, () => pick(rng, NUMBERS)),
            CS: () => pick(rng, CODES),
            LO: () => pick(rng, TEXTS),
            DS: () => pick(rng, [...TEXTS, ...LARGE.map(String), '2048\\0', '1.5e3']),
            OW: () => new Uint16Array(pick(rng, [0, 1, 255, 256, 65536])),
            SQ: () =>
              Array.from({ length: pick(rng, [0, 1, 1, 2]) }, () =>
                depth > pick(rng, [1, 1, 200])
                  ? {}
                  : {
                      '00283002': ['US', [pick(rng, NUMBERS), pick(rng, NUMBERS), pick(rng, NUMBERS)]],
                      '00283006': ['US', new Uint16Array(pick(rng, [0, 1, 9, 256, 4096]))],
                      '00080104': ['LO', pick(rng, TEXTS)],
                      ...oddTags(rng, depth + 1),
                    },
              ),
          }[vr](),
        ];
  });
  return tags;
}

async function dicomTarget() {
  const coded = [...codedFilms(), await highThroughput()],
    read = createDicomReader({ engine, loadCodec });
  const native = [
    '1.2.840.10008.1.2',
    '1.2.840.10008.1.2.1',
    '1.2.840.10008.1.2.2',
    '1.2.840.10008.1.2.1.99',
    '1.2.840.10008.1.2.4.102',
    '',
    '9'.repeat(300),
  ];
  return {
    /** @param {Rng} rng */
    make(rng) {
      const { syntax, bits, stream } = pick(rng, coded),
        hurt = chance(rng, 0.4) ? flipped(rng, stream) : stream;
      const tags = chance(rng, 0.7) ? oddTags(rng) : {},
        preamble = chance(rng, 0.9);
      const cuts = chance(rng, 0.2)
        ? [hurt.subarray(0, below(rng, hurt.length + 1)), hurt.subarray(below(rng, hurt.length + 1))]
        : [hurt];
      const offsets = chance(rng, 0.2) ? Array.from({ length: below(rng, 4) }, () => below(rng, 2 ** 32)) : [];
      const file = chance(rng, 0.3)
        ? dicomFile({ width: SIDE, height: SIDE, bits: 12, pixels: grey, tags, preamble, syntax: pick(rng, native) })
        : dicomFile({
            width: SIDE,
            height: SIDE,
            bits,
            tags,
            preamble,
            syntax: chance(rng, 0.9) ? syntax : pick(rng, coded).syntax,
            pixelElement: encapsulated(cuts, offsets),
          });
      return chance(rng, 0.4) ? flipped(rng, file) : new Uint8Array(file);
    },
    async run(bytes) {
      isDicom(bytes);
      const outcome = async () => {
        try {
          for (const { name, value } of listTags(bytes)) assert.equal(typeof name + typeof value, 'stringstring');
          hashPatient(bytes, sha256);
          const { film, dicom } = await read(bytes);
          const record = toRecord('x', { ...engine.diagnose(film), dicom, sha256: '' }, 'm');
          return record.verdict === 'refused' ? record.gate.reason : 'answered';
        } catch (error) {
          return told(error);
        }
      };
      const first = await outcome();
      if (bytes.length % 4 === 0) assert.equal(await outcome(), first, 'the same again');
      return first;
    },
  };
}

const SIGNATURES = ['PK\x03\x04', 'PK\x01\x02', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07', 'PK\x07\x08'];

function zipTarget() {
  const film = png({ width: SIDE, height: SIDE }, (x, y) => [(x * 3 + y) & 255]),
    path = join(folder, 'hostile.zip');
  const names = [
    'a.png',
    'b/c.png',
    '../up.png',
    '/root.png',
    'C:\\x.png',
    'inner.zip',
    '.hidden.png',
    'x'.repeat(3000) + '.png',
    '\0.png',
    'a\nb.png',
    'é.png',
    'film.',
    'd/',
    '__proto__',
    'DICOMDIR',
  ];
  return {
    async make(rng) {
      const writer = new ZipWriter(new Uint8ArrayWriter(), {
        zip64: chance(rng, 0.2),
        level: pick(rng, [0, 6]),
        dataDescriptor: chance(rng, 0.5),
        keepOrder: true,
        ...(chance(rng, 0.1) && { password: 'x' }),
      });
      const given = new Set(Array.from({ length: 1 + below(rng, 5) }, () => pick(rng, names)));
      for (const name of given)
        await writer
          .add(name, new Uint8ArrayReader(chance(rng, 0.9) ? film : new Uint8Array(pick(rng, [0, 1, 1 << 16]))))
          .catch(() => {}); // some names it will not write
      let bytes = Buffer.from(await writer.close());
      if (chance(rng, 0.8))
        some(rng, 3, () => {
          const at = [...SIGNATURES.keys()]
            .map((i) => bytes.indexOf(SIGNATURES[i], chance(rng, 0.5) ? below(rng, bytes.length) : 0, 'latin1'))
            .filter((place) => place >= 0);
          const field = at.length
            ? pick(rng, at) + pick(rng, [4, 6, 8, 10, 14, 18, 20, 22, 24, 26, 28, 30, 32, 36, 40, 42])
            : bytes.length;
          if (field + 4 > bytes.length) return;
          if (chance(rng, 0.5))
            bytes.writeUInt32LE(
              pick(rng, [
                0,
                1,
                22,
                bytes.length,
                0xffffffff,
                0xfffffffe,
                0x7fffffff,
                1 << 29,
                below(rng, bytes.length),
              ]),
              field,
            );
          else bytes.writeUInt16LE(pick(rng, NUMBERS), field);
        });
      if (chance(rng, 0.3)) bytes = Buffer.from(flipped(rng, bytes));
      if (chance(rng, 0.1))
        bytes = Buffer.concat([Buffer.alloc(below(rng, 300), 'PK\x05\x06'), bytes, Buffer.alloc(below(rng, 70000))]);
      return new Uint8Array(bytes);
    },
    async run(bytes) {
      writeFileSync(path, bytes);
      const read = createReader(),
        ends = new Set();
      const { items } = await films([path]);
      for (const item of items) {
        if (item.code) {
          assert.match(item.message, /\.$/);
          ends.add(item.code);
          continue;
        }
        ends.add(
          await read(item)
            .then((film) => engine.diagnose(film))
            .then(() => 'answered', told),
        );
      }
      return [...ends].sort().join('+');
    },
  };
}

function overlayTarget() {
  const own = readGguf(weights).tensors,
    taken = ['diagnosis.logits.weight', 'diagnosis.logits.bias'];
  const count = ({ dims }) => dims.reduce((product, n) => product * n, 1);
  const whole = () => ({
    values: new Map([
      ['general.architecture', textValue('pleura-overlay')],
      ['pleura.labels', textValues(engine.model.labels)],
      ['pleura.temperature', floatValue(1.5)],
      ['pleura.threshold.certain', floatValue(0.5)],
      ['pleura.prior', floatValues([0.25, 0.25, 0.5])],
      ['pleura.adapted.base', textValue(base)],
      ['pleura.adapted.films', floatValues([20, 20, 20])],
    ]),
    tensors: new Map(
      taken.map((name) => [name, floatTensor(new Float32Array(count(own.get(name))).fill(0.125), own.get(name).dims)]),
    ),
  });
  const floats = [0, -1, 1, 1e-30, 1e30, 3e38, NaN, Infinity, -Infinity];
  return {
    make(rng) {
      const { values, tensors } = whole();
      some(rng, 3, () => {
        const key = pick(rng, [...values.keys(), 'general.alignment', 'pleura.selftest.bits', pick(rng, TEXTS)]),
          name = pick(rng, taken),
          tensor = tensors.get(name),
          kind = below(rng, 8);
        if (kind < 3)
          values.set(
            key,
            [
              () => floatValue(pick(rng, floats)),
              () => floatValues(Array.from({ length: pick(rng, [0, 1, 3, 4, 1000]) }, () => pick(rng, floats))),
              () => textValue(pick(rng, TEXTS)),
              () => textValues(Array.from({ length: below(rng, 5) }, () => pick(rng, TEXTS))),
              () => new Uint8Array(Uint32Array.of(4, pick(rng, [0, 1, 3, 32, 2 ** 31])).buffer),
            ][below(rng, 5)](),
          );
        else if (kind === 3) values.delete(key);
        else if (kind === 4 && tensor) new Float32Array(tensor.data.buffer).fill(pick(rng, floats));
        else if (kind === 5 && tensor)
          tensors.set(name, {
            ...tensor,
            dims: pick(rng, [
              [],
              [0],
              [1],
              [count(tensor)],
              [...tensor.dims].reverse(),
              [2 ** 40, 2 ** 40],
              tensor.dims.slice(1),
            ]),
          });
        else if (kind === 6 && tensor) tensors.set(name, { ...tensor, kind: pick(rng, [0, 1, 2, 8, 24, 255]) });
        else tensors.delete(name);
      });
      const seal = 'pleura.overlay.sha256';
      values.delete(seal);
      const bytes = writeGguf({
        values: new Map(values).set(seal, textValue(sha256(writeGguf({ values, tensors })))),
        tensors,
      });
      return chance(rng, 0.3) ? flipped(rng, bytes) : bytes;
    },
    async run(bytes) {
      try {
        const merged = await applyAdapter(weights, bytes, sha256, base),
          adapted = await createEngine({ wasm, weights: merged });
        const { probability, verdict } = adapted.phantom();
        // Where a network overflows there is no answer.
        for (const p of Object.values(probability))
          assert.ok(
            (p >= 0 && p <= 1) || (Number.isNaN(p) && ['uncertain', 'refused'].includes(verdict)),
            `${verdict} at a probability of ${p}`,
          );
        assert.equal(adapted.model.adapted.base, base);
        return 'applied';
      } catch (error) {
        return told(error);
      }
    },
  };
}

/** A random answer of a model, sometimes an error. @param {Rng} rng */
function randomAnswer(rng) {
  if (chance(rng, 0.1)) return { code: 'image-damaged', message: 'x.' };
  const { labels } = engine.model;
  const p = labels.map(() => rng()),
    sum = p.reduce((a, b) => a + b);
  const gate = { accepted: chance(rng, 0.8), score: 0.5, reason: 'colour' };
  return {
    verdict: gate.accepted ? pick(rng, [...labels, 'uncertain']) : 'refused',
    probability: Object.fromEntries(labels.map((label, i) => [label, p[i] / sum])),
    gate,
  };
}

function csvTarget() {
  const path = join(folder, 'hostile.csv'),
    columns = ['file', 'label', 'split', 'source', 'age', 'patient_id', 'patient_known', ...TEXTS];
  const cells = [
    'covid',
    'normal',
    'pneumonia',
    'a.png',
    '"',
    '""',
    '"a,b"',
    '"a\nb"',
    'a"b',
    ',',
    '\r',
    '\ufeff',
    '<b>',
    '|',
    '40',
    ...TEXTS,
  ];
  return {
    make(rng) {
      const head = [...new Set(['file', 'label', ...Array.from({ length: below(rng, 5) }, () => pick(rng, columns))])];
      const rows = Array.from({ length: below(rng, 30) }, () =>
        Array.from({ length: chance(rng, 0.9) ? head.length : below(rng, 9) }, () => pick(rng, cells)).join(','),
      );
      const text = [chance(rng, 0.95) ? head.join(',') : pick(rng, cells), ...rows].join(
        pick(rng, ['\n', '\n', '\r\n', '\r']),
      );
      const by = chance(rng, 0.7) ? undefined : chance(rng, 0.7) ? pick(rng, head) : pick(rng, TEXTS),
        split = chance(rng, 0.9) ? undefined : pick(rng, ['', 'x', '__proto__']);
      const bytes = chance(rng, 0.2) ? flipped(rng, Buffer.from(text)) : new Uint8Array(Buffer.from(text));
      return { bytes, options: { by, split, json: chance(rng, 0.5) }, seed: rng() };
    },
    async run({ bytes, options, seed }) {
      writeFileSync(path, bytes);
      let state = seed;
      const rng = () => (state = (state * 16807.5 + 0.31) % 1);
      try {
        const { items, columns } = await readLabels({ labels: path, ...options });
        if (seed > 0.1) return 'read'; // the intervals of a table take long
        const films = items.map(({ row }) => ({ row, answer: randomAnswer(rng) })),
          { labels } = engine.model;
        const head = { command: 'pleura', model: 'tiny', notice: 'n', split: options.split ?? null };
        const result = { ...head, ...report(films, labels, columns, undefined, { rounds: 20 }) };
        const text = options.json ? toJson(result) : evaluationMarkdown(result, labels);
        assert.doesNotMatch(text, /undefined|\[object|function |\x1b/);
        if (options.json) JSON.parse(text);
        return 'table';
      } catch (error) {
        return told(error);
      }
    },
  };
}

const HOSTILE_VALUES = [
  null,
  true,
  0,
  -1,
  1,
  2,
  1.5,
  1e9,
  2 ** 32,
  1e308,
  '',
  'x',
  '1/2',
  '0/0',
  '1/99999999999',
  [],
  [1],
  {},
  { toString: 1 },
  'ok',
  'error',
  { covid: 1 },
  '__proto__',
  '\x1b[2J',
];

function recordsTarget() {
  const items = Array.from({ length: 6 }, (_, place) => ({ file: `${place}.png`, place })),
    { labels } = engine.model;
  const answer = { ...engine.phantom(), decoder: 'stb', sha256: base };
  const record = (i) =>
    toRecord(`${i}.png`, i === 3 ? { code: 'image-damaged', message: 'It is damaged.' } : answer, 'm');
  const shard = (index, of) => [
    heading({ index, of }, items, 'm', labels, null),
    ...items.filter(({ place }) => place % of === index - 1).map(({ place }) => ({ place, ...record(place) })),
    { shard: `${index}/${of}`, records: items.filter(({ place }) => place % of === index - 1).length },
  ];

  function spoil(rng, lines) {
    some(rng, 3, () => {
      const at = below(rng, lines.length),
        kind = below(rng, 6);
      if (kind < 3 && lines[at])
        lines[at] = {
          ...lines[at],
          [pick(rng, [
            ...Object.keys(lines[at]),
            'place',
            'films',
            'shard',
            'records',
            'model',
            'prevalence',
            'labels',
            'status',
            'gate',
          ])]: pick(rng, HOSTILE_VALUES),
        };
      else if (kind === 3) lines.splice(at, 1);
      else if (kind === 4) lines.splice(at, 0, lines[below(rng, lines.length)]);
      else lines[at] = pick(rng, HOSTILE_VALUES);
    });
    const text =
      lines.map((line) => (chance(rng, 0.03) ? '['.repeat(20000) : JSON.stringify(line))).join('\n') +
      (chance(rng, 0.9) ? '\n' : '');
    return chance(rng, 0.2) ? flipped(rng, Buffer.from(text)) : new Uint8Array(Buffer.from(text));
  }
  return {
    make(rng) {
      const of = pick(rng, [1, 2, 3]),
        sharded = chance(rng, 0.7);
      const files = sharded
        ? Array.from({ length: of }, (_, i) =>
            chance(rng, 0.6)
              ? spoil(rng, shard(i + 1, of))
              : Buffer.from(
                  shard(i + 1, of)
                    .map((line) => `${JSON.stringify(line)}\n`)
                    .join(''),
                ),
          )
        : [
            spoil(
              rng,
              items.slice(0, 4).map((_, i) => record(i)),
            ),
          ];
      return { files, sharded, csv: chance(rng, 0.5) };
    },
    async run({ files, sharded, csv }) {
      const paths = files.map((bytes, i) => join(folder, `${i}.jsonl`)),
        ends = [];
      files.forEach((bytes, i) => writeFileSync(paths[i], bytes));
      const status = process.exitCode;
      try {
        const rows = [];
        for await (const text of mergedLines(paths, { csv })) rows.push(text);
        ends.push('merged');
      } catch (error) {
        ends.push(told(error));
      }
      process.exitCode = status;
      try {
        const resumed = await openResume(paths[0], items, sharded);
        resumed.begin(
          sharded ? JSON.stringify(heading({ index: 1, of: files.length }, items, 'm', labels, null)) : '',
          'm',
          '',
        );
        for (const { place } of resumed.left) resumed.append(JSON.stringify(record(place)));
        resumed.close();
        ends.push('resumed');
      } catch (error) {
        ends.push(told(error));
      }
      return ends.join('+');
    },
  };
}

/** By name: what is made, and what must become of it. */
export const targets = {
  dicom: await dicomTarget(),
  zip: zipTarget(),
  overlay: overlayTarget(),
  csv: csvTarget(),
  records: recordsTarget(),
};
