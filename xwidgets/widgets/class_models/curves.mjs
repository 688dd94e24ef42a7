// @ts-check
// Curves over the steps, one line a seed, as an inline SVG.

import { make } from "../shared/dom.mjs";
import { number } from "../shared/numbers.mjs";
import { makeSvg } from "../shared/svg.mjs";

/** @typedef {(number | null)[]} Curve */

const [WIDE, HIGH] = [300, 120];

/**
 * Least and largest value of curves, apart even where all are equal; 0 and 1 for none.
 *
 * @param {Curve[]} curves
 * @returns {[number, number]}
 */
export function extent(curves) {
  const known = curves.flat().filter((value) => value !== null);
  if (!known.length) return [0, 1];
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return least < most ? [least, most] : [least - 0.5, most + 0.5];
}

/**
 * Points of a curve in a box, "x,y x,y"; the first step lies on the left, step `last` on the right.
 *
 * @param {Curve} curve
 * @param {[number, number]} range
 * @param {number} last
 */
export function pointsOf(curve, [least, most], last) {
  return curve.flatMap((value, step) => {
    if (value === null) return [];
    const [x, y] = [WIDE * step / Math.max(1, last), HIGH * (most - value) / (most - least)];
    return [[x, y].map((place) => Math.round(10 * place) / 10).join(",")];
  }).join(" ");
}

/**
 * The value of a curve at a step, or its last before it.
 *
 * @param {Curve} curve
 * @param {number} step
 */
export function valueAt(curve, step) {
  return curve.slice(0, step + 1).findLast((value) => value !== null) ?? null;
}

/**
 * A chart, with the step that is shown marked.
 *
 * @param {string} title
 */
export function makeChart(title) {
  const svg = makeSvg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img" });
  const [top, bottom] = [make("span"), make("span")];
  const steps = make("span");
  const element = make("figure", { className: "xw-chart" },
    make("figcaption", { textContent: title }), make("div", { className: "xw-scale" }, top, bottom),
    svg, make("div", { className: "xw-steps" }, make("span", { textContent: "0" }), steps));
  /**
   * @param {Curve[]} curves
   * @param {number} last number of the last step
   * @param {number} marked the step that is shown
   */
  const show = (curves, last, marked) => {
    const range = extent(curves);
    const x = WIDE * marked / Math.max(1, last);
    svg.replaceChildren(
      makeSvg("line", { class: "xw-shown-step", x1: x, x2: x, y1: 0, y2: HIGH }),
      ...curves.map((curve, place) =>
        makeSvg("polyline", { "data-seed": place % 4, points: pointsOf(curve, range, last) })));
    [bottom.textContent, top.textContent] = range.map((value) => number(value));
    steps.textContent = `step ${last}`;
    const ends = curves.map((curve) => number(valueAt(curve, marked))).join(", ");
    svg.setAttribute("aria-label", `${title} at step ${marked}: ${ends}`);
  };
  return { element, show };
}
