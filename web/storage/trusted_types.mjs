// trusted_types.mjs: the only addresses from which the page runs code. Where the browser knows Trusted Types, it
// enforces them: every other address is refused by the policy made here.

const SCRIPTS = /^(?:sw|worker-[0-9a-f]{10})\.js$/;

/** @param {string} name */
function address(name) {
  if (!SCRIPTS.test(name)) throw new TypeError(`Not a part of this page: ${name}`);
  return new URL(name, import.meta.url).href;
}

/** The address of the page's worker or service worker, in the form that the browser demands.
 *  @type {(name: string) => any} */
export const trustedScriptUrl = (() => {
  const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy('pleura', { createScriptURL: address });
  return policy ? (name) => policy.createScriptURL(name) : address;
})();
