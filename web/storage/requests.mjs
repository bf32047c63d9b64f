// requests.mjs: what a page or worker has asked of any server, as the browser itself counts it
/** @typedef {{url: string, who: 'page' | 'worker' | 'service', at: number, bytes: number}} Request  at: in milliseconds since 1970; bytes: 0 from this device's store */

/** Tells of every request since the start, and of each further one. @param {Request['who']} who  @param {(requests: Request[]) => void} tell */
export function watchRequests(who, tell) {
  const told = (entries) =>
    tell(
      entries.map(({ name, startTime, transferSize }) => ({
        url: name,
        who,
        at: performance.timeOrigin + startTime,
        bytes: transferSize,
      })),
    );
  new PerformanceObserver((list) => told(list.getEntries())).observe({ type: 'resource', buffered: true });
  if (who === 'page') told(performance.getEntriesByType('navigation'));
}
