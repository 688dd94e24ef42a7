// @ts-check
// What enlarges a map and moves it: wheel, fingers, keys, buttons; and which part is shown.
//
// One finger moves the map only while it is enlarged, as it scrolls the page otherwise.

import { make, press } from "../shared/dom.mjs";
import { listenToGestures } from "../shared/gestures.mjs";
import { isCommand, take } from "../shared/keyboard.mjs";
import { brief } from "../shared/numbers.mjs";
import { put } from "../shared/view.mjs";
import { MOST, dragged, inPicture, keyed, partOf, partWords, pinched, pointOf, wheeled } from "../shared/viewport.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("../shared/viewport.mjs").Viewport} Viewport
 */

/**
 * What is shown of the picture.
 *
 * @param {Model} model
 * @returns {Viewport}
 */
export function viewportOf(model) {
  return { zoom: model.get("zoom"), center: model.get("center") };
}

/**
 * A number as it is kept, far finer than a pixel.
 *
 * @param {number} value
 */
function rounded(value) {
  return Math.round(1e6 * value) / 1e6;
}

/**
 * Shows another part of the picture.
 *
 * @param {Model} model
 * @param {Viewport} viewport
 */
export function look(model, viewport) {
  const { zoom, center } = inPicture(viewport);
  const next = { zoom: rounded(zoom), center: center.map(rounded) };
  if (JSON.stringify(next) !== JSON.stringify(viewportOf(model))) put(model, next);
}

/**
 * Moves the map with one pointer while it is enlarged, and enlarges it with two or the wheel.
 *
 * @param {Model} model
 * @param {HTMLElement} stage
 * @param {HTMLCanvasElement} canvas
 */
function listenToPointers(model, stage, canvas) {
  const size = () => [stage.clientHeight, stage.clientWidth];
  const hold = () => stage.classList.add("xw-held");
  listenToGestures(canvas, {
    drag: (from, to) => {
      const [viewport, sides] = [viewportOf(model), size()];
      if (viewport.zoom <= 1) return;
      hold();
      look(model, dragged(viewport, to.map((at, axis) => (at - from[axis]) / sides[axis])));
    },
    pinch: (from, to) => {
      hold();
      look(model, pinched(viewportOf(model), from, to, size()));
    },
    turn: (by, at) => {
      const sides = size();
      look(model, wheeled(viewportOf(model), by, at.map((place, axis) => place / sides[axis])));
    },
    drop: () => stage.classList.remove("xw-held"),
  }, stage);
}

/**
 * Lets gestures and keys on a map enlarge and move it.
 *
 * @param {Model} model
 * @param {HTMLElement} stage
 * @param {HTMLCanvasElement} canvas
 */
export function listenToZoom(model, stage, canvas) {
  listenToPointers(model, stage, canvas);
  canvas.addEventListener("dblclick", () => look(model, { zoom: 1, center: [0.5, 0.5] }));
  canvas.addEventListener("keydown", (event) => {
    const [viewport, pixel] = [viewportOf(model), model.get("pixel")];
    const point = pixel.length ? pointOf(viewport, pixel, model.get("shape")) : undefined;
    const next = isCommand(event) ? null : keyed(viewport, event.key, point);
    if (!next) return;
    take(event);
    look(model, next);
  });
}

/**
 * Buttons that enlarge a map, and which part of it is shown.
 *
 * @param {Model} model
 */
export function makeZoom(model) {
  /** @type {(text: string, key: string, title: string) => HTMLButtonElement} */
  const button = (text, key, title) => press(text, () => {
    const next = keyed(viewportOf(model), key);
    if (next) look(model, next);
  }, { title, ariaLabel: title });
  const less = button("−", "-", "zoom out");
  const more = button("+", "+", "zoom in");
  const whole = button("1:1", "0", "show the whole picture");
  const times = make("output", { className: "xw-times" });
  const shown = make("i");
  const inset = make("div", { className: "xw-inset", role: "img" }, shown);
  const element = make("div", { className: "xw-zoom", role: "group", ariaLabel: "zoom" },
    make("div", { className: "xw-zoom-tools" }, less, times, more, whole), inset);
  const draw = () => {
    const [viewport, shape] = [viewportOf(model), model.get("shape")];
    const { top, left, side } = partOf(viewport);
    const [words, zoom] = [partWords(viewport, shape), 1 / side];
    less.ariaDisabled = whole.ariaDisabled = String(zoom <= 1);
    more.ariaDisabled = String(zoom >= MOST);
    times.textContent = words && `${brief(zoom)} ×`;
    inset.hidden = !words;
    inset.ariaLabel = inset.title = `shown: ${words}`;
    inset.style.aspectRatio = `${shape[1]} / ${shape[0]}`;
    Object.assign(shown.style, {
      top: `${100 * top}%`, left: `${100 * left}%`, width: `${100 * side}%`, height: `${100 * side}%`,
    });
  };
  return { element, draw };
}
