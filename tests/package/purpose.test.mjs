// The first lines of package, README and page promise nothing that the model card rules out.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (name) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

test('no first line promises a use that the model card rules out, and each says what Pleura is for', () => {
  const [, ruledOut] = /^\*\*Not for\*\* (.+?) of patients\./m.exec(read('model/card.md')) ?? [];
  assert.equal(ruledOut, 'diagnosis, triage or screening');
  const readme = read('README.md');
  const promises = {
    'package.json': JSON.parse(read('package.json')).description,
    'README.md': readme.slice(0, readme.indexOf('\n## ')),
    'web/manifest.webmanifest': JSON.parse(read('web/manifest.webmanifest')).description,
  };
  for (const [name, promise] of Object.entries(promises)) {
    assert.doesNotMatch(promise, /triage|screen(s|ing)?\b|diagnos/i, name);
    assert.match(promise, /research/i, name);
    assert.match(promise, /not a medical device/i, name);
  }
});
