// inspect.mjs - the networks layer by layer: what the commands info, quantise and adapt need beyond a diagnosis.
import { PleuraError } from '../errors.mjs';
import { findPooledLayer, parseGraph } from './graph.mjs';
import { STATUS } from './wasm.mjs';

/**
 * @typedef {'lungs' | 'diagnosis'} GraphName
 * @typedef {Pick<import('../types.d.ts').Engine, 'profile' | 'activations' | 'run' | 'features'>} Inspector
 */

/** @type {GraphName[]} in the order of pleura_graph, src/engine/inspect.h */
const GRAPHS = ['lungs', 'diagnosis'];
const DIAGNOSIS = 1;

/**
 * @param {import('./wasm.mjs').Bridge} bridge @param {{ lungs: string[], diagnosis: string[] }} graphs
 * @returns {Inspector}
 */
export function createInspector({ exports: c, bytesAt, floatsAt, textAt, put, check, give }, graphs) {
  /** @param {number} graph @param {number} number  of the layer */
  function describe(graph, number) {
    if (!c.layer(graph, number)) throw new RangeError(`no layer ${number}`);
    return {
      name: textAt(c.layer_name(), c.layer_name_size()),
      address: /** @type {number} */ (c.layer_out()),
      int8: c.layer_bytes() === 1,
      shape: /** @type {[number, number, number]} */ ([c.layer_h(), c.layer_w(), c.layer_c()]),
      lanes: /** @type {number} */ (c.layer_lanes()),
      products: /** @type {number} */ (c.layer_products()),
    };
  }

  /** @param {number} graph @param {Float32Array} tensor  [h][w][c] of the graph's input */
  function setInput(graph, tensor) {
    const { address, shape } = describe(graph, 0);
    const [h, w, channels] = shape;
    if (tensor.length !== h * w * channels) throw new TypeError(`the input is ${h} x ${w} x ${channels} numbers`);
    put(address, new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength));
  }

  return {
    features() {
      if (!c.has_film()) check(STATUS.NO_FILM);
      const number = findPooledLayer(graphs.diagnosis);
      if (number < 0) {
        const sentence = 'These weights cannot be adapted: their last layer does not read the mean of features.';
        throw new PleuraError('no-features', -1, sentence);
      }
      c.run_layer(DIAGNOSIS, number); // again, because the gate layer may have overwritten its output
      const { address, lanes } = describe(DIAGNOSIS, number);
      return floatsAt(address, lanes).slice();
    },

    profile(rounds) {
      const layers = GRAPHS.flatMap((graph, g) =>
        graphs[graph].map((_, number) => ({ g, number, graph, ...describe(g, number), ms: Infinity })),
      );
      for (let round = 0; round < rounds; round++) {
        for (const layer of layers) {
          const start = performance.now();
          c.run_layer(layer.g, layer.number);
          layer.ms = Math.min(layer.ms, performance.now() - start);
        }
      }
      return layers.map(({ graph, name, shape, products, ms }) => ({ graph, name, shape, products, ms }));
    },

    *activations(input, graph) {
      const g = GRAPHS.indexOf(graph);
      if (input instanceof Float32Array) {
        setInput(g, input);
      } else {
        give(input);
        check(c.prepare(g, input.length));
      }
      for (let number = 0; number < graphs[graph].length; number++) {
        c.run_layer(g, number);
        const { name, shape, lanes, address, int8 } = describe(g, number);
        const count = shape[0] * shape[1] * lanes;
        yield { name, shape, lanes, data: int8 ? bytesAt(address, count) : floatsAt(address, count) };
      }
    },

    run(tensor) {
      setInput(DIAGNOSIS, tensor);
      const last = parseGraph(graphs.diagnosis).findIndex(({ name }) => name === 'logits');
      for (let number = 0; number <= last; number++) c.run_layer(DIAGNOSIS, number);
      const { address, shape } = describe(DIAGNOSIS, last);
      return floatsAt(address, shape[2]).slice();
    },
  };
}
