// trusted_types.mjs: the only addresses that the page runs code from: by its Trusted Types policy where the browser has them
const CODE = /^(?:sw|worker-[0-9a-f]{10})\.js$/;

/** @param {string} name */
function address(name) {
  if (!CODE.test(name)) throw new TypeError(`No part of this page: ${name}`);
  return new URL(name, import.meta.url).href;
}

/** The address of the page's worker or service worker, in the form that the browser demands. @type {(name: string) => any} */
export const codeAddress = (() => {
  const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy('pleura', { createScriptURL: address });
  return policy ? (name) => policy.createScriptURL(name) : address;
})();
