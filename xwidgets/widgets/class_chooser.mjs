// @ts-check
// The classes as bars of their probabilities, to choose from, and a search for all of them.

import { keepKeys, make, makeAlert, press, warn } from "./shared/dom.mjs";
import { percent } from "./shared/numbers.mjs";
import { keepParts } from "./shared/parts.mjs";
import { mount, put } from "./shared/view.mjs";

/** @typedef {import("./shared/view.mjs").Model} Model */

/** How many classes a search shows at most. */
const MOST = 12;

/**
 * The probabilities that arrive as bytes.
 *
 * @param {DataView} bytes
 */
export function sharesOf(bytes) {
  return Array.from({ length: bytes.byteLength / 8 }, (_, at) => bytes.getFloat64(8 * at, true));
}

/**
 * The classes that are shown, the most probable first: with nothing searched for the first k and the
 * target, else those with every word of the search in their name, before others where it begins a word.
 *
 * @param {string[]} names
 * @param {number[]} shares
 * @param {{ search: string, k: number, target: number | null }} asked
 */
export function listed(names, shares, { search, k, target }) {
  const order = [...shares.keys()].sort((one, other) => shares[other] - shares[one]);
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return order.filter((index, place) => place < k || index === target);
  const found = order.filter((index) => words.every((word) => names[index].toLowerCase().includes(word)));
  const first = found.filter((index) => words.every((word) => names[index].toLowerCase().split(/[^\p{L}\p{N}]+/u)
    .some((part) => part.startsWith(word))));
  return [...first, ...found.filter((index) => !first.includes(index))].slice(0, MOST);
}

/**
 * @param {Model} model
 * @param {number} index
 */
function makeRow(model, index) {
  const name = make("span", { className: "xw-class-name" });
  const share = make("span", { className: "xw-class-share" });
  const bar = make("i", { className: "xw-class-bar", ariaHidden: "true" });
  const element = press([bar, name, share], () => put(model, { value: index }), { className: "xw-class" });
  const draw = () => {
    const value = sharesOf(model.get("shares"))[index];
    name.textContent = element.title = model.get("names")[index];
    share.textContent = percent(value);
    bar.style.width = `${100 * value}%`;
    element.ariaPressed = String(model.get("value") === index);
    element.disabled = !model.get("alive");
  };
  return { element, draw };
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const search = make("input", { type: "search", className: "xw-class-search" });
  const part = make("p", { className: "xw-class-part" });
  const rows = make("div", { className: "xw-classes", role: "group", ariaLabel: "classes" });
  const count = make("p", { className: "xw-quiet xw-class-count", role: "status" });
  const alert = makeAlert();
  const view = make("div", { className: "xw-view xw-chooser" }, part, rows, search, count, alert);
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeRow>>>} */
  const { keep } = keepParts(rows);

  const draw = () => {
    const names = model.get("names");
    const target = model.get("value");
    const found = listed(names, sharesOf(model.get("shares")), { search: search.value, k: model.get("k"), target });
    for (const row of keep(found, (index) => makeRow(model, index))) row.draw();
    keepKeys(rows);
    part.textContent = model.get("part") && `Explained now: ${model.get("part")}`;
    part.hidden = !part.textContent;
    search.hidden = names.length <= model.get("k");
    search.placeholder = search.ariaLabel = `search all ${names.length} classes`;
    count.textContent = search.value.trim() && !found.length ? "No class is called so." : "";
    count.hidden = !count.textContent;
  };
  search.addEventListener("input", draw);
  search.addEventListener("keydown", (event) => {
    const first = rows.querySelector("button");
    if (event.key === "Enter" && search.value.trim()) first?.click();
    else if (event.key === "ArrowUp") first?.focus();
    else if (event.key === "Escape" && search.value) {
      search.value = "";
      draw();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return mount({ model, el }, view, [
    [["names", "shares", "value", "part", "k", "alive"], draw],
    [["message"], () => warn(alert, model.get("message"))],
  ]);
}

export default { render };
