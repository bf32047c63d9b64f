// thumbs.mjs: paints the small pictures of films, each only while it is on view or near. A canvas takes several times the
// memory of the greys it was painted from, and a batch has hundreds of them.
import { paintGrey } from './painter.mjs';

/** @typedef {import('../state/viewport.mjs').Grey} Grey */

const MARGIN = '50%'; // of the window or the list, so that a picture is there before it scrolls into view

export function createThumbs() {
  /** @type {WeakMap<Element, Grey>} */
  const thumbs = new WeakMap();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) draw(/** @type {HTMLCanvasElement} */ (target), isIntersecting);
    },
    { rootMargin: MARGIN },
  );

  /** @param {HTMLCanvasElement} canvas  @param {boolean} isNear */
  function draw(canvas, isNear) {
    const thumb = thumbs.get(canvas);
    if (isNear && thumb) paintGrey(canvas, thumb);
    else if (canvas.width > 1) Object.assign(canvas, { width: 1, height: 1 });
  }

  /** Gives a canvas its picture. @param {HTMLCanvasElement} canvas  @param {Grey} thumb */
  return (canvas, thumb) => {
    if (thumbs.get(canvas) === thumb) return;
    thumbs.set(canvas, thumb);
    observer.unobserve(canvas);
    observer.observe(canvas); // which reports at once where it is
  };
}
