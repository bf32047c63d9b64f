// dom.mjs: changes the document only where it differs, so that the focus stays put and screen readers hear only what
// is new.

/** Elements by id. Their kinds differ and are fixed by index.html, which the type checker does not read.
 *  @typedef {Record<string, any>} Elements */

/** @param {string} name  @param {Record<string, any>} [properties]  @param {...(Node | string)} children
 *  @returns {any} */
export function element(name, properties = {}, ...children) {
  const created = Object.assign(document.createElement(name), properties);
  created.append(...children);
  return created;
}

/** @param {Element} target  @param {string} text */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Keeps one child of `parent` per item, in the order of the items. A child stays with its item's key, and so does the
 *  focus.
 *  @template T
 *  @param {any} parent  @param {T[]} items
 *  @param {(item: T) => string | number} key
 *  @param {(item: T) => HTMLElement} create  a new child, not filled yet
 *  @param {(child: any, item: T) => void} fill  called for new and old children */
export function keyed(parent, items, key, create, fill) {
  const focused = /** @type {HTMLElement} */ (document.activeElement);
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  for (const [i, item] of items.entries()) {
    const own = String(key(item));
    let child = known.get(own);
    known.delete(own);
    if (!child) {
      child = create(item);
      child.dataset.key = own;
    }
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
    fill(child, item);
  }
  for (const child of known.values()) child.remove();
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus(); // moving an element blurs it
}

/** If the focused element was hidden or removed, focuses the nearest ancestor's tabindex="-1" element.
 *  @param {Element | null} focused  before the page was drawn */
export function refocus(focused) {
  if (!focused || focused === document.body) return;
  const now = document.activeElement;
  const isShown = focused.isConnected && !focused.closest('[hidden], dialog:not([open])');
  if (isShown || (now !== focused && now !== document.body)) return;
  for (let ancestor = focused.parentElement; ancestor; ancestor = ancestor.parentElement) {
    /** @type {NodeListOf<HTMLElement>} */
    const candidates = ancestor.querySelectorAll('[tabindex="-1"]:not(button, input)');
    const visible = [...candidates].find((candidate) => candidate.getClientRects().length > 0);
    if (visible) return visible.focus({ preventScroll: true });
  }
}

/** Returns a function that reports whether any of the values that a part of the page is drawn from has changed since it
 *  was last called for that part. */
export function createChanges() {
  /** @type {Map<string, unknown[]>} */
  const last = new Map();
  return (/** @type {string} */ part, /** @type {unknown[]} */ ...values) => {
    const before = last.get(part);
    last.set(part, values);
    return !before || values.some((value, i) => value !== before[i]);
  };
}
