// @ts-check
// The rows in sight: scrolling only makes those that come into it.

import { make } from "../shared/dom.mjs";
import { drawPixels } from "../shared/pictures.mjs";
import { number, percent } from "../shared/numbers.mjs";

export const ROW = 36; // pixels, as in the style sheet
const SPARE = 4; // rows made above and below those in sight

/** @typedef {import("./state.mjs").Table} Table */

/**
 * The first row to make and the one after the last.
 *
 * @param {number} scrolled
 * @param {number} height
 * @param {number} count
 */
export function inSight(scrolled, height, count) {
  const first = Math.floor(scrolled / ROW) - SPARE;
  const end = Math.ceil((scrolled + height) / ROW) + SPARE;
  return [Math.max(0, first), Math.min(count, end)];
}

/**
 * How far to scroll so that row `at` is in sight.
 *
 * @param {number} at
 * @param {number} scrolled
 * @param {number} height
 */
export function scrolledTo(at, scrolled, height) {
  return Math.max(Math.min(scrolled, at * ROW), (at + 1) * ROW - height);
}

/**
 * Grey RGBA pixels.
 *
 * @param {Uint8Array} values
 */
export function grey(values) {
  const pixels = new Uint8ClampedArray(4 * values.length).fill(255);
  values.forEach((value, at) => pixels.fill(value, 4 * at, 4 * at + 3));
  return pixels;
}

/**
 * @param {string} className
 * @param {...(Node | string)} children
 */
function cell(className, ...children) {
  return make("div", { className, role: "gridcell" }, ...children);
}

/**
 * Value, rank and share of a neuron by one metric.
 *
 * @param {import("./measures.mjs").Column} column
 * @param {number} neuron
 */
function makeMeasures({ values, ranks, shares, inTop }, neuron) {
  const rank = make("span", { textContent: ranks[neuron] || "–" });
  if (inTop[neuron]) Object.assign(rank, { className: "xw-top", title: "in the top set" });
  const length = make("i");
  length.style.width = `${100 * (shares[neuron] || 0)}%`;
  return [
    cell("xw-value", number(values[neuron])),
    cell("", rank),
    cell("xw-share", make("span", { className: "xw-bar" }, length),
      make("span", { className: "xw-percent", textContent: percent(shares[neuron]) })),
  ];
}

/**
 * A row of the table.
 *
 * @param {Table} table
 * @param {number} at
 * @param {{ name: string, convolution: number | null }} layer
 * @param {HTMLCanvasElement} map
 */
function makeRow({ neurons, columns, common, listed }, at, { name, convolution }, map) {
  const neuron = listed[at];
  const star = make("span", { className: "xw-star", role: "img", ariaLabel: "in all top sets", textContent: "★" });
  const row = make("div", { className: "xw-cells xw-row", role: "row" },
    cell("xw-mark"),
    cell("xw-layer", ...(convolution === null ? [] : [make("span", { textContent: `conv ${convolution}` })]),
      make("span", { textContent: name, title: name })),
    cell("", ...(common.has(neuron) ? [star] : []), String(neurons.channel[neuron])),
    cell("xw-map", map),
    ...columns.flatMap((column) => makeMeasures(column, neuron)));
  row.classList.toggle("xw-common", common.has(neuron));
  row.dataset.at = String(at);
  row.style.transform = `translateY(${ROW * at}px)`;
  return row;
}

/**
 * The part of a list that is in sight, in an element as high as the whole.
 *
 * @param {import("../shared/view.mjs").Model} model
 * @param {(row: HTMLElement, at: number) => void} mark shows whether a row is selected
 */
export function makeRows(model, mark) {
  const element = make("div", { className: "xw-body", role: "rowgroup" });
  /** @type {Map<number, HTMLElement>} */
  const drawn = new Map(); // by place in the list
  /** @type {HTMLCanvasElement[]} */
  const canvases = []; // of rows that were removed; making one is the slowest part of a row

  /** @param {number} neuron */
  const thumbnail = (neuron) => {
    const { data, height, width } = model.get("maps");
    const canvas = canvases.pop() ?? make("canvas", { role: "img", ariaLabel: "feature map" });
    const values = new Uint8Array(data.buffer, data.byteOffset + neuron * height * width, height * width);
    drawPixels(canvas, grey(values), width);
    return canvas;
  };
  /** @param {(at: number) => boolean} which */
  const remove = (which) => {
    for (const [at, row] of drawn) {
      if (!which(at)) continue;
      const canvas = row.querySelector("canvas");
      if (canvas) canvases.push(canvas);
      row.remove();
      drawn.delete(at);
    }
  };
  /** Forgets the rows of another list. */
  const clear = () => remove(() => true);
  /**
   * Makes the rows in sight.
   *
   * @param {Table} table
   * @param {number} scrolled
   * @param {number} height
   */
  const draw = (table, scrolled, height) => {
    const [from, end] = inSight(scrolled, height, table.listed.length);
    remove((at) => at < from || at >= end);
    for (let at = end - 1; at >= from; at--) {
      if (drawn.has(at)) continue;
      const neuron = table.listed[at];
      const row = makeRow(table, at, model.get("layers")[table.neurons.layer[neuron]], thumbnail(neuron));
      mark(row, at);
      element.insertBefore(row, drawn.get(at + 1) ?? null);
      drawn.set(at, row);
    }
  };
  const markAll = () => {
    for (const [at, row] of drawn) mark(row, at);
  };
  return { element, clear, draw, markAll };
}
