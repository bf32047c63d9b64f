// headers.mjs: the headers that a server should send with every file of the page. README.md has the same for nginx.

/** The Content Security Policy that the page states itself. @param {string} page  index.html */
export function policyOf(page) {
  const [, policy] = page.match(/http-equiv="Content-Security-Policy" content="([^"]+)"/) ?? [];
  if (!policy) throw new Error('The page states no Content Security Policy');
  return policy;
}

/** @param {string} page  index.html  @returns {Record<string, string>} */
export const headersFor = (page) => ({
  // In addition to the page's own <meta>, which can neither forbid frames nor bind a worker.
  'Content-Security-Policy': `${policyOf(page)}; frame-ancestors 'none'`,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(self), geolocation=(), microphone=(), payment=(), usb=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
});
