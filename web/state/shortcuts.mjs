// shortcuts.mjs: the keys of the page. The help dialog lists this table, so what it lists is what works.

/** @typedef {object} Shortcut
 *  @property {import('../i18n/words.mjs').MessageKey} label
 *  @property {string[]} keys  as printed
 *  @property {Record<string, string>} [actions]  by `KeyboardEvent.key`
 *
 *  @typedef {{line: string, end: number}} LineEnd  of a line that measures
 *  @typedef {{action: string, x?: number, y?: number, far?: boolean} & Partial<LineEnd>} Command */

/** @type {Shortcut[]} */
export const SHORTCUTS = [
  { label: 'keys.zoom', keys: ['+', '−'], actions: { '+': 'zoom-in', '=': 'zoom-in', '-': 'zoom-out' } },
  { label: 'keys.pan', keys: ['←', '→', '↑', '↓'] },
  { label: 'keys.window', keys: ['Shift ←', '→', '↑', '↓'] },
  { label: 'keys.presets', keys: ['1', '2', '3'], actions: { 1: 'window-film', 2: 'window-lungs', 3: 'window-dense' } },
  { label: 'keys.fit', keys: ['0'], actions: { 0: 'reset-viewport' } },
  { label: 'keys.actual', keys: ['9'], actions: { 9: 'actual-pixels' } },
  { label: 'keys.plain', keys: ['H'], actions: { h: 'plain' } },
  { label: 'keys.invert', keys: ['I'], actions: { i: 'invert' } },
  { label: 'keys.compare', keys: ['C'], actions: { c: 'compare' } },
  { label: 'measure.ruler', keys: ['R'], actions: { r: 'ruler' } },
  { label: 'tools.ratio', keys: ['T'], actions: { t: 'heart-ratio' } },
  { label: 'keys.end', keys: ['←', '→', '↑', '↓'] },
  { label: 'tools.loupe', keys: ['M'], actions: { m: 'loupe' } },
  { label: 'keys.full', keys: ['F'], actions: { f: 'full' } },
  { label: 'keys.heat', keys: ['[', ']'], actions: { '[': 'heat-less', ']': 'heat-more' } },
  { label: 'keys.lungs', keys: ['L'], actions: { l: 'outline' } },
  { label: 'keys.films', keys: ['P', 'N'], actions: { p: 'previous', n: 'next' } },
  { label: 'keys.remove', keys: ['Del', 'Ctrl Z'], actions: { Delete: 'remove' } },
  { label: 'keys.pick', keys: ['Shift ↑', '↓', 'Ctrl A', 'Esc'] },
  { label: 'keys.help', keys: ['?'], actions: { '?': 'help' } },
];

/** @type {Record<string, string>} */
const ACTIONS = Object.assign({}, ...SHORTCUTS.map(({ actions }) => actions));
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The command that a key stands for. Arrows move the film, or the end of a line, only while it has the focus.
 *  @param {Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey'>} event  @param {boolean} onFilm
 *  @param {LineEnd | null} [lineEnd]  that has the focus  @returns {Command | null} */
export function commandOf(event, onFilm, lineEnd = null) {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const arrow = ARROWS[event.key];
  if (arrow && lineEnd) return { action: 'step-end', ...lineEnd, x: arrow[0], y: arrow[1], far: event.shiftKey };
  if (arrow) return onFilm ? { action: event.shiftKey ? 'adjust-window' : 'pan', x: arrow[0], y: arrow[1] } : null;
  const action = ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  return action ? { action } : null;
}
