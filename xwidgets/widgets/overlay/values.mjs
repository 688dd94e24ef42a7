// @ts-check
// The values of a map as a table: means over parts of what is shown of it.

import { make } from "../shared/dom.mjs";
import { number, signed } from "../shared/numbers.mjs";
import { LARGEST, UNKNOWN } from "./colors.mjs";
import { HATCHING, codesOf, hatchedOf, limitOf, shownFrame, telling } from "./frames.mjs";
import { pixelsIn } from "./viewport.mjs";
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
 * What stands in the table.
 *
 * @param {import("./frames.mjs").Frame} frame
 * @param {Value[]} values
 * @param {boolean} single whether each is of one pixel
 */
export function captionOf(frame, values, single) {
  const what = single ? "Values" : "Means over parts of the picture";
  const lines = values.some(({ hatched }) => hatched)
    ? ` In brackets: ${single ? "hatched" : "all of it is hatched"}.`
    : "";
  return `${what}, in ${telling(frame).unit}, by rows and columns of pixels.${lines}`;
}

/**
 * A value as it stands in the table.
 *
 * @param {import("./frames.mjs").Frame} frame
 * @param {Value} value
 */
export function valueText(frame, { mean, hatched }) {
  if (mean === null) return "–";
  const told = mean * telling(frame).factor;
  const text = frame.signed === false ? number(told, 2) : signed(told, 2);
  return hatched ? `(${text})` : text;
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
  const single = [...rows, ...columns].every(([first, last]) => first === last);
  return [
    make("caption", { textContent: captionOf(frame, values.flat(), single) }),
    make("thead", {}, make("tr", {}, make("td"),
      ...columns.map((column) => make("th", { scope: "col", textContent: rangeText(column) })))),
    make("tbody", {}, ...values.map((row, at) => make("tr", {},
      make("th", { scope: "row", textContent: rangeText(rows[at]) }),
      ...row.map((value) => make("td", {
        className: value.hatched ? "xw-hatched" : "", textContent: valueText(frame, value),
      }))))),
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
