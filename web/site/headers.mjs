// headers.mjs: what a server should send with every file of the page; README.md says the same for nginx

/** The policy as the page states it. @param {string} page  index.html */
export const policyOf = (page) => page.match(/http-equiv="Content-Security-Policy" content="([^"]+)"/)[1];

/** @param {string} page  index.html  @returns {Record<string, string>} */
export const headersFor = (page) => ({
  'Content-Security-Policy': `${policyOf(page)}; frame-ancestors 'none'`, // a <meta> cannot forbid frames, nor bind a worker
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(self), geolocation=(), microphone=(), payment=(), usb=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
});
