// @ts-check
// The picture, the explanation in words, and the scores that it is of.

import { make } from "../shared/dom.mjs";
import { makeHelp } from "../shared/help.mjs";
import { number, percent, signed } from "../shared/numbers.mjs";
import { heated } from "../shared/pictures.mjs";
import { judged, sentence } from "./explanation.mjs";

const SHARES = "shares of what the x-features that speak for the class, and are not distrusted, add to the score";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("../shared/view.mjs").Draw} Draw
 */

/**
 * The ends of a scale that holds these values and zero.
 *
 * @param {number[]} values
 */
export function scale(values) {
  return [Math.min(0, ...values), Math.max(0, ...values)];
}

/**
 * Where on a scale a value lies, 0 to 1; 0 on one without length.
 *
 * @param {number} value
 * @param {number[]} ends
 */
export function place(value, [low, high]) {
  return high > low ? (value - low) / (high - low) : 0;
}

/**
 * What a sentence says of an x-feature.
 *
 * @param {import("./explanation.mjs").Reason} reason
 */
function makeReason({ name, share }) {
  const className = /^x-feature \d+$/.test(name) ? "xw-unnamed" : ""; // stays on one line
  return [make("em", { className, textContent: name }), " ",
    make("span", { className: "xw-share", textContent: `(${percent(share)})` })];
}

/**
 * A row of the scores: what it is of, a bar, a number.
 *
 * @param {string} of
 */
function makeScore(of) {
  const name = make("span", { className: "xw-name", textContent: of });
  const bar = make("i");
  const value = make("span", { className: "xw-number" });
  const track = make("span", { className: "xw-track", ariaHidden: "true" }, bar);
  return { element: make("div", {}, name, track, value), name, bar, value };
}

/** The scores as bars on one scale; a dashed line marks the best other class. */
function makeScores() {
  const rows = ["network", "approximation", "without distrusted", ""].map(makeScore);
  rows[1].name.append(makeHelp("approximation").element);
  const element = make("div", { className: "xw-scores" }, ...rows.map((row) => row.element));
  /**
   * @param {number[]} numbers
   * @param {import("./explanation.mjs").Rival | undefined} rival
   */
  const show = (numbers, rival) => {
    const all = [...numbers, ...(rival ? [rival.score] : [])];
    const ends = scale(all);
    const left = (/** @type {number} */ score) => `${100 * place(score, ends)}%`;
    element.style.setProperty("--xw-zero", left(0));
    element.style.setProperty("--xw-best", left(rival?.score ?? 0));
    element.classList.toggle("xw-alone", !rival);
    rows.forEach(({ element: row, name, bar, value }, at) => {
      row.hidden = at >= all.length;
      if (row.hidden) return;
      const [low, high] = scale([all[at]]);
      bar.style.left = left(low);
      bar.style.right = `${100 - 100 * place(high, ends)}%`;
      value.textContent = number(all[at]);
      if (rival && at === numbers.length) name.textContent = name.title = rival.label;
    });
  };
  return { element, show };
}

/**
 * The whole picture beside what is said of it.
 *
 * @param {Model} model
 */
export function makeSummary(model) {
  const whole = heated("the picture");
  const words = make("p", { className: "xw-sentence", title: SHARES });
  const scores = makeScores();
  const outcome = make("div", { className: "xw-verdict" });
  const intercept = make("div", { className: "xw-quiet" });
  const element = make("div", { className: "xw-summary" }, whole.frame,
    make("div", { className: "xw-story" }, words, scores.element, outcome, intercept));

  const drawPicture = () => whole.set(model.get("photo"), null, model.get("shape"));
  const drawWords = () => {
    const judgement = judged(model);
    element.hidden = !judgement.features.length;
    if (element.hidden) return;
    const { score, value, rivals, voted, verdict } = judgement;
    words.replaceChildren(...sentence({ label: model.get("label"), ...judgement })
      .flatMap((part) => (typeof part === "string" ? [part] : makeReason(part))));
    scores.show([score, model.get("approximation"), value], rivals[0]);
    outcome.hidden = !verdict;
    outcome.classList.toggle("xw-lost", verdict?.wins === false);
    outcome.textContent = `${voted ? "Without the distrusted" : "By the approximation"}: ${verdict?.text}`;
    const rest = model.get("intercept");
    intercept.hidden = !rest;
    intercept.textContent = `The approximation includes ${signed(rest)} that belongs to no x-feature.`;
  };
  /** @type {Draw[]} */
  const draws = [
    [["photo", "shape"], drawPicture],
    [["features", "opinion", "label", "score", "approximation", "intercept", "rivals"], drawWords],
  ];
  return { element, draws };
}
