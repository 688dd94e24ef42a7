// @ts-check
// Which rows are listed, in which order, and which of them are selected.

import { idOf, layerName } from "../shared/neurons.mjs";
import { compare } from "./measures.mjs";

/**
 * @typedef {import("../shared/neurons.mjs").Neuron} Neuron
 * @typedef {import("./measures.mjs").Column} Column
 * @typedef {"layer" | "channel" | "value" | "rank" | "share"} Key
 * @typedef {{ by: Key, metric?: string, down: boolean }} Order
 */

/** @type {Order} */
export const DEFAULT_ORDER = { by: "layer", down: true }; // the last layers first

/**
 * Whether a neuron is looked for: a number finds channels, other text layers.
 *
 * @param {string} text
 * @param {{ name: string, convolution: number | null }} layer
 * @param {number} channel
 */
export function matches(text, layer, channel) {
  const sought = text.trim().toLowerCase();
  return /^\d+$/.test(sought) ? Number(sought) === channel : layerName(layer).toLowerCase().includes(sought);
}

/**
 * The order after a press on a column's header.
 *
 * @param {Order} order
 * @param {Key} by
 * @param {string} [metric]
 * @returns {Order}
 */
export function ordered(order, by, metric) {
  const same = order.by === by && order.metric === metric;
  const down = same ? !order.down : by === "value" || by === "share";
  return metric === undefined ? { by, down } : { by, metric, down };
}

/**
 * The order, or the usual one where its metric is not shown.
 *
 * @param {Partial<Order>} order
 * @param {string[]} chosen
 * @returns {Order}
 */
export function possible(order, chosen) {
  const known = order.metric === undefined || chosen.includes(order.metric);
  return known && order.by ? { down: false, ...order, by: order.by } : DEFAULT_ORDER;
}

/**
 * Rows by a column; ties by layer, then rank by the first metric, then channel.
 *
 * @param {number[]} rows
 * @param {{ layer: Int32Array, channel: Int32Array }} neurons
 * @param {Column[]} columns
 * @param {Order} order
 */
export function sorted(rows, { layer, channel }, columns, { by, metric, down }) {
  const column = columns.find((each) => each.metric === metric) ?? columns[0];
  /** @param {Column} of */
  const rank = (of) => (/** @type {number} */ at) => of.ranks[at] || NaN;
  const key = {
    layer: (/** @type {number} */ at) => layer[at],
    channel: (/** @type {number} */ at) => channel[at],
    value: (/** @type {number} */ at) => column.values[at],
    rank: rank(column),
    share: (/** @type {number} */ at) => column.shares[at],
  }[by];
  const first = rank(columns[0]);
  return [...rows].sort((a, b) => compare(key(a), key(b), down ? -1 : 1)
    || layer[a] - layer[b] || compare(first(a), first(b), 1) || channel[a] - channel[b]);
}

/**
 * The chosen metrics when another one is to rank; one that was compared changes places.
 *
 * @param {string[]} chosen
 * @param {string} metric
 */
export function rankedBy(chosen, metric) {
  const rest = chosen.includes(metric) ? chosen.filter((each) => each !== metric) : chosen.slice(1);
  return [metric, ...rest];
}

/**
 * The chosen metrics when one is compared, or no longer.
 *
 * @param {string[]} chosen
 * @param {string} metric
 * @param {boolean} on
 */
export function compared(chosen, metric, on) {
  const rest = chosen.filter((each) => each !== metric);
  return on ? [...rest, metric] : rest;
}

/**
 * The selection after row `at` of the listed neurons was chosen.
 *
 * @param {Neuron[]} selected
 * @param {Neuron[]} listed
 * @param {number} at
 * @param {{ extend?: boolean, toggle?: boolean, anchor?: number }} how
 */
export function selection(selected, listed, at, { extend = false, toggle = false, anchor = at }) {
  /** @param {Neuron[]} these */
  const without = (these) => {
    const gone = new Set(these.map(idOf));
    return selected.filter((neuron) => !gone.has(idOf(neuron)));
  };
  if (extend) {
    const range = listed.slice(Math.min(anchor, at), Math.max(anchor, at) + 1);
    if (at < anchor) range.reverse();
    return toggle ? [...without(range), ...range] : range;
  }
  const rest = toggle ? without([listed[at]]) : [];
  return toggle && rest.length < selected.length ? rest : [...rest, listed[at]];
}
