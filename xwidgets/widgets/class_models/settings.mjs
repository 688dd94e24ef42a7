// @ts-check
// Which class is looked at, and the controls of the ascent.

import { makeSlider } from "../shared/control.mjs";
import { keepKeys, make } from "../shared/dom.mjs";
import { keepParts } from "../shared/parts.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("../shared/view.mjs").Draw} Draw
 *
 * @typedef {{
 *   name: string, label: string, line: string, kind: string, value: any, least: number, most: number,
 *   step: number, unit: string, choices: any[],
 * }} Control
 *
 * @typedef {(value: any) => void} Move
 */

/**
 * What a value is called: "suited" for none, and without the tails of binary fractions.
 *
 * @param {any} value
 * @param {string} [unit]
 */
export function called(value, unit = "") {
  if (value === null) return "suited";
  const text = typeof value === "number" ? String(Math.round(1e6 * value) / 1e6) : String(value);
  return [text, unit].filter(Boolean).join(" ");
}

/**
 * The choices of a control, and its value among them.
 *
 * @param {Pick<Control, "value" | "choices">} control
 */
export function offered({ value, choices }) {
  return choices.includes(value) ? choices : [value, ...choices];
}

/** @type {Record<string, (move: Move) => { elements: HTMLElement[], input: HTMLElement, show: (control: Control) => void }>} */
const KINDS = {
  range(move) {
    const { input, output, set } = makeSlider(() => {});
    input.addEventListener("change", () => move(input.valueAsNumber)); // each value is an ascent
    input.addEventListener("input", () => { output.textContent = called(input.valueAsNumber); });
    /** @param {Control} control */
    const show = ({ value, least, most, step, unit }) => {
      Object.assign(input, { min: least, max: most, step });
      set(value, called(value, unit));
    };
    return { elements: [input, output], input, show };
  },
  choice(move) {
    const input = make("select");
    /** @type {any[]} */
    let values = [];
    input.addEventListener("change", () => move(values[input.selectedIndex]));
    /** @param {Control} control */
    const show = (control) => {
      values = offered(control);
      input.replaceChildren(...values.map((value) => make("option", { textContent: called(value) })));
      input.selectedIndex = values.indexOf(control.value);
    };
    return { elements: [input], input, show };
  },
  switch(move) {
    const input = make("input", { type: "checkbox" });
    input.addEventListener("change", () => move(input.checked));
    return { elements: [input], input, show: (/** @type {Control} */ { value }) => { input.checked = value; } };
  },
};

/**
 * A control with its name before it.
 *
 * @param {Control} control
 * @param {Move} move
 */
function makeControl({ name, label, line, kind }, move) {
  const { elements, input, show } = KINDS[kind](move);
  input.ariaLabel = label;
  const element = make("label", { className: "xw-control", title: line }, make("span", { textContent: label }), ...elements);
  element.dataset.of = name;
  keepKeys(element);
  return { element, show };
}

/**
 * Class chooser and controls; only where there is a kernel to climb.
 *
 * @param {Model} model
 */
export function makeSettings(model) {
  const chooser = make("select", { ariaLabel: "class" });
  chooser.addEventListener("change", () => model.send({ type: "choose", target: Number(chooser.value) }));
  const classes = make("label", { className: "xw-control" }, make("span", { textContent: "Class" }), chooser);
  const grid = make("div", { className: "xw-controls" });
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeControl>>>} */
  const parts = keepParts(grid);
  const more = make("details", {}, make("summary", { textContent: "λ and regularisers" }), grid);
  const element = make("div", { className: "xw-settings" }, classes, more);
  const drawClasses = () => {
    const [names, target] = [model.get("classes"), model.get("target")];
    const other = target < 0 ? [make("option", { value: "-1", textContent: model.get("label") })] : [];
    chooser.replaceChildren(...other, ...names.map((/** @type {string} */ textContent, /** @type {number} */ at) =>
      make("option", { value: String(at), textContent })));
    chooser.value = String(target);
  };
  const drawControls = () => {
    /** @type {Control[]} */
    const controls = model.get("controls");
    const byName = new Map(controls.map((control) => [control.name, control]));
    parts.keep([...byName.keys()], (name) => {
      const control = /** @type {Control} */ (byName.get(name));
      return makeControl(control, (value) => model.send({ type: "move", name, value }));
    }).forEach((part, at) => part.show(controls[at]));
  };
  /** @type {Draw[]} */
  const draws = [
    [["alive"], () => { element.hidden = !model.get("alive"); }],
    [["classes", "target", "label"], drawClasses],
    [["controls"], drawControls],
  ];
  return { element, draws };
}
