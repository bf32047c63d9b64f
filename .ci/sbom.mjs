// sbom.mjs - prints the parts of others that ship, in CycloneDX 1.6: the dependencies of package-lock.json, and the rows
// of THIRD_PARTY.md, which a test compares with what is bundled.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rows } from './third_party.mjs';

const read = (path) => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8');
const { name, version, license } = JSON.parse(read('package.json'));
const { packages } = JSON.parse(read('package-lock.json'));

/** Names of licences that are not SPDX expressions in the table. */
const EXPRESSIONS = { 'MIT or public domain': 'MIT OR Unlicense' };

/** Where a part ships, by the columns of the table. */
const PLACES = ['npm package', 'page', 'pleura.wasm and libpleura'];

/** @param {string} hash  as in a lock, "sha512-" and base64 */
const hashOf = (hash) => ({
  alg: 'SHA-512',
  content: Buffer.from(hash.slice('sha512-'.length), 'base64').toString('hex'),
});

const components = rows.map(([part, release, licence, ...places]) => {
  const locked = packages[`node_modules/${part}`];
  const purl = locked && `pkg:npm/${part.replace('@', '%40')}@${release}`;
  return {
    type: 'library',
    'bom-ref': purl ?? `${part}@${release}`,
    name: part,
    version: release,
    licenses: [{ expression: EXPRESSIONS[licence] ?? licence }],
    ...(locked && { purl, hashes: [hashOf(locked.integrity)] }),
    properties: PLACES.flatMap((place, i) =>
      places[i] ? [{ name: 'pleura:ships-in', value: `${place}: ${places[i]}` }] : [],
    ),
  };
});

/** The references to those of the parts that ship. A bundler leaves out a part of which nothing is used. */
const refsOf = (parts) =>
  components.filter((component) => parts.includes(component.name)).map((component) => component['bom-ref']);
const root = `pkg:npm/${name}@${version}`;
const needs = components.map((component) => ({
  ref: component['bom-ref'],
  dependsOn: refsOf(Object.keys(packages[`node_modules/${component.name}`]?.dependencies ?? {})),
}));
/** The parts that only other parts need are listed with those. */
const indirect = new Set(needs.flatMap(({ dependsOn }) => dependsOn));

const bom = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  metadata: {
    component: { type: 'application', 'bom-ref': root, name, version, purl: root, licenses: [{ expression: license }] },
  },
  components,
  dependencies: [{ ref: root, dependsOn: needs.map(({ ref }) => ref).filter((ref) => !indirect.has(ref)) }, ...needs],
};
console.log(JSON.stringify(bom, null, 2));
