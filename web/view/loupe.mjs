// loupe.mjs: a round magnifier that follows the pointer over the film. It shows the film without its overlays.

const MAGNIFIED = 3; // times as large as on the screen
const LIFTED = 1.1; // radii above a finger, which would hide it

/** @param {HTMLElement} stage  @param {HTMLCanvasElement} plane  the film  @param {HTMLCanvasElement} loupe */
export function createLoupe(stage, plane, loupe) {
  return {
    /** @param {{clientX: number, clientY: number, pointerType: string}} pointer */
    show({ clientX, clientY, pointerType }) {
      const film = plane.getBoundingClientRect();
      const pane = stage.getBoundingClientRect();
      loupe.hidden = false;
      const size = loupe.offsetWidth;
      const pixels = Math.round(size * window.devicePixelRatio);
      if (loupe.width !== pixels) Object.assign(loupe, { width: pixels, height: pixels });
      const lift = pointerType === 'mouse' ? 0 : (size / 2) * LIFTED;
      loupe.style.left = `${clientX - pane.left - size / 2}px`;
      loupe.style.top = `${clientY - pane.top - size / 2 - lift}px`;
      const context = /** @type {CanvasRenderingContext2D} */ (loupe.getContext('2d'));
      const scale = plane.width / film.width;
      const side = (size / MAGNIFIED) * scale;
      context.fillRect(0, 0, pixels, pixels); // black, beyond the film
      const [x, y] = [(clientX - film.left) * scale - side / 2, (clientY - film.top) * scale - side / 2];
      context.drawImage(plane, x, y, side, side, 0, 0, pixels, pixels);
    },
    hide() {
      loupe.hidden = true;
    },
  };
}
