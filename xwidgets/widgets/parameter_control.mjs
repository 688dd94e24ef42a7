// @ts-check
// A control for one parameter of a method: a slider, a choice or a switch.

import { makeDropDown, makeSlider } from "./shared/control.mjs";
import { keepKeys, make, makeAlert, warn } from "./shared/dom.mjs";
import { makeHelp } from "./shared/help.mjs";
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
 * The values of a choice, with the units of the results where these differ: "evidence, in bits".
 *
 * @param {string[]} options
 * @param {string[]} units
 */
export function choices(options, units) {
  return options.map((option, at) => [option, units[at]].filter(Boolean).join(", in "));
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
  const draw = () => {
    for (const name of /** @type {const} */ (["min", "max", "step"])) input[name] = model.get(name);
    set(position(model.get("value")), told(model.get("value"), model.get("unit")));
  };
  return { elements: [input, output], input, draw };
}

/**
 * A slider for the side of a square, or one each for height and width.
 *
 * @param {Model} model
 */
function makeSides(model) {
  const side = makeRange(model);
  const sides = ["height", "width"].map((name, place) => {
    const slider = makeSlider((length) => put(model, { value: resized(model.get("value"), place, length) }));
    return { ...slider, name };
  });
  const square = make("input", { type: "checkbox", ariaLabel: "square" });
  const sliders = make("span", { className: "xw-sides" });
  square.addEventListener("change", () => {
    const value = model.get("value");
    const longer = position(value);
    put(model, { value: square.checked ? Math.min(longer, model.get("max")) : resized(value, 0, longer) });
  });
  const draw = () => {
    const [value, most] = [model.get("value"), model.get("sides")];
    side.draw();
    square.checked = !Array.isArray(value);
    const shown = square.checked ? [side.input] : sides.map((slider) => slider.input);
    if (sliders.firstChild !== shown[0]) {
      sliders.replaceChildren(...shown);
      keepKeys(sliders);
    }
    if (square.checked) return;
    for (const [place, slider] of sides.entries()) {
      Object.assign(slider.input, { min: model.get("min"), max: most[place], step: 1 });
      slider.set(value[place], told(value[place], ""));
      slider.input.ariaLabel = spoken(`${model.get("label")} ${slider.name}`, model.get("unit"));
    }
  };
  const [, output] = side.elements;
  const tick = make("span", { className: "xw-square" }, square, "square");
  return { elements: [sliders, output, tick], input: side.input, draw };
}

/** @param {Model} model */
function makeChoice(model) {
  const { input, set } = makeDropDown((place) => put(model, { value: model.get("options")[place] }));
  const draw = () => {
    const options = model.get("options");
    set(options, options.indexOf(model.get("value")), choices(options, model.get("units")));
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
  const [alert, help] = [makeAlert(), makeHelp()];
  const view = make("div", { className: "xw-view" }, label, alert);
  /** @type {ReturnType<(typeof INPUTS)[string]> | null} */
  let control = null;

  const build = () => {
    const makeInput = model.get("sides").length ? makeSides : INPUTS[model.get("kind")];
    view.hidden = !makeInput;
    if (!makeInput) return;
    control = makeInput(model);
    label.replaceChildren(name, ...control.elements, help.element);
    draw();
    keepKeys(label);
  };
  const draw = () => {
    if (view.hidden || !control) return;
    name.textContent = called(model.get("label"), model.get("side"));
    help.show(model.get("label"));
    label.title = model.get("line");
    control.input.ariaLabel = spoken(name.textContent, model.get("unit"));
    control.draw();
  };
  return mount({ model, el }, view, [
    [["kind", "sides"], build],
    [["label", "side", "line", "unit", "value", "min", "max", "step", "options", "units"], draw],
    [["message"], () => warn(alert, model.get("message"))],
  ]);
}

export default { render };
