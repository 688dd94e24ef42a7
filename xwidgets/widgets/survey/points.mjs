// @ts-check
// Points of a survey: where they are, what colours they have, and which are at a place.

import { channelsOf, colorAlong } from "../shared/colors.mjs";
import { number, percent } from "../shared/numbers.mjs";

/**
 * What tells the colours of points: names, by their place or -1 for none, or numbers.
 *
 * @typedef {{
 *   name: string, values: Int16Array | Float32Array, names?: string[], colors?: string[], stops?: string[],
 * }} Column
 *
 * @typedef {{ numbers: Int32Array, xs: Float32Array, ys: Float32Array }} Points
 *
 * @typedef {{ zoom: number, center: number[] }} Viewport
 */

/** Colour of a point about which nothing is known, as survey_explorer.py says. */
export const UNKNOWN_COLOR = "#8a8a8a";

/** Share of the plane that stays free at each border. */
const MARGIN = 0.03;

/**
 * @template {Int16ArrayConstructor | Int32ArrayConstructor | Float32ArrayConstructor} Kind
 * @param {DataView} bytes
 * @param {Kind} kind
 * @returns {InstanceType<Kind>}
 */
export function arrayOf(bytes, kind) {
  const { buffer, byteOffset, byteLength } = bytes;
  const own = /** @type {ArrayBuffer} */ (buffer).slice(byteOffset, byteOffset + byteLength);
  return /** @type {InstanceType<Kind>} */ (new kind(own));
}

/**
 * Points in a plane of the given shape, as shares of its width and height; NaN stays NaN.
 *
 * @param {Int32Array} numbers
 * @param {Float32Array} places x and y, one point after the other
 * @param {number} aspect width of the plane, divided by its height
 * @returns {Points}
 */
export function pointsOf(numbers, places, aspect) {
  const [low, high] = [[Infinity, Infinity], [-Infinity, -Infinity]];
  places.forEach((place, at) => {
    if (place < low[at % 2]) low[at % 2] = place;
    if (place > high[at % 2]) high[at % 2] = place;
  });
  const [width, height] = low.map((least, axis) => high[axis] - least);
  const span = Math.max(width, height * aspect) / (1 - 2 * MARGIN) || 1;
  const [xs, ys] = [new Float32Array(numbers.length), new Float32Array(numbers.length)];
  for (let at = 0; at < numbers.length; at++) {
    xs[at] = 0.5 + (places[2 * at] - low[0] - width / 2) / span;
    ys[at] = 0.5 + aspect * (places[2 * at + 1] - low[1] - height / 2) / span;
  }
  return { numbers, xs, ys };
}

/**
 * A colour as a pixel of a canvas.
 *
 * @param {number[]} channels red, green and blue
 * @param {number} [opacity]
 */
export function pixelOf([red, green, blue], opacity = 1) {
  return ((Math.round(255 * opacity) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/**
 * Least and largest of the numbers that are known; null for none.
 *
 * @param {ArrayLike<number>} values
 * @returns {[number, number] | null}
 */
export function rangeOf(values) {
  let [least, most] = [Infinity, -Infinity];
  for (let at = 0; at < values.length; at++) {
    if (values[at] < least) least = values[at];
    if (values[at] > most) most = values[at];
  }
  return least <= most ? [least, most] : null;
}

/**
 * Pixels of the points' colours.
 *
 * @param {Column | undefined} column
 * @param {number} count
 */
export function colorsOf(column, count) {
  const colors = new Uint32Array(count).fill(pixelOf(channelsOf(UNKNOWN_COLOR)));
  if (!column) return colors;
  const { values, names, colors: named = [], stops = [] } = column;
  if (names) {
    const table = named.map((color) => pixelOf(channelsOf(color)));
    for (let at = 0; at < count; at++) if (values[at] >= 0) colors[at] = table[values[at]];
    return colors;
  }
  const range = rangeOf(values);
  if (!range) return colors;
  const [least, most] = range;
  const ends = stops.map(channelsOf);
  const table = Array.from({ length: 256 }, (_, at) => pixelOf(colorAlong(ends, at / 255).map(Math.round)));
  for (let at = 0; at < count; at++) {
    if (!Number.isNaN(values[at])) colors[at] = table[Math.round(255 * (values[at] - least) / (most - least || 1))];
  }
  return colors;
}

/**
 * Places of the pixels of a disc around its middle, down and right.
 *
 * @param {number} radius
 */
function discOf(radius) {
  const reach = Math.ceil(radius);
  const line = Array.from({ length: 2 * reach + 1 }, (_, at) => at - reach);
  return line.flatMap((down) => line.map((right) => [down, right])).filter(([down, right]) => down * down + right * right <= radius * radius);
}

/**
 * Draws points as discs into the pixels of a canvas, those that are not selected first.
 *
 * @param {Uint32Array} pixels row by row
 * @param {number} width
 * @param {Points} points
 * @param {Uint32Array} colors
 * @param {{
 *   radius: number, raised: number, part: { top: number, left: number, side: number }, chosen: Uint8Array | null, faint: number,
 * }} look raised: radius of selected points; chosen: 1 for each of them, null for no selection;
 *   faint: pixel of the others then
 */
export function plot(pixels, width, { xs, ys }, colors, { radius, raised, part, chosen, faint }) {
  const height = pixels.length / width;
  pixels.fill(0);
  for (const pass of chosen ? [0, 1] : [1]) {
    const size = chosen && pass ? raised : radius;
    const [disc, reach] = [discOf(size), Math.ceil(size)];
    for (let at = 0; at < xs.length; at++) {
      if (chosen && chosen[at] !== pass) continue;
      const column = Math.round((xs[at] - part.left) / part.side * width);
      const row = Math.round((ys[at] - part.top) / part.side * height);
      if (!(column >= reach && row >= reach && column < width - reach && row < height - reach)) continue;
      const color = pass ? colors[at] : faint;
      for (const [down, right] of disc) pixels[(row + down) * width + column + right] = color;
    }
  }
}

/**
 * The point nearest to a place, by its place in the list; -1 where none is within reach.
 *
 * @param {Points} points
 * @param {number[]} place x and y, as shares of width and height
 * @param {number[]} reach as shares of width and height
 */
export function nearest({ xs, ys }, [x, y], [across, down]) {
  let [best, least] = [-1, 1];
  for (let at = 0; at < xs.length; at++) {
    const distance = ((xs[at] - x) / across) ** 2 + ((ys[at] - y) / down) ** 2;
    if (distance <= least) [best, least] = [at, distance];
  }
  return best;
}

/**
 * The next point in a direction: the nearest within a right angle around it; -1 for none.
 *
 * @param {Points} points
 * @param {number} from
 * @param {string} key of an arrow
 */
export function nextPoint({ xs, ys }, from, key) {
  const direction = new Map([["ArrowRight", [1, 0]], ["ArrowLeft", [-1, 0]], ["ArrowDown", [0, 1]], ["ArrowUp", [0, -1]]]).get(key);
  if (!direction) return -1;
  const [across, down] = direction;
  let [best, least] = [-1, Infinity];
  for (let at = 0; at < xs.length; at++) {
    const [right, below] = [xs[at] - xs[from], ys[at] - ys[from]];
    const [ahead, aside] = [right * across + below * down, Math.abs(right * down) + Math.abs(below * across)];
    const distance = right * right + below * below;
    if (at !== from && ahead > 0 && aside <= ahead && distance < least) [best, least] = [at, distance];
  }
  return best;
}

/**
 * Numbers of the pictures whose points are inside a polygon.
 *
 * @param {Points} points
 * @param {number[][]} corners x and y of each, as shares of width and height
 */
export function inside({ numbers, xs, ys }, corners) {
  const chosen = [];
  for (let at = 0; at < xs.length; at++) {
    let odd = false;
    for (let one = 0, other = corners.length - 1; one < corners.length; other = one, one++) {
      const [[x, y], [u, v]] = [corners[one], corners[other]];
      if (y > ys[at] !== v > ys[at] && xs[at] < x + (ys[at] - y) / (v - y) * (u - x)) odd = !odd;
    }
    if (odd) chosen.push(numbers[at]);
  }
  return chosen;
}

/**
 * What selected points have in a column, and all: the most frequent name among them and its share, or
 * the mean of the numbers, and how far apart they are, in standard deviations of all. Null where
 * nothing is known of those selected.
 *
 * @param {Column} column
 * @param {Uint8Array} chosen 1 for each selected point
 */
function compared({ values, names }, chosen) {
  const counts = { own: new Array(names?.length ?? 0).fill(0), all: new Array(names?.length ?? 0).fill(0) };
  let [few, many, own, all, squares] = [0, 0, 0, 0, 0];
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (names ? value < 0 : Number.isNaN(value)) continue;
    many += 1;
    few += chosen[at];
    if (names) {
      counts.all[value] += 1;
      counts.own[value] += chosen[at];
    } else {
      all += value;
      squares += value * value;
      own += chosen[at] * value;
    }
  }
  if (!few) return null;
  if (names) {
    const frequent = counts.own.indexOf(Math.max(...counts.own));
    [own, all, squares] = [counts.own[frequent], counts.all[frequent], counts.all[frequent]];
    return { words: names[frequent], ...apart(own / few, all / many, squares / many) };
  }
  return { words: "", ...apart(own / few, all / many, squares / many) };
}

/**
 * @param {number} own mean of those selected
 * @param {number} all mean of all
 * @param {number} squares mean of the squares of all
 */
function apart(own, all, squares) {
  const deviation = Math.sqrt(Math.max(0, squares - all * all));
  return { own, all, by: deviation > 1e-6 * Math.abs(all) ? Math.abs(own - all) / deviation : 0 };
}

/**
 * In what selected points differ from all, first the columns in which they differ most.
 *
 * @param {Column[]} columns
 * @param {Uint8Array} chosen 1 for each selected point
 * @returns {{ name: string, selected: string, all: string, by: number }[]}
 */
export function differences(columns, chosen) {
  const lines = columns.flatMap((column) => {
    const told = compared(column, chosen);
    if (!told) return [];
    const write = column.names ? percent : number;
    const selected = [told.words, write(told.own)].filter(Boolean).join(" ");
    return [{ name: column.name, selected, all: write(told.all), by: told.by }];
  });
  return lines.sort((one, other) => other.by - one.by);
}
