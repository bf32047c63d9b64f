// state.test.mjs: the page's state without a browser: viewport, table, prevalence, card and chosen files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { readCard } from '../../web/site/card.mjs';
import { fromFiles } from '../../web/input/files.mjs';
import { createJudge, prevalenceActions } from '../../web/engine/judge.mjs';
import { chooseShares, countPeople, isOutdated, restLabel } from '../../web/state/prevalence.mjs';
import { commonFolder, halves } from '../../web/state/names.mjs';
import { commandOf } from '../../web/state/shortcuts.mjs';
import { addStep, applySteps, isCameraJpeg, isTinted, visibleArea } from '../../web/state/edits.mjs';
import { arrange, initialTable, listed, tableActions } from '../../web/state/table.mjs';
import { firstRatio, lengthOf, moveEnd, NO_MEASURES, ratioOf } from '../../web/state/measures.mjs';
import {
  adjustWindow,
  initialViewport,
  paintGreys,
  pan,
  windowPresets,
  windowValues,
  zoom,
} from '../../web/state/viewport.mjs';
import { createI18n } from '../../web/i18n/words.mjs';
import english from '../../web/i18n/en.mjs';

const box = { pane: { width: 800, height: 600 }, film: { width: 600, height: 600 } };

test('zooming keeps the point below the pointer in place', () => {
  const before = zoom(initialViewport(), box, 4, 0, 0);
  const after = zoom(before, box, 1.5, 40, -30);
  const below = (viewport) => [(40 - viewport.x) / viewport.zoom, (-30 - viewport.y) / viewport.zoom];
  assert.deepEqual(
    below(after).map((x) => x.toFixed(6)),
    below(before).map((x) => x.toFixed(6)),
  );
});

test('a film cannot be zoomed below its fit or moved out of its pane', () => {
  assert.deepEqual(pan(initialViewport(), box, 500, 500), initialViewport());
  const { x, y } = pan(zoom(initialViewport(), box, 2), box, 5000, -5000);
  assert.deepEqual([x, y], [(1200 - 800) / 2, -(1200 - 600) / 2]);
  const fit = zoom(pan(zoom(initialViewport(), box, 2), box, 200, 0), box, 0.01);
  assert.deepEqual([fit.zoom, fit.x], [1, 0]);
});

test('a wider window lowers the contrast, a lower level brightens, inverting swaps black and white', () => {
  const wide = adjustWindow(initialViewport(), 0.3, 0),
    bright = adjustWindow(initialViewport(), 0, -0.2);
  const grey = (viewport, value) => {
    const out = new Uint32Array(1);
    paintGreys(out, { data: Uint8Array.of(value), low: 0, high: 255, width: 1, height: 1 }, viewport);
    return out[0] & 255;
  };
  assert.ok(grey(wide, 200) - grey(wide, 50) < 150);
  assert.ok(grey(bright, 128) > 128);
  assert.deepEqual(
    [0, 64, 255].map((value) => grey(initialViewport(), value)),
    [0, 64, 255],
  );
  assert.deepEqual(
    [0, 64, 255].map((value) => grey({ ...initialViewport(), invert: true }, value)),
    [255, 191, 0],
  );
  assert.equal(wide.preset, 'custom');
});

test('a 16-bit film keeps the greys outside the usual range, and a wider window shows them', () => {
  const film = {
    data: Uint16Array.of(0, 9000, 10000, 30000, 50000, 51000, 65535),
    low: 10000,
    high: 50000,
    width: 7,
    height: 1,
  };
  const greys = (window) => {
    const out = new Uint32Array(7);
    paintGreys(out, film, { window, invert: false });
    return [...out].map((word) => word & 255);
  };
  assert.deepEqual(greys({ low: 0, high: 1 }), [0, 0, 0, 128, 255, 255, 255]);
  const open = greys({ low: -0.25, high: 1.4 });
  assert.ok(
    open.every((grey, i) => i === 0 || grey > open[i - 1]),
    open.join(),
  );
  const narrow = greys({ low: 0.99, high: 1.03 });
  assert.ok(narrow[5] > narrow[4] && narrow[4] > 0);
});

test('the lungs preset spans the greys of the lungs, the dense preset those outside them', () => {
  const film = {
    data: Uint8Array.from({ length: 400 }, (_, i) => (i % 20 < 10 ? 40 + (i % 7) : 180 + (i % 60))),
    width: 20,
    height: 20,
    low: 0,
    high: 255,
  };
  const lungs = { data: Float32Array.of(1, 0, 1, 0), width: 2, height: 2 };
  const { lungs: soft, dense } = windowPresets({ film, lungs, units: null });
  assert.ok(soft.low * 255 >= 39 && soft.high * 255 <= 47, JSON.stringify(soft));
  assert.ok(dense.low * 255 > 200 && dense.high * 255 > 230, JSON.stringify(dense));
  const none = { data: new Float32Array(4), width: 2, height: 2 };
  assert.deepEqual(windowPresets({ film, lungs: none, units: null }).lungs, { low: 0, high: 1 });
});

test('windows have the values of the file, and those of the file are presets', () => {
  const film = { data: Uint16Array.of(0), width: 1, height: 1, low: 1000, high: 3000 };
  const units = { offset: -100, slope: 0.5, windows: [{ name: 'SOFT', low: 400, high: 1400 }] };
  assert.deepEqual(windowValues({ low: 0, high: 1 }, { film, units }), { width: 1000, centre: 900 });
  assert.deepEqual(windowValues({ low: -0.5, high: 0.5 }, { film, units }), { width: 1000, centre: 400 });
  assert.equal(windowValues({ low: 0, high: 1 }, { film, units: null }), null);
  const lungs = { data: new Float32Array(1), width: 1, height: 1 };
  const preset = windowPresets({ film, lungs, units })['file-0'];
  assert.deepEqual(preset, { low: 0, high: 1 });
  const inverted = { ...units, offset: 65435, slope: -1, windows: [{ name: '', low: 64435, high: 62435 }] };
  assert.deepEqual(windowPresets({ film, lungs, units: inverted })['file-0'], { low: 0, high: 1 }, 'MONOCHROME1');
});

test("a ruler has the film's proportions; the ratio's lines stay level and count once they were moved", () => {
  const ruler = [
    { x: 0, y: 0 },
    { x: 0.3, y: 0.8 },
  ];
  assert.ok(Math.abs(lengthOf(ruler, { width: 100, height: 50 }) - 50) < 1e-9);
  const lungs = { data: new Float32Array(100), width: 10, height: 10 };
  for (const [x, y] of [
    [3, 2],
    [6, 2],
    [1, 7],
    [8, 7],
  ])
    lungs.data[y * 10 + x] = 1;
  const lines = firstRatio(lungs);
  assert.deepEqual(lines.chest, [
    { x: 0.1, y: 0.75 },
    { x: 0.9, y: 0.75 },
  ]);
  assert.ok(lines.heart.every(({ x }) => x > 0.1 && x < 0.9));
  const placed = { ...NO_MEASURES, ...lines };
  assert.equal(ratioOf(placed), null, 'a guess is no measure');
  let moved = moveEnd(placed, 'heart', 0, { x: 0.3, y: 0.6 });
  moved = moveEnd(moved, 'heart', 1, { x: 0.7, y: 0.62 });
  assert.deepEqual(moved.heart, [
    { x: 0.3, y: 0.62 },
    { x: 0.7, y: 0.62 },
  ]);
  assert.ok(Math.abs(ratioOf(moved) - 0.5) < 1e-9);
  assert.deepEqual(moveEnd(moved, 'chest', 0, { x: -4, y: 9 }).chest[0], { x: 0, y: 1 }, 'it stays on the film');
  assert.equal(ratioOf(moveEnd(moved, 'chest', 0, { x: 0.9, y: 0.5 })), null, 'no chest, no ratio');
  assert.ok(firstRatio({ ...lungs, data: new Float32Array(100) }).chest[0].x > 0, 'no lungs were found');
});

test("the page's numbers are those of the model card's tables, and a card without them fails the build", () => {
  const card = [
    '| % of 136 normals | 66.2 (57.9-73.6) | 19.9 (14.0-27.3) | 0.0 (0.0-2.7) |',
    '| covid | 74.1 (69.5-78.5) | 92.2 (90.0-94.1) |',
    '| covid | 490 | 74.1 (69.4-78.2) | 89.9 (86.9-92.6) | 0.895 (0.871-0.916) |',
    '| cohen | covid against the rest, which is few | **0.486 (0.298-0.676)** |',
  ];
  const figures = readCard(card.join('\n'));
  const rounded = ({ value, low, high }) => [value, low, high].map((x) => x.toFixed(3));
  assert.deepEqual(rounded(figures.unseen.covid), ['0.199', '0.140', '0.273']);
  assert.deepEqual(rounded(figures.seen.specificity), ['0.899', '0.869', '0.926']);
  assert.deepEqual(figures.within, { value: 0.486, low: 0.298, high: 0.676 });
  assert.throws(() => readCard(card.slice(1).join('\n')), /has no row "% of/);
});

test('the sliders share out a hundred people: chosen labels first, others as far as there is room, the remainder to the last category', () => {
  const prior = { covid: 0.345, pneumonia: 0.191, normal: 0.464 };
  const choose = (shares, chosen) =>
    chooseShares(shares, restLabel({ labels: Object.keys(shares), other: 'other' }), chosen);
  assert.deepEqual(countPeople(prior, 'normal'), { covid: 35, pneumonia: 19, normal: 46 });
  assert.deepEqual(choose(prior, { covid: 5 }), { covid: 0.05, pneumonia: 0.19, normal: 0.76 });
  assert.deepEqual(choose(prior, { pneumonia: 90 }), { covid: 0.1, pneumonia: 0.9, normal: 0 });
  assert.deepEqual(choose({ covid: 0.5, pneumonia: 0.5, normal: 0 }, { covid: 100 }), {
    covid: 1,
    pneumonia: 0,
    normal: 0,
  });
  assert.deepEqual(countPeople({ a: 0.335, b: 0.665, c: 0 }, 'c'), { a: 34, b: 66, c: 0 }, 'never more than all');
  assert.deepEqual(choose({ one: 1 }, {}), { one: 1 });
  const four = { covid: 0.2, pneumonia: 0.3, normal: 0.43, other: 0.07 };
  assert.deepEqual(choose(four, { covid: 5 }), { covid: 0.05, pneumonia: 0.3, normal: 0.58, other: 0.07 });
  assert.deepEqual(choose(four, { other: 60 }), { covid: 0.2, pneumonia: 0.2, normal: 0, other: 0.6 });
});

test('in a folder films are found by name or, failing that, by content; files picked one by one are all accepted', async () => {
  const part10 = new Uint8Array(144);
  part10.set(new TextEncoder().encode('DICM'), 128);
  const file = (path) =>
    Object.assign(new File([/README|\.(txt|exe)$/.test(path) ? 'text' : part10], path.split('/').pop()), {
      webkitRelativePath: path,
    });
  const { sources, skipped } = await fromFiles(
    [
      'cd/b.PNG',
      'cd/README',
      'cd/IM0001',
      'cd/DICOMDIR',
      'cd/.DS_Store',
      'cd/readme.txt',
      'cd/1.2.840.10',
      'cd/a.dcm',
      'cd/run.exe',
    ].map(file),
  );
  assert.deepEqual(
    sources.map(({ name }) => name),
    ['cd/1.2.840.10', 'cd/IM0001', 'cd/a.dcm', 'cd/b.PNG'],
  );
  assert.deepEqual(skipped, ['cd/README', 'cd/DICOMDIR', 'cd/.DS_Store', 'cd/readme.txt', 'cd/run.exe']);
  assert.equal((await fromFiles([new File([], 'readme.txt')])).sources.length, 1);
});

test('the table sorts by name, verdict and probability, with unread films last, and filters by name and verdict', () => {
  const i18n = createI18n('en', english);
  const done = (name, verdict, covid) => ({ name, status: 'done', record: { verdict, probability: { covid } } });
  const films = [
    done('film 10', 'covid', 0.8),
    { name: 'broken', status: 'error' },
    done('film 9', 'normal', 0.1),
    done('other', 'refused', 0.9),
    { name: 'later', status: 'waiting' },
  ];
  const names = (table) => arrange(films, { ...initialTable(), ...table }, i18n).map(({ name }) => name);
  assert.deepEqual(names({}), ['film 10', 'broken', 'film 9', 'other', 'later']);
  assert.deepEqual(names({ by: 'film' }), ['broken', 'film 9', 'film 10', 'later', 'other']);
  assert.deepEqual(names({ by: 'covid', descending: true }).slice(0, 2), ['film 10', 'film 9']);
  assert.deepEqual(names({ by: 'covid' }).slice(0, 2), ['film 9', 'film 10']);
  assert.deepEqual(names({ search: ' FILM ' }), ['film 10', 'film 9']);
  assert.deepEqual(names({ show: 'error' }), ['broken']);
  assert.deepEqual(names({ show: 'unread' }), ['later']);
});

test('a short name keeps its end, and drops the folder that all files share', () => {
  const folder = (...names) => commonFolder(names.map((name) => ({ name, phantom: name === 'Synthetic' })));
  assert.equal(folder('disc/a/1.png', 'disc/a/2.png', 'Synthetic'), 'disc/a/');
  assert.equal(folder('disc/a/1.png', 'disc/ab/2.png'), 'disc/');
  assert.equal(folder('disc/1.png', 'disc2/1.png'), '');
  assert.equal(folder('/a', '/b'), '/');
  assert.equal(folder('//', 'b'), '');
  assert.equal(folder(), '');
  assert.deepEqual(halves('1.2.826.0.1_Fig1.jpg'), ['1.2.826.0.1_F', 'ig1.jpg']);
  assert.deepEqual(halves('1.dcm'), ['1.dcm', '']);
  assert.equal(halves('क्षय रोग.png').join(''), 'क्षय रोग.png');
});

test('clicking a heading sorts in its usual direction, then in the other, then in the original order', () => {
  const state = { table: initialTable() };
  const { sort } = tableActions({ state, set: (changes) => Object.assign(state, changes) });
  const order = () => [state.table.by, state.table.descending];
  assert.deepEqual([sort({ by: 'covid' }), order()][1], ['covid', true], 'the highest probability first');
  assert.deepEqual([sort({ by: 'covid' }), order()][1], ['covid', false]);
  assert.deepEqual([sort({ by: 'film' }), order()][1], ['film', false]);
  assert.deepEqual([sort({ by: 'film' }), sort({ by: 'film' }), order()][2], ['order', false]);
});

test('films are picked one by one, as a range that can shrink, and all at once, and only shown ones count', () => {
  const films = ['a', 'b', 'c', 'd', 'e'].map((name, i) => ({ id: i + 1, name, status: 'waiting' }));
  const state = { films, selected: films[0], table: initialTable(), i18n: createI18n('en', english) };
  const actions = tableActions({ state, set: (changes) => Object.assign(state, changes) });
  const names = () => listed(state).map(({ name }) => name);
  const picked = (film, range = false, from = undefined) => {
    actions.pick({ film: String(film), range, from });
    return names().join('');
  };
  assert.equal(names().join(''), 'abcde', 'all while none is picked');
  assert.equal(picked(3, true), 'abc', 'a range from the film on view');
  actions['pick-none']();
  assert.equal(picked(3, true, '4'), 'cd', 'a range from the row that has the focus');
  assert.equal(picked(1), 'acd');
  assert.equal(picked(4), 'ac', 'a second time takes it away');
  assert.equal(picked(2), 'abc');
  assert.equal(picked(5, true), 'abcde');
  assert.equal(picked(3, true), 'abc', 'a shorter range gives back');
  actions.sort({ by: 'film' });
  actions.sort({ by: 'film' });
  assert.deepEqual(names(), ['c', 'b', 'a'], 'in the order of the table');
  actions.table({ search: 'b' });
  assert.deepEqual(names(), ['b'], 'never a film that is not shown');
  actions['pick-all'](); // b is all that is shown, and picked
  actions.table({ search: '' });
  assert.deepEqual(names(), ['c', 'a']);
  actions['pick-all']();
  assert.match(state.announcement, /: 5\./);
  state.films = films.slice(1);
  assert.deepEqual(names(), ['e', 'd', 'c', 'b']);
  state.films = films;
  assert.equal(names().length, 5, 'what comes back is picked again');
});

test('arrows move the film only from the film, and no key works with Ctrl, Alt or Meta', () => {
  const key = (name, rest = {}) => ({
    key: name,
    shiftKey: false,
    ctrlKey: false,
    altKey: false,
    metaKey: false,
    ...rest,
  });
  assert.deepEqual(commandOf(key('ArrowLeft'), true), { action: 'pan', x: -1, y: 0 });
  assert.deepEqual(commandOf(key('ArrowUp', { shiftKey: true }), true), { action: 'adjust-window', x: 0, y: -1 });
  assert.equal(commandOf(key('ArrowLeft'), false), null);
  assert.deepEqual(commandOf(key('I', { shiftKey: true }), false), { action: 'invert' });
  assert.equal(commandOf(key('i', { ctrlKey: true }), false), null);
  assert.equal(commandOf(key('x'), false), null);
});

/** A state with one finished film at the model's own prior, and a worker whose answers are counted. */
function judged() {
  const record = { verdict: 'covid', probability: { covid: 0.9, normal: 0.1 }, prevalence: null };
  const films = [
    { id: 1, name: 'a', status: 'done', record },
    { id: 2, name: 'b', status: 'waiting' },
  ];
  const i18n = createI18n('en', english);
  const state = {
    films,
    selected: films[0],
    revision: 0,
    prevalence: null,
    model: { labels: ['covid', 'normal'], other: null, prior: { covid: 0.5, normal: 0.5 } },
    i18n,
  };
  const app = { state, update: (change) => change(), set: (changes) => Object.assign(state, changes) };
  const calls = [];
  const judgeAgain = createJudge(app, async (prevalence, records) => {
    calls.push(prevalence);
    if (prevalence?.covid > 0.8) throw Object.assign(new Error('no'), { code: 'prevalence' });
    return records.map(() => ({ verdict: 'normal', probability: { covid: 0.2, normal: 0.8 }, prevalence }));
  });
  return { state, app, calls, judgeAgain };
}

test('films are judged again only if the prevalence has changed since', async () => {
  const { state, calls, judgeAgain } = judged();
  assert.equal(isOutdated(state.films[0], null), false);
  await judgeAgain();
  assert.deepEqual(calls, []);
  state.prevalence = { covid: 0.1, normal: 0.9 };
  assert.equal(isOutdated(state.films[0], state.prevalence), true);
  assert.equal(isOutdated(state.films[1], state.prevalence), false);
  await judgeAgain();
  await judgeAgain();
  assert.deepEqual(calls, [state.prevalence]);
  assert.equal(state.films[0].record.verdict, 'normal');
  assert.match(state.announcement, /^Normal/);
});

test('a prevalence that changes during judging is judged too, and one that fails is undone', async () => {
  const { state, app, calls, judgeAgain } = judged();
  let done;
  const { prevalence, ...others } = prevalenceActions(app, () => (done = judgeAgain()));
  prevalence({ covid: 10 });
  const first = done;
  prevalence({ covid: 20 });
  await first;
  assert.deepEqual(calls, [
    { covid: 0.1, normal: 0.9 },
    { covid: 0.2, normal: 0.8 },
  ]);
  prevalence({ covid: 90 });
  await done;
  assert.deepEqual(state.prevalence, { covid: 0.2, normal: 0.8 });
  assert.notEqual(state.notice, '');
  others['reset-prevalence']();
  await done;
  assert.equal(state.films[0].record.prevalence, null);
});

test('state/ imports neither view nor engine, and engine/ neither view nor input', async () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const imported = async (folder) => {
    const { metafile } = await build({
      entryPoints: [`${root}web/${folder}/*.mjs`],
      absWorkingDir: root,
      bundle: true,
      write: false,
      outdir: 'unused',
      format: 'esm',
      metafile: true,
    });
    const wings = Object.keys(metafile.inputs).map((path) => path.split('/').slice(0, 2).join('/'));
    return [...new Set(wings)].filter((wing) => wing.startsWith('web/')).sort();
  };
  assert.deepEqual(await imported('state'), ['web/i18n', 'web/state']);
  assert.deepEqual(await imported('engine'), ['web/engine', 'web/i18n', 'web/state', 'web/storage']);
});

test('corrections turn, mirror, invert and crop the greys in their order, and some cancel each other', () => {
  const greys = { data: Uint16Array.of(1, 2, 3, 4, 5, 6), width: 3, height: 2 };
  const after = (...steps) => {
    const { data, width } = applySteps(
      greys,
      steps.map((name) => ({ name })),
    );
    return [width, ...data];
  };
  assert.deepEqual(after('right'), [2, 4, 1, 5, 2, 6, 3]);
  assert.deepEqual(after('right', 'right', 'right', 'right'), [3, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(after('flip'), [3, 3, 2, 1, 6, 5, 4]);
  assert.deepEqual(after('negative', 'flip').slice(1, 3), [65532, 65533]);
  const area = { x: 1 / 3, y: 0, width: 2 / 3, height: 0.5 };
  assert.deepEqual([...applySteps(greys, [{ name: 'crop', area }]).data], [2, 3]);
  const names = (...steps) => steps.reduce((all, name) => addStep(all, { name }), []).map(({ name }) => name);
  assert.deepEqual(names('flip', 'flip', 'right', 'right', 'right', 'right'), []);
  assert.deepEqual(names('flip', 'right', 'flip'), ['flip', 'right', 'flip']);
  const near = { ...initialViewport(), zoom: 2, x: 200, y: 0 };
  assert.deepEqual(visibleArea(initialViewport(), box), { x: 0, y: 0, width: 1, height: 1 });
  assert.deepEqual(visibleArea(near, box), { x: 0, y: 0.25, width: 2 / 3, height: 1 / 2 });
});

test('the tint of a lamp is told from the colours of a picture, and the EXIF of a camera from that of a scanner', () => {
  const pixels = (colour) => Uint8ClampedArray.from({ length: 64 * 64 * 4 }, (_, i) => colour(i >> 2, i & 3));
  assert.equal(isTinted(pixels((i, channel) => (i % 200) * [1, 0.85, 0.6, 1][channel] + 20)), true);
  assert.equal(isTinted(pixels((i, channel) => [i % 200, (i * 7) % 255, 200 - (i % 200), 255][channel])), false);
  const jpeg = (tag) => {
    const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0];
    const exif = [0, 1, tag >> 8, tag & 255, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    const body = [0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff, ...exif];
    return Uint8Array.from([0xff, 0xd8, 0xff, 0xe1, 0, body.length + 2, ...body, 0xff, 0xd9]);
  };
  assert.deepEqual([isCameraJpeg(jpeg(0x829a)), isCameraJpeg(jpeg(0xa000))], [true, false]);
  for (let length = 0; length < 50; length++) assert.equal(isCameraJpeg(jpeg(0x829a).subarray(0, length)), false);
});
