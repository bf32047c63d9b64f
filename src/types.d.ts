// The public types of the package: what `import 'pleura'` and `require('pleura')` give, in Node and in browsers.
//
// The doors (engine.mjs, node.mjs, node.cjs) are checked against this file, and `make types` copies it to where
// package.json points. It uses no type that TypeScript 5.0 lacks, and none of the DOM library.

/** A map that is stretched over the whole upright film: values 0..1, row by row. */
export interface Grid {
  data: Float32Array;
  width: number;
  height: number;
}

/** One share per label, sum 1: `{ covid: 0.05, pneumonia: 0.1, normal: 0.85 }`. */
export interface Mixture {
  [label: string]: number;
}

/** Whether the film may be answered at all. */
export interface Gate {
  accepted: boolean;
  /** 0..1: share of good validation films that look stranger; 0 if the film is refused for another reason. */
  score: number;
  /** Why the film is refused, for programs: `'no-lungs'`, `'unlike'`, ... */
  reason: string | null;
  /** The same for people. */
  message: string | null;
}

/** Why no answer is given although the film is accepted. */
export interface Doubt {
  /** For programs: `'undecided'` if no answer is likely enough, `'other-finding'` if a finding that is none is. */
  reason: string;
  /** The same for people. */
  message: string;
}

/** The class, and how likely each is. */
export interface Judgement {
  /** A label, `'uncertain'` or `'refused'`. */
  verdict: string;
  /** Why the verdict is `'uncertain'`; null for any other verdict. */
  doubt: Doubt | null;
  /** Calibrated, one per label; meaningless if the film is refused. */
  probability: { [label: string]: number };
  /** The class mix that verdict and probability assume: null for the weights' own prior. */
  prevalence: Mixture | null;
}

export interface Diagnosis extends Judgement {
  gate: Gate;
  /**
   * What decoded the film: `'stb'` for the engine itself, `'browser'` for pixels that a browser decoded (they may
   * differ between browsers), `'dicom'` for samples, `'phantom'` if the engine drew the film.
   */
  decoder: 'stb' | 'browser' | 'dicom' | 'phantom';
  /** A hash over all output floats: the same on every machine for the same film, at every prevalence. */
  bits: string;
  /** With the gate, all that `reclassify` needs. */
  logits: number[];
  /** The label of the largest logit, whatever the prevalence. */
  topLabel: string;
  /** @deprecated The former name of topLabel; the next version drops it. */
  evidence: string;
  /** Of the upright film, in pixels. */
  width: number;
  height: number;
  /** Clockwise quarter turns that would make the film upright: 0 to 3, and 0 if the weights cannot tell. */
  quarterTurns: number;
  heatmap: Grid;
  /**
   * `'opacity'`: the heatmap shows the probability of opacity, whatever the label, as radiologists' boxes taught it.
   * `'class'`: it explains topLabel, as a class activation map with a largest value of 1. `'none'`: it is all 0.
   */
  heatmapKind: 'opacity' | 'class' | 'none';
  /** With an opacity map the share of each lung under opacity, 0..1, else null. The right lung is left on the film. */
  extent: { right: number; left: number } | null;
  /** Probability of lung. */
  lungs: Grid;
}

/** Pixels that a browser has decoded, R G B A. */
export interface Pixels {
  rgba: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
}

/** Samples as a DICOM file holds them. */
export interface Samples {
  /** `[height][width][channels]` */
  pixels: Uint16Array;
  width: number;
  height: number;
  /** 1 for grey, 3 for R G B. */
  channels: number;
  /** 65536 entries: what each sample shows, 0 black to 65535 white. */
  table: Uint16Array;
  /** A reason in the file's tags to refuse the film, such as `'tag-view'`. */
  tagReason?: string | null | undefined;
  /** @deprecated The former name of tagReason; the next version drops it. */
  told?: string | null | undefined;
}

/** What the weights say about themselves. */
export interface Model {
  name: string;
  version: string;
  license: string;
  notice: string;
  summary: string;
  labels: string[];
  /** The label that stands for any other finding, which no verdict names; null if the weights have none. */
  other: string | null;
  /** The lines that describe the two networks. */
  graphs: { lungs: string[]; diagnosis: string[] };
  temperature: number;
  /** The probability from which a verdict is a label. */
  certain: number;
  /** The class mix that the probabilities assume; null if the weights do not record it. */
  prior: Mixture | null;
  /** With an adapter: the SHA-256 of the weights it belongs to, and how many films of each label it was fitted to. */
  adapted: { base: string; films: { [label: string]: number } } | null;
  /** Whether int8 layers use relaxed SIMD. */
  relaxed: boolean;
  /** Whether machine code computes instead of WebAssembly: in Node, where `make native` has built it. */
  native: boolean;
}

/** One layer of a network, with the time that it takes. */
export interface LayerProfile {
  graph: 'lungs' | 'diagnosis';
  name: string;
  /** Height, width, channels. */
  shape: [number, number, number];
  /** Multiply-accumulate operations. */
  products: number;
  ms: number;
}

/** The output of one layer. */
export interface Activation {
  name: string;
  /** Height, width, channels. */
  shape: [number, number, number];
  /** Values from one pixel to the next: the channels and their padding. */
  lanes: number;
  /** `[height][width][lanes]`, valid until the next layer runs. */
  data: Float32Array | Uint8Array;
}

export interface EngineOptions {
  /** pleura.wasm: its bytes or a WebAssembly.Module. Node has its own; a browser needs it. */
  wasm?: Uint8Array | ArrayBuffer | object | undefined;
  /** The bytes of pleura.gguf; copied. Node has its own; a browser needs them. */
  weights?: Uint8Array | undefined;
  /** pleura.dot.wasm, which makes int8 weights faster where relaxed SIMD runs: its bytes or a WebAssembly.Module. */
  dot?: Uint8Array | ArrayBuffer | object | undefined;
  /** The bytes of an adapter that `pleura adapt` wrote for these weights; it is applied to them. */
  adapter?: Uint8Array | undefined;
  /** Plain kernels instead of SIMD: slower, the same bits. */
  reference?: boolean | undefined;
  /**
   * By default the engine first diagnoses the phantom and compares the bits with those in the weights. `false` saves
   * that time where the same program has passed the test with the same files before.
   */
  selfTest?: boolean | undefined;
}

/** One film at a time, on memory of its own. Every failure is a PleuraError, after which the engine is still usable. */
export interface Engine {
  model: Model;

  /**
   * Bytes of its WebAssembly memory. It grows with the largest film and never shrinks: to give it back, drop the engine
   * and create another. Null for machine code, which returns memory by itself.
   */
  readonly memory: number | null;

  /**
   * @param film  a whole PNG, JPEG or BMP file, decoded pixels, or the samples of a DICOM file. JSON.stringify of the
   *   result leaves out the maps; that of a map is a list.
   */
  diagnose(film: Uint8Array | ArrayBuffer | Pixels | Samples): Diagnosis;

  /** Diagnoses the synthetic phantom, which the engine draws: nobody's X-ray. */
  phantom(): Diagnosis;

  /**
   * Moves all further answers to a class mix; null returns to the weights' own prior. If the mix does not name
   * `model.other`, that label keeps its share of the prior, and the others share the rest as given.
   */
  setPrevalence(shares: Mixture | null): void;

  /** Classifies an earlier diagnosis of these weights at the current prevalence, without running the networks. */
  reclassify(diagnosis: Pick<Diagnosis, 'logits' | 'gate'>): Judgement;

  /** @deprecated The former name of reclassify; the next version drops it. */
  judge(diagnosis: Pick<Diagnosis, 'logits' | 'gate'>): Judgement;

  /**
   * The upright film diagnosed last as the engine saw it, for display: grey, row by row.
   * @param maxSide  of the longer side in pixels; a film is never enlarged
   */
  film(maxSide: number): { data: Uint8Array; width: number; height: number };

  /**
   * The same film at full depth, 0 black to 65535 white; `film` spreads the greys from low to high.
   * @param maxSide  of the longer side in pixels; a film is never enlarged
   */
  greys(maxSide: number): { data: Uint16Array; width: number; height: number; low: number; high: number };

  /** The class activation map of a label for the film diagnosed last. Throws if the weights allow none. */
  classMap(label: string): Grid;

  /** Throws if a film of this size is too large or too small. */
  checkSize(width: number, height: number): void;

  /** Decodes a JPEG of any process that DICOM allows: baseline, 12 bits, lossless. */
  decodeJpeg(bytes: Uint8Array): { pixels: Uint16Array; width: number; height: number; channels: number; bits: number };

  /**
   * The features that the last layer read from the film diagnosed last, padded as the layer's weights are. Throws if
   * the last layer reads anything else than the mean of the layer `features`: such a network cannot be adapted.
   */
  features(): Float32Array;

  /** Runs every layer of both networks on whatever they hold, and reports the shortest time of the rounds. */
  profile(rounds: number): LayerProfile[];

  /**
   * Runs a network layer by layer. Read each activation before asking for the next.
   * @param input  a whole image file, or a tensor `[h][w][c]` for the input layer, already normalised
   */
  activations(input: Uint8Array | Float32Array, graph: 'lungs' | 'diagnosis'): Iterable<Activation>;

  /** Runs the diagnosis network on a tensor `[h][w][c]`, already normalised, and returns the logits. */
  run(tensor: Float32Array): Float32Array;
}

/** A failure: its name for programs (`code`), its number (`status`), and a sentence for people (`message`). */
export class PleuraError extends Error {
  constructor(code: string, status: number, message: string);
  code: string;
  status: number;
}

/**
 * Creates an engine. In Node everything that is left out comes with the package; in a browser wasm and weights are
 * required.
 */
export function createEngine(options?: EngineOptions): Promise<Engine>;

/** What every thread of a pool loads; in Node, what is left out comes with the package. */
export interface PoolOptions {
  /** Engines that compute side by side, by default one per processor. */
  threads?: number;
  /** Films that may wait, 1000 by default; further ones are refused with the code `busy`. */
  maxQueue?: number;
  wasm?: EngineOptions['wasm'];
  dot?: EngineOptions['dot'];
  weights?: EngineOptions['weights'];
  adapter?: EngineOptions['adapter'];
}

/** What to do with one film. */
export interface PoolRequest {
  /** The class mix of this film; one label may be left out and gets the remainder. */
  prevalence?: Mixture | null;
  /** Ends the wait at once; a film that is being computed longer than a second afterwards ends with its thread. */
  signal?: AbortSignalLike;
  /** Also a grey picture of the film whose longer side has at most this many pixels. */
  view?: number;
  /** Also heatmap and lungs. */
  heatmap?: boolean;
}

/** What a pool uses of an AbortSignal, so that no library of types is needed. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: any;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The answer to one film, with all that belongs to it. JSON.stringify of it leaves out maps and picture. */
export interface PoolResult extends Omit<Diagnosis, 'heatmap' | 'lungs' | 'evidence'> {
  /** Of the file. */
  sha256: string;
  /** How a DICOM file was read. */
  dicom?: DicomFacts;
  /** With `heatmap: true`. */
  heatmap?: Grid;
  lungs?: Grid;
  /** With `view`: grey, row by row, the film as the engine saw it. */
  view?: { data: Uint8Array; width: number; height: number };
}

/**
 * Engines on threads. Nothing of it blocks the program; on Linux its threads run at a lower priority than the program's
 * own, so that a server stays responsive while all processors compute. Rejects with the code `engine-not-started` if a
 * thread cannot start.
 */
export interface Pool {
  model: Model;
  threads: number;
  /** Films that wait or are being computed. */
  readonly pending: number;
  /**
   * @param film  a whole PNG, JPEG, BMP or DICOM file. Rejects with a PleuraError, or with the signal's reason. If a
   *   thread dies, another one takes its place and tries the film once more (`engine-stopped`).
   */
  diagnose(film: Uint8Array | ArrayBuffer, request?: PoolRequest): Promise<PoolResult>;
  /** Answers the films that wait, refuses others (`pool-closed`), and ends the threads. */
  close(): Promise<void>;
}

/** What a record says about a DICOM file. */
export interface DicomFacts {
  /** The transfer syntax. */
  syntax: string;
  /** The window or lookup table that was applied. */
  voi: string;
  frames: number;
}

/** A zip archive. Nothing is unpacked to the disk. */
export interface Archive {
  /** In the order of their names. */
  members: { name: string; index: number }[];
  /** The bytes of a member; rejects for damaged, encrypted and oversized ones. */
  read(index: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Node only: engines on threads. */
export function createPool(options?: PoolOptions): Promise<Pool>;

/** Node only: a function that turns the bytes of a DICOM file into a film for `engine.diagnose`. */
export function createDicomReader(
  engine: Pick<Engine, 'checkSize' | 'decodeJpeg'>,
): Promise<(bytes: Uint8Array) => Promise<{ film: Samples; dicom: DicomFacts }>>;

/** Node only: opens a zip archive, whose members can be handed to a pool. Rejects with a PleuraError. */
export function openArchive(path: string): Promise<Archive>;
