// examples.mjs: the films that the page may offer as examples, of those in model/samples/samples.json.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** @typedef {object} Sample  an entry of samples.json
 *  @property {string} name  of the file
 *  @property {string} label  in its source
 *  @property {string} split
 *  @property {string} sha256
 *  @property {string} localSha256  of a copy that is reduced in size
 *  @property {string} license
 *  @property {string} [licenseUrl]
 *  @property {string} attribution  author and source */

/** Reads the films that are there, that anybody may pass on with the author's name, and that did not train the model. A
 *  licence without an address has no known version, so it cannot be named as it demands.
 *  @param {string} list  samples.json  @param {string} folder  of the films */
export async function readExamples(list, folder) {
  /** @type {Sample[]} */
  const samples = JSON.parse(await readFile(list, 'utf8'));
  const examples = [];
  for (const { name, label, split, sha256, localSha256, license, licenseUrl, attribution } of samples) {
    if (split !== 'test' || !/^CC BY \d/.test(license) || !licenseUrl) continue;
    const bytes = await readFile(`${folder}/${name}`).catch(() => null); // without a network there may be none
    const found = bytes && createHash('sha256').update(bytes).digest('hex');
    if (!bytes || (found !== sha256 && found !== localSha256)) continue;
    examples.push({ bytes, credit: { name, label, license, licenseUrl, attribution, reduced: found !== sha256 } });
  }
  return examples;
}
