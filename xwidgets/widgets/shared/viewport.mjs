// @ts-check
// Which part of a picture is shown, and how gestures and keys change it.

/** Pixels that a pointer may move in a click. */
export const SLACK = 4;

/** Pixels of a wheel that tells lines. */
export const LINE = 16;

/** How many times a picture is enlarged at most, as relevance_overlay.py says. */
export const MOST = 16;

const STEP = 2; // of the buttons and keys
const NOTCH = 100; // pixels of a wheel that double
const TOUCH = 1e-3; // share of a pixel that is not worth telling

/**
 * The part of a picture around `center`, row and column as shares of height and width; its sides are
 * those of the picture divided by `zoom`.
 *
 * @typedef {{ zoom: number, center: number[] }} Viewport
 */

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function between(value, least, most) {
  return Math.min(most, Math.max(least, value));
}

/**
 * The viewport, moved so that it lies in the picture.
 *
 * @param {Viewport} viewport
 * @returns {Viewport}
 */
export function inPicture({ zoom, center }) {
  const times = between(zoom, 1, MOST);
  const half = 1 / (2 * times);
  return { zoom: times, center: center.map((at) => between(at, half, 1 - half)) };
}

/**
 * Upper left corner and side of the part, as shares of height and width.
 *
 * @param {Viewport} viewport
 */
export function partOf(viewport) {
  const { zoom, center: [row, column] } = inPicture(viewport);
  const side = 1 / zoom;
  return { top: row - side / 2, left: column - side / 2, side };
}

/**
 * The viewport enlarged by a factor; what is at a point of the stage stays there.
 *
 * @param {Viewport} viewport
 * @param {number} factor
 * @param {number[]} [point] down and right, as shares of the stage
 */
export function zoomedAt(viewport, factor, point = [0.5, 0.5]) {
  const { top, left, side } = partOf(viewport);
  const zoom = between(factor / side, 1, MOST);
  const center = [top, left].map((corner, axis) => corner + point[axis] * side + (0.5 - point[axis]) / zoom);
  return inPicture({ zoom, center });
}

/**
 * The viewport after its content was dragged.
 *
 * @param {Viewport} viewport
 * @param {number[]} by down and right, as shares of the stage
 */
export function dragged(viewport, by) {
  const { zoom, center } = inPicture(viewport);
  return inPicture({ zoom, center: center.map((at, axis) => at - by[axis] / zoom) });
}

/**
 * The viewport after two fingers moved: what was under each stays there as far as it can.
 *
 * @param {Viewport} viewport
 * @param {number[][]} from down and right of both, in pixels of the stage
 * @param {number[][]} to
 * @param {number[]} size height and width of the stage in pixels
 */
export function pinched(viewport, from, to, size) {
  /** @param {number[][]} points */
  const apart = ([one, other]) => Math.hypot(one[0] - other[0], one[1] - other[1]);
  /** @param {number[][]} points */
  const middle = ([one, other]) => one.map((place, axis) => (place + other[axis]) / 2 / size[axis]);
  const [before, after] = [middle(from), middle(to)];
  const factor = apart(from) ? apart(to) / apart(from) : 1;
  return dragged(zoomedAt(viewport, factor, before), after.map((place, axis) => place - before[axis]));
}

/**
 * The viewport after a turn of the wheel; at most a factor of the square root of two.
 *
 * @param {Viewport} viewport
 * @param {number} turn in pixels, downwards
 * @param {number[]} point
 */
export function wheeled(viewport, turn, point) {
  return zoomedAt(viewport, 2 ** between(-turn / NOTCH, -0.5, 0.5), point);
}

/**
 * The pixel in the middle of the part.
 *
 * @param {Viewport} viewport
 * @param {number[]} shape height and width of the picture
 */
export function middleOf(viewport, shape) {
  return inPicture(viewport).center.map((at, axis) => Math.floor(at * shape[axis]));
}

/**
 * Where the middle of a pixel is shown, down and right as shares of the stage.
 *
 * @param {Viewport} viewport
 * @param {number[]} pixel
 * @param {number[]} shape height and width of the picture
 */
export function pointOf(viewport, pixel, shape) {
  const { top, left, side } = partOf(viewport);
  return [top, left].map((corner, axis) => ((pixel[axis] + 0.5) / shape[axis] - corner) / side);
}

/**
 * The viewport after a key; null for keys that do not change it.
 *
 * @param {Viewport} viewport
 * @param {string} key
 * @param {number[]} [point] that stays where it is, as shares of the stage
 * @returns {Viewport | null}
 */
export function keyed(viewport, key, point) {
  if (key === "+" || key === "=") return zoomedAt(viewport, STEP, point);
  if (key === "-" || key === "_") return zoomedAt(viewport, 1 / STEP, point);
  return key === "0" ? { zoom: 1, center: [0.5, 0.5] } : null;
}

/**
 * The viewport, moved as little as it takes to show a pixel.
 *
 * @param {Viewport} viewport
 * @param {number[]} pixel
 * @param {number[]} shape
 */
export function showing(viewport, pixel, shape) {
  const { zoom, center } = inPicture(viewport);
  const half = 1 / (2 * zoom);
  return inPicture({
    zoom,
    center: center.map((at, axis) => {
      const [first, last] = [pixel[axis] / shape[axis], (pixel[axis] + 1) / shape[axis]];
      return first < at - half ? first + half : last > at + half ? last - half : at;
    }),
  });
}

/**
 * First and last row and column of which something is shown.
 *
 * @param {Viewport} viewport
 * @param {number[]} shape height and width of the picture
 */
export function pixelsIn(viewport, [height, width]) {
  const { top, left, side } = partOf(viewport);
  /** @type {(corner: number, count: number) => [first: number, last: number]} */
  const range = (corner, count) => [Math.floor(corner * count + TOUCH), Math.ceil((corner + side) * count - TOUCH) - 1];
  return { rows: range(top, height), columns: range(left, width) };
}

/**
 * Which part is shown, in words; "" for the whole.
 *
 * @param {Viewport} viewport
 * @param {number[]} shape
 */
export function partWords(viewport, shape) {
  if (inPicture(viewport).zoom === 1) return "";
  const { rows, columns } = pixelsIn(viewport, shape);
  return `rows ${rows.join(" to ")}, columns ${columns.join(" to ")} of ${shape.join(" × ")} pixels`;
}
