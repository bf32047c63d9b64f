// server.mjs - answers the record of a film sent to it: curl --data-binary @film.png http://localhost:8080/diagnose
import express from 'express';
import { createPool, PleuraError } from 'pleura';
import { inTurns } from './in_turns.mjs';

const LARGEST = 32; // megabytes of a film
/** The statuses of errors that are not about the film. */
const STATUS = { busy: 503, 'pool-closed': 503, 'engine-not-started': 503, 'engine-stopped': 500, prevalence: 400 };

// Threads compute, so the program always has time for the next request.
const pool = await createPool({ threads: Number(process.env.THREADS) || undefined, maxQueue: 1000 });
const { name, version, notice } = pool.model;
const app = express().disable('x-powered-by');

app.get('/health', (request, response) => {
  response.json({ status: 'ok', waiting: pool.pending, threads: pool.threads });
});

/** A signal that ends the work when the client goes away. */
function whileConnected(response) {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

const body = express.raw({ type: () => true, limit: `${LARGEST}mb` });
app.post('/diagnose', inTurns, body, async (request, response) => {
  const film = request.body ?? new Uint8Array();
  const result = await pool.diagnose(film, { signal: whileConnected(response) });
  response.json({ ...result, model: `${name}-${version}`, notice });
});

app.use((request, response) => {
  response.status(404).json({ code: 'not-found', message: 'Send a film with POST /diagnose.' });
});

app.use((error, request, response, next) => {
  if (response.headersSent) return next(error);
  if (error.name === 'AbortError') return response.end(); // nobody listens any more
  if (error instanceof PleuraError)
    return response.status(STATUS[error.code] ?? 422).json({ code: error.code, message: error.message });
  if (error.type === 'entity.too.large')
    return response.status(413).json({ code: 'file-too-large', message: `The film is larger than ${LARGEST} MB.` });
  if (error.status < 500) return response.status(error.status).json({ code: error.type, message: error.message });
  console.error(error);
  response.status(500).json({ code: 'internal', message: 'The film could not be diagnosed. Try again.' });
});

const server = app.listen(Number(process.env.PORT ?? 8080), 'localhost', (error) => {
  if (error) throw error;
  console.log(`http://localhost:${server.address().port}`);
});
server.requestTimeout = 30_000;

// A container or a supervisor ends the server by this signal; films that wait are still answered.
process.once('SIGTERM', () => server.close(() => pool.close()));
