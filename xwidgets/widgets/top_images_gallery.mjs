// @ts-check
// Images in which something is strongest, each with its patch, while a data set is searched.

import { makeSlider } from "./shared/control.mjs";
import { keepKeys, make, makeAlert, tick, warn } from "./shared/dom.mjs";
import { keepParts } from "./shared/parts.mjs";
import { mount, put } from "./shared/view.mjs";
import { makeWork } from "./shared/work.mjs";
import { makeChoice } from "./top_images/choice.mjs";
import { makeSection } from "./top_images/section.mjs";
import { headingOf, progressText } from "./top_images/tops.mjs";

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 * @typedef {import("./shared/view.mjs").Draw} Draw
 * @typedef {import("./top_images/tops.mjs").Top} Top
 */

/**
 * How many images are shown, and how; this needs no kernel.
 *
 * @param {Model} model
 */
function makeLook(model) {
  const { input, output, set } = makeSlider((k) => put(model, { k }), { min: 1, step: 1, ariaLabel: "images" });
  const alone = tick("patches alone", (on) => put(model, { patches_alone: on }));
  const element = make("div", { className: "xw-look" },
    make("label", { className: "xw-control" }, make("span", { textContent: "Images" }), input, output), alone.label);
  keepKeys(element);
  const draw = () => {
    /** @type {Top[]} */
    const tops = model.get("tops");
    input.max = String(Math.max(model.get("most"), 1));
    set(model.get("k"), String(model.get("k")));
    alone.input.checked = model.get("patches_alone");
    alone.label.hidden = !tops.some(({ images }) => images.some(({ box }) => box.length));
  };
  /** @type {Draw[]} */
  const draws = [[["k", "most", "patches_alone", "tops"], draw]];
  return { element, draws };
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const heading = make("div", { className: "xw-heading" });
  const alert = makeAlert();
  const work = makeWork(model, "work", "share searched");
  const [choice, look] = [makeChoice(model), makeLook(model)];
  const list = make("div", { tabIndex: -1 });
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeSection>>>} */
  const parts = keepParts(list);
  const view = make("div", { className: "xw-view xw-top-images" },
    heading, choice.element, look.element, alert, work.element, list);

  const drawTops = () => {
    /** @type {Top[]} */
    const tops = model.get("tops");
    const settings = {
      k: model.get("k"), looked: model.get("looked"), patchesAlone: model.get("patches_alone"), named: tops.length > 1,
    };
    const onLook = model.get("alive") && ((/** @type {string} */ source) => model.send({ type: "look", source }));
    parts.keep([...tops.keys()], () => makeSection(onLook)).forEach((section, at) => section.show(tops[at], settings));
  };
  const drawHeading = () => { heading.textContent = headingOf(model.get("choice").name, model.get("tops")); };
  const drawWork = () => {
    const progress = model.get("work");
    work.element.hidden = !["computing", "stopped"].includes(progress.state);
    work.show(progress, progressText(progress, model.get("tops")));
    const failed = progress.state === "failed" && `The data set could not be searched: ${progress.message}`;
    warn(alert, [model.get("message"), failed].filter(Boolean).join(" "));
  };
  return mount({ model, el }, view, [
    [["choice", "tops"], drawHeading],
    [["work", "message", "tops"], drawWork],
    [["tops", "k", "looked", "patches_alone", "alive"], drawTops],
    ...choice.draws, ...look.draws,
  ]);
}

export default { render };
