// @ts-check
// How far the top sets of several metrics are the same.

import { keepKeys, make } from "../shared/dom.mjs";
import { makeHelp } from "../shared/help.mjs";
import { metricName } from "../shared/neurons.mjs";
import { number } from "../shared/numbers.mjs";
import { jaccard } from "./measures.mjs";

/** @typedef {import("./measures.mjs").Column} Column */

/**
 * The Jaccard index of every two top sets.
 *
 * @param {Column[]} columns
 */
function makeMatrix(columns) {
  /** @param {string} scope */
  const title = (scope) => (/** @type {Column} */ { metric }) => make("th", { scope, textContent: metricName(metric) });
  const rows = columns.slice(1).map((column, at) => make("tr", {}, title("row")(column),
    ...columns.slice(0, at + 1).map((other) => make("td", { textContent: number(jaccard(other, column)) }))));
  return make("table", {},
    make("caption", {}, "Jaccard index of the top sets", makeHelp("Jaccard").element),
    make("tr", {}, make("td"), ...columns.slice(0, -1).map(title("col"))), ...rows);
}

/** What is said of the overlap of top sets. */
export function makeOverlap() {
  const element = make("div", { className: "xw-overlap" });
  /** @param {import("./state.mjs").Table} table */
  const show = ({ columns, rows, common }) => {
    element.hidden = columns.length < 2;
    const sets = columns.length === 2 ? "both top sets" : `all ${columns.length} top sets`;
    const words = `${common.size} of ${rows.length} neurons are in ${sets} (★)`;
    if (columns.length === 2) {
      const [one, other] = columns;
      const index = make("b", { textContent: `Jaccard index ${number(jaccard(one, other))}` });
      element.replaceChildren(index, makeHelp("Jaccard").element, `: ${words}`);
    } else {
      element.replaceChildren(makeMatrix(columns), words);
    }
    keepKeys(element);
  };
  return { element, show };
}
