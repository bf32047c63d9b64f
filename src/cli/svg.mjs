// svg.mjs - writes an SVG file that stands alone: no script, font or picture from elsewhere, a title and a description
// for people who cannot see it, and dark colours on a dark screen.

const STYLE = `svg{font:12px system-ui,sans-serif}.paper{fill:#fff}text{fill:#1a1a1a}.small{font-size:10px}.head{font-weight:600;font-size:13px}
.grid{stroke:#d8d8d8}.frame{stroke:#767676;fill:none}.line{fill:none;stroke-width:2}.first{stroke:#0b5cad}.second{stroke:#a8430a;stroke-dasharray:7 3}
.whisker{stroke:#0b5cad;stroke-width:1}.rest{stroke:#666;stroke-dasharray:2 3;fill:none}.band,.bar,.cell{fill:#0b5cad}.band{fill-opacity:.18}.bar{fill-opacity:.45}.dot{fill:#0b5cad}
@media(prefers-color-scheme:dark){.paper{fill:#121417}text{fill:#ececec}.grid{stroke:#33373d}.frame{stroke:#8a8f96}.first,.whisker{stroke:#6db3ff}.second{stroke:#ffab6d}
.rest{stroke:#a8adb3}.band,.bar,.cell,.dot{fill:#6db3ff}}`;

/** Characters that XML forbids, lone surrogates among them. */
const NOT_XML =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
/** @type {{ [character: string]: string }} */
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for XML and HTML. @param {unknown} text */
export const escape = (text) =>
  String(text)
    .replace(NOT_XML, '\ufffd')
    .replace(/[&<>"]/g, (c) => ENTITIES[c]);

/** @param {unknown} value */
const attributeText = (value) => escape(typeof value === 'number' ? Math.round(value * 100) / 100 : value);

/**
 * @param {string} name @param {Record<string, unknown>} attributes @param {string[]} children markup
 * @returns {string}
 */
export function element(name, attributes, ...children) {
  const open = `<${name}${Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${attributeText(value)}"`)
    .join('')}`;
  return children.length ? `${open}>${children.join('')}</${name}>` : `${open}/>`;
}

/** @param {unknown} content @param {number} x @param {number} y @param {Record<string, unknown>} [attributes] */
export const text = (content, x, y, attributes = {}) => element('text', { x, y, ...attributes }, escape(content));

/** @param {unknown} content @param {number} x @param {number} y @param {string} [style] class */
export const centred = (content, x, y, style) =>
  text(content, x, y, { 'text-anchor': 'middle', ...(style && { class: style }) });

/** Text that runs upwards, centred at x, y. @param {string} content @param {number} x @param {number} y */
export const upward = (content, x, y) =>
  text(content, 0, 0, { 'text-anchor': 'middle', transform: `translate(${x} ${y}) rotate(-90)` });

/** @param {string} style class @param {[number, number]} from @param {[number, number]} to */
export const line = (style, [x1, y1], [x2, y2]) => element('line', { class: style, x1, x2, y1, y2 });

/** The data of a path. @param {[number, number][]} points in pixels */
export const pathData = (points) =>
  points.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

/** @param {string} style class @param {[number, number][]} points in pixels */
export const path = (style, points) => element('path', { class: style, d: pathData(points) });

/**
 * A whole file.
 * @param {{ title: string, description: string, width: number, height: number, left: number }} about left: margin of
 *   the title
 * @param {string[]} children markup
 */
export const document = ({ title, description, width, height, left }, children) =>
  `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-labelledby': 'title described',
    },
    element('title', { id: 'title' }, escape(title)),
    element('desc', { id: 'described' }, escape(description)),
    element('style', {}, STYLE),
    element('rect', { class: 'paper', width, height }),
    text(title, left, 24, { class: 'head' }),
    ...children,
  )}\n`;
