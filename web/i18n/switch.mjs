// switch.mjs: changes the language of the page. English is part of the page; the others are fetched when they are
// chosen.
import { createI18n } from './words.mjs';
import english from './en.mjs';

/** @typedef {import('./words.mjs').Language} Language */

/** @param {Record<string, string>} files  the site's files of messages, by language
 *  @param {(i18n: import('./words.mjs').I18n) => void} onChange  @param {() => void} onMissing */
export function createLanguageSwitch(files, onChange, onMissing) {
  /** @type {Language} */
  let latest = 'en';

  return async (/** @type {Language} */ language) => {
    latest = language;
    try {
      const messages =
        language === 'en' ? english : (await import(new URL(files[language], import.meta.url).href)).default;
      if (latest !== language) return; // a later choice wins
      onChange(createI18n(language, messages, navigator.languages));
    } catch {
      onMissing();
    }
  };
}
