// @ts-check
// A heat map over its picture, and the parts to tick.

import { make } from "../shared/dom.mjs";
import { heated, isCoarse } from "../shared/pictures.mjs";
import { put } from "../shared/view.mjs";
import { keyOf, toggled, withheld } from "./answers.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("./answers.mjs").Choice} Choice
 */

/**
 * A box to tick, with the key that does the same.
 *
 * @param {string} name
 * @param {string} key
 * @param {(on: boolean) => void} onTick
 */
function makeOption(name, key, onTick) {
  const input = make("input", { type: "checkbox", ariaKeyShortcuts: key || null });
  input.addEventListener("change", () => onTick(input.checked));
  const badge = make("kbd", { textContent: key, ariaHidden: "true", hidden: !key });
  const element = make("label", { className: "xw-option" }, input, make("span", {}, name), badge);
  return { element, input };
}

/**
 * The heat map that is asked about, and the switch that shows the picture alone.
 *
 * @param {Model} model
 */
export function makeLook(model) {
  const { frame, set } = heated("a heat map over its picture");
  const heat = makeOption("heat map", "h", (on) => put(model, { heat: on }));
  const element = make("div", {}, frame, heat.element);
  const draw = () => {
    const question = model.get("questions")[model.get("position")];
    element.hidden = !question;
    if (!question) return;
    const { photo, shape } = model.get("pictures")[question.picture];
    set(photo, question.map, shape);
    element.classList.toggle("xw-coarse", isCoarse(shape[1]));
  };
  const drawHeat = () => {
    heat.input.checked = model.get("heat");
    element.classList.toggle("xw-bare", !model.get("heat"));
  };
  return { element, draw, drawHeat };
}

/**
 * The parts to tick.
 *
 * @param {string[]} options
 * @param {() => Choice} choice
 * @param {(choice: Choice) => void} choose
 */
export function makeOptions(options, choice, choose) {
  const boxes = options.map((name, at) =>
    makeOption(name, keyOf(at), () => choose(toggled(choice(), name, options))));
  const cannot = makeOption("cannot tell", "0", () => choose(withheld(choice())));
  const element = make("fieldset", {},
    make("legend", { textContent: "Which parts does the heat map show? Tick all of them." }),
    make("div", { className: "xw-options" }, ...boxes.map((box) => box.element)),
    make("div", { className: "xw-options" }, cannot.element));
  const draw = () => {
    options.forEach((name, at) => { boxes[at].input.checked = Boolean(choice()?.includes(name)); });
    cannot.input.checked = choice()?.length === 0;
  };
  return { element, draw };
}
