// pleura-relaxed.mjs - Pleura on bytes, by relaxed dot products.
import { opener } from './pleura.mjs';

export const open = opener('.int8', true);
