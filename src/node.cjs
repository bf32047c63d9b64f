// node.cjs - the package for `require`: the same engine, imported when the first one is made.
'use strict';

/** @type {typeof import('./node.mjs').createEngine} */
exports.createEngine = async (options) => (await import('./node.mjs')).createEngine(options);
