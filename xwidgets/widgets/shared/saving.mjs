// @ts-check
// Files and texts that a reader keeps, also where a page may not save files.

import { make, press } from "./dom.mjs";

const BLOCKED = "If no file was saved, the frame around this page does not allow it; open the page on its own.";

/**
 * Whether the page stands in a frame that may hold its downloads back, without a word.
 *
 * @param {{ origin: string, location: { protocol: string }, parent: unknown }} place its window
 */
export function isConfined(place) {
  if (place.origin !== "null") return false;
  return place.location.protocol !== "file:" || place.parent !== place; // a file has no origin either
}

/**
 * Lets a person keep a file.
 *
 * @param {string} name
 * @param {string} href
 * @returns {string} what to say to who got none; "" where that cannot be
 */
export function download(name, href) {
  make("a", { download: name, href }).click();
  return isConfined(window) ? BLOCKED : "";
}

/**
 * Address of a JSON text.
 *
 * @param {string} text
 */
export function jsonHref(text) {
  return `data:application/json;charset=utf-8,${encodeURIComponent(text)}`;
}

/**
 * A text to be copied, hidden until it is shown.
 *
 * @param {string} ariaLabel
 */
export function makeCopy(ariaLabel) {
  const code = make("textarea", { readOnly: true, rows: 8, spellcheck: false, ariaLabel });
  const told = make("span", { role: "status" });
  const copy = async () => {
    code.select();
    try {
      await navigator.clipboard.writeText(code.value);
      told.textContent = "copied";
    } catch {
      told.textContent = document.execCommand("copy") ? "copied" : "press Ctrl+C or ⌘C to copy";
    }
  };
  const element = make("div", { className: "xw-copy", hidden: true }, code,
    make("div", {}, press("Copy", copy), press("Close", () => { element.hidden = true; }), told));
  /** @param {string} text */
  const show = (text) => {
    code.value = text;
    told.textContent = "";
    element.hidden = false;
    code.focus();
    code.select();
  };
  return { element, show };
}
