// @ts-check
// Ranks, shares and top sets of the neurons of a table.

/** @typedef {import("../shared/neurons.mjs").Neuron} Neuron */

/**
 * One entry a neuron; `layer` is the layer's place, `importance` has the values by metric.
 *
 * @typedef {{
 *   layer: Int32Array, channel: Int32Array, activation: Float64Array,
 *   importance: Record<string, Float64Array>, pairs: Neuron[],
 * }} Neurons
 *
 * @typedef {{
 *   metric: string, values: Float64Array, ranks: Int32Array, shares: Float64Array, inTop: Uint8Array,
 * }} Column what the table shows of one metric
 *
 * @typedef {{ top: number, minimum: number, shown: Set<number> }} Choices
 */

/**
 * The table's bytes as arrays of one number a neuron.
 *
 * @param {Record<string, DataView>} table
 * @param {string[]} metrics
 * @param {{ name: string }[]} layers
 * @returns {Neurons}
 */
export function read(table, metrics, layers) {
  // Bytes in a message start anywhere, arrays of numbers do not: they are copied.
  /** @param {DataView} [view] */
  const bytes = (view) =>
    (view ? view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) : new ArrayBuffer(0));
  const layer = new Int32Array(bytes(table.layer));
  const channel = new Int32Array(bytes(table.channel));
  const importance = new Float64Array(bytes(table.importance));
  const count = layer.length;
  return {
    layer,
    channel,
    activation: new Float64Array(bytes(table.activation)),
    importance: Object.fromEntries(metrics.map((metric, row) =>
      [metric, importance.subarray(row * count, (row + 1) * count)])),
    pairs: Array.from(layer, (place, at) => [layers[place].name, channel[at]]),
  };
}

/**
 * Orders numbers upwards (sign 1) or downwards (-1), NaN last either way.
 *
 * @param {number} a
 * @param {number} b
 * @param {number} sign
 */
export function compare(a, b, sign) {
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || sign * (Number(a > b) - Number(a < b));
}

/**
 * 1 for the most important neuron of each layer; 0 for those that are not ranked.
 *
 * @param {Neurons} neurons
 * @param {string} metric
 * @param {number} minimum
 */
export function ranks({ layer, channel, activation, importance }, metric, minimum) {
  const values = importance[metric];
  const order = [...values.keys()]
    .filter((at) => metric !== "activation_precision" || activation[at] >= minimum)
    .sort((a, b) => layer[a] - layer[b] || compare(values[a], values[b], -1) || channel[a] - channel[b]);
  const found = new Int32Array(values.length);
  order.forEach((at, i) => {
    const before = order[i - 1];
    found[at] = i > 0 && layer[before] === layer[at] ? found[before] + 1 : 1;
  });
  return found;
}

/**
 * Values over the best of their layer; NaN for the negative and the unranked. Where the best is
 * infinite, the others are compared with the best finite one.
 *
 * @param {{ layer: Int32Array }} neurons
 * @param {Float64Array} values
 * @param {Int32Array} ranked
 */
export function shares({ layer }, values, ranked) {
  /** @type {number[]} */
  const best = [];
  values.forEach((value, at) => {
    if (ranked[at] && Number.isFinite(value)) best[layer[at]] = Math.max(best[layer[at]] ?? 0, value);
  });
  return Float64Array.from(values, (value, at) => {
    if (!ranked[at] || value < 0) return NaN;
    return value === Infinity ? 1 : value / best[layer[at]];
  });
}

/**
 * What the table shows of one metric; `inTop` marks the best `top` (0: all) of each shown layer.
 *
 * @param {Neurons} neurons
 * @param {string} metric
 * @param {Choices} choices
 * @returns {Column}
 */
export function measure(neurons, metric, { top, minimum, shown }) {
  const values = neurons.importance[metric];
  const ranked = ranks(neurons, metric, minimum);
  const inTop = Uint8Array.from(ranked, (rank, at) =>
    Number(shown.has(neurons.layer[at]) && rank > 0 && (top === 0 || rank <= top)));
  return { metric, values, ranks: ranked, shares: shares(neurons, values, ranked), inTop };
}

/**
 * The neurons in at least one of the top sets.
 *
 * @param {Column[]} columns
 */
export function union(columns) {
  return [...columns[0].inTop.keys()].filter((at) => columns.some(({ inTop }) => inTop[at]));
}

/**
 * The neurons in all of the top sets.
 *
 * @param {Column[]} columns
 */
export function shared(columns) {
  return union(columns).filter((at) => columns.every(({ inTop }) => inTop[at]));
}

/**
 * |A ∩ B| / |A ∪ B| of two top sets; NaN when both are empty.
 *
 * @param {Column} one
 * @param {Column} other
 */
export function jaccard(one, other) {
  return shared([one, other]).length / union([one, other]).length;
}

/**
 * How many neurons of the shown layers are active enough for the precision.
 *
 * @param {Neurons} neurons
 * @param {number} minimum
 * @param {Set<number>} shown
 */
export function remaining({ layer, activation }, minimum, shown) {
  const all = [...activation].filter((_, at) => shown.has(layer[at]));
  return {
    count: all.filter((mean) => mean >= minimum).length,
    total: all.length,
    largest: all.reduce((a, b) => Math.max(a, b), 0),
  };
}
