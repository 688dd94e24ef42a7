// @ts-check
// Convolution of a signal as a matrix W, as lessons/convolution.py computes it.

/**
 * @typedef {{ filter: number[], stride: number, padding: number, signal: number[] }} Setting
 *
 * @typedef {number[][]} Matrix rows
 *
 * @typedef {{ outputs: number[], spread: number[], bordered: number[], flipped: number[], signal: number[], cropped: number[] }} SubPixel
 */

export const LONGEST_FILTER = 8;
export const LONGEST_SIGNAL = 16;
export const LARGEST_STRIDE = 8;

/** Largest share of c by which W Wᵀ may differ from c I and still be called that. */
const TOLERANCE = 1e-9;

/**
 * What is wrong with a setting, in a sentence; "" for nothing.
 *
 * @param {Setting} setting
 */
export function problemOf({ filter, stride, padding, signal }) {
  const finite = (/** @type {number[]} */ values, /** @type {number} */ most) =>
    values.length >= 1 && values.length <= most && values.every(Number.isFinite);
  if (!finite(filter, LONGEST_FILTER)) return `The filter must be 1 to ${LONGEST_FILTER} finite numbers, such as −1, 0, 0, 1.`;
  if (filter.every((weight) => weight === 0)) return "The filter has zeros only, and nothing of the signal would be left; give it a weight other than 0.";
  if (!finite(signal, LONGEST_SIGNAL)) return `The signal must be 1 to ${LONGEST_SIGNAL} finite numbers, such as 1, 2, 3, 4.`;
  if (!Number.isInteger(stride) || stride < 1 || stride > LARGEST_STRIDE) return `The stride must be a whole number from 1 to ${LARGEST_STRIDE}.`;
  if (!Number.isInteger(padding) || padding < 0 || padding >= filter.length) {
    return `The padding must be a whole number from 0 to ${filter.length - 1}, one less than the filter has weights: a window would hold nothing but padding.`;
  }
  if (filter.length > signal.length + 2 * padding) {
    return `The filter has ${filter.length} weights, but the signal only ${signal.length + 2 * padding} numbers with its padding; give a longer signal, more padding or a shorter filter.`;
  }
  return "";
}

/** @param {Setting} setting */
export function paddedOf({ signal, padding }) {
  const zeros = Array(padding).fill(0);
  return [...zeros, ...signal, ...zeros];
}

/**
 * How many windows fit, n_y = ⌊(n + 2 p − f) / s⌋ + 1.
 *
 * @param {Setting} setting
 */
export function outputCount({ filter, stride, padding, signal }) {
  return Math.floor((signal.length + 2 * padding - filter.length) / stride) + 1;
}

/**
 * The matrix W, a row for each window.
 *
 * @param {Setting} setting
 * @returns {Matrix}
 */
export function matrixOf(setting) {
  const { filter, stride, padding, signal } = setting;
  return Array.from({ length: outputCount(setting) }, (_, row) =>
    Array.from({ length: signal.length + 2 * padding }, (_, column) => filter[column - row * stride] ?? 0));
}

/**
 * @param {number[]} one
 * @param {number[]} other
 */
export function dot(one, other) {
  return one.reduce((sum, value, at) => sum + value * other[at], 0);
}

/**
 * @param {Matrix} matrix
 * @param {number[]} vector
 */
export function times(matrix, vector) {
  return matrix.map((row) => dot(row, vector));
}

/**
 * @param {Matrix} matrix
 * @returns {Matrix}
 */
export function transposed(matrix) {
  return matrix[0].map((_, column) => matrix.map((row) => row[column]));
}

/**
 * W Wᵀ, the dot products of every two rows.
 *
 * @param {Matrix} matrix
 * @returns {Matrix}
 */
export function gramOf(matrix) {
  return matrix.map((row) => times(matrix, row));
}

/**
 * The c of W Wᵀ = c I; null where there is none.
 *
 * @param {Matrix} gram
 */
export function rowScale(gram) {
  const scale = gram[0][0];
  const far = gram.flatMap((row, y) => row.map((value, x) => Math.abs(value - (x === y ? scale : 0))));
  return Math.max(...far) <= TOLERANCE * scale ? scale : null;
}

/**
 * The solution of A z = b, by elimination, for a positive definite A.
 *
 * @param {Matrix} matrix
 * @param {number[]} vector
 */
function solve(matrix, vector) {
  const rows = matrix.map((row, y) => [...row, vector[y]]);
  for (const [at, pivot] of rows.entries()) {
    for (const row of rows.slice(at + 1)) {
      const share = row[at] / pivot[at];
      for (let column = at; column < row.length; column++) row[column] -= share * pivot[column];
    }
  }
  const solution = Array(vector.length).fill(0);
  for (const [at, row] of [...rows.entries()].reverse()) {
    const known = dot(row.slice(at + 1, -1), solution.slice(at + 1));
    solution[at] = (row[row.length - 1] - known) / row[at];
  }
  return solution;
}

/**
 * W⁺ y = Wᵀ (W Wᵀ)⁻¹ y, the shortest x with W x = y.
 *
 * @param {Matrix} matrix
 * @param {number[]} outputs
 */
export function pseudoInverseTimes(matrix, outputs) {
  return times(transposed(matrix), solve(gramOf(matrix), outputs));
}

/**
 * Wᵀ y by a convolution of stride 1, step by step.
 *
 * @param {Setting} setting
 * @param {number[]} outputs
 * @returns {SubPixel}
 */
export function subPixel({ filter, stride, padding, signal: { length } }, outputs) {
  const spread = outputs.flatMap((value, at) => (at ? [...Array(stride - 1).fill(0), value] : [value]));
  const border = Array(filter.length - 1).fill(0);
  const total = length + 2 * padding;
  const unread = Array(total - spread.length - border.length).fill(0);
  const bordered = [...border, ...spread, ...border, ...unread];
  const flipped = filter.toReversed();
  const signal = Array.from({ length: total }, (_, at) => dot(flipped, bordered.slice(at)));
  return { outputs, spread, bordered, flipped, signal, cropped: signal.slice(padding, padding + length) };
}

/**
 * Distance of a reconstruction from the signal, as a share of the signal's length; null for a signal of
 * zeros.
 *
 * @param {number[]} signal
 * @param {number[]} reconstruction
 */
export function missed(signal, reconstruction) {
  const size = Math.hypot(...signal);
  return size ? Math.hypot(...signal.map((value, at) => value - reconstruction[at])) / size : null;
}
