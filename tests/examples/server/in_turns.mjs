// in_turns.mjs - reads the bodies of requests a few chunks at a time, so that hundreds of large films that arrive at once
// delay nobody else. Node would read up to two megabytes of each before it looks at any other connection.

/** Chunks of 64 KB in each turn of the event loop. */
export const PER_TURN = 8;

/** @type {(() => void)[]} */
const waiting = [];

function continueSome() {
  for (const resume of waiting.splice(0, PER_TURN)) resume();
  if (waiting.length) setImmediate(continueSome);
}

/** A middleware: pauses a request after each chunk until it is its turn. It comes before the one that reads the body. */
export function inTurns(request, response, next) {
  request.on('data', () => {
    request.pause();
    if (waiting.push(() => request.resume()) === 1) setImmediate(continueSome);
  });
  next();
}
