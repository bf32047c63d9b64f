// Why a DICOM file cannot be read. No text from the file goes into a message: it could name the patient.
import { PleuraError } from '../errors.mjs';

/** Messages that are the same for every file. @type {{ [code: string]: string }} */
const SENTENCES = {
  'dicom-damaged': 'This DICOM file is damaged or incomplete. Export it again from its source.',
  'dicom-index': 'This is the DICOMDIR of a disc, not a film. Pass the folders next to it instead.',
};

/** Every code of this wing. */
export const CODES = ['dicom-damaged', 'dicom-index', 'dicom-unsupported', 'dicom-not-a-film'];

/** @param {string} code  one of CODES @param {string} [message]  required unless SENTENCES has one */
export const dicomError = (code, message) => new PleuraError(code, -1, message ?? SENTENCES[code]);

/** Something is missing, cut off or contradicts itself. */
export const damaged = () => dicomError('dicom-damaged');

/** @param {string} what  a noun phrase of ours */
export const unsupported = (what) =>
  dicomError(
    'dicom-unsupported',
    `Pleura does not support DICOM files with ${what}. Export the film uncompressed or as JPEG Lossless.`,
  );

/** The file is whole, but holds no film. @param {string} content  what it holds instead */
export const notAFilm = (content) =>
  dicomError('dicom-not-a-film', `This DICOM file holds ${content}. Choose the film of the same study.`);
