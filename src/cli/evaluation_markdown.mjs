// evaluation_markdown.mjs - an evaluation as Markdown.
import { evaluationDocument } from './evaluation/document.mjs';
import { grid, plain } from './markdown.mjs';

/** @typedef {import('./evaluation/document.mjs').Evaluation} Evaluation */

/**
 * @param {Evaluation} result @param {string[]} labels of the model
 * @param {{ [name: string]: { file: string, title: string } }} [plots] beside the text, by name
 * @param {{ report?: boolean }} [options] @returns {string}
 */
export function evaluationMarkdown(result, labels, plots = {}, options = {}) {
  return evaluationDocument(result, labels, options)
    .flatMap((block) => {
      switch (block.type) {
        case 'heading':
          return [`${'#'.repeat(block.level)} ${plain(block.text)}`];
        case 'text':
          return [block.strong ? `**${plain(block.text)}**` : plain(block.text)];
        case 'code':
          return [`    ${block.text}`];
        case 'table':
          return [grid(block.head, block.rows)];
        case 'plot': {
          const drawn = plots[block.name];
          return drawn ? [`![${drawn.title}](${drawn.file})`] : [];
        }
      }
    })
    .join('\n\n');
}
