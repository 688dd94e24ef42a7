// @ts-check
// The map over its picture, and the pixel that is read.
//
// The picture is an <img>, the map a <canvas> of one canvas pixel a map pixel above it; both are
// scaled by the browser, so they are sharp at any device scale and no change of opacity, size or
// zoom draws them anew. Hatching and outline are lines of one width, drawn for the part that is shown.

import { make, press } from "../shared/dom.mjs";
import { movedInGrid, take } from "../shared/keyboard.mjs";
import { drawPixels, isCoarse, picture } from "../shared/pictures.mjs";
import { put } from "../shared/view.mjs";
import { UNKNOWN, paint } from "./colors.mjs";
import {
  HATCHING, alternativeOf, bytesOf, codesOf, hatchedOf, limitOf, nothingWords, reading, shadesOfFrame, shownFrame,
} from "./frames.mjs";
import { makeHatching } from "./hatching.mjs";
import { makeOutline } from "./outline.mjs";
import { middleOf, partOf, showing } from "../shared/viewport.mjs";
import { listenToZoom, look, makeZoom, viewportOf } from "./zoom.mjs";

const FAR = 10; // pixels that an arrow moves with Shift
const KEYS = "Arrow keys read pixels, + and − zoom, 0 shows the whole.";

/** @typedef {import("../shared/view.mjs").Model} Model */

/**
 * The map pixel [row, column] under a point of the canvas's box, or null outside.
 *
 * @param {number} x
 * @param {number} y
 * @param {{ left: number, top: number, width: number, height: number }} box
 * @param {number[]} shape
 */
export function pixelAt(x, y, box, [height, width]) {
  const row = Math.floor(((y - box.top) / box.height) * height);
  const column = Math.floor(((x - box.left) / box.width) * width);
  const inside = row >= 0 && row < height && column >= 0 && column < width;
  return inside ? [row, column] : null;
}

/**
 * The pixel that is read, when there is one in this picture.
 *
 * @param {Model} model
 */
function pixelOf(model) {
  const [height, width] = model.get("shape");
  const [row, column] = model.get("pixel");
  return row < height && column < width ? [row, column] : null;
}

/**
 * Reads a pixel, or none.
 *
 * @param {Model} model
 * @param {number[] | null} pixel
 */
function read(model, pixel) {
  const next = pixel ?? [];
  if (String(next) !== String(model.get("pixel"))) put(model, { pixel: next });
}

/**
 * Reads pixels by pointer and keys; those that keys lead to come into sight.
 *
 * @param {Model} model
 * @param {HTMLCanvasElement} canvas
 */
function listen(model, canvas) {
  for (const type of /** @type {const} */ (["pointermove", "click", "wheel", "dblclick"])) {
    canvas.addEventListener(type, ({ clientX, clientY }) => {
      read(model, pixelAt(clientX, clientY, canvas.getBoundingClientRect(), model.get("shape")));
    }, { passive: true });
  }
  canvas.addEventListener("pointerleave", () => read(model, null));
  canvas.addEventListener("blur", () => read(model, null));
  canvas.addEventListener("keydown", (event) => {
    const shape = model.get("shape");
    const viewport = viewportOf(model);
    const from = pixelOf(model) ?? middleOf(viewport, shape);
    const to = movedInGrid(from, event.key, shape, event.shiftKey ? FAR : 1);
    if (to === null && event.key !== "Escape") return;
    take(event);
    if (to) look(model, showing(viewport, to, shape));
    read(model, to);
  });
}

/**
 * What is known about the pixel that is read, and a mark around it.
 *
 * @param {Model} model
 * @param {HTMLCanvasElement} canvas
 */
function makeReading(model, canvas) {
  const marker = make("div", { className: "xw-marker", hidden: true });
  const element = make("div", { className: "xw-readout" });
  const draw = () => {
    const [height, width] = model.get("shape");
    const pixel = pixelOf(model);
    marker.hidden = pixel === null;
    element.ariaLive = canvas.matches(":focus") ? "polite" : "off";
    if (pixel === null) {
      element.textContent = "Point at a pixel or use the arrow keys.";
      return;
    }
    const [row, column] = pixel;
    Object.assign(marker.style, {
      top: `${(100 * row) / height}%`, left: `${(100 * column) / width}%`,
      width: `${100 / width}%`, height: `${100 / height}%`,
    });
    element.textContent = reading(shownFrame(model), pixel, width);
  };
  return { element, marker, draw };
}

/**
 * What is said over a map that tells nothing, and what may be asked in its place.
 *
 * @param {Model} model
 */
function makeNotice(model) {
  const [words, why] = [make("strong"), make("span")];
  const offer = press("", () => model.send({ type: "before_softmax" }));
  const element = make("div", { className: "xw-notice", role: "status", hidden: true }, words, why, offer);
  /**
   * @param {import("./frames.mjs").Frame | undefined} frame
   * @param {string} text
   */
  const show = (frame, text) => {
    element.hidden = !text;
    words.textContent = text;
    offer.textContent = model.get("offer") ?? "";
    offer.hidden = !frame?.sure || !model.get("offer");
    why.textContent = [frame?.sure, frame?.sure && offer.hidden && frame.advice].filter(Boolean).join(" ");
  };
  return { element, show };
}

/**
 * The picture, the map and the marker, and below them what is read.
 *
 * @param {Model} model
 */
export function makeStage(model) {
  const photo = picture({ className: "xw-photo" });
  const canvas = make("canvas", {
    className: "xw-map", tabIndex: 0, role: "img", ariaRoleDescription: "map that the arrow keys read",
  });
  const readout = makeReading(model, canvas);
  const [outline, hatching, notice, zoom] = [makeOutline(), makeHatching(), makeNotice(model), makeZoom(model)];
  const enlarged = make("div", { className: "xw-enlarged" }, photo.image, canvas, hatching.canvas, outline.canvas, readout.marker);
  const element = make("div", { className: "xw-stage" }, enlarged, notice.element, zoom.element);
  listenToZoom(model, element, canvas); // before the pixel is read that is under the pointer then
  listen(model, canvas);

  const drawPhoto = () => {
    const [height, width] = model.get("shape");
    element.style.aspectRatio = `${width} / ${height}`;
    element.classList.toggle("xw-coarse", isCoarse(width));
    photo.show(model.get("photo"));
  };
  const drawMap = () => {
    const [height, width] = model.get("shape");
    const frame = shownFrame(model);
    const codes = frame?.map ? codesOf(frame.map) : new Int8Array(height * width).fill(UNKNOWN);
    if (codes.length !== height * width) return; // map and picture change one after the other
    const limit = frame ? limitOf(model, frame) : 0;
    const hatched = hatchedOf(frame, limit, model.get("hide_uncertain"));
    drawPixels(canvas, paint(codes, shadesOfFrame(model, frame), hatched), width);
    hatching.show(hatched, width);
    notice.show(frame, nothingWords(frame, hatched, limit));
    canvas.ariaLabel = `${alternativeOf(frame, hatched, limit)} ${frame ? KEYS : ""}`.trim();
  };
  const drawOutline = () => {
    const [height, width] = model.get("shape");
    const object = model.get("outline") ? shownFrame(model)?.object : undefined;
    const known = object?.byteLength === height * width;
    outline.show(known && object ? bytesOf(object) : null, [height, width], model.get("object_threshold"), viewportOf(model));
  };
  const drawZoom = () => {
    const { top, left, side } = partOf(viewportOf(model));
    const [times, down, right] = [1, -top, -left].map((share) => `${(100 * share) / side}%`);
    Object.assign(enlarged.style, { width: times, height: times, top: down, left: right });
    element.classList.toggle("xw-zoomed", side < 1);
    hatching.turn({ top, left, side });
    zoom.draw();
  };
  const drawOpacity = () => {
    canvas.style.opacity = hatching.canvas.style.opacity = model.get("opacity");
    photo.image.style.setProperty("--xw-filter", `grayscale(${model.get("opacity")})`);
  };
  const drawState = () => { canvas.ariaBusy = String(model.get("progress").state === "computing"); };

  /** @type {import("../shared/view.mjs").Draw[]} */
  const draws = [
    [["photo", "shape"], drawPhoto],
    [["shape", "frames", "index", "color_map", "offer", ...HATCHING], drawMap],
    [["shape", "zoom", "center"], drawZoom],
    [["shape", "frames", "index", "outline", "object_threshold", "zoom", "center"], drawOutline],
    [["shape", "frames", "index", "pixel"], readout.draw],
    [["opacity"], drawOpacity],
    [["progress"], drawState],
  ];
  return { element, readout: readout.element, photo: photo.image, canvas, hatching, outline, draws };
}
