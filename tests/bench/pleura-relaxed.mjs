// Pleura with int8 weights and the dot products of relaxed SIMD.
import { opener } from './pleura.mjs';

export const open = opener('.int8', true);
