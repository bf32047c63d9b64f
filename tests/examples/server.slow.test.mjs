// The example of a server, from the packed package: records, limits and errors over HTTP.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { createEngine } from '../../src/node.mjs';
import { inTurns, PER_TURN } from './server/in_turns.mjs';
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

/** Times health checks, one after the other, on a thread of its own until it is told to end. */
const WATCH = `const { parentPort, workerData } = require('node:worker_threads');
  let going = true;
  parentPort.once('message', () => (going = false));
  (async () => {
    const times = [];
    while (going) {
      const start = performance.now();
      await (await fetch(workerData + '/health')).arrayBuffer();
      times.push(performance.now() - start);
    }
    parentPort.postMessage(times);
  })();`;
const at = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))];

test('while many films wait, a health check does not', async () => {
  const films = ['grey.jpg', 'corners.jpg', 'progressive.jpg', 'grey16.png'].map(fixture),
    expected = films.map((film) => engine.diagnose(film).bits);
  const watch = new Worker(WATCH, { eval: true, workerData: address });
  const waits = [];
  await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const start = performance.now(),
        { answer } = await send(films[i % films.length]);
      waits.push(performance.now() - start);
      assert.equal(answer.bits, expected[i % films.length]);
    }),
  );
  watch.postMessage('end');
  const [health] = await once(watch, 'message');
  const [check, film] = [at(health, 0.9), at(waits, 0.5)];
  assert.ok(health.length > 20 && check < film / 10, `${check} and ${film} ms`);
});

test('bodies are read a few chunks in each turn of the event loop', async () => {
  let turns = 0,
    chunks = 0,
    most = 0;
  const count = () => {
    [turns, chunks] = [turns + 1, 0];
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  const bodies = Array.from({ length: 5 * PER_TURN }, () => new PassThrough());
  const read = bodies.map(async (body) => {
    inTurns(body, null, () => {});
    body.on('data', () => (most = Math.max(most, ++chunks)));
    for (let i = 0; i < 4; i++) body.write('chunk');
    body.end();
    await once(body, 'end');
  });
  await Promise.all(read);
  clearImmediate(counting);
  assert.ok(most <= bodies.length && turns >= (bodies.length * 3) / PER_TURN, `${turns} turns, up to ${most} chunks`);
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
