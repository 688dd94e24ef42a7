// @ts-check
// Pictures in a row, to turn to, and a place for others.

import { keepKeys, make, makeAlert, press, warn } from "./shared/dom.mjs";
import { keepParts } from "./shared/parts.mjs";
import { isCoarse, picture } from "./shared/pictures.mjs";
import { mount, put } from "./shared/view.mjs";

/** @typedef {import("./shared/view.mjs").Model} Model */

/** @typedef {{ number: number, name: string, png: DataView }} Thumb */

/** Bytes of a file that is sent at most. */
const LARGEST = 6_000_000;

/**
 * What stands below the strip: which of the pictures are shown.
 *
 * @param {number} first
 * @param {number} page how many are shown at once
 * @param {number} count
 */
export function range(first, page, count) {
  return count > page ? `${first + 1} to ${Math.min(first + page, count)} of ${count}` : "";
}

/**
 * Bytes in base64.
 *
 * @param {Uint8Array} bytes
 */
export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/**
 * @param {Model} model
 * @param {number} number
 */
function makeThumb(model, number) {
  const shown = picture();
  const element = press(shown.image, () => model.send({ type: "choose", number }), { className: "xw-thumb" });
  /** @param {Thumb} thumb */
  const draw = ({ name, png }) => {
    shown.show(png);
    element.title = element.ariaLabel = `picture ${name}`;
    element.ariaPressed = String(model.get("selected") === number);
    element.classList.toggle("xw-coarse", isCoarse(png.getUint32(16)));
  };
  return { element, draw };
}

/**
 * A place for a file: a button, and a drop anywhere on the strip.
 *
 * @param {Model} model
 * @param {HTMLElement} view
 * @param {(text: string) => void} tell
 */
function makeFile(model, view, tell) {
  const input = make("input", { type: "file", accept: "image/*", hidden: true });
  const button = press("Open…", () => input.click(), { title: "open a picture file, or drop one here" });
  /** @param {File | undefined} file */
  const add = async (file) => {
    if (!file) return;
    if (file.size > LARGEST) {
      tell(`${file.name} is larger than 6 MB; make it smaller, or give its path in Python`);
      return;
    }
    tell("");
    model.send({ type: "add", name: file.name, file: base64(new Uint8Array(await file.arrayBuffer())) });
  };
  input.addEventListener("change", () => {
    add(input.files?.[0]);
    input.value = "";
  });
  for (const name of ["dragover", "drop"]) {
    view.addEventListener(name, (event) => {
      const { dataTransfer } = /** @type {DragEvent} */ (event);
      if (!dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.stopPropagation();
      if (name === "drop") add(dataTransfer.files[0]);
    });
  }
  return [input, button];
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const row = make("div", { className: "xw-thumbs", role: "group", ariaLabel: "pictures" });
  const where = make("span", { className: "xw-quiet" });
  /** @param {number} by */
  const turn = (by) => put(model, { first: Math.max(0, model.get("first") + by * model.get("page")) });
  const back = press("‹", () => turn(-1), { ariaLabel: "pictures before these" });
  const on = press("›", () => turn(1), { ariaLabel: "pictures after these" });
  const more = press("More", () => {
    more.disabled = true;
    model.send({ type: "more" });
  }, { title: "pictures like those that the network was trained on" });
  const alert = makeAlert();
  const view = make("div", { className: "xw-view xw-strip" });
  const buttons = make("div", { className: "xw-strip-buttons" },
    ...makeFile(model, view, (text) => warn(alert, text)), more, back, where, on);
  view.append(make("div", { className: "xw-strip-row" }, row, buttons), alert);
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeThumb>>>} */
  const { keep } = keepParts(row);

  const draw = () => {
    /** @type {Thumb[]} */
    const thumbs = model.get("thumbs");
    for (const [at, thumb] of keep(thumbs.map(({ number }) => number), (number) => makeThumb(model, number)).entries()) {
      thumb.draw(thumbs[at]);
    }
    keepKeys(row);
    const [first, page, count] = ["first", "page", "count"].map((name) => model.get(name));
    where.textContent = range(first, page, count);
    back.hidden = on.hidden = count <= page;
    back.disabled = first === 0;
    on.disabled = first + page >= count;
    more.hidden = !model.get("can_grow");
  };
  return mount({ model, el }, view, [
    [["thumbs", "selected", "first", "count", "can_grow"], draw],
    [["message"], () => warn(alert, model.get("message"))],
  ]);
}

export default { render };
