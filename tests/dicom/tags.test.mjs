// What a DICOM file says of itself: views and parts that are refused, files that are no films, discs, and patients' tags.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FRONTAL_VIEWS, OTHER_REGIONS, OTHER_VIEWS } from '../../src/dicom/codes.mjs';
import { hashPatient, listTags } from '../../src/dicom/reader.mjs';
import { createEngine } from '../../src/engine.mjs';
import { isDicom } from '../../src/sniff.mjs';
import { folder, root } from '../cli/command.mjs';
import { dicomFile, encapsulated } from './file.mjs';
import { engine, readDicom, tagReason } from './reader.mjs';

engine.phantom();
const { data: pixels, width, height } = engine.film(640);
const plain = { width, height, pixels };

const film = (tags = {}, more = {}) => dicomFile({ ...plain, tags, ...more });
const reason = async (tags) => engine.diagnose((await readDicom(film(tags))).film).gate.reason;

test('tags that contradict a frontal chest film refuse it, each with its own reason', async () => {
  const open = await reason({});
  const meaning = (words) => ['SQ', [{ '00080100': ['SH', 'R-1'], '00080104': ['LO', words] }]];
  const cases = {
    'tag-modality': [
      { '00080060': ['CS', 'CT'] },
      { '00080060': ['CS', 'US'] },
      { '00080060': ['CS', 'MG'] },
      { '00080060': ['CS', 'XA'] },
    ],
    'tag-processing': [{ '00080068': ['CS', 'FOR PROCESSING'] }],
    'tag-body-part': [
      { '00180015': ['CS', 'HAND'] },
      { '00180015': ['CS', 'abdomen '] },
      { '00180015': ['CS', 'T-SPINE'] },
      { '00180015': ['CS', 'LOWER_LEG'] },
    ],
    'tag-view': [
      { '00185101': ['CS', 'LL'] },
      { '00185101': ['CS', 'LATERAL'] },
      { '00185101': ['CS', 'RLD'] },
      { '00185101': ['CS', 'LPO'] },
      { '00540220': meaning('left lateral') },
      { '00200020': ['CS', 'A\\F'] },
    ],
  };
  for (const [code, all] of Object.entries(cases))
    for (const tags of all) assert.equal(await reason(tags), code, JSON.stringify(tags));
  const harmless = [
    { '00080060': ['CS', 'DX'] },
    { '00080060': ['CS', 'OT'] },
    { '00080068': ['CS', 'FOR PRESENTATION'] },
    { '00180015': ['CS', 'CHEST'] },
    { '00180015': ['CS', 'TORAX'] },
    { '00180015': ['CS', ''] },
    { '00185101': ['CS', 'AP'] },
    { '00185101': ['CS', 'PA'] },
    { '00540220': meaning('postero-anterior') },
    { '00200020': ['CS', 'L\\F'] },
  ];
  for (const tags of harmless) assert.equal(await reason(tags), open, JSON.stringify(tags));
});

/** A code sequence of one item. @param {string} value @param {string} meaning @param {string} [element]  of the value */
const coded = (value, meaning = 'egal', element = '00080100') => [
  'SQ',
  [{ [element]: ['SH', value], '00080102': ['SH', 'SCT'], '00080104': ['LO', meaning] }],
];

test('codes decide about view, position and region, whatever the language of their meaning', async () => {
  const decubitus = { '00080100': ['SH', '40199007'], '00540412': coded('102536004') };
  const cases = {
    'tag-view': [
      { '00540220': coded('399173006', 'links anliegend seitlich') },
      { '00540220': coded('R-10236', '左侧位') },
      { '00540220': coded('399067008', '', '00080119') },
      { '00540220': ['SQ', [{}, { '00080100': ['SH', '399135007'] }]] },
      { '00540220': ['SQ', [{ '00080100': ['SH', 'X1'], '00080121': coded('R-102CD') }]] },
      { '00540220': coded('LOCAL-7', 'Left lateral') },
      { '00540410': ['SQ', [decubitus]] },
      { '00185101': ['CS', 'PA\\LL'] },
      { '00200020': ['CS', 'F\\P'] },
      { 52009230: ['SQ', [{ '00209450': ['SQ', [{ '00200020': ['CS', 'A\\F'] }]] }]] },
    ],
    'tag-body-part': [
      { '00082218': coded('72696002') },
      { '00082218': coded('T-D9200') },
      { '00082218': coded('113345001', 'Abdomen') },
      { '00082218': coded('818981001', 'Abdomen') },
      { '00082228': coded('16982005') },
      { '00180015': ['CS', 'CHEST'], '00082218': coded('12921003') },
      { 52009229: ['SQ', [{ '00209071': ['SQ', [{ '00082218': coded('72696002') }]] }]] },
      { 52009230: ['SQ', [{ '00209071': ['SQ', [{ '00082228': coded('72696002') }]] }, {}]] },
    ],
  };
  for (const [code, all] of Object.entries(cases))
    for (const tags of all) assert.equal(await tagReason(film(tags)), code, JSON.stringify(tags));
  const harmless = [
    { '00540220': coded('272479007', 'LATERAL nach hinten') },
    { '00540220': coded('R-10214') },
    { '00540220': coded('399348003', 'antero-posterior') },
    { '00540220': ['SQ', []] },
    { '00082218': coded('51185008') },
    { '00082218': coded('T-D3000') },
    { '00082218': coded('416550000', 'Chest and Abdomen') },
    { '00082218': coded('99-LOCAL', 'Knie') },
    { '00540410': ['SQ', [{ '00080100': ['SH', '10904000'] }]] },
  ];
  for (const tags of harmless) assert.equal(await tagReason(film(tags)), null, JSON.stringify(tags));
});

test('the codes are those of the standard’s lists', () => {
  const script = `import json
from pydicom.sr import _cid_dict as cids, _concepts_dict as concepts, _snomed_dict as snomed
def codes(cid):
    return {code: [meaning, snomed.mapping["SCT"].get(code)] for scheme, names in cids.cid_concepts[cid].items() for name in names
        for code, (meaning, lists) in concepts.concepts[scheme][name].items() if cid in lists}
print(json.dumps({"views": codes(4010), "regions": {**codes(4009), **codes(4031)}}))`;
  const { views, regions } = JSON.parse(execFileSync('/usr/bin/python3', ['-c', script], { encoding: 'utf8' }));
  assert.ok(Object.keys(views).length > 40 && Object.keys(regions).length > 100);
  for (const [code, [meaning, older]] of Object.entries(views)) {
    if (meaning === 'tissue specimen') continue;
    const list = /^(frontal|antero-posterior|postero-anterior)$/.test(meaning) ? FRONTAL_VIEWS : OTHER_VIEWS;
    assert.ok(list.has(code) && (!older || list.has(older)), meaning);
  }
  const chest = /chest|lung|bronch|trachea|heart|mediastinum|esophagus|rib$|entire body|phantom/i;
  for (const [code, [meaning, older]] of Object.entries(regions))
    assert.deepEqual(
      [code, older].filter((one) => one && OTHER_REGIONS.has(one)).length > 0,
      !chest.test(meaning),
      meaning,
    );
});

test('the SOP class says what a film is where its other tags do not', async () => {
  const storage = '1.2.840.10008.5.1.4.1.1';
  const reasons = {
    '.1': null,
    '.1.1': null,
    '.1.1.1': 'tag-processing',
    '.7': null,
    '.7.3': null,
    '.2': 'tag-modality',
    '.4': 'tag-modality',
    '.1.2': 'tag-modality',
    '.12.1': 'tag-modality',
    '.128': 'tag-modality',
  };
  for (const [end, reason] of Object.entries(reasons)) {
    const tags = { '00080016': ['UI', storage + end], '00080060': ['CS', ''] };
    assert.equal(await tagReason(film(tags)), reason, end);
  }
  const inMeta = film({ '00080016': ['UI', `${storage}.2`], '00080060': null });
  const other = inMeta.lastIndexOf(Buffer.from([8, 0, 0x16, 0]));
  inMeta.writeUInt16LE(0x17, other + 2); // the data set does not say it
  assert.equal(await tagReason(inMeta), 'tag-modality');
});

test('a refusal names what decides: the content, then the transfer syntax, then the pixels', async () => {
  const video = { '00280002': ['US', 3], '00280004': ['CS', 'YBR_PARTIAL_420'] };
  const of = (syntax, side, tags) =>
    dicomFile({ width: side, height: side, bits: 8, tags, syntax, pixelElement: encapsulated([Buffer.alloc(64)]) });
  for (const [file, message] of [
    [of('1.2.840.10008.1.2.4.102', 64, video), /MPEG-4/],
    [of('1.2.840.10008.1.2.4.102', 48, video), /MPEG-4/],
    [of('1.2.840.10008.1.2.4.111', 64, { ...video, '00280004': ['CS', 'YBR_FULL_422'] }), /JPEG XL/],
    [of('1.2.840.10008.1.2.4.110', 64, { '00280100': ['US', 32] }), /JPEG XL/],
    [of('1.2.840.10008.1.2.1.98', 64, video), /colour model/],
    [film({}, { pixels: undefined, bits: 8, syntax: '1.2.840.10008.1.2.4.94' }), /JPIP/], // its pixels lie on a server
  ])
    await assert.rejects(readDicom(file), { code: 'dicom-unsupported', message });
});

test('a film refused by its tags has a sentence, no score and reproducible bits', async () => {
  const { film: samples } = await readDicom(film({ '00185101': ['CS', 'LL'] }));
  const { verdict, gate, bits } = engine.diagnose(samples);
  assert.deepEqual([verdict, gate.accepted, gate.score], ['refused', false, 0]);
  assert.match(gate.message, /not a frontal view.*PA or AP/);
  assert.equal(engine.diagnose(samples).bits, bits);
  assert.throws(() => engine.diagnose({ ...samples, tagReason: 'tag-unheard-of' }), TypeError);
  const { tagReason: told, ...named } = samples;
  assert.equal(engine.diagnose({ ...named, told }).bits, bits, 'the former name of tagReason');
  assert.throws(() => engine.diagnose({ ...samples, width: samples.width + 1 }), TypeError);
});

test('body-part tags do not restrict a third-party classifier', async () => {
  const weights = join(folder, 'elsewhere.gguf');
  execFileSync(
    process.execPath,
    [join(root, 'src/cli.mjs'), 'convert', join(root, 'tests/fixtures/convert/vgg.onnx'), weights, '--labels', 'a,b,c'],
    { stdio: 'pipe' },
  );
  const other = await createEngine({
    wasm: readFileSync(join(root, 'build/pleura.wasm')),
    weights: readFileSync(weights),
  });
  const { film: samples } = await readDicom(film({ '00180015': ['CS', 'HAND'] }));
  assert.equal(samples.tagReason, 'tag-body-part');
  assert.equal(other.diagnose(samples).gate.accepted, true);
});

const NO_PIXELS = { '00280010': null, '00280011': null, '00280002': null, '7fe00010': null };
const bare = (sop, syntax) =>
  dicomFile({ width: 0, height: 0, bits: 8, tags: { ...NO_PIXELS, '00080016': ['UI', sop] }, syntax });

test('a file without a film is refused by what it holds', async () => {
  const storage = '1.2.840.10008.5.1.4.1.1';
  const named = [
    [`${storage}.104.1`, /a document/],
    [`${storage}.88.33`, /structured report/],
    [`${storage}.11.1`, /presentation state/],
    [`${storage}.77.1.2.1.1`, /video/],
    [`${storage}.9.1.1`, /waveform/],
    [`${storage}.66.4`, /segmentation/],
    [`${storage}.481.5`, /radiotherapy/],
    ['1.2.3', /no image/],
  ];
  for (const [sop, words] of named)
    await assert.rejects(readDicom(bare(sop)), { code: 'dicom-not-a-film', message: words });
});

test('an unsupported feature is named, a transfer syntax by UID and name', async () => {
  const coded = (syntax, more = {}) =>
    dicomFile({ width: 64, height: 64, bits: 8, syntax, pixelElement: encapsulated([Buffer.alloc(64)]), ...more });
  await assert.rejects(readDicom(coded('1.2.840.10008.1.2.4.102')), {
    code: 'dicom-unsupported',
    message: /1\.2\.840\.10008\.1\.2\.4\.102 \(MPEG-4 AVC/,
  });
  await assert.rejects(readDicom(coded('1.2.840.10008.1.2.4.110')), { message: /JPEG XL Lossless/ });
  await assert.rejects(readDicom(coded('1.2.840.113619.5.2')), {
    message: /1\.2\.840\.113619\.5\.2 \(private or unknown\)/,
  });
  const wide = dicomFile({
    width: 64,
    height: 64,
    pixels: new Uint16Array(64 * 64),
    tags: { '00280100': ['US', 32], '00280101': ['US', 32], '00280102': ['US', 31] },
  });
  await assert.rejects(readDicom(wide), { code: 'dicom-unsupported', message: /32-bit pixels/ });
  const strange = film({ '00280004': ['CS', '\x1b[31mHSV'] });
  await assert.rejects(readDicom(strange), { code: 'dicom-unsupported', message: /^[\x20-\x7e]+$/ });
  const floats = film({ '7fe00010': null, '7fe00008': ['OF', new Uint8Array(16)] }, { pixels: undefined, bits: 8 });
  await assert.rejects(readDicom(floats), { code: 'dicom-unsupported', message: /floating-point/ });
});

test('DICOM is recognised by content, with or without preamble and in either byte order', async () => {
  const files = [film(), film({}, { preamble: false })];
  for (const opening of [
    [0xff, 0xd8, 0xff, 0xe0],
    [0x49, 0x49, 0x2a, 0],
    [0x42, 0x4d],
  ]) {
    // a preamble may be another format's beginning
    const dual = film();
    dual.set(opening);
    files.push(dual);
  }
  for (const option of ['+ti', '+te', '+tb']) {
    const [from, to] = ['in', 'out'].map((name) => join(folder, name));
    writeFileSync(from, film());
    for (const bareness of [[], ['-F']]) {
      execFileSync('dcmconv', [option, ...bareness, from, to]);
      files.push(readFileSync(to));
    }
  }
  const { bits } = engine.diagnose((await readDicom(files[0])).film);
  for (const [i, file] of files.entries()) {
    assert.ok(isDicom(file), `file ${i}`);
    assert.equal(engine.diagnose((await readDicom(file)).film).bits, bits, `file ${i}`);
  }
  const others = [
    'tests/fixtures/grey.jpg',
    'tests/fixtures/grey16.png',
    'model/pleura.gguf',
    'README.md',
    'build/pleura.wasm',
    'package.json',
  ];
  for (const name of others) assert.ok(!isDicom(readFileSync(join(root, name))), name);
  for (let size = 0; size < 132; size++) isDicom(new Uint8Array(size));
});

/** @param {string[]} args */
function pleura(args) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(root, 'src/cli.mjs'), '--json', ...args], {
    encoding: 'utf8',
  });
  return {
    records: stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
    stdout,
    stderr,
    status,
  };
}

const PATIENT = {
  '00100010': ['PN', 'Doe^Jane'],
  '00100020': ['LO', 'ID-4711'],
  '00100030': ['DA', '19700101'],
  '00080080': ['LO', 'St. Elsewhere'],
  '00080020': ['DA', '20200101'],
  '00080030': ['TM', '1200'],
  '00080050': ['SH', 'ACC'],
  '00200010': ['SH', '1'],
  '00200011': ['IS', '1'],
  '00200013': ['IS', '1'],
};

test('the films of a disc are read whatever their names; its DICOMDIR is skipped, and named if it is asked for', () => {
  const disc = join(folder, 'disc');
  mkdirSync(join(disc, 'IMAGES'), { recursive: true });
  writeFileSync(join(disc, 'IMAGES/IM000001'), film(PATIENT));
  execFileSync('dcmmkdir', ['-Pgp', '+I', '+id', disc, '+D', join(disc, 'DICOMDIR'), 'IMAGES/IM000001'], {
    stdio: 'pipe',
  });
  copyFileSync(join(disc, 'IMAGES/IM000001'), join(disc, 'IMAGES/1.2.840.113619.2'));
  writeFileSync(join(disc, 'README'), 'Put this disc into your drive.\n');
  writeFileSync(join(disc, 'AUTORUN.INF'), '[autorun]\n');
  const { records, status } = pleura([disc]);
  assert.deepEqual(
    records.map(({ file, status: is, decoder }) => [file.slice(disc.length), is, decoder]),
    [
      ['/IMAGES/1.2.840.113619.2', 'ok', 'dicom'],
      ['/IMAGES/IM000001', 'ok', 'dicom'],
    ],
  );
  assert.equal(status, 0);
  const index = pleura([join(disc, 'DICOMDIR')]);
  assert.deepEqual([index.status, index.records[0].code], [1, 'dicom-index']);
  assert.match(index.records[0].message, /DICOMDIR of a disc/);
});

test('no patient tag reaches records, messages or the engine', async () => {
  const paths = [
    film(PATIENT),
    film({ ...PATIENT, '00185101': ['CS', 'LL'] }),
    film(PATIENT).subarray(0, 2000),
    film({ ...PATIENT, '00280004': ['CS', 'HSV'] }),
  ].map((bytes, i) => {
    writeFileSync(join(folder, `${i}.dcm`), bytes);
    return join(folder, `${i}.dcm`);
  });
  const { stdout, stderr, records } = pleura(paths);
  assert.deepEqual(
    records.map(({ status, code }) => code ?? status),
    ['ok', 'ok', 'dicom-damaged', 'dicom-unsupported'],
  );
  assert.deepEqual(records[0].dicom, { syntax: '1.2.840.10008.1.2.1', voi: 'none', frames: 1 });
  const { film: samples, dicom } = await readDicom(film(PATIENT));
  for (const text of [stdout, stderr, JSON.stringify({ ...samples, dicom, pixels: null, table: null })])
    assert.doesNotMatch(text, /Doe|Jane|4711|1970|Elsewhere|2020/);
});

test('tags are listed on request, decoded by their character set', () => {
  const value = (file, name) => listTags(file).find((tag) => tag.name === name)?.value;
  assert.equal(value(film(PATIENT), 'Patient’s name'), 'Doe, Jane');
  assert.equal(value(film(PATIENT), 'Patient ID'), 'ID-4711');
  assert.equal(value(film(), 'Patient ID'), undefined);
  const named = (set, bytes) =>
    value(film({ '00080005': ['CS', set], '00100010': ['PN', Uint8Array.from(bytes)] }), 'Patient’s name');
  assert.equal(named('ISO_IR 192', Buffer.from('Müller^Zoë')), 'Müller, Zoë');
  assert.equal(named('ISO_IR 100', Buffer.from('Müller', 'latin1')), 'Müller');
  assert.equal(named('ISO_IR 144', [0xbb, 0xee, 0xda]), 'Люк');
  assert.equal(
    named('\\ISO 2022 IR 87', [...Buffer.from('Yamada='), 0x1b, 0x24, 0x42, 0x3b, 0x33, 0x45, 0x44, 0x1b, 0x28, 0x42]),
    'Yamada (山田)',
  );
  assert.equal(named('ISO_IR 100', Buffer.from('Doe^Jane^A^Dr^PhD==')), 'Doe, Dr Jane A, PhD');
  const tag = (tags, name) => listTags(film(tags)).find((one) => one.name === name);
  assert.deepEqual(tag(PATIENT, 'Birth date'), { name: 'Birth date', value: '1970-01-01', kind: 'date' });
  assert.equal(tag({ '00080022': ['DA', '2020.03.12'] }, 'Acquisition date').value, '2020-03-12');
  assert.equal(tag({ '00080022': ['DA', '20201399'] }, 'Acquisition date').kind, 'text', 'no such month');
  assert.deepEqual(tag({ '00101010': ['AS', '063Y'] }, 'Age'), { name: 'Age', value: '63Y', kind: 'age' });
  for (const set of ['nonsense', '__proto__', 'constructor'])
    assert.equal(named(set, Buffer.from('<b>Doe</b>')), '<b>Doe</b>');
});

test('a file that is cut within a tag lists the tags before it', () => {
  const whole = film(PATIENT),
    at = whole.indexOf('ID-4711');
  const cut = listTags(whole.subarray(0, at + 3));
  assert.deepEqual(
    cut,
    listTags(whole).filter(({ name }) => cut.some((tag) => tag.name === name)),
  );
  assert.ok(cut.some(({ value }) => value === 'Doe, Jane') && !cut.some(({ name }) => name === 'Patient ID'));
  assert.equal(
    hashPatient(whole.subarray(0, at + 3), (bytes) => String(bytes)),
    null,
  );
});

test('an image inside a sequence, such as an icon, is not mistaken for the film', async () => {
  const icon = ['SQ', [{ '00280010': ['US', 4], '00280011': ['US', 4], '7fe00010': ['OW', new Uint8Array(16)] }]];
  const {
    film: { pixels },
  } = await readDicom(film({ '00880200': icon }));
  assert.deepEqual(Uint8Array.from(pixels), plain.pixels);
});
