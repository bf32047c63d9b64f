// problem.mjs: failures as codes, which words/*.mjs put into sentences
/** @typedef {{code: string, message: string}} Problem  the engine's own come with an English sentence, others are worded by their code alone */

/** @param {string} code  @param {unknown} [cause]  @returns {Error & Problem} */
export const problem = (code, cause) => Object.assign(new Error(code, { cause }), { code });

/** Any thrown thing; an unforeseen one keeps what it says. @returns {Problem} */
export const toProblem = (error) =>
  (typeof error?.code === 'string' ? { code: error.code, message: error.message } : { code: 'unexpected', message: String(error?.message || error) });
