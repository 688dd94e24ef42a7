// @ts-check
// Pictures that arrive as PNG files.

import { make } from "./dom.mjs";

const NOTHING = new DataView(new ArrayBuffer(0));

/** Pictures of fewer pixels in width are shown with sharp pixels. */
const COARSE = 160;

/** As many arguments a call takes in every browser. */
const CHUNK = 8192;

/**
 * [height, width] as a PNG's header tells them.
 *
 * @param {DataView} png
 * @returns {[number, number]}
 */
export function sizeOf(png) {
  return [png.getUint32(20), png.getUint32(16)];
}

/**
 * Whether two views hold the same bytes.
 *
 * @param {DataView} one
 * @param {DataView} other
 */
export function same(one, other) {
  if (one.byteLength !== other.byteLength) return false;
  for (let at = 0; at < one.byteLength; at++) {
    if (one.getUint8(at) !== other.getUint8(at)) return false;
  }
  return true;
}

/**
 * Address of a picture that goes with it, which every content policy of teaching pages takes.
 *
 * @param {DataView} png
 */
export function hrefOf(png) {
  const bytes = new Uint8Array(png.buffer, png.byteOffset, png.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return `data:image/png;base64,${btoa(text)}`;
}

/**
 * An image of a file that may be followed by others; no file hides it.
 *
 * @param {Record<string, any>} [properties]
 */
export function picture(properties = {}) {
  const image = make("img", { alt: "", draggable: false, hidden: true, ...properties });
  /** @type {DataView} */
  let bytes = NOTHING;
  /** @param {DataView} png */
  const show = (png) => {
    if (same(bytes, png)) return;
    image.hidden = png.byteLength === 0;
    if (image.hidden) image.removeAttribute("src");
    else image.src = hrefOf(png);
    bytes = png;
  };
  return { image, show };
}

/**
 * A picture with heat over it, one image to who hears it.
 *
 * @param {string} [ariaLabel]
 */
export function heated(ariaLabel = "") {
  const [photo, heat] = [picture(), picture({ className: "xw-heat" })];
  const frame = make("span", { className: "xw-frame xw-heated", role: "img", ariaLabel }, photo.image, heat.image);
  /**
   * @param {DataView} png
   * @param {DataView | null} map
   * @param {number[]} shape
   */
  const set = (png, map, [height, width]) => {
    frame.style.aspectRatio = `${width} / ${height}`;
    photo.show(png);
    heat.show(map ?? NOTHING);
  };
  return { frame, set };
}

/**
 * Whether a picture of this width has few pixels, which are shown sharp.
 *
 * @param {number} width
 */
export function isCoarse(width) {
  return width < COARSE;
}

/**
 * Draws RGBA pixels of a row-major map, one canvas pixel each; the browser scales them.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8ClampedArray} pixels
 * @param {number} width
 */
export function drawPixels(canvas, pixels, width) {
  const height = pixels.length / 4 / width;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext("2d")?.putImageData(new ImageData(/** @type {any} */ (pixels), width, height), 0, 0);
}
