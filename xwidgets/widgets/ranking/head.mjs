// @ts-check
// The two rows of titles above the table, whose buttons sort it.

import { keepKeys, make, press } from "../shared/dom.mjs";
import { makeHelp, plainOf } from "../shared/help.mjs";
import { metricName } from "../shared/neurons.mjs";
import { put } from "../shared/view.mjs";
import { ordered, possible } from "./order.mjs";

/**
 * @typedef {import("./order.mjs").Key} Key
 * @typedef {import("../shared/view.mjs").Model} Model
 */

/** @param {Record<string, any>} properties */
function title(properties) {
  return make("div", { role: "columnheader", ...properties });
}

/**
 * The title of a metric's columns, with help on it.
 *
 * @param {string} metric
 */
function titled(metric) {
  const plain = plainOf(metric);
  const cell = title({ className: "xw-metric", ariaColSpan: 3, ariaLabel: metricName(metric) });
  cell.append(metricName(metric), makeHelp(metric).element,
    make("div", { className: "xw-plain", title: plain, textContent: plain }));
  return cell;
}

/**
 * What tells columns apart.
 *
 * @param {Key} by
 * @param {string} [metric]
 */
function columnId(by, metric = "") {
  return `${metric} ${by}`;
}

/**
 * A title that sorts the table by its column.
 *
 * @param {Model} model
 * @param {Key} by
 * @param {string} [metric]
 */
function makeTitle(model, by, metric) {
  const button = press(by, () => {
    put(model, { order: ordered(possible(model.get("order"), model.get("chosen")), by, metric) });
  });
  if (metric) button.ariaLabel = `${by}, ${metricName(metric)}`;
  if (by === "share") button.title = "share of the best value of the layer";
  const cell = title({ className: `xw-${by}`, ariaSort: "none" });
  cell.dataset.of = columnId(by, metric);
  cell.append(button);
  return cell;
}

/**
 * The titles of the columns.
 *
 * @param {Model} model
 */
export function makeHead(model) {
  const element = make("div", { className: "xw-head", role: "rowgroup" });
  const selected = title({});
  selected.append(make("span", { className: "xw-spoken", textContent: "selected" }));
  const build = () => {
    /** @type {string[]} */
    const chosen = model.get("chosen");
    /** @type {Key[]} */
    const keys = ["value", "rank", "share"];
    element.replaceChildren(
      make("div", { className: "xw-cells", role: "row", ariaRowIndex: 1 },
        title({ className: "xw-neuron", ariaColSpan: 4, textContent: "neuron" }),
        ...chosen.map((metric) =>
          titled(metric))),
      make("div", { className: "xw-cells", role: "row", ariaRowIndex: 2 },
        selected, makeTitle(model, "layer"), makeTitle(model, "channel"),
        title({ textContent: "map" }),
        ...chosen.flatMap((metric) => keys.map((by) => makeTitle(model, by, metric)))));
    keepKeys(element);
  };
  /** @param {import("./order.mjs").Order} order */
  const mark = ({ by, metric, down }) => {
    for (const cell of element.querySelectorAll("[aria-sort]")) {
      const sorts = cell instanceof HTMLElement && cell.dataset.of === columnId(by, metric);
      cell.ariaSort = sorts ? (down ? "descending" : "ascending") : "none";
    }
  };
  return { element, build, mark };
}
