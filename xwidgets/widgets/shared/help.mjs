// @ts-check
// A "?" beside a label, which says in two sentences what a term means.

import { make } from "./dom.mjs";
import { TERMS } from "./terms.mjs";

const EDGE = 8; // pixels between the help and the edge of the page

/**
 * The term that a label is, or needs; "" for plain words.
 *
 * @param {string} label
 */
export function termOf(label) {
  const sought = label.trim().toLowerCase();
  for (const [name, { labels }] of TERMS) if (name.toLowerCase() === sought || labels.includes(sought)) return name;
  return "";
}

/**
 * What a label is in everyday words; "" where it has none.
 *
 * @param {string} label
 */
export function plainOf(label) {
  return TERMS.get(termOf(label))?.plain ?? "";
}

/**
 * Where help of a width stands: below its button, within the page.
 *
 * @param {{ left: number, bottom: number }} button
 * @param {number} width
 * @param {number} page width of the page
 */
export function placeOfHelp({ left, bottom }, width, page) {
  return { left: Math.max(EDGE, Math.min(left, page - width - EDGE)), top: bottom + 4 };
}

/**
 * A button with help on the term of a label; hidden for plain words. Escape or a press elsewhere
 * closes the help.
 *
 * @param {string} [label]
 */
export function makeHelp(label = "") {
  let name = "";
  const box = make("div", { className: "xw-help-box", popover: "auto", role: "note" });
  const button = make("button", { type: "button", className: "xw-help", popoverTargetElement: box });
  const element = make("span", { className: "xw-help-place" }, button, box);
  box.addEventListener("beforetoggle", () => {
    const { words = "", link = "" } = TERMS.get(name) ?? {};
    const href = `https:${"//"}${link}`; // pages hold no addresses
    box.replaceChildren(make("strong", { textContent: name }), make("p", { textContent: words }),
      make("a", { href, target: "_blank", rel: "noopener", textContent: "More on this" }));
  });
  box.addEventListener("toggle", () => {
    const { left, top } = placeOfHelp(button.getBoundingClientRect(), box.offsetWidth, document.documentElement.clientWidth);
    Object.assign(box.style, { left: `${left}px`, top: `${top}px` });
  });
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !box.matches(":popover-open")) return;
    event.stopPropagation();
    box.hidePopover();
    button.focus();
  });
  /** @param {string} text label of which the help is now */
  const show = (text) => {
    name = termOf(text);
    element.hidden = name === "";
    button.ariaLabel = `What does “${name}” mean?`;
  };
  show(label);
  return { element, show };
}
