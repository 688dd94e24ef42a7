// @ts-check
// The sub-pixel trick: the transpose as a convolution of stride 1, step by step.

import { make, press } from "../shared/dom.mjs";
import { grid, labelled, markCells, paddedNames, scaleOf, short } from "./cells.mjs";
import { matrixOf, paddedOf, subPixel, times, transposed } from "./convolution.mjs";

/** @typedef {import("./convolution.mjs").Setting} Setting */

export const STEPS = 6;

/**
 * "1 zero", "3 zeros"
 *
 * @param {number} count
 */
function zeros(count) {
  return `${count || "no"} zero${count === 1 ? "" : "s"}`;
}

/**
 * What is done in each step.
 *
 * @param {Setting} setting
 */
export function stepTitles({ filter, stride, padding }) {
  return [
    "Begin with the outputs y.",
    `Put s − 1 = ${zeros(stride - 1)} between the values, as the window moved by s = ${stride}.`,
    `Put f − 1 = ${zeros(filter.length - 1)} at each end.`,
    "Flip the filter: its last weight comes first.",
    "Slide it with stride 1. Every dot product is an entry of Wᵀ y.",
    `Cut off the padding, ${padding || "no"} number${padding === 1 ? "" : "s"} at each end: this is torch's conv_transpose1d.`,
  ];
}

/**
 * "x̂₂ = 1·0 + 0·3 + 0·0 + (−1)·5 = −5": what the flipped filter makes of a place.
 *
 * @param {string} name of the sum
 * @param {number[]} flipped
 * @param {number[]} bordered
 * @param {number} at
 */
export function slidEquation(name, flipped, bordered, at) {
  const bracketed = (/** @type {number} */ value) => (value < 0 ? `(${short(value)})` : short(value));
  const terms = flipped.map((weight, k) => `${bracketed(weight)}·${bracketed(bordered[at + k])}`);
  const sum = flipped.reduce((total, weight, k) => total + weight * bordered[at + k], 0);
  return `${name} = ${terms.join(" + ")} = ${short(sum)}`;
}

/**
 * The steps up to one of them, below each other.
 *
 * @param {Setting} setting
 * @param {number} step from 0
 * @param {(row: number) => void} onRow
 */
function strips(setting, step, onRow) {
  const { padding, stride, filter, signal: { length } } = setting;
  const matrix = matrixOf(setting);
  const outputs = times(matrix, paddedOf(setting));
  const { spread, bordered, flipped, signal, cropped } = subPixel(setting, outputs);
  const border = filter.length - 1;
  const unread = bordered.length - spread.length - 2 * border;
  const scale = scaleOf(outputs);
  const titles = stepTitles(setting);
  const names = paddedNames("x̂", length, padding, "pad");
  const weights = (/** @type {string} */ ariaLabel, /** @type {number[]} */ values) => grid([values], { ariaLabel });
  const between = grid([spread], { ariaLabel: "y with zeros between", scale });
  markCells(between.cells[0], "added", (at) => at % stride > 0);
  const [wide, under] = [1, 2].map(() => {
    const strip = grid([bordered], { ariaLabel: "y with zeros between and at the ends", scale });
    markCells(strip.cells[0], "added", (at) => at < border || at >= border + spread.length || (at - border) % stride > 0);
    return strip;
  });
  const slid = weights("the flipped filter", flipped);
  slid.element.classList.add("xw-slid");
  const sums = grid([signal], {
    ariaLabel: "dot products", onPoint: (_, at) => onRow(at), describe: (_, at) => slidEquation(names[at], flipped, bordered, at),
  });
  const end = grid([cropped], { ariaLabel: "the result", scale: scaleOf(signal) });
  end.element.style.marginLeft = `calc(${padding} * var(--xw-cell))`;
  const reading = make("div", { className: "xw-reading", ariaLive: "polite" });
  const far = Math.max(...times(transposed(matrix), outputs).map((value, at) => Math.abs(value - signal[at])));
  const more = unread ? ` At the right end ${unread} more, as no window reads the last ${unread === 1 ? "number" : "numbers"} of the signal.` : "";
  const parts = [
    [grid([outputs], { ariaLabel: "y", scale }).element],
    [between.element],
    [wide.element],
    [weights("the filter", filter).element, make("span", { className: "xw-arrow", textContent: "→" }),
      weights("the flipped filter", flipped).element],
    [under.element, slid.element, sums.element, reading],
    [end.element],
  ];
  const shown = parts.slice(0, step + 1).map((elements, at) => {
    const part = labelled(`${at + 1}. ${titles[at]}${at === 2 ? more : ""}`, ...elements);
    part.classList.add(`xw-step-${at + 1}`);
    return part;
  });
  if (step === STEPS - 1) {
    shown.push(make("p", { className: "xw-verdict", textContent: far < 1e-9
      ? `The ${signal.length} dot products equal Wᵀ y; without the padding, ${length} remain, as many as the signal has.`
      : `The dot products differ from Wᵀ y by ${short(far)}.` }));
  }
  /** @param {number} row */
  const mark = (row) => {
    const at = Math.min(row, signal.length - 1);
    markCells(under.cells[0], "active", (place) => place >= at && place <= at + border);
    markCells(sums.cells[0], "active", (place) => place === at);
    markCells(end.cells[0], "active", (place) => place === at - padding);
    sums.focus(0, at);
    slid.element.style.marginLeft = `calc(${at} * var(--xw-cell))`;
    reading.textContent = slidEquation(names[at], flipped, bordered, at);
  };
  return { element: make("div", { className: "xw-scroll" }, ...shown), mark };
}

/**
 * The steps, with buttons to the previous and the next.
 *
 * @param {(step: number) => void} onStep
 * @param {(row: number) => void} onRow
 */
export function makeSteps(onStep, onRow) {
  let at = 0;
  const previous = press("← Previous", () => onStep(at - 1));
  const next = press("Next →", () => onStep(at + 1));
  const count = make("span", { className: "xw-quiet", role: "status" });
  const place = make("div");
  const element = make("div", { className: "xw-steps" },
    make("div", { className: "xw-row" }, previous, next, count), place);
  /**
   * @param {Setting} setting
   * @param {number} step
   */
  const show = (setting, step) => {
    at = step;
    previous.disabled = step === 0;
    next.disabled = step === STEPS - 1;
    count.textContent = `step ${step + 1} of ${STEPS}`;
    const drawn = strips(setting, step, onRow);
    place.replaceChildren(drawn.element);
    return drawn.mark;
  };
  return { element, show };
}
