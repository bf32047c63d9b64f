// errors.mjs: failures as codes, which words/*.mjs put into sentences
/** @typedef {{code: string, message: string}} Problem  the engine's own come with an English sentence, others are worded by their code alone */

/** @param {string} code  @param {unknown} [cause]  @returns {Error & Problem} */
export const problem = (code, cause) => Object.assign(new Error(code, { cause }), { code });

/** Codes of what a second attempt may mend. */
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

/** Changes of the state: what went wrong with neither a film nor a dialog is shown and said. @param {string} sentence */
export const trouble = (sentence) => ({ trouble: sentence, said: sentence });

/** Any thrown thing; an unforeseen one keeps what it says. @returns {Problem} */
export const toProblem = (error) =>
  typeof error?.code === 'string'
    ? { code: error.code, message: error.message }
    : { code: 'unexpected', message: String(error?.message || error) };
