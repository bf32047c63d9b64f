// painter.mjs: paints the greys of a film into a canvas, through window and level. A graphics processor needs only the
// two ends of the window for that, so a drag costs nothing, however large the film. Without one, paintGreys does it.
import { initialViewport, MAX_FILM_SIDE, paintGreys } from '../state/viewport.mjs';

/** @typedef {import('../state/viewport.mjs').Grey} Grey
 *  @typedef {import('../state/viewport.mjs').Viewport} Viewport
 *  @typedef {(film: Grey, viewport: Pick<Viewport, 'window' | 'invert'>) => void} Paint */

/** @type {Grey} */
const NOTHING = { data: Uint16Array.of(0), width: 1, height: 1, low: 0, high: 1 };

/** One triangle that covers the canvas. */
const VERTICES = `#version 300 es
void main() {
  gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0);
}`;
/** Row 0 of the film is the upper one, row 0 of the canvas the lower one. */
const PIXELS = `#version 300 es
precision highp float;
precision highp usampler2D;
uniform usampler2D film;
uniform vec2 ends;
uniform bool invert;
out vec4 colour;
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  float level = float(texelFetch(film, ivec2(at.x, textureSize(film, 0).y - 1 - at.y), 0).r);
  float grey = clamp((level - ends.x) / max(1e-6, ends.y - ends.x), 0.0, 1.0);
  colour = vec4(vec3(invert ? 1.0 - grey : grey), 1.0);
}`;

/** @param {HTMLCanvasElement} canvas  @param {{width: number, height: number}} size */
function resize(canvas, { width, height }) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
}

/** @param {HTMLCanvasElement} canvas  @param {ImageData} image */
export function paintImage(canvas, image) {
  resize(canvas, image);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

/** @param {HTMLCanvasElement} canvas  @param {Grey} film  @param {Pick<Viewport, 'window' | 'invert'>} [viewport]
 *  @param {ImageData} [image]  to be painted over, so that a drag needs one image and not one per step */
export function paintGrey(canvas, film, viewport = initialViewport(), image = new ImageData(film.width, film.height)) {
  paintGreys(new Uint32Array(image.data.buffer), film, viewport);
  paintImage(canvas, image);
}

/** @param {WebGL2RenderingContext} gl */
function createProgram(gl) {
  const program = /** @type {WebGLProgram} */ (gl.createProgram());
  for (const [type, source] of /** @type {[number, string][]} */ ([
    [gl.VERTEX_SHADER, VERTICES],
    [gl.FRAGMENT_SHADER, PIXELS],
  ])) {
    const shader = /** @type {WebGLShader} */ (gl.createShader(type));
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  return program;
}

/** @param {HTMLCanvasElement} canvas  @param {WebGL2RenderingContext} gl  @returns {Paint} */
function createGpuPaint(canvas, gl) {
  let program = createProgram(gl);
  /** @type {Parameters<Paint> | null} */
  let last = null;
  /** @type {Grey | null} the film in the texture */
  let held = null;

  /** @param {Grey} film */
  function hold(film) {
    const { data, width, height } = film;
    resize(canvas, film);
    gl.viewport(0, 0, width, height);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    const words = data instanceof Uint16Array ? data : Uint16Array.from(data);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16UI, width, height, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, words);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
    held = film;
  }

  /** @type {Paint} */
  function paint(film, viewport) {
    last = [film, viewport];
    if (gl.isContextLost()) return; // painted once it is back
    if (held !== film) {
      gl.deleteTexture(gl.getParameter(gl.TEXTURE_BINDING_2D));
      hold(film);
    }
    const range = film.high - film.low;
    const ends = [viewport.window.low, viewport.window.high].map((share) => film.low + share * range);
    gl.uniform2f(gl.getUniformLocation(program, 'ends'), ends[0], ends[1]);
    gl.uniform1i(gl.getUniformLocation(program, 'invert'), viewport.invert ? 1 : 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  // Systems take the graphics processor away from pages in the background.
  canvas.addEventListener('webglcontextlost', (event) => event.preventDefault());
  canvas.addEventListener('webglcontextrestored', () => {
    program = createProgram(gl);
    held = null;
    if (last) paint(...last);
  });
  return paint;
}

/** Whether a browser paints WebGL on a graphics processor. One that is imitated takes eight times as long as
 *  paintGreys. */
function hasGpu() {
  const gl = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  if (!gl || gl.getParameter(gl.MAX_TEXTURE_SIZE) < MAX_FILM_SIDE) return false;
  const masked = gl.getParameter(gl.RENDERER) === 'WebKit WebGL'; // Firefox warns of the extension, and needs none
  const names = masked ? gl.getExtension('WEBGL_debug_renderer_info') : null;
  const renderer = gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}

/** @param {HTMLCanvasElement} canvas  @returns {Paint} */
function createCpuPaint(canvas) {
  /** @type {ImageData | undefined} */
  let image;
  return (film, viewport) => {
    if (image?.width !== film.width || image.height !== film.height) image = new ImageData(film.width, film.height);
    paintGrey(canvas, film, viewport, image);
  };
}

/** @param {HTMLCanvasElement} canvas  @returns {Paint} */
function createPaint(canvas) {
  gpu ??= hasGpu();
  const options = { alpha: false, antialias: false, depth: false, preserveDrawingBuffer: true }; // it is copied from
  const gl = gpu ? /** @type {WebGL2RenderingContext | null} */ (canvas.getContext('webgl2', options)) : null;
  return gl ? createGpuPaint(canvas, gl) : createCpuPaint(canvas);
}
/** @type {boolean | undefined} */
let gpu;

/** A painter of one canvas, which paints only what has changed.
 *  @param {HTMLCanvasElement} canvas */
export function createPainter(canvas) {
  /** @type {Paint | undefined} */
  let paintHere;
  /** @type {[film: Grey, window: Viewport['window'], invert: boolean] | null} */
  let painted = null;

  return {
    /** @type {Paint} */
    paint(film, viewport) {
      const { window, invert } = viewport;
      if (painted?.[0] === film && painted[1] === window && painted[2] === invert) return;
      painted = [film, window, invert];
      paintHere ??= createPaint(canvas);
      paintHere(film, viewport);
    },
    /** Removes every trace of a film. */
    clear() {
      if (!painted) return;
      painted = null;
      paintHere?.(NOTHING, initialViewport());
    },
  };
}
