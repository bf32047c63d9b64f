// report.mjs - the folder of --report: one HTML page, Markdown, JSON, the plots as SVG and the table of films.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { overlayName } from '../../node/names.mjs';
import { toJson } from '../../result/record.mjs';
import { evaluationMarkdown } from '../evaluation_markdown.mjs';
import { writeFiles } from '../output_folder.mjs';
import {
  calibrationPlot,
  comparisonPlot,
  confusionPlot,
  decisionPlot,
  flowPlot,
  forestPlot,
  recallPlot,
  rocPlot,
} from '../plots.mjs';
import { openRun } from '../run.mjs';
import { evaluationHtml } from './html.mjs';

/** @typedef {import('../plots.mjs').Curve} Curve @typedef {{ name: string, curves: Curve[] }} Model */

/**
 * The plots by name: each as one file, and as panels, one per label, for narrow screens.
 * @param {any} result of `evaluate` @param {string[]} labels @param {Model[] | null} models both, on the same films
 * @returns {{ [name: string]: { title: string, svg: string, panels: string[] } }}
 */
function draw(result, labels, models) {
  /** @type {Curve[]} */ const all = result.curves;
  const weighted = all.filter(({ reliability }) => reliability);
  /** @param {string} title @param {(curves: Curve[]) => string} plot @param {Curve[]} curves */
  const perLabel = (title, plot, curves) => ({
    title,
    svg: plot(curves),
    panels: curves.map((curve) => plot([curve])),
  });
  /** @param {string} title @param {string} svg */
  const single = (title, svg) => ({ title, svg, panels: [svg] });
  /** @type {{ [name: string]: { title: string, svg: string, panels: string[] } }} */
  const plots = {
    flow: single('Flow of films', flowPlot(result, labels)),
    confusion: single('Confusion matrix by the largest probability', confusionPlot(result.all.confusion, labels)),
  };
  if (all.length) {
    plots.roc = perLabel('ROC curve of each label against the rest, with a 95 % band', rocPlot, all);
    plots.recall = perLabel('Precision-recall curve of each label, with a 95 % band', recallPlot, all);
  }
  if (weighted.length) {
    plots.calibration = perLabel(
      'Calibration of each probability: smooth curve with its 95 % band, bins with intervals, and the number of films',
      calibrationPlot,
      weighted,
    );
    plots.decision = perLabel('Decision curve of each label, with a 95 % band', decisionPlot, weighted);
  }
  if (models?.[0].curves.length) {
    const [first, second] = models;
    plots.comparison = {
      title: 'ROC curves of both models',
      svg: comparisonPlot(models),
      panels: first.curves.map((curve) =>
        comparisonPlot([
          { ...first, curves: [curve] },
          { ...second, curves: second.curves.filter(({ label }) => label === curve.label) },
        ]),
      ),
    };
  }
  const drawn = result.all.classes.filter((/** @type {any} */ { auc }) => auc);
  if (result.groups.length && drawn.length)
    drawn.forEach((/** @type {any} */ { label, auc }, /** @type {number} */ i) => {
      const svg = forestPlot(result.groups, label, auc);
      plots[i ? `subgroups-${i + 1}` : 'subgroups'] = single(
        `AUC of ${label} by subgroup, with that of all films`,
        svg,
      );
    });
  return plots;
}

/**
 * The worst mistakes as pictures with their heatmaps, as data URIs; films that cannot be shown are left out.
 * @param {import('./document.mjs').Mistake[]} mistakes @param {any} options of `evaluate`
 */
async function picturesOf(mistakes, { model, adapter, root, labels }) {
  const folder = await mkdtemp(join(tmpdir(), 'pleura-'));
  try {
    const { readLabels } = await import('../labels.mjs');
    const { items } = await readLabels({ labels, root });
    const wanted = mistakes.flatMap((mistake) => items.find(({ row }) => row.file === mistake.file) ?? []);
    const run = await openRun({ model, adapter, heatmap: folder }, wanted.length);
    /** @type {Map<string, string>} */ const names = new Map();
    try {
      for await (const { item, answer } of run.answers(wanted, false))
        if (answer.sha256) names.set(item.row.file, overlayName(item.file, answer.sha256));
    } finally {
      await run.close();
    }
    const written = await readdir(folder);
    return await Promise.all(
      mistakes
        .filter(({ file }) => written.includes(names.get(file) ?? ''))
        .map(async ({ file, truth, predicted }) => {
          const bytes = await readFile(join(folder, names.get(file) ?? ''));
          return { file, truth, predicted, uri: `data:image/png;base64,${bytes.toString('base64')}` };
        }),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * @param {string} folder @param {any} result of `evaluate` @param {string[]} labels of the model
 * @param {Model[] | null} models of --against @param {string} table of films, a CSV
 * @param {any} pictures the options of `evaluate` if the worst mistakes are to be shown, else null
 * @returns {Promise<{ [name: string]: { file: string, title: string } }>} the plots; throws CommandError
 */
export async function writeReport(folder, result, labels, models, table, pictures) {
  const plots = draw(result, labels, models);
  const files = Object.fromEntries(
    Object.entries(plots).map(([name, { title }]) => [name, { file: `${name}.svg`, title }]),
  );
  const shown = pictures ? await picturesOf(result.mistakes, pictures) : [];
  await writeFiles(folder, {
    'evaluation.html': evaluationHtml(result, labels, plots, shown),
    'evaluation.md': `${evaluationMarkdown(result, labels, files, { report: true })}\n`,
    'evaluation.json': `${toJson(result)}\n`,
    'films.csv': table,
    ...Object.fromEntries(Object.entries(plots).map(([name, { svg }]) => [`${name}.svg`, svg])),
  });
  return files;
}
