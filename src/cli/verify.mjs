// verify.mjs - compares a converted network with what its own framework computes, where that is installed.
//
// model/convert/reference.py runs onnxruntime or Keras on two drawn films; the engine runs the converted weights on the
// same ones. Without a framework nothing is compared and nothing is said.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../engine.mjs';
import { loadEngine } from '../node/assets.mjs';
import { CommandError } from '../node/errors.mjs';
import { floatsIn, readGguf } from '../weights/gguf.mjs';
import { warn } from './stdio.mjs';

const REFERENCE = fileURLToPath(new URL('../../model/convert/reference.py', import.meta.url));
/** A probability that differs by more is another network; half precision and 8-bit weights stay below. */
const MAX_DIFFERENCE = 0.1;
const MAX_BYTES = 1 << 26; // of the framework's answer

/**
 * @typedef {object} Facts  what the converter wrote with --facts
 * @property {boolean} verify @property {{ labels: string, root?: string, map?: string } | null} calibrate
 * @property {string} source @property {string} out @property {string} weights  the file to check, and to move to `out`
 * @property {'softmax' | 'sigmoid' | 'logits'} head
 * @property {string | null} half  the type of 16 bits in which the network computes; the framework is asked in float32
 * @property {[number, number, number]} size  height, width, channels
 */

/** The films of reference.py. @param {number} h @param {number} w @returns {number[][]} */
function films(h, w) {
  const pixels = Array.from({ length: h * w }, (_, i) => [Math.floor(i / w), i % w]);
  return [
    pixels.map(([y, x]) => 2 * Math.abs(((5 * x + 3 * y) % 254) - 127)),
    pixels.map(([y, x]) => 40 + (Math.floor((x * x + 2 * y * y + 3 * x * y) / 37) % 176)),
  ];
}

/** @param {number[]} row */
function softmax(row) {
  const top = Math.max(...row);
  const shares = row.map((v) => Math.exp(v - top));
  const sum = shares.reduce((a, b) => a + b);
  return shares.map((v) => v / sum);
}

/** The framework's outputs as one probability per label. @param {number[]} row @param {Facts['head']} head */
function probabilities(row, head) {
  if (head === 'sigmoid') return [1 - row[0], row[0]];
  if (row.length === 1) return softmax([0, row[0]]);
  const isDistribution = row.every((v) => v >= 0) && Math.abs(row.reduce((a, b) => a + b) - 1) < 0.01;
  return head === 'softmax' && isDistribution ? row : softmax(row); // a LogSoftmax gives logarithms
}

/**
 * Throws CommandError if the weights answer otherwise than the framework.
 * @param {Facts} facts @param {string} path of the facts
 */
export async function verify(facts, path) {
  const { stdout, status } = spawnSync('python3', [REFERENCE, facts.source, path], {
    encoding: 'utf8',
    maxBuffer: MAX_BYTES,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (status !== 0 || !stdout) return; // no framework, or one that cannot read this file
  const { framework: name, outputs } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  const framework = facts.half ? `${name} in float32` : name;
  const weights = readFileSync(facts.weights);
  const engine = await createEngine({ wasm: await loadEngine(), weights });
  const { values } = readGguf(weights);
  const [scale, offset] = ['scale', 'offset'].map((key) => floatsIn(values.get(`pleura.input.${key}`)) ?? [1]);
  const [h, w, c] = facts.size;
  const differences = films(h, w).flatMap((grey, n) => {
    const input = Float32Array.from(
      { length: h * w * c },
      (_, i) => grey[Math.floor(i / c)] * scale[i % c] + offset[i % c],
    );
    const got = softmax([...engine.run(input)]);
    const want = probabilities(outputs[n], facts.head);
    return want.length === got.length ? want.map((p, i) => Math.abs(p - got[i])) : []; // a map is not compared
  });
  if (!differences.length) return;
  const difference = Math.max(...differences);
  if (difference <= MAX_DIFFERENCE)
    return warn(
      `${facts.out}: agrees with ${framework}; a probability differs by at most ${difference.toExponential(0)}`,
    );
  throw new CommandError(
    `${facts.out} was not written: its answers are not those of ${framework}; a probability differs by ${difference.toFixed(2)}. Please report the network.`,
  );
}
