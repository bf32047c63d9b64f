// shortcuts.mjs: the keys of the page: what is listed is what works

/** @typedef {{say: string, keys: string[], actions?: Record<string, string>}} Shortcut  keys as they are printed; actions by `KeyboardEvent.key` */

/** @type {Shortcut[]} */
export const SHORTCUTS = [
  { say: 'keys.zoom', keys: ['+', '−'], actions: { '+': 'zoom-in', '=': 'zoom-in', '-': 'zoom-out' } },
  { say: 'keys.pan', keys: ['←', '→', '↑', '↓'] },
  { say: 'keys.window', keys: ['Shift ←', '→', '↑', '↓'] },
  { say: 'keys.presets', keys: ['1', '2', '3'], actions: { 1: 'window-film', 2: 'window-lungs', 3: 'window-dense' } },
  { say: 'keys.fit', keys: ['0'], actions: { 0: 'reset-look' } },
  { say: 'keys.invert', keys: ['I'], actions: { i: 'invert' } },
  { say: 'keys.compare', keys: ['C'], actions: { c: 'compare' } },
  { say: 'keys.heat', keys: ['[', ']'], actions: { '[': 'heat-less', ']': 'heat-more' } },
  { say: 'keys.lungs', keys: ['L'], actions: { l: 'outline' } },
  { say: 'keys.films', keys: ['P', 'N'], actions: { p: 'previous', n: 'next' } },
  { say: 'keys.help', keys: ['?'], actions: { '?': 'help' } },
];

const ACTIONS = Object.assign({}, ...SHORTCUTS.map(({ actions }) => actions));
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** What a key means: an action, or a step with the arrows while the film has the focus. @param {KeyboardEvent} event */
export function meaning(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (
    event.ctrlKey ||
    event.altKey ||
    event.metaKey ||
    target.closest('input:not([type=range], [type=checkbox]), select, dialog')
  )
    return null;
  const [x, y] = ARROWS[event.key] ?? [];
  if (x !== undefined) return target.id === 'stage' ? { action: event.shiftKey ? 'step-window' : 'step', x, y } : null;
  const action = ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  return action ? { action } : null;
}
