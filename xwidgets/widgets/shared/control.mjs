// @ts-check
// Controls in a line: a name, what is moved, and its value.

import { make } from "./dom.mjs";

/**
 * A slider, with its value behind it.
 *
 * @param {(value: number) => void} onInput
 * @param {Record<string, any>} [properties]
 */
export function makeSlider(onInput, properties = {}) {
  const input = make("input", { type: "range", ...properties });
  const output = make("output");
  input.addEventListener("input", () => onInput(Number(input.value)));
  /**
   * @param {number} value
   * @param {string} text
   */
  const set = (value, text) => {
    input.value = String(value);
    output.textContent = input.ariaValueText = text;
  };
  return { input, output, set };
}

/**
 * A list of names, of which one is chosen.
 *
 * @param {(place: number) => void} onChange
 */
export function makeDropDown(onChange) {
  const input = make("select");
  input.addEventListener("change", () => onChange(input.selectedIndex));
  /**
   * @param {string[]} names
   * @param {number} place
   * @param {string[]} texts as they are shown
   */
  const set = (names, place, texts = names) => {
    if (texts.join("\n") !== [...input.options].map(({ textContent }) => textContent).join("\n")) {
      input.replaceChildren(...names.map((value, at) => make("option", { value, textContent: texts[at] })));
    }
    input.selectedIndex = place;
  };
  return { input, set };
}
