// The plots of an evaluation as SVG that stands alone: no script, font or picture from elsewhere, a title and a description
// for those who cannot see it, dark where the reader's screen is.

/**
 * @typedef {ReturnType<typeof import('../stats/metrics.mjs').curves>[number]} Curve
 * @typedef {import('../stats/metrics.mjs').Figure} Figure
 */

const STYLE = `svg{font:12px system-ui,sans-serif}.paper{fill:#fff}text{fill:#1a1a1a}.small{font-size:10px}.head{font-weight:600;font-size:13px}
.grid{stroke:#d8d8d8}.frame{stroke:#767676;fill:none}.line{fill:none;stroke-width:2}.first{stroke:#0b5cad}.second{stroke:#a8430a;stroke-dasharray:7 3}
.rest{stroke:#666;stroke-dasharray:2 3;fill:none}.band,.bar,.cell{fill:#0b5cad}.band{fill-opacity:.18}.bar{fill-opacity:.45}.dot{fill:#0b5cad}
@media(prefers-color-scheme:dark){.paper{fill:#121417}text{fill:#ececec}.grid{stroke:#33373d}.frame{stroke:#8a8f96}.first{stroke:#6db3ff}.second{stroke:#ffab6d}
.rest{stroke:#a8adb3}.band,.bar,.cell,.dot{fill:#6db3ff}}`;

/** Letters that XML does not allow, and lone halves of pairs, cannot stand in it. */
const NOT_XML =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** @param {unknown} text */
const escape = (text) =>
  String(text)
    .replace(NOT_XML, '\ufffd')
    .replace(/[&<>"]/g, (c) => ENTITIES[c]);

/** @param {string} name @param {Record<string, unknown>} attributes @param {string[]} inside markup */
const element = (name, attributes, ...inside) =>
  `<${name}${Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escape(typeof value === 'number' ? Math.round(value * 100) / 100 : value)}"`)
    .join('')}` + (inside.length ? `>${inside.join('')}</${name}>` : '/>');

/** @param {unknown} text @param {number} x @param {number} y @param {Record<string, unknown>} [attributes] */
const write = (text, x, y, attributes = {}) => element('text', { x, y, ...attributes }, escape(text));

/** @param {string} text @param {number} most letters */
const shorten = (text, most) => ([...text].length <= most ? text : `${[...text].slice(0, most - 1).join('')}…`);

/** @param {[number, number][]} points in pixels */
const path = (points) => points.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

const three = (x) => x.toFixed(3);
const percent = (x) => `${Number((100 * x).toFixed(1))} %`;
/** @param {Figure} f */
const interval = (f) => (f.low === null ? three(f.value) : `${three(f.value)} (${three(f.low)}–${three(f.high)})`);

const SIDE = 280,
  LEFT = 56,
  TOP = 40,
  ACROSS = SIDE + LEFT + 24,
  COLUMNS = 3;

/** @param {string} title @param {string} described @param {number} width @param {number} height @param {string[]} inside */
const picture = (title, described, width, height, inside) =>
  `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-labelledby': 'title described',
    },
    element('title', { id: 'title' }, escape(title)),
    element('desc', { id: 'described' }, escape(described)),
    element('style', {}, STYLE),
    element('rect', { class: 'paper', width, height }),
    write(title, LEFT, 24, { class: 'head' }),
    ...inside,
  )}\n`;

/**
 * One panel for each label, at most three in a row.
 * @param {string} title @param {Curve[]} curves @param {(curve: Curve) => string} describe @param {number} down height of a panel
 * @param {(curve: Curve) => string[]} draw with the plot's own corner at 0, 0 @param {boolean} [weighted] whether weights show in it
 */
function panels(title, curves, describe, down, draw, weighted = true) {
  const rows = Math.ceil(curves.length / COLUMNS);
  return picture(
    title,
    curves.map(describe).join(' '),
    ACROSS * Math.min(COLUMNS, curves.length),
    TOP + down * rows,
    curves.map((curve, i) =>
      element(
        'g',
        { transform: `translate(${ACROSS * (i % COLUMNS) + LEFT} ${TOP + down * Math.floor(i / COLUMNS) + 24})` },
        write(
          `${shorten(curve.label, 24)}, ${curve.n} of ${curve.n + curve.others} films${weighted && curve.weighted !== null ? ` weighted to ${percent(curve.weighted)}` : ''}`,
          0,
          -8,
        ),
        ...draw(curve),
      ),
    ),
  );
}

/**
 * Frame, grid and names of the axes; and how values become pixels.
 * @param {string} across @param {string} up @param {number[]} ticks of the upward axis, first to last @param {boolean} [numbered]
 */
function axes(across, up, ticks = [0, 0.2, 0.4, 0.6, 0.8, 1], numbered = true) {
  const low = ticks[0],
    high = ticks.at(-1);
  const x = (value) => value * SIDE,
    y = (value) => SIDE - ((value - low) / (high - low)) * SIDE;
  const marks = [0, 0.2, 0.4, 0.6, 0.8, 1].flatMap((value) => [
    element('line', { class: 'grid', x1: x(value), x2: x(value), y1: 0, y2: SIDE }),
    ...(numbered ? [write(value, x(value), SIDE + 15, { 'text-anchor': 'middle', class: 'small' })] : []),
  ]);
  const levels = ticks.flatMap((value) => [
    element('line', { class: 'grid', x1: 0, x2: SIDE, y1: y(value), y2: y(value) }),
    write(Number(value.toFixed(3)), -6, y(value) + 4, { 'text-anchor': 'end', class: 'small' }),
  ]);
  const frame = [
    ...marks,
    ...levels,
    element('rect', { class: 'frame', width: SIDE, height: SIDE }),
    write(up, 0, 0, { 'text-anchor': 'middle', transform: `translate(-40 ${SIDE / 2}) rotate(-90)` }),
    ...(across ? [write(across, SIDE / 2, SIDE + 32, { 'text-anchor': 'middle' })] : []),
  ];
  return { frame, x, y };
}

/** Samples of lines with what they mean, upwards from the lower right corner. @param {[string, string][]} lines class, words */
const legend = (lines, bottom = SIDE) =>
  lines.flatMap(([kind, words], i) => {
    const y = bottom - 12 - 17 * (lines.length - 1 - i);
    return [
      element('line', { class: kind, x1: SIDE - 30, x2: SIDE - 8, y1: y - 4, y2: y - 4 }),
      write(words, SIDE - 36, y, { 'text-anchor': 'end' }),
    ];
  });

/**
 * With a band for one model, without for two on the same films.
 * @param {{ name?: string, curves: Curve[] }[]} models
 */
export function rocPlot(models) {
  const [{ curves }, against] = models;
  const other = (label) => against?.curves.find((one) => one.label === label);
  const names = against ? models.map(({ name }) => shorten(name, 26)) : [];
  const describe = (c) =>
    [c, other(c.label)]
      .flatMap((one, i) =>
        one
          ? [
              `${c.label}${names[i] ? `, ${names[i]}` : ''}: area under the curve ${interval(one.auc)}, ${one.n} films against ${one.others}.`,
            ]
          : [],
      )
      .join(' ');
  return panels(
    against ? 'ROC curves of both models' : 'ROC curves with 95 % bands',
    curves,
    describe,
    SIDE + 84,
    (c) => {
      const { frame, x, y } = axes('1 − specificity', 'sensitivity');
      const at = (points) => path(points.map(([a, b]) => [x(a), y(b)]));
      const second = other(c.label);
      const area = c.band
        .map((p) => /** @type {[number, number]} */ ([p.x, p.high]))
        .concat(c.band.map((p) => /** @type {[number, number]} */ ([p.x, p.low])).reverse());
      return [
        ...frame,
        ...(second ? [] : [element('path', { class: 'band', d: `${at(area)}Z` })]),
        element('path', {
          class: 'rest',
          d: at([
            [0, 0],
            [1, 1],
          ]),
        }),
        element('path', { class: 'line first', d: at(c.roc) }),
        ...(second ? [element('path', { class: 'line second', d: at(second.roc) })] : []),
        ...legend([
          ['line first', `${names[0] ? `${names[0]}: ${three(c.auc.value)}` : `AUC ${interval(c.auc)}`}`],
          ...(second
            ? [/** @type {[string, string]} */ (['line second', `${names[1]}: ${three(second.auc.value)}`])]
            : []),
          ['rest', 'chance: 0.5'],
        ]),
      ];
    },
    false,
  );
}

/** @param {Curve[]} curves */
export function reliabilityPlot(curves) {
  const BARS = 64,
    GAP = 12;
  const describe = (c) =>
    `${c.label}: ${c.reliability.map((b) => `of ${b.n} films with about ${three(b.predicted)} were ${three(b.observed)}`).join('; ')}.`;
  return panels('Reliability: what is predicted and what is found', curves, describe, SIDE + GAP + BARS + 84, (c) => {
    const { frame, x, y } = axes('', 'share that is', undefined, false);
    const most = Math.max(...c.reliability.map(({ n }) => n)),
      floor = SIDE + GAP + BARS;
    const dots = c.reliability.flatMap((b) => [
      element('line', { class: 'line first', x1: x(b.predicted), x2: x(b.predicted), y1: y(b.low), y2: y(b.high) }),
      element('circle', { class: 'dot', cx: x(b.predicted), cy: y(b.observed), r: 4 }),
    ]);
    const bars = c.reliability.flatMap((b) => {
      const height = ((BARS - 12) * b.n) / most,
        left = x(b.from) + 2,
        width = x(b.to) - x(b.from) - 4;
      return [
        element('rect', { class: 'bar', x: left, width, y: floor - height, height }),
        write(b.n, left + width / 2, floor - height - 2, { 'text-anchor': 'middle', class: 'small' }),
      ];
    });
    const marks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((value) =>
      write(value, x(value), floor + 15, { 'text-anchor': 'middle', class: 'small' }),
    );
    return [
      ...frame,
      element('path', {
        class: 'rest',
        d: path([
          [0, SIDE],
          [SIDE, 0],
        ]),
      }),
      ...dots,
      ...bars,
      ...marks,
      element('line', { class: 'frame', x1: 0, x2: SIDE, y1: floor, y2: floor }),
      write('films', 0, 0, { 'text-anchor': 'middle', transform: `translate(-40 ${floor - BARS / 2}) rotate(-90)` }),
      write('probability given', SIDE / 2, floor + 32, { 'text-anchor': 'middle' }),
    ];
  });
}

/** @param {Curve[]} curves */
export function decisionPlot(curves) {
  const at = (c, threshold) => c.netBenefit.find((p) => Math.abs(p.threshold - threshold) < 1e-9);
  const describe = (c) =>
    `${c.label}: ${[0.1, 0.3, 0.5].map((t) => `net benefit at ${t} ${three(at(c, t).model)}, of calling every film so ${three(at(c, t).all)}`).join('; ')}.`;
  return panels('Decision curves: net benefit of acting on the probability', curves, describe, SIDE + 84, (c) => {
    const most = Math.max(0.01, ...c.netBenefit.flatMap((p) => [p.model, p.all]));
    const step = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2].find((size) => most / size <= 6) ?? 0.2;
    const ticks = Array.from({ length: Math.ceil(most / step) + 2 }, (_, i) => (i - 1) * step);
    const { frame, x, y } = axes('threshold probability', 'net benefit', ticks);
    const line = (of) => path(c.netBenefit.map((p) => [x(p.threshold), y(p[of])]));
    // An inner svg cuts off what falls below its lower edge.
    return [
      ...frame,
      element(
        'svg',
        { width: SIDE, height: SIDE },
        element('path', {
          class: 'rest',
          d: path([
            [0, y(0)],
            [SIDE, y(0)],
          ]),
        }),
        element('path', { class: 'line second', d: line('all') }),
        element('path', { class: 'line first', d: line('model') }),
      ),
      ...legend(
        [
          ['line first', 'model'],
          ['line second', 'all films'],
          ['rest', 'none'],
        ],
        70,
      ),
    ];
  });
}

/** @param {number[][]} matrix rows: truth @param {string[]} labels */
export function confusionPlot(matrix, labels) {
  const CELL = 88,
    side = CELL * labels.length,
    start = LEFT + 84;
  const sums = matrix.map((row) => row.reduce((total, n) => total + n, 0));
  const share = (n, of) => (of ? percent(n / of) : '–');
  const told = matrix
    .flatMap((row, i) => row.map((n, j) => `${labels[i]} called ${labels[j]}: ${n}, ${share(n, sums[i])}.`))
    .join(' ');
  const cells = matrix.flatMap((row, i) =>
    row.flatMap((n, j) => {
      const x = start + CELL * j,
        y = TOP + 44 + CELL * i;
      return [
        element('rect', {
          class: 'cell',
          'fill-opacity': sums[i] ? (0.5 * n) / sums[i] : 0,
          x,
          y,
          width: CELL,
          height: CELL,
        }),
        element('rect', { class: 'frame', x, y, width: CELL, height: CELL }),
        write(n, x + CELL / 2, y + CELL / 2 - 2, { 'text-anchor': 'middle', class: 'head' }),
        write(share(n, sums[i]), x + CELL / 2, y + CELL / 2 + 16, { 'text-anchor': 'middle', class: 'small' }),
      ];
    }),
  );
  const heads = labels.flatMap((label, i) => [
    write(shorten(label, 13), start + CELL * (i + 0.5), TOP + 36, { 'text-anchor': 'middle' }),
    write(shorten(label, 13), start - 8, TOP + 48 + CELL * (i + 0.5), { 'text-anchor': 'end' }),
  ]);
  return picture('Confusion matrix', told, start + side + 24, TOP + 44 + side + 24, [
    ...cells,
    ...heads,
    write('called', start + side / 2, TOP + 16, { 'text-anchor': 'middle', class: 'small' }),
    write('truth', LEFT, TOP + 36, { class: 'small' }),
  ]);
}
