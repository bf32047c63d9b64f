// words.mjs: every sentence that the page composes, in one place
/** @typedef {{code: string, message: string}} Problem */

const percentFormat = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0 });
const preciseFormat = new Intl.NumberFormat('en', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

export const percent = (share) => percentFormat.format(share);
export const precise = (share) => preciseFormat.format(share);

const labels = { covid: 'COVID-19', pneumonia: 'Pneumonia', normal: 'Normal' };
const likeness = {
  covid: 'Of the three classes, this film is most like those of people who had COVID-19.',
  pneumonia: 'Of the three classes, this film is most like those of people with another pneumonia.',
  normal: 'Of the three classes, this film is most like those read as normal. That does not rule out disease.',
};
const statuses = { waiting: 'Waiting', running: 'Reading…', cancelled: 'Cancelled', error: 'Not read' };

/** A label of the model in words; an unknown label stays as it is. */
export const labelWord = (label) => labels[label] ?? label;

/** One or two words for a film in a list. */
export function filmWord(film) {
  if (film.status !== 'done') return statuses[film.status];
  if (film.record.verdict === 'uncertain') return 'Uncertain';
  if (film.record.verdict === 'refused') return 'Refused';
  return labelWord(film.record.verdict);
}

/** The sentence under the verdict. */
export function because(film, model) {
  if (film.status === 'error') return film.problem.message;
  if (film.status === 'cancelled') return 'This film was not read because you cancelled.';
  if (film.status !== 'done') return 'The result appears here as soon as the engine has read the film.';
  const { verdict, gate } = film.record;
  if (verdict === 'refused') return gate.message ?? 'This does not look like a frontal chest film that the model knows.';
  if (verdict === 'uncertain') {
    return Number.isFinite(model.certain)
      ? `No class reaches ${percent(model.certain)}, the least that this model asks for before it answers.`
      : 'The three classes are too close to each other for an answer.';
  }
  return likeness[verdict] ?? `Of its classes, the model finds this film most like “${verdict}”.`;
}

/** The gate's word and its reason: is this a film that the model may judge? */
export function gateWords(record) {
  if (!record.gate.accepted) {
    return ['Refused by the gate.', 'No probabilities are shown: for such an image they would mean nothing.'];
  }
  const score = Number.isFinite(record.gate.score)
    ? ` Of 100 good films held back from training, ${Math.round(record.gate.score * 100)} lie farther from the usual than this one.` : '';
  return ['Accepted by the gate.', `A frontal chest film such as the model knows.${score}`];
}

export const legend = (record) =>
  `Where the evidence for “${labelWord(strongest(record.probability))}” lies, from weak (violet) to strong (yellow).`;

/** The label with the largest probability. */
export const strongest = (probability) =>
  Object.keys(probability).reduce((best, label) => (probability[label] > probability[best] ? label : best));

/** What a screen reader hears when a film is finished. */
export function announce(film, model) {
  if (film.status === 'error') return `${film.name}: not read. ${film.problem.message}`;
  const { verdict, probability } = film.record;
  const share = verdict in probability ? `, ${percent(probability[verdict])}` : '';
  return `${film.name}: ${filmWord(film)}${share}. ${because(film, model)}`;
}

export const loading = (received, total) => `Loading the model: ${megabytes(received)} of ${megabytes(total)} MB`;
export const starting = 'Checking the model and testing the engine…';
export const reading = (finished, total) => (total === 1 ? 'Reading the film…' : `Reading film ${finished + 1} of ${total}`);
export const finished = (count) => `All ${count} films are finished.`;
export const stage = { waiting: 'Waiting…', running: 'Reading…', error: 'No picture: the file could not be read', cancelled: 'Cancelled',
  done: 'Select this film again to see it' };
export const picture = (film) =>
  `${film.name} as the engine saw it${film.record.verdict === 'refused' ? '' : `, with the lung outline and the heatmap that can be drawn over it`}`;
export const decoders = { dicom: 'Pleura’s own with its DICOM codecs, the same everywhere', stb: 'Pleura’s own (stb_image), the same everywhere', browser: 'this browser’s, so another browser may give other bits' };
export const phantomName = 'Synthetic phantom';

const altered = (what) => `${what} that arrived is not the one this page was built with: its SHA-256 differs, so it was damaged or `
  + 'replaced on the way. Nothing of it was used. Try again; if it stays so, tell whoever runs this site.';
const missing = (what) => `${what} could not be fetched from this site. If the page has been open for long, reload it, because the `
  + 'site may have a newer version; otherwise the site is incomplete: tell whoever runs it.';

const offline = (what) => `The connection broke off before ${what} had arrived. It is not stored on this device, or no longer, and must be `
  + 'fetched from this site: check the connection, then try again.';

/** Failures of the page itself; those of the engine bring their own sentence. @type {Record<string, string>} */
const problems = {
  'wasm-missing': missing('The engine'),
  'weights-missing': missing('The file of weights'),
  'wasm-altered': altered('The engine'),
  'weights-altered': altered('The file of weights'),
  'worker-missing': missing('The part of the page that computes'),
  'wasm-offline': offline('the engine'),
  'weights-offline': offline('the file of weights'),
  'codec-missing': missing('The decoder of this kind of DICOM file'),
  'codec-altered': altered('The decoder of this kind of DICOM file'),
  'codec-offline': offline('the decoder of this kind of DICOM file'),
  'dicom-missing': missing('The part of the page that reads DICOM'),
  'no-simd': 'This browser cannot run WebAssembly with SIMD, which Pleura needs. Use a current version of Chrome, Edge, Firefox or '
    + 'Safari (16.4 or newer), and switch off any lockdown mode for this site.',
  'worker-died': 'The engine stopped while it read this file and was started again; the other films are not affected. Try this one '
    + 'again; if it happens twice, save the film as an ordinary PNG.',
  'file-unreadable': 'The file could not be read from this device: it may have been moved, changed, or be a folder. Choose it again.',
  'file-too-large': 'The file is larger than 256 MB, which no chest film is. Export the film as an ordinary PNG or JPEG.',
};

/** @param {string} code  @param {unknown} [cause]  @returns {Error & Problem} */
export const problem = (code, cause) => Object.assign(new Error(problems[code], { cause }), { code });

/** Any thrown thing as a sentence; an unforeseen one is shown with what it says. @returns {Problem} */
export function toProblem(error) {
  if (typeof error?.code === 'string') return { code: error.code, message: error.message };
  return { code: 'unexpected', message: `Something unforeseen went wrong (${error?.message || error}). Try again, or reload the page.` };
}

const joined = new Intl.ListFormat('en');
const part = (url) => (/\.gguf$/.test(url) ? 'the file of weights' : /\.wasm$/.test(url) ? 'the engine' : 'a part of the page');
const parts = (urls) => joined.format([...new Set(urls.map(part))]);

/** What is kept on this device for use without a network. @param {import('./offline.mjs').Kept} kept */
export function kept({ complete, lost, mended }) {
  if (!complete) return `Not ready to work offline: ${parts(lost)} must be fetched again, because this device no longer holds it whole. Connect to the network, then choose “Fetch again”.`;
  if (mended.length > 0) return `Ready to work offline: ${parts(mended)} had been lost or altered on this device and was fetched again.`;
  return 'Ready to work offline';
}

/** @param {{update: string, films: unknown[]}} state */
export function update({ update, films }) {
  if (update === 'entering') return 'Reloading…';
  return `Update available.${films.length > 0 ? ' Save your results first: reloading clears this page.' : ''}`;
}

export const modelLine = (model) => `${model.label}, licence ${model.license}. ${model.summary ?? ''}`.trim();
