// The example for a queue: BullMQ on a real Redis, two workers, one of which dies in the middle of a shard.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { environment, examples, freePort, needs, until } from './cluster.mjs';
import { folder, pleura } from '../cli/command.mjs';

const SHARDS = 6;
const queue = join(examples, 'queue');
const results = join(folder, 'results');
const started = [];
after(() =>
  Promise.all(
    started.map((child) => {
      child.kill('SIGKILL');
      return child.ended;
    }),
  ),
);

/** @param {string} program @param {string[]} args @param {Record<string, string>} [more] */
function start(program, args, more) {
  const child = spawn(program, args, { cwd: folder, env: environment(more), stdio: ['ignore', 'ignore', 'pipe'] });
  started.push(child);
  child.ended = once(child, 'exit').then(([status]) => status);
  child.stderr.setEncoding('utf8').on('data', (text) => {
    child.said = (child.said ?? '') + text;
  });
  return child;
}

test('a queue gives the bytes of one machine, though a worker dies in a shard, and the jobs are put into it twice', async () => {
  needs('redis-server');
  const port = await freePort();
  mkdirSync(join(folder, 'redis'));
  start('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', join(folder, 'redis')]);
  await until(
    () => spawnSync('redis-cli', ['-p', String(port), 'ping'], { encoding: 'utf8' }).stdout === 'PONG\n',
    'no answer from Redis',
  );
  const more = { REDIS_URL: `redis://127.0.0.1:${port}`, PATIENCE_MS: '2000' };
  const enqueue = () => start(process.execPath, [join(queue, 'enqueue.mjs'), 'films', String(SHARDS), 'results'], more);
  const worker = () => start(process.execPath, [join(queue, 'worker.mjs')], more);

  const first = enqueue(),
    dying = worker();
  const done = () => existsSync(results) && readdirSync(results).filter((name) => name.endsWith('.jsonl')).length;
  await until(() => done() >= 1 && readdirSync(results).some((name) => name.endsWith('.part')), 'no shard is done');
  dying.kill('SIGKILL');
  await dying.ended;
  assert.ok(done() < SHARDS, 'it had more to do');
  const second = worker();
  const again = enqueue(); // Whoever asks twice gets the same.
  assert.deepEqual(
    [await first.ended, await again.ended],
    [1, 1],
    `that of the broken film: ${first.said}${second.said}`,
  );
  assert.equal(readFileSync(join(results, 'all.jsonl'), 'utf8'), pleura([join(folder, 'films')]).stdout);
});
