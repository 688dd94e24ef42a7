// @ts-check
// How far work is, and a button that stops it or goes on.

import { make, press } from "./dom.mjs";
import { duration, percent, timeLeft } from "./numbers.mjs";

/**
 * @typedef {{
 *   state?: string, share?: number, seconds_left?: number | null, message?: string,
 *   first_look?: number | null, readable?: boolean,
 * }} Progress first_look: seconds until something is known of every pixel of a map, 0 from then on
 */

/**
 * What a map that grows is good for by now; "" for other work, and before that can be said.
 *
 * @param {Progress} progress
 */
function goodFor({ first_look: look, readable = false }) {
  if (look === null || look === undefined) return "";
  if (look > 0) return `first look in ${duration(look)}`;
  return readable ? "readable now, refining" : "first look, still noisy";
}

/**
 * One line on how far work is; 100 % is never said before the end.
 *
 * @param {Progress} progress
 */
export function status(progress) {
  const { state = "", share = 0, seconds_left: seconds } = progress;
  const far = percent(Math.min(share, 0.9999));
  if (state === "stopped") return `stopped at ${far}`;
  if (state === "partial") return `${far} computed`;
  if (state !== "computing") return state;
  return [goodFor(progress), far, timeLeft(seconds)].filter(Boolean).join(", ");
}

/**
 * A row with a bar, a line and a button for the work that a trait tells of.
 *
 * @param {import("./view.mjs").Model} model
 * @param {string} trait
 * @param {string} ariaLabel what the bar tells
 */
export function makeWork(model, trait, ariaLabel) {
  const bar = make("progress", { max: 1, ariaLabel });
  const line = make("span", { className: "xw-status" });
  const stop = press("Stop", () => {
    model.send({ type: model.get(trait).state === "stopped" ? "resume" : "stop", of: trait });
  }, { className: "xw-stop" });
  const spoken = make("span", { className: "xw-spoken", role: "status" });
  const element = make("div", { className: "xw-work" }, bar, line, stop, spoken);
  /**
   * @param {Progress} progress
   * @param {string} [text]
   */
  const show = (progress, text = status(progress)) => {
    const { state = "", share = 0 } = progress;
    element.dataset.state = state;
    bar.value = share;
    line.textContent = text;
    if (spoken.textContent !== state) spoken.textContent = state; // said once
    stop.hidden = !["computing", "stopped"].includes(state);
    stop.textContent = state === "stopped" ? "Continue" : "Stop";
  };
  return { element, show };
}
