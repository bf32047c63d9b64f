// The example for GNU parallel over two hosts, both of them a real sshd on this machine, with a process killed on the way.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { environment, examples, freePort, needs, starts, until, whole } from './cluster.mjs';
import { folder } from '../cli/command.mjs';

/** An ssh server of our own, with keys of its own. @returns {Promise<string>} the configuration for its clients */
async function startSsh() {
  const home = join(folder, 'ssh');
  mkdirSync(home);
  for (const key of ['host', 'user']) spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(home, key)]);
  const port = await freePort();
  writeFileSync(
    join(home, 'sshd'),
    `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${home}/host\nAuthorizedKeysFile ${home}/user.pub
UsePAM no\nStrictModes no\nPidFile none\nPasswordAuthentication no\nMaxStartups 100\nMaxSessions 100\nSetEnv PATH="${environment().PATH}"\n`,
  );
  const client = join(home, 'client');
  writeFileSync(
    client,
    `Host one two\n  HostName 127.0.0.1\n  Port ${port}\n  User ${userInfo().username}\n  IdentityFile ${home}/user
  UserKnownHostsFile ${home}/known\n  StrictHostKeyChecking no\n  LogLevel ERROR\n`,
  );
  if (process.getuid() === 0) mkdirSync('/run/sshd', { recursive: true });
  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(home, 'sshd')], { stdio: 'ignore' });
  after(() => server.kill());
  await until(() => spawnSync('ssh', ['-F', client, 'one', 'true']).status === 0, 'no answer from sshd');
  return client;
}

test('two hosts give the bytes of one machine, though a process is killed', async () => {
  for (const program of ['parallel', 'sshd', 'ssh']) needs(program);
  const client = await startSsh();
  const run = spawn(join(examples, 'parallel/diagnose.sh'), ['2/one,2/two', '5', 'films', 'results'], {
    cwd: folder,
    env: environment({ PARALLEL_SSH: `ssh -F ${client}`, PARALLEL_HOME: join(folder, 'parallel') }),
  });
  let stderr = '';
  run.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = once(run, 'close');
  const [status] = await ended;
  assert.equal(status, 1, `that of the broken film: ${stderr}`);
  assert.equal(readFileSync(join(folder, 'results/all.jsonl'), 'utf8'), whole);
  assert.equal(starts(), 5 + 1 + 1, 'five shards, one of them twice, and the merging');
});
