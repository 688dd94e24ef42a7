// @ts-check
// What becomes of a map when the weights are randomised, layer by layer.

import { make } from "../shared/dom.mjs";
import { number } from "../shared/numbers.mjs";
import { makeSvg } from "../shared/svg.mjs";

const TRACE = { width: 100, height: 24 }; // in the drawing's own units

/**
 * Points of the curve of agreements, from 1 for the network itself; those that are not known are
 * left out.
 *
 * @param {(number | null)[]} agreements
 * @param {number} layers how many there will be
 * @returns {[x: number, y: number][]}
 */
export function curve(agreements, layers) {
  /** @type {[number, number][]} */
  const points = [];
  for (const [count, value] of [1, ...agreements].entries()) {
    if (value !== null) points.push([(count / layers) * TRACE.width, ((1 - value) / 2) * TRACE.height]);
  }
  return points;
}

/**
 * The curve in words.
 *
 * @param {string[]} layers
 * @param {(number | null)[]} agreements
 */
export function randomisedWords(layers, agreements) {
  if (!agreements.length) return "";
  const last = agreements[agreements.length - 1];
  const how = agreements.length === layers.length
    ? `With all ${layers.length} layers random`
    : `With ${agreements.length} of ${layers.length} layers random, down to ${layers[agreements.length - 1]}`;
  return `${how}: ${last === null ? "an even map" : `agrees with this map ${number(last, 2)}`}`;
}

/** A small curve from 1 above to −1 below, over the layers from the output to the first. */
export function makeTrace() {
  const zero = makeSvg("line", { x1: 0, x2: TRACE.width, y1: TRACE.height / 2, y2: TRACE.height / 2 });
  const line = makeSvg("polyline", {});
  const svg = makeSvg("svg", {
    viewBox: `-1 -1 ${TRACE.width + 2} ${TRACE.height + 2}`, preserveAspectRatio: "none",
    "aria-hidden": "true", // the words beside it say the same
  }, zero, line);
  const element = make("div", { className: "xw-trace", hidden: true }, svg);
  /**
   * @param {string[]} layers
   * @param {(number | null)[]} agreements
   */
  const show = (layers, agreements) => {
    element.hidden = agreements.length === 0;
    if (!element.hidden) line.setAttribute("points", curve(agreements, layers.length).map((point) => point.join(",")).join(" "));
  };
  return { element, show };
}
