// html.mjs - an evaluation as one HTML page that needs nothing else: no script, font or file from anywhere. It is
// readable on a phone, in the dark and on paper.
import { escape } from '../svg.mjs';
import { evaluationDocument } from './document.mjs';

/** @typedef {{ title: string, panels: string[] }} Drawn  panels: SVG, one per label */

const STYLE = `:root{color-scheme:light dark;--paper:#fff;--ink:#1a1a1a;--soft:#555;--line:#d8d8d8;--stripe:#f5f6f8;--link:#0b5cad;--warn:#8a2b06}
@media(prefers-color-scheme:dark){:root{--paper:#121417;--ink:#ececec;--soft:#b4b8be;--line:#33373d;--stripe:#1a1d21;--link:#6db3ff;--warn:#ffab6d}}
*{box-sizing:border-box}body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.25rem;margin:2.2rem 0 .5rem;border-top:1px solid var(--line);padding-top:1rem}h3{font-size:1.05rem}
p{max-width:46rem}.strong{color:var(--warn);font-weight:600}nav{font-size:.9rem;columns:14rem;margin:1rem 0}nav a{display:block;color:var(--link);padding:.15rem 0}
pre{overflow-x:auto;background:var(--stripe);padding:.6rem;font-size:.85rem;white-space:pre-wrap;overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:.8rem 0}table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}
th:first-child,.words td,.words th{text-align:left}th{font-weight:600;color:var(--soft)}tbody tr:nth-child(odd){background:var(--stripe)}
td{white-space:nowrap}tbody th{max-width:22rem;overflow-wrap:break-word}.words td{white-space:normal;min-width:3rem;overflow-wrap:anywhere}.words tbody th{min-width:8rem}figure{margin:1rem 0}figcaption{font-size:.85rem;color:var(--soft)}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));gap:.5rem}.panels img{width:100%;max-width:30rem;height:auto}
.films{display:grid;grid-template-columns:repeat(auto-fill,minmax(10rem,1fr));gap:.5rem;font-size:.8rem;overflow-wrap:anywhere}.films img{width:100%}
@media print{td{white-space:normal}:root{--paper:#fff;--ink:#000;--soft:#333;--line:#bbb;--stripe:#fff;--link:#000;--warn:#000}body{font-size:10pt;max-width:none;padding:0}nav{display:none}
.scroll{overflow:visible}table{font-size:7.5pt}th,td{padding:.1rem .3rem}tbody th{max-width:16rem}.wide{font-size:5.5pt}.wide th,.wide td{padding:.05rem .12rem}.wide tbody th{max-width:5rem}
h2,h3{break-after:avoid}figure,tr{break-inside:avoid}.panels{grid-template-columns:repeat(auto-fit,minmax(42mm,1fr))}.panels img{max-width:90mm}.films{grid-template-columns:repeat(5,1fr)}}`;

/** Tables with more columns are set smaller on paper. */
const WIDE = 10;
/** Cells that are longer wrap: they are words rather than numbers. */
const LONG = 40;

/** @param {string} svg */
const dataUri = (svg) => `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;

/** The description that a plot holds. @param {string} svg */
const described = (svg) => /<desc id="described">(.*?)<\/desc>/s.exec(svg)?.[1] ?? '';

/** @param {unknown[]} head @param {unknown[][]} rows @returns {string} the classes of a table */
const classesOf = (head, rows) =>
  [
    ...(head.length > WIDE ? ['wide'] : []),
    ...(rows.some((row) => row.slice(1).some((cell) => String(cell).length > LONG)) ? ['words'] : []),
  ].join(' ');

/** @param {unknown[]} head @param {unknown[][]} rows */
function table(head, rows) {
  const cells = (/** @type {unknown[]} */ row, /** @type {string} */ tag) =>
    row
      .map((cell, i) =>
        i === 0 && tag === 'td' ? `<th scope="row">${escape(cell)}</th>` : `<${tag}>${escape(cell)}</${tag}>`,
      )
      .join('');
  return (
    `<div class="scroll" tabindex="0"><table class="${classesOf(head, rows)}">` +
    `<thead><tr>${cells(head, 'th')}</tr></thead>` +
    `<tbody>${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')}</tbody></table></div>`
  );
}

/** @param {Drawn} drawn */
const figure = ({ title, panels }) =>
  `<figure><div class="panels">${panels
    .map((svg) => `<img src="${dataUri(svg)}" alt="${described(svg)}">`)
    .join('')}</div><figcaption>${escape(title)}</figcaption></figure>`;

/**
 * @param {import('./document.mjs').Evaluation} result @param {string[]} labels of the model
 * @param {{ [name: string]: Drawn }} plots @param {{ file: string, truth: string, predicted: string, uri: string }[]} pictures
 *   of the worst mistakes
 * @returns {string} a file
 */
export function evaluationHtml(result, labels, plots, pictures) {
  const blocks = evaluationDocument(result, labels, { report: true });
  let section = 0;
  const contents = [],
    body = [];
  for (const block of blocks) {
    if (block.type === 'heading' && block.level === 2) {
      section++;
      contents.push(`<a href="#s${section}">${escape(block.text)}</a>`);
      body.push(`<h2 id="s${section}">${escape(block.text)}</h2>`);
    } else if (block.type === 'heading') body.push(`<h${block.level}>${escape(block.text)}</h${block.level}>`);
    else if (block.type === 'text') body.push(`<p${block.strong ? ' class="strong"' : ''}>${escape(block.text)}</p>`);
    else if (block.type === 'code') body.push(`<pre>${escape(block.text)}</pre>`);
    else if (block.type === 'table') body.push(table(block.head, block.rows));
    else if (block.name === 'mistakes') {
      if (pictures.length)
        body.push(
          `<div class="films">${pictures
            .map(
              ({ file, truth, predicted, uri }) =>
                `<figure><img src="${uri}" alt="film ${escape(file)} with its heatmap"><figcaption>${escape(file)}: ${escape(truth)}, called ${escape(predicted)}</figcaption></figure>`,
            )
            .join('')}</div>`,
        );
    } else if (plots[block.name]) body.push(figure(plots[block.name]));
  }
  const first = body.findIndex((markup) => markup.startsWith('<h2'));
  body.splice(first, 0, `<nav aria-label="Contents">${contents.join('')}</nav>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>Evaluation of ${escape(result.model)}</title><style>${STYLE}</style></head>
<body><main>${body.join('\n')}</main></body></html>
`;
}
