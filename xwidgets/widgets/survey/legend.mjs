// @ts-check
// What the colours of the points mean; a press on a name selects its pictures.

import { keepKeys, make, press } from "../shared/dom.mjs";
import { makeDropDown } from "../shared/control.mjs";
import { number } from "../shared/numbers.mjs";
import { put } from "../shared/view.mjs";
import { rangeOf } from "./points.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("./survey.mjs").Survey} Survey
 */

const LISTED = 30; // names, the most frequent

/**
 * Number of points of each name, and of those that have none.
 *
 * @param {ArrayLike<number>} values places of names, -1 for none
 * @param {number} names
 */
export function countsOf(values, names) {
  const counts = new Array(names).fill(0);
  let none = 0;
  for (let at = 0; at < values.length; at++) {
    if (values[at] < 0) none++;
    else counts[values[at]]++;
  }
  return { counts, none };
}

/**
 * @param {Model} model
 * @param {() => Survey} survey
 */
export function makeLegend(model, survey) {
  const choice = makeDropDown((place) => put(model, { colored_by: survey().columns[place].name }));
  const keys = make("div", { className: "xw-keys" });
  const [ramp, ends] = [make("div", { className: "xw-colors" }), make("div", { className: "xw-range" })];
  const element = make("div", { className: "xw-color-key" },
    make("label", { className: "xw-control" }, make("span", { textContent: "Colour by" }), choice.input), keys, ramp, ends);
  const select = (/** @type {number} */ code) => {
    const { points, column } = survey();
    put(model, { selected: [...points.numbers].filter((_, at) => column?.values[at] === code).sort((one, other) => one - other) });
  };
  const draw = () => {
    const { columns, column } = survey();
    element.hidden = !column;
    if (!column) return;
    choice.set(columns.map(({ name }) => name), columns.indexOf(column));
    const { names, colors = [], values, stops = [] } = column;
    keys.hidden = !names;
    ramp.hidden = ends.hidden = Boolean(names);
    if (!names) {
      const [least, most] = rangeOf(values) ?? [NaN, NaN];
      ramp.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
      ends.replaceChildren(make("span", { textContent: number(least) }), make("span", { textContent: number(most) }));
      return;
    }
    const { counts, none } = countsOf(values, names.length);
    const buttons = names.slice(0, LISTED).map((name, code) => {
      const dot = make("i", { className: "xw-dot" });
      dot.style.background = colors[code];
      return press([dot, `${name} `, make("span", { className: "xw-quiet", textContent: String(counts[code]) })],
        () => select(code), { title: `select the ${counts[code]} pictures` });
    });
    const rest = names.length > LISTED ? [`${names.length - LISTED} more names`] : [];
    const unknown = none ? [`${none} without one`] : [];
    const words = [...rest, ...unknown].join(", ");
    keys.replaceChildren(...buttons, ...(words ? [make("span", { className: "xw-quiet", textContent: words })] : []));
    keepKeys(keys);
  };
  return { element, draws: /** @type {import("../shared/view.mjs").Draw[]} */ ([[["columns", "colored_by"], draw]]) };
}
