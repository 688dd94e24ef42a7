// @ts-check
// A survey's points and columns, read once for all panels that show them.

import { arrayOf, pointsOf } from "./points.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("./points.mjs").Column} Column
 * @typedef {import("./points.mjs").Points} Points
 */

/** Width of the plane of points, divided by its height. */
export const ASPECT = 4 / 3;

/**
 * @typedef {{
 *   points: Points, columns: Column[], column: Column | undefined, rowOf: Map<number, number>,
 *   chosen: Uint8Array | null,
 * }} Survey rowOf: of each picture, by its number, the place of its point in the list; chosen: 1 for each selected
 *   point, null for no selection
 */

/**
 * What gives the survey as the model has it; only what has changed is read again.
 *
 * @param {Model} model
 * @returns {() => Survey}
 */
export function surveyOf(model) {
  /** @type {Map<string, { of: unknown[], value: any }>} */
  const kept = new Map();
  /**
   * @template T
   * @param {string} name
   * @param {unknown[]} of
   * @param {() => T} make
   * @returns {T}
   */
  const once = (name, of, make) => {
    const before = kept.get(name);
    if (before?.of.every((value, at) => value === of[at])) return before.value;
    const value = make();
    kept.set(name, { of, value });
    return value;
  };
  return () => {
    const [bytes, places, raw, selected] = ["numbers", "places", "columns", "selected"].map((name) => model.get(name));
    const points = once("points", [bytes, places], () => {
      return pointsOf(arrayOf(bytes, Int32Array), arrayOf(places, Float32Array), ASPECT);
    });
    const rowOf = once("rows", [points], () => new Map([...points.numbers].map((number, row) => [number, row])));
    /** @type {Column[]} */
    const columns = once("columns", [raw], () => raw.map((/** @type {any} */ column) => ({
      ...column, values: arrayOf(column.values, column.names ? Int16Array : Float32Array),
    })));
    const chosen = once("chosen", [points, selected], () => {
      if (!selected.length) return null;
      const marks = new Uint8Array(points.numbers.length);
      for (const number of selected) {
        const row = rowOf.get(number);
        if (row !== undefined) marks[row] = 1;
      }
      return marks;
    });
    const column = columns.find(({ name }) => name === model.get("colored_by"));
    return { points, columns, column, rowOf, chosen };
  };
}

/**
 * What the columns say of a point, a line each.
 *
 * @param {Survey} survey
 * @param {number} place of the point
 * @param {(value: number) => string} write a number
 */
export function wordsOf({ columns }, place, write) {
  return columns.flatMap(({ name, names, values }) => {
    const value = values[place];
    if (names ? value < 0 : Number.isNaN(value)) return [];
    return [`${name}: ${names ? names[value] : write(value)}`];
  });
}
