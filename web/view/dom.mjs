// dom.mjs: changes the document only where it differs, so that the focus stays and screen readers hear what is new

/** @param {string} name  @param {Record<string, any>} [properties]  @param {...(Node | string)} children  @returns {any} */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** @param {Element} place  @param {string} text */
export function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** Keeps one child of `parent` for each item, in their order; elements stay, and so does the focus.
 *  @param {any} parent  @param {any[]} items  @param {(item: any) => string | number} key  @param {(item: any) => HTMLElement} make  @param {(child: any, item: any) => void} fill */
export function each(parent, items, key, make, fill) {
  const focused = /** @type {HTMLElement} */ (document.activeElement);
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, place) => {
    let child = known.get(String(key(item)));
    if (child) known.delete(child.dataset.key);
    else {
      child = make(item);
      child.dataset.key = String(key(item));
    }
    if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] ?? null);
    fill(child, item);
  });
  for (const child of known.values()) child.remove();
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus(); // a moved element loses it
}

/** Where what had the focus is shown no more, the nearest that may take it by program alone has it. @param {Element} focused  before */
export function refocus(focused) {
  const now = document.activeElement,
    shown = focused.isConnected && !focused.closest('[hidden], dialog:not([open])');
  if (focused === document.body || shown || (now !== focused && now !== document.body)) return;
  for (let around = focused.parentElement; around; around = around.parentElement) {
    const place = [.../** @type {NodeListOf<HTMLElement>} */ (around.querySelectorAll('[tabindex="-1"]'))].find(
      (one) => one.getClientRects().length > 0,
    );
    if (place) return place.focus({ preventScroll: true });
  }
}

/** Says whether any of the things that a part of the page is drawn from has changed since it asked last. */
export function createChanges() {
  const seen = new Map();
  return (/** @type {string} */ part, /** @type {unknown[]} */ ...things) => {
    const before = seen.get(part);
    seen.set(part, things);
    return !before || things.some((thing, place) => thing !== before[place]);
  };
}
