// Tests of what the benchmark computes before and after its measurements.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flatten, imageFor, layersOf, parametersFor, products, unflatten } from './graph.mjs';
import { gguf } from './gguf.mjs';
import { common, networks } from './networks.mjs';
import { difference, spread } from './race.mjs';
import { apart, compareRounds, disagreement, entriesOf, jobEntriesOf, jobTable, table } from './report.mjs';
import { performancePage } from './performance.mjs';
import { measureFilm, stepsOf } from './stages.mjs';
import { film, folder } from '../cli/command.mjs';
import { floatWeights } from '../support/float_weights.mjs';
import { createEngine } from '../../src/engine.mjs';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const none = {
  lungs: ['image = input h=8 w=8 c=1', 'mask = conv image k=1 c=1', 'gate = dense mask c=2'],
  diagnosis: [],
};
const TINY = ['image = input h=2 w=1 c=2', 'wide = conv image k=1 c=3 act=relu', 'logits = dense wide c=1'];

test('the networks have the multiply-accumulates and sizes of their papers', () => {
  const all = networks(none),
    of = (name) => layersOf(all[name]),
    size = (name, layer) => of(name).find((one) => one.name === layer);
  const millions = ['vggs', 'mobilenetv2', 'resnet18'].map((name) => Math.round(products(of(name)) / 1e5) / 10);
  assert.deepEqual(millions, [209.5, 299.5, 1813.6]);
  for (const [name, side, channels] of [
    ['vggs', 14, 128],
    ['mobilenetv2', 7, 1280],
  ]) {
    const { h, w, c } = size(name, 'features');
    assert.deepEqual([h, w, c], [side, side, channels]);
  }
  assert.deepEqual(
    all['pleura.lungs'].map((line) => line.split(' ')[0]),
    ['image', 'mask', 'logits'],
  );
});

test('parameters survive the plain file and are the same in each run', () => {
  const layers = layersOf(TINY),
    parameters = parametersFor(layers),
    bytes = flatten(parameters);
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  for (const [layer, { weight, bias }] of unflatten(layers, copy)) {
    assert.deepEqual(weight, parameters.get(layer).weight);
    assert.deepEqual(bias, parameters.get(layer).bias);
  }
  assert.deepEqual(flatten(parametersFor(layers)), bytes);
});

test('the engine computes with a written network what its parameters say', async () => {
  const layers = layersOf(TINY),
    parameters = parametersFor(layers),
    image = imageFor(layers);
  const wasm = readFileSync(new URL('../../build/pleura.wasm', import.meta.url));
  const engine = await createEngine({ wasm, weights: gguf(TINY, layers, parameters) });
  const [wide, dense] = [...parameters.values()];
  let expected = dense.bias[0];
  for (let pixel = 0; pixel < 2; pixel++) {
    for (let o = 0; o < 3; o++) {
      const sum = wide.bias[o] + image[pixel * 2] * wide.weight[o] + image[pixel * 2 + 1] * wide.weight[3 + o];
      expected += Math.max(0, sum) * dense.weight[pixel * 3 + o];
    }
  }
  assert.ok(difference(engine.run(image), [expected]) < 1e-6);
});

test('a spread is the median with the extremes', () => {
  assert.deepEqual(spread([5, 1, 3]), { median: 3, least: 1, most: 5 });
  assert.deepEqual(spread([4, 1, 3, 2]), { median: 2.5, least: 1, most: 4 });
});

test('outputs are compared in units of the largest value; NaN or a wrong length differs infinitely', () => {
  assert.equal(difference([1, 2.5], [1, 2]), 0.25);
  assert.equal(difference([NaN, 2], [1, 2]), Infinity);
  assert.equal(difference([1], [1, 2]), Infinity);
  assert.equal(disagreement({ outputs: { a: [1, 2], b: [1, 2], c: [1, 3], d: [9, 9] } }, ['a', 'b', 'c']), 0.5);
});

test('a record holds medians, and the share of the peak from the best run of each', () => {
  const race = { ms: { pleura: [10, 20, 40] }, cpuMs: { pleura: [] }, peak: [40, 50], outputs: {} };
  const facts = { network: 'vggs', where: 'chromium', products: 100e6, versions: { pleura: '1.2.3' } };
  assert.deepEqual(
    entriesOf(race, facts, { bytes: { pleura: 7 }, first: { pleura: { median: 12.34, least: 9, most: 20 } } }),
    [
      {
        runtime: 'pleura',
        version: '1.2.3',
        network: 'vggs',
        where: 'chromium',
        threads: 1,
        ms: 20,
        least_ms: 10,
        most_ms: 40,
        cpu_ms: null,
        gflops: 10,
        share_of_peak: 0.4,
        bytes_brotli: 7,
        first_result_ms: 12.3,
        rss_mb: null,
      },
    ],
  );
});

test('the shipped graphs are among the networks, and every layer that they read is there', async () => {
  const wasm = readFileSync(new URL('../../build/pleura.wasm', import.meta.url));
  const { model } = await createEngine({ wasm, weights: await floatWeights() });
  const all = networks(model.graphs),
    sizes = ['pleura.lungs', 'pleura.diagnosis'].map((name) => [...parametersFor(layersOf(all[name])).values()].length);
  assert.deepEqual(sizes, [16, 36]);
});

test('the page of figures pairs each with the fastest peer of the same race', () => {
  const entry = (runtime, network, where, ms) => ({
    ...{ runtime, network, where, ms, version: '1', threads: 1, least_ms: ms / 2, most_ms: 2 * ms, share_of_peak: 0.5 },
  });
  const machine = { date: '2026-01-02', processor: 'Zen', load: 0, node: '20.0.0' };
  const races = [
    ['node', 'vggs', 12, 30, 24],
    ['node', 'resnet18', 40, 90, 100],
    ['chromium', 'vggs', 10, 8, 9],
  ].flatMap(([where, network, own, first, second]) => [
    entry('pleura', network, where, own),
    entry('onnxruntime', network, where, first),
    entry('tfjs', network, where, second),
  ]);
  const film = { format: 'JPEG', decoder: 'djpeg' };
  const job = { runtime: 'pleura', version: '1', network: 'vggs', films: 40, threads: 2, films_per_second: 51.25 };
  const page = performancePage(
    { ...machine, chromium: '100', peak_gflops: 50, entries: races },
    { ...machine, entries: [{ ...job, x_fastest_peer: 1.5, cpu_ms_per_film: 20, peak_mb: 80 }] },
    { ...machine, side: 3000, entries: [{ ...film, ms: 300, mb: 90, decoder_ms: 200, decoder_mb: 60 }] },
  );
  assert.match(page, /^\| Node, float32 \| 2\.00 \| 2\.25 \|$/m);
  assert.match(page, /^\| Chromium, float32 \| 0\.80 \| - \|$/m);
  assert.match(page, /^\| ResNet-18, tfjs 1 \| 100\.00 \| 50\.00 to 200\.00 \| 50 % \| 0\.90 \|$/m);
  assert.match(page, /^\| VGG of 5 layers, pleura 1 \| 2 \| 51\.3 \| 1\.50 \| 20\.0 \| 80 \|$/m);
  assert.match(page, /^\| JPEG \| djpeg \| 300 \| 200 \| 1\.50 \| 90 \| 60 \| 1\.50 \|$/m);
});

test('a table aligns names to the left and numbers to the right', () => {
  assert.equal(
    table([
      ['a', 'ms'],
      ['long', '1'],
    ]),
    'a     ms\nlong   1',
  );
});

test('a record of whole jobs separates start-up from running and compares equal numbers of threads', () => {
  const answers = (share) => [{ file: 'a', verdict: 'x', probability: { x: share, y: 1 - share } }];
  const own = { startMs: [1000], ms: [3000], cpuMs: [2200], peakMb: [80], answers: answers(0.75) };
  const peer = { startMs: [500], ms: [1500], cpuMs: [1100], peakMb: [90], answers: answers(0.5) };
  const by = (name, threads) => ({ name, version: '1', threads, abreast: threads, own: name === 'pleura' });
  const [first, second, alone] = jobEntriesOf([own, peer, own], [by('pleura', 1), by('peer', 1), by('pleura', 2)], {
    network: 'vggs',
    films: 11,
  });
  assert.deepEqual(first, {
    runtime: 'pleura',
    version: '1',
    network: 'vggs',
    films: 11,
    threads: 1,
    abreast: 1,
    films_per_second: 3.67,
    x_fastest_peer: 0.5,
    start_ms: 1000,
    running_films_per_second: 5,
    cpu_ms_per_film: 200,
    peak_mb: 80,
    differs_by: null,
  });
  assert.deepEqual([second.x_fastest_peer, second.differs_by, alone.x_fastest_peer], [1, 0.25, null]);
});

// Only `make bench-folders` installs the peers; it runs this test as well.
const peers = existsSync(new URL('node_modules/sharp', import.meta.url));
if (peers)
  test('the command and its peers give the same answers to three films', async () => {
    const { contestants, raceJobs } = await import('./jobs.mjs'),
      { writeNetwork } = await import('./prepare.mjs');
    const films = [0, 20, 40].map((tone) => join(folder, `${tone}.png`)),
      network = join(folder, 'vggs');
    for (const [i, path] of films.entries()) writeFileSync(path, film(224, 20 * i)); // of the network's size, so that no contestant resizes
    await writeNetwork(network, common().vggs);
    const race = await raceJobs(contestants, network, films, 1, `${folder}/`),
      [{ answers: first }] = race;
    assert.deepEqual(
      first.map(({ file }) => file),
      films,
    );
    assert.notDeepEqual(first[0].probability, first[1].probability);
    for (const [i, { answers, peakMb }] of race.entries()) {
      assert.equal(answers.length, films.length, contestants[i].name);
      assert.ok(Math.max(...apart(answers, first)) < (contestants[i].small ? 0.02 : 1e-3), contestants[i].name);
      assert.deepEqual(
        answers.map(({ verdict }) => verdict),
        first.map(({ verdict }) => verdict),
      );
      assert.ok(peakMb > 0);
    }
    const entries = jobEntriesOf(race, contestants, { network: 'vggs', films: films.length });
    assert.equal(jobTable(race, entries).split('\n').length, 1 + contestants.length);
  });

test('two builds are compared by the ratios of neighbours, so that a slow spell does not count', () => {
  const spell = (round) => (round % 5 ? 1 : 3); // every fifth round everything takes three times as long
  const rounds = Array.from({ length: 41 }, (_, round) => [
    { film: 20 * spell(round), lungs: 10 * spell(round), tick: 0.1 },
    { film: 21 * spell(round), lungs: (round % 2 ? 9.9 : 10.1) * spell(round), tick: 0.2 },
  ]);
  const [film, lungs, ...others] = compareRounds(/** @type {any} */ (rounds));
  assert.deepEqual(others, [], 'steps of less than half a millisecond are left out');
  assert.equal(film.ratio.toFixed(3), '1.050');
  assert.ok(film.low > 1.03);
  assert.ok(lungs.low < 1 && lungs.high > 1);
});

test('the steps of a film add up to all of it', async () => {
  const read = (path) => new Uint8Array(readFileSync(new URL(`../../${path}`, import.meta.url)));
  const engine = await createEngine({ wasm: read('build/pleura.wasm'), weights: read('tests/fixtures/tiny.gguf') }),
    image = read('tests/fixtures/grey.jpg');
  const rounds = Array.from({ length: 5 }, () => measureFilm(engine, image)),
    { 'all of a film': all, 'its SHA-256': hash, ...steps } = stepsOf(rounds);
  assert.ok(hash > 0 && rounds.every((round) => Object.values(round).every((ms) => ms > 0)));
  assert.ok(Math.abs(Object.values(steps).reduce((sum, ms) => sum + ms, 0) - all) < 1e-9);
  assert.ok(steps['decode, shrink'] > 0 && steps['decode, shrink'] < all);
});
