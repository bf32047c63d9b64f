// The program, and the program of the pool's threads beside it, both as modules.
import webpack from 'webpack';

const configuration = {
  target: 'node20',
  mode: 'none',
  entry: { program: './program.mjs', thread: 'pleura/thread.mjs' },
  experiments: { outputModule: true },
  output: { module: true, chunkFormat: 'module', path: `${import.meta.dirname}/built/webpack`, filename: '[name].mjs' },
  // Otherwise webpack writes down where Pleura's modules lie now, and files there are preferred to those beside the bundle.
  module: { parser: { javascript: { importMeta: false } } },
};
webpack(configuration, (error, stats) => {
  if (error) throw error;
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
});
