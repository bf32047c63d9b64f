// The heatmap files of --heatmap: what they show, how they are named, and what happens if they cannot be written.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { createEngine } from '../../src/engine.mjs';
import { OVERLAY, overlayName } from '../../src/node/names.mjs';
import { sha256 } from '../../src/node/assets.mjs';
import { heatPixels } from '../../src/result/heatmap.mjs';
import { bash, film, folder, lines, root, says, tiny, tried } from './command.mjs';
import { png } from '../image/png.mjs';

const at = (...names) => join(folder, ...names);
const good = film(200);
mkdirSync(at('films'));
writeFileSync(at('films/b.png'), good);

test('a heatmap file is the film in grey, coloured where the evidence lies', async () => {
  const { status, stdout } = tried(['films/b.png', '--heatmap', 'out/deep']);
  assert.equal(status, 0);
  assert.equal(stdout, tried(['films/b.png']).stdout, 'the records stay the same');
  const name = `b-${sha256(good).slice(0, 16)}.png`;
  assert.deepEqual(readdirSync(at('out/deep')), [name]);
  const file = readFileSync(at('out/deep', name));
  assert.equal(
    lines(tried([`out/deep/${name}`]).stdout)[0].status,
    'ok',
    'another decoder reads it, checksums and all',
  );
  assert.deepEqual([file.readUInt32BE(16), file.readUInt32BE(20)], [200, 200]);
  const begin = file.indexOf('IDAT') + 4;
  const rows = inflateSync(file.subarray(begin, begin + file.readUInt32BE(begin - 8)));
  const engine = await createEngine({
    wasm: readFileSync(join(root, 'build/pleura.wasm')),
    weights: readFileSync(tiny),
  });
  const { heatmap } = engine.diagnose(good);
  const grey = engine.film(1024).data,
    heat = heatPixels(heatmap, 200, 200);
  let plain = 0,
    coloured = 0;
  for (let i = 0; i < grey.length; i++) {
    const pixel = [...rows.subarray(Math.floor(i / 200) * 601 + 1 + 3 * (i % 200)).subarray(0, 3)];
    const [red, green, blue, alpha] = heat.subarray(4 * i);
    if (alpha === 0) {
      assert.deepEqual(pixel, Array(3).fill(grey[i]));
      plain++;
    } else if (alpha > 100) {
      [red, green, blue].forEach((colour, channel) =>
        assert.ok(Math.abs(pixel[channel] - grey[i] - (alpha / 510) * (colour - grey[i])) <= 1, `${i} ${channel}`),
      );
      coloured++;
    }
  }
  assert.ok(plain && coloured, `${plain} ${coloured}`);
});

test('the heatmap of a large film is scaled down; refused films and errors have none', () => {
  writeFileSync(
    at('wide.png'),
    png({ width: 2048, height: 1024 }, (x, y) => [(x >> 3) ^ ((y >> 3) & 0xff)]),
  );
  writeFileSync(
    at('blank.png'),
    png({ width: 100, height: 100 }, () => [7]),
  );
  writeFileSync(at('letter.png'), 'A letter.');
  const records = lines(tried(['wide.png', 'blank.png', 'letter.png', '--heatmap', 'large']).stdout);
  assert.deepEqual(
    records.map(({ verdict, code }) => code ?? (verdict === 'refused' ? 'refused' : 'answered')),
    ['answered', 'refused', 'not-an-image'],
  );
  const [name, ...more] = readdirSync(at('large'));
  assert.deepEqual(more, []);
  const file = readFileSync(at('large', name));
  assert.deepEqual([file.readUInt32BE(16), file.readUInt32BE(20)], [1024, 512]);
});

test('heatmap names are safe on every system, and no two films share one', () => {
  const hash = 'ab'.repeat(32),
    tail = `${hash.slice(0, 16)}.png`;
  assert.equal(overlayName('films/b.png', hash), `b-${tail}`);
  assert.equal(overlayName('a.zip/../../etc/passwd', hash), `passwd-${tail}`);
  assert.equal(overlayName('..', hash), `-${tail}`);
  assert.equal(overlayName('-', hash), `--${tail}`);
  assert.equal(overlayName('a.zip/C:\\x\\y z\u001b[2J\n.png', hash), `y_z_2J_-${tail}`);
  assert.equal(overlayName('Röntgen \udce9 胸片.jpg', hash), `Röntgen_胸片-${tail}`);
  assert.ok(Buffer.byteLength(overlayName(`${'\u{20000}'.repeat(300)}.png`, hash)) <= 255);
  for (const side of ['left', 'right']) {
    mkdirSync(at(side));
    writeFileSync(at(side, 'same.png'), film(100, side.length));
  }
  tried(['left', 'right', 'left/same.png', '--heatmap', 'both']);
  assert.equal(readdirSync(at('both')).length, 2);
});

test('if heatmaps cannot be written the run stops with a sentence, and continues with --resume', () => {
  writeFileSync(at('file'), '');
  const { status, stdout, stderr } = tried(['films', '--heatmap', 'file/x']);
  assert.deepEqual([status, stdout], [1, '']);
  says(stderr, /^pleura: /, 'file/x', '(ENOTDIR)', '--heatmap');
  mkdirSync(at('full'));
  symlinkSync('/dev/full', at('full', overlayName('films/b.png', sha256(good))));
  const full = tried(['films/b.png', '--heatmap', 'full', '--resume', 'full.jsonl']);
  assert.equal(full.status, 1);
  assert.match(full.stderr, /^pleura: .*b-\w+\.png cannot be written \(ENOSPC\)\./m);
  assert.equal(readFileSync(at('full.jsonl'), 'utf8'), '');
  assert.equal(tried(['films/b.png', '--heatmap', 'room', '--resume', 'full.jsonl']).status, 0);
  assert.equal(readdirSync(at('room')).length, 1);
  assert.equal(tried(['info', '--heatmap', 'x']).status, 2);
  assert.ok(!existsSync(at('x')));
  assert.equal(bash('pleura films --heatmap overlays/ --csv | wc -l').stdout, '2\n');
});

test('heatmaps of one run do not count as films in the next, wherever their folder is; films beside them do', () => {
  const all = ['again/a.png', 'again/b.png', 'again/deeper/c.png'];
  symlinkSync('again/over', at('linked over'));
  for (const [path, heatmap, expected] of /** @type {const} */ ([
    ['again', 'again/over', all],
    ['again/**/*.png', 'linked over', all],
    ['again', 'again/deeper', all],
    ['again/*.png', 'again', all.slice(0, 2)],
  ])) {
    for (const name of ['again', 'again.jsonl']) rmSync(at(name), { recursive: true, force: true });
    for (const name of ['deeper', 'over']) mkdirSync(at('again', name), { recursive: true });
    for (const name of all) writeFileSync(at(name), good);
    for (const run of ['first', 'second']) {
      assert.equal(tried([path, '--heatmap', heatmap, '--resume', 'again.jsonl']).status, 0);
      assert.deepEqual(
        lines(readFileSync(at('again.jsonl'), 'utf8')).map(({ file }) => file),
        expected,
        `${heatmap}, ${run} run`,
      );
    }
    assert.ok(readdirSync(at(heatmap)).some((name) => OVERLAY.test(name)));
  }
});
