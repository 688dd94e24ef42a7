// @ts-check
// The maps that an overlay can show, and what is known about a pixel of one.

import { brief, number, signed } from "../shared/numbers.mjs";
import { LARGEST, UNKNOWN, palette, shadesOf } from "./colors.mjs";

export const ERROR_UNKNOWN = 255; // the code of a standard error that is not known
/** Traits that say what is hatched. */
export const HATCHING = ["scale", "scale_locked", "effect", "threshold", "hide_uncertain"];

const ERROR_LARGEST = 254; // the code of the largest standard error

/**
 * A map with its words; the difference of two finished maps has one, the controls' have none.
 *
 * `end` is the magnitude at the ends of the colours that all maps share, where there are several;
 * `effect` that below which values are too small to matter; values are told as `factor` times
 * themselves in the unit `told`, where the map's own is too small to be read.
 *
 * @typedef {{
 *   name?: string, title?: string, slider?: string, remark?: string, unit: string, ends: string[],
 *   map?: DataView, scale: number, signed?: boolean, error?: DataView, error_scale?: number,
 *   completed?: number, object?: DataView, no_object?: string, end?: number, effect?: number,
 *   factor?: number, told?: string, about?: string, sure?: string, advice?: string, sentence?: string,
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
  return model.get("scale") ?? (model.get("scale_locked") ? frame.end : undefined) ?? frame.scale;
}

/**
 * The magnitude below which values are hatched, as too small to matter.
 *
 * @param {Model} model
 * @param {Frame} frame
 * @returns {number}
 */
export function limitOf(model, frame) {
  const effect = model.get("effect") ?? frame.effect ?? 0;
  return Math.max(effect, (model.get("threshold") ?? 0) * endOf(model, frame));
}

/**
 * The colours of all codes of a map.
 *
 * @param {Model} model
 * @param {Frame | undefined} frame
 */
export function colorsOf(model, frame) {
  const signed = frame?.signed !== false;
  return palette(signed ? model.get("color_maps")[model.get("color_map")] : model.get("sequential"), signed);
}

/**
 * RGBA of all codes of a map.
 *
 * @param {Model} model
 * @param {Frame | undefined} frame
 */
export function shadesOfFrame(model, frame) {
  const zoom = frame ? frame.scale / endOf(model, frame) : 1;
  return shadesOf(colorsOf(model, frame), zoom, frame?.signed !== false);
}

/**
 * A magnitude of a map as it is told, and its unit.
 *
 * @param {Frame} frame
 * @returns {{ factor: number, unit: string }}
 */
export function telling({ factor = 1, told, unit }) {
  return { factor, unit: told ?? unit };
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
 * Marks the known pixels that are hatched with 1: those below a limit, and those within 2 standard
 * errors of zero, where these are known. results/hatching.py marks the same.
 *
 * @param {Frame | undefined} frame
 * @param {number} limit in the map's unit
 * @param {boolean} uncertain whether the second are hatched too
 */
export function hatchedOf(frame, limit, uncertain) {
  const codes = frame?.map ? codesOf(frame.map) : new Int8Array();
  const hatched = new Uint8Array(codes.length);
  if (!frame?.map || frame.about === "remaining") return hatched; // there a small value is a large effect
  const least = (limit / frame.scale) * LARGEST;
  const errors = uncertain && frame.error ? bytesOf(frame.error) : undefined;
  const step = (2 * (frame.error_scale ?? 0) * LARGEST) / (ERROR_LARGEST * frame.scale);
  for (let i = 0; i < codes.length; i++) {
    const size = Math.abs(codes[i]);
    if (size > LARGEST) continue; // unknown
    if (size < least || (errors && errors[i] !== ERROR_UNKNOWN && size <= errors[i] * step)) hatched[i] = 1;
  }
  return hatched;
}

/**
 * Shares of a map's pixels that are known, and of the known ones that are hatched.
 *
 * @param {Frame | undefined} frame
 * @param {Uint8Array} hatched
 */
export function sharesOf(frame, hatched) {
  if (!frame?.map) return { known: 0, hatched: 0 };
  let [known, marked] = [0, 0];
  for (const code of codesOf(frame.map)) if (code !== UNKNOWN) known++;
  for (const mark of hatched) marked += mark;
  return { known: known / hatched.length, hatched: known ? marked / known : 0 };
}

const BEGINNINGS = new Map([
  ["score", "Nothing here changes the score"],
  ["windows", "On average over the windows, nothing here changes the score"],
  ["reaction", "The score does not react to tiny changes of a pixel"],
  ["activation", "Nothing here changes the activation"],
  ["maps", "The two maps do not differ"],
]);
const NOISE = "the values are not larger than their noise";

/**
 * What a map says of which all is known and all is hatched, or zero; "" for another. In
 * results/sentences.py the same is said where there is no view.
 *
 * @param {Frame | undefined} frame
 * @param {Uint8Array} hatched
 * @param {number} limit
 */
export function nothingWords(frame, hatched, limit) {
  if (!frame?.map || !hatched.length || frame.about === "remaining") return "";
  const [codes, errors] = [codesOf(frame.map), frame.error && bytesOf(frame.error)];
  let [size, bound] = [0, 0];
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] === UNKNOWN || (!hatched[i] && codes[i] !== 0)) return "";
    const value = (Math.abs(codes[i]) / LARGEST) * frame.scale;
    const error = errors && errors[i] !== ERROR_UNKNOWN ? (2 * errors[i] * (frame.error_scale ?? 0)) / ERROR_LARGEST : 0;
    size = Math.max(size, value);
    bound = Math.max(bound, value + error);
  }
  const begin = BEGINNINGS.get(frame.about ?? "score");
  const { factor, unit } = telling(frame);
  if (size === 0) return `${begin} at all.`;
  const by = `${begin} by more than ${brief(limit * factor)} ${unit}`;
  if (limit && bound <= limit) return `${by}.`;
  return limit && size <= limit ? `${by} as far as is known; ${NOISE}.` : `Nothing here is told from zero: ${NOISE}.`;
}

/**
 * What hatching means in a map, in numbers; "" where nothing can be hatched.
 *
 * @param {Frame | undefined} frame
 * @param {number} limit
 * @param {boolean} uncertain
 */
export function hatchWords(frame, limit, uncertain) {
  if (!frame || frame.about === "remaining") return "";
  const { factor, unit } = telling(frame);
  const small = frame.signed === false ? "below" : "within ±";
  const counts = uncertain && frame.error_scale !== undefined;
  const reasons = [
    limit > 0 && `${small}${small.endsWith("±") ? "" : " "}${brief(limit * factor)} ${unit}`,
    counts && frame.error && "not told from zero (2 standard errors)",
  ].filter(Boolean);
  const hatching = reasons.length && `hatched: ${reasons.join(", or ")}`;
  return [hatching, counts && !frame.error && "no standard errors yet"].filter(Boolean).join("; ");
}

/**
 * "38 % of the picture is hatched.", as results/sentences.py says it; "" for none.
 *
 * @param {{ known: number, hatched: number }} shares
 */
export function hatchedShare({ known, hatched }) {
  if (hatched === 0) return "";
  const whole = hatched < 0.01 ? "Less than 1" : hatched > 0.99 && hatched < 1 ? "More than 99" : String(Math.round(100 * hatched));
  return `${whole} % of ${known === 1 ? "the picture" : "that"} is hatched.`;
}

/**
 * What a map shows, with how much of it is hatched; "" for none.
 *
 * @param {Frame | undefined} frame
 * @param {Uint8Array} hatched
 */
export function findingWords(frame, hatched) {
  return [frame?.sentence, hatchedShare(sharesOf(frame, hatched))].filter(Boolean).join(" ");
}

/**
 * A map in words, for who does not see it: its title, and what it shows or that it is of nothing.
 *
 * @param {Frame | undefined} frame
 * @param {Uint8Array} hatched
 * @param {number} limit
 */
export function alternativeOf(frame, hatched, limit) {
  if (!frame) return "Relevance: nothing computed yet.";
  const kind = frame.signed === false ? "Relevance" : "Signed relevance";
  const shown = nothingWords(frame, hatched, limit) || findingWords(frame, hatched);
  return `${kind}: ${frame.title}. ${shown}`.trim();
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
  const { factor, unit } = telling(frame);
  const margin = error === null ? "" : ` ± ${number(error * factor, 2)}`;
  const told = frame.signed === false ? number(value * factor) : signed(value * factor);
  return `${place}: ${told}${margin} ${unit}`;
}

/**
 * What is worth knowing about a frame, in lines.
 *
 * @param {Frame | undefined} frame
 */
export function remarks(frame) {
  return [frame?.remark, frame?.no_object].filter(Boolean).join("\n");
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
