// usage.mjs - preloaded into a process that is timed: what it has used goes to descriptor 3 as it exits.
import { readFileSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    // Not resourceUsage().maxRSS: on Linux that begins with the parent's.
    const [, peak] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
    writeSync(3, JSON.stringify({ cpuMs: (user + system) / 1000, peakMb: Number(peak) / 1024 }));
  });
}
