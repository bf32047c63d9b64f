// The failure that every door of Pleura throws.

/** A failure with its name for programs (`code`), its number (`status`) and a sentence for people (`message`). */
export class PleuraError extends Error {
  /** @param {string} code @param {number} status @param {string} message */
  constructor(code, status, message) {
    super(message);
    this.name = 'PleuraError';
    this.code = code;
    this.status = status;
  }
}
