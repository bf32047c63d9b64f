// Where the time of one film goes, measured through the engine's own functions.
import { createHash } from 'node:crypto';

/** @param {() => void} work @returns {number} ms */
function time(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** Decodes a film and fills the input of a graph as a diagnosis does. */
function prepare(engine, film, graph) {
  for (const _ of engine.activations(film, graph)) return;
}

/**
 * What is measured of one film, in ms.
 * @param {any} engine @param {Uint8Array} film
 */
export function measureFilm(engine, film) {
  const layers = engine.profile(1),
    network = (graph) => layers.filter((layer) => layer.graph === graph).reduce((sum, { ms }) => sum + ms, 0);
  return {
    'decode, shrink': time(() => prepare(engine, film, 'lungs')),
    'lungs network': network('lungs'),
    'up to the crop': time(() => prepare(engine, film, 'diagnosis')),
    'diagnosis network': network('diagnosis'),
    'all of a film': time(() => engine.diagnose(film)),
    'its SHA-256': time(() => createHash('sha256').update(film).digest()),
  };
}

/**
 * The steps of a film one after the other, from the least of what was measured.
 * @param {Record<string, number>[]} rounds @returns {Record<string, number>}
 */
export function stepsOf(rounds) {
  const [decode, lungs, cropped, diagnosis, whole, hash] = Object.keys(rounds[0]).map((name) =>
    Math.min(...rounds.map((round) => round[name])),
  );
  return {
    'decode, shrink': decode,
    'lungs network': lungs,
    'find lungs, crop': cropped - decode - lungs,
    'diagnosis network': diagnosis,
    'maps, gate, bits': whole - cropped - diagnosis,
    'all of a film': whole,
    'its SHA-256': hash,
  };
}
