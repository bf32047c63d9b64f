// plots.mjs - the plots of an evaluation as SVG files: curves of each label, confusion matrix, flow and subgroups.
import { interval, keepStart, shortPercent, threeDigits, twoDigits } from './format.mjs';
import { centred, document, element, line, path, pathData, text, upward } from './svg.mjs';

/**
 * @typedef {ReturnType<typeof import('../stats/metrics.mjs').curves>[number]} Curve  of one label
 * @typedef {NonNullable<Curve['reliability']>[number]} Bin
 * @typedef {[number, number]} Point
 */

/** The plotting area of a panel is a square. */
const SIDE = 280;
const MARGIN = { left: 56, top: 40, right: 24, title: 24, axis: 60 };
const PANEL_WIDTH = MARGIN.left + SIDE + MARGIN.right;
const MAX_COLUMNS = 3;
const FIFTHS = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** @param {number} x */
const percentText = (x) => `${shortPercent(x, 1)} %`;

/** @param {Curve} curve @param {boolean} weighted whether the plot shows weighted films */
function panelTitle({ label, n, others, weighted: share }, weighted) {
  const weight = weighted && share !== null ? ` weighted to ${percentText(share)}` : '';
  return `${keepStart(label, 24)}, ${n} of ${n + others} films${weight}`;
}

/**
 * A file with one panel per label, at most three in a row.
 * @param {object} plot
 * @param {string} plot.title @param {Curve[]} plot.curves
 * @param {(curve: Curve) => string} plot.describe
 * @param {(curve: Curve) => string[]} plot.draw with the plotting area's corner at 0, 0
 * @param {number} [plot.height] of the plotting area with everything below it but the axis
 * @param {boolean} [plot.weighted] whether the plot shows weighted films
 */
function panels({ title, curves, describe, draw, height = SIDE, weighted = true }) {
  const panelHeight = MARGIN.title + height + MARGIN.axis;
  const columns = Math.min(MAX_COLUMNS, curves.length),
    rows = Math.ceil(curves.length / MAX_COLUMNS);
  const about = {
    title,
    description: curves.map(describe).join(' '),
    width: PANEL_WIDTH * columns,
    height: MARGIN.top + panelHeight * rows,
    left: MARGIN.left,
  };
  return document(
    about,
    curves.map((curve, i) => {
      const x = PANEL_WIDTH * (i % MAX_COLUMNS) + MARGIN.left,
        y = MARGIN.top + panelHeight * Math.floor(i / MAX_COLUMNS) + MARGIN.title;
      const head = text(panelTitle(curve, weighted), 0, -8);
      return element('g', { transform: `translate(${x} ${y})` }, head, ...draw(curve));
    }),
  );
}

/** The numbers below a horizontal axis from 0 to 1. @param {number} y of the axis */
const horizontalNumbers = (y) => FIFTHS.map((value) => centred(value, value * SIDE, y + 15, 'small'));

/** @param {string} name @param {number} y of the axis */
const horizontalName = (name, y) => centred(name, SIDE / 2, y + 32);

/** @param {string} name @param {number} middle */
const verticalName = (name, middle) => upward(name, -40, middle);

/** @param {number} value 0..1 */
const toX = (value) => value * SIDE;

/**
 * Frame, grid and vertical axis, and how values of the vertical axis become pixels.
 * @param {string} name of the vertical axis @param {number[]} [ticks] of the vertical axis, first to last
 */
function axes(name, ticks = FIFTHS) {
  const low = ticks[0],
    high = ticks[ticks.length - 1];
  const toY = (/** @type {number} */ value) => SIDE - ((value - low) / (high - low)) * SIDE;
  const frame = [
    ...FIFTHS.map((value) => line('grid', [toX(value), 0], [toX(value), SIDE])),
    ...ticks.flatMap((value) => [
      line('grid', [0, toY(value)], [SIDE, toY(value)]),
      text(Number(value.toFixed(3)), -6, toY(value) + 4, { 'text-anchor': 'end', class: 'small' }),
    ]),
    element('rect', { class: 'frame', width: SIDE, height: SIDE }),
    verticalName(name, SIDE / 2),
  ];
  return { frame, toY };
}

/**
 * Samples of the lines with their meaning, upwards from the lower right corner.
 * @param {[style: string, meaning: string][]} entries @param {number} [bottom]
 */
const legend = (entries, bottom = SIDE) =>
  entries.flatMap(([style, meaning], i) => {
    const y = bottom - 12 - 17 * (entries.length - 1 - i);
    return [line(style, [SIDE - 30, y - 4], [SIDE - 8, y - 4]), text(meaning, SIDE - 36, y, { 'text-anchor': 'end' })];
  });

/** @param {Curve} curve @param {string} [model] */
const describeRoc = ({ label, auc, n, others }, model) =>
  `${label}${model ? `, ${model}` : ''}: area under the curve ${interval(auc, threeDigits)}, ${n} films against ${others}.`;

/** @param {Curve[]} curves of one model; drawn with their 95 % bands */
export function rocPlot(curves) {
  /** @param {Curve} curve */
  function draw({ roc, band, auc }) {
    const { frame, toY } = axes('sensitivity');
    /** @param {number[][]} points @returns {Point[]} */
    const pixels = (points) => points.map(([x, y]) => [toX(x), toY(y)]);
    const upper = band.map(({ x, high }) => [x, high]),
      lower = band.map(({ x, low }) => [x, low]).reverse();
    return [
      ...frame,
      ...horizontalNumbers(SIDE),
      horizontalName('1 − specificity', SIDE),
      element('path', { class: 'band', d: `${pathData(pixels([...upper, ...lower]))}Z` }),
      path('rest', [
        [0, SIDE],
        [SIDE, 0],
      ]),
      path('line first', pixels(roc)),
      ...legend([
        ['line first', `AUC ${interval(auc, threeDigits)}`],
        ['rest', 'chance: 0.5'],
      ]),
    ];
  }
  const describe = (/** @type {Curve} */ curve) => describeRoc(curve);
  return panels({ title: 'ROC curves with 95 % bands', curves, describe, draw, weighted: false });
}

/** @param {Curve[]} curves of one model; precision (PPV) over sensitivity, with 95 % bands */
export function recallPlot(curves) {
  /** @param {Curve} curve */
  function draw({ precisionRecall, precisionBand, averagePrecision, n, others }) {
    const { frame, toY } = axes('PPV (precision)');
    /** @param {number[][]} points @returns {Point[]} */
    const pixels = (points) => points.map(([x, y]) => [toX(x), toY(y)]);
    const upper = precisionBand.map(({ x, high }) => [x, high]),
      lower = precisionBand.map(({ x, low }) => [x, low]).reverse();
    const base = n / (n + others);
    return [
      ...frame,
      ...horizontalNumbers(SIDE),
      horizontalName('sensitivity (recall)', SIDE),
      element('path', { class: 'band', d: `${pathData(pixels([...upper, ...lower]))}Z` }),
      path('rest', [
        [0, toY(base)],
        [SIDE, toY(base)],
      ]),
      path('line first', pixels(precisionRecall)),
      ...legend(
        [
          ['line first', `AP ${interval(averagePrecision, threeDigits)}`],
          ['rest', `share of the label: ${twoDigits(base)}`],
        ],
        // The curve ends at this share: the other corner is free.
        base < 0.25 ? 48 : SIDE,
      ),
    ];
  }
  const describe = (/** @type {Curve} */ { label, averagePrecision, n, others }) =>
    `${label}: average precision ${interval(averagePrecision, threeDigits)}, ${n} films against ${others}.`;
  const title = 'Precision-recall curves with 95 % bands';
  return panels({ title, curves, describe, draw, weighted: false });
}

/** @param {{ name: string, curves: Curve[] }[]} models two, on the same films */
export function comparisonPlot(models) {
  const [{ curves }, second] = models;
  const names = models.map(({ name }) => keepStart(name, 26));
  /** @param {Curve} curve @returns {Curve[]} of the first and of the second model */
  const both = (curve) => [curve, ...second.curves.filter(({ label }) => label === curve.label)];
  /** @param {Curve} curve */
  function draw(curve) {
    const { frame, toY } = axes('sensitivity');
    /** @param {string} style @param {Curve} curve */
    const curvePath = (style, { roc }) =>
      path(
        style,
        roc.map(([x, y]) => [toX(x), toY(y)]),
      );
    const [a, b] = both(curve);
    return [
      ...frame,
      ...horizontalNumbers(SIDE),
      horizontalName('1 − specificity', SIDE),
      path('rest', [
        [0, SIDE],
        [SIDE, 0],
      ]),
      curvePath('line first', a),
      curvePath('line second', b),
      ...legend([
        ['line first', `${names[0]}: ${threeDigits(a.auc.value)}`],
        ['line second', `${names[1]}: ${threeDigits(b.auc.value)}`],
        ['rest', 'chance: 0.5'],
      ]),
    ];
  }
  const describe = (/** @type {Curve} */ curve) =>
    both(curve)
      .map((one, i) => describeRoc(one, names[i]))
      .join(' ');
  return panels({ title: 'ROC curves of both models', curves, describe, draw, weighted: false });
}

/**
 * Predicted against observed shares as a smooth curve with its band, the same in ten bins with their intervals, and below
 * them how many films each bin stands for. @param {Curve[]} curves
 */
export function calibrationPlot(curves) {
  const BARS = 64,
    GAP = 12,
    floor = SIDE + GAP + BARS;
  /** @param {Bin} bin @param {number} max */
  const bar = ({ from, to, n }, max) => {
    const height = ((BARS - 12) * n) / max,
      x = toX(from) + 2,
      width = toX(to) - toX(from) - 4;
    return [
      element('rect', { class: 'bar', x, width, y: floor - height, height }),
      centred(n, x + width / 2, floor - height - 2, 'small'),
    ];
  };
  /** @param {Curve} curve */
  function draw({ reliability = [], calibration = [] }) {
    const { frame, toY } = axes('observed share');
    /** @param {'low' | 'high'} bound @returns {Point[]} */
    const edge = (bound) => calibration.map((p) => [toX(p.predicted), toY(p[bound] ?? p.observed)]);
    const max = Math.max(...reliability.map(({ n }) => n));
    return [
      ...frame,
      path('rest', [
        [0, SIDE],
        [SIDE, 0],
      ]),
      ...(calibration.length
        ? [
            element('path', { class: 'band', d: `${pathData([...edge('high'), ...edge('low').reverse()])}Z` }),
            path(
              'line first',
              calibration.map((p) => [toX(p.predicted), toY(p.observed)]),
            ),
          ]
        : []),
      ...reliability.flatMap(({ predicted, observed, low, high }) => [
        line('whisker', [toX(predicted), toY(low ?? observed)], [toX(predicted), toY(high ?? observed)]),
        element('circle', { class: 'dot', cx: toX(predicted), cy: toY(observed), r: 4 }),
      ]),
      ...reliability.flatMap((bin) => bar(bin, max)),
      line('frame', [0, floor], [SIDE, floor]),
      ...horizontalNumbers(floor),
      verticalName('films', floor - BARS / 2),
      horizontalName('predicted probability', floor),
    ];
  }
  const describe = (/** @type {Curve} */ { label, reliability = [] }) =>
    `${label}: ${reliability.map((b) => `${b.n} films predicted at about ${threeDigits(b.predicted)}, observed ${threeDigits(b.observed)}`).join('; ')}.`;
  const title = 'Predicted and observed shares';
  return panels({ title, curves, describe, draw, height: floor });
}

/** Steps between the numbers of the net benefit axis, at most six of which fit. */
const STEPS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];

/** @param {Curve[]} curves */
export function decisionPlot(curves) {
  /** @param {Curve} curve */
  function ticksFor({ netBenefit = [] }) {
    const max = Math.max(0.01, ...netBenefit.flatMap(({ model, all }) => [model, all]));
    const step = STEPS.find((size) => max / size <= 6) ?? STEPS[STEPS.length - 1];
    return Array.from({ length: Math.ceil(max / step) + 2 }, (_, i) => (i - 1) * step);
  }
  /** @param {Curve} curve */
  function draw(curve) {
    const { frame, toY } = axes('net benefit', ticksFor(curve));
    /** @param {'model' | 'all'} key @returns {Point[]} */
    const points = (key) => (curve.netBenefit ?? []).map((p) => [toX(p.threshold), toY(p[key])]);
    /** @param {'low' | 'high'} bound @returns {Point[]} */
    const edge = (bound) => (curve.netBenefit ?? []).map((p) => [toX(p.threshold), toY(p[bound] ?? p.model)]);
    return [
      ...frame,
      ...horizontalNumbers(SIDE),
      horizontalName('threshold probability', SIDE),
      // The inner svg clips curves that fall below the axis.
      element(
        'svg',
        { width: SIDE, height: SIDE },
        path('rest', [
          [0, toY(0)],
          [SIDE, toY(0)],
        ]),
        element('path', { class: 'band', d: `${pathData([...edge('high'), ...edge('low').reverse()])}Z` }),
        path('line second', points('all')),
        path('line first', points('model')),
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
  }
  /** @param {Curve} curve */
  function describe({ label, netBenefit = [] }) {
    const shown = netBenefit.filter(({ threshold }) => [0.1, 0.3, 0.5].some((t) => Math.abs(t - threshold) < 1e-9));
    const samples = shown.map(
      ({ threshold, model, all }) =>
        `net benefit at ${threshold} ${threeDigits(model)}, of acting on every film ${threeDigits(all)}`,
    );
    return `${label}: ${samples.join('; ')}.`;
  }
  const title = 'Decision curves: net benefit';
  return panels({ title, curves, describe, draw });
}

/** @param {number[][]} matrix rows: truth @param {string[]} labels */
export function confusionPlot(matrix, labels) {
  const CELL = 88,
    HEAD = 44,
    side = CELL * labels.length,
    left = MARGIN.left + 84,
    top = MARGIN.top + HEAD;
  const sums = matrix.map((row) => row.reduce((total, n) => total + n, 0));
  const share = (/** @type {number} */ n, /** @type {number} */ i) => (sums[i] ? percentText(n / sums[i]) : '–');

  /** @param {number} n @param {number} i @param {number} j */
  function cell(n, i, j) {
    const x = left + CELL * j,
      y = top + CELL * i,
      square = { x, y, width: CELL, height: CELL };
    return [
      element('rect', { class: 'cell', 'fill-opacity': sums[i] ? (0.5 * n) / sums[i] : 0, ...square }),
      element('rect', { class: 'frame', ...square }),
      centred(n, x + CELL / 2, y + CELL / 2 - 2, 'head'),
      centred(share(n, i), x + CELL / 2, y + CELL / 2 + 16, 'small'),
    ];
  }
  const heads = labels.flatMap((label, i) => [
    centred(keepStart(label, 13), left + CELL * (i + 0.5), top - 8),
    text(keepStart(label, 13), left - 8, top + 4 + CELL * (i + 0.5), { 'text-anchor': 'end' }),
  ]);
  const about = {
    title: 'Confusion matrix',
    description: matrix
      .flatMap((row, i) => row.map((n, j) => `${labels[i]} predicted as ${labels[j]}: ${n}, ${share(n, i)}.`))
      .join(' '),
    width: left + side + MARGIN.right,
    height: top + side + 24,
    left: MARGIN.left,
  };
  return document(about, [
    ...matrix.flatMap((row, i) => row.flatMap((n, j) => cell(n, i, j))),
    ...heads,
    centred('predicted', left + side / 2, MARGIN.top + 16, 'small'),
    text('truth', MARGIN.left, top - 8, { class: 'small' }),
  ]);
}

/**
 * A forest plot: the AUC of each label in each subgroup, with its interval.
 * @param {{ column: string, values: { value: string, figures: { classes: { label: string, n: number,
 *   auc: import('./format.mjs').Interval | null }[] } }[] }[]} groups
 * @param {string} label @param {import('./format.mjs').Interval | null} overall
 */
export function forestPlot(groups, label, overall) {
  const ROW = 22,
    TEXT = 150,
    NUMBERS = 110,
    WIDTH = MARGIN.left + SIDE + MARGIN.right + NUMBERS;
  const rows = groups.flatMap(({ column, values }) => [
    { name: column, head: true, n: 0, auc: null },
    ...values.map(({ value, figures }) => {
      const own = figures.classes.find((one) => one.label === label);
      return { name: value, head: false, n: own?.n ?? 0, auc: own?.auc ?? null };
    }),
  ]);
  const bounds = [...rows.map(({ auc }) => auc), overall].flatMap((auc) => (auc ? [auc.low ?? auc.value] : []));
  const low = Math.min(0.5, Math.floor(10 * Math.min(...bounds, 0.5)) / 10),
    left = TEXT,
    right = WIDTH - NUMBERS - 8;
  const x = (/** @type {number} */ value) => left + ((value - low) / (1 - low)) * (right - left);
  const bottom = MARGIN.top + ROW * rows.length + 8;
  const ticks = Array.from({ length: Math.round((1 - low) / 0.1) + 1 }, (_, i) => low + 0.1 * i);
  const about = {
    title: `AUC of ${keepStart(label, 24)} by subgroup`,
    description: `The area under the ROC curve of ${label} in each subgroup. ${rows
      .filter(({ head }) => !head)
      .map(({ name, auc, n }) => `${name}, ${n} films: ${auc ? interval(auc, threeDigits) : 'too few films'}.`)
      .join(' ')}`,
    width: WIDTH,
    height: bottom + 28,
    left: 12,
  };
  return document(about, [
    ...ticks.flatMap((tick) => [
      line('grid', [x(tick), MARGIN.top], [x(tick), bottom]),
      centred(tick.toFixed(1), x(tick), bottom + 14, 'small'),
    ]),
    ...(overall ? [line('rest', [x(overall.value), MARGIN.top], [x(overall.value), bottom])] : []),
    ...rows.flatMap(({ name, head, auc, n }, i) => {
      const y = MARGIN.top + ROW * (i + 0.5);
      if (head) return [text(keepStart(name, 22), 12, y + 4, { class: 'head' })];
      const shown = text(`${keepStart(name, 15)} (${n})`, 20, y + 4);
      if (!auc) return [shown, text('too few', right + 8, y + 4, { class: 'small' })];
      return [
        shown,
        ...(auc.low === null || auc.high === null ? [] : [line('line first', [x(auc.low), y], [x(auc.high), y])]),
        element('circle', { class: 'dot', cx: x(auc.value), cy: y, r: 4 }),
        text(interval(auc, twoDigits), right + 8, y + 4, { class: 'small' }),
      ];
    }),
  ]);
}

/**
 * The flow of films (STARD): from the list of labels to the verdicts, by label.
 * @param {{ films: number, patients: number, errors: number, refusals: { [reason: string]: number },
 *   outcomes: { label: string, n: number, counts: { [verdict: string]: number } }[] }} result
 * @param {string[]} labels of the model
 */
export function flowPlot({ films, patients, errors, outcomes, refusals }, labels) {
  const WIDTH = 400,
    SIDE_BOX = 168,
    MAIN = WIDTH - SIDE_BOX - 36;
  const total = (/** @type {string} */ verdict) =>
    outcomes.reduce((sum, { counts }) => sum + (counts[verdict] ?? 0), 0);
  const answered = labels.reduce((sum, label) => sum + total(label), 0);
  const reasons = Object.entries(refusals)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([reason, n]) => `${keepStart(reason, 16)} ${n}`);
  /** @type {{ main: string[], aside: string[] }[]} */
  const steps = [
    { main: [`${films} films`, `of ${patients} patients`], aside: [`without an answer: ${errors}`] },
    { main: [`${films - errors} films with an answer`], aside: [`refused: ${total('refused')}`, ...reasons] },
    { main: [`${films - errors - total('refused')} films judged`], aside: [`uncertain: ${total('uncertain')}`] },
    {
      main: [`${answered} films answered`, ...labels.map((label) => `${keepStart(label, 16)}: ${total(label)}`)],
      aside: [],
    },
  ];
  const heightOf = (/** @type {string[]} */ lines) => 16 + 16 * lines.length;
  let y = MARGIN.top;
  const children = steps.flatMap(({ main, aside }, i) => {
    const box = (
      /** @type {number} */ x,
      /** @type {number} */ top,
      /** @type {number} */ width,
      /** @type {string[]} */ lines,
    ) => [
      element('rect', { class: 'frame', x, y: top, width, height: heightOf(lines), rx: 4 }),
      ...lines.map((one, j) => text(one, x + 10, top + 20 + 16 * j, j ? { class: 'small' } : {})),
    ];
    const top = y,
      height = heightOf(main),
      side = aside.length ? heightOf(aside) : 0,
      next = top + Math.max(height + 24, side ? height / 2 + side + 12 : 0);
    y = next;
    return [
      ...box(12, top, MAIN, main),
      ...(aside.length
        ? [
            line('frame', [12 + MAIN, top + height / 2], [24 + MAIN, top + height / 2]),
            ...box(24 + MAIN, top, SIDE_BOX, aside),
          ]
        : []),
      ...(i < steps.length - 1 ? [line('frame', [12 + MAIN / 2, top + height], [12 + MAIN / 2, next])] : []),
    ];
  });
  const about = {
    title: 'Flow of films',
    description: `${steps.map(({ main, aside }) => `${[main[0], ...aside].join(', ')}.`).join(' ')} ${labels
      .map((label) => `${label}: ${total(label)}.`)
      .join(' ')}`,
    width: WIDTH,
    height: y + 8,
    left: 12,
  };
  return document(about, children);
}
