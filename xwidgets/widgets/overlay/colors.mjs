// @ts-check
// Codes of a signed map as colours, as render.py paints them.

export const UNKNOWN = -128; // the code of a pixel about which nothing is known yet
export const LARGEST = 127; // the code of the scale's end
const VEIL = 0.3; // opacity of zero

/**
 * Colours of the codes -127 ... 127 from evenly spaced "#rrggbb" stops, as [r, g, b, r, g, b ...].
 *
 * @param {string[]} stops
 */
export function palette(stops) {
  const colors = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  const table = new Uint8ClampedArray(3 * (2 * LARGEST + 1));
  for (let code = -LARGEST; code <= LARGEST; code++) {
    const place = ((code + LARGEST) / (2 * LARGEST)) * (stops.length - 1);
    const below = Math.min(Math.floor(place), stops.length - 2);
    for (let channel = 0; channel < 3; channel++) {
      const [from, to] = [colors[below][channel], colors[below + 1][channel]];
      table[3 * (code + LARGEST) + channel] = from + (place - below) * (to - from);
    }
  }
  return table;
}

/**
 * How opaque a share of the scale is: a veil at zero, so that the picture shows, full at a half.
 *
 * @param {number} share
 */
export function cover(share) {
  return Math.min(1, VEIL + 2 * (1 - VEIL) * Math.abs(share));
}

/**
 * RGBA pixels of int8 codes; unknown ones, those below the threshold and hidden ones are transparent.
 *
 * @param {Int8Array} codes
 * @param {Uint8ClampedArray} table of colours
 * @param {number} threshold share of the scale
 * @param {number} [zoom] how many times the scale of the codes is that of the colours
 * @param {(pixel: number) => boolean} [hidden]
 */
export function paint(codes, table, threshold, zoom = 1, hidden = () => false) {
  const pixels = new Uint8ClampedArray(4 * codes.length);
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] === UNKNOWN || hidden(i)) continue;
    const code = Math.max(-LARGEST, Math.min(LARGEST, Math.round(codes[i] * zoom)));
    if (Math.abs(code) < threshold * LARGEST) continue;
    const at = 3 * (code + LARGEST);
    pixels.set(table.subarray(at, at + 3), 4 * i);
    pixels[4 * i + 3] = 255 * cover(code / LARGEST);
  }
  return pixels;
}

/**
 * RGBA pixels of the legend's ramp: of values that cannot be negative the upper half alone.
 *
 * @param {Uint8ClampedArray} table of colours
 * @param {{ signed?: boolean } | undefined} frame
 */
export function rampOf(table, frame) {
  const first = frame?.signed === false ? LARGEST : 0;
  const count = 2 * LARGEST + 1 - first;
  const pixels = new Uint8ClampedArray(4 * count).fill(255);
  for (let i = 0; i < count; i++) pixels.set(table.subarray(3 * (first + i), 3 * (first + i) + 3), 4 * i);
  return pixels;
}
