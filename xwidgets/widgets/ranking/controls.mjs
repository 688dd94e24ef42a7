// @ts-check
// What is ranked, how many of each layer, and which layers.

import { keepKeys, make, press, tick } from "../shared/dom.mjs";
import { makeHelp, plainOf } from "../shared/help.mjs";
import { layerName, metricName } from "../shared/neurons.mjs";
import { put } from "../shared/view.mjs";
import { compared, rankedBy } from "./order.mjs";
import { makeArchitecture } from "./architecture.mjs";
import { shownLayers } from "./state.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("../shared/view.mjs").Draw} Draw
 */

/**
 * The metric that ranks, and those that are compared with it.
 *
 * @param {Model} model
 */
function makeMetrics(model) {
  /** @type {string[]} */
  const metrics = model.get("metrics");
  const first = make("select", {},
    ...metrics.map((metric) => make("option", { value: metric, textContent: `${metricName(metric)} · ${plainOf(metric)}` })));
  first.addEventListener("change", () => put(model, { chosen: rankedBy(model.get("chosen"), first.value) }));
  const boxes = metrics.map((metric) => tick(metricName(metric),
    (on) => put(model, { chosen: compared(model.get("chosen"), metric, on) }), { value: metric }));
  boxes.forEach(({ label }, at) => label.append(make("span", { className: "xw-quiet", textContent: plainOf(metrics[at]) })));
  const summary = make("summary");
  const others = make("details", {}, summary,
    make("div", { className: "xw-ticks" }, ...boxes.map(({ label }) => label)));
  const draw = () => {
    const [best, ...rest] = model.get("chosen");
    first.value = best;
    summary.textContent = `Compared with: ${rest.map(metricName).join(", ") || "none"}`;
    for (const { label, input } of boxes) {
      label.hidden = input.value === best;
      input.checked = [best, ...rest].includes(input.value);
    }
  };
  return { first: make("label", { className: "xw-field" }, "Ranked by", first, makeHelp("importance").element), others, draw };
}

/**
 * How many neurons of each layer are in the top sets.
 *
 * @param {Model} model
 */
function makeTop(model) {
  const top = make("input", { type: "number", min: "1", step: "1", required: true, value: "5" });
  top.addEventListener("input", () => top.checkValidity() && put(model, { top: top.valueAsNumber }));
  const all = tick("all", (on) => put(model, { top: on ? 0 : top.valueAsNumber || 5 }));
  const element = make("div", { className: "xw-field" },
    make("label", { className: "xw-field" }, "Best of each layer", top, makeHelp("importance").element), all.label);
  const draw = () => {
    all.input.checked = top.disabled = model.get("top") === 0;
    if (!top.disabled && top.valueAsNumber !== model.get("top")) top.value = model.get("top");
  };
  return { element, draw };
}

/**
 * The mean magnitude of its activation below which the precision does not rank a neuron.
 *
 * @param {Model} model
 */
function makeMinimum(model) {
  const minimum = make("input", { type: "number", min: "0", step: "any", required: true });
  minimum.addEventListener("input", () => {
    if (minimum.checkValidity()) put(model, { minimum: minimum.valueAsNumber });
  });
  const enough = make("output");
  const element = make("label", { className: "xw-field" }, "Mean magnitude at least", minimum, makeHelp("precision").element, enough);
  const draw = () => {
    if (minimum.valueAsNumber !== model.get("minimum")) minimum.value = model.get("minimum");
  };
  /** @param {import("./state.mjs").Table} table */
  const tell = ({ left, byActivity }) => {
    element.hidden = !byActivity;
    enough.textContent = left.total ? `${left.count} of ${left.total} active enough` : "";
  };
  return { element, draw, tell };
}

/**
 * Which layers are listed. No name stands for all of them; that none is ticked stays between this
 * view and its reader.
 *
 * @param {Model} model
 * @param {() => void} onTick
 */
function makeLayers(model, onTick) {
  /** @type {ReturnType<typeof tick>[]} */
  let boxes = [];
  const summary = make("summary");
  const list = make("div", { className: "xw-ticks" });
  const ticked = () => new Set(boxes.flatMap(({ input }, at) => (input.checked ? [at] : [])));
  const count = () => {
    const some = ticked().size;
    summary.textContent = `Layers: ${some === boxes.length ? "all" : `${some} of ${boxes.length}`}`;
  };
  const commit = () => {
    const names = boxes.filter(({ input }) => input.checked).map(({ input }) => input.value);
    if (names.length) put(model, { shown_layers: names.length === boxes.length ? [] : names });
    count();
    onTick();
  };
  /** @param {boolean} on */
  const tickAll = (on) => {
    for (const { input } of boxes) input.checked = on;
    commit();
  };
  const all = make("div", { className: "xw-ticks" },
    press("All", () => tickAll(true)), press("None", () => tickAll(false)));
  const element = make("details", {}, summary, all, list);
  const build = () => {
    boxes = model.get("layers").map((/** @type {{ name: string, convolution: number | null }} */ layer) =>
      tick(layerName(layer), commit, { value: layer.name }));
    list.replaceChildren(...boxes.map(({ label }) => label));
    keepKeys(list);
  };
  const draw = () => {
    const shown = shownLayers(model);
    boxes.forEach(({ input }, at) => { input.checked = shown.has(at); });
    count();
  };
  return { element, ticked, build, draw };
}

/**
 * The controls above the table.
 *
 * @param {Model} model
 * @param {() => void} onTick when other layers are ticked
 */
export function makeControls(model, onTick) {
  const [metrics, top, minimum] = [makeMetrics(model), makeTop(model), makeMinimum(model)];
  const [layers, architecture] = [makeLayers(model, onTick), makeArchitecture(model)];
  const find = make("input", { type: "search", placeholder: "layer or channel" });
  find.addEventListener("input", () => put(model, { find: find.value }));
  const element = make("div", { className: "xw-controls" },
    metrics.first, top.element, minimum.element, make("label", { className: "xw-field" }, "Find", find),
    metrics.others, layers.element, architecture.element);
  const drawFind = () => {
    if (find.value !== model.get("find")) find.value = model.get("find");
  };
  /** @type {Draw[]} */
  const draws = [
    [["layers"], layers.build],
    ...architecture.draws,
    [["layers", "shown_layers"], layers.draw],
    [["chosen"], metrics.draw],
    [["top"], top.draw],
    [["minimum"], minimum.draw],
    [["find"], drawFind],
  ];
  return { element, ticked: layers.ticked, tell: minimum.tell, draws };
}
