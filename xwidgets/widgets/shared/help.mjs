// @ts-check
// A "?" beside a label, which says in two sentences what a term means.

import { make } from "./dom.mjs";
import { TERMS } from "./terms.mjs";

const EDGE = 8; // pixels between the help and the edge of the page

/** Pixels between help and its button. */
const GAP = 4;

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
 * Where help stands: below its button where there is room for it, else above, within the page.
 *
 * @param {{ left: number, top: number, bottom: number }} button
 * @param {{ width: number, height: number }} box
 * @param {{ width: number, height: number }} page
 */
export function placeOfHelp(button, box, page) {
  const left = Math.max(EDGE, Math.min(button.left, page.width - box.width - EDGE));
  const below = button.bottom + GAP;
  if (below + box.height <= page.height - EDGE) return { left, top: below };
  return { left, top: Math.max(EDGE, button.top - GAP - box.height) };
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
    const { clientWidth: width, clientHeight: height } = document.documentElement;
    const { left, top } = placeOfHelp(button.getBoundingClientRect(), box.getBoundingClientRect(), { width, height });
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
