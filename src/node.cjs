// node.cjs - the package for `require`: the engine of node.mjs, which is imported when the first one is created.
'use strict';

/** @typedef {typeof import('./types.d.ts', { with: { 'resolution-mode': 'import' } })} Package */

/** @type {Package['createEngine']} */
exports.createEngine = async (options) => (await import('./node.mjs')).createEngine(options);

/** @type {Package['createPool']} */
exports.createPool = async (options) => (await import('./node.mjs')).createPool(options);

/** @type {Package['createDicomReader']} */
exports.createDicomReader = async (engine) => (await import('./node.mjs')).createDicomReader(engine);

/** @type {Package['openArchive']} */
exports.openArchive = async (path) => (await import('./node.mjs')).openArchive(path);

/**
 * Stands for the class of errors.mjs, which Node 20 cannot `require`: `instanceof` is true for the errors of either.
 */
class PleuraError extends Error {
  /** @param {string} code @param {number} status @param {string} message */
  constructor(code, status, message) {
    super(message);
    this.name = 'PleuraError';
    this.code = code;
    this.status = status;
  }

  /** @param {unknown} error */
  static [Symbol.hasInstance](error) {
    return error instanceof Error && error.name === 'PleuraError';
  }
}

/** @type {Package['PleuraError']} */
exports.PleuraError = PleuraError;
