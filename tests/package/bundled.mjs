// What the tests of bundled programs share: films for them, the files that a bundle needs beside it, and what it prints.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createEngine } from '../../src/node.mjs';
import { folder, root } from '../cli/command.mjs';
import { dicomFile } from '../dicom/file.mjs';
import { png } from '../image/png.mjs';
import { codedBy } from '../support/dcmtk.mjs';

const engine = await createEngine();
engine.phantom();
const { data: pixels, width, height } = engine.film(640);
const uncompressed = dicomFile({ width, height, pixels });
/** One film in every form that needs another part of the package: by its name. */
const FILMS = {
  'film.png': png({ width, height, depth: 8 }, (x, y) => [pixels[y * width + x]]),
  'jpeg-ls.dcm': codedBy(['dcmcjpls'], uncompressed),
  'jpeg-2000.dcm': codedBy(['gdcmconv', '--j2k'], uncompressed),
};
export const films = Object.entries(FILMS).map(([name, bytes]) => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
});
/** What the program prints when all is there: the film on an engine, then each film on a thread. */
export const answers = Array.from({ length: 1 + films.length }, () => engine.diagnose(FILMS['film.png']).bits);

const codecs = ['charls', 'openjpeg'].map(
  (name) => `node_modules/@cornerstonejs/codec-${name}/dist/${name}wasm_decode.wasm`,
);
const engineFiles = ['build/pleura.wasm', 'build/pleura.dot.wasm', 'model/pleura.gguf'].flatMap((path) => [
  path,
  `${path}.sha256`,
]);

/** Copies files of the repository beside a program. @param {string} program  its folder @param {string[]} paths */
const copyBeside = (program, paths) => paths.forEach((path) => cpSync(join(root, path), join(program, basename(path))));
/** @param {string} program  its folder */
export const copyEngine = (program) => copyBeside(program, engineFiles);
/** @param {string} program  its folder */
export const copyCodecs = (program) => copyBeside(program, codecs);

/** A new folder, far from any installed package. */
export const deployed = () => mkdtempSync(join(folder, 'deployed-'));

/** The lines that a program prints about the films. @param {string} command @param {string[]} args */
export const run = (command, ...args) =>
  spawnSync(command, [...args, ...films], { cwd: folder, encoding: 'utf8' })
    .stdout.trim()
    .split('\n');
