// convert.mjs - the `convert` command: hands everything to the converter in Python, which has its own help. What needs
// the engine follows: the comparison with the framework, and --calibrate. Only then is the output written, so that an older
// file stays where either fails.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../../node/errors.mjs';
import { calibrate } from '../calibrate.mjs';
import { writeOutput } from '../gguf_output.mjs';
import { verify } from '../verify.mjs';

const CONVERTER = fileURLToPath(new URL('../../../model/convert', import.meta.url));

/** libhdf5 crashes or hangs on some damaged files; these signals mean that the file was bad. */
const CRASHES = new Set(['SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGXCPU']);

/** @param {string[]} argv @returns {Promise<void>} throws CommandError */
export async function convert(argv) {
  const folder = mkdtempSync(join(tmpdir(), 'pleura-'));
  try {
    const path = join(folder, 'facts.json');
    run([...argv, '--facts', path]);
    if (!existsSync(path)) return; // it has said why
    /** @type {import('../verify.mjs').Facts} */
    const facts = JSON.parse(readFileSync(path, 'utf8'));
    if (facts.verify) await verify(facts, path);
    if (facts.calibrate) await calibrate(facts, facts.calibrate);
    await writeOutput(facts.out, readFileSync(facts.weights));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {string[]} argv */
function run(argv) {
  // Debian's packages are visible only to Debian's Python, which may not be the first in the PATH.
  const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
  // argparse wraps its help to the columns of the environment.
  /** @type {{ error?: NodeJS.ErrnoException, status: number | null, signal: string | null }} */
  const { error, status, signal } = spawnSync(python, [CONVERTER, ...argv], {
    stdio: 'inherit',
    env: { ...process.env, COLUMNS: '80' },
  });
  if (error)
    throw new CommandError(
      `'convert' needs Python (${error.code}). On Debian: apt-get install python3-numpy python3-onnx python3-h5py`,
    );
  if (signal && CRASHES.has(signal))
    throw new CommandError(`'convert' crashed (${signal}): the file is damaged. Save it again.`);
  if (signal) throw new CommandError(`'convert' was ended by ${signal}.`);
  process.exitCode = status ?? 1;
}
