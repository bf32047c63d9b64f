// program.mjs - diagnoses a film on an engine of its own, then films on a thread of a pool, and prints the bits.
//
//   node program.mjs film.png film.dcm
import { readFileSync } from 'node:fs';
import { createEngine, createPool } from 'pleura';

const explain = ({ code, message }) => console.log(`${code}: ${message}`);

async function main() {
  const [film, ...more] = process.argv.slice(2).map((path) => readFileSync(path));
  const engine = await createEngine();
  console.log(engine.diagnose(film).bits);
  const pool = await createPool({ threads: 1 });
  for (const one of [film, ...more]) await pool.diagnose(one).then(({ bits }) => console.log(bits), explain);
  await pool.close();
}
main().catch(explain);
