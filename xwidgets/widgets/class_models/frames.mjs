// @ts-check
// The strip of frames on the way, and which of them is shown.

import { keepKeys, make, press } from "../shared/dom.mjs";
import { moveFocus } from "../shared/keyboard.mjs";
import { keepParts } from "../shared/parts.mjs";
import { picture } from "../shared/pictures.mjs";
import { put } from "../shared/view.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("../shared/view.mjs").Draw} Draw
 */

/**
 * The step whose pictures are shown: that of a frame, or for -1 the newest.
 *
 * @param {number} shown
 * @param {number[]} frameSteps
 * @param {(number | null)[][]} scores
 */
export function stepShown(shown, frameSteps, scores) {
  return frameSteps[shown] ?? Math.max(0, (scores[0]?.length ?? 1) - 1);
}

/**
 * A frame of all seeds.
 *
 * @param {() => void} onChoose
 */
function makeFrame(onChoose) {
  const images = make("span", { className: "xw-stack" });
  const name = make("span");
  const element = press([images, name], onChoose, { className: "xw-tile" });
  /** @type {ReturnType<typeof picture>[]} */
  const parts = [];
  keepKeys(element);
  /**
   * @param {DataView[]} pngs
   * @param {number} step
   * @param {boolean} isShown
   */
  const show = (pngs, step, isShown) => {
    for (const { image } of parts.splice(pngs.length)) image.remove();
    pngs.forEach((png, at) => {
      parts[at] ??= picture();
      images.append(parts[at].image);
      parts[at].show(png);
    });
    name.textContent = String(step);
    element.ariaLabel = `Frame of step ${step}`;
    element.ariaPressed = String(isShown);
  };
  return { element, show };
}

/**
 * The strip.
 *
 * @param {Model} model
 */
export function makeFrames(model) {
  const strip = make("div", { className: "xw-strip", role: "group", ariaLabel: "frames on the way, by step", tabIndex: -1 });
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeFrame>>>} */
  const parts = keepParts(strip);
  moveFocus(strip);
  const draw = () => {
    /** @type {[DataView[][], number[], number]} */
    const [frames, steps, shown] = [model.get("frames"), model.get("frame_steps"), model.get("shown")];
    const count = frames[0]?.length ?? 0;
    strip.hidden = !count;
    // the last frame is the newest picture, which is followed
    const choose = (/** @type {number} */ at) => put(model, { shown: at === model.get("frame_steps").length - 1 ? -1 : at });
    parts.keep([...Array(count).keys()], (at) => makeFrame(() => choose(at))).forEach((part, at) => {
      part.show(frames.map((of) => of[at]), steps[at] ?? 0, at === (shown < 0 ? count - 1 : shown));
    });
  };
  /** @type {Draw[]} */
  const draws = [[["frames", "frame_steps", "shown"], draw]];
  return { element: strip, draws };
}
