// run.mjs - one run of a model over films: the engines on their threads, a progress bar, messages, answers in order.
//
//   const run = await openRun(options, items.length);
//   try {
//     for await (const { item, answer } of run.answers(items)) …
//   } finally {
//     await run.close();
//   }
import { availableParallelism } from 'node:os';
import { CommandError } from '../node/errors.mjs';
import { loadParts } from '../node/assets.mjs';
import { createPool } from '../node/pool.mjs';
import { harmless } from '../result/record.mjs';
import { floatsIn, integerIn, readGguf, textsOf } from '../weights/gguf.mjs';
import { jobCount } from './arguments.mjs';
import { loadNamed } from './assets.mjs';
import { parsePrevalence } from './prevalence.mjs';

/** With fewer films a second thread costs more than it saves, and a progress bar says nothing. */
const MANY = 8;

/** @type {NodeJS.Signals[]} */
const END_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * A progress bar on standard error; `say` prints text above it.
 * @param {number} total @param {boolean} visible false if nothing but text is to be printed
 */
async function createProgress(total, visible) {
  if (!visible || total < MANY || !process.stderr.isTTY)
    return { step() {}, say: (/** @type {string} */ text) => process.stderr.write(text), stop() {} };
  const { default: cliProgress } = await import('cli-progress'); // most runs show none
  const bars = new cliProgress.MultiBar(
    {
      format: '{bar} {value}/{total}  {rate} films/s  {eta_formatted} left',
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
    },
    cliProgress.Presets.shades_classic,
  );
  const start = performance.now();
  const bar = bars.create(total, 0, { rate: '–' });
  let done = 0;
  const step = () => bar.update(++done, { rate: ((1000 * done) / (performance.now() - start)).toFixed(1) });
  function stop() {
    for (const signal of END_SIGNALS) process.off(signal, quit);
    bars.update(); // stop() alone would drop the text that was logged since the last update.
    bars.stop();
  }
  /** Shows the cursor again, then ends as if there were no bar. @param {NodeJS.Signals} signal */
  function quit(signal) {
    stop();
    process.kill(process.pid, signal);
  }
  for (const signal of END_SIGNALS) process.on(signal, quit);
  return { step, say: (/** @type {string} */ text) => bars.log(text), stop };
}

/** How many films had which result. */
function createTally() {
  /** @type {Record<string, number>} */
  const counts = { answered: 0, uncertain: 0, refused: 0, errors: 0 };
  const start = performance.now();
  return {
    /** @param {import('../result/record.mjs').Answer} answer */
    count({ code, verdict, elsewhere }) {
      if (elsewhere) return;
      const kind = code ? 'errors' : verdict === 'uncertain' || verdict === 'refused' ? verdict : 'answered';
      counts[kind]++;
    },
    /** One line, empty for a single film. */
    summary() {
      const { answered, uncertain, refused, errors } = counts,
        films = answered + uncertain + refused + errors,
        seconds = ((performance.now() - start) / 1000).toFixed(1);
      if (films < 2) return '';
      const shown = `${answered} answered, ${uncertain} uncertain, ${refused} refused`;
      return `${films} films in ${seconds} s: ${shown}, ${errors} ${errors === 1 ? 'error' : 'errors'}.\n`;
    },
  };
}

/**
 * Reads labels and prior from the file itself, so that options are checked before an engine starts.
 * @param {Uint8Array} weights @param {string} [model] their path @returns {Parameters<typeof parsePrevalence>[1]}
 */
function classesOf(weights, model) {
  try {
    const { values } = readGguf(weights);
    const labels = textsOf(values.get('pleura.labels')) ?? [];
    const other = labels[integerIn(values.get('pleura.labels.other')) ?? -1] ?? null;
    const shares = floatsIn(values.get('pleura.prior'));
    return { labels, other, prior: shares && Object.fromEntries(labels.map((label, i) => [label, shares[i]])) };
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error; // what readGguf throws on damage
    throw new CommandError(`${model ?? 'pleura.gguf'} is damaged or not a GGUF file. Check its path.`);
  }
}

/**
 * @typedef {object} RunOptions
 * @property {string} [jobs] @property {string} [model] @property {string} [adapter] files
 * @property {string} [prevalence] diagnose at this class mix
 * @property {string} [reclassify] answers also say how films would be classified there
 * @property {boolean} [quiet] neither progress nor summary nor notice
 * @property {string} [heatmap] a folder @property {boolean} [occlusion] @property {import('../node/shards.mjs').Shard | null} [shard]
 * @property {boolean} [features] @property {boolean} [logits] @property {boolean} [patients] see protocol.d.ts
 * @property {boolean} [pictures] see protocol.d.ts
 */

/**
 * Loads and checks the weights once, and starts an engine on each thread.
 * @param {RunOptions} options @param {number} count of films to come
 */
export async function openRun(options, count) {
  const jobs = options.jobs ? jobCount(options.jobs) : count < MANY ? 1 : availableParallelism();
  const parts = await loadParts(options.model, options.adapter);
  const mixture = (/** @type {string | undefined} */ text) =>
    text ? parsePrevalence(text, classesOf(parts.weights, options.model)) : null;
  const prevalence = mixture(options.prevalence),
    reclassify = mixture(options.reclassify);
  const { heatmap, occlusion, shard, features, logits, patients, pictures } = options;
  const threadOptions = { prevalence, reclassify, heatmap, occlusion, shard, features, logits, patients, pictures };
  const threads = Math.min(jobs, Math.max(1, count));
  const pool = await loadNamed(options.model, () => createPool(parts, threads, threadOptions));
  const { model } = pool;

  /**
   * The answers in the order of the films, without those of other shards. Failures are reported on standard error and
   * set the exit code; a summary and the model's notice follow the last answer.
   * @template {import('../node/read.mjs').Item} T @param {T[]} items
   * @param {boolean} [bar] whether a progress bar may be shown
   * @returns {AsyncGenerator<{ item: T, answer: import('../result/record.mjs').Answer }>}
   */
  async function* answers(items, bar = true) {
    const progress = await createProgress(items.length, bar && !options.quiet),
      tally = createTally();
    try {
      for await (const { item, answer } of pool.run(items)) {
        if (answer.code) {
          process.exitCode = 1;
          progress.say(`${harmless(`${item.file}: ${answer.message}`)}\n`);
        }
        tally.count(answer);
        if (!answer.elsewhere) yield { item: /** @type {T} */ (item), answer };
        progress.step();
      }
    } finally {
      progress.stop();
    }
    if (!options.quiet) process.stderr.write(`${tally.summary()}${harmless(model.notice)}\n`);
  }

  return {
    model,
    /** How records name the model. */
    name: `${model.name}-${model.version} ${parts.sha256.slice(0, 12)}`,
    labels: model.labels,
    prior: model.prior,
    prevalence,
    /** The class mix of --prevalence where answers are reclassified for it. */
    reclassify,
    parts,
    answers,
    close: pool.close,
  };
}

/** @typedef {Awaited<ReturnType<typeof openRun>>} Run */
