// @ts-check
// What the colours of a map mean.

import { make, press } from "../shared/dom.mjs";
import { makeHelp } from "../shared/help.mjs";
import { signed } from "../shared/numbers.mjs";
import { drawPixels } from "../shared/pictures.mjs";
import { put } from "../shared/view.mjs";
import { rampOf } from "./colors.mjs";
import { makeSwatch } from "./hatching.mjs";
import { HATCHING, colorsOf, endOf, hatchWords, limitOf, shownFrame, telling } from "./frames.mjs";

/** @typedef {import("./frames.mjs").Frame} Frame */

/**
 * What stands below the ramp at its low end, at its middle and at its high end.
 *
 * @param {Frame} frame
 * @param {number} end
 */
export function scaleTexts(frame, end) {
  const { factor, unit } = telling(frame);
  const high = signed(end * factor);
  if (frame.signed === false) return ["0", unit, high.replace("+", "")];
  return [signed(-end * factor), `0 ${unit}`, high];
}

/**
 * The ramp in words.
 *
 * @param {Frame | undefined} frame
 * @param {string[]} texts below it
 */
export function scaleWords(frame, [low, , high]) {
  if (!frame) return "Scale, zero in the middle";
  const { unit } = telling(frame);
  if (frame.signed === false) return `Scale from zero to ${high} ${unit}: ${frame.ends[1]}`;
  return `Scale from ${low} ${frame.ends[0]} over zero to ${high} ${unit} ${frame.ends[1]}`;
}

/**
 * A button that locks one scale for all maps, or gives each its own; open and closed lock say which.
 *
 * @param {import("../shared/view.mjs").Model} model
 */
function makeLock(model) {
  const [icon, words] = [make("i", { className: "xw-lock-icon" }), make("span")];
  const button = press([icon, words], () => put(model, { scale_locked: !model.get("scale_locked") }), { className: "xw-lock" });
  const element = make("span", { className: "xw-lock-row" }, button, makeHelp("scale").element);
  const draw = () => {
    const locked = model.get("scale_locked");
    element.hidden = shownFrame(model)?.end === undefined || (model.get("scale") ?? null) !== null;
    words.textContent = locked ? "One scale for all maps" : "Scale of this map alone";
    button.ariaPressed = String(Boolean(locked));
    button.title = locked
      ? "Colours mean the same in all maps. Press to give each map its own scale."
      : "Colours cannot be compared between maps. Press for one scale.";
  };
  return { element, draw };
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
  const [swatch, about, lock, unit] = [makeSwatch(), makeHelp(), makeLock(model), makeHelp()];
  swatch.element.append(about.element);
  const element = make("div", { className: "xw-legend" },
    make("div", { className: "xw-sides" }, ...sides),
    make("div", { className: "xw-ramp-box" }, ramp, make("i", { className: "xw-tick" })),
    make("div", { className: "xw-ends" }, ends[0], make("span", { className: "xw-middle" }, ends[1], unit.element), ends[2]),
    make("div", { className: "xw-key" }, swatch.element, lock.element));

  const draw = () => {
    const frame = shownFrame(model);
    const pixels = rampOf(colorsOf(model, frame), frame);
    drawPixels(ramp, pixels, pixels.length / 4);
    const texts = frame ? scaleTexts(frame, endOf(model, frame)) : ["", "0", ""];
    element.classList.toggle("xw-unsigned", frame?.signed === false);
    ends.forEach((end, at) => { end.textContent = texts[at]; });
    sides.forEach((side, at) => { side.textContent = frame?.ends[at] ?? ""; });
    ramp.ariaLabel = scaleWords(frame, texts);
    const meaning = frame ? hatchWords(frame, limitOf(model, frame), model.get("hide_uncertain")) : "";
    swatch.show(meaning);
    about.show(meaning.includes("standard errors") ? "standard error" : "effect");
    unit.show(frame ? telling(frame).unit : "");
    lock.draw();
  };
  /** @type {import("../shared/view.mjs").Draw[]} */
  const draws = [[["frames", "index", "color_map", ...HATCHING], draw]];
  return { element, ramp, draws };
}
