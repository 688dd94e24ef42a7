// @ts-check
// Fields in which a person writes numbers, or chooses them.

import { make } from "../shared/dom.mjs";
import { short } from "./cells.mjs";

/**
 * The numbers in a text, with commas, semicolons or spaces between them; NaN for what is none.
 *
 * @param {string} text
 */
export function parseNumbers(text) {
  const words = text.replaceAll("−", "-").split(/[\s,;()[\]]+/).filter(Boolean);
  return words.map(Number);
}

/**
 * Takes what was written when a person leaves the field or presses Enter, which JupyterLab keeps from
 * having its usual effect.
 *
 * @param {HTMLInputElement} input
 * @param {() => void} enter
 */
function onEntered(input, enter) {
  input.addEventListener("change", enter);
  input.addEventListener("keydown", ({ key }) => {
    if (key === "Enter") enter();
  });
}

/** @param {number[]} values */
export function written(values) {
  return values.map(short).join(", ");
}

/**
 * A field for a list of numbers, and a choice of some that are known.
 *
 * @param {string} label
 * @param {Record<string, number[]>} known
 * @param {(values: number[]) => void} onChange
 */
export function numbersField(label, known, onChange) {
  const text = make("input", { type: "text", spellcheck: false, autocomplete: "off" });
  const choice = make("select", { ariaLabel: `${label}: known ones` },
    ...Object.keys(known).map((name) => make("option", { value: name, textContent: name })),
    make("option", { value: "", textContent: "my own" }));
  onEntered(text, () => onChange(parseNumbers(text.value)));
  choice.addEventListener("change", () => {
    if (choice.value) onChange(known[choice.value]);
    else text.select();
  });
  const element = make("span", { className: "xw-field xw-numbers" },
    make("label", { className: "xw-field" }, `${label} `, text), choice);
  const show = (/** @type {number[]} */ values) => {
    text.value = written(values);
    choice.value = Object.keys(known).find((name) => written(known[name]) === text.value) ?? "";
  };
  return { element, show };
}

/**
 * A field for a whole number.
 *
 * @param {string} label
 * @param {number} min
 * @param {(value: number) => void} onChange
 */
export function wholeField(label, min, onChange) {
  const input = make("input", { type: "number", min: String(min), step: "1" });
  onEntered(input, () => onChange(input.value === "" ? NaN : Number(input.value)));
  const element = make("label", { className: "xw-field" }, `${label} `, input);
  const show = (/** @type {number} */ value, /** @type {number} */ most) => {
    input.max = String(most);
    input.value = String(value);
  };
  return { element, show };
}
