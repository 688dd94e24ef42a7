// @ts-check
// The picture, the map and its legend on one canvas, at the device's resolution.

import { make } from "../shared/dom.mjs";
import { scaleTexts } from "./legend.mjs";

const [FOOT, MARGIN] = [72, 8]; // pixels

/**
 * @typedef {{
 *   photo: HTMLImageElement, map: HTMLCanvasElement, hatching: ReturnType<typeof import("./hatching.mjs").makeHatching>, meaning: string, outline: HTMLCanvasElement | null, ramp: HTMLCanvasElement,
 *   size: { width: number, height: number }, frame: import("./frames.mjs").Frame | undefined, end: number, opacity: number, coarse: boolean,
 * }} Content
 */

/**
 * A canvas with the whole picture and all that is shown of it, to be saved.
 *
 * @param {Content} content
 */
export function sheetOf(content) {
  const ratio = Math.max(2, window.devicePixelRatio);
  const { width, height } = content.size;
  const sheet = make("canvas", { width: width * ratio, height: (height + FOOT) * ratio });
  const pen = sheet.getContext("2d");
  if (!pen) return sheet;
  pen.scale(ratio, ratio);
  pen.fillStyle = "white";
  pen.fillRect(0, 0, width, height + FOOT);
  pen.imageSmoothingEnabled = !content.coarse;
  pen.filter = `grayscale(${content.opacity})`;
  pen.drawImage(content.photo, 0, 0, width, height);
  pen.filter = "none";
  pen.globalAlpha = content.opacity;
  pen.drawImage(content.map, 0, 0, width, height);
  const lines = content.hatching.copy(width * ratio, height * ratio, ratio);
  if (lines) pen.drawImage(lines, 0, 0, width, height);
  pen.globalAlpha = 1;
  if (content.outline) pen.drawImage(content.outline, 0, 0, width, height);
  drawLegend(pen, content, width, height);
  return sheet;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Content} content
 * @param {number} width
 * @param {number} top
 */
function drawLegend(pen, { ramp, frame, end, meaning }, width, top) {
  pen.drawImage(ramp, MARGIN, top + 10, width - 2 * MARGIN, 10);
  pen.fillStyle = "black";
  if (frame?.signed !== false) pen.fillRect(width / 2 - 0.5, top + 8, 1, 14);
  pen.font = "11px system-ui, sans-serif";
  if (!frame) return;
  /** @type {[CanvasTextAlign, number, string][]} */
  const places = [
    ["left", MARGIN, frame.ends[0]], ["center", width / 2, ""], ["right", width - MARGIN, frame.ends[1]],
  ];
  for (const [at, text] of scaleTexts(frame, end).entries()) {
    const [align, x, words] = places[at];
    pen.textAlign = align;
    pen.fillText(`${text} ${words.split(" ")[0]}`.trim(), x, top + 34);
  }
  pen.textAlign = "left";
  pen.fillText(frame.title ?? "", MARGIN, top + 50, width - 2 * MARGIN);
  pen.fillText(meaning, MARGIN, top + 66, width - 2 * MARGIN);
}
