// @ts-check
// The neurons of a network as a table, ranked by one metric and compared with others.
//
// Ranks, top sets and order are worked out when the numbers or the choices change; scrolling only
// makes the rows that come into sight.

import { make, makeAlert, warn } from "./shared/dom.mjs";
import { metricName } from "./shared/neurons.mjs";
import { number } from "./shared/numbers.mjs";
import { mount } from "./shared/view.mjs";
import { makeWork } from "./shared/work.mjs";
import { makeControls } from "./ranking/controls.mjs";
import { makeGrid } from "./ranking/grid.mjs";
import { makeOverlap } from "./ranking/overlap.mjs";
import { neuronsOf, tableOf } from "./ranking/state.mjs";

/**
 * What to say where neurons are missing; "" where they are not.
 *
 * @param {Pick<import("./ranking/state.mjs").Table, "left" | "ticked" | "byActivity">} table
 */
export function emptiness({ left: { count, total, largest }, ticked, byActivity }) {
  if (!ticked) return "No layer is ticked.";
  if (!total) return "Nothing is computed yet.";
  if (count || !byActivity) return "";
  return `No neuron is active enough for the precision: the largest mean magnitude is ${number(largest)}.`;
}

/** @param {{ model: import("./shared/view.mjs").Model, el: HTMLElement }} place */
function render({ model, el }) {
  let neurons = neuronsOf(model);
  /** @type {import("./ranking/state.mjs").Table} */
  let table;
  const heading = make("div", { className: "xw-heading" });
  const controls = makeControls(model, () => drawTable());
  const alert = makeAlert();
  const work = makeWork(model, "progress", "share computed");
  const overlap = makeOverlap();
  const note = make("div", { className: "xw-note", role: "status" });
  const grid = makeGrid(model, () => table);
  const view = make("div", { className: "xw-view xw-ranking" },
    heading, controls.element, alert, work.element, overlap.element, note, grid.element, ...grid.words);

  const drawTable = () => {
    table = tableOf(model, neurons, controls.ticked());
    controls.tell(table);
    note.textContent = emptiness(table);
    overlap.show(table);
    grid.show();
  };
  const drawProgress = () => {
    const progress = model.get("progress");
    work.show(progress);
    grid.element.ariaBusy = String(progress.state === "computing");
    warn(alert, progress.state === "failed" ? `The ranking could not be computed: ${progress.message}` : "");
  };
  const drawTarget = () => {
    heading.textContent = ["Neurons", model.get("target")].filter(Boolean).join(" for ");
  };
  const drawMetrics = () => {
    const count = String(model.get("chosen").length);
    view.style.setProperty("--xw-metrics", count);
    view.dataset.metrics = count;
    grid.build();
    grid.element.ariaLabel = `Neurons by ${metricName(model.get("chosen")[0])}`;
  };
  return mount({ model, el }, view, [
    [["target"], drawTarget],
    [["progress"], drawProgress],
    ...controls.draws,
    [["chosen"], drawMetrics],
    [["layers", "table"], () => { neurons = neuronsOf(model); }],
    [["layers", "table", "maps", "chosen", "top", "minimum", "shown_layers", "find", "order"], drawTable],
    [["selected"], grid.drawSelection],
  ], grid.leave);
}

export default { render };
