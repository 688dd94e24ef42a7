// @ts-check
// The methods to choose from, what each asks, and how fine its result is.

import { keepKeys, make, makeAlert, press, warn } from "./shared/dom.mjs";
import { makeHelp } from "./shared/help.mjs";
import { mount, put } from "./shared/view.mjs";

/**
 * A method's name as it stands at the beginning of a line.
 *
 * @param {string} name
 */
export function titled(name) {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

/** @param {{ model: import("./shared/view.mjs").Model, el: HTMLElement }} place */
function render({ model, el }) {
  const choice = make("select", { ariaLabel: "method" });
  const label = make("label", { className: "xw-control" }, make("span", { textContent: "Method" }), choice, makeHelp("method").element);
  const asks = make("p", { className: "xw-quiet xw-asks" });
  const buttons = make("span", { className: "xw-qualities" });
  const quality = make("div", { className: "xw-control", role: "group", ariaLabel: "quality" },
    make("span", { textContent: "Quality" }), buttons, makeHelp("quality").element);
  const alert = makeAlert();
  const view = make("div", { className: "xw-view xw-method" }, label, asks, quality, alert);
  choice.addEventListener("change", () => put(model, { chosen: choice.selectedIndex }));

  const draw = () => {
    const [methods, chosen] = [model.get("methods"), model.get("chosen")];
    const names = methods.map((/** @type {{ name: string }} */ { name }) => titled(name));
    if (String([...choice.options].map(({ text }) => text)) !== String(names)) {
      choice.replaceChildren(...names.map((/** @type {string} */ textContent) => make("option", { textContent })));
    }
    choice.selectedIndex = chosen;
    asks.textContent = methods[chosen]?.asks ?? "";
    /** @type {string[]} */
    const qualities = model.get("qualities");
    quality.hidden = qualities.length === 0;
    if (String([...buttons.children].map(({ textContent }) => textContent)) !== String(qualities)) {
      buttons.replaceChildren(...qualities.map((name) => press(name, () => put(model, { quality: name }))));
      keepKeys(buttons);
    }
    for (const button of buttons.children) button.ariaPressed = String(button.textContent === model.get("quality"));
  };
  return mount({ model, el }, view, [
    [["methods", "chosen", "qualities", "quality"], draw],
    [["message"], () => warn(alert, model.get("message"))],
  ]);
}

export default { render };
