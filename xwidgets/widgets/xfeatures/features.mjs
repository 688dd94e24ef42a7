// @ts-check
// X-features: what they are called, what they do to the score, and how they are sorted.

/**
 * `map` is a PNG; `index` tells x-features apart.
 *
 * @typedef {{ index: number, activation: number, weight: number, contribution: number, map: DataView }} Feature
 * @typedef {Pick<Feature, "index" | "activation" | "contribution">} Effect
 */

/**
 * What an x-feature is called.
 *
 * @param {number} index
 * @param {string[]} names
 */
export function nameOf(index, names) {
  return names[index] || `x-feature ${index}`;
}

/**
 * What a contribution does to the score.
 *
 * @param {Pick<Effect, "activation" | "contribution">} feature
 */
export function role({ activation, contribution }) {
  if (activation === 0) return "silent in this picture";
  if (contribution === 0) return "no effect";
  return contribution > 0 ? "speaks for" : "speaks against";
}

/**
 * By contribution, the largest first and the silent ones last.
 *
 * @template {Effect} Some
 * @param {Some[]} features
 */
export function sorted(features) {
  return [...features].sort((a, b) => Number(a.activation === 0) - Number(b.activation === 0)
    || b.contribution - a.contribution || a.index - b.index);
}
