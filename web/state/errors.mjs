// errors.mjs: failures as codes.
//
// Errors cross from the worker to the page and change their language with it, so they travel as a code that i18n/*.mjs
// words. The engine's own come with an English sentence, which stands where a language has none for the code.

/** @typedef {{code: string, message: string}} ErrorInfo
 *  @typedef {import('../i18n/words.mjs').MessageKey} MessageKey
 *  @typedef {MessageKey extends infer K ? K extends `problem.${infer Code}` ? Code : never : never} PageErrorCode */

/** @param {PageErrorCode} code  @param {unknown} [cause]  @returns {Error & ErrorInfo} */
export const pageError = (code, cause) => Object.assign(new Error(code, { cause }), { code });

/** An error that came from the worker as plain data, to be thrown again.
 *  @param {ErrorInfo} info  @returns {Error & ErrorInfo} */
export const errorFrom = ({ code, message }) => Object.assign(new Error(message), { code });

/** Codes of failures that a second attempt may mend. */
export const TRANSIENT = [
  'worker-died',
  'file-unreadable',
  'out-of-memory',
  'unexpected',
  'codec-missing',
  'codec-altered',
  'codec-offline',
  'dicom-missing',
];

/** Anything thrown, as plain data; an unforeseen error keeps its own message.
 *  @param {any} error  @returns {ErrorInfo} */
export const toErrorInfo = (error) =>
  typeof error?.code === 'string'
    ? { code: error.code, message: error.message }
    : { code: 'unexpected', message: String(error?.message || error) };

/** The same for what happened while a file was opened: anything unforeseen means that it cannot be read.
 *  @param {unknown} error  @returns {ErrorInfo} */
export function toFileErrorInfo(error) {
  const info = toErrorInfo(error);
  return info.code === 'unexpected' ? { ...info, code: 'file-unreadable' } : info;
}

/** Whether a call was cancelled rather than failed. @param {unknown} error */
export const isCancelled = (error) => error instanceof DOMException && error.name === 'AbortError';

/** Changes of the state that show a sentence above the films and announce it, for failures that neither a film nor a
 *  dialog shows. @param {string} sentence */
export const asNotice = (sentence) => ({ notice: sentence, announcement: sentence });
