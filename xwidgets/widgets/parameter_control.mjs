// @ts-check
// A control for one parameter of a method: a slider, a choice or a switch.

import { makeSlider } from "./shared/control.mjs";
import { keepKeys, make, makeAlert, warn } from "./shared/dom.mjs";
import { mount, put } from "./shared/view.mjs";

/** @typedef {import("./shared/view.mjs").Model} Model */

/**
 * A setting as it was chosen, without the tails of binary fractions: "10 × 10 pixels", "8 × 16
 * pixels", "0.35", "0.5, 0.4, 0.3".
 *
 * @param {number | number[]} value
 * @param {string} unit
 */
export function told(value, unit) {
  const numbers = [value].flat().map((each) => Number(Number(each).toPrecision(6)).toString());
  if (unit === "pixels") return `${numbers[0]} × ${numbers.at(-1)} pixels`;
  return [numbers.join(", "), unit].filter(Boolean).join(" ");
}

/**
 * Where a slider stands for a value; for several numbers at the largest.
 *
 * @param {number | number[]} value
 */
export function position(value) {
  return Math.max(...[value].flat());
}

/**
 * What stands beside a control, with the side that it is for: "Window", "Window (left)".
 *
 * @param {string} label
 * @param {string} side
 */
export function called(label, side) {
  return side ? `${label} (${side})` : label;
}

/**
 * What a slider is called for those who do not see it: "window in pixels".
 *
 * @param {string} label
 * @param {string} unit
 */
export function spoken(label, unit) {
  return [label.toLowerCase(), unit].filter(Boolean).join(" in ");
}

/** @param {Model} model */
function makeRange(model) {
  const { input, output, set } = makeSlider((value) => put(model, { value }));
  const draw = () => {
    for (const name of /** @type {const} */ (["min", "max", "step"])) input[name] = model.get(name);
    set(position(model.get("value")), told(model.get("value"), model.get("unit")));
  };
  return { elements: [input, output], input, draw };
}

/** @param {Model} model */
function makeChoice(model) {
  const input = make("select");
  input.addEventListener("change", () => put(model, { value: input.value }));
  const draw = () => {
    /** @type {string[]} */
    const options = model.get("options");
    if (String([...input.options].map(({ value }) => value)) !== String(options)) {
      input.replaceChildren(...options.map((value) => make("option", { value, textContent: value })));
    }
    input.value = model.get("value");
  };
  return { elements: [input], input, draw };
}

/** @param {Model} model */
function makeSwitch(model) {
  const input = make("input", { type: "checkbox" });
  input.addEventListener("change", () => put(model, { value: input.checked }));
  const draw = () => { input.checked = model.get("value"); };
  return { elements: [input], input, draw };
}

/** @type {Record<string, (model: Model) => { elements: HTMLElement[], input: HTMLElement, draw: () => void }>} */
const INPUTS = { range: makeRange, choice: makeChoice, switch: makeSwitch };

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const name = make("span");
  const label = make("label", { className: "xw-control xw-parameter" });
  const alert = makeAlert();
  const view = make("div", { className: "xw-view" }, label, alert);
  /** @type {ReturnType<(typeof INPUTS)[string]> | null} */
  let control = null;

  const build = () => {
    const makeInput = INPUTS[model.get("kind")];
    view.hidden = !makeInput;
    if (!makeInput) return;
    control = makeInput(model);
    label.replaceChildren(name, ...control.elements);
    keepKeys(label);
    draw();
  };
  const draw = () => {
    if (view.hidden || !control) return;
    name.textContent = called(model.get("label"), model.get("side"));
    label.title = model.get("line");
    control.input.ariaLabel = spoken(name.textContent, model.get("unit"));
    control.draw();
  };
  return mount({ model, el }, view, [
    [["kind"], build],
    [["label", "side", "line", "unit", "value", "min", "max", "step", "options"], draw],
    [["message"], () => warn(alert, model.get("message"))],
  ]);
}

export default { render };
