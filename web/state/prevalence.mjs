// prevalence.mjs: the mixture of classes that a person gives: what the sliders make of it, and every film judged by it again
import { mixtureText } from '../../src/result/record.mjs';
import { toProblem, trouble } from './errors.mjs';

/** @typedef {import('../../src/engine.mjs').Mixture} Mixture */

const PEOPLE = 100;

/** How many of a hundred people each label has: those in `given` as many as they say, the others what they had as far as
 *  there is room, and the last label the rest. @param {Mixture} shares  @param {Record<string, number>} [given]  @returns {Record<string, number>} */
export function countPeople(shares, given = {}) {
  const labels = Object.keys(shares),
    last = labels.at(-1),
    named = labels.slice(0, -1);
  const counts = Object.fromEntries(labels.map((label) => [label, Math.round(PEOPLE * shares[label])]));
  let left = PEOPLE;
  for (const label of [...Object.keys(given), ...named.filter((label) => !(label in given))]) {
    counts[label] = Math.min(left, given[label] ?? counts[label]);
    left -= counts[label];
  }
  return { ...counts, [last]: left };
}

/** @param {Mixture} shares  @param {Record<string, number>} given  people of a hundred  @returns {Mixture} */
export const giveShare = (shares, given) =>
  Object.fromEntries(Object.entries(countPeople(shares, given)).map(([label, count]) => [label, count / PEOPLE]));

/** @param {import('./state.mjs').State} state  @param {(change: () => void) => void} update
 *  @param {(prevalence: Mixture | null, records: any[]) => Promise<any[]>} judge  by the worker
 *  @returns {() => Promise<void>} brings every film that is done to the state's prevalence, as often as that changes meanwhile */
export function createJudge(state, update, judge) {
  let working = false;
  const behind = () => {
    const wanted = mixtureText(state.prevalence);
    return state.films.filter(({ status, record }) => status === 'done' && mixtureText(record.prevalence) !== wanted);
  };

  function take(films, answers) {
    films.forEach((film, place) =>
      Object.assign(film, { record: { ...film.record, ...answers[place] }, stamp: ++state.stamp }),
    );
    if (films.includes(state.selected)) state.said = state.words.outcome(state.selected);
  }

  return async function judgeAgain() {
    if (working) return;
    working = true;
    for (let films; (films = behind()).length > 0;) {
      try {
        const answers = await judge(
          state.prevalence,
          films.map(({ record }) => record),
        );
        update(() => take(films, answers));
      } catch (error) {
        const { prevalence } = films[0].record; // the control goes back to what is shown
        update(() => Object.assign(state, { prevalence, ...trouble(state.words.problem(toProblem(error))) }));
        break;
      }
    }
    working = false;
  };
}
