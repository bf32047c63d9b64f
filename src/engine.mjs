// engine.mjs - pleura.wasm for browser, worker and Node: bytes in, plain objects out.
import { PleuraError } from './errors.mjs';
import { VERDICTS } from './verdicts.mjs';

export { PleuraError };

const UNCERTAIN = -1; // pleura.h
const OUT_OF_MEMORY = 1,
  MODEL_DAMAGED = 12,
  NO_FILM = 17; // status.h
const GRAPHS = ['lungs', 'diagnosis'],
  DIAGNOSIS = 1; // pleura.h

/**
 * @typedef {{data: Float32Array, width: number, height: number}} Grid  stretched over the whole upright film, 0..1
 * @typedef {{[label: string]: number}} Mixture  one share a label, sum 1
 * @typedef {object} Diagnosis
 * @property {string} verdict  a label, 'uncertain' or 'refused'
 * @property {Record<string, number>} probability  calibrated, one a label; of no meaning when refused
 * @property {Mixture|null} prevalence  what verdict and probability stand for: null for the weights' own prior
 * @property {{accepted: boolean, score: number, reason: string|null, message: string|null}} gate
 * @property {'stb'|'browser'|'dicom'|'phantom'} decoder  what decoded the file: the engine itself, a browser (whose pixels may
 *   differ), or dicom/reader.mjs with its codecs; 'phantom' if the engine drew the film and nothing was decoded
 * @property {string} bits  hash over all output floats: equal everywhere for the same film, at every prevalence
 * @property {number[]} logits  all that another judgement needs, beside the gate
 * @property {string} evidence  the label that the heatmap is of: that of the largest logit, whatever the prevalence
 * @property {number} width  of the upright film, pixels
 * @property {number} height
 * @property {Grid} heatmap
 * @property {Grid} lungs  probability of lung
 * @typedef {Awaited<ReturnType<typeof createEngine>>} Engine
 * @typedef {Engine['model']} Model
 */

/**
 * Samples as a file holds them.
 * @typedef {object} Samples
 * @property {Uint16Array} pixels  [height][width][channels]
 * @property {number} width @property {number} height
 * @property {1|3} channels  grey, or R G B
 * @property {Uint16Array} table  [65536]: what each sample shows, 0 black to 65535 white
 * @property {string|null} [told]  a reason to refuse the film that its file gives: a code 'tag-…' of pleura.h
 */

/** The functions and the memory of a new instance. @param {any} wasm bytes or module @returns {Promise<any>} */
async function instantiate(wasm) {
  try {
    /** @type {any} */
    const made = await WebAssembly.instantiate(wasm, { env: { emscripten_notify_memory_growth() {} } });
    const { exports } = 'instance' in made ? made.instance : made; // from bytes, or from a compiled module
    exports._initialize();
    return exports;
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw new PleuraError(
      'no-simd',
      -1,
      'The engine does not load: it is damaged, or this browser lacks WebAssembly SIMD. Reload the page, or update the browser.',
    );
  }
}

/**
 * Offers the products of pleura.dot.wasm to the engine. Whether it takes them: an engine for WebAssembly that lacks relaxed
 * SIMD does not load them, one that gets them wrong is found out by known answers; either way every bit stays the same.
 * @param {any} c exports @param {any} dot bytes or module
 */
async function offerProducts(c, dot) {
  try {
    /** @type {any} */
    const made = await WebAssembly.instantiate(dot, { env: { memory: c.memory } });
    const at = c.__indirect_function_table.grow(1);
    c.__indirect_function_table.set(at, ('instance' in made ? made.instance : made).exports.products);
    return c.offer_products(at) === 1;
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return false;
    throw error;
  }
}

const OPTIONS = ['wasm', 'weights', 'dot', 'adapter', 'reference'];

/** Throws PleuraError for unknown options, which would otherwise be ignored, and for those that are missing. @param {object} options */
function checkOptions(options) {
  const unknown = Object.keys(options).filter((name) => !OPTIONS.includes(name));
  if (unknown.length) {
    const sentence = `createEngine does not know these options: ${unknown.join(', ')}. It knows ${OPTIONS.join(', ')}.`;
    throw new PleuraError('unknown-option', -1, sentence);
  }
  const missing = ['wasm', 'weights'].filter((name) => !options[name]);
  if (missing.length) {
    const sentence = `createEngine needs the bytes of pleura.wasm and pleura.gguf here; missing: ${missing.join(', ')}.`;
    throw new PleuraError('missing-option', -1, sentence);
  }
}

/**
 * @typedef {object} EngineOptions
 * @property {Uint8Array|ArrayBuffer|WebAssembly.Module} wasm  pleura.wasm
 * @property {Uint8Array} weights  pleura.gguf; copied
 * @property {Uint8Array|ArrayBuffer|WebAssembly.Module} [dot]  pleura.dot.wasm: makes int8 weights faster where it runs
 * @property {Uint8Array} [adapter]  a file that `pleura adapt` wrote for these weights; it is applied to them
 * @property {boolean} [reference]  plain kernels: slower, the same bits
 */

/** An engine on its own memory, one film at a time. Throws PleuraError. @param {Partial<EngineOptions>} [options]  wasm and weights are required here */
export async function createEngine(options = {}) {
  checkOptions(options);
  const { wasm, dot, adapter, reference = false } = options;
  const c = await instantiate(wasm);
  // Loaded lazily: most programs have no adapter.
  const weights = adapter
    ? await (await import('./weights/adapter.mjs')).applyAdapter(options.weights, adapter)
    : options.weights;
  // A view is made for each use: growing the memory detaches every earlier one.
  const bytesAt = (at, length) => new Uint8Array(c.memory.buffer, at, length);
  const utf8 = new TextDecoder();

  function cString(at) {
    const all = new Uint8Array(c.memory.buffer, at);
    return utf8.decode(all.subarray(0, all.indexOf(0)));
  }

  function check(status) {
    if (status) throw new PleuraError(cString(c.status_code(status)), status, cString(c.status_text(status)));
  }

  function give(...parts) {
    let at = c.input(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
    if (!at) check(OUT_OF_MEMORY);
    for (const { buffer, byteOffset, byteLength } of parts) {
      bytesAt(at, byteLength).set(new Uint8Array(buffer, byteOffset, byteLength));
      at += byteLength;
    }
  }

  const giveKey = (key) => give(new TextEncoder().encode(`${key}\0`));

  function text(key, index = 0) {
    giveKey(key);
    const at = c.text(index);
    return at ? utf8.decode(bytesAt(at, c.text_size())) : null;
  }

  /** The number of a gate's code. */
  function gateNumber(code) {
    let number = 1;
    for (let name; (name = cString(c.gate_code(number))) !== code; number++)
      if (!name) throw new TypeError(`no reason is called ${code}`);
    return number;
  }

  /** @param {string} key @param {number} [index] @returns {number | null} */
  function number(key, index = 0) {
    giveKey(key);
    const value = c.number(index);
    return Number.isNaN(value) ? null : value;
  }

  function texts(key) {
    const all = [];
    for (let one; (one = text(key, all.length)) !== null;) all.push(one);
    return all;
  }

  give(weights);
  check(c.load(weights.length, reference ? 1 : 0));
  const relaxed = dot && !reference ? await offerProducts(c, dot) : false;

  const labels = texts('pleura.labels');
  if (labels.some((label) => VERDICTS.includes(label))) check(MODEL_DAMAGED);
  /** @type {Mixture | null} */
  let prevalence = null;
  const graphs = { lungs: texts('pleura.lungs.graph'), diagnosis: texts('pleura.diagnosis.graph') };
  const model = {
    name: text('general.name') ?? 'unnamed',
    version: text('general.version') ?? '0',
    license: text('general.license') ?? 'unknown',
    notice: text('pleura.card.notice') ?? 'For research and teaching, not a medical device.',
    summary: text('pleura.card.summary') ?? '',
    labels,
    graphs,
    temperature: number('pleura.temperature') ?? 1,
    certain: number('pleura.threshold.certain') ?? 0,
    /** @type {Mixture | null} what the probabilities stand for; null where the weights do not tell */
    prior:
      number('pleura.prior') === null
        ? null
        : Object.fromEntries(labels.map((label, i) => [label, number('pleura.prior', i)])),
    /** with an adapter: the SHA-256 of the weights that it belongs to, and how many films of each label it was fitted to; else null */
    adapted:
      text('pleura.adapted.base') === null
        ? null
        : {
            base: text('pleura.adapted.base'),
            films: Object.fromEntries(labels.map((label, i) => [label, number('pleura.adapted.films', i) ?? 0])),
          },
    relaxed,
  };

  /** The layer that `logits` reads where that is the mean of `features`; -1 in another network. */
  function pooled() {
    const [, input] = graphs.diagnosis.map((line) => /^logits = dense (\S+)/.exec(line)).find(Boolean) ?? [];
    return graphs.diagnosis.findIndex((line) => line.startsWith(`${input} = mean features`));
  }

  /**
   * Layer `number` of a graph; its output lies at `at`. @param {number} graph @param {number} number
   * @returns {{name: string, at: number, bytes: boolean, shape: [number, number, number], lanes: number, products: number}}
   */
  function describe(graph, number) {
    if (!c.layer(graph, number)) throw new RangeError(`no layer ${number}`);
    return {
      name: utf8.decode(bytesAt(c.layer_name(), c.layer_name_size())),
      at: c.layer_out(),
      bytes: c.layer_bytes() === 1,
      shape: [c.layer_h(), c.layer_w(), c.layer_c()],
      lanes: c.layer_lanes(),
      products: c.layer_products(),
    };
  }

  /** [h][w][c] of a graph's first layer. */
  function setInput(graph, tensor) {
    const {
      at,
      shape: [h, w, channels],
    } = describe(graph, 0);
    if (tensor.length !== h * w * channels) throw new TypeError(`the input is ${h} x ${w} x ${channels} numbers`);
    new Float32Array(c.memory.buffer, at, tensor.length).set(tensor);
  }

  /** @returns {Grid} */
  function grid(at) {
    const side = c.map_side();
    return { data: new Float32Array(c.memory.buffer, at, side * side).slice(), width: side, height: side };
  }

  const perLabel = (at) => Array.from(new Float32Array(c.memory.buffer, at, labels.length));

  function readJudgement() {
    const verdict = c.verdict(),
      probability = perLabel(c.probability());
    return {
      verdict: labels[verdict] ?? (verdict === UNCERTAIN ? 'uncertain' : 'refused'),
      probability: Object.fromEntries(labels.map((label, i) => [label, probability[i]])),
      prevalence,
    };
  }

  /** @returns {Diagnosis} */
  function readResult(decoder) {
    const reason = c.gate();
    const hex = (word) => (word >>> 0).toString(16).padStart(8, '0');
    return {
      ...readJudgement(),
      gate: {
        accepted: reason === 0,
        score: c.gate_score(),
        reason: reason ? cString(c.gate_code(reason)) : null,
        message: reason ? cString(c.gate_text(reason)) : null,
      },
      decoder,
      bits: hex(c.bits_high()) + hex(c.bits_low()),
      logits: perLabel(c.logits()),
      evidence: labels[c.evidence()],
      width: c.width(),
      height: c.height(),
      heatmap: grid(c.heatmap()),
      lungs: grid(c.lungs_map()),
    };
  }

  /** Throws unless a film has been diagnosed. */
  function checkFilm() {
    if (!c.has_film()) check(NO_FILM);
  }

  /** @param {number} maxSide  of the longer side; no film is enlarged */
  function sizeWithin(maxSide) {
    checkFilm();
    const scale = Math.min(1, maxSide / Math.max(c.width(), c.height()));
    return { width: Math.max(1, Math.round(c.width() * scale)), height: Math.max(1, Math.round(c.height() * scale)) };
  }

  return {
    model,

    /**
     * @param {Uint8Array | {rgba: Uint8Array|Uint8ClampedArray, width: number, height: number} | Samples} film  a whole PNG,
     *   JPEG or BMP file, pixels that a browser has decoded, or what readDicom of dicom.mjs gives
     * @returns {Diagnosis}
     */
    diagnose(film) {
      if (film instanceof Uint8Array) {
        give(film);
        check(c.diagnose(film.length));
        return readResult('stb');
      }
      if ('pixels' in film) {
        const { pixels, width, height, channels, table, told } = film;
        if (!(width > 0 && height > 0 && pixels.length === width * height * channels && table.length === 65536)) {
          throw new TypeError('pixels must hold width * height * channels samples, table 65536');
        }
        give(table, pixels);
        check(c.diagnose_samples(width, height, channels, told ? gateNumber(told) : 0));
        return readResult('dicom');
      }
      const { rgba, width, height } = film;
      if (!(width > 0 && height > 0 && rgba.length === width * height * 4)) {
        throw new TypeError('rgba must hold width * height * 4 bytes');
      }
      give(rgba);
      check(c.diagnose_rgba(width, height));
      return readResult('browser');
    },

    /**
     * Moves what follows to the mixture of classes where the films come from; null goes back to the weights' own prior.
     * @param {Mixture | null} shares  of every label
     */
    setPrevalence(shares) {
      if (shares) give(Float32Array.from(labels, (label) => shares[label]));
      check(c.set_prevalence(shares ? labels.length : 0));
      prevalence = shares && Object.fromEntries(labels.map((label) => [label, shares[label]]));
    },

    /**
     * What an earlier film of these weights is at the prevalence that is set now, without running the networks.
     * @param {Pick<Diagnosis, 'logits' | 'gate'>} diagnosis
     * @returns {Pick<Diagnosis, 'verdict' | 'probability' | 'prevalence'>}
     */
    judge({ logits, gate: { reason } }) {
      if (logits.length !== labels.length)
        throw new TypeError(`logits must hold ${labels.length} numbers, one a label of these weights`);
      give(Float32Array.from(logits));
      c.judge(reason ? gateNumber(reason) : 0);
      return readJudgement();
    },

    /**
     * What the last layer reads of the film diagnosed last; padded as the layer's weights are. Throws PleuraError where the
     * last layer reads anything else than the mean of `features`: such a network cannot be adapted.
     * @returns {Float32Array}
     */
    features() {
      checkFilm();
      const number = pooled();
      if (number < 0)
        throw new PleuraError(
          'no-features',
          -1,
          'These weights cannot be adapted: their last layer does not read the mean of features.',
        );
      c.run_layer(DIAGNOSIS, number); // the gate may have taken its place
      const { at, lanes } = describe(DIAGNOSIS, number);
      return new Float32Array(c.memory.buffer, at, lanes).slice();
    },

    /** Throws unless a film may be so large. @param {number} width @param {number} height */
    checkSize: (width, height) => check(c.check_size(width, height)),

    /**
     * A JPEG of any process that DICOM allows: baseline, 12 bits, lossless.
     * @param {Uint8Array} bytes
     * @returns {{pixels: Uint16Array, width: number, height: number, channels: number, bits: number}}
     */
    decodeJpeg(bytes) {
      give(bytes);
      check(c.decode_jpeg(bytes.length));
      const width = c.jpeg_width(),
        height = c.jpeg_height(),
        channels = c.jpeg_channels(),
        bits = c.jpeg_bits();
      const pixels = new Uint16Array(c.memory.buffer, c.jpeg_values(), width * height * channels).slice();
      c.end_jpeg();
      return { pixels, width, height, channels, bits };
    },

    /** The synthetic phantom, drawn by the engine: nobody's X-ray. @returns {Diagnosis} */
    phantom() {
      check(c.diagnose_phantom());
      return readResult('phantom');
    },

    /**
     * Every layer of both graphs, run and timed on whatever the network holds: least of `rounds`.
     * @param {number} rounds
     * @returns {{graph: string, name: string, shape: [number, number, number], products: number, ms: number}[]}
     */
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

    /**
     * Every output of a graph as it runs, padding between the pixels included. What one holds is to be read before the
     * next is asked for.
     * @param {Uint8Array|Float32Array} input  a whole image file; or a tensor that is no film, already normalised
     * @param {'lungs'|'diagnosis'} graph
     * @returns {Generator<{name: string, shape: [number, number, number], lanes: number, data: Float32Array|Uint8Array}>}
     */
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
        const { name, shape, lanes, at, bytes } = describe(g, number),
          count = shape[0] * shape[1] * lanes;
        yield { name, shape, lanes, data: bytes ? bytesAt(at, count) : new Float32Array(c.memory.buffer, at, count) };
      }
    },

    /**
     * Runs the diagnosis network on a tensor that is no film: [h][w][c] of its input layer, already normalised.
     * @param {Float32Array} tensor @returns {Float32Array} its logits
     */
    run(tensor) {
      setInput(DIAGNOSIS, tensor);
      const last = graphs.diagnosis.findIndex((line) => line.startsWith('logits '));
      for (let number = 0; number <= last; number++) c.run_layer(DIAGNOSIS, number);
      return new Float32Array(c.memory.buffer, describe(DIAGNOSIS, last).at, labels.length).slice();
    },

    /**
     * The upright film last diagnosed, as the engine saw it, for display.
     * @param {number} maxSide  of the longer side, pixels
     * @returns {{data: Uint8Array, width: number, height: number}}  grey, row by row
     */
    film(maxSide) {
      const { width, height } = sizeWithin(maxSide);
      const at = c.view(width, height);
      check(c.view_status());
      return { data: bytesAt(at, width * height).slice(), width, height };
    },

    /**
     * The same film with all its greys, 0 black to 65535 white.
     * @param {number} maxSide  of the longer side, pixels
     * @returns {{data: Uint16Array, width: number, height: number, low: number, high: number}}  low, high: the greys that
     *   `film` makes black and white
     */
    greys(maxSide) {
      const { width, height } = sizeWithin(maxSide);
      const at = c.greys(width, height);
      check(c.view_status());
      return {
        data: new Uint16Array(c.memory.buffer, at, width * height).slice(),
        width,
        height,
        low: c.greys_low(),
        high: c.greys_high(),
      };
    },
  };
}
