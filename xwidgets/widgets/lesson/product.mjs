// @ts-check
// A matrix times a vector: the vector stands above the columns, the product beside the rows.

import { make, press } from "../shared/dom.mjs";
import { isCommand, movedInList, take } from "../shared/keyboard.mjs";
import { fill, indexed, scaleOf, short } from "./cells.mjs";
import { dot, times } from "./convolution.mjs";

/**
 * @typedef {object} Product
 * @property {string} ariaLabel
 * @property {number[][]} matrix
 * @property {number[]} vector
 * @property {string[]} left names of the entries of the product
 * @property {string[]} right names of the entries of the vector
 * @property {(row: number, column: number) => number} weightAt which weight of the filter stands there, from 0;
 *   others than those of the filter are no weight
 * @property {number} weights how many there are
 * @property {(column: number) => boolean} [isAdded] whether an entry of the vector is padding
 */

/**
 * "y₂ = w₁·x₁ + w₂·x₂ = −1·3 + 1·5 = 2": a row times the vector, weight by weight.
 *
 * @param {Product} product
 * @param {number} row
 */
export function equation({ matrix, vector, left, right, weightAt, weights }, row) {
  const columns = vector.map((_, column) => column).filter((column) => {
    const weight = weightAt(row, column);
    return weight >= 0 && weight < weights;
  });
  const result = `${left[row]} = `;
  if (!columns.length) return `${result}0: no window reads this number`;
  const letters = columns.map((column) => `${indexed("w", weightAt(row, column))}·${right[column]}`);
  const bracketed = (/** @type {number} */ value) => (value < 0 ? `(${short(value)})` : short(value));
  const numbers = columns.map((column) => `${bracketed(matrix[row][column])}·${bracketed(vector[column])}`);
  return `${result}${letters.join(" + ")} = ${numbers.join(" + ")} = ${short(dot(matrix[row], vector))}`;
}

/**
 * The product as a table with a button for each row.
 *
 * @param {Product} product
 * @param {(row: number) => void} onRow called when a person goes to a row
 */
export function productTable(product, onRow) {
  const { matrix, vector, left, right, weightAt, weights, isAdded = () => false } = product;
  const results = times(matrix, vector);
  const [weightScale, vectorScale, resultScale] = [matrix.flat(), vector, results].map(scaleOf);
  const cellOf = (/** @type {number | null} */ value, /** @type {number} */ scale) => {
    const cell = make("td", { className: "xw-cell" });
    fill(cell, value, scale);
    return cell;
  };
  const top = vector.map((value, column) => {
    const cell = cellOf(value, vectorScale);
    cell.toggleAttribute("data-added", isAdded(column));
    return cell;
  });
  const names = vector.map((_, column) => make("th", { scope: "col", textContent: right[column] }));
  const body = matrix.map((values, row) => values.map((value, column) => {
    const weight = weightAt(row, column);
    return cellOf(weight >= 0 && weight < weights ? value : null, weightScale);
  }));
  const ends = results.map((value) => cellOf(value, resultScale));
  const buttons = matrix.map((_, row) => {
    const button = press(left[row], () => onRow(row), { ariaLabel: equation(product, row) });
    button.addEventListener("focus", () => onRow(row));
    button.addEventListener("keydown", (event) => {
      const to = isCommand(event) ? null : movedInList(row, event.key, matrix.length, matrix.length);
      if (to === null) return;
      take(event);
      buttons[to].focus();
    });
    return button;
  });
  const rows = matrix.map((_, row) => {
    const line = make("tr", {}, make("th", { scope: "row" }, buttons[row]), ...body[row],
      make("td", { className: "xw-equals", textContent: "=" }), ends[row]);
    line.addEventListener("pointerenter", () => onRow(row));
    return line;
  });
  const table = make("table", { ariaLabel: product.ariaLabel },
    make("thead", {}, make("tr", {}, make("td"), ...names, make("td"), make("td")),
      make("tr", { className: "xw-vector" }, make("td"), ...top, make("td"), make("td"))),
    make("tbody", {}, ...rows));
  const element = make("div", { className: "xw-scroll xw-product" }, table);

  /** @param {number} active */
  const mark = (active) => {
    for (const [column, cell] of top.entries()) {
      const weight = weightAt(active, column);
      cell.toggleAttribute("data-active", weight >= 0 && weight < weights);
    }
    for (const [row, line] of rows.entries()) {
      line.toggleAttribute("data-row", row === active);
      for (const [column, cell] of body[row].entries()) {
        cell.toggleAttribute("data-active", row === active && top[column].hasAttribute("data-active"));
      }
      ends[row].toggleAttribute("data-active", row === active);
      buttons[row].tabIndex = row === active ? 0 : -1;
    }
  };
  return { element, mark };
}
