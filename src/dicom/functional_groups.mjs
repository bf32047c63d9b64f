// Where a DICOM file may describe its first frame: at its top, or in functional groups, which say for all frames or for
// each one what is the same or differs (PS3.3, C.7.6.16). Multi-frame files, even of one frame, use the groups.

/**
 * @typedef {import('./elements.mjs').Attributes} Attributes
 * @typedef {import('./dictionary.mjs').Keyword} Keyword
 */

/** @type {Keyword[]} */
const GROUPS = ['SharedFunctionalGroupsSequence', 'PerFrameFunctionalGroupsSequence'];

/**
 * The places, the top first.
 * @param {Attributes} attributes @param {Keyword} macro  the sequence that a functional group keeps it in
 */
export function* places(attributes, macro) {
  yield attributes;
  for (const groups of GROUPS) {
    const place = attributes.item(groups)?.item(macro);
    if (place) yield place;
  }
}

/**
 * The first place where an attribute has a value; the top where none has.
 * @param {Attributes} attributes @param {Keyword} macro @param {Keyword} keyword
 */
export function placeOf(attributes, macro, keyword) {
  for (const place of places(attributes, macro)) if (place.has(keyword)) return place;
  return attributes;
}
