// @ts-check
// What the colours of a map mean.

import { make } from "../shared/dom.mjs";
import { signed } from "../shared/numbers.mjs";
import { drawPixels } from "../shared/pictures.mjs";
import { rampOf } from "./colors.mjs";
import { colorsOf, endOf, shownFrame } from "./frames.mjs";

/** @typedef {import("./frames.mjs").Frame} Frame */

/**
 * What stands below the ramp at its low end, at its middle and at its high end.
 *
 * @param {Frame} frame
 * @param {number} end
 */
export function scaleTexts(frame, end) {
  const high = signed(end);
  if (frame.signed === false) return ["0", frame.unit, high.replace("+", "")];
  return [signed(-end), `0 ${frame.unit}`, high];
}

/**
 * The ramp in words.
 *
 * @param {Frame | undefined} frame
 * @param {string[]} texts below it
 */
export function scaleWords(frame, [low, , high]) {
  if (!frame) return "Scale, zero in the middle";
  if (frame.signed === false) return `Scale from zero to ${high} ${frame.unit} ${frame.ends[1]}`;
  return `Scale from ${low} ${frame.ends[0]} over zero to ${high} ${frame.unit} ${frame.ends[1]}`;
}

/**
 * A ramp of the colours, with its ends in numbers and words.
 *
 * @param {import("../shared/view.mjs").Model} model
 */
export function makeLegend(model) {
  const ramp = make("canvas", { className: "xw-ramp", role: "img" });
  const ends = ["xw-low", "xw-zero", "xw-high"].map((className) => make("span", { className }));
  const sides = ["xw-against", "xw-for"].map((className) => make("span", { className }));
  const element = make("div", { className: "xw-legend" },
    make("div", { className: "xw-sides" }, ...sides),
    make("div", { className: "xw-ramp-box" }, ramp, make("i", { className: "xw-tick" })),
    make("div", { className: "xw-ends" }, ...ends));

  const draw = () => {
    const frame = shownFrame(model);
    const pixels = rampOf(colorsOf(model), frame);
    drawPixels(ramp, pixels, pixels.length / 4);
    const texts = frame ? scaleTexts(frame, endOf(model, frame)) : ["", "0", ""];
    element.classList.toggle("xw-unsigned", frame?.signed === false);
    ends.forEach((end, at) => { end.textContent = texts[at]; });
    sides.forEach((side, at) => { side.textContent = frame?.ends[at] ?? ""; });
    ramp.ariaLabel = scaleWords(frame, texts);
  };
  /** @type {import("../shared/view.mjs").Draw[]} */
  const draws = [[["frames", "index", "color_map", "scale"], draw]];
  return { element, ramp, draws };
}
