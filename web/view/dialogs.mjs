// dialogs.mjs: draws the dialogs: shortcuts, camera, requests, results kept on this device, adapting to one's own
// films, another model.
import { createAdaptDialog } from './adapt.mjs';
import { createChanges, element, keyed, setText } from './dom.mjs';
import { createModelDialog } from './model.mjs';
import { creditText, licenceLink } from './result.mjs';
import { SHORTCUTS } from '../state/shortcuts.mjs';
import { paintGrey } from './painter.mjs';

/** @typedef {import('../state/state.mjs').State} State
 *  @typedef {import('../storage/requests.mjs').Request} Request */

/** @type {import('../state/state.mjs').DialogName[]} */
const DIALOGS = ['keys', 'camera', 'requests', 'history', 'adapt', 'model', 'examples'];
const FOLDER = new URL('./', location.href).href;

/** A file of this page by its exact name, with nothing added: such a request cannot reveal anything about a film.
 *  @param {string} url */
const isPart = (url) => url.startsWith(FOLDER) && /^([\w-]+-[0-9a-f]{10}\.\w+|sw\.js)?$/.test(url.slice(FOLDER.length));

/** Answered by the service worker, which reports itself what it had to ask the network for. @param {Request} request */
const isAnsweredHere = ({ url, bytes }) => url.startsWith(FOLDER) && bytes === 0;

/** The number of requests since the first film, apart from this page's own files. @param {State} state */
const countSinceFirst = ({ requests, openedAt }) =>
  openedAt === 0
    ? 0
    : requests.filter((request) => request.at > openedAt && !isPart(request.url) && !isAnsweredHere(request)).length;

/** @param {import('./dom.mjs').Elements} at */
export function createDialogs(at) {
  const changed = createChanges();
  const drawAdapt = createAdaptDialog(at);
  const drawModel = createModelDialog(at);
  const policy = /** @type {HTMLMetaElement} */ (document.querySelector('meta[http-equiv]')).content;

  /** @param {State} state */
  function drawKeys({ i18n, shortcuts }) {
    at['keys-switch'].checked = shortcuts;
    keyed(
      at.keys,
      SHORTCUTS,
      ({ label }) => label,
      ({ keys }) => {
        const printed = keys.map((key) => element('kbd', { textContent: key }));
        return element('div', {}, element('dt'), element('dd', {}, ...printed));
      },
      (item, { label }) => setText(item.firstChild, i18n.t(label)),
    );
  }

  /** @param {State} state */
  function drawRequests(state) {
    const { requests, i18n } = state;
    setText(at['requests-since'], i18n.t('requests.none', { count: countSinceFirst(state) }));
    setText(at['requests-start'], i18n.t('requests.start', { count: requests.length }));
    setText(at.policy, policy);
    keyed(
      at.requests,
      requests,
      (request) => `${request.who} ${request.at} ${request.url}`,
      () => element('tr', {}, element('th', { scope: 'row', dir: 'ltr' }), element('td'), element('td')),
      (row, { url, who, bytes }) => {
        setText(row.children[0], url.startsWith(FOLDER) ? url.slice(FOLDER.length) || './' : url);
        setText(row.children[1], i18n.t(`requests.${who}`));
        setText(row.children[2], i18n.integer(bytes));
      },
    );
  }

  /** @param {State} state */
  function drawHistory({ history, i18n }) {
    at['history-switch'].checked = history.on;
    const off = history.count > 0 ? 'history.paused' : 'history.off';
    setText(at['history-text'], i18n.t(history.on ? 'history.on' : off));
    at['history-error'].hidden = !history.error;
    if (history.error) setText(at['history-error'], i18n.t(`history.${history.error}`));
    at['history-kept'].hidden = history.count === 0;
    setText(at['history-count'], i18n.t('history.count', { count: history.count }));
    keyed(
      at.history,
      history.newest,
      ({ id }) => String(id),
      ({ thumb }) => {
        const canvas = element('canvas');
        paintGrey(canvas, thumb);
        return element('tr', {}, element('td'), element('th', { scope: 'row' }, canvas, element('bdi')), element('td'));
      },
      (row, { date, name, record }) => {
        const verdict = i18n.outcome({ status: 'done', record });
        const { prevalence } = record;
        setText(row.children[0], i18n.date(date));
        setText(row.children[1].lastChild, name);
        setText(
          row.children[2],
          prevalence ? i18n.t('history.at', { verdict, mixture: i18n.mixture(prevalence) }) : verdict,
        );
      },
    );
  }

  /** @param {State} state */
  function drawCamera({ camera, torch, i18n }) {
    at.shot.hidden = camera !== 'on' && camera !== 'taken';
    at.shoot.disabled = camera !== 'on';
    at.shoot.hidden = camera === 'taken';
    at['shot-use'].hidden = at['shot-again'].hidden = camera !== 'taken';
    at.torch.hidden = torch === 'none' || camera !== 'on';
    at.torch.setAttribute('aria-pressed', String(torch === 'on'));
    const texts = /** @type {const} */ ({
      on: 'camera.how',
      taken: 'camera.how',
      off: 'camera.opening',
      opening: 'camera.opening',
      denied: 'camera.denied',
    });
    setText(at['camera-text'], i18n.t(texts[camera]));
  }

  /** @param {State} state */
  function drawExamples({ examples, i18n }) {
    keyed(
      at.examples,
      examples,
      ({ file }) => file,
      (example) => {
        const button = element('button', { type: 'button', className: 'quiet' });
        Object.assign(button.dataset, { action: 'example', file: example.file });
        return element('li', {}, button, element('p', { className: 'small' }, element('span'), licenceLink(example)));
      },
      (item, example) => {
        setText(item.children[0], i18n.t('examples.open', { label: i18n.label(example.label) }));
        setText(item.children[1].firstChild, creditText(example, i18n));
      },
    );
  }

  return (/** @type {State} */ state) => {
    const { i18n, dialog, history, model } = state;
    for (const name of DIALOGS) {
      const { open } = at[`dialog-${name}`];
      if (dialog === name && !open) at[`dialog-${name}`].showModal();
      if (dialog !== name && open) at[`dialog-${name}`].close();
    }
    setText(at['requests-count'], i18n.t('requests.none', { count: countSinceFirst(state) }));
    if (dialog === 'examples' && changed('examples', i18n)) drawExamples(state);
    if (dialog === 'keys' && changed('keys', i18n, state.shortcuts)) drawKeys(state);
    if (dialog === 'requests' && changed('requests', i18n, state.requests, state.openedAt)) drawRequests(state);
    // Once results are wiped, their rows leave the document even while the dialog is closed.
    if ((dialog === 'history' || history.count === 0) && changed('history', i18n, history)) drawHistory(state);
    if (
      dialog === 'adapt' &&
      changed('adapt', i18n, state.adapting, state.adapter, model, state.run, state.engine.phase)
    )
      drawAdapt(state);
    if (
      dialog === 'model' &&
      changed('model', i18n, model, state.broughtError, state.modelKept, state.run.total, state.engine.phase)
    )
      drawModel(state);
    if (dialog === 'camera' && changed('camera', i18n, state.camera, state.torch)) drawCamera(state);
  };
}
