// Preloaded into a timed process: writes the resources it has used to descriptor 3 when it exits.
import { readFileSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    // resourceUsage().maxRSS would begin with the parent's on Linux.
    const [, peak] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
    writeSync(3, JSON.stringify({ cpuMs: (user + system) / 1000, peakMb: Number(peak) / 1024 }));
  });
}
