// @ts-check
// One picture, several methods: small multiples that are read together.

import { make, makeAlert, press, warn } from "./shared/dom.mjs";
import { number } from "./shared/numbers.mjs";
import { mount } from "./shared/view.mjs";
import { makeWork, status } from "./shared/work.mjs";
import { makeLegend } from "./overlay/legend.mjs";
import { makeStage } from "./overlay/stage.mjs";
import { makeValues } from "./overlay/values.mjs";
import { makeTrace, randomisedWords } from "./comparison/randomised.mjs";

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 *
 * @typedef {{
 *   name?: string, asks: string, seconds?: number | null, frame?: import("./overlay/frames.mjs").Frame | null,
 *   progress: import("./shared/work.mjs").Progress, agreements: (number | null | undefined)[],
 *   layers: string[], randomised: (number | null)[],
 * }} Cell the map of one method, and what is known about it
 */

/** What a small map has for good, as an overlay's settings. */
const SETTINGS = {
  index: 0, scale: null, scale_locked: true, effect: null, threshold: 0, hide_uncertain: true, outline: false,
  object_threshold: 0.5, offer: "",
};

/** Traits of a cell's own, which change with the cells. */
const OWN = new Map([["frames", "cells"], ["progress", "cells"], ["index", "cells"]]);

/**
 * The model as the overlay of one cell sees it.
 *
 * @param {Model} model
 * @param {number} at
 * @returns {Model}
 */
export function cellModel(model, at) {
  /** @returns {Cell} */
  const cell = () => model.get("cells")[at];
  return {
    get: (/** @type {string} */ name) => {
      if (name === "frames") return [cell().frame].filter(Boolean);
      if (name === "progress") return cell().progress;
      return name in SETTINGS ? SETTINGS[/** @type {keyof typeof SETTINGS} */ (name)] : model.get(name);
    },
    set: (/** @type {string} */ name, /** @type {any} */ value) => model.set(name, value),
    save_changes: () => model.save_changes(),
    on: model.on, off: model.off, send: model.send,
  };
}

/**
 * The draws of a cell's overlay, by the traits of the whole view.
 *
 * @param {import("./shared/view.mjs").Draw[]} draws
 * @returns {import("./shared/view.mjs").Draw[]}
 */
export function drawsOfCell(draws) {
  return draws.map(([names, draw]) => [[...new Set(names.map((name) => OWN.get(name) ?? name))], draw]);
}

/**
 * What a map took: "computed in 0.31 s"; how far it is while it is computed.
 *
 * @param {Pick<Cell, "seconds" | "progress">} cell
 */
export function effort({ seconds, progress }) {
  if (progress.state !== "complete") return status(progress);
  return seconds === null || seconds === undefined ? "" : `computed in ${number(seconds, 2)} s`;
}

/**
 * How far a map agrees with the chosen one.
 *
 * @param {Pick<Cell, "agreements">} cell
 * @param {number} at
 * @param {number} chosen
 * @param {string} name of the chosen one
 */
export function agreementWords({ agreements }, at, chosen, name) {
  if (at === chosen) return "The others are compared with this map.";
  const value = agreements[chosen];
  return value === null || value === undefined ? "" : `Agrees with ${name}: ${number(value, 2)}`;
}

/**
 * One map with its words.
 *
 * @param {Model} model
 * @param {number} at
 */
function makeCell(model, at) {
  /** @returns {Cell[]} */
  const cells = () => model.get("cells");
  const own = cellModel(model, at);
  const [stage, legend, values, alert] = [makeStage(own), makeLegend(own), makeValues(own), makeAlert()];
  const choose = press("", () => { model.set("chosen", at); model.save_changes(); }, { className: "xw-choose" });
  const asks = make("p", { className: "xw-quiet" });
  const [took, agreement, random] = ["xw-quiet", "xw-agreement", "xw-quiet"].map((className) => make("p", { className }));
  const trace = makeTrace();
  const element = make("section", { className: "xw-overlay xw-method" },
    make("div", {}, choose, asks), stage.element, make("div", {}, alert, stage.readout), legend.element,
    make("div", {}, values.element, agreement, took, trace.element, random));
  const draw = () => {
    const [cell, chosen] = [cells()[at], model.get("chosen")];
    choose.textContent = cell.name ?? `map ${at + 1}`;
    choose.ariaPressed = String(at === chosen);
    choose.title = "Compare the others with this map";
    asks.textContent = cell.asks;
    took.textContent = effort(cell);
    agreement.textContent = agreementWords(cell, at, chosen, cells()[chosen]?.name ?? "the chosen map");
    trace.show(cell.layers, cell.randomised);
    random.textContent = randomisedWords(cell.layers, cell.randomised);
    warn(alert, cell.progress.state === "failed" ? cell.progress.message ?? "" : "");
  };
  /** @type {import("./shared/view.mjs").Draw[]} */
  const draws = [...drawsOfCell([...stage.draws, ...legend.draws, ...values.draws]), [["cells", "chosen"], draw]];
  return { element, draws };
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  /** @type {Cell[]} */
  const given = model.get("cells");
  const cells = given.map((_, at) => makeCell(model, at));
  const work = makeWork(model, "progress", "share of the maps computed");
  const randomising = makeWork(model, "randomising", "share of the layers randomised");
  const randomise = press("Randomise the weights, layer by layer", () => model.send({ type: "randomise" }));
  const view = make("div", { className: "xw-view xw-methods" },
    make("div", { className: "xw-small-multiples" }, ...cells.map(({ element }) => element)),
    work.element, randomise, randomising.element);
  const drawRandomising = () => {
    const progress = model.get("randomising");
    randomising.element.hidden = !progress.state || progress.state === "complete";
    randomise.hidden = Boolean(progress.state);
    randomising.show(progress);
  };
  const drawWork = () => {
    const progress = model.get("progress");
    work.element.hidden = progress.state === "complete";
    work.show(progress);
  };
  return mount({ model, el }, view, [
    ...cells.flatMap(({ draws }) => draws),
    [["progress"], drawWork],
    [["randomising"], drawRandomising],
  ]);
}

export default { render };
