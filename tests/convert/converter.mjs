// The converter without its second of start-up: one Python, which forks for each conversion (forks.py).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PYTHON = '/usr/bin/python3';

export function startConverter() {
  const python = spawn(PYTHON, [fileURLToPath(new URL('forks.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const replies = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  /** @param {object} request @returns {Promise<{ status: number, said: string }>} */
  async function ask(request) {
    python.stdin.write(`${JSON.stringify(request)}\n`);
    return JSON.parse((await replies.next()).value);
  }
  return {
    /** @param {string[]} argv of `pleura convert` */
    convert: (...argv) => ask({ argv }),
    /** What lines of Python print; throws what they throw. @param {string} script */
    async script(script) {
      const { status, said } = await ask({ script });
      if (status !== 0) throw new Error(said);
      return said;
    },
    async stop() {
      python.stdin.end();
      await once(python, 'exit');
    },
  };
}
