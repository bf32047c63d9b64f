// checklist.mjs - the items of STARD-AI, TRIPOD+AI and CLAIM 2024 that an evaluation answers, and those that it cannot.
//
// The numbers are those of STARD-AI (Nat Med 2025, table 2: 40 items, numbered otherwise than STARD 2015), TRIPOD+AI (BMJ
// 2024, 27 items) and CLAIM (Radiol Artif Intell 2024, 44 items). An item is filled in where the data tell. Where they do
// not, it says "not known": only the people who collected the films can answer it.

/**
 * @typedef {import('./document.mjs').Evaluation} Evaluation
 * @typedef {import('./document.mjs').Block} Block
 */

const UNKNOWN = 'not known';

/** @param {Evaluation} result @returns {{ item: string, stard: string, tripod: string, claim: string, answer: string }[]} */
function items(result) {
  const { films, patients, unknownPatients, errors, notScored, baseline = [], sources, groups, provenance } = result;
  const has = (/** @type {string} */ column) => baseline.some((row) => Object.hasOwn(row, column));
  const outcome = (/** @type {string} */ verdict) =>
    result.outcomes.reduce((sum, { counts }) => sum + (counts[verdict] ?? 0), 0);
  const known = ['age', 'sex', 'view', 'source'].filter(has);
  const found = result.calibration?.found;
  return [
    row(
      'Index test: model, version, hash',
      '15a',
      '12g, 22',
      '22',
      `${result.model}; weights ${provenance?.weights ?? UNKNOWN}`,
    ),
    row(
      'Software and date',
      '13',
      '12g',
      '23',
      provenance ? `pleura ${provenance.pleura}, Node ${provenance.node}, ${provenance.date}` : UNKNOWN,
    ),
    row('Intended use', '3', '3b', '3, 6', result.notice),
    row(
      'Data: source, setting, locations',
      '9, 11',
      '5a, 6a',
      '7',
      sources.length ? sources.map(({ source }) => source).join(', ') : UNKNOWN,
    ),
    row('Dates of collection', '9', '5b', '–', UNKNOWN),
    row('Sampling: consecutive, random or convenience', '10', '5a', '8', UNKNOWN),
    row(
      'Eligibility and exclusion',
      '7',
      '6b',
      '8',
      'all films of the list of labels; none was left out but as the flow of films shows',
    ),
    row('Split and independence from training', '15b', '12a', '19, 20', splitAnswer(result)),
    row('How the films differ from those of training and of use', '28, 29', '16, 20c', '32, 33', UNKNOWN),
    row('Reference standard, and who read it', '12, 16a, 16b', '8a, 8b', '14–17', UNKNOWN),
    row('Agreement of the readers', '–', '–', '18', UNKNOWN),
    row(
      'Blinding of index test and reference standard',
      '17a, 17b',
      '8c',
      '–',
      'the model saw no label; whether the readers knew of the model: not known',
    ),
    row('Interval between film and reference standard', '27', '–', '–', UNKNOWN),
    row(
      'Scanner makers, acquisition, preprocessing',
      '13, 14',
      '7',
      '9, 13',
      'preprocessing: as in the weights; makers and acquisition: not known',
    ),
    row('De-identification', '–', '–', '11', 'no name or ID is in this report; patients are numbers'),
    row('Threshold for a positive result', '15c', '15', '–', thresholdAnswer(result)),
    row(
      'Sample size and its reason',
      '22',
      '10',
      '21',
      `${films} films of ${patients} patients; the reason: not known`,
    ),
    row(
      'Patients with several films',
      '18',
      '12e',
      '29',
      unknownPatients === films
        ? 'patients are not known: each film counts as one'
        : `all intervals are over patients; ${unknownPatients} films of unknown patients count as one each`,
    ),
    row(
      'Missing data',
      '20',
      '11',
      '12',
      `${errors} films without an answer, ${Object.values(notScored).reduce((sum, n) => sum + n, 0)} with a label that the model lacks; see the flow of films`,
    ),
    row(
      'Indeterminate results',
      '19',
      '–',
      '–',
      `${outcome('uncertain')} uncertain, ${outcome('refused')} refused: an outcome of their own, with figures with and without them`,
    ),
    row('Flow of participants', '24', '20a', '35', 'see the flow of films'),
    row('Baseline characteristics', '25', '20b', '36', known.length ? `by label: ${known.join(', ')}` : UNKNOWN),
    row('Severity and other diagnoses', '26a, 26b', '–', '36', UNKNOWN),
    row(
      'Accuracy with uncertainty',
      '30, 31',
      '23a',
      '29, 37, 38',
      'each figure with its 95 % interval; confusion matrix, ROC and precision-recall curves with bands',
    ),
    row(
      'Calibration',
      '–',
      '12e, 23a',
      '28',
      found ? 'intercept, O/E, slope, curve with band, Brier score, log loss, ECE' : 'too few films',
    ),
    row('Clinical utility', '–', '12e', '28', 'decision curves with bands'),
    row(
      'Subgroups and fairness',
      '21, 23',
      '14, 23a, 23b',
      '37',
      groups.length
        ? `by ${groups.map(({ column }) => column).join(', ')}; ethnicity and others: not known`
        : 'none asked for (--by)',
    ),
    row(
      'Failure analysis',
      '23',
      '–',
      '39',
      result.mistakes?.length ? 'the worst mistakes are listed' : 'no mistake, or not asked for',
    ),
    row(
      'Comparison with other models or readers',
      '18',
      '12e',
      '28',
      result.comparison ? `with ${result.comparison.against} on the same films` : 'none',
    ),
    row('Robustness, explanations', '–', '–', '30, 31', 'not part of this evaluation'),
    row('Adverse events', '32', '–', '–', 'not applicable: films were collected before'),
    row('Registration, protocol', '36, 37', '18c, 18d', '34, 42', UNKNOWN),
    row('Funding, conflicts of interest', '38, 39', '18a, 18b', '44', UNKNOWN),
    row('Ethics, consent, patient involvement', '6, 35', '17, 19', '–', UNKNOWN),
    row(
      'Code and data',
      '40a, 40b',
      '18e, 18f',
      '43',
      'the command above; films.csv holds what every figure is computed from',
    ),
  ];
}

/** @param {string} item @param {string} stard @param {string} tripod @param {string} claim @param {string} answer */
const row = (item, stard, tripod, claim, answer) => ({ item, stard, tripod, claim, answer });

/** @param {Evaluation} result */
function splitAnswer({ split, seen, makersKnown, warnings = [] }) {
  const made = makersKnown
    ? `${seen ? `${seen} of them are` : 'none of them is'} among the films that made the model, by their SHA-256`
    : 'which films made the model is not known';
  const which = split === null ? 'all films of the list' : `the split ${split} of the list`;
  return [`${which}; ${made}.`, ...warnings].join(' ');
}

/** @param {Evaluation} result */
function thresholdAnswer({ operating }) {
  const own = operating?.points.length
    ? `; also the operating points listed, ${operating.chosenOn === null ? 'chosen on these films' : `chosen on the split ${operating.chosenOn}`}`
    : '';
  return `the largest probability, fixed before${own}`;
}

/** @param {Evaluation} result @returns {Block[]} */
export const checklist = (result) => [
  { type: 'heading', level: 2, text: 'Checklist' },
  {
    type: 'text',
    text:
      'What this evaluation says on items of STARD-AI (2025), TRIPOD+AI (2024) and CLAIM 2024 (numbers of the items).' +
      ' "Not known" marks what only the people who collected the films can answer.',
  },
  {
    type: 'table',
    head: ['item', 'STARD-AI', 'TRIPOD+AI', 'CLAIM', 'answer'],
    rows: items(result).map(({ item, stard, tripod, claim, answer }) => [item, stard, tripod, claim, answer]),
  },
];
