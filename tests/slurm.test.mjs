// The example for Slurm: an array on a cluster of two nodes, started on this machine, of which one dies on the way.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { environment, examples, killOne, needs, until, whole } from './cluster.mjs';
import { folder, pleura } from './command.mjs';

const SHARDS = 6;
const NODES = ['one', 'two'];
const home = mkdtempSync('/tmp/slurm-'); // A socket's path must be short.
const daemons = [];
const env = environment({ SLURM_CONF: join(home, 'slurm.conf') });

after(async () => {
  await Promise.all(daemons.reverse().map(async (daemon) => {
    if (daemon.exitCode !== null || daemon.signalCode !== null) return;
    daemon.kill();
    await once(daemon, 'exit');
  }));
  rmSync(home, { recursive: true, force: true });
});

/** @returns {Promise<number[]>} */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => server.listening || once(server, 'listening')));
  const ports = servers.map((server) => /** @type {any} */ (server.address()).port);
  await Promise.all(servers.map((server) => { server.close(); return once(server, 'close'); }));
  return ports;
}

/** @param {string} program @param {string[]} args */
function daemon(program, args) {
  const running = spawn(`/usr/sbin/${program}`, args, { env, stdio: 'ignore' });
  daemons.push(running);
  return running;
}

const ask = (program, ...args) => spawnSync(program, args, { cwd: folder, env, encoding: 'utf8' }).stdout.trim();

/** munge, the controller and the nodes. @returns {Promise<import('node:child_process').ChildProcess[]>} the daemons of the nodes */
async function startCluster() {
  const at = (name) => join(home, name);
  for (const name of ['state', 'munge', ...NODES]) mkdirSync(at(name));
  chmodSync(at('munge'), 0o711);
  writeFileSync(at('munge/key'), randomBytes(1024), { mode: 0o600 });
  const [control, ...ports] = await freePorts(1 + NODES.length);
  writeFileSync(env.SLURM_CONF, `ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=${control}
SlurmUser=${userInfo().username}
SlurmdUser=${userInfo().username}
AuthInfo=socket=${at('munge/socket')},cred_expire=5
StateSaveLocation=${at('state')}
SlurmdSpoolDir=${home}/%n
SlurmctldPidFile=${at('control.pid')}
SlurmdPidFile=${home}/%n.pid
SlurmctldLogFile=${at('control.log')}
SlurmdLogFile=${home}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SlurmdTimeout=5
ReturnToService=2
MailProg=/bin/true
${NODES.map((name, i) => `NodeName=${name} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${ports[i]} CPUs=1`).join('\n')}
PartitionName=all Nodes=${NODES.join(',')} Default=YES State=UP
`);
  daemon('munged', ['--foreground', '--force', `--key-file=${at('munge/key')}`, `--socket=${at('munge/socket')}`, `--pid-file=${at('munge/pid')}`,
    `--log-file=${at('munge/log')}`, `--seed-file=${at('munge/seed')}`]);
  await until(() => existsSync(at('munge/socket')), 'no answer from munged');
  daemon('slurmctld', ['-D']);
  const nodes = NODES.map((name) => daemon('slurmd', ['-D', '-N', name]));
  await until(() => ask('sinfo', '--noheader', '--states=idle', '--format=%D') === String(NODES.length), 'the nodes are not idle');
  return nodes;
}

test('an array on two nodes gives the bytes of one machine, though a process is killed and then a node dies', async () => {
  for (const program of ['slurmctld', 'slurmd', 'munged', 'sbatch']) needs(program);
  const nodes = await startCluster();
  const job = ask('sbatch', '--parsable', `--array=1-${SHARDS}`, join(examples, 'slurm/diagnose.sbatch'), 'films', 'results');
  assert.match(job, /^\d+$/);
  await killOne(join(folder, 'results'));
  const running = () => ask('squeue', '--noheader', '--states=running', '--nodelist=one', '--format=%A');
  await until(running, 'no task on node one');
  nodes[0].kill('SIGKILL');
  const steps = spawnSync('pgrep', ['-f', `slurmstepd: \\[${running().split('\n')[0]}\\.`], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean);
  for (const step of steps) process.kill(-Number(spawnSync('ps', ['-o', 'pgid=', '-p', step], { encoding: 'utf8' }).stdout), 'SIGKILL');
  await until(() => ask('squeue', '--noheader') === '', 'the array does not end');
  const shards = Array.from({ length: SHARDS }, (_, i) => join(folder, `results/${i + 1}.jsonl`));
  const { stdout, stderr } = pleura(['merge', ...shards]);
  assert.equal(stderr, '');
  assert.equal(stdout, whole);
  assert.match(readFileSync(join(home, 'control.log'), 'utf8'), /[Rr]equeue/);
});
