// The example of a server, from the packed package: records, limits and errors over HTTP.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/node.mjs';
import { install } from '../package/pack.mjs';

const fixture = (name) => readFileSync(fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'pleura-server-'));
let server, address, engine;

before(async () => {
  install('server', folder);
  server = spawn(process.execPath, ['server.mjs'], {
    cwd: folder,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  address = String((await once(server.stdout, 'data'))[0]).trim();
  engine = await createEngine();
});
after(async () => {
  server.kill();
  await once(server, 'exit');
  rmSync(folder, { recursive: true });
});

/** @param {any} body @param {Record<string, string>} [headers] */
async function send(body, headers = {}) {
  const response = await fetch(`${address}/diagnose`, { method: 'POST', body, headers });
  return { status: response.status, answer: await response.json() };
}

test('a film is answered by its record, whatever type the client names', async () => {
  const film = fixture('grey.jpg');
  const { verdict, bits } = engine.diagnose(film);
  for (const type of ['image/jpeg', 'application/json', 'application/x-www-form-urlencoded']) {
    const { status, answer } = await send(film, { 'content-type': type });
    assert.deepEqual([status, answer.verdict, answer.bits], [200, verdict, bits], type);
    assert.equal(answer.sha256, createHash('sha256').update(film).digest('hex'));
    assert.match(answer.notice, /not a medical device/);
  }
});

test('films sent at once do not mix', async () => {
  const films = ['grey.jpg', 'corners.jpg', 'progressive.jpg', 'grey16.png', 'grey.jpg', 'corners.jpg'].map(fixture);
  const answers = await Promise.all(films.map((film) => send(film)));
  assert.deepEqual(
    answers.map(({ answer }) => answer.bits),
    films.map((film) => engine.diagnose(film).bits),
  );
});

test('what is no film, too large, or sent elsewhere is told, and the server goes on', async () => {
  const cases = [
    [undefined, 422, 'empty-file'],
    ['a letter', 422, 'not-an-image'],
    [fixture('grey.jpg').subarray(0, 900), 422, 'image-damaged'],
    [Buffer.alloc(33e6 + 1e6), 413, 'file-too-large'],
  ];
  for (const [body, status, code] of cases) {
    const { status: got, answer } = await send(body);
    assert.deepEqual([got, answer.code], [status, code]);
    assert.match(answer.message, /^[A-Z].*\.$/);
  }
  assert.equal((await fetch(`${address}/`)).status, 404);
  assert.equal((await send(fixture('grey.jpg'))).status, 200);
});
