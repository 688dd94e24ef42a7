// @ts-check
// Numbers in cells, coloured by sign and size, in strips and in grids.

import { make, press } from "../shared/dom.mjs";
import { isCommand, movedInGrid, take } from "../shared/keyboard.mjs";
import { number } from "../shared/numbers.mjs";

/**
 * A number in as few characters as a cell has room for: "−1", "0.25", "3.1".
 *
 * @param {number} value
 */
export function short(value) {
  const whole = Math.round(value);
  if (Math.abs(value - whole) < 1e-9) return `${whole < 0 ? "−" : ""}${Math.abs(whole)}`;
  return number(value, 2).replace(/(\.\d*[1-9])0+$/, "$1");
}

/**
 * "x₁₂"
 *
 * @param {string} name
 * @param {number} index from 0
 */
export function indexed(name, index) {
  return name + String(index + 1).replace(/\d/g, (digit) => String.fromCharCode(0x2080 + Number(digit)));
}

/**
 * Names of the numbers of a padded signal: "x₁", and another for the padding.
 *
 * @param {string} name
 * @param {number} length of the signal
 * @param {number} padding
 * @param {string} added name of the padding
 */
export function paddedNames(name, length, padding, added) {
  const around = Array(padding).fill(added);
  return [...around, ...Array.from({ length }, (_, at) => indexed(name, at)), ...around];
}

/**
 * The largest magnitude, 1 where all are 0.
 *
 * @param {number[]} values
 */
export function scaleOf(values) {
  return Math.max(...values.map(Math.abs)) || 1;
}

/**
 * Writes and colours a number; a place that holds none stays empty.
 *
 * @param {HTMLElement} cell
 * @param {number | null} value
 * @param {number} scale the magnitude of the strongest colour
 */
export function fill(cell, value, scale) {
  const share = value === null ? 0 : value / scale;
  cell.textContent = value === null ? "" : short(value);
  cell.style.setProperty("--share", `${Math.round(Math.abs(share) * 100)}%`);
  cell.dataset.sign = value === null ? "none" : String(Math.sign(Math.abs(share) < 1e-9 ? 0 : share));
  cell.toggleAttribute("data-long", cell.textContent.length > 3);
  cell.dataset.strong = String(Math.abs(share) > 0.7);
}

/**
 * @typedef {{ element: HTMLElement, cells: HTMLElement[][], focus: (row: number, column: number) => void }} Grid
 *
 * @typedef {object} GridLook
 * @property {string} ariaLabel what is in the cells
 * @property {number} [scale] by default, the largest magnitude
 * @property {(row: number, column: number) => string} [describe] a name for each cell that can be pointed at
 * @property {(row: number, column: number) => void} [onPoint] called when a person points at a cell, with the
 *   mouse or by moving there with the arrow keys
 */

/**
 * Rows of cells.
 *
 * @param {number[][]} rows
 * @param {GridLook} look
 * @returns {Grid}
 */
export function grid(rows, { ariaLabel, scale = scaleOf(rows.flat()), describe = () => "", onPoint }) {
  const cells = rows.map((values, row) => values.map((value, column) => {
    const cell = onPoint
      ? press("", () => onPoint(row, column), { tabIndex: row || column ? -1 : 0, className: "xw-cell" })
      : make("span", { className: "xw-cell" });
    fill(cell, value, scale);
    if (onPoint) makePointed(cell, row, column, onPoint);
    return cell;
  }));
  const size = [rows.length, rows[0].length];
  const numbers = rows.map((values) => values.map(short).join(", ")).join("; ");
  const element = make("div", {
    className: "xw-cells", role: onPoint ? "group" : "img", ariaLabel: onPoint ? ariaLabel : `${ariaLabel}: ${numbers}`,
  }, ...cells.flat());
  element.style.setProperty("--xw-columns", String(size[1]));

  /**
   * @param {HTMLElement} cell
   * @param {number} row
   * @param {number} column
   * @param {(row: number, column: number) => void} point
   */
  function makePointed(cell, row, column, point) {
    cell.ariaLabel = describe(row, column);
    cell.addEventListener("pointerenter", () => point(row, column));
    cell.addEventListener("focus", () => point(row, column));
    cell.addEventListener("keydown", (event) => {
      const to = isCommand(event) ? null : movedInGrid([row, column], event.key, size);
      if (to === null) return;
      take(event);
      cells[to[0]][to[1]].focus();
    });
  }

  /** Marks the cell to which Tab comes. */
  const focus = (/** @type {number} */ row, /** @type {number} */ column) => {
    for (const cell of cells.flat()) cell.tabIndex = cell === cells[row][column] ? 0 : -1;
  };
  return { element, cells, focus };
}

/**
 * Marks the cells for which something holds.
 *
 * @param {HTMLElement[]} cells
 * @param {string} mark name of a data attribute
 * @param {(at: number) => boolean} holds
 */
export function markCells(cells, mark, holds) {
  for (const [at, cell] of cells.entries()) cell.toggleAttribute(`data-${mark}`, holds(at));
}

/**
 * Cells below what is said of them.
 *
 * @param {string | Node} label
 * @param {...HTMLElement} parts
 */
export function labelled(label, ...parts) {
  return make("div", { className: "xw-labelled" }, make("div", { className: "xw-label" }, label), ...parts);
}
