// prevalence.mjs: the class mix that a person assumes, as people out of a hundred, which is what the sliders show.
import { mixtureText } from '../../src/result/record.mjs';

/** @typedef {import('../../src/engine.mjs').Mixture} Mixture */

const PEOPLE = 100;

/** How many of a hundred people have each label. The labels in `chosen` get the number chosen, the other labels keep
 *  theirs as far as there is room, and the last label gets the remainder.
 *  @param {Mixture} shares  @param {Record<string, number>} [chosen]  @returns {Record<string, number>} */
export function countPeople(shares, chosen = {}) {
  const labels = Object.keys(shares);
  const last = labels[labels.length - 1];
  const others = labels.slice(0, -1).filter((label) => !(label in chosen));
  const counts = Object.fromEntries(labels.map((label) => [label, Math.round(PEOPLE * shares[label])]));
  let left = PEOPLE;
  for (const label of [...Object.keys(chosen), ...others]) {
    counts[label] = Math.min(left, chosen[label] ?? counts[label]);
    left -= counts[label];
  }
  return { ...counts, [last]: left };
}

/** @param {Mixture} shares  @param {Record<string, number>} chosen  people out of a hundred  @returns {Mixture} */
export const chooseShares = (shares, chosen) =>
  Object.fromEntries(Object.entries(countPeople(shares, chosen)).map(([label, count]) => [label, count / PEOPLE]));

/** Whether a result stands for another prevalence than the one in force.
 *  @param {import('./state.mjs').Film} film  @param {Mixture | null} prevalence
 *  @returns {film is import('./state.mjs').DoneFilm} */
export const isOutdated = (film, prevalence) =>
  film.status === 'done' && mixtureText(film.record.prevalence) !== mixtureText(prevalence);
