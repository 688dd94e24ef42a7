// @ts-check
// What is written about top images.

import { number } from "../shared/numbers.mjs";

/**
 * An image; `box` is top, left, bottom, right of its patch in the picture, or nothing where the
 * patch is the whole image.
 *
 * @typedef {{
 *   picture: DataView, patch: DataView, box: number[], activation: number, source: string,
 * }} TopImage
 *
 * @typedef {{
 *   name: string, network: string, unit: string, width: number, searched: number, total: number,
 *   skipped: string[], images: TopImage[],
 * }} Top
 */

/**
 * "activation 8.69", or "12.1 logits" of a class.
 *
 * @param {number} value
 * @param {string} unit
 */
export function strength(value, unit) {
  return unit === "activation" ? `activation ${number(value)}` : `${number(value)} ${unit}`;
}

/**
 * "the best 9 of 150 images", and of a search that is not complete "the best 9 so far, 40 of 150
 * images searched".
 *
 * @param {Pick<Top, "searched" | "total" | "images">} top
 * @param {number} k number of images that are shown at most
 */
export function extentOf({ searched, total, images }, k) {
  const count = Math.min(k, images.length);
  if (searched >= total) return `the best ${count} of ${total} images`;
  return `the best ${count} so far, ${searched} of ${total} images searched`;
}

/**
 * "2 files could not be read"; "" for none.
 *
 * @param {string[]} skipped
 */
export function skippedText({ length }) {
  if (!length) return "";
  return length === 1 ? "1 file could not be read" : `${length} files could not be read`;
}

/**
 * How far a search is: "searched 40 of 150 images"; before anything was found, that it begins.
 *
 * @param {import("../shared/work.mjs").Progress} progress
 * @param {Pick<Top, "searched" | "total">[]} tops
 */
export function progressText({ state }, [top]) {
  const far = top ? `searched ${top.searched} of ${top.total} images` : "searching …";
  return state === "stopped" ? `${far}, stopped` : far;
}

/**
 * "Where features.10 channel 48 is strongest (birds)".
 *
 * @param {string | undefined} sought name of what a study searches for
 * @param {Pick<Top, "name" | "network">[]} tops
 */
export function headingOf(sought, tops) {
  if (tops.length > 1) return "Where each is strongest";
  const [top] = tops;
  return [`Where ${sought ?? top?.name ?? "something"} is strongest`, top && `(${top.network})`].filter(Boolean).join(" ");
}
