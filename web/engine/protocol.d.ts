// protocol.d.ts: every message between the page (client.mjs) and its worker (worker.mjs).
//
// The page sends calls. Each has an id, and the worker answers it with exactly one `result` or `error` of that id,
// unless the page ends the worker first, which is how calls are cancelled. Besides, the worker reports progress unasked.
// The first call is always `start`: the others need the engine that it sets up. While it waits, the page sends the parts
// that it has fetched, without an id.
import type { Diagnosis, Engine, Mixture } from '../../src/engine.mjs';
import type { Exposure } from '../../src/dicom/display.mjs';
import type { Tag } from '../../src/dicom/tags.mjs';
import type { Adaptation, Labelled } from '../../src/adapt/adapt.mjs';
import type { Step } from '../state/edits.mjs';
import type { ErrorInfo } from '../state/errors.mjs';
import type { FilmRecord } from '../state/state.mjs';
import type { Grey, Grid, Picture } from '../state/viewport.mjs';
import type { Request } from '../storage/requests.mjs';
import type { Site } from '../site/constants.d.ts';

/** Module and weights whose SHA-256 was checked: a restart needs no network. */
export interface CheckedParts {
  module: WebAssembly.Module;
  weights: Uint8Array<ArrayBuffer>;
}

/** What each call carries, and what it returns. */
export interface Calls {
  /** Sets up the engine. parts: of an earlier worker; null: they are still to be sent. */
  start: {
    /** brought: the weights of another model, in place of the page's own */
    message: { site: Site; parts: CheckedParts | null; brought: Uint8Array | null; adapter: Uint8Array | null };
    /** sha256: of the weights in use; the errors: why the other model or the adapter is not in use */
    result: {
      model: Engine['model'];
      sha256: string;
      broughtError: ErrorInfo | null;
      adapterError: ErrorInfo | null;
      parts: CheckedParts;
    };
  };
  /** Diagnoses a file after corrections (`steps`), or the phantom where there is none. `withPicture` also returns what
   *  the viewer needs. camera: the file is a photo by its EXIF or its tint, which adds a step. */
  diagnose: {
    message: { file: File | null; withPicture: boolean; prevalence: Mixture | null; steps: Step[] };
    result: {
      record: FilmRecord;
      picture: Picture | null;
      thumb: Grey;
      steps: Step[];
      exposure: Exposure | null;
      camera?: boolean;
    };
  };
  /** A heatmap of a label by covering parts of the film, for networks that allow no class activation map. */
  occlude: { message: { file: File | null; steps: Step[]; label: string }; result: Grid };
  /** Verdicts and probabilities of earlier results at another prevalence. */
  judge: {
    message: { prevalence: Mixture | null; films: Pick<Diagnosis, 'logits' | 'gate'>[] };
    result: Pick<Diagnosis, 'verdict' | 'doubt' | 'probability' | 'prevalence'>[];
  };
  /** The tags of a DICOM file, for display only; none for other files. */
  tags: { message: { file: File }; result: Tag[] };
  /** Loads the DICOM reader before a DICOM file needs it. */
  'open-dicom': { message: {}; result: null };
  /** What a fit needs of a film: no record, no picture. features: null where the gate refuses the film. */
  examine: { message: { file: File }; result: { hash: string; features: Float32Array | null; patient: string | null } };
  /** Fits an adapter to labelled films. It always starts from weights without one, whatever adapter is in use. */
  fit: { message: { films: Labelled[] }; result: Adaptation };
}

export type CallType = keyof Calls;
export type Message<T extends CallType> = { type: T } & Calls[T]['message'];
export type Result<T extends CallType> = Calls[T]['result'];

/** From the page to the worker. */
export type Call = { [T in CallType]: Message<T> & { id: number } }[CallType];
export type PartName = 'wasm' | 'weights';
export type Order = Call | { type: 'part'; name: PartName; bytes: Uint8Array<ArrayBuffer> };

/** From the worker to the page. */
export type Reply =
  /** memory: of the engine, in bytes */
  | { type: 'result'; id: number; result: Result<CallType>; memory: number }
  | { type: 'error'; id: number; error: ErrorInfo; memory: number }
  /** what the worker has requested from the network */
  | { type: 'requests'; requests: Request[] }
  /** how far a fit has come, 0..1 */
  | { type: 'fitting'; share: number };
