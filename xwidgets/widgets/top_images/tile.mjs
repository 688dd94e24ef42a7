// @ts-check
// A top image: the picture with its patch framed, the patch enlarged, and the activation.

import { framed, makeBox } from "../shared/boxes.mjs";
import { keepKeys, make, press } from "../shared/dom.mjs";
import { picture, sizeOf } from "../shared/pictures.mjs";
import { strength } from "./tops.mjs";

/**
 * A tile; a button where there is a study that can look at the image.
 *
 * @param {((source: string) => void) | false} onLook
 */
export function makeTile(onLook) {
  const whole = framed("");
  const patch = picture({ className: "xw-patch" });
  const [value, source] = [make("b"), make("span", { className: "xw-source" })];
  const parts = [make("span", { className: "xw-pair" }, whole.frame, patch.image), make("span", { className: "xw-words" }, value, source)];
  let shown = "";
  const properties = { className: "xw-tile" };
  const element = onLook
    ? press(parts, () => onLook(shown), properties)
    : make("span", { role: "img", ...properties }, ...parts);
  if (onLook) keepKeys(element);
  /**
   * @param {import("./tops.mjs").TopImage} image
   * @param {number} rank from 1
   * @param {string} unit
   * @param {string} looked source of the study's image
   */
  const show = ({ picture: png, patch: crop, box, activation, source: name }, rank, unit, looked) => {
    shown = name;
    whole.set(png, sizeOf(png), box.length ? [makeBox("", box)] : []);
    patch.show(crop);
    value.textContent = strength(activation, unit);
    source.textContent = name;
    element.title = `${rank}: ${name}, ${strength(activation, unit)}`;
    element.ariaLabel = onLook ? `${element.title}. Look at it` : element.title;
    if (onLook) element.ariaPressed = String(name === looked);
  };
  return { element, show };
}
