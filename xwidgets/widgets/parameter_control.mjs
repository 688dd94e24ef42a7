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

/**
 * What becomes of a side, or of height and width, when one of the two is moved.
 *
 * @param {number | number[]} value
 * @param {number} place 0 for the height, 1 for the width
 * @param {number} side
 */
export function resized(value, place, side) {
  const sides = [[value].flat()[0], [value].flat().at(-1) ?? side];
  sides[place] = side;
  return sides;
}

/** @param {Model} model */
function makeRange(model) {
  const { input, output, set } = makeSlider((value) => put(model, { value }));
  const sides = ["height", "width"].map((name, place) => {
    const slider = makeSlider((side) => put(model, { value: resized(model.get("value"), place, side) }));
    return { ...slider, name };
  });
  const both = make("input", { type: "checkbox", ariaLabel: "square" });
  const square = make("span", { className: "xw-square" }, both, "square");
  both.addEventListener("change", () => {
    const value = model.get("value");
    put(model, { value: both.checked ? Math.min(position(value), model.get("max")) : resized(value, 0, position(value)) });
  });
  const draw = () => {
    const [value, most] = [model.get("value"), model.get("sides")];
    const apart = most.length > 0 && Array.isArray(value);
    for (const name of /** @type {const} */ (["min", "max", "step"])) input[name] = model.get(name);
    set(position(value), told(value, model.get("unit")));
    input.hidden = apart;
    square.hidden = most.length === 0;
    both.checked = !apart;
    for (const [place, slider] of sides.entries()) {
      slider.input.hidden = !apart;
      if (!apart) continue;
      Object.assign(slider.input, { min: model.get("min"), max: most[place], step: 1 });
      slider.set(value[place], told(value[place], ""));
      slider.input.ariaLabel = spoken(`${model.get("label")} ${slider.name}`, model.get("unit"));
    }
  };
  return { elements: [input, ...sides.map((slider) => slider.input), output, square], input, draw };
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
    [["label", "side", "line", "unit", "value", "min", "max", "step", "sides", "options"], draw],
    [["message"], () => warn(alert, model.get("message"))],
  ]);
}

export default { render };
