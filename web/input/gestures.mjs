// gestures.mjs: mouse wheel, pointers and fingers on the film as changes of its viewport.
import { adjustWindow, pan, zoom } from '../state/viewport.mjs';

/** @typedef {import('../state/viewport.mjs').Viewport} Viewport  @typedef {import('../state/viewport.mjs').Box} Box
 *  @typedef {{clientX: number, clientY: number}} ClientPoint
 *
 *  @typedef {object} Film
 *  @property {() => Viewport} viewport
 *  @property {() => Box} box
 *  @property {() => boolean} dragsWindow  dragging changes window and level
 *  @property {(viewport: Viewport) => void} change
 *  @property {(point: ClientPoint) => import('../state/measures.mjs').Point} share  of the film
 *  @property {(to: {line: string, end: number, point: import('../state/measures.mjs').Point}) => void} moveEnd  of a
 *     line that measures
 *  @property {() => boolean} magnifies
 *  @property {(pointer: PointerEvent | null) => void} magnify  what lies below the pointer; null: nothing any more
 *  @property {(by: 1 | -1) => void} swipe  to the next or previous film */

const DOUBLE_CLICK_ZOOM = 2.5;
const WHEEL_ZOOM = 0.0016; // per pixel
const LINE_HEIGHT = 30; // in pixels, for browsers that count the wheel in lines
const RIGHT_BUTTON = 2;
const SWIPE = 60; // pixels to the side, of a finger that moves at most half as far up or down

/** @param {HTMLElement} stage  @param {Film} film */
export function createGestures(stage, film) {
  /** @type {Map<number, PointerEvent>} the pointers that are down, by id */
  const pointers = new Map();
  let adjusting = false; // window and level
  /** @type {{line: string, end: number} | null} the end of a line that is dragged */
  let held = null;
  /** @type {PointerEvent | null} where a finger came down that may swipe */
  let swipe = null;

  /** A point relative to the centre of the pane below it. @param {ClientPoint} point */
  function fromCentre({ clientX, clientY }) {
    const panes = [...stage.querySelectorAll('.pane')]
      .map((pane) => pane.getBoundingClientRect())
      .filter(({ width }) => width > 0);
    const { left, top, width, height } =
      panes.find((pane) => clientX <= pane.right && clientY <= pane.bottom) ?? panes[panes.length - 1];
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }

  /** The centre of all pointers, and how far the first is from it. */
  function measure() {
    const events = [...pointers.values()];
    const clientX = events.reduce((sum, event) => sum + event.clientX, 0) / events.length;
    const clientY = events.reduce((sum, event) => sum + event.clientY, 0) / events.length;
    return { clientX, clientY, radius: Math.hypot(events[0].clientX - clientX, events[0].clientY - clientY) };
  }

  function onWheel(/** @type {WheelEvent} */ event) {
    const pixels = event.deltaY * (event.deltaMode ? LINE_HEIGHT : 1);
    if (pixels > 0 && film.viewport().zoom <= 1) return; // nothing to zoom out of: the page scrolls
    event.preventDefault();
    const { x, y } = fromCentre(event);
    film.change(zoom(film.viewport(), film.box(), Math.exp(-pixels * WHEEL_ZOOM), x, y));
  }

  function onDoubleClick(/** @type {MouseEvent} */ event) {
    const { x, y } = fromCentre(event);
    const viewport = film.viewport();
    const factor = viewport.zoom > 1 ? 1 / viewport.zoom : DOUBLE_CLICK_ZOOM;
    film.change(zoom(viewport, film.box(), factor, x, y));
  }

  function onDown(/** @type {PointerEvent} */ event) {
    const { line, end } = /** @type {HTMLElement} */ (event.target).dataset;
    held = line ? { line, end: Number(end) } : null;
    if (film.magnifies()) film.magnify(event);
    adjusting = event.button === RIGHT_BUTTON || event.shiftKey || film.dragsWindow();
    swipe =
      pointers.size === 0 && event.pointerType === 'touch' && !adjusting && !held && film.viewport().zoom <= 1
        ? event
        : null;
    pointers.set(event.pointerId, event);
    stage.setPointerCapture(event.pointerId);
  }

  /** One pointer pans or adjusts the window; two or more pan and zoom. */
  function onMove(/** @type {PointerEvent} */ event) {
    if (film.magnifies()) film.magnify(event);
    if (!pointers.has(event.pointerId)) return;
    if (held) return film.moveEnd({ ...held, point: film.share(event) });
    if (film.magnifies() && event.pointerType !== 'mouse' && pointers.size === 1) return;
    const before = measure();
    pointers.set(event.pointerId, event);
    const after = measure();
    const viewport = film.viewport();
    const box = film.box();
    const dx = after.clientX - before.clientX;
    const dy = after.clientY - before.clientY;
    if (pointers.size > 1) {
      const { x, y } = fromCentre(after);
      film.change(zoom(pan(viewport, box, dx, dy), box, after.radius / before.radius || 1, x, y));
    } else if (adjusting) film.change(adjustWindow(viewport, dx / box.pane.width, dy / box.pane.height));
    else film.change(pan(viewport, box, dx, dy));
  }

  function onUp(/** @type {PointerEvent} */ { pointerId, pointerType, clientX, clientY }) {
    pointers.delete(pointerId);
    held = null;
    if (pointerType !== 'mouse') film.magnify(null);
    if (swipe?.pointerId !== pointerId) return;
    const dx = clientX - swipe.clientX;
    if (Math.abs(dx) > Math.max(SWIPE, 2 * Math.abs(clientY - swipe.clientY))) film.swipe(dx < 0 ? 1 : -1);
    swipe = null;
  }

  stage.addEventListener('wheel', onWheel, { passive: false });
  stage.addEventListener('dblclick', onDoubleClick);
  stage.addEventListener('contextmenu', (event) => event.preventDefault()); // the right button adjusts the window
  stage.addEventListener('pointerdown', onDown);
  stage.addEventListener('pointermove', onMove);
  stage.addEventListener('pointerup', onUp);
  stage.addEventListener('pointercancel', onUp);
  stage.addEventListener('pointerleave', () => film.magnify(null));
}
