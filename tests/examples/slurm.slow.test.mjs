// The example for Slurm: an array on a cluster of two nodes, started on this machine, of which one dies on the way.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { environment, examples, freePort, needs, until, whole } from './cluster.mjs';
import { folder, pleura } from '../cli/command.mjs';

const SHARDS = 10;
const NODES = ['one', 'two'];
const home = mkdtempSync('/tmp/slurm-'); // A socket's path must be short.
const daemons = [];
const env = environment({ SLURM_CONF: join(home, 'slurm.conf'), HELD: NODES[0] });

after(async () => {
  await Promise.all(
    daemons.reverse().map(async (daemon) => {
      if (daemon.exitCode !== null || daemon.signalCode !== null) return;
      daemon.kill();
      await once(daemon, 'exit');
    }),
  );
  rmSync(home, { recursive: true, force: true });
});

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
  const control = await freePort(),
    ports = [await freePort(), await freePort()];
  writeFileSync(
    env.SLURM_CONF,
    `ClusterName=test
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
SchedulerParameters=sched_min_interval=100000,bf_interval=1
SlurmdTimeout=5
ReturnToService=2
MailProg=/bin/true
${NODES.map((name, i) => `NodeName=${name} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${ports[i]} CPUs=1`).join('\n')}
PartitionName=all Nodes=${NODES.join(',')} Default=YES State=UP
`,
  );
  daemon('munged', [
    '--foreground',
    '--force',
    `--key-file=${at('munge/key')}`,
    `--socket=${at('munge/socket')}`,
    `--pid-file=${at('munge/pid')}`,
    `--log-file=${at('munge/log')}`,
    `--seed-file=${at('munge/seed')}`,
  ]);
  await until(() => existsSync(at('munge/socket')), 'no answer from munged');
  daemon('slurmctld', ['-D']);
  const nodes = NODES.map((name) => daemon('slurmd', ['-D', '-N', name]));
  await until(
    () => ask('sinfo', '--noheader', '--states=idle', '--format=%D') === String(NODES.length),
    'the nodes are not idle',
  );
  return nodes;
}

/** @param {number} pid */
const standsStill = (pid) =>
  spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.startsWith('T');

/** The processes of a node's tasks, each after the daemon of Slurm that watches it. @param {string} node @returns {number[]} */
function processesOf(node) {
  const own = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        return variables.includes(`SLURM_CONF=${env.SLURM_CONF}`) && variables.includes(`SLURMD_NODENAME=${node}`);
      } catch {
        return false; // It has ended meanwhile, or is another's.
      }
    });
  const parents = own.map((pid) =>
    Number(spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }).stdout),
  );
  return [...new Set([...parents.filter((pid) => pid > 1 && pid !== process.pid), ...own])];
}

test('an array on two nodes gives the bytes of one machine, though a process is killed and then a node dies', async () => {
  for (const program of ['slurmctld', 'slurmd', 'munged', 'sbatch']) needs(program);
  const nodes = await startCluster();
  const job = ask(
    'sbatch',
    '--parsable',
    `--array=1-${SHARDS}`,
    join(examples, 'slurm/diagnose.sbatch'),
    'films',
    'results',
  );
  assert.match(job, /^\d+$/);
  const log = () => readFileSync(join(home, 'control.log'), 'utf8');
  await until(() => /Requeuing JobId/.test(log()), 'the task whose process was killed is not queued again');
  let dying = [];
  await until(() => (dying = processesOf(NODES[0])).some(standsStill), `no task stands still on node ${NODES[0]}`);
  for (const pid of [nodes[0].pid, ...dying]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      assert.equal(error.code, 'ESRCH'); // The rest of an earlier task has ended by itself meanwhile.
    }
  }
  await until(() => ask('squeue', '--noheader') === '', 'the array does not end');
  assert.match(log(), /requeue job JobId=\S+ due to failure of node one/i);
  const shards = Array.from({ length: SHARDS }, (_, i) => join(folder, `results/${i + 1}.jsonl`));
  const { stdout, stderr } = pleura(['merge', ...shards]);
  assert.deepEqual([stdout, stderr], [whole, '']);
});
