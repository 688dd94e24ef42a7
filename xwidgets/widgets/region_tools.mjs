// @ts-check
// The brush, and how a region is filled; beside a canvas of ipycanvas, which is mended here.

import { make, makeAlert, press, warn } from "./shared/dom.mjs";
import { mount, put } from "./shared/view.mjs";

/** @type {Record<string, string>} */
const FILLS = {
  conditional: "what goes with the surroundings",
  marginal: "what other pictures show there",
  grey: "grey",
};

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 * @typedef {import("./shared/view.mjs").Draw} Draw
 */

/**
 * "1 pixel", "812 pixels"; "no pixels" for none.
 *
 * @param {number} pixels
 */
export function count(pixels) {
  return pixels === 1 ? "1 pixel" : `${pixels || "no"} pixels`;
}

/**
 * What is wrong with a rectangle in a picture of this shape; "" when nothing is.
 *
 * @param {{ top: number, left: number, height: number, width: number }} rectangle
 * @param {number[]} shape
 */
export function fault({ top, left, height, width }, [rows, columns]) {
  if (![top, left, height, width].every(Number.isInteger)) return "The rectangle needs four whole numbers.";
  if (height < 1 || width < 1) return "The rectangle needs a height and a width of at least 1.";
  if (top < 0 || left < 0 || top + height > rows || left + width > columns) {
    return `The rectangle reaches out of the picture of ${rows} × ${columns} pixels.`;
  }
  return "";
}

/**
 * Gives the canvas a name, its pointers when they leave it, and keys and wheel back to the page.
 *
 * @param {HTMLCanvasElement} canvas
 */
function mend(canvas) {
  Object.assign(canvas, { tabIndex: -1, role: "img" });
  canvas.dataset.lmSuppressShortcuts = "true";
  canvas.focus = () => HTMLElement.prototype.focus.call(canvas, { preventScroll: true });
  const capture = { capture: true };
  canvas.addEventListener("keydown", (event) => event.stopImmediatePropagation(), capture);
  canvas.addEventListener("wheel", (event) => event.stopImmediatePropagation(), capture);
  canvas.addEventListener("mousedown", (event) => event.button && event.stopImmediatePropagation(), capture);
  canvas.addEventListener("pointerdown", ({ pointerId }) => canvas.setPointerCapture(pointerId), capture);
}

/**
 * The canvas that the tools belong to, as soon as it is on the page.
 *
 * @param {Model} model
 * @param {HTMLElement} el
 */
function makeCanvas(model, el) {
  /** @type {HTMLCanvasElement | null} */
  let canvas = null;
  const draw = () => {
    if (!canvas) return;
    const [rows, columns] = model.get("shape");
    canvas.ariaLabel = `picture of ${rows} × ${columns} pixels, region of ${count(model.get("pixels"))}; `
      + "paint with the mouse, or add a rectangle by numbers";
  };
  const watch = new MutationObserver(() => {
    const shown = el.closest(".xw-painter")?.querySelector("canvas");
    if (!shown || shown === canvas) return;
    canvas = shown;
    mend(canvas);
    draw();
  });
  watch.observe(document.body, { childList: true, subtree: true });
  return { draw, leave: () => watch.disconnect() };
}

/**
 * Paint, erase, clear, and how large the region is.
 *
 * @param {Model} model
 */
function makeModes(model) {
  const paint = press("Paint", () => put(model, { erase: false }));
  const erase = press("Erase", () => put(model, { erase: true }));
  const clear = press("Clear", () => model.send({ type: "clear" }));
  const modes = make("span", { className: "xw-modes", role: "group", ariaLabel: "brush" }, paint, erase);
  const pixels = make("output", { className: "xw-quiet" });
  const element = make("div", { className: "xw-line" }, modes, clear, pixels);
  const drawMode = () => {
    paint.ariaPressed = String(!model.get("erase"));
    erase.ariaPressed = String(model.get("erase"));
  };
  const drawPixels = () => {
    pixels.textContent = count(model.get("pixels"));
    clear.disabled = model.get("pixels") === 0;
  };
  /** @type {Draw[]} */
  const draws = [[["erase"], drawMode], [["pixels"], drawPixels]];
  return { element, draws };
}

/**
 * How large the brush is.
 *
 * @param {Model} model
 */
function makeBrush(model) {
  const input = make("input", { type: "range", step: "1", min: "1", ariaLabel: "brush size in pixels" });
  input.addEventListener("input", () => put(model, { brush: Number(input.value) }));
  const size = make("output");
  const element = make("label", { className: "xw-line" }, make("span", { textContent: "Brush" }), input, size);
  const draw = () => {
    input.max = model.get("largest");
    input.value = model.get("brush");
    size.textContent = `${model.get("brush")} px`;
    input.ariaValueText = count(model.get("brush"));
  };
  /** @type {Draw[]} */
  const draws = [[["brush", "largest"], draw]];
  return { element, draws };
}

/**
 * What the region is filled with.
 *
 * @param {Model} model
 */
function makeFill(model) {
  const fill = make("select", { ariaLabel: "fill the region with" });
  fill.addEventListener("change", () => put(model, { fill: fill.value }));
  const element = make("label", { className: "xw-line" }, make("span", { textContent: "Fill with" }), fill);
  const build = () => fill.replaceChildren(...model.get("fills").map((/** @type {string} */ value) =>
    make("option", { value, textContent: FILLS[value] })));
  /** @type {Draw[]} */
  const draws = [[["fills"], build], [["fills", "fill"], () => { fill.value = model.get("fill"); }]];
  return { element, draws };
}

/**
 * A rectangle by numbers, for who does not paint.
 *
 * @param {Model} model
 */
function makeRectangle(model) {
  const field = (/** @type {string} */ name, /** @type {number} */ value) => {
    const input = make("input", { type: "number", step: "1", value });
    return { input, label: make("label", {}, name, input) };
  };
  const fields = { top: field("Top", 0), left: field("Left", 0), height: field("Height", 1), width: field("Width", 1) };
  const add = make("button", { type: "submit" });
  const alert = makeAlert();
  const form = make("form", { noValidate: true }, ...Object.values(fields).map(({ label }) => label), add);
  const element = make("details", {}, make("summary", { textContent: "Rectangle by numbers" }), form, alert);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { top, left, height, width } = fields;
    const rectangle = {
      top: top.input.valueAsNumber, left: left.input.valueAsNumber,
      height: height.input.valueAsNumber, width: width.input.valueAsNumber,
    };
    warn(alert, fault(rectangle, model.get("shape")));
    if (alert.hidden) model.send({ type: "rectangle", ...rectangle });
  });
  const drawMode = () => {
    add.textContent = model.get("erase") ? "Erase" : "Add";
    add.ariaLabel = `${add.textContent} the rectangle`;
  };
  const drawShape = () => {
    const [rows, columns] = model.get("shape");
    for (const [name, { input }] of Object.entries(fields)) {
      input.min = name === "top" || name === "left" ? "0" : "1";
      input.max = name === "top" || name === "height" ? rows : columns;
    }
  };
  /** @type {Draw[]} */
  const draws = [[["erase"], drawMode], [["shape"], drawShape]];
  return { element, draws };
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const parts = [makeModes, makeBrush, makeFill, makeRectangle].map((makePart) => makePart(model));
  const canvas = makeCanvas(model, el);
  const view = make("div", { className: "xw-view xw-region-tools" }, ...parts.map(({ element }) => element));
  return mount({ model, el }, view, [
    ...parts.flatMap(({ draws }) => draws),
    [["shape", "pixels"], canvas.draw],
  ], canvas.leave);
}

export default { render };
