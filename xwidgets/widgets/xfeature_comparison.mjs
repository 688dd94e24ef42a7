// @ts-check
// Why this class and not that one: the x-features of two classes in one picture, on one scale.

import { make, makeAlert, tick, warn } from "./shared/dom.mjs";
import { number, signed } from "./shared/numbers.mjs";
import { keepParts } from "./shared/parts.mjs";
import { heated, isCoarse } from "./shared/pictures.mjs";
import { mount, put } from "./shared/view.mjs";
import { makeWork } from "./shared/work.mjs";
import { nameOf, role, sorted } from "./xfeatures/features.mjs";
import { fitted } from "./xfeatures/fit.mjs";

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 * @typedef {import("./shared/view.mjs").Draw} Draw
 * @typedef {import("./xfeatures/features.mjs").Feature & { strength: number }} Part
 * @typedef {{
 *   label: string, method: string, layer: string, score: number, approximation: number,
 *   intercept: number, lack: string, features: Part[],
 * }} Side
 */

const MOST = 2; // how many x-features of a class a sentence names

/**
 * Which class has the higher score, and by how much.
 *
 * @param {Pick<Side, "label" | "score">} one
 * @param {Pick<Side, "label" | "score">} other
 */
export function margin(one, other) {
  const gap = one.score - other.score;
  if (gap === 0) return `The scores of ${one.label} and ${other.label} are equal.`;
  const [first, second] = gap > 0 ? [one, other] : [other, one];
  return `The score of ${first.label} is ${number(Math.abs(gap))} higher than that of ${second.label}.`;
}

/**
 * What speaks most for a class, and how much speaks against it.
 *
 * @param {Pick<Side, "label" | "lack"> & { features: import("./xfeatures/features.mjs").Effect[] }} side
 */
export function spoken({ label, lack, features }) {
  if (lack) return "";
  const told = (/** @type {import("./xfeatures/features.mjs").Effect} */ { index, contribution }) =>
    `${nameOf(index, [])} (${signed(contribution)})`;
  const pro = sorted(features).filter(({ contribution }) => contribution > 0);
  const con = sorted(features).filter(({ contribution }) => contribution < 0).reverse();
  const most = pro.slice(0, MOST).map(told).join(" and ");
  const least = con.slice(0, MOST).map(told).join(" and ");
  if (!most && !least) return `No x-feature speaks for ${label} or against it.`;
  const parts = [most ? `Most for ${label}: ${most}` : `Nothing speaks for ${label}`, least && `against it: ${least}`];
  return `${parts.filter(Boolean).join("; ")}.`;
}

/**
 * The largest absolute contribution of both classes, and their scores: what a bar is drawn against.
 *
 * @param {{ features: { contribution: number }[] }[]} sides
 */
export function largestOf(sides) {
  const all = sides.flatMap(({ features }) => features.map(({ contribution }) => Math.abs(contribution)));
  return Math.max(0, ...all);
}

/** A row of a column: where the x-feature is in the picture, what it adds. */
function makeRow() {
  const { frame, set } = heated();
  const [value, name, told, length] = [make("b"), make("span"), make("span", { className: "xw-quiet" }), make("i")];
  const element = make("div", { className: "xw-row", role: "group" }, frame,
    make("div", { className: "xw-words" }, make("div", { className: "xw-top" }, value, name),
      make("span", { className: "xw-bar", ariaHidden: "true" }, length), told));
  /**
   * @param {Part} part
   * @param {{ photo: DataView, shape: number[], largest: number, common: boolean }} look
   */
  const show = (part, { photo, shape, largest, common }) => {
    const { index, activation, weight, contribution, map, strength } = part;
    element.dataset.role = role(part);
    element.ariaLabel = `${nameOf(index, [])}, ${role(part)}, ${signed(contribution)}`;
    frame.ariaLabel = `where ${nameOf(index, [])} is in the picture`;
    frame.style.setProperty("--xw-strength", String(common ? strength : 1));
    value.textContent = signed(contribution);
    name.textContent = nameOf(index, []);
    length.style.width = `${largest > 0 ? (100 * Math.abs(contribution)) / largest : 0}%`;
    told.textContent = `${role(part)} · ${number(activation)} × ${number(weight)}`;
    set(photo, map, shape);
  };
  return { element, show };
}

/**
 * The column of a class.
 *
 * @param {Model} model
 * @param {number} at
 */
function makeColumn(model, at) {
  const trait = ["left", "right"][at];
  const label = make("em");
  const score = make("div");
  const alert = makeAlert();
  const work = makeWork(model, trait, "share of the fit");
  const rows = make("div", { className: "xw-rows", tabIndex: -1 });
  const silent = make("div", { className: "xw-quiet" });
  const element = make("section", { className: "xw-column" },
    make("div", { className: "xw-heading" }, label), score, alert, work.element, rows, silent);
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeRow>>>} */
  const parts = keepParts(rows);

  const draw = () => {
    /** @type {Side[]} */
    const sides = model.get("sides");
    const side = sides[at];
    score.hidden = rows.hidden = silent.hidden = label.hidden = !side;
    if (!side) return;
    const { features, approximation, intercept } = side;
    element.ariaLabel = label.textContent = side.label;
    const rest = intercept ? `, ${signed(intercept)} of it of none` : "";
    score.textContent = side.lack
      ? `Score ${number(side.score)}.`
      : `Score ${number(side.score)}; the x-features add up to ${number(approximation)}${rest}.`;
    const [photo, shape, common] = ["photo", "shape", "common"].map((name) => model.get(name));
    const active = sorted(features).filter(({ activation }) => activation !== 0);
    const look = { photo, shape, largest: largestOf(sides), common };
    parts.keep(active.map(({ index }) => index), makeRow).forEach((row, place) => row.show(active[place], look));
    const quiet = features.length - active.length;
    silent.textContent = quiet ? `${quiet} of ${features.length} x-features are silent in this picture.` : "";
  };
  const drawFit = () => {
    const training = model.get(trait);
    const text = fitted(training);
    work.element.hidden = !text || (training.state === "computing" && !model.get("alive"));
    work.show(training, text);
    const failed = training.state === "failed" && `The explanation module could not be fitted: ${training.message}`;
    warn(alert, [model.get("sides")[at]?.lack, failed].filter(Boolean).join(" "));
  };
  /** @type {Draw[]} */
  const draws = [[["sides", "photo", "shape", "common"], draw], [[trait, "sides"], drawFit]];
  return { element, draws };
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const [one, other] = [make("em"), make("em")];
  const source = make("span", { className: "xw-quiet" });
  const heading = make("div", { className: "xw-heading" },
    make("span", {}, "Why ", one, " and not ", other, "?"), source);
  const words = make("p", { className: "xw-sentence" });
  const empty = make("div", { className: "xw-quiet", textContent: "Both classes are shown once their x-features are known." });
  const common = tick("one scale for all maps", (on) => put(model, { common: on }), { className: "" });
  const heat = tick("heat maps", (on) => put(model, { heat: on }), { className: "" });
  const unlocked = make("span", { className: "xw-quiet", textContent: "Each map has its own scale: do not compare how strong they look." });
  const tools = make("div", { className: "xw-tools" }, common.label, heat.label, unlocked);
  const columns = [makeColumn(model, 0), makeColumn(model, 1)];
  const view = make("div", { className: "xw-view xw-versus" },
    heading, words, tools, empty, make("div", { className: "xw-columns" }, ...columns.map(({ element }) => element)));

  const draw = () => {
    /** @type {Side[]} */
    const sides = model.get("sides");
    heading.hidden = words.hidden = tools.hidden = !sides.length;
    empty.hidden = sides.length > 0;
    if (!sides.length) return;
    [one.textContent, other.textContent] = sides.map(({ label }) => label);
    const [{ method, layer }] = sides;
    source.textContent = [method, layer && `layer ${layer}`, model.get("network")].filter(Boolean).join(" · ");
    words.textContent = [margin(sides[0], sides[1]), ...sides.map(spoken)].filter(Boolean).join(" ");
  };
  const drawLook = () => {
    common.input.checked = model.get("common");
    heat.input.checked = model.get("heat");
    unlocked.hidden = model.get("common");
    view.classList.toggle("xw-coarse", isCoarse(model.get("shape")[1]));
    view.classList.toggle("xw-bare", !model.get("heat"));
  };
  return mount({ model, el }, view, [
    [["sides", "network"], draw],
    [["common", "heat", "shape"], drawLook],
    ...columns.flatMap((column) => column.draws),
  ]);
}

export default { render };
