// dialogs.mjs: draws the dialogs: shortcuts, camera, what was requested, results on this device
import { createAdaptPanel } from './adapt.mjs';
import { createChanges, each, element, put } from './dom.mjs';
import { SHORTCUTS } from '../state/shortcuts.mjs';
import { paintGrey } from './viewer.mjs';

/** @typedef {import('../state/state.mjs').State} State */

const PANELS = ['keys', 'camera', 'requests', 'history', 'adapt'];
const FOLDER = new URL('./', location.href).href;
/** A file of this page by its exact name, without anything added: such a request can tell nothing of a film. */
const isPart = (url) => url.startsWith(FOLDER) && /^([\w-]+-[0-9a-f]{10}\.\w+|sw\.js)?$/.test(url.slice(FOLDER.length));

/** @param {Record<string, any>} at */
export function createPanels(at) {
  const changed = createChanges(),
    adapt = createAdaptPanel(at);
  const policy = /** @type {HTMLMetaElement} */ (document.querySelector('meta[http-equiv]')).content;

  function keys({ words, shortcuts }) {
    at['keys-switch'].checked = shortcuts;
    each(
      at.keys,
      SHORTCUTS,
      ({ say }) => say,
      ({ keys }) =>
        element(
          'div',
          {},
          element('dt'),
          element('dd', {}, ...keys.map((key) => element('kbd', { textContent: key }))),
        ),
      (item, { say }) => put(item.firstChild, words.say(say)),
    );
  }

  /** What the service worker answered has no bytes; where it had to ask the network, it has listed that itself. */
  const answered = ({ url, bytes }) => url.startsWith(FOLDER) && bytes === 0;
  const sinceFirst = ({ requests, opened }) =>
    opened === 0
      ? 0
      : requests.filter((request) => request.at > opened && !isPart(request.url) && !answered(request)).length;

  function requests(state) {
    const { requests, words } = state;
    put(at['requests-since'], words.say('requests.none', { count: sinceFirst(state) }));
    put(at['requests-start'], words.say('requests.start', { count: requests.length }));
    put(at.policy, policy);
    each(
      at.requests,
      requests,
      (request) => `${request.who} ${request.at} ${request.url}`,
      () => element('tr', {}, element('th', { scope: 'row', dir: 'ltr' }), element('td'), element('td')),
      (row, { url, who, bytes }) => {
        put(row.children[0], url.startsWith(FOLDER) ? url.slice(FOLDER.length) || './' : url);
        put(row.children[1], words.say(`requests.${who}`));
        put(row.children[2], words.whole(bytes));
      },
    );
  }

  function history({ history, words }) {
    at['history-switch'].checked = history.on;
    put(at['history-text'], words.say(history.on ? 'history.on' : 'history.off'));
    at['history-problem'].hidden = !history.problem;
    if (history.problem) put(at['history-problem'], words.say(history.problem.code.replace('history-', 'history.')));
    at['history-kept'].hidden = history.count === 0;
    put(at['history-count'], words.say('history.count', { count: history.count }));
    each(
      at.history,
      history.newest,
      (kept) => kept.id,
      ({ thumb }) => {
        const canvas = element('canvas');
        paintGrey(canvas, thumb);
        return element('tr', {}, element('td'), element('th', { scope: 'row' }, canvas, element('bdi')), element('td'));
      },
      (row, { date, name, record }) => {
        put(row.children[0], words.date(date));
        put(row.children[1].lastChild, name);
        const verdict = words.filmWord({ status: 'done', record });
        put(
          row.children[2],
          record.prevalence ? words.say('history.at', { verdict, mixture: words.mixture(record.prevalence) }) : verdict,
        );
      },
    );
  }

  function camera({ camera, words }) {
    at.camera.hidden = at.shoot.disabled = camera !== 'on';
    put(
      at['camera-text'],
      words.say(
        { on: 'camera.how', off: 'camera.opening', opening: 'camera.opening', denied: 'camera.denied' }[camera],
      ),
    );
  }

  return (/** @type {State} */ state) => {
    for (const name of PANELS) {
      const dialog = at[`panel-${name}`];
      if (state.panel === name && !dialog.open) dialog.showModal();
      if (state.panel !== name && dialog.open) dialog.close();
    }
    const { words, panel } = state;
    put(at['requests-count'], words.say('requests.none', { count: sinceFirst(state) }));
    if (panel === 'keys' && changed('keys', words, state.shortcuts)) keys(state);
    if (panel === 'requests' && changed('requests', words, state.requests, state.opened)) requests(state);
    // No row stays in the document when what it told of is gone.
    if ((panel === 'history' || state.history.count === 0) && changed('history', words, state.history)) history(state);
    if (
      panel === 'adapt' &&
      changed('adapt', words, state.adapting, state.adapter, state.model, state.run, state.engine.phase)
    )
      adapt(state);
    if (panel === 'camera' && changed('camera', words, state.camera)) camera(state);
  };
}
