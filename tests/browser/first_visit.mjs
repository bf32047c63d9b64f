// first_visit.mjs: how long a phone on a slow line waits for the page, at its first visit and at its second:
// node tests/browser/first_visit.mjs [ROUNDS] [SITE...]   (3 rounds of build/site; several sites are visited in turns)
//
// The line is that of Lighthouse's slow 4G: 1.6 Mbit/s, 150 ms for an answer, and as much again for a new connection. It
// lies between the browser and `serve`, so that worker and service worker feel it too. The CPU of the page's thread is
// slowed down four times; the browser offers no such thing for workers.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './site.mjs';

const BYTES_PER_MS = 200;
const DELAY = 75; // in milliseconds, each way
const PACKET = 1460; // bytes
const LATE = 50; // milliseconds by which a busy machine may call, without making the line slower
const CPU = Number(process.env.CPU ?? 4); // times slower; 1 on a machine that other work slows down anyway
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, isMobile: true, hasTouch: true };

const root = fileURLToPath(new URL('../..', import.meta.url));
const [rounds = '3', ...named] = process.argv.slice(2);
const sites = named.length > 0 ? named : [`${root}build/site`];

/** A slow line to a port of this machine. Connections share it packet by packet. */
async function openLine(port) {
  const queues = new Map(); // what has arrived for each connection
  const line = { port: 0, bytes: 0, connections: 0, close: () => server.close() };
  let free = 0; // when the line is free again
  let timer = null;
  const inFlight = []; // in order: timers of different lengths may overtake each other
  function deliver() {
    while (inFlight.length > 0 && inFlight[0].due <= performance.now() + 1) {
      const { socket, packet } = inFlight.shift();
      socket.write(packet);
    }
    if (inFlight.length > 0) setTimeout(deliver, inFlight[0].due - performance.now());
  }
  function send() {
    timer = null;
    for (const [socket, chunks] of queues) {
      const [chunk] = chunks;
      queues.delete(socket); // to the end of the queue
      if (!chunk) continue;
      const packet = chunk.subarray(0, PACKET);
      if (packet.length < chunk.length) chunks[0] = chunk.subarray(PACKET);
      else chunks.shift();
      if (chunks.length > 0) queues.set(socket, chunks);
      free = Math.max(free, performance.now() - LATE) + packet.length / BYTES_PER_MS;
      line.bytes += packet.length;
      inFlight.push({ socket, packet, due: free + DELAY });
      if (inFlight.length === 1) setTimeout(deliver, DELAY);
      if (free > performance.now() + 5) break;
    }
    if (queues.size > 0) timer ??= setTimeout(send, Math.max(0, free - performance.now()));
  }
  const server = createServer(async (socket) => {
    line.connections++;
    const upstream = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ]) {
      one.on('error', () => other.destroy());
      one.on('close', () => setTimeout(() => other.destroy(), 2 * DELAY));
    }
    const opened = performance.now() + 2 * DELAY; // after the handshake
    socket.on('data', (chunk) => {
      setTimeout(() => upstream.write(chunk), Math.max(0, opened - performance.now()) + DELAY); // requests are small
    });
    upstream.on('data', (chunk) => {
      queues.set(socket, [...(queues.get(socket) ?? []), chunk]);
      timer ??= setTimeout(send, 0);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  line.port = server.address().port;
  return line;
}

/** `serve` of a site, behind a slow line. */
async function openSite(folder, i) {
  const child = spawn(process.execPath, [`${root}web/site/serve.mjs`, String(18400 + 50 * i), folder]);
  const [words] = await once(child.stdout, 'data');
  const port = Number(/:(\d+)\//.exec(String(words))[1]);
  // It compresses each file at the first request.
  for (const name of await readdir(folder))
    await (await fetch(`http://127.0.0.1:${port}/${name}`, { headers: { 'accept-encoding': 'br' } })).arrayBuffer();
  return { folder, port, child };
}

/** Runs in the page: notes when the largest text was painted, and when the engine was ready. */
function noteTimes() {
  new PerformanceObserver((list) => (globalThis.largest = list.getEntries().at(-1).startTime)).observe({
    type: 'largest-contentful-paint',
    buffered: true,
  });
  const timer = setInterval(() => {
    if (
      document.readyState === 'loading' ||
      document.getElementById('unstarted') ||
      !document.getElementById('work')?.hidden
    )
      return;
    globalThis.readyAt = performance.now();
    clearInterval(timer);
  }, 20);
}

/** Milliseconds of one visit. */
async function visit(context, port) {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU });
  await page.goto(`http://127.0.0.1:${port}/`, { waitUntil: 'commit' });
  await page.waitForFunction(() => globalThis.readyAt, null, { polling: 200, timeout: 60_000 });
  const times = await page.evaluate(() => ({
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    largest: globalThis.largest,
    ready: globalThis.readyAt,
  }));
  return { page, times };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const results = new Map(sites.map((site) => [site, []]));
const opened = await Promise.all(sites.map(openSite));
const browser = await launch();
process.on('exit', () => opened.forEach(({ child }) => child.kill()));
for (let round = 0; round < Number(rounds); round++) {
  for (const { folder, port } of opened) {
    const line = await openLine(port);
    const context = await browser.newContext(PHONE);
    await context.addInitScript(noteTimes);
    const first = await visit(context, line.port);
    const { bytes, connections } = line;
    await first.page.waitForFunction(() => document.getElementById('offline').textContent, null, { timeout: 120_000 });
    await first.page.close();
    const before = line.bytes;
    const second = await visit(context, line.port);
    results
      .get(folder)
      .push({
        ...first.times,
        bytes,
        connections,
        paint2: second.times.paint,
        ready2: second.times.ready,
        bytes2: line.bytes - before,
      });
    await context.close();
    line.close();
  }
}
await browser.close();
console.log(
  `median of ${rounds}: site, first visit: first paint, largest paint, ready [s], kB until ready; second: first paint, ready [s], kB`,
);
for (const [site, visits] of results) {
  const of = (name) => median(visits.map((visit) => visit[name]));
  const seconds = ['paint', 'largest', 'ready'].map((name) => (of(name) / 1000).toFixed(2));
  const again = ['paint2', 'ready2'].map((name) => (of(name) / 1000).toFixed(2));
  console.log(
    [basename(site), ...seconds, Math.round(of('bytes') / 1000), '|', ...again, Math.round(of('bytes2') / 1000)].join(
      '\t',
    ),
  );
}
