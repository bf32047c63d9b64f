// help.mjs - the help of the command and of each of its parts, at most 80 columns wide.
import { COMMANDS, OPTIONS, optionsOf } from './arguments.mjs';

/** @typedef {import('./arguments.mjs').Option} Option */

/** Columns of the help, and where its right column begins. */
const WIDTH = 80,
  COLUMN = 22;

/** @param {string} text @param {number} width @returns {string[]} */
function wrap(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1];
    if (line && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines;
}

/** Two columns, the right one wrapped. @param {[string, string][]} rows */
const columns = (rows) =>
  rows
    .flatMap(([left, right]) =>
      wrap(right, WIDTH - COLUMN).map((line, i) => `  ${i ? '' : left}`.padEnd(COLUMN) + line),
    )
    .join('\n');

/** @param {Option} option */
const isGeneral = ({ of }) => of.length === Object.keys(COMMANDS).length;

/** @param {[string, Option]} option @returns {[string, string]} how it is typed, and what it does */
const describe = ([name, { value, short, text }]) => [
  `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`,
  text,
];

/** @param {string} command */
const usageOf = (command) => `pleura ${command === 'diagnose' ? '' : `${command} `}${COMMANDS[command].synopsis}`;

/** @param {string} title @param {[string, Option][]} options */
const optionGroup = (title, options) => (options.length ? [`${title}\n${columns(options.map(describe))}`] : []);

/** @param {string[]} lines */
const examples = (lines) => `Examples:\n${lines.map((line) => `  ${line}`).join('\n')}`;

const EXIT = 'Exit status: 0 all films classified, 1 at least one error, 2 usage error.';

/** The help of `pleura COMMAND --help`; that of `pleura --help` names all commands. @param {string} command */
export function helpOf(command) {
  const own = optionsOf(command).filter(([, option]) => !isGeneral(option)),
    general = Object.entries(OPTIONS).filter(([, option]) => isGeneral(option));
  const { text, examples: lines } = COMMANDS[command];
  if (command !== 'diagnose')
    return [
      `Usage: ${usageOf(command)}`,
      `${text[0].toUpperCase()}${text.slice(1)}.`,
      examples(lines),
      ...optionGroup('Options:', [...own, ...general]),
    ].join('\n\n');
  const names = Object.keys(COMMANDS);
  return [
    examples(lines),
    `Usage: ${names.map(usageOf).join('\n       ')}`,
    'Classifies PNG, JPEG, BMP and DICOM chest X-rays on this machine.\nNothing is sent anywhere.',
    `Commands (pleura COMMAND --help tells more):\n${columns(
      names.map((name) => [name === 'diagnose' ? '(none)' : name, COMMANDS[name].text]),
    )}`,
    ...optionGroup('Options for classifying films:', own),
    ...optionGroup('General options:', general),
    EXIT,
  ].join('\n\n');
}
