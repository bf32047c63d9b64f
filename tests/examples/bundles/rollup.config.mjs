// The program, and the program of the pool's threads beside it.
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';

export default {
  input: { program: 'program.mjs', thread: 'pleura/thread.mjs' },
  plugins: [resolve({ exportConditions: ['node'], preferBuiltins: true }), commonjs()],
  output: { dir: 'built/rollup', entryFileNames: '[name].mjs' },
};
