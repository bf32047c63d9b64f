// state.mjs: everything that the page shows is drawn from this one object
import { firstAdapting } from '../view/adapt.mjs';
import { firstLook } from './viewport.mjs';
import { firstTable } from '../view/table.mjs';
import { createWords } from '../i18n/words.mjs';
import english from '../i18n/en.mjs';

/** @typedef {'waiting' | 'running' | 'done' | 'error' | 'cancelled'} Status
 *  @typedef {import('./errors.mjs').Problem} Problem
 *  @typedef {object} Film
 *  @property {number} id
 *  @property {number} stamp  grows with every change of the film
 *  @property {string} name
 *  @property {File} [file]  absent for the phantom
 *  @property {boolean} phantom
 *  @property {boolean} camera  a photo taken by this page
 *  @property {Status} status
 *  @property {any} record  the engine's record and the file's sha256, once done
 *  @property {Problem | null} problem
 *  @property {import('./viewport.mjs').Grey | null} thumb
 *  @property {import('../view/viewer.mjs').Picture | null} picture  dropped when many films have been seen since
 *  @property {boolean} redraw  the picture is being made again
 *
 *  @typedef {object} State
 *  @property {import('../i18n/words.mjs').Words} words  of the chosen language
 *  @property {string} version  of the page
 *  @property {import('../site/card.mjs').Card} card
 *  @property {{phase: 'loading' | 'ready' | 'failed', received: number, total: number, problem: Problem | null}} engine
 *  @property {any} model
 *  @property {Film[]} films
 *  @property {number} stamp  grows with every change of any film
 *  @property {Film | null} selected
 *  @property {{finished: number, total: number}} run  the films of the queue that is being worked off
 *  @property {boolean} unsaved  some answer is neither saved nor kept
 *  @property {number} gathering  folders that are being looked through
 *  @property {number} skipped  files of folders that were left out
 *  @property {import('./viewport.mjs').Look} look
 *  @property {{outline: boolean, heat: number, compare: boolean}} overlay
 *  @property {boolean} dragWindow  dragging changes window and level
 *  @property {import('../view/table.mjs').Table} table
 *  @property {import('../../src/engine.mjs').Mixture | null} prevalence  that the user has given; null: the model's own prior
 *  @property {{film: Film, list: {name: string, value: string}[]} | null} tags  of the DICOM file, while they are on view; never kept
 *  @property {Uint8Array | null} adapter  the overlay of the weights that is in force
 *  @property {import('../view/adapt.mjs').Adapting} adapting
 *  @property {'keys' | 'camera' | 'requests' | 'history' | 'adapt' | null} panel  the open dialog
 *  @property {boolean} shortcuts
 *  @property {'off' | 'opening' | 'on' | 'denied'} camera
 *  @property {{on: boolean, count: number, newest: import('../storage/history.mjs').Kept[], problem: Problem | null}} history
 *  @property {import('../storage/requests.mjs').Request[]} requests
 *  @property {number} opened  when the first film came in, in milliseconds since 1970
 *  @property {boolean} dragging
 *  @property {import('../storage/offline.mjs').Kept | null} kept  what the service worker holds, once it has said so
 *  @property {'none' | 'waiting' | 'entering'} update  a newer version; it enters at the user's word
 *  @property {string} trouble  what the last action came to, where nothing else shows it
 *  @property {string} said  the last sentence for screen readers */

/* global SITE -- put in by build.mjs */

/** @returns {State} */
export const firstState = () => ({
  words: createWords('en', english, navigator.languages),
  version: /** @type {HTMLMetaElement} */ (document.querySelector('[name=version]')).content,
  card: SITE.card,
  engine: { phase: 'loading', received: 0, total: SITE.wasm.bytes + SITE.weights.bytes, problem: null },
  model: null,
  films: [],
  stamp: 0,
  selected: null,
  run: { finished: 0, total: 0 },
  unsaved: false,
  gathering: 0,
  skipped: 0,
  look: firstLook(),
  overlay: { outline: true, heat: 50, compare: false },
  dragWindow: false,
  table: firstTable(),
  prevalence: null,
  tags: null,
  adapter: null,
  adapting: firstAdapting(),
  panel: null,
  shortcuts: true,
  camera: 'off',
  history: { on: false, count: 0, newest: [], problem: null },
  requests: [],
  opened: 0,
  dragging: false,
  kept: null,
  update: 'none',
  trouble: '',
  said: '',
});
