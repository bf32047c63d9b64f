// diagnose.mjs - the command without a name: classifies films and prints one record per film, in their order.
import { ending, heading } from '../../node/shards.mjs';
import { csv, jsonLines, mixtureText, toJson, toRecord } from '../../result/record.mjs';
import { parseShard } from '../arguments.mjs';
import { makeFolder } from '../output_folder.mjs';
import { films } from '../paths.mjs';
import { openResume } from '../resume.mjs';
import { openRun } from '../run.mjs';
import { print } from '../stdio.mjs';
import { table } from '../table.mjs';

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
    columns: process.stdout.columns ?? 80,
    coloured: process.stdout.isTTY && !process.env.NO_COLOR,
    prevalence,
    other: model.other !== null,
    extent: model.graphs.diagnosis.some((line) => line.startsWith('opacity = ')),
  });
}

/** @param {string[]} paths @param {any} options @returns {Promise<void>} throws CommandError */
export async function diagnose(paths, options) {
  const shard = options.shard ? parseShard(options.shard) : null;
  const found = await films(paths, options.files, options.heatmap);
  const items = found.map((item, place) => ({ ...item, place }));
  if (options.heatmap) await makeFolder(options.heatmap, '--heatmap');
  const resumed = options.resume ? await openResume(options.resume, items, Boolean(shard)) : null;
  if (resumed?.failed) process.exitCode = 1;
  const left = resumed?.left ?? items;

  const run = await openRun({ ...options, shard }, left.length);
  try {
    const { name, labels, prevalence } = run;
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
