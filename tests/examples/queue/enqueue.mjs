// Puts the shards of a folder into the queue, waits until workers have done all, merges: node enqueue.mjs FILMS SHARDS RESULTS
import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Queue, QueueEvents } from 'bullmq';

const [films, shards, results] = [process.argv[2], Number(process.argv[3]), resolve(process.argv[4])];
const connection = { url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' };
const queue = new Queue('pleura', { connection });
const events = new QueueEvents('pleura', { connection });
mkdirSync(results, { recursive: true });

// A job that is known by its name is not added twice: this program itself can be killed and started again.
const jobs = await queue.addBulk(
  Array.from({ length: shards }, (_, i) => ({
    name: 'shard',
    data: { films: resolve(films), shard: i + 1, of: shards, results },
    opts: { jobId: `${results}-${i + 1}-of-${shards}`, attempts: 5, backoff: { type: 'exponential', delay: 1000 } },
  })),
);
await Promise.all(jobs.map((job) => job.waitUntilFinished(events)));
await Promise.all([events.close(), queue.close()]);

const files = jobs.map((_, i) => join(results, `${i + 1}.jsonl`));
process.exitCode = spawnSync('pleura', ['merge', ...files], {
  stdio: ['ignore', openSync(join(results, 'all.jsonl'), 'w'), 'inherit'],
}).status;
