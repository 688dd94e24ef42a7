// @ts-check
// A signal beside what its transpose and its pseudo-inverse make of the outputs.

import { make } from "../shared/dom.mjs";
import { percent } from "../shared/numbers.mjs";
import { grid, labelled, short } from "./cells.mjs";
import { gramOf, matrixOf, missed, paddedOf, pseudoInverseTimes, rowScale, times, transposed } from "./convolution.mjs";

/** @typedef {import("./convolution.mjs").Setting} Setting */

/**
 * Whether W Wᵀ = c I, in a sentence.
 *
 * @param {number[][]} gram
 */
export function verdict(gram) {
  const scale = rowScale(gram);
  if (scale !== null) {
    const same = scale === 1 ? "W⁺ = Wᵀ" : `W⁺ = Wᵀ / ${short(scale)}`;
    return `W Wᵀ = ${scale === 1 ? "" : `${short(scale)} `}I: the rows are orthogonal to each other, and ${same}.`;
  }
  const row = gram[0].findIndex((value, at) => at > 0 && Math.abs(value) > 1e-9 * gram[0][0]);
  return `W Wᵀ is no multiple of I: rows 1 and ${row + 1} have the dot product ${short(gram[0][row])}, not 0. `
    + "The transpose is not the pseudo-inverse, whatever it is divided by.";
}

/**
 * How far the reconstructions are from the signal, in a sentence.
 *
 * @param {number} outputs
 * @param {number[]} signal with the padding
 * @param {number[]} byTranspose
 * @param {number[]} byInverse
 */
export function distances(outputs, signal, byTranspose, byInverse) {
  const [one, other] = [byTranspose, byInverse].map((values) => missed(signal, values));
  if (one === null || other === null) return "The signal is zero, and so is all that is made of it.";
  if (other < 1e-9) return `W⁺ y is the signal itself: nothing of it was lost. Wᵀ y is ${percent(one)} of its length away.`;
  return `W⁺ y is ${percent(other)} of the signal's length away from it, Wᵀ y ${percent(one)}. `
    + `${outputs} numbers cannot tell ${signal.length}: of all signals with these outputs, W⁺ y is the shortest.`;
}

/**
 * Bars of a series, each with a line where the signal is.
 *
 * @param {string} label
 * @param {number[]} values
 * @param {number[]} signal
 * @param {number} scale
 */
function bars(label, values, signal, scale) {
  const strip = grid([values], { ariaLabel: label, scale });
  const chart = make("div", { className: "xw-bars", ariaHidden: "true" }, ...values.map((value, at) => {
    const bar = make("i", { className: "xw-bar" });
    bar.style.setProperty("--value", String(value / scale));
    bar.style.setProperty("--signal", String(signal[at] / scale));
    bar.dataset.sign = String(Math.sign(value));
    return bar;
  }));
  return labelled(label, chart, strip.element);
}

/**
 * The matrix W Wᵀ, what it says, and the reconstructions.
 *
 * @param {Setting} setting
 */
export function reconstruction(setting) {
  const matrix = matrixOf(setting);
  const signal = paddedOf(setting);
  const outputs = times(matrix, signal);
  const gram = gramOf(matrix);
  const scale = rowScale(gram);
  const byTranspose = times(transposed(matrix), outputs);
  const byInverse = pseudoInverseTimes(matrix, outputs);
  const largest = Math.max(...[signal, byTranspose, byInverse].flat().map(Math.abs)) || 1;
  const divided = scale === null ? "" : `, which is Wᵀ y / ${short(scale)}`;
  return make("div", {},
    labelled("W Wᵀ, the dot products of every two rows of W",
      make("div", { className: "xw-scroll" }, grid(gram, { ariaLabel: "W Wᵀ" }).element)),
    make("p", { className: "xw-verdict", textContent: verdict(gram) }),
    make("div", { className: "xw-scroll" },
      bars("the signal x, with its padding", signal, signal, largest),
      bars("by the transpose, Wᵀ y", byTranspose, signal, largest),
      bars(`by the pseudo-inverse, W⁺ y${divided}`, byInverse, signal, largest)),
    make("p", { textContent: distances(outputs.length, signal, byTranspose, byInverse) }),
    make("p", { className: "xw-quiet", textContent: "Orange lines: the signal." }));
}
