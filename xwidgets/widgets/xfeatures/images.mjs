// @ts-check
// An x-feature in the images in which it is most active.

import { keepKeys, make, makeAlert, press, warn } from "../shared/dom.mjs";
import { moveFocus } from "../shared/keyboard.mjs";
import { number, signed } from "../shared/numbers.mjs";
import { keepParts, keysOf } from "../shared/parts.mjs";
import { heated, sizeOf } from "../shared/pictures.mjs";
import { makeWork, status } from "../shared/work.mjs";
import { nameOf } from "./features.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("../shared/view.mjs").Draw} Draw
 * @typedef {{
 *   picture: DataView, map: DataView, activation: number, contribution: number, source: string, label: string,
 * }} Image
 */

/**
 * How far the search for images is; "" when it is over.
 *
 * @param {import("../shared/work.mjs").Progress} progress
 */
export function searched(progress) {
  if (progress.state === "computing") return `searched ${status(progress)}`;
  return progress.state === "stopped" ? status(progress) : "";
}

/**
 * One of many images; a button where there is a kernel to look at it.
 *
 * @param {(() => void) | false} onLook
 */
function makeTile(onLook) {
  const { frame, set } = heated();
  const value = make("b");
  const label = make("span", { className: "xw-of" });
  const element = onLook
    ? press([frame, value, label], onLook, { className: "xw-tile" })
    : make("div", { className: "xw-tile", role: "group" }, frame, value, label);
  if (onLook) keepKeys(element);
  /** @param {Image} image */
  const show = ({ picture, map, activation, contribution, source, label: seen }) => {
    const silent = activation === 0;
    frame.ariaLabel = source;
    set(picture, map, sizeOf(picture));
    value.textContent = silent ? "silent" : number(activation);
    label.textContent = seen;
    element.classList.toggle("xw-silent", silent);
    const told = silent ? "silent" : `activation ${number(activation)}, contribution ${signed(contribution)}`;
    element.title = [source, seen, told].filter(Boolean).join("\n");
    element.ariaLabel = [onLook ? `Look at ${source}` : source, seen, told].filter(Boolean).join(", ");
  };
  return { element, show };
}

/**
 * The images of the x-feature that is shown in many.
 *
 * @param {Model} model
 */
export function makeImages(model) {
  let owner = model.get("shown"); // the x-feature that the images are of
  const title = make("span");
  const order = make("span", { className: "xw-quiet" });
  const work = makeWork(model, "work", "share searched");
  const alert = makeAlert();
  const none = make("div", { className: "xw-quiet" });
  const strip = make("div", { className: "xw-strip", tabIndex: -1, role: "group" });
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeTile>>>} */
  const tiles = keepParts(strip);
  const element = make("div", { className: "xw-many" },
    make("div", { className: "xw-heading" }, title, order), alert, work.element, none, strip);
  moveFocus(strip);

  const draw = () => {
    const [shown, alive, progress] = ["shown", "alive", "work"].map((name) => model.get(name));
    /** @type {Image[]} */
    const images = owner === shown ? model.get("images") : [];
    element.hidden = shown < 0 || !model.get("features").length;
    order.hidden = !images.length;
    order.textContent = `the most active first${alive ? "; choose one to look at it" : ""}`;
    none.hidden = images.length > 0 || searched(progress) !== "" || progress.state === "failed";
    const waiting = alive && !(progress.state === "complete" && owner === shown);
    none.textContent = waiting ? "computing …" : "There is no image.";
    const look = (/** @type {string} */ source) => alive && (() => model.send({ type: "look", source }));
    tiles.keep(keysOf(images), (_, at) => makeTile(look(images[at].source)))
      .forEach((tile, at) => tile.show(images[at]));
  };
  const drawWork = () => {
    const progress = model.get("work");
    const text = searched(progress);
    work.element.hidden = !text || (progress.state === "computing" && !model.get("alive"));
    work.show(progress, text);
    warn(alert, progress.state === "failed" ? `The images could not be searched: ${progress.message}` : "");
  };
  const drawTitle = () => {
    const name = nameOf(model.get("shown"), model.get("opinion").names);
    strip.ariaLabel = title.textContent = `${name} in many images`;
  };
  /** @type {Draw[]} */
  const draws = [
    [["images"], () => { owner = model.get("shown"); }],
    [["images", "shown", "features", "work"], draw],
    [["work"], drawWork],
    [["shown", "opinion"], drawTitle],
  ];
  return { element, draws };
}
