// main.mjs - the engine in a page: the bundler copies wasm and weights and says where they are.
import { createEngine } from 'pleura';
import wasm from 'pleura/pleura.wasm?url';
import weights from 'pleura/pleura.gguf?url';

const fetched = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer());
const engine = await createEngine({ wasm: await fetched(wasm), weights: await fetched(weights) });

const show = ({ verdict, bits }) => {
  document.querySelector('output').textContent = `${verdict} ${bits}`;
};
show(engine.phantom());
document.querySelector('input').onchange = async ({ target }) => {
  try {
    show(engine.diagnose(new Uint8Array(await target.files[0].arrayBuffer())));
  } catch (error) {
    document.querySelector('output').textContent = error.message;
  }
};
