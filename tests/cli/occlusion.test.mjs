// --occlusion: heatmaps of networks without a class activation map lie where the evidence is, and their names say how
// they were made.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { createEngine } from '../../src/engine.mjs';
import { occlusionMap } from '../../src/result/occlusion.mjs';
import { png } from '../image/png.mjs';
import { folder, pleura, root, says } from './command.mjs';

const net = join(folder, 'net.gguf');
/** Bright in the upper left quarter and, where the network does not look, in the lower right one. */
const film = png({ width: 120, height: 100 }, (x, y) => [x < 60 === y < 50 ? 200 : 60]);

before(() => {
  execFileSync('/usr/bin/python3', [join(root, 'tests/convert/make_flat.py'), join(folder, 'net.onnx')]);
  const { status, stderr } = pleura(['convert', 'net.onnx', net, '--labels', 'a,b', '--scale', '1/255', '--no-verify']);
  assert.equal(status, 0, stderr);
  writeFileSync(join(folder, 'film.png'), film);
});

test('the map is 1 where the network looks and 0 elsewhere', async () => {
  const wasm = readFileSync(join(root, 'build/pleura.wasm'));
  const engine = await createEngine({ wasm, weights: readFileSync(net) });
  const { heatmapKind, topLabel } = engine.diagnose(film);
  assert.deepEqual([heatmapKind, topLabel], ['none', 'b']);
  const { data, width, height } = occlusionMap(engine, 'b');
  const near = (x, y) => x < width / 2 + 1 && y < height / 2 + 1; // a cover is two places wide
  data.forEach((value, i) => near(i % width, Math.floor(i / width)) || assert.ok(value < 1e-6, `${i}: ${value}`));
  assert.ok(data[0] > 0.5 && Math.max(...data) === 1, `${data[0]}`);
  engine.diagnose(film);
  assert.ok(Math.max(...occlusionMap(engine, 'a').data) < 0.01, 'nothing speaks for the other label');
});

test('the command says that there is no map, draws one on request, and names the method in the file', () => {
  const plain = pleura(['--model', net, 'film.png', '--heatmap', 'plain']);
  says(plain.stderr, /allow no class activation map/, '--occlusion');
  const drawn = pleura(['--model', net, 'film.png', '--heatmap', 'drawn', '--occlusion']);
  assert.equal(drawn.status, 0, drawn.stderr);
  assert.doesNotMatch(drawn.stderr, /class activation map/);
  assert.equal(drawn.stdout, plain.stdout, 'the records stay the same');
  const [name] = readdirSync(join(folder, 'drawn'));
  assert.match(name, /^film-occlusion-[0-9a-f]{16}\.png$/);
  assert.notDeepEqual(
    readFileSync(join(folder, 'drawn', name)),
    readFileSync(join(folder, 'plain', readdirSync(join(folder, 'plain'))[0])),
  );
  const alone = pleura(['--model', net, 'film.png', '--occlusion']);
  assert.equal(alone.status, 2);
  says(alone.stderr, '--heatmap');
});
