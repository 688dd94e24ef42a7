// @ts-check
// Thin diagonal lines where a map tells nothing, at the device's resolution, as render.py draws them.

import { make } from "../shared/dom.mjs";

const DISTANCE = 9; // of the lines along a row, in CSS pixels; a dark and a light line alternate
const STRENGTH = 0.38; // opacity of a line

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

/** Hatching over a picture: a canvas, and what draws on it. */
export function makeHatching() {
  const canvas = make("canvas", { className: "xw-hatching", ariaHidden: "true", hidden: true });
  const mask = make("canvas");
  /**
   * Draws lines where the mask is, on a canvas of this size.
   *
   * @param {HTMLCanvasElement} onto
   * @param {number} width
   * @param {number} height
   * @param {number} ratio
   */
  const draw = (onto, width, height, ratio) => {
    Object.assign(onto, { width, height });
    const pen = onto.getContext("2d");
    const lines = pen?.createPattern(makeLines(ratio), "repeat");
    if (!pen || !lines || !width || !height) return onto;
    pen.fillStyle = lines;
    pen.fillRect(0, 0, width, height);
    pen.globalCompositeOperation = "destination-in";
    pen.imageSmoothingEnabled = false;
    pen.drawImage(mask, 0, 0, width, height);
    return onto;
  };
  const redraw = () => {
    const ratio = window.devicePixelRatio;
    if (!canvas.hidden) draw(canvas, Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio), ratio);
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
  const observer = new ResizeObserver(redraw);
  observer.observe(canvas);
  /**
   * The same lines on a canvas of another size, to be saved.
   *
   * @param {number} width
   * @param {number} height
   * @param {number} ratio
   */
  const copy = (width, height, ratio) => (canvas.hidden ? null : draw(make("canvas"), width, height, ratio));
  return { canvas, show, copy };
}
