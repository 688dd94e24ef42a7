// @ts-check
// Boxes over pictures.

import { make } from "./dom.mjs";
import { picture } from "./pictures.mjs";
import { makeSvg } from "./svg.mjs";

/**
 * A dashed line over white over black, to be seen on any picture.
 *
 * @param {string} color
 * @param {string} shape
 * @param {Record<string, number>} place
 */
function dashed(color, shape, place) {
  return makeSvg("g", { class: "xw-box", "data-color": color },
    ...["xw-case", "xw-gap", "xw-ink"].map((layer) => makeSvg(shape, { class: layer, ...place })));
}

/**
 * A box, in the colour of its depth.
 *
 * @param {string} color
 * @param {number[]} box top, left, bottom, right
 */
export function makeBox(color, [top, left, bottom, right]) {
  return dashed(color, "rect", { x: left, y: top, width: right - left, height: bottom - top });
}

/**
 * A piece of a box's line, for a legend.
 *
 * @param {string} color
 */
export function makeSample(color) {
  return makeSvg("svg", { class: "xw-sample", "aria-hidden": "true" },
    dashed(color, "line", { x1: 2, x2: 32, y1: 6, y2: 6 }));
}

/**
 * A picture with boxes over it.
 *
 * @param {string} alt
 */
export function framed(alt) {
  const { image, show } = picture({ alt });
  const boxes = makeSvg("svg", { preserveAspectRatio: "none" });
  const frame = make("div", { className: "xw-frame xw-boxed" }, image, boxes);
  /**
   * @param {DataView} png
   * @param {number[]} shape
   * @param {Element[]} drawn
   */
  const set = (png, [height, width], drawn) => {
    show(png);
    frame.style.aspectRatio = `${width} / ${height}`;
    boxes.setAttribute("viewBox", `0 0 ${width} ${height}`);
    boxes.replaceChildren(...drawn);
  };
  return { frame, boxes, set };
}
