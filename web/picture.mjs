// picture.mjs: writes web/page.jpg for the README: the built page with the synthetic phantom, never a patient's film
import { fileURLToPath } from 'node:url';
import { launch, open, serve, settled } from '../tests/browser/site.mjs';

const [browser, server] = await Promise.all([launch(), serve()]);
const { page } = await open(browser, server, { viewport: { width: 1280, height: 800 }, colorScheme: 'light', reducedMotion: 'reduce' });
await settled(page);
await page.click('#welcome [data-action=phantom]');
await settled(page);
await page.screenshot({ path: fileURLToPath(new URL('page.jpg', import.meta.url)), type: 'jpeg', quality: 85 });
await Promise.all([browser.close(), server.close()]);
