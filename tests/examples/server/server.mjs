// server.mjs - answers the record of a film sent to it: curl --data-binary @film.png http://localhost:8080/diagnose
import { createHash } from 'node:crypto';
import express from 'express';
import { createEngine, PleuraError } from 'pleura';

const LARGEST = 32; // megabytes of a film

const engine = await createEngine();
const { name, version, notice } = engine.model;
const app = express().disable('x-powered-by');

// An engine diagnoses one film at a time, in about 15 ms; for more, start one process a core.
app.post('/diagnose', express.raw({ type: () => true, limit: `${LARGEST}mb` }), (request, response) => {
  const film = request.body ?? new Uint8Array();
  const { verdict, probability, gate, bits } = engine.diagnose(film);
  response.json({
    verdict,
    probability,
    gate,
    bits,
    sha256: createHash('sha256').update(film).digest('hex'),
    model: `${name}-${version}`,
    notice,
  });
});

app.use((request, response) => {
  response.status(404).json({ code: 'not-found', message: 'Send a film with POST /diagnose.' });
});

app.use((error, request, response, next) => {
  if (response.headersSent) return next(error);
  if (error instanceof PleuraError) return response.status(422).json({ code: error.code, message: error.message });
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
