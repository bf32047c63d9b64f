// Pleura with int8 weights and the 16-bit dot products that every browser has.
import { opener } from './pleura.mjs';

export const open = opener('.int8');
