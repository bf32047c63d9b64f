// engine.mjs - the engine for browser, worker and Node: bytes in, plain objects out.
//
// This is the readable face of pleura.wasm. It fetches nothing and reads no file: whoever creates an engine hands in
// the bytes, or uses node.mjs, which finds them. types.d.ts documents what programs see.
import { bytesOf } from './engine/bytes.mjs';
import { createInspector } from './engine/inspect.mjs';
import { withShortGrid, withShortJson } from './engine/json.mjs';
import { offerDotProducts, openWasm, STATUS } from './engine/wasm.mjs';
import { PleuraError } from './errors.mjs';
import { completeMixture } from './mixture.mjs';
import { isDicom } from './sniff.mjs';
import { VERDICTS } from './verdicts.mjs';

export { PleuraError };

/**
 * @typedef {import('./types.d.ts').Diagnosis} Diagnosis
 * @typedef {import('./types.d.ts').Engine} Engine
 * @typedef {import('./types.d.ts').EngineOptions} EngineOptions
 * @typedef {import('./types.d.ts').Gate} Gate
 * @typedef {import('./types.d.ts').Grid} Grid
 * @typedef {import('./types.d.ts').Judgement} Judgement
 * @typedef {import('./types.d.ts').Mixture} Mixture
 * @typedef {import('./types.d.ts').Model} Model
 * @typedef {import('./types.d.ts').Pixels} Pixels
 * @typedef {import('./types.d.ts').Samples} Samples
 * @typedef {import('./engine/wasm.mjs').Bridge} Bridge
 */

const OPTIONS = ['wasm', 'weights', 'dot', 'adapter', 'reference', 'selfTest'];
const UNCERTAIN = -1; // PLEURA_UNCERTAIN in pleura.h
const TABLE_SIZE = 65536;
/** @type {Diagnosis['heatmapKind'][]} in the order of pleura_map in pleura.h */
const MAP_KINDS = ['none', 'class', 'opacity'];

/**
 * Throws PleuraError for unknown options, which would otherwise be ignored, and for those that are missing.
 * @param {EngineOptions} options
 */
function checkOptions(options) {
  const unknown = Object.keys(options).filter((name) => !OPTIONS.includes(name));
  if (unknown.length) {
    const sentence = `createEngine does not know these options: ${unknown.join(', ')}. It knows ${OPTIONS.join(', ')}.`;
    throw new PleuraError('unknown-option', -1, sentence);
  }
  const { wasm, weights } = options;
  const missing = Object.entries({ wasm, weights }).flatMap(([name, value]) => (value ? [] : [name]));
  if (missing.length) {
    const sentence = `createEngine needs the bytes of pleura.wasm and pleura.gguf here; missing: ${missing.join(', ')}.`;
    throw new PleuraError('missing-option', -1, sentence);
  }
}

/** @param {Bridge} bridge @param {string[]} labels @param {string} key @returns {Mixture | null} */
function readShares({ number }, labels, key) {
  if (number(key) === null) return null;
  return Object.fromEntries(labels.map((label, i) => [label, number(key, i) ?? 0]));
}

/** What the weights say about themselves. @param {Bridge} bridge @param {boolean} relaxed @param {boolean} native @returns {Model} */
function readModel(bridge, relaxed, native) {
  const { text, texts, number } = bridge;
  const labels = texts('pleura.labels');
  if (labels.some((label) => VERDICTS.includes(label))) bridge.check(STATUS.MODEL_DAMAGED);
  const base = text('pleura.adapted.base');
  return {
    name: text('general.name') ?? 'unnamed',
    version: text('general.version') ?? '0',
    license: text('general.license') ?? 'unknown',
    notice: text('pleura.card.notice') ?? 'For research and teaching, not a medical device.',
    summary: text('pleura.card.summary') ?? '',
    labels,
    other: labels[number('pleura.labels.other') ?? -1] ?? null,
    graphs: { lungs: texts('pleura.lungs.graph'), diagnosis: texts('pleura.diagnosis.graph') },
    temperature: number('pleura.temperature') ?? 1,
    certain: number('pleura.threshold.certain') ?? 0,
    prior: readShares(bridge, labels, 'pleura.prior'),
    adapted: base === null ? null : { base, films: readShares(bridge, labels, 'pleura.adapted.films') ?? {} },
    relaxed,
    native,
  };
}

/** Throws for what is no film. @param {any} film */
function checkFilm(film) {
  if (typeof film?.then === 'function') throw new TypeError('a film is a Uint8Array, not a promise of one: await it');
  if (!film || typeof film !== 'object' || !('pixels' in film || 'rgba' in film))
    throw new TypeError('a film is a Uint8Array, an ArrayBuffer, pixels or samples; a path has to be read first');
}

/** @param {Bridge['check']} check @param {number} status @param {Uint8Array} file */
function checkFile(check, status, file) {
  if (status === STATUS.NOT_IMAGE && isDicom(file))
    throw new PleuraError(
      'not-an-image',
      status,
      'This is a DICOM file. createPool of the package in Node decodes it, and so does createDicomReader.',
    );
  check(status);
}

/**
 * Gives a film to the engine and diagnoses it.
 * @param {Bridge} bridge @param {Samples} film @param {number} reason  of the gate
 */
function diagnoseSamples({ exports: c, check, give }, { pixels, width, height, channels, table }, reason) {
  const valid = width > 0 && height > 0 && pixels.length === width * height * channels && table.length === TABLE_SIZE;
  if (!valid) throw new TypeError('pixels must hold width * height * channels samples, table 65536');
  give(table, pixels);
  check(c.diagnose_samples(width, height, channels, reason));
}

/** The same for decoded pixels. @param {Bridge} bridge @param {Pixels} film */
function diagnosePixels({ exports: c, check, give }, { rgba, width, height }) {
  if (!(width > 0 && height > 0 && rgba.length === width * height * 4))
    throw new TypeError('rgba must hold width * height * 4 bytes');
  give(rgba);
  check(c.diagnose_rgba(width, height));
}

/** Opens wasm and weights, with the adapter applied. @param {EngineOptions} options */
async function open({ wasm, weights, dot, adapter, reference = false, selfTest = true }) {
  const native = typeof wasm === 'function';
  const bridge = native ? wasm() : await openWasm(/** @type {import('./engine/wasm.mjs').WasmSource} */ (wasm));
  let bytes = /** @type {Uint8Array} */ (weights);
  if (adapter) {
    const { applyAdapter } = await import('./weights/adapter.mjs'); // loaded lazily: most programs have no adapter
    bytes = await applyAdapter(bytes, adapter);
  }
  bridge.give(bytes);
  bridge.check(bridge.exports.load(bytes.length, reference ? 1 : 0, selfTest ? 1 : 0));
  const relaxed = dot && !reference && !native ? await offerDotProducts(bridge.exports, dot) : false;
  return { bridge, model: readModel(bridge, relaxed, native) };
}

/** @param {EngineOptions} [options]  wasm and weights are required here @returns {Promise<Engine>} */
export async function createEngine(options = {}) {
  checkOptions(options);
  const { bridge, model } = await open(options);
  const { exports: c, bytesAt, floatsAt, wordsAt, cString, check, give } = bridge;
  const { labels } = model;
  /** @type {Mixture | null} */
  let prevalence = null;

  /** The number of a reason to refuse a film, 0 for none. @param {string | null} [code] */
  function gateNumber(code) {
    if (!code) return 0;
    for (let number = 1; cString(c.gate_code(number)); number++)
      if (cString(c.gate_code(number)) === code) return number;
    throw new TypeError(`no reason is called ${code}`);
  }

  /** @param {number} address @returns {Grid} */
  function readGrid(address) {
    const side = c.map_side();
    return withShortGrid({ data: floatsAt(address, side * side).slice(), width: side, height: side });
  }

  /** @param {number} address @returns {number[]} one number per label */
  const readPerLabel = (address) => Array.from(floatsAt(address, labels.length));

  /** @returns {Judgement} */
  function readJudgement() {
    const verdict = c.verdict();
    const doubt = c.doubt();
    const probability = readPerLabel(c.probability());
    return {
      verdict: labels[verdict] ?? (verdict === UNCERTAIN ? 'uncertain' : 'refused'),
      doubt: doubt ? { reason: cString(c.doubt_code(doubt)), message: cString(c.doubt_text(doubt)) } : null,
      probability: Object.fromEntries(labels.map((label, i) => [label, probability[i]])),
      prevalence,
    };
  }

  /** @returns {Gate} */
  function readGate() {
    const reason = c.gate();
    return {
      accepted: reason === 0,
      score: c.gate_score(),
      reason: reason ? cString(c.gate_code(reason)) : null,
      message: reason ? cString(c.gate_text(reason)) : null,
    };
  }

  /** The shares of both lungs under opacity. @returns {Diagnosis['extent']} */
  function readExtent() {
    const [right, left] = floatsAt(c.extent(), 2); // the right lung is at the left of a film
    return right < 0 ? null : { right, left };
  }

  /** @param {Diagnosis['decoder']} decoder @returns {Diagnosis} */
  function readDiagnosis(decoder) {
    const hex = (/** @type {number} */ word) => (word >>> 0).toString(16).padStart(8, '0');
    return withShortJson({
      ...readJudgement(),
      gate: readGate(),
      decoder,
      bits: hex(c.bits_high()) + hex(c.bits_low()),
      logits: readPerLabel(c.logits()),
      topLabel: labels[c.evidence()],
      evidence: labels[c.evidence()],
      width: c.width(),
      height: c.height(),
      quarterTurns: c.quarter_turns(),
      heatmap: readGrid(c.heatmap()),
      heatmapKind: MAP_KINDS[c.map_kind()],
      extent: readExtent(),
      lungs: readGrid(c.lungs_map()),
    });
  }

  /** The size of a view of the film, which is never enlarged. @param {number} maxSide  of the longer side */
  function viewSize(maxSide) {
    if (!c.has_film()) check(STATUS.NO_FILM);
    const scale = Math.min(1, maxSide / Math.max(c.width(), c.height()));
    return { width: Math.max(1, Math.round(c.width() * scale)), height: Math.max(1, Math.round(c.height() * scale)) };
  }

  /** @param {Pick<Diagnosis, 'logits' | 'gate'>} diagnosis @returns {Judgement} */
  function reclassify({ logits, gate }) {
    if (logits.length !== labels.length)
      throw new TypeError(`logits must hold ${labels.length} numbers, one per label of these weights`);
    const reason = gateNumber(gate.reason);
    give(Float32Array.from(logits));
    c.judge(reason);
    return readJudgement();
  }

  return {
    model,

    get memory() {
      return c.memory?.buffer.byteLength ?? null;
    },

    diagnose(film) {
      const file = bytesOf(film);
      if (file) {
        give(file);
        checkFile(check, c.diagnose(file.length), file);
        return readDiagnosis('stb');
      }
      checkFilm(film);
      if ('pixels' in film) {
        diagnoseSamples(bridge, film, gateNumber(film.tagReason ?? film.told));
        return readDiagnosis('dicom');
      }
      diagnosePixels(bridge, /** @type {Pixels} */ (film));
      return readDiagnosis('browser');
    },

    phantom() {
      check(c.diagnose_phantom());
      return readDiagnosis('phantom');
    },

    setPrevalence(shares) {
      const all = shares && completeMixture(shares, model);
      if (all) give(Float32Array.from(labels, (label) => all[label]));
      check(c.set_prevalence(all ? labels.length : 0));
      prevalence = all && Object.fromEntries(labels.map((label) => [label, all[label]]));
    },

    reclassify,
    judge: reclassify,

    film(maxSide) {
      const { width, height } = viewSize(maxSide);
      const address = c.view(width, height);
      check(c.view_status());
      return { data: bytesAt(address, width * height).slice(), width, height };
    },

    greys(maxSide) {
      const { width, height } = viewSize(maxSide);
      const address = c.greys(width, height);
      check(c.view_status());
      const data = wordsAt(address, width * height).slice();
      return { data, width, height, low: c.greys_low(), high: c.greys_high() };
    },

    classMap(label) {
      const address = c.class_map(labels.indexOf(label));
      check(c.view_status());
      return readGrid(address);
    },

    checkSize(width, height) {
      check(c.check_size(width, height));
    },

    decodeJpeg(bytes) {
      give(bytes);
      check(c.decode_jpeg(bytes.length));
      const [width, height, channels] = [c.jpeg_width(), c.jpeg_height(), c.jpeg_channels()];
      const pixels = wordsAt(c.jpeg_values(), width * height * channels).slice();
      const bits = c.jpeg_bits();
      c.end_jpeg();
      return { pixels, width, height, channels, bits };
    },

    ...createInspector(bridge, model.graphs),
  };
}
