// adapt.mjs: the last layer fitted to a person's own films: the films through the worker, one after the other, and the dialog that tells
import { MIN_FILMS, MIN_PATIENTS, selectFilms } from '../../src/adapt/crossval.mjs';
import { each, element, put } from './dom.mjs';
import { fromFiles } from '../input/files.mjs';
import { toProblem } from '../state/errors.mjs';

/** @typedef {{phase: 'idle' | 'reading' | 'fitting', done: number, total: number, share: number, problem: import('../state/errors.mjs').Problem | null,
 *    leftOut: any, result: import('../../src/adapt/adapt.mjs').Adaptation | null}} Adapting
 *  @typedef {import('../state/state.mjs').State} State */

/** @returns {Adapting} */
export const firstAdapting = () => ({
  phase: 'idle',
  done: 0,
  total: 0,
  share: 0,
  problem: null,
  leftOut: {},
  result: null,
});

/** The sub-folder of the chosen folder that a film lies in. @param {string} path */
const labelOf = (path) => path.split('/').slice(1, -1)[0]?.toLowerCase() ?? '';

/** @param {State} state  @param {(change: () => void) => void} update  @param {ReturnType<typeof import('../engine/client.mjs').createClient>} client */
export function createAdapting(state, update, client) {
  const set = (changes) =>
    update(() => {
      state.adapting = { ...state.adapting, ...changes };
    });
  let lastRun = 0;

  function discard() {
    client.cancelFit();
    lastRun++; // what still runs is not told any more
    set(firstAdapting());
  }

  return {
    fitted: (share) => set({ share }),
    discard,

    /** @param {File[]} files  of a folder */
    async run(files) {
      set({ ...firstAdapting(), phase: 'reading' });
      const found = [],
        own = ++lastRun;
      let errors = 0;
      try {
        const { sources } = await fromFiles(files);
        if (own !== lastRun) return; // discarded before anything was asked for that could fail
        for (const { name, file } of sources) {
          set({ done: found.length + errors, total: sources.length });
          try {
            found.push({ label: labelOf(name), ...(await client.examine(file)) });
          } catch (error) {
            if (error.name === 'AbortError') throw error;
            errors++;
          }
        }
        const { films, leftOut } = selectFilms(found, state.model.labels);
        set({ phase: 'fitting', share: 0, leftOut: { ...leftOut, errors } });
        set({ phase: 'idle', result: await client.fit(films) });
        update(() => {
          state.said = state.words.say(
            state.adapting.result.advice ? `adapt.${state.adapting.result.advice}` : 'adapt.few',
          );
        });
      } catch (error) {
        if (own === lastRun) set({ phase: 'idle', problem: toProblem(error) });
      }
    },
  };
}

/** @param {Record<string, any>} at */
export function createAdaptPanel(at) {
  /** @param {State} state */
  function result({ adapting: { result, leftOut }, words }) {
    const { say } = words,
      show = (name, x) => (/accuracy/i.test(name) ? words.precise(x) : words.hundredths(x));
    const figure = (name, f) => (f.low === null ? show(name, f.value) : words.interval(f, (x) => show(name, x)));
    put(at['adapt-advice'], say(`adapt.${result.advice}`));
    put(
      at['adapt-films'],
      `${say('adapt.films', { films: words.counts(result.films), patients: result.patients })} ${left(leftOut, words)}`,
    );
    each(
      at['adapt-figures'],
      result.comparisons,
      ({ name, label }) => `${name} ${label}`,
      () => element('tr', {}, element('th', { scope: 'row' }), element('td'), element('td'), element('td')),
      (row, { name, label, before, after, difference }) => {
        put(row.children[0], label ? say('adapt.auc', { label: words.label(label) }) : say(`adapt.${name}`));
        [before, after, difference].forEach((f, i) => put(row.children[i + 1], figure(name, f)));
      },
    );
  }

  const left = ({ refused, repeated, contradictory, otherLabel, errors }, { say }) =>
    say('adapt.left', { refused, repeated: repeated + contradictory, other: otherLabel, errors });

  return (/** @type {State} */ state) => {
    const { adapting, words, model, run, engine } = state,
      { phase, problem } = adapting,
      busy = phase !== 'idle',
      lacking = adapting.result?.missing ?? [];
    put(at['adapt-state'], (model && words.adapted(model)) || words.say('adapt.shipped'));
    at['adapt-problem'].hidden = !problem && lacking.length === 0;
    put(
      at['adapt-problem'],
      problem
        ? words.problem(problem)
        : lacking.length === 0
          ? ''
          : `${words.say('adapt.few')} ${words.say('adapt.need', { lacking: words.counts(Object.fromEntries(lacking.map(({ label, films }) => [label, films]))), films: MIN_FILMS, patients: MIN_PATIENTS })} ${left(adapting.leftOut, words)}`,
    );
    at['adapt-work'].hidden = !busy;
    put(
      at['adapt-text'],
      phase === 'fitting'
        ? words.say('adapt.fitting')
        : words.say('work.place', { place: Math.min(adapting.done + 1, adapting.total), total: adapting.total }),
    );
    at['adapt-bar'].value = phase === 'fitting' ? adapting.share : adapting.done / (adapting.total || 1);
    at['adapt-result'].hidden = !adapting.result?.adapter;
    if (adapting.result?.adapter) result(state);
    for (const id of ['adapt-choose', 'adapt-import', 'adapt-back'])
      at[id].disabled = busy || run.total > 0 || engine.phase !== 'ready';
    at['adapt-export'].hidden = at['adapt-back'].hidden = !state.adapter;
  };
}
