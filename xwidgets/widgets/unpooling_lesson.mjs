// @ts-check
// Max pooling and unpooling by its switches, of a signal and of a map.
//
// All numbers are computed here, so that the lesson is as alive in a page without a kernel.

import { grid, labelled, markCells, scaleOf, short } from "./lesson/cells.mjs";
import { wholeField } from "./lesson/fields.mjs";
import { inside, pool, unpool } from "./lesson/pooling.mjs";
import { keepKeys, make, makeAlert, press, warn } from "./shared/dom.mjs";
import { mount, put } from "./shared/view.mjs";

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 *
 * @typedef {import("./lesson/pooling.mjs").PooledMap} PooledMap
 */

/**
 * "Window 2: 7 is the largest of 3, 7, and stood at place 4.": what an output is, and its switch.
 *
 * @param {number[][]} rows
 * @param {PooledMap} pooled
 * @param {number} y
 * @param {number} x
 */
export function switchOf(rows, { values, switches, windows }, y, x) {
  const { row, column, height, width } = windows[y][x];
  const numbers = rows.slice(row, row + height).flatMap((line) => line.slice(column, column + width));
  const [down, across] = switches[y][x];
  const place = rows.length === 1 ? `place ${across + 1}` : `row ${down + 1}, column ${across + 1}`;
  return `${short(values[y][x])} is the largest of ${numbers.map(short).join(", ")}; its switch is ${place}, and there it is put back.`;
}

/**
 * Whether pooling again gives the same outputs, in a sentence.
 *
 * @param {number[][]} before
 * @param {number[][]} again
 * @param {boolean} overlapping
 */
export function pooledAgain(before, again, overlapping) {
  const pairs = before.flat().map((value, at) => [value, again.flat()[at]]);
  const changed = pairs.find(([one, other]) => one !== other);
  if (!changed) return "Pooled again, this gives the same outputs.";
  const why = overlapping
    ? "windows overlap, and one reads what another put back"
    : "an output is below 0, and the zeros around it are larger";
  return `Pooled again, this gives ${short(changed[1])} in place of ${short(changed[0])}: ${why}.`;
}

/**
 * Input, outputs and what is put back, of a signal (one row) or of a map.
 *
 * @param {number[][]} rows
 * @param {number} window
 * @param {number} stride
 * @param {string} name
 * @param {(y: number, x: number) => void} onPoint
 */
function pools(rows, window, stride, name, onPoint) {
  /** @type {[number, number]} */
  const size = [rows.length === 1 ? 1 : window, window];
  const pooled = pool(rows, size, stride);
  const unpooled = unpool(pooled, [rows.length, rows[0].length]);
  const scale = scaleOf(rows.flat());
  const input = grid(rows, { ariaLabel: name, scale });
  const outputs = grid(pooled.values, {
    ariaLabel: "outputs", scale, onPoint, describe: (y, x) => switchOf(rows, pooled, y, x),
  });
  const back = grid(unpooled, { ariaLabel: "unpooled", scale: scaleOf(unpooled.flat()) });
  const isSwitch = (/** @type {number} */ at) =>
    pooled.switches.flat().some(([y, x]) => y * rows[0].length + x === at);
  markCells(input.cells.flat(), "switch", isSwitch);
  markCells(back.cells.flat(), "switch", isSwitch);
  markCells(back.cells.flat(), "added", (at) => !isSwitch(at));
  const reading = make("div", { className: "xw-reading", ariaLive: "polite" });
  const again = pool(unpooled, size, stride);
  const sentence = make("p", { textContent: pooledAgain(pooled.values, again.values, stride < window) });
  const element = make("div", {},
    make("div", { className: rows.length === 1 ? "" : "xw-row xw-maps" },
      labelled(`${name}, its switches framed`, input.element),
      labelled("max-pooled", outputs.element),
      labelled("unpooled by the switches", back.element)),
    reading, sentence);
  /** @param {number[]} place */
  const mark = ([y = 0, x = 0]) => {
    const down = Math.min(y, pooled.values.length - 1);
    const across = Math.min(x, pooled.values[0].length - 1);
    const columns = rows[0].length;
    const [row, column] = pooled.switches[down][across];
    markCells(input.cells.flat(), "active", (at) =>
      inside(pooled.windows[down][across], Math.floor(at / columns), at % columns));
    markCells(outputs.cells.flat(), "active", (at) => at === down * pooled.values[0].length + across);
    markCells(back.cells.flat(), "active", (at) => at === row * columns + column);
    outputs.focus(down, across);
    reading.textContent = switchOf(rows, pooled, down, across);
  };
  return { element, mark };
}

/**
 * Whole numbers as different from each other as can be.
 *
 * @param {number} count
 * @param {boolean} negative whether some are below 0
 */
export function drawn(count, negative) {
  return Array.from({ length: count }, () => Math.floor(Math.random() * 10) - (negative ? 5 : 0));
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const alert = makeAlert();
  const most = () => Math.min(model.get("signal").length, model.get("map").length, model.get("map")[0].length);
  const change = (/** @type {string} */ name, /** @type {number} */ value, /** @type {number} */ largest) => {
    const fits = Number.isInteger(value) && value >= 1 && value <= largest;
    if (fits) put(model, { [name]: value });
    warn(alert, fits ? "" : `The ${name} must be a whole number from 1 to ${largest}.`);
  };
  const window = wholeField("Window", 1, (value) => change("window", value, most()));
  const stride = wholeField("Stride", 1, (value) => change("stride", value, most()));
  const renew = (/** @type {boolean} */ negative) => {
    const columns = model.get("map")[0].length;
    put(model, {
      signal: drawn(model.get("signal").length, negative),
      map: model.get("map").map(() => drawn(columns, negative)),
    });
  };
  const line = make("div");
  const area = make("div");
  const view = make("div", { className: "xw-view xw-lesson xw-unpooling" },
    make("div", { className: "xw-row" }, window.element, stride.element,
      press("Other numbers", () => renew(false)), press("Some below 0", () => renew(true))), alert,
    make("div", { className: "xw-heading", textContent: "A signal" }), make("div", { className: "xw-scroll" }, line),
    make("div", { className: "xw-heading", textContent: "A map" }), make("div", { className: "xw-scroll" }, area));
  /** @type {{ mark: (place: number[]) => void }[]} */
  let [ofSignal, ofMap] = [{ mark: () => {} }, { mark: () => {} }];

  const draw = () => {
    const [size, step] = ["window", "stride"].map((name) => model.get(name));
    window.show(size, most());
    stride.show(step, most());
    warn(alert, "");
    const signal = pools([model.get("signal")], size, step, "signal", (_, x) => put(model, { output: x }));
    const map = pools(model.get("map"), size, step, "map", (y, x) => put(model, { cell: [y, x] }));
    line.replaceChildren(signal.element);
    area.replaceChildren(map.element);
    [ofSignal, ofMap] = [signal, map];
    keepKeys(view);
    markSignal();
    markMap();
  };
  const markSignal = () => ofSignal.mark([0, model.get("output")]);
  const markMap = () => ofMap.mark(model.get("cell"));
  return mount({ model, el }, view, [
    [["signal", "map", "window", "stride"], draw],
    [["output"], markSignal],
    [["cell"], markMap],
  ]);
}

export default { render };
