// @ts-check
// The outline of the object that a map was segmented into, as render.py draws that of a region.

const WIDTH = 448; // pixels that an outline has at least, so that its lines are thin

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
