// @ts-check
// The outline of the object that a map was segmented into, as render.py draws that of a region.

import { make } from "../shared/dom.mjs";
import { drawPixels } from "../shared/pictures.mjs";
import { pixelsIn } from "../shared/viewport.mjs";

const WIDTH = 448; // pixels that an outline has at least, so that its lines are thin
const WHOLE_PICTURE = { zoom: 1, center: [0.5, 0.5] };

/**
 * How many pixels in each direction stand for a pixel of a map of this width.
 *
 * @param {number} width
 */
export function enlargement(width) {
  return Math.max(1, Math.round(WIDTH / width));
}

/**
 * RGBA pixels of an outline, white inside the object and black outside; all else is transparent.
 *
 * @param {Uint8Array} probability of the object, 255 for 1, row by row
 * @param {number} width
 * @param {number} threshold probability from which on a pixel is in the object
 * @param {number} [factor] how many pixels in each direction stand for one
 */
export function outlined(probability, width, threshold, factor = 1) {
  const height = probability.length / width;
  const [rows, columns] = [height * factor, width * factor];
  const pixels = new Uint8ClampedArray(4 * rows * columns);
  /** @type {(row: number, column: number) => boolean} */
  const inside = (row, column) =>
    probability[Math.floor(row / factor) * width + Math.floor(column / factor)] >= 255 * threshold;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const here = inside(row, column);
      const edge =
        (row > 0 && inside(row - 1, column) !== here) || (row < rows - 1 && inside(row + 1, column) !== here) ||
        (column > 0 && inside(row, column - 1) !== here) || (column < columns - 1 && inside(row, column + 1) !== here);
      if (edge) pixels.fill(here ? 255 : 0, 4 * (row * columns + column), 4 * (row * columns + column) + 3);
      if (edge) pixels[4 * (row * columns + column) + 3] = 255;
    }
  }
  return pixels;
}

/**
 * The rows and columns of a map from first to last, both of which count.
 *
 * @param {Uint8Array} values
 * @param {number} width
 * @param {{ rows: number[], columns: number[] }} part
 */
export function cropped(values, width, { rows: [top, bottom], columns: [left, right] }) {
  const across = right - left + 1;
  const crop = new Uint8Array(across * (bottom - top + 1));
  for (let row = top; row <= bottom; row++) {
    crop.set(values.subarray(row * width + left, row * width + right + 1), (row - top) * across);
  }
  return crop;
}

/** The outline over a map: a canvas over the rows and columns that are shown, and what draws on it. */
export function makeOutline() {
  const canvas = make("canvas", { className: "xw-outline", ariaHidden: "true", hidden: true });
  /** @type {(onto: HTMLCanvasElement, viewport: import("../shared/viewport.mjs").Viewport) => void} */
  let draw = () => {};
  /**
   * @param {Uint8Array | null} probability of the object; null for none
   * @param {number[]} shape
   * @param {number} threshold
   * @param {import("../shared/viewport.mjs").Viewport} viewport
   */
  const show = (probability, [height, width], threshold, viewport) => {
    canvas.hidden = probability === null;
    if (probability === null) return;
    draw = (onto, part) => {
      const { rows, columns } = pixelsIn(part, [height, width]);
      const across = columns[1] - columns[0] + 1;
      const factor = enlargement(across);
      drawPixels(onto, outlined(cropped(probability, width, { rows, columns }), across, threshold, factor), across * factor);
      Object.assign(onto.style, {
        top: `${(100 * rows[0]) / height}%`, height: `${(100 * (rows[1] - rows[0] + 1)) / height}%`,
        left: `${(100 * columns[0]) / width}%`, width: `${(100 * across) / width}%`,
      });
    };
    draw(canvas, viewport);
  };
  /** The outline in the whole picture, to be saved; null where there is none. */
  const copy = () => {
    if (canvas.hidden) return null;
    const whole = make("canvas");
    draw(whole, WHOLE_PICTURE);
    return whole;
  };
  return { canvas, show, copy };
}
