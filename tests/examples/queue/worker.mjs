// Takes shards from the queue until it is stopped; any number of workers, on any machines that share the folders.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'bullmq';

/**
 * The queue delivers a shard again when its worker has died, and sometimes when it has not: each try writes a file of its own,
 * which gets its name when its last line says that it is whole. Two tries give the same bytes, so that the last one may win.
 */
async function diagnose({ id, data: { films, shard, of, results } }) {
  const part = join(results, `${shard}.${hostname()}.${process.pid}.part`);
  const file = await open(part, 'w');
  const command = spawn('pleura', [films, '--shard', `${shard}/${of}`, '--jobs', '1'], {
    stdio: ['ignore', file.fd, 'inherit'],
  });
  await once(command, 'exit'); // Status 1 is that of a film that cannot be read, too, which is an answer.
  await file.close();
  const lastLine = (await readFile(part, 'utf8')).trimEnd().split('\n').at(-1);
  if (!lastLine.includes('"records"')) throw new Error(`${id} ended before its time`);
  await rename(part, join(results, `${shard}.jsonl`));
}

/** A worker that has not been heard of for so long is dead, and its shard goes to another. */
const patience = Number(process.env.PATIENCE_MS ?? 30_000);

new Worker('pleura', diagnose, {
  connection: { url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' },
  lockDuration: patience,
  stalledInterval: patience,
  maxStalledCount: 5,
});
