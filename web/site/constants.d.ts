// constants.d.ts: what build.mjs puts in place of these names
declare const SITE: import('../engine/client.mjs').Site;
