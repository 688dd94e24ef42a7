// @ts-check
// The maps that an overlay can show, and what is known about a pixel of one.

import { number, signed } from "../shared/numbers.mjs";
import { LARGEST, UNKNOWN, palette } from "./colors.mjs";

export const ERROR_UNKNOWN = 255; // the code of a standard error that is not known
const ERROR_LARGEST = 254; // the code of the largest standard error

/**
 * A map with its words; the difference of two finished maps has one, the controls' have none.
 *
 * @typedef {{
 *   name?: string, title?: string, slider?: string, remark?: string, unit: string, ends: string[],
 *   map?: DataView, scale: number, signed?: boolean, error?: DataView, error_scale?: number,
 *   completed?: number, object?: DataView, no_object?: string,
 * }} Frame
 *
 * @typedef {import("../shared/view.mjs").Model} Model
 */

/**
 * Bytes as int8 codes.
 *
 * @param {DataView} view
 */
export function codesOf(view) {
  return new Int8Array(view.buffer, view.byteOffset, view.byteLength);
}

/**
 * Bytes as uint8 codes, of standard errors or of the probability of the object.
 *
 * @param {DataView} view
 */
export function bytesOf(view) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/**
 * The map that is shown; undefined while there is none.
 *
 * @param {Model} model
 * @returns {Frame | undefined}
 */
export function shownFrame(model) {
  const frames = model.get("frames");
  return frames[Math.min(model.get("index"), frames.length - 1)];
}

/**
 * The magnitude at the ends of the colours.
 *
 * @param {Model} model
 * @param {Frame} frame
 * @returns {number}
 */
export function endOf(model, frame) {
  return model.get("scale") ?? frame.scale;
}

/**
 * The colours of all codes.
 *
 * @param {Model} model
 */
export function colorsOf(model) {
  return palette(model.get("color_maps")[model.get("color_map")]);
}

/**
 * The value of a map pixel, and its standard error or null, in the frame's unit.
 *
 * @param {Frame & { map: DataView }} frame
 * @param {number} i
 * @returns {[value: number, error: number | null]}
 */
export function estimate(frame, i) {
  const value = (codesOf(frame.map)[i] / LARGEST) * frame.scale;
  const code = frame.error ? bytesOf(frame.error)[i] : ERROR_UNKNOWN;
  return [value, code === ERROR_UNKNOWN ? null : (code / ERROR_LARGEST) * (frame.error_scale ?? 0)];
}

/**
 * Tells of each map pixel whether it cannot be told from zero: it is within 2 standard errors.
 *
 * @param {Frame | undefined} frame
 * @returns {(pixel: number) => boolean}
 */
export function uncertain(frame) {
  if (!frame?.error || !frame.map) return () => false;
  const [codes, errors] = [codesOf(frame.map), bytesOf(frame.error)];
  const step = (2 * (frame.error_scale ?? 0) * LARGEST) / (ERROR_LARGEST * frame.scale);
  return (i) => errors[i] !== ERROR_UNKNOWN && Math.abs(codes[i]) <= errors[i] * step;
}

/**
 * What is known about a pixel of a frame, in words.
 *
 * @param {Frame | undefined} frame
 * @param {number[]} pixel
 * @param {number} width
 */
export function reading(frame, [row, column], width) {
  const i = row * width + column;
  const place = `row ${row}, column ${column}`;
  if (!frame?.map || codesOf(frame.map)[i] === UNKNOWN) return `${place}: not computed yet`;
  const [value, error] = estimate({ ...frame, map: frame.map }, i);
  const margin = error === null ? "" : ` ± ${number(error, 2)}`;
  return `${place}: ${signed(value)}${margin} ${frame.unit}`;
}

/**
 * What is worth knowing about a frame, and whether what is uncertain can be hidden, in lines.
 *
 * @param {Frame | undefined} frame
 * @param {boolean} hiding
 */
export function remarks(frame, hiding) {
  if (!frame) return "";
  const blind = hiding && frame.error_scale === undefined;
  const lines = [frame.remark, frame.no_object, blind && "Nothing is hidden here: its standard errors are not known."];
  return lines.filter(Boolean).join("\n");
}

/**
 * How far what is shown is: as far as the work, or once that is over, as the shown map itself.
 *
 * @param {import("../shared/work.mjs").Progress} progress
 * @param {Frame | undefined} frame
 */
export function standing(progress, frame) {
  const share = frame?.completed ?? 1;
  return progress.state === "complete" && share < 1 ? { state: "partial", share } : progress;
}
