// linalg.mjs - the little linear algebra that the fit of a last layer needs. Matrices are row-major Float64Arrays.

/** A vector shorter than this share of its former length lies in the span of the others, but for rounding. */
const MIN_REMAINDER = 1e-9;

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * Factors A = L L^T in place of A's lower triangle.
 * @param {Float64Array} a  [n][n], symmetric, positive definite @param {number} n
 */
export function cholesky(a, n) {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / a[j * n + j];
    }
  }
}

/** Solves L L^T x = b in place of b. @param {Float64Array} l  from cholesky @param {Float64Array} b */
export function choleskySolve(l, b) {
  const n = b.length;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) b[i] -= l[i * n + k] * b[k];
    b[i] /= l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) b[i] -= l[k * n + i] * b[k];
    b[i] /= l[i * n + i];
  }
}

/**
 * An orthonormal basis of the vectors' span by modified Gram-Schmidt; overwrites them.
 * @param {Float64Array[]} vectors
 */
export function orthonormalise(vectors) {
  /** @type {Float64Array[]} */
  const basis = [];
  for (const v of vectors) {
    const length = Math.sqrt(dot(v, v));
    for (const other of basis) {
      const component = dot(v, other);
      for (let i = 0; i < v.length; i++) v[i] -= component * other[i];
    }
    const remainder = Math.sqrt(dot(v, v));
    if (remainder > MIN_REMAINDER * length) basis.push(v.map((x) => x / remainder));
  }
  return basis;
}
