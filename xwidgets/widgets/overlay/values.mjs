// @ts-check
// The values of a map as a table: means over parts of what is shown of it.

import { make } from "../shared/dom.mjs";
import { brief } from "../shared/numbers.mjs";
import { LARGEST, UNKNOWN } from "./colors.mjs";
import { HATCHING, codesOf, hatchedOf, limitOf, shownFrame, telling } from "./frames.mjs";
import { pixelsIn } from "../shared/viewport.mjs";
import { viewportOf } from "./zoom.mjs";

const MOST_PARTS = 8; // in each direction

/**
 * @typedef {[first: number, last: number]} Range rows or columns, both of which count
 * @typedef {{ mean: number | null, hatched: boolean }} Value of a part: null where nothing of it is known;
 *   hatched where all that is known of it is
 */

/**
 * Rows or columns in at most eight ranges, whose lengths differ by at most one.
 *
 * @param {number[]} whole first and last
 * @returns {Range[]}
 */
export function rangesOf([first, last]) {
  const length = last - first + 1;
  const count = Math.min(MOST_PARTS, length);
  const edge = (/** @type {number} */ at) => first + Math.floor((at * length) / count);
  return Array.from({ length: count }, (_, at) => [edge(at), edge(at + 1) - 1]);
}

/**
 * The value of one part of a map.
 *
 * @param {import("./frames.mjs").Frame & { map: DataView }} frame
 * @param {Uint8Array} hatched
 * @param {number} width of the map
 * @param {Range} rows
 * @param {Range} columns
 * @returns {Value}
 */
export function partValue(frame, hatched, width, [top, bottom], [left, right]) {
  const codes = codesOf(frame.map);
  let [known, marked, sum] = [0, 0, 0];
  for (let row = top; row <= bottom; row++) {
    for (let i = row * width + left; i <= row * width + right; i++) {
      if (codes[i] === UNKNOWN) continue;
      known++;
      marked += hatched[i];
      sum += codes[i];
    }
  }
  return { mean: known ? (sum / known / LARGEST) * frame.scale : null, hatched: known > 0 && marked === known };
}

/**
 * "0–7"; "3" for one.
 *
 * @param {Range} range
 */
export function rangeText([first, last]) {
  return first === last ? String(first) : `${first}–${last}`;
}

/**
 * How values are told, so that they are short and can be compared: in which power of ten, and how
 * finely in that; the largest has at most two digits, and no step is finer than what is known.
 *
 * @param {number[]} told
 * @param {number} known distance of the values that a pixel can have
 */
export function finenessOf(told, known) {
  const unit = 10 ** Math.floor(Math.log10(known));
  const least = unit * ([1, 2, 5].find((digit) => digit * unit > known * (1 - 1e-9)) ?? 10);
  const largest = Math.max(...told.map(Math.abs));
  if (largest < least / 2) return { power: 0, step: least };
  const exponent = Math.floor(Math.log10(largest));
  const power = exponent < -1 || exponent > 3 ? exponent : 0;
  return { power, step: Math.max(10 ** (exponent - power - 1), least / 10 ** power) };
}

/**
 * A number that is rounded to a step: "+0.06", "−1.5", "≈ 0"; without a plus where there is no minus.
 *
 * @param {number} value
 * @param {number} step
 * @param {boolean} [signed]
 */
export function stepped(value, step, signed = true) {
  const size = Math.round(Math.abs(value) / step) * step;
  const sign = value < 0 ? "−" : signed ? "+" : "";
  return size === 0 ? "≈ 0" : `${sign}${brief(size)}`;
}

/**
 * "10⁻⁴ "; "" for 1.
 *
 * @param {number} power
 */
export function powerText(power) {
  return power ? `10${String(power).replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)])} ` : "";
}

/**
 * The texts of the values, and what they are.
 *
 * @param {import("./frames.mjs").Frame} frame
 * @param {Value[][]} values
 * @param {boolean} single whether each is of one pixel
 */
export function textsOf(frame, values, single) {
  const { factor, unit } = telling(frame);
  const told = values.flat().map(({ mean }) => (mean ?? 0) * factor);
  const { power, step } = finenessOf(told, (frame.scale * factor) / LARGEST);
  const texts = values.map((row) => row.map(({ mean, hatched }) => {
    if (mean === null) return "–";
    const text = stepped((mean * factor) / 10 ** power, step, frame.signed !== false);
    return hatched ? `(${text})` : text;
  }));
  const marked = values.flat().some(({ hatched }) => hatched);
  const caption = [
    `${single ? "Values" : "Means over parts of the picture"} in ${powerText(power)}${unit}, by rows and columns of pixels, in steps of ${brief(step)}.`,
    marked && `In brackets: ${single ? "hatched" : "all of it is hatched"}.`,
  ].filter(Boolean).join(" ");
  return { texts, caption };
}

/**
 * The table of a map.
 *
 * @param {import("./frames.mjs").Frame & { map: DataView }} frame
 * @param {Uint8Array} hatched
 * @param {number} width of the map
 * @param {{ rows: number[], columns: number[] }} part that is shown
 */
function fillTable(frame, hatched, width, part) {
  const [rows, columns] = [rangesOf(part.rows), rangesOf(part.columns)];
  const values = rows.map((row) => columns.map((column) => partValue(frame, hatched, width, row, column)));
  const { texts, caption } = textsOf(frame, values, [...rows, ...columns].every(([first, last]) => first === last));
  return [
    make("caption", {}, make("span", { textContent: caption })),
    make("thead", {}, make("tr", {}, make("td"),
      ...columns.map((column) => make("th", { scope: "col", textContent: rangeText(column) })))),
    make("tbody", {}, ...texts.map((row, y) => make("tr", {},
      make("th", { scope: "row", textContent: rangeText(rows[y]) }),
      ...row.map((textContent, x) => make("td", { className: values[y][x].hatched ? "xw-hatched" : "", textContent }))))),
  ];
}

/**
 * The table of the map at hand, which is there when it is asked for.
 *
 * @param {import("../shared/view.mjs").Model} model
 */
export function makeValues(model) {
  const table = make("table");
  const scroll = make("div", { className: "xw-scroll", tabIndex: 0, role: "group", ariaLabel: "values of the map" }, table);
  const element = make("details", { className: "xw-values" }, make("summary", { textContent: "Values as a table" }), scroll);
  const draw = () => {
    const [frame, [height, width]] = [shownFrame(model), model.get("shape")];
    const map = frame?.map;
    element.hidden = map?.byteLength !== height * width; // map and picture change one after the other
    if (!frame || !map || element.hidden || !element.open) return;
    const hatched = hatchedOf(frame, limitOf(model, frame), model.get("hide_uncertain"));
    table.replaceChildren(...fillTable({ ...frame, map }, hatched, width, pixelsIn(viewportOf(model), [height, width])));
  };
  element.addEventListener("toggle", draw);
  /** @type {import("../shared/view.mjs").Draw[]} */
  const draws = [[["shape", "frames", "index", "zoom", "center", ...HATCHING], draw]];
  return { element, draws };
}
