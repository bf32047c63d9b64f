// diagnose.mjs - the command without a name: classifies films and prints one record per film, in their order.
import { csv, jsonLines, mixtureText, toJson, toRecord } from '../../result/record.mjs';
import { usage } from '../../node/errors.mjs';
import { ending, heading } from '../../node/shards.mjs';
import { parseShard } from '../arguments.mjs';
import { makeFolder } from '../output_folder.mjs';
import { films } from '../paths.mjs';
import { openResume } from '../resume.mjs';
import { openRun } from '../run.mjs';
import { print, warn, warnLeftOut } from '../stdio.mjs';
import { table } from '../table.mjs';

const DEFAULT_COLUMNS = 80;

/**
 * Columns for the table. A terminal without a size reports 0; names in a file are never cut.
 * @param {{ file: string }[]} items
 */
const widthOf = (items) =>
  process.stdout.isTTY
    ? process.stdout.columns || DEFAULT_COLUMNS
    : DEFAULT_COLUMNS + Math.max(...items.map(({ file }) => file.length));

/** @param {string} [when] the value of --color */
function isColoured(when = 'auto') {
  if (!['auto', 'always', 'never'].includes(when)) throw usage(`--color needs auto, always or never, not '${when}'.`);
  if (when !== 'auto') return when === 'always';
  return process.stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/**
 * The form of the records: `head` is the first line, empty if there is none, and `row` makes a line from a record.
 * @param {any} options @param {import('../run.mjs').Run} run @param {{ file: string }[]} items
 * @returns {{ head: string, row: (record: any) => string }}
 */
function formatOf(options, { labels, prevalence, model }, items) {
  if (options.csv) return csv(labels);
  const wantsTable = options.table || process.stdout.isTTY;
  if (options.json || options.resume || options.shard || !wantsTable) return jsonLines();
  return table({
    labels,
    files: items.map(({ file }) => file),
    columns: widthOf(items),
    coloured: isColoured(options.color),
    prevalence,
    other: model.other !== null,
    extent: model.graphs.diagnosis.some((line) => line.startsWith('opacity = ')),
  });
}

/** Whether the engine draws a heatmap with these weights. @param {import('../../engine.mjs').Model} model */
const hasMap = ({ graphs: { diagnosis } }) => diagnosis.some((line) => /^(opacity|features) = /.test(line));

/** @param {{ left: any[], retried: number, changed: number }} resumed @param {number} films of this run */
function warnResumed({ left, retried, changed }, films) {
  const again = retried + changed;
  if (left.length === films) return;
  const done = `${films - left.length} of ${films} films have results.`;
  warn(again ? `${done} Trying again: ${retried} with errors, ${changed} whose file has changed.` : done);
}

/** @param {string[]} paths @param {any} options @returns {Promise<void>} throws CommandError */
export async function diagnose(paths, options) {
  const shard = options.shard ? parseShard(options.shard) : null;
  isColoured(options.color); // a wrong word stops the command before the first film
  const found = await films(paths, options.files, options.heatmap);
  warnLeftOut(found.leftOut, options);
  const items = found.items.map((item, place) => ({ ...item, place }));
  if (options.occlusion && !options.heatmap) throw usage('--occlusion draws heatmaps: add --heatmap DIR.');
  if (options.heatmap) await makeFolder(options.heatmap, '--heatmap');
  const resumed = options.resume ? await openResume(options.resume, items, Boolean(shard)) : null;
  if (resumed?.failed) process.exitCode = 1;
  const left = resumed?.left ?? items;
  if (resumed && !options.quiet) warnResumed(resumed, items.length);

  const run = await openRun({ ...options, shard }, left.length);
  try {
    const { name, labels, prevalence, model } = run;
    if (options.heatmap && !options.occlusion && !hasMap(model))
      warn('These weights allow no class activation map, so the heatmaps show the film alone; --occlusion draws one.');
    const format = formatOf(options, run, items);
    const head = shard ? toJson(heading(shard, items, name, labels, prevalence)) : format.head;
    resumed?.begin(head, name, mixtureText(prevalence));
    if (head && !resumed) await print(head);

    const write = resumed?.append ?? print;
    // Rows on the same terminal show the progress themselves.
    const showBar = Boolean(resumed) || !process.stdout.isTTY;
    let records = resumed?.records ?? 0;
    for await (const { item, answer } of run.answers(left, showBar)) {
      const record = toRecord(item.file, answer, name);
      await write(format.row(shard ? { place: item.place, ...record } : record));
      records++;
    }
    if (shard && !resumed?.ended) await write(toJson(ending(shard, records)));
    resumed?.close();
  } finally {
    await run.close();
  }
}
