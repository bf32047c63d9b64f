// constants.d.ts: what build.mjs writes in place of these names.
import type { Card } from './card.mjs';

/** A file of the site; its name carries the hash of its content. */
export interface Part {
  file: string;
  bytes: number;
  sha256: string;
}

/** The parts of the site that only some DICOM files need. */
export interface DicomParts {
  module: string;
  charls: Part;
  openjpeg: Part;
}

/** An example film with what its licence asks to be shown. */
export interface Example {
  file: string;
  /** as `fetch` wants it */
  integrity: string;
  /** of the file at its source */
  name: string;
  /** the diagnosis that its source gives: a label of the model */
  label: string;
  license: string;
  licenseUrl: string;
  attribution: string;
  /** in size */
  reduced: boolean;
}

export interface Site {
  worker: string;
  wasm: Part;
  weights: Part;
  words: Record<string, string>;
  dicom: DicomParts;
  card: Card;
  examples: Example[];
}

declare global {
  const SITE: Site;
  /** For the service worker: every file of the site, and the version of the page. */
  const FILES: { url: string; revision: string | null; integrity: string }[];
  const VERSION: string;
}
