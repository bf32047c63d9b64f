// stdio.mjs - standard output for results, standard error for everything else.
import { once } from 'node:events';
import { harmless } from '../result/record.mjs';

/** Prints a line, and waits if the reader is slower than the engine. @param {string} text */
export async function print(text) {
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
}

/** Prints a line on standard error; control characters in it do not reach the terminal. @param {string} text */
export function warn(text) {
  process.stderr.write(`${harmless(text)}\n`);
}

/** Ends the process quietly when nobody reads the results any more, and with a sentence when they cannot be written. */
export function handleClosedPipes() {
  process.stdout.on('error', (error) => {
    // The reader closed the pipe (`| head`). Nothing is left to flush, so the process ends here and now.
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    warn(`pleura: The results cannot be written (${error.code}).`);
    process.exit(1);
  });
  process.stderr.on('error', () => {}); // Losing diagnostics is acceptable; losing results is not.
}
