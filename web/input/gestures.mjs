// gestures.mjs: wheel, pointers and fingers on the film as changes of its look
import { adjust, move, zoom } from '../state/viewport.mjs';

/** @typedef {import('../state/viewport.mjs').Look} Look  @typedef {import('../state/viewport.mjs').Box} Box */

const CLICK_ZOOM = 2.5,
  WHEEL = 0.0016,
  LINE = 30; // LINE: pixels, for browsers that count the wheel in lines

/** @param {HTMLElement} stage
 *  @param {{look: () => Look, box: () => Box, windows: () => boolean, change: (look: Look) => void}} film  windows: does dragging change window and level? */
export function createGestures(stage, film) {
  /** @type {Map<number, PointerEvent>} */
  const held = new Map();
  let windowing = false;

  /** Where an event lies, from the centre of the pane below it. */
  function place({ clientX, clientY }) {
    const panes = [...stage.querySelectorAll('.pane')]
      .map((pane) => pane.getBoundingClientRect())
      .filter(({ width }) => width > 0);
    const { left, top, width, height } =
      panes.find((pane) => clientX <= pane.right && clientY <= pane.bottom) ?? panes.at(-1);
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }

  /** The middle of all fingers and how far they lie apart. */
  function spread(events) {
    const clientX = events.reduce((sum, event) => sum + event.clientX, 0) / events.length;
    const clientY = events.reduce((sum, event) => sum + event.clientY, 0) / events.length;
    return { clientX, clientY, reach: Math.hypot(events[0].clientX - clientX, events[0].clientY - clientY) };
  }

  stage.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const { x, y } = place(event);
      film.change(zoom(film.look(), film.box(), Math.exp(-event.deltaY * (event.deltaMode ? LINE : 1) * WHEEL), x, y));
    },
    { passive: false },
  );

  stage.addEventListener('dblclick', (event) => {
    const { x, y } = place(event),
      look = film.look();
    film.change(zoom(look, film.box(), look.zoom > 1 ? 1 / look.zoom : CLICK_ZOOM, x, y));
  });

  stage.addEventListener('pointerdown', (event) => {
    windowing = event.button === 2 || event.shiftKey || film.windows();
    held.set(event.pointerId, event);
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener('contextmenu', (event) => event.preventDefault()); // the right button changes the window
  stage.addEventListener('pointermove', (event) => {
    const last = held.get(event.pointerId);
    if (!last) return;
    const before = spread([...held.values()]);
    held.set(event.pointerId, event);
    const after = spread([...held.values()]),
      look = film.look(),
      box = film.box();
    const dx = after.clientX - before.clientX,
      dy = after.clientY - before.clientY;
    if (held.size > 1) {
      const { x, y } = place(after);
      film.change(zoom(move(look, box, dx, dy), box, after.reach / before.reach || 1, x, y));
    } else if (windowing) film.change(adjust(look, dx / box.pane.width, dy / box.pane.height));
    else film.change(move(look, box, dx, dy));
  });
  const release = (/** @type {PointerEvent} */ { pointerId }) => held.delete(pointerId);
  stage.addEventListener('pointerup', release);
  stage.addEventListener('pointercancel', release);
}
