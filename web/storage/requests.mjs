// requests.mjs: every request that a page or worker has made to any server, as counted by the browser itself.

/** @typedef {{url: string, who: 'page' | 'worker' | 'service', at: number, bytes: number}} Request
 *     at: in milliseconds since 1970; bytes: over the network, 0 when answered from this device */

/** Reports all requests since the start, and each further one.
 *  @param {Request['who']} who  @param {(requests: Request[]) => void} report */
export function watchRequests(who, report) {
  const reportAll = (/** @type {PerformanceEntryList} */ entries) =>
    report(
      /** @type {PerformanceResourceTiming[]} */ (entries).map(({ name, startTime, transferSize }) => ({
        url: name,
        who,
        at: performance.timeOrigin + startTime,
        bytes: transferSize,
      })),
    );
  new PerformanceObserver((list) => reportAll(list.getEntries())).observe({ type: 'resource', buffered: true });
  if (who === 'page') reportAll(performance.getEntriesByType('navigation'));
}
