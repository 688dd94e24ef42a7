// @ts-check
// What neurons are called.

/** @typedef {[layer: string, channel: number]} Neuron */

/**
 * What tells neurons apart.
 *
 * @param {Neuron} neuron
 */
export function idOf([layer, channel]) {
  return `${layer} ${channel}`;
}

/**
 * "activation precision"
 *
 * @param {string} metric
 */
export function metricName(metric) {
  return metric.replaceAll("_", " ");
}

/**
 * "conv 5 · features.10"
 *
 * @param {{ name: string, convolution: number | null }} layer
 */
export function layerName({ name, convolution }) {
  return convolution === null ? name : `conv ${convolution} · ${name}`;
}

/**
 * "conv 5 · channel 12 (features.10)"
 *
 * @param {{ layer: string, channel: number, convolution?: number | null }} neuron
 */
export function neuronName({ layer, channel, convolution }) {
  const known = convolution !== null && convolution !== undefined;
  return `${known ? `conv ${convolution} · ` : ""}channel ${channel} (${layer})`;
}
