// @ts-check
// What the network thinks a class looks like: pictures that grow, and the curves of their way.

import { makeChart, valueAt } from "./class_models/curves.mjs";
import { makeFrames, stepShown } from "./class_models/frames.mjs";
import { makeSettings } from "./class_models/settings.mjs";
import { make, makeAlert, warn } from "./shared/dom.mjs";
import { number, percent } from "./shared/numbers.mjs";
import { keepParts } from "./shared/parts.mjs";
import { isCoarse, picture } from "./shared/pictures.mjs";
import { mount } from "./shared/view.mjs";
import { makeWork } from "./shared/work.mjs";

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 * @typedef {import("./shared/view.mjs").Draw} Draw
 * @typedef {import("./class_models/curves.mjs").Curve} Curve
 * @typedef {{ scores: Curve[], norms: Curve[], probabilities: Curve[], kept: number[] }} Curves
 */

/** @type {Curves} */
const NONE = { scores: [], norms: [], probabilities: [], kept: [] };

/**
 * What is written below a picture: "seed 0 · 49.9 logits · p = 99.8 %".
 *
 * @param {number} seed
 * @param {number | null} score
 * @param {string} unit
 * @param {number | null} probability
 */
export function caption(seed, score, unit, probability) {
  const p = percent(probability);
  const share = probability === null ? [] : [`p ${/^[<>]/.test(p) ? p : `= ${p}`}`.replaceAll(" ", "\u00a0")];
  return [`seed ${seed}`, `${number(score)} ${unit}`, ...share].join(" · ");
}

/** The picture of a seed. */
function makeSeed() {
  const { image, show: draw } = picture();
  const words = make("span");
  const element = make("figure", { className: "xw-seed" }, image, make("figcaption", {}, make("i"), words));
  /**
   * @param {DataView} png
   * @param {number} place
   * @param {string} text
   */
  const show = (png, place, text) => {
    element.dataset.seed = String(place % 4);
    draw(png);
    image.alt = words.textContent = text;
  };
  return { element, show };
}

/**
 * Pictures of all seeds side by side, and their curves.
 *
 * @param {Model} model
 */
function makePictures(model) {
  const grid = make("div", { className: "xw-seeds", tabIndex: -1 });
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeSeed>>>} */
  const parts = keepParts(grid);
  const [score, norm] = [makeChart("score"), makeChart("‖x‖²")];
  const charts = make("div", { className: "xw-charts" }, score.element, norm.element);
  const draw = () => {
    /** @type {Curves} */
    const { scores, norms, probabilities, kept } = { ...NONE, ...model.get("curves") };
    const [shown, steps, frames] = [model.get("shown"), model.get("frame_steps"), model.get("frames")];
    const step = stepShown(shown, steps, scores);
    /** @type {DataView[]} */
    const pictures = steps[shown] === undefined
      ? model.get("pictures")
      : frames.map((/** @type {DataView[]} */ of) => of[shown]);
    const seeds = model.get("seeds");
    charts.hidden = !pictures.length;
    parts.keep([...pictures.keys()], makeSeed).forEach((part, at) => {
      const of = steps[shown] === undefined ? kept[at] : step;
      const texts = [scores[at] ?? [], probabilities[at] ?? []].map((curve) => valueAt(curve, of));
      part.show(pictures[at], at, caption(seeds[at], texts[0], model.get("unit"), texts[1]));
    });
    const last = Math.max(0, ...scores.map(({ length }) => length - 1));
    score.show(scores, last, step);
    norm.show(norms, last, step);
  };
  /** @type {Draw[]} */
  const draws = [[["pictures", "frames", "frame_steps", "shown", "curves", "seeds", "unit"], draw]];
  return { elements: [grid, charts], draws };
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const heading = make("div", { className: "xw-heading" });
  const alert = makeAlert();
  const work = makeWork(model, "work", "share of the steps");
  const [settings, pictures, frames] = [makeSettings(model), makePictures(model), makeFrames(model)];
  const note = make("p", { className: "xw-quiet" });
  const view = make("div", { className: "xw-view xw-class-models" },
    heading, settings.element, alert, work.element, ...pictures.elements, frames.element, note);
  const drawHeading = () => {
    heading.textContent = `What raises ${model.get("label")} most (${model.get("network")})`;
  };
  const drawWork = () => {
    const { state, message } = model.get("work");
    work.element.hidden = !["computing", "stopped"].includes(state);
    work.show(model.get("work"));
    const failed = state === "failed" && message;
    warn(alert, [model.get("message"), failed].filter(Boolean).join(" "));
  };
  return mount({ model, el }, view, [
    [["label", "network"], drawHeading],
    [["work", "message"], drawWork],
    [["note"], () => { note.textContent = model.get("note"); note.hidden = !model.get("note"); }],
    [["shape"], () => { view.classList.toggle("xw-coarse", isCoarse(model.get("shape")[1])); }],
    ...settings.draws, ...pictures.draws, ...frames.draws,
  ]);
}

export default { render };
