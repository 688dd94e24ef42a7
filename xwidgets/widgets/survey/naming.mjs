// @ts-check
// Groups that people named, and a name for what is selected.

import { keepKeys, make, press } from "../shared/dom.mjs";
import { isCommand, take } from "../shared/keyboard.mjs";
import { put } from "../shared/view.mjs";

/** @typedef {import("../shared/view.mjs").Model} Model */

/** @param {Model} model */
export function makeNaming(model) {
  const input = make("input", { type: "text", ariaLabel: "name of the selected group", placeholder: "what they have in common" });
  const send = () => {
    if (!input.value.trim()) return;
    model.send({ type: "name", name: input.value });
    input.value = "";
  };
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || isCommand(event)) return;
    take(event);
    send();
  });
  const form = make("div", { className: "xw-control" }, make("span", { textContent: "Name them" }), input, press("Keep", send));
  const list = make("ul", { className: "xw-groups" });
  const element = make("div", { className: "xw-naming" }, form, list);
  const draw = () => {
    /** @type {Record<string, number[]>} */
    const groups = model.get("groups");
    const alive = model.get("alive");
    form.hidden = !alive || !model.get("selected").length;
    list.replaceChildren(...Object.entries(groups).map(([name, numbers]) => make("li", {},
      press([`${name} `, make("span", { className: "xw-quiet", textContent: String(numbers.length) })],
        () => put(model, { selected: numbers }), { title: "select this group" }),
      ...(alive ? [press("×", () => model.send({ type: "forget", name }), { title: "remove this name", ariaLabel: `remove the name ${name}` })] : []))));
    keepKeys(element);
  };
  return { element, draws: /** @type {import("../shared/view.mjs").Draw[]} */ ([[["groups", "selected", "alive"], draw]]) };
}
