// @ts-check
// Thin diagonal lines where a map tells nothing, at the device's resolution, as render.py draws them.

import { make } from "../shared/dom.mjs";

const DISTANCE = 9; // of the lines along a row, in CSS pixels; a dark and a light line alternate
const STRENGTH = 0.38; // opacity of a line
const WHOLE = { top: 0, left: 0, side: 1 };

/** @typedef {ReturnType<typeof import("../shared/viewport.mjs").partOf>} Part */

/**
 * RGBA pixels of the square that repeats: a dark line and a light one beside it.
 *
 * @param {number} side in device pixels
 * @param {number} width of a line in device pixels
 */
export function hatchTile(side, width) {
  const pixels = new Uint8ClampedArray(4 * side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const phase = (row + column) % side;
      if (phase >= 2 * width) continue;
      const ink = phase < width ? 0 : 255;
      pixels.set([ink, ink, ink, 255 * STRENGTH], 4 * (row * side + column));
    }
  }
  return pixels;
}

/**
 * The square that repeats, as a canvas.
 *
 * @param {number} ratio device pixels a CSS pixel
 */
function makeLines(ratio) {
  const side = Math.max(4, Math.round(DISTANCE * ratio));
  const tile = make("canvas", { width: side, height: side });
  const pixels = hatchTile(side, Math.max(1, Math.round(ratio)));
  tile.getContext("2d")?.putImageData(new ImageData(/** @type {any} */ (pixels), side, side), 0, 0);
  return tile;
}

/**
 * Draws lines where a mask is.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} mask one pixel each of the map
 * @param {number[]} size width and height of the canvas
 * @param {number} ratio device pixels a CSS pixel
 * @param {Part} part of the map that the canvas shows
 */
function hatch(canvas, mask, [width, height], ratio, { top, left, side }) {
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  const lines = pen?.createPattern(makeLines(ratio), "repeat");
  if (!pen || !lines || !width || !height) return canvas;
  pen.fillStyle = lines;
  pen.fillRect(0, 0, width, height);
  pen.globalCompositeOperation = "destination-in";
  pen.imageSmoothingEnabled = false;
  pen.drawImage(mask, left * mask.width, top * mask.height, side * mask.width, side * mask.height, 0, 0, width, height);
  return canvas;
}

/**
 * A mask, 1 for each true bit, from eight pixels a byte.
 *
 * @param {DataView} bits
 * @param {number} length in pixels
 */
export function unpacked(bits, length) {
  const mask = new Uint8Array(length);
  for (let i = 0; i < length; i++) mask[i] = (bits.getUint8(i >> 3) >> (7 - (i & 7))) & 1;
  return mask;
}

/** A sample of the lines, and beside it what they mean. */
export function makeSwatch() {
  const meaning = make("span");
  const element = make("span", { className: "xw-swatch-row" }, make("i", { className: "xw-swatch" }), meaning);
  /** @param {string} words */
  const show = (words) => {
    meaning.textContent = words;
    element.hidden = !words;
  };
  return { element, show };
}

/** Hatching over a picture: a canvas, and what draws on it. */
export function makeHatching() {
  const canvas = make("canvas", { className: "xw-hatching", ariaHidden: "true", hidden: true });
  const mask = make("canvas");
  let part = WHOLE;
  let box = [0, 0]; // width and height in CSS pixels, as asking for them lays the page out
  const redraw = () => {
    const ratio = window.devicePixelRatio;
    const size = box.map((length) => Math.round(length * ratio));
    if (!canvas.hidden) hatch(canvas, mask, size, ratio, part);
  };
  /**
   * Turns to a part of the map.
   *
   * @param {Part} to
   */
  const turn = (to) => {
    part = to;
    const [top, left, side] = [to.top, to.left, to.side].map((share) => `${100 * share}%`);
    Object.assign(canvas.style, { top, left, width: side, height: side });
    redraw();
  };
  /**
   * Shows which pixels of a map are hatched.
   *
   * @param {Uint8Array} hatched 1 for each hatched pixel
   * @param {number} width of the map
   */
  const show = (hatched, width) => {
    canvas.hidden = !hatched.includes(1);
    if (canvas.hidden) return;
    const pixels = new Uint32Array(hatched.length);
    for (let i = 0; i < hatched.length; i++) if (hatched[i]) pixels[i] = 0xff000000;
    Object.assign(mask, { width, height: hatched.length / width });
    const data = new ImageData(new Uint8ClampedArray(pixels.buffer), width);
    mask.getContext("2d")?.putImageData(data, 0, 0);
    redraw();
  };
  const observer = new ResizeObserver(([{ contentRect }]) => {
    box = [contentRect.width, contentRect.height];
    redraw();
  });
  observer.observe(canvas);
  /**
   * The lines of the whole map on a canvas of another size, to be saved.
   *
   * @param {number} width
   * @param {number} height
   * @param {number} ratio
   */
  const copy = (width, height, ratio) => (canvas.hidden ? null : hatch(make("canvas"), mask, [width, height], ratio, WHOLE));
  return { canvas, show, turn, copy };
}
