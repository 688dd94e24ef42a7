// @ts-check
// Convolution as a matrix, its transpose, its pseudo-inverse and the sub-pixel trick.
//
// All numbers are computed here, so that the lesson is as alive in a page without a kernel.

import { indexed, paddedNames } from "./lesson/cells.mjs";
import {
  LARGEST_STRIDE, matrixOf, outputCount, paddedOf, problemOf, times, transposed,
} from "./lesson/convolution.mjs";
import { numbersField, wholeField } from "./lesson/fields.mjs";
import { equation, productTable } from "./lesson/product.mjs";
import { reconstruction } from "./lesson/reconstruction.mjs";
import { makeSteps } from "./lesson/steps.mjs";
import { keepKeys, make, makeAlert, press, warn } from "./shared/dom.mjs";
import { mount, put } from "./shared/view.mjs";

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 *
 * @typedef {import("./lesson/convolution.mjs").Setting} Setting
 *
 * @typedef {"matrix" | "transpose" | "reconstruction" | "sub-pixel"} Part
 */

/** @type {[Part, string][]} */
const PARTS = [
  ["matrix", "1 Convolution, y = W x"],
  ["transpose", "2 Transpose, Wᵀ y"],
  ["reconstruction", "3 Back to x"],
  ["sub-pixel", "4 Sub-pixel trick"],
];

const FILTERS = {
  "edge": [-1, 0, 0, 1],
  "edge of five taps": [-1, 0, 0, 0, 1],
  "difference": [-1, 1],
  "mean of four": [0.25, 0.25, 0.25, 0.25],
  "smooth": [1, 2, 1],
  "one weight": [1],
};

const SIGNALS = {
  "bump": [0, 1, 3, 4, 4, 3, 1, 0],
  "step": [0, 0, 0, 0, 4, 4, 4, 4],
  "spike": [0, 0, 0, 4, 0, 0, 0, 0],
  "ramp": [1, 2, 3, 4, 5, 6, 7, 8],
  "alternating": [2, -2, 2, -2, 2, -2, 2, -2],
};

/**
 * How many windows fit, in a sentence that counts them.
 *
 * @param {Setting} setting
 */
export function counted(setting) {
  const { filter, stride, padding, signal } = setting;
  const total = signal.length + 2 * padding;
  const count = outputCount(setting);
  const unread = total - ((count - 1) * stride + filter.length);
  const rest = unread ? ` No window reads the last ${unread === 1 ? "number" : `${unread} numbers`}.` : "";
  return `${signal.length} numbers and 2 × ${padding} zeros of padding are ${total}. A window of ${filter.length} that moves by ${stride} `
    + `fits n_y = ⌊(${total} − ${filter.length}) / ${stride}⌋ + 1 = ${count} times, so W is ${count} × ${total}.${rest}`;
}

/**
 * What to see in the rows of the transpose, in a sentence.
 *
 * @param {Setting} setting
 */
export function partsOfFilter({ filter, stride }) {
  if (stride === 1) return "With stride 1, the rows of Wᵀ hold the flipped filter, at the ends a part of it: this is a convolution already.";
  return `Wᵀ is W with rows and columns exchanged. Each of its rows holds only some of the ${filter.length} weights, every `
    + `${stride === 2 ? "second" : `${stride}th`} one, and other ones in the next row: no one filter slides down. The sub-pixel trick mends that.`;
}

/**
 * A product whose rows are read one at a time.
 *
 * @param {import("./lesson/product.mjs").Product} product
 * @param {string} sentence
 * @param {(row: number) => void} onRow
 */
function productPart(product, sentence, onRow) {
  const { element, mark } = productTable(product, onRow);
  const reading = make("div", { className: "xw-reading", ariaLive: "polite" });
  const last = product.matrix.length - 1;
  return {
    element: make("div", {}, element, reading, make("p", { textContent: sentence })),
    mark: (/** @type {number} */ row) => {
      mark(Math.min(row, last));
      reading.textContent = equation(product, Math.min(row, last));
    },
  };
}

/**
 * @param {Setting} setting
 * @returns {import("./lesson/product.mjs").Product}
 */
export function forward(setting) {
  const { filter, stride, padding, signal } = setting;
  const matrix = matrixOf(setting);
  return {
    ariaLabel: "W times x", matrix, vector: paddedOf(setting),
    left: matrix.map((_, row) => indexed("y", row)), right: paddedNames("x", signal.length, padding, "0"),
    weightAt: (row, column) => column - row * stride, weights: filter.length,
    isAdded: (column) => column < padding || column >= padding + signal.length,
  };
}

/**
 * @param {Setting} setting
 * @returns {import("./lesson/product.mjs").Product}
 */
export function backward(setting) {
  const { filter, stride, padding, signal } = setting;
  const matrix = matrixOf(setting);
  return {
    ariaLabel: "the transpose of W times y", matrix: transposed(matrix), vector: times(matrix, paddedOf(setting)),
    left: paddedNames("x̂", signal.length, padding, "pad"), right: matrix.map((_, row) => indexed("y", row)),
    weightAt: (row, column) => row - column * stride, weights: filter.length,
  };
}

/**
 * The fields that change the setting; what cannot be is said, and changes nothing.
 *
 * @param {Model} model
 */
function makeFields(model) {
  const alert = makeAlert();
  const change = (/** @type {Partial<Setting>} */ values) => {
    /** @type {Setting} */
    const setting = { ...model.get("setting"), ...values };
    if (values.filter) setting.padding = Math.min(setting.padding, Math.max(0, values.filter.length - 1));
    const problem = problemOf(setting);
    if (!problem) put(model, { setting });
    warn(alert, problem);
  };
  const filter = numbersField("Filter w", FILTERS, (values) => change({ filter: values }));
  const stride = wholeField("Stride s", 1, (value) => change({ stride: value }));
  const padding = wholeField("Padding p", 0, (value) => change({ padding: value }));
  const signal = numbersField("Signal x", SIGNALS, (values) => change({ signal: values }));
  const draw = () => {
    /** @type {Setting} */
    const setting = model.get("setting");
    filter.show(setting.filter);
    stride.show(setting.stride, LARGEST_STRIDE);
    padding.show(setting.padding, setting.filter.length - 1);
    signal.show(setting.signal);
    warn(alert, "");
  };
  const element = make("div", { className: "xw-fields" },
    make("div", { className: "xw-row" }, filter.element, stride.element, padding.element, signal.element), alert);
  return { element, draw };
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const fields = makeFields(model);
  const tabs = PARTS.map(([part, text]) => press(text, () => put(model, { part })));
  const onRow = (/** @type {number} */ row) => put(model, { row });
  const steps = makeSteps((step) => put(model, { step }), onRow);
  const panel = make("div", { className: "xw-panel" });
  const view = make("div", { className: "xw-view xw-lesson xw-deconvolution" }, fields.element,
    make("div", { className: "xw-row xw-tabs", role: "group", ariaLabel: "parts of the lesson" }, ...tabs), panel);
  /** @type {(row: number) => void} */
  let mark = () => {};

  const drawPart = () => {
    /** @type {Setting} */
    const setting = model.get("setting");
    /** @type {Part} */
    const part = model.get("part");
    for (const [at, [name]] of PARTS.entries()) tabs[at].ariaPressed = String(name === part);
    if (part === "sub-pixel") {
      panel.replaceChildren(steps.element);
      mark = steps.show(setting, model.get("step"));
    } else if (part === "reconstruction") {
      panel.replaceChildren(reconstruction(setting));
      mark = () => {};
    } else {
      const [product, sentence] = part === "matrix"
        ? [forward(setting), counted(setting)]
        : [backward(setting), partsOfFilter(setting)];
      const drawn = productPart(product, sentence, onRow);
      panel.replaceChildren(drawn.element);
      mark = drawn.mark;
    }
    keepKeys(panel);
    drawRow();
  };
  const drawRow = () => mark(model.get("row"));
  return mount({ model, el }, view, [
    [["setting"], fields.draw],
    [["setting", "part", "step"], drawPart],
    [["row"], drawRow],
  ]);
}

export default { render };
