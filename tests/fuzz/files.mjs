// Hostile files for what is JavaScript: each ends in a record or in a sentence, without hang and within bounded memory.
//
// node tests/fuzz/files.mjs SECONDS SEED, or FROM:TO SEED for these rounds of each target alone. A round is made of its
// number and the seed. They run in a process of their own, so that one that ends it or never ends is told, and the next goes on.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { random } from '../../src/stats/bootstrap.mjs';

const LONGEST = 60; // seconds of its processor that a round may take, or that nothing is done: what hangs takes for ever
const TICKS = 100; // a second, on every Linux
const MOST_BYTES = 2 ** 31; // the largest film in three channels, twice over
const NAMES = ['dicom', 'zip', 'overlay', 'csv', 'records'];
const [when, seed] = [process.argv[2], Number(process.argv[3])];
const [first, last] = when.includes(':') ? when.split(':').map(Number) : [0, Infinity];

/** A number of its own for each round. */
const seedOf = (name, number) =>
  [...`${seed} ${name} ${number}`].reduce(
    (hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0,
    0x811c9dc5,
  );

/** In the process of the rounds. @param {number} from */
async function rounds(from) {
  const { targets } = await import('./hostile_files.mjs');
  process.stderr.write = () => true; // what merging says of each problem
  for (let number = from; number < last; number++) {
    for (const name of NAMES) {
      process.send({ name, number });
      const rng = random(seedOf(name, number));
      let end,
        wrong = null;
      try {
        end = await targets[name].run(await targets[name].make(rng));
      } catch (error) {
        wrong = error?.stack ?? String(error);
      }
      if (process.memoryUsage().rss > MOST_BYTES) wrong ??= `holds ${process.memoryUsage().rss} bytes`;
      process.send({ name, number, end, wrong });
    }
  }
  process.disconnect();
}

/** Seconds of its processor that a process has taken, and whether it waits for something else. @param {number} pid */
function taken(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  return { seconds: (Number(fields[11]) + Number(fields[12])) / TICKS, asleep: fields[0] === 'S' };
}

/** Starts rounds and watches them; true where none is left. @param {{ number: number, ends: Map<string, Map<string, number>>, findings: number }} state */
function watch(state, until) {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(import.meta.url), [when, String(seed), String(state.number)], {
      execArgv: process.execArgv,
    });
    let at = null,
      timer,
      stopped = false;
    const finding = (wrong) => {
      state.findings++;
      process.stdout.write(`${at.name}, round ${at.number}: ${wrong}\n\n`);
    };
    const watchRound = () => {
      clearInterval(timer);
      const { seconds: start } = taken(child.pid);
      let idle = 0;
      timer = setInterval(() => {
        const { seconds, asleep } = taken(child.pid);
        idle = asleep ? idle + 1 : 0;
        if (seconds - start < LONGEST && idle < LONGEST) return;
        finding('has not ended');
        child.kill('SIGKILL');
      }, 1000);
    };
    child.on('message', ({ name, number, end, wrong }) => {
      clearInterval(timer);
      at = { name, number };
      if (wrong) finding(wrong);
      if (end || wrong) {
        const ends = state.ends.get(name) ?? new Map();
        state.ends.set(name, ends.set(end ?? 'finding', (ends.get(end ?? 'finding') ?? 0) + 1));
        if (name === NAMES.at(-1)) state.number = number + 1;
        if (performance.now() < until) return;
        stopped = true;
        child.kill('SIGKILL');
        return;
      }
      watchRound();
    });
    child.on('exit', (code, signal) => {
      clearInterval(timer);
      if (stopped || (code === 0 && state.number >= last)) return resolve(true);
      if (signal !== 'SIGKILL') finding(`ended the process (${signal ?? code})`);
      state.number = (at?.number ?? state.number) + 1;
      resolve(!at || state.number >= last);
    });
  });
}

if (process.send) await rounds(Number(process.argv[4]));
else {
  const state = { number: first, ends: new Map(), findings: 0 },
    until = performance.now() + (when.includes(':') ? Infinity : 1000 * Number(when));
  while (!(await watch(state, until)));
  for (const [name, ends] of state.ends) {
    const sorted = [...ends].sort(([, a], [, b]) => b - a),
      total = sorted.reduce((sum, [, n]) => sum + n, 0);
    process.stdout.write(
      `${name}: ${total} files: ${sorted
        .slice(0, 12)
        .map(([end, n]) => `${n} ${end}`)
        .join(', ')}\n`,
    );
  }
  process.stdout.write(`${state.findings} findings\n`);
  process.exitCode = state.findings ? 1 : 0;
}
