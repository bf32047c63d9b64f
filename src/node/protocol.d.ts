// The messages between the pool (pool.mjs) and its worker threads (thread.mjs). Both sides switch on `type`.
//
// A thread answers every 'diagnose' with exactly one 'answer', in the order in which it was asked: the pool matches
// answers to films by their order alone. 'ready' or 'failed' comes first, and once.
import type { Engine, Mixture } from '../engine.mjs';
import type { Answer } from '../result/record.mjs';
import type { Item } from './read.mjs';
import type { Shard } from './shards.mjs';

/** What all threads of a run do with each film. */
export interface ThreadOptions {
  /** The class mix to diagnose at; the model's own prior if absent. */
  prevalence?: Mixture | null;
  /** Another class mix: each answer then also says how the film would be classified there. */
  reclassify?: Mixture | null;
  /** The folder of the heatmap files. */
  heatmap?: string;
  /** They are drawn by covering parts of the film. */
  occlusion?: boolean;
  /** The films of other shards are skipped. */
  shard?: Shard | null;
  /** Each answer includes the features that the last layer reads. */
  features?: boolean;
  /** Each answer includes the logits. */
  logits?: boolean;
  /** Each answer to a DICOM film includes a hash of its Patient ID. */
  patients?: boolean;
  /** Each answer includes a perceptual hash of the film. */
  pictures?: boolean;
  /** The thread leaves the processor to the other threads of its program whenever they need it. */
  background?: boolean;
}

/** What a program wants of one film. */
export interface Want {
  /** The class mix to diagnose at; null: the model's own prior. */
  prevalence: Mixture | null;
  /** The longer side of a picture of the film, 0 for none. */
  view: number;
  /** Whether the maps are wanted. */
  heatmap: boolean;
}

/** The worker data of a thread. */
export interface ThreadData extends ThreadOptions {
  /** Or the path of pleura.node. */
  wasm: WebAssembly.Module | string;
  dot: Uint8Array;
  weights: Uint8Array;
}

export type ToThread = { type: 'diagnose'; item: Item; want?: Want };

export type FromThread =
  /** The engine has passed its self-test. */
  | { type: 'ready'; model: Engine['model'] }
  /** The engine cannot run; the thread ends. */
  | { type: 'failed'; code: string; status: number; message: string }
  | { type: 'answer'; answer: Answer }
  /** The whole run has to stop, for example because the disk is full. */
  | { type: 'abort'; message: string };
