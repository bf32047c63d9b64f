// The plots as files: sound XML that stands alone, says in words what it shows, and holds untrusted labels as text.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { curves, metrics } from '../../src/stats/metrics.mjs';
import { calibrationPlot, comparisonPlot, confusionPlot, decisionPlot, rocPlot } from '../../src/cli/plots.mjs';
import { plots, scored } from '../stats/scored.mjs';

/** @param {string} svg @returns {{ title: string, desc: string, texts: string[] }} as another parser reads it */
const parse = (svg) =>
  JSON.parse(
    execFileSync(
      '/usr/bin/python3',
      [
        '-c',
        `import json, sys, xml.etree.ElementTree as tree
svg = tree.fromstring(sys.stdin.buffer.read())
name = lambda n: '{http://www.w3.org/2000/svg}' + n
print(json.dumps({'title': svg.find(name('title')).text, 'desc': svg.find(name('desc')).text, 'texts': [t.text for t in svg.iter(name('text'))],
  'paths': [p.get('d') for p in svg.iter(name('path')) if p.get('class') == 'line first']}))`,
      ],
      { input: svg, encoding: 'utf8' },
    ),
  );

test('every plot is an image with a title and a description, and refers to nothing outside', () => {
  for (const [name, svg] of Object.entries(plots(['covid', 'pneumonia', 'normal']))) {
    const { title, desc } = parse(svg);
    assert.ok(title.length > 10 && desc.length > 40, name);
    assert.match(
      svg,
      /^<svg xmlns="[^"]+" viewBox="0 0 \d+ \d+" [^>]*role="img" aria-labelledby="title described"><title id="title">.*<desc id="described">/,
    );
    assert.doesNotMatch(
      svg.replace('http://www.w3.org/2000/svg', ''),
      /https?:|href|url\(|@import|<script|<image|NaN|undefined|null/,
      name,
    );
    assert.match(svg, /prefers-color-scheme:dark/);
  }
});

test('a hostile label stays text', () => {
  const label = '<script>alert("1&2")</script>\u0007\ud800';
  for (const svg of Object.values(plots([label, 'b', 'c']))) {
    assert.doesNotMatch(svg, /<script|[\u0000-\u0008]/);
    assert.ok(parse(svg).desc.includes('<script>alert("1&2")</script>\ufffd\ufffd'));
  }
});

test('the plots show the numbers of the evaluation', () => {
  const labels = ['covid', 'pneumonia', 'normal'];
  const films = scored(labels),
    lines = curves(films, labels, null, { rounds: 50 }),
    { confusion } = metrics(films, labels, null);
  const all = parse(confusionPlot(confusion, labels));
  for (const n of confusion.flat()) assert.ok(all.texts.includes(String(n)), `${n}`);
  assert.ok(all.desc.includes(`covid predicted as pneumonia: ${confusion[0][1]}, `));
  const roc = parse(rocPlot(lines));
  assert.equal(roc.paths.length, 3);
  const { value, low, high } = lines[0].auc;
  assert.ok(roc.texts.includes(`AUC ${value.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`));
  const corners = [...roc.paths[0].matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [
    Number(x) / 280,
    1 - Number(y) / 280,
  ]);
  lines[0].roc.forEach(([x, y], i) =>
    assert.ok(Math.abs(x - corners[i][0]) < 1e-3 && Math.abs(y - corners[i][1]) < 1e-3),
  );
  const reliability = parse(calibrationPlot(lines));
  for (const { n } of lines[2].reliability) assert.ok(reliability.texts.includes(String(n)));
  const point = lines[1].netBenefit[9];
  assert.ok(
    parse(decisionPlot(lines)).desc.includes(
      `pneumonia: net benefit at 0.1 ${point.model.toFixed(3)}, of acting on every film ${point.all.toFixed(3)}`,
    ),
  );
  assert.ok(
    parse(
      decisionPlot(curves(films, labels, { shares: [0.05, 0.1, 0.85], scored: films }, { rounds: 50 })),
    ).texts.includes('pneumonia, 40 of 120 films weighted to 10 %'),
  );
  const both = parse(
    comparisonPlot([
      { name: 'mine', curves: lines },
      { name: 'theirs', curves: lines },
    ]),
  );
  assert.ok(both.texts.includes(`mine: ${value.toFixed(3)}`));
  assert.equal(both.texts.filter((text) => text.startsWith('theirs: ')).length, 3);
});
