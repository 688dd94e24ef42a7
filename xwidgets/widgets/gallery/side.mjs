// @ts-check
// The picture with the boxes of all cards, and what all cards have in common.

import { make, press, tick } from "../shared/dom.mjs";
import { makeHelp } from "../shared/help.mjs";
import { put } from "../shared/view.mjs";
import { makeWork } from "../shared/work.mjs";
import { framed, makeBox, makeSample } from "../shared/boxes.mjs";
import { DEPTHS, cardId, localisation, searchStatus, shownCards, stacked, ticked } from "./cards.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("../shared/view.mjs").Draw} Draw
 * @typedef {import("./cards.mjs").Card} Card
 * @typedef {import("./cards.mjs").Match} Match
 */

/**
 * The cards that are shown.
 *
 * @param {Model} model
 */
export function cardsOf(model) {
  return shownCards(model.get("selected"), model.get("cards"));
}

/**
 * The picture; a box brings out its card, which it leads to.
 *
 * @param {Model} model
 * @param {(card: Card) => void} onChoose
 */
function makePhoto(model, onChoose) {
  const photo = framed("the picture");
  photo.boxes.setAttribute("aria-hidden", "true"); // the cards say the same
  const drawLit = () => {
    const lit = model.get("hovered").join(" ");
    for (const box of photo.boxes.children) box.classList.toggle("xw-lit", box.getAttribute("data-of") === lit);
  };
  const draw = () => {
    const boxes = stacked(cardsOf(model)).map((card) => {
      const box = makeBox(card.color ?? "", card.box ?? []);
      box.setAttribute("data-of", cardId(card));
      box.addEventListener("pointerenter", () => put(model, { hovered: [card.layer, card.channel] }));
      box.addEventListener("pointerleave", () => put(model, { hovered: [] }));
      box.addEventListener("click", () => onChoose(card));
      return box;
    });
    photo.set(model.get("photo"), model.get("shape"), boxes);
    drawLit();
  };
  return { element: photo.frame, draw, drawLit };
}

/**
 * How many of the patches contain the object.
 *
 * @param {Model} model
 */
function makeRatio(model) {
  const output = make("output");
  const tickAll = (/** @type {boolean} */ on) => put(model, { ticks: ticked(cardsOf(model), model.get("ticks"), on) });
  const element = make("div", { className: "xw-line" },
    make("span", {}, "Localisation ratio: ", output),
    press("Tick all", () => tickAll(true)), press("Tick none", () => tickAll(false)));
  const draw = () => { output.textContent = localisation(cardsOf(model), model.get("ticks")); };
  return { element, draw };
}

/**
 * How patches are made; only where there is a kernel to make them.
 *
 * @param {Model} model
 */
function makeLook(model) {
  const start = make("select", { ariaLabel: "reconstruct from" },
    make("option", { value: "map", textContent: "the whole map" }),
    make("option", { value: "maximum", textContent: "its maximum" }));
  start.addEventListener("change", () => put(model, { start: start.value }));
  const least = make("input", {
    type: "number", min: 0, max: 99, step: 1,
    ariaLabel: "smallest share of the strongest pixel in a box, in percent",
  });
  least.addEventListener("change", () => {
    if (least.value !== "" && least.checkValidity()) put(model, { threshold: least.valueAsNumber / 100 });
    draw();
  });
  const element = make("div", { className: "xw-look" },
    make("label", {}, "Reconstructed from", start, makeHelp("reconstruction").element),
    make("label", {}, "Box around pixels above", least, "%", makeHelp("box").element));
  const draw = () => {
    element.hidden = !model.get("alive");
    start.value = model.get("start");
    least.value = String(Math.round(100 * model.get("threshold")));
  };
  return { element, draw };
}

/**
 * How far the search for top images is.
 *
 * @param {Model} model
 */
function makeSearch(model) {
  const work = makeWork(model, "search", "share searched");
  const draw = () => {
    const search = model.get("search");
    const names = new Set(cardsOf(model).map(cardId));
    /** @type {Match[]} */
    const matches = model.get("matches");
    work.element.hidden = search.state === undefined || search.state === "failed";
    work.show(search, searchStatus(search, matches.filter((match) => names.has(cardId(match)))));
  };
  return { element: work.element, draw };
}

/**
 * What stands beside the cards.
 *
 * @param {Model} model
 * @param {(card: Card) => void} onChoose when a box is chosen
 */
export function makeSide(model, onChoose) {
  const [photo, ratio, look, search] = [makePhoto(model, onChoose), makeRatio(model), makeLook(model), makeSearch(model)];
  const whole = tick("Reconstructions in the whole picture", (on) => put(model, { whole: on }));
  const legend = make("div", { className: "xw-legend" }, ...Object.entries(DEPTHS).map(([color, depth]) =>
    make("span", {}, makeSample(color), depth)));
  const element = make("div", { className: "xw-side" },
    photo.element, legend, look.element, whole.label, ratio.element, search.element);
  const drawLegend = () => {
    legend.hidden = ratio.element.hidden = whole.label.hidden = !cardsOf(model).some(({ box }) => box);
  };
  /** @type {Draw[]} */
  const draws = [
    [["photo", "shape", "selected", "cards"], photo.draw],
    [["hovered"], photo.drawLit],
    [["selected", "cards"], drawLegend],
    [["selected", "cards", "ticks"], ratio.draw],
    [["start", "threshold"], look.draw],
    [["whole"], () => { whole.input.checked = model.get("whole"); }],
    [["selected", "cards", "matches", "search"], search.draw],
  ];
  return { element, draws };
}
