// The failures of the command and of its files, each a sentence for the person at the terminal.
import { PleuraError } from '../errors.mjs';
import { MAX_FILE_BYTES } from '../sniff.mjs';

/** The command cannot do what was typed: a sentence for the person, and the exit status (2 for wrong usage). */
export class CommandError extends Error {
  /** @param {string} message @param {1 | 2} [status] */
  constructor(message, status = 1) {
    super(message);
    this.status = status;
  }
}

/** @param {string} message */
export const usage = (message) => new CommandError(message, 2);

/** A film that cannot be read: told in the same form as one that cannot be diagnosed. */
export class ReadError extends PleuraError {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(code, -1, message);
  }
}

/** @param {any} error of node:fs @param {'file' | 'folder'} [what] @returns {ReadError} */
export function unreadable(error, what = 'file') {
  if (error.code === 'ENOENT') return new ReadError('no-such-file', `There is no such ${what}. Check the path.`);
  if (error.code === 'EACCES')
    return new ReadError('unreadable', `This ${what} may not be read. Check its permissions.`);
  if (error.code === 'ELOOP')
    return new ReadError('unreadable', 'This link leads in a circle. Give the path of a file.');
  return new ReadError('unreadable', `This ${what} cannot be read (${error.code ?? error.message}).`);
}

export const tooLarge = () =>
  new ReadError(
    'file-too-large',
    `This file is larger than ${MAX_FILE_BYTES >> 20} MB, which is too large for a film.`,
  );
