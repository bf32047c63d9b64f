// stdio.mjs - standard output for results, standard error for everything else.
import { once } from 'node:events';
import { harmless } from '../result/record.mjs';

/** Prints a line, and waits if the reader is slower than the engine. @param {string} text */
export async function print(text) {
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
}

/** Names that a line has space for. */
const SHOWN = 3;

/**
 * Reports the files of folders and archives that are not films, so that none is dropped silently.
 * @param {string[]} leftOut @param {{ verbose?: boolean, quiet?: boolean }} options
 */
export function warnLeftOut(leftOut, { verbose, quiet }) {
  if (!leftOut.length || quiet) return;
  const names = verbose ? leftOut : leftOut.slice(0, SHOWN),
    rest = leftOut.length > names.length ? ', … (--verbose lists all)' : '';
  const subject = leftOut.length === 1 ? '1 file was' : `${leftOut.length} files were`;
  warn(`${subject} left out, not being PNG, JPEG, BMP or DICOM: ${names.join(', ')}${rest}`);
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
