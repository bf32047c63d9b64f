// state.mjs: the one object that everything on the page is drawn from.
//
// Actions change it through `set` or `update`, and every change draws the page again (view/page.mjs). The modules of
// this folder are pure: they know neither the document nor the worker, so tests call them in Node.
import { initialTable } from './table.mjs';
import { initialViewport } from './viewport.mjs';

/** @typedef {import('./errors.mjs').ErrorInfo} ErrorInfo
 *  @typedef {import('../../src/engine.mjs').Diagnosis} Diagnosis
 *  @typedef {import('../../src/engine.mjs').Mixture} Mixture
 *
 *  @typedef {object} FileFacts
 *  @property {Diagnosis['decoder'] | 'camera' | 'edited'} decoder
 *  @property {import('../../src/dicom/reader.mjs').Facts} [dicom]
 *  @property {string} [sha256]  of the file
 *  @typedef {Omit<Diagnosis, 'heatmap' | 'lungs' | 'decoder'> & FileFacts} FilmRecord
 *  @typedef {import('../../src/engine.mjs').Engine['model'] & {sha256: string, label: string,
 *    brought: string | null}} Model  brought: the name of the file of another model; null for the page's own
 *
 *  @typedef {object} FilmFields
 *  @property {number} id
 *  @property {number} revision  grows with every change of the film
 *  @property {string} name
 *  @property {File} [file]  absent for the phantom
 *  @property {boolean} phantom
 *  @property {boolean} camera  a photo, taken by this page or by its EXIF or its tint
 *  @property {import('../site/constants.d.ts').Example | null} example  whose credit is due
 *  @property {import('../../src/dicom/display.mjs').Exposure | null} exposure  of a DICOM file; never kept
 *  @property {import('./edits.mjs').Step[]} steps  corrections before it was analysed
 *  @property {import('./viewport.mjs').Grey | null} thumb
 *  @property {import('./viewport.mjs').Picture | null} picture  dropped once many other films were looked at
 *  @property {boolean} redraw  the picture is being made again; the result stands
 *  @property {import('./measures.mjs').Measures} measures  lines that somebody laid over the film
 *
 *  @typedef {'waiting' | 'running' | 'done' | 'error' | 'cancelled'} Status
 *  @typedef {FilmFields & {status: 'done', record: FilmRecord, error: null}} DoneFilm
 *  @typedef {FilmFields & {status: 'error', record: FilmRecord | null, error: ErrorInfo}} FailedFilm
 *  @typedef {FilmFields & {status: 'waiting' | 'running' | 'cancelled', record: FilmRecord | null,
 *    error: ErrorInfo | null}} PendingFilm
 *  @typedef {DoneFilm | FailedFilm | PendingFilm} Film
 *
 *  @typedef {'off' | 'beside' | 'divider'} Compare  with the film without its overlay, or with an earlier one: side by
 *     side, or with a divider that uncovers it, as on every narrow screen
 *  @typedef {{outline: boolean, heat: number, compare: Compare, wipe: number, plain: boolean}} Overlay
 *     drawn over the film; plain: all of it is hidden; heat: a percentage; wipe: where the divider stands, in per cent of
 *     the film's width
 *  @typedef {'keys' | 'camera' | 'requests' | 'history' | 'adapt' | 'model' | 'examples'} DialogName
 *
 *  @typedef {object} Adapting  the dialog that fits the last layer to a person's own films
 *  @property {'idle' | 'reading' | 'fitting'} phase
 *  @property {number} done  films read
 *  @property {number} total
 *  @property {number} share  how far the fit is, 0..1
 *  @property {ErrorInfo | null} error
 *  @property {LeftOut | null} leftOut
 *  @property {import('../../src/adapt/adapt.mjs').Adaptation | null} result
 *  @typedef {{refused: number, repeated: number, contradictory: number, otherLabel: number, errors: number,
 *    folders: string[]}} LeftOut  films that do not count, by reason; folders: those that name no label
 *
 *  @typedef {object} State
 *  @property {import('../i18n/words.mjs').I18n} i18n  of the chosen language
 *  @property {string} version  of the page
 *  @property {import('../site/card.mjs').Card} card
 *  @property {import('../site/constants.d.ts').Example[]} examples  films of this site
 *  @property {{phase: 'loading' | 'ready' | 'failed', received: number, total: number, error: ErrorInfo | null}} engine
 *  @property {Model | null} model
 *  @property {Film[]} films
 *  @property {number} revision  grows with every change of any film
 *  @property {Film | null} selected
 *  @property {{finished: number, total: number}} run  progress through the films that were queued together
 *  @property {{count: number, restore: () => void} | null} removed  films that can be brought back
 *  @property {boolean} unsaved  some result is neither saved nor kept
 *  @property {number} scanning  folders that are being searched for films
 *  @property {string[]} skipped  files of folders and archives that were left out
 *  @property {import('./viewport.mjs').Viewport} viewport
 *  @property {Overlay} overlay
 *  @property {string} map  the label whose class activation map is the heatmap on view; '' for the model's evidence
 *  @property {boolean} occluding  a heatmap is being made by covering parts of the film
 *  @property {boolean} full  the film fills the window
 *  @property {Film | null} prior  an earlier film that is compared with the selected one
 *  @property {boolean} moreTools  the tools that measure and compare are on view
 *  @property {boolean} loupe  the part of the film below the pointer is magnified
 *  @property {boolean} dragWindow  dragging changes window and level
 *  @property {import('./table.mjs').Table} table
 *  @property {Mixture | null} prevalence  chosen by the user; null: the model's own prior
 *  @property {{film: Film, list: import('../../src/dicom/tags.mjs').Tag[]} | null} tags  of the DICOM file; never kept
 *  @property {import('../engine/client.mjs').Brought | null} brought  another model, in use
 *  @property {ErrorInfo | null} broughtError  why the model chosen last is not in use, or is not kept
 *  @property {boolean} modelKept  on this device, for the next visit
 *  @property {Uint8Array | null} adapter  the adapter (GGUF) that is applied to the weights
 *  @property {Adapting} adapting
 *  @property {DialogName | null} dialog  the open one
 *  @property {boolean} shortcuts
 *  @property {'off' | 'opening' | 'on' | 'taken' | 'denied'} camera
 *  @property {'none' | 'off' | 'on'} torch  of the camera
 *  @property {{film: Film, bitmap: ImageBitmap} | null} preview  the browser's own picture of a film that waits
 *  @property {boolean} installable  the browser offers to install the page
 *  @property {{on: boolean, count: number, newest: import('../storage/history.mjs').KeptResult[],
 *    error: import('../storage/history.mjs').HistoryError | null}} history
 *  @property {import('../storage/requests.mjs').Request[]} requests
 *  @property {number} openedAt  when the first film was opened, in milliseconds since 1970; 0 before
 *  @property {boolean} dragging  files are being dragged over the page
 *  @property {import('../storage/offline.mjs').OfflineCopy | null} offline  as the service worker reported it
 *  @property {'none' | 'waiting' | 'entering'} update  a newer version; it is activated when the user says so
 *  @property {string} notice  outcome of the last action, if nothing else shows it
 *  @property {string} announcement  the last sentence for screen readers
 *
 *  @typedef {object} App  what actions work on
 *  @property {State} state
 *  @property {(change: () => void) => void} update  runs the change, then draws the page
 *  @property {(change: () => void) => void} updateSoon  the same, for changes in quick succession: drawn a little later
 *  @property {(changes: Partial<State>) => void} set  assigns the changes, then draws the page */

/** @returns {Adapting} */
export const initialAdapting = () => ({
  phase: 'idle',
  done: 0,
  total: 0,
  share: 0,
  error: null,
  leftOut: null,
  result: null,
});

/** @param {Pick<State, 'i18n' | 'version' | 'card' | 'examples'> & {bytes: number}} page  bytes: of engine and weights
 *  @returns {State} */
export const initialState = ({ i18n, version, card, examples, bytes }) => ({
  i18n,
  version,
  card,
  examples,
  engine: { phase: 'loading', received: 0, total: bytes, error: null },
  model: null,
  films: [],
  revision: 0,
  selected: null,
  run: { finished: 0, total: 0 },
  removed: null,
  unsaved: false,
  scanning: 0,
  skipped: [],
  viewport: initialViewport(),
  overlay: { outline: true, heat: 50, compare: 'off', wipe: 50, plain: false },
  map: '',
  occluding: false,
  full: false,
  prior: null,
  moreTools: false,
  loupe: false,
  dragWindow: false,
  table: initialTable(),
  prevalence: null,
  tags: null,
  brought: null,
  broughtError: null,
  modelKept: false,
  adapter: null,
  adapting: initialAdapting(),
  dialog: null,
  shortcuts: true,
  camera: 'off',
  torch: 'none',
  preview: null,
  installable: false,
  history: { on: false, count: 0, newest: [], error: null },
  requests: [],
  openedAt: 0,
  dragging: false,
  offline: null,
  update: 'none',
  notice: '',
  announcement: '',
});
