// @ts-check
// Why a class has its score: the few x-features of an explanation module, one card each.
//
// A person names them, votes on them and sees at once what the votes change. Cards stay in place
// while pictures change, so that neither focus nor a name that is being typed is lost.

import { make, press, tick } from "./shared/dom.mjs";
import { makeHelp } from "./shared/help.mjs";
import { take } from "./shared/keyboard.mjs";
import { isCoarse } from "./shared/pictures.mjs";
import { mount, put } from "./shared/view.mjs";
import { makeCards, outcomeOf } from "./xfeatures/cards.mjs";
import { makeFit } from "./xfeatures/fit.mjs";
import { makeImages } from "./xfeatures/images.mjs";
import { undone } from "./xfeatures/opinion.mjs";
import { makeSummary } from "./xfeatures/summary.mjs";

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 * @typedef {import("./shared/view.mjs").Draw} Draw
 */

/**
 * Which class is explained, in which network.
 *
 * @param {Model} model
 */
function makeHeading(model) {
  const subject = make("em");
  const source = make("span", { className: "xw-quiet" });
  const element = make("div", { className: "xw-heading" }, make("span", {}, "Why ", subject, "?"), source);
  const draw = () => {
    subject.textContent = model.get("label");
    const layer = model.get("layer");
    const parts = [model.get("method"), layer && `layer ${layer}`, model.get("network")];
    source.textContent = parts.filter(Boolean).join(" · ");
  };
  /** @type {Draw[]} */
  const draws = [[["label", "method", "layer", "network"], draw]];
  return { element, draws };
}

/**
 * The switch of the heat maps, and what takes the last change back.
 *
 * @param {Model} model
 */
function makeTools(model) {
  const spoken = make("span", { className: "xw-spoken", role: "status", ariaLive: "polite" });
  const speak = (/** @type {string} */ text) => { spoken.textContent = text; };
  const takeBack = () => {
    const opinion = model.get("opinion");
    const before = undone(opinion.history);
    if (!before) return;
    put(model, { opinion: { ...opinion, ...before } });
    speak(outcomeOf(model, "Undone."));
  };
  const heat = tick("heat maps", (on) => put(model, { heat: on }), { className: "" });
  heat.label.append(makeHelp("x-feature").element);
  const undo = press("Undo", takeBack, { title: "Ctrl+Z" });
  const element = make("div", { className: "xw-tools" }, heat.label, undo, spoken);
  /** @type {Draw[]} */
  const draws = [
    [["features"], () => { element.hidden = !model.get("features").length; }],
    [["heat"], () => { heat.input.checked = model.get("heat"); }],
    // keeps the focus, unlike disabled
    [["opinion"], () => { undo.ariaDisabled = String(!model.get("opinion").history.length); }],
  ];
  return { element, takeBack, speak, draws };
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const [heading, fit, summary, tools] = [makeHeading(model), makeFit(model), makeSummary(model), makeTools(model)];
  const images = makeImages(model);
  const cards = makeCards(model, tools.speak, () => {
    if (!images.element.hidden) images.element.scrollIntoView({ block: "nearest" });
  });
  const [grid, choices] = cards.elements;
  const remark = make("p", { className: "xw-remark xw-quiet" });
  const view = make("div", { className: "xw-view xw-xfeatures" },
    heading.element, ...fit.elements, summary.element, tools.element, grid, remark, images.element, choices);
  view.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const undoes = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && key.toLowerCase() === "z";
    if (!undoes || /** @type {Element} */ (target).matches("input[type='text']")) return;
    take(event);
    tools.takeBack();
  });
  const drawLook = () => {
    view.classList.toggle("xw-coarse", isCoarse(model.get("shape")[1]));
    view.classList.toggle("xw-bare", !model.get("heat"));
  };
  const drawRemark = () => {
    remark.textContent = model.get("remark");
    remark.hidden = !model.get("remark");
  };
  return mount({ model, el }, view, [
    ...heading.draws, ...fit.draws, ...summary.draws, ...tools.draws, ...cards.draws, ...images.draws,
    [["shape", "heat"], drawLook],
    [["remark"], drawRemark],
  ]);
}

export default { render };
