// prevalence.mjs: the class mix that a person assumes, as people out of a hundred, which is what the sliders show.
import { mixtureText } from '../../src/result/record.mjs';

/** @typedef {import('../../src/engine.mjs').Mixture} Mixture
 *  @typedef {import('../../src/engine.mjs').Model} Model */

const PEOPLE = 100;

/** The label that gets the remainder: the last that is a category of its own.
 *  @param {Pick<Model, 'labels' | 'other'>} model */
export const restLabel = ({ labels, other }) => labels.filter((label) => label !== other).at(-1) ?? labels[0];

/** How many of a hundred people have each label. The labels in `chosen` get the number chosen, the other labels keep
 *  theirs as far as there is room, and the label `rest` gets the remainder.
 *  @param {Mixture} shares  @param {string} rest  @param {Record<string, number>} [chosen]
 *  @returns {Record<string, number>} */
export function countPeople(shares, rest, chosen = {}) {
  const others = Object.keys(shares).filter((label) => label !== rest && !(label in chosen));
  const counts = Object.fromEntries(
    Object.entries(shares).map(([label, share]) => [label, Math.round(PEOPLE * share)]),
  );
  let left = PEOPLE;
  for (const label of [...Object.keys(chosen), ...others]) {
    counts[label] = Math.min(left, chosen[label] ?? counts[label]);
    left -= counts[label];
  }
  return { ...counts, [rest]: left };
}

/** @param {Mixture} shares  @param {string} rest  @param {Record<string, number>} chosen  people out of a hundred
 *  @returns {Mixture} */
export const chooseShares = (shares, rest, chosen) =>
  Object.fromEntries(Object.entries(countPeople(shares, rest, chosen)).map(([label, n]) => [label, n / PEOPLE]));

/** Whether a result stands for another prevalence than the one in force.
 *  @param {import('./state.mjs').Film} film  @param {Mixture | null} prevalence
 *  @returns {film is import('./state.mjs').DoneFilm} */
export const isOutdated = (film, prevalence) =>
  film.status === 'done' && mixtureText(film.record.prevalence) !== mixtureText(prevalence);
