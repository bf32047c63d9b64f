// The example for Kubernetes: a manifest that says what it must, and its command run as each pod would run it.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { environment, examples, whole } from './cluster.mjs';
import { folder, pleura } from '../cli/command.mjs';

const manifest = join(examples, 'kubernetes/job.yaml');
const job = JSON.parse(
  spawnSync('/usr/bin/python3', ['-c', 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))'], {
    input: readFileSync(manifest),
    encoding: 'utf8',
  }).stdout,
);
const { spec: pod } = job.spec.template;
const [container] = pod.containers;

test('the manifest is an Indexed Job with as many pods as shards, and writes only where it may', () => {
  assert.deepEqual(
    [job.apiVersion, job.kind, job.spec.completionMode, pod.restartPolicy],
    ['batch/v1', 'Job', 'Indexed', 'Never'],
  );
  const values = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
  assert.equal(values.SHARDS, String(job.spec.completions));
  const mounts = Object.fromEntries(
    container.volumeMounts.map(({ name, mountPath, readOnly }) => [mountPath, { name, readOnly }]),
  );
  assert.equal(mounts[values.FILMS].readOnly, true);
  assert.notEqual(mounts[values.RESULTS].readOnly, true);
  assert.deepEqual(
    pod.volumes.map(({ name }) => name).sort(),
    Object.values(mounts)
      .map(({ name }) => name)
      .sort(),
  );
});

test('its pods give the bytes of one machine, though one is killed and started again and one runs twice at once', async () => {
  const results = join(folder, 'results');
  mkdirSync(results);
  const [program, ...args] = container.command;
  const start = (index) => {
    const run = spawn(program, args, {
      cwd: folder,
      stdio: 'ignore',
      env: environment({
        SHARDS: String(job.spec.completions),
        FILMS: 'films',
        RESULTS: results,
        JOB_COMPLETION_INDEX: String(index),
        HOSTNAME: `pleura-${index}`,
      }),
    });
    return once(run, 'exit').then(([status]) => status);
  };
  const killed = start(0);
  assert.equal(await killed, 1, 'a pod that was killed has failed');
  for (let index = 0; index < job.spec.completions; index++)
    assert.deepEqual(await Promise.all(index ? [start(index)] : [start(0), start(0)]), index ? [0] : [0, 0]);
  const shards = readdirSync(results)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => join(results, name));
  assert.equal(shards.length, job.spec.completions);
  assert.equal(pleura(['merge', ...shards]).stdout, whole);
});
