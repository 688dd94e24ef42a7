// @ts-check
// What the table shows, worked out once for all its parts when numbers or choices change.

import { idOf } from "../shared/neurons.mjs";
import { measure, read, remaining, shared, union } from "./measures.mjs";
import { matches, possible, sorted } from "./order.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("./measures.mjs").Neurons} Neurons
 * @typedef {import("./measures.mjs").Column} Column
 * @typedef {import("../shared/neurons.mjs").Neuron} Neuron
 *
 * @typedef {{
 *   neurons: Neurons, columns: Column[], rows: number[], common: Set<number>, listed: number[],
 *   pairs: Neuron[], places: Map<string, number>, order: import("./order.mjs").Order,
 *   left: { count: number, total: number, largest: number }, ticked: number, byActivity: boolean,
 * }} Table `rows` are in a top set, `common` in all of them; `listed` are the rows that the filter
 *   leaves, `pairs` what they are, `places` where each is in the list
 */

/**
 * The places of the layers that are shown; all where none is named.
 *
 * @param {Model} model
 */
export function shownLayers(model) {
  const names = model.get("shown_layers");
  return new Set(model.get("layers").flatMap((/** @type {{ name: string }} */ { name }, /** @type {number} */ at) =>
    (!names.length || names.includes(name) ? [at] : [])));
}

/**
 * What the table shows.
 *
 * @param {Model} model
 * @param {Neurons} neurons
 * @param {Set<number>} shown the ticked layers
 * @returns {Table}
 */
export function tableOf(model, neurons, shown) {
  const choices = { top: model.get("top"), minimum: model.get("minimum"), shown };
  const chosen = model.get("chosen");
  const columns = chosen.map((/** @type {string} */ metric) => measure(neurons, metric, choices));
  const rows = union(columns);
  const [layers, sought] = [model.get("layers"), model.get("find")];
  const found = rows.filter((at) => matches(sought, layers[neurons.layer[at]], neurons.channel[at]));
  const order = possible(model.get("order"), chosen);
  const listed = sorted(found, neurons, columns, order);
  const pairs = listed.map((at) => neurons.pairs[at]);
  return {
    neurons, columns, rows, listed, pairs, order,
    common: new Set(columns.length > 1 ? shared(columns) : []),
    places: new Map(pairs.map((pair, at) => [idOf(pair), at])),
    left: remaining(neurons, choices.minimum, shown),
    ticked: shown.size,
    byActivity: chosen.includes("activation_precision"),
  };
}

/**
 * The neurons that the model tells of.
 *
 * @param {Model} model
 */
export function neuronsOf(model) {
  return read(model.get("table"), model.get("metrics"), model.get("layers"));
}
