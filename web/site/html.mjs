// html.mjs: fills the messages of one language into index.html, whose elements name them in `data-i18n` (the text) and
// `data-i18n-label` (the accessible name).

const TEXT = /data-i18n="([^"]+)"[^>]*>/g;
const LABEL = /data-i18n-label="([^"]+)"/g;

/** @param {string} text */
export const escapeHtml = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** The keys that a page names. @param {string} html  @returns {string[]} */
export const messageKeys = (html) => [TEXT, LABEL].flatMap((named) => [...html.matchAll(named)].map(([, key]) => key));

/** @param {string} html  @param {Record<string, string>} messages */
export function fillMessages(html, messages) {
  for (const key of messageKeys(html)) if (!Object.hasOwn(messages, key)) throw new Error(`There is no message ${key}`);
  return html
    .replace(TEXT, (tag, key) => tag + escapeHtml(messages[key]))
    .replace(LABEL, (attribute, key) => `${attribute} aria-label="${escapeHtml(messages[key])}"`);
}
