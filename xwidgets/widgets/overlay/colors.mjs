// @ts-check
// Codes of a map as colours, as render.py paints them.

import { channelsOf, colorAlong } from "../shared/colors.mjs";

export const UNKNOWN = -128; // the code of a pixel about which nothing is known yet
export const LARGEST = 127; // the code of the scale's end
const VEIL = 0.3; // opacity of zero in a signed map

/**
 * Colours of the codes -127 ... 127 from evenly spaced "#rrggbb" stops, as [r, g, b, r, g, b ...].
 *
 * @param {string[]} stops from the lowest value to the highest
 * @param {boolean} [signed] whether the lowest is the opposite of the highest, or zero
 */
export function palette(stops, signed = true) {
  const colors = stops.map(channelsOf);
  const table = new Uint8ClampedArray(3 * (2 * LARGEST + 1));
  for (let code = -LARGEST; code <= LARGEST; code++) {
    const share = signed ? (code + LARGEST) / (2 * LARGEST) : Math.max(0, code) / LARGEST;
    table.set(colorAlong(colors, share), 3 * (code + LARGEST));
  }
  return table;
}

/**
 * How opaque a share of the scale is: full from a half on. Zero is a veil in a signed map, so that
 * the picture shows, and transparent in another.
 *
 * @param {number} share
 * @param {boolean} [signed]
 */
export function cover(share, signed = true) {
  const veil = signed ? VEIL : 0;
  return Math.min(1, veil + 2 * (1 - veil) * Math.abs(share));
}

/**
 * RGBA of every int8 code, at code & 255; the unknown one is transparent.
 *
 * @param {Uint8ClampedArray} table of colours
 * @param {number} [zoom] how many times the scale of the codes is that of the colours
 * @param {boolean} [signed]
 */
export function shadesOf(table, zoom = 1, signed = true) {
  const shades = new Uint8ClampedArray(4 * 256);
  for (let code = -LARGEST; code <= LARGEST; code++) {
    const shown = Math.max(-LARGEST, Math.min(LARGEST, Math.round(code * zoom)));
    const at = 3 * (shown + LARGEST);
    shades.set(table.subarray(at, at + 3), 4 * (code & 255));
    shades[4 * (code & 255) + 3] = 255 * cover(shown / LARGEST, signed);
  }
  return new Uint32Array(shades.buffer);
}

/**
 * RGBA pixels of int8 codes; unknown and hatched ones are transparent.
 *
 * @param {Int8Array} codes
 * @param {Uint32Array} shades
 * @param {Uint8Array} [hatched] 1 for each hatched pixel
 */
export function paint(codes, shades, hatched) {
  const pixels = new Uint32Array(codes.length);
  for (let i = 0; i < codes.length; i++) if (!hatched?.[i]) pixels[i] = shades[codes[i] & 255];
  return new Uint8ClampedArray(pixels.buffer);
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
