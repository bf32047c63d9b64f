// Runs films through the threads: a bar and messages on standard error, the answers in order to whoever takes them.
import { availableParallelism } from 'node:os';
import cliProgress from 'cli-progress';
import { jobCount } from './arguments.mjs';
import { createPool } from '../node/pool.mjs';
import { harmless } from '../result/record.mjs';
import { loadParts } from '../node/assets.mjs';

/** Below this many films a second thread costs more than it saves, and a bar tells nothing. */
const MANY = 8;

/** @type {NodeJS.Signals[]} */
const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * A bar on standard error for many films, with what is said meanwhile above it. None where the rows of a table show the
 * progress on the same terminal.
 * @param {number} total @param {boolean} rows
 */
function progress(total, rows) {
  if (total < MANY || !process.stderr.isTTY || (rows && process.stdout.isTTY)) {
    return { step() {}, say: (text) => process.stderr.write(text), stop() {} };
  }
  const bars = new cliProgress.MultiBar(
    {
      format: '{bar} {value}/{total}  {rate} films/s  {eta_formatted} left',
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
    },
    cliProgress.Presets.shades_classic,
  );
  const begun = performance.now();
  const bar = bars.create(total, 0, { rate: '–' });
  let done = 0;
  const step = () => bar.update(++done, { rate: ((1000 * done) / (performance.now() - begun)).toFixed(1) });
  const stop = () => {
    for (const signal of ENDS) process.off(signal, give);
    bars.update(); // Ending drops what has been said since the last update.
    bars.stop();
  };
  /** Gives the terminal its cursor back, then ends as without a bar. @param {NodeJS.Signals} signal */
  function give(signal) {
    stop();
    process.kill(process.pid, signal);
  }
  for (const signal of ENDS) process.on(signal, give);
  return { step, say: (text) => bars.log(text), stop };
}

/**
 * Runs the films through the threads and hands each answer to `take`, in order.
 * @param {import('./paths.mjs').Item[]} items
 * @param {{ jobs?: string, model?: string, overlay?: string, features?: boolean, patients?: boolean, prevalence?: string, heatmap?: string, shard?: import('../node/shards.mjs').Shard, rows?: boolean }} options
 *   features: what the last layer reads is part of the answers; patients: so is whose film it is; rows: they are shown on standard output
 * @param {((pool: { model: any, name: string }) => Promise<void>) | null} begin what to do before the first answer
 * @param {(item: any, answer: import('../node/pool.mjs').Answer) => Promise<void> | void} take
 */
export async function runFilms(items, options, begin, take) {
  const jobs = options.jobs ? jobCount(options.jobs) : items.length < MANY ? 1 : availableParallelism();
  const parts = await loadParts(options.model, options.overlay);
  const { prevalence, heatmap, shard, features, patients } = options;
  const pool = await createPool(parts, Math.min(jobs, Math.max(1, items.length)), {
    prevalence,
    heatmap,
    shard,
    features,
    patients,
  });
  const { model } = pool;
  const name = `${model.name}-${model.version} ${parts.sha256.slice(0, 12)}`;
  let bar;
  try {
    await begin?.({ model, name });
    bar = progress(items.length, options.rows);
    for await (const { item, answer } of pool.run(items)) {
      if (answer.code) {
        process.exitCode = 1;
        bar.say(`${harmless(`${item.file}: ${answer.message}`)}\n`);
      }
      if (!answer.elsewhere) await take(item, answer);
      bar.step();
    }
  } finally {
    bar?.stop();
    await pool.close();
  }
  process.stderr.write(`${harmless(model.notice)}\n`);
  return { model, name };
}
