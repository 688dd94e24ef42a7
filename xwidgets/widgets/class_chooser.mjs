// @ts-check
// Which class the relevance is for.

import { makeDropDown } from "./shared/control.mjs";
import { make } from "./shared/dom.mjs";
import { mount, put } from "./shared/view.mjs";

/** @typedef {import("./shared/view.mjs").Model} Model */

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const { input, set } = makeDropDown((index) => put(model, { index }));
  const label = make("label", { className: "xw-control" }, make("span", { textContent: "Class" }), input);
  const view = make("div", { className: "xw-view xw-chooser" }, label);
  return mount({ model, el }, view, [[["names", "index"], () => set(model.get("names"), model.get("index"))]]);
}

export default { render };
