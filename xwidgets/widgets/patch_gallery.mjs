// @ts-check
// What the selected neurons look at: in the study's picture and in a data set.
//
// Cards stay in place while pictures arrive, so that neither focus nor what is read is lost.

import { make, makeAlert, warn } from "./shared/dom.mjs";
import { keepParts } from "./shared/parts.mjs";
import { isCoarse } from "./shared/pictures.mjs";
import { mount, put } from "./shared/view.mjs";
import { makeCard } from "./gallery/card.mjs";
import { cardId, ticked } from "./gallery/cards.mjs";
import { cardsOf, makeSide } from "./gallery/side.mjs";

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 * @typedef {import("./shared/view.mjs").Draw} Draw
 * @typedef {import("./gallery/cards.mjs").Card} Card
 * @typedef {import("./gallery/cards.mjs").Match} Match
 */

/**
 * The cards of the selected neurons.
 *
 * @param {Model} model
 */
function makeCards(model) {
  const empty = make("div", { className: "xw-quiet", textContent: "Select neurons in the ranking table." });
  const grid = make("div", { className: "xw-cards" });
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeCard>>>} */
  const parts = keepParts(grid);

  const build = (/** @type {Card} */ { layer, channel }) => {
    const card = makeCard({
      onTick: (on) => put(model, { ticks: ticked([{ layer, channel, box: [] }], model.get("ticks"), on) }),
      onLook: model.get("alive") && ((source) => model.send({ type: "look", layer, channel, source })),
    });
    for (const event of ["pointerenter", "focusin"]) {
      card.element.addEventListener(event, () => put(model, { hovered: [layer, channel] }));
    }
    for (const event of ["pointerleave", "focusout"]) {
      card.element.addEventListener(event, () => put(model, { hovered: [] }));
    }
    return card;
  };
  const drawLit = () => {
    const lit = model.get("hovered").join(" ");
    for (const [name, { element }] of parts.parts) element.classList.toggle("xw-lit", name === lit);
  };
  const draw = () => {
    const cards = cardsOf(model);
    /** @type {Map<string, Match>} */
    const matches = new Map(model.get("matches").map((/** @type {Match} */ match) => [cardId(match), match]));
    const [ticks, shape, whole] = ["ticks", "shape", "whole"].map((name) => model.get(name));
    parts.keep(cards.map(cardId), (_, at) => build(cards[at])).forEach((part, at) => {
      const name = cardId(cards[at]);
      part.show(cards[at], matches.get(name), Boolean(ticks[name]), whole ? null : cards[at].box ?? null, shape);
    });
    empty.hidden = cards.length > 0;
    drawLit();
  };
  const choose = (/** @type {Card} */ card) => parts.parts.get(cardId(card))?.element.focus();
  /** @type {Draw[]} */
  const draws = [[["selected", "cards", "matches", "ticks", "shape", "whole"], draw], [["hovered"], drawLit]];
  return { element: make("div", { className: "xw-main" }, empty, grid), choose, draws };
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const heading = make("div", { className: "xw-heading" });
  const alert = makeAlert();
  const cards = makeCards(model);
  const side = makeSide(model, cards.choose);
  const view = make("div", { className: "xw-view xw-gallery" },
    heading, alert, make("div", { className: "xw-columns" }, side.element, cards.element));

  const drawTarget = () => {
    heading.textContent = ["What neurons look at", model.get("target")].filter(Boolean).join(", for ");
  };
  const drawAlert = () => {
    const { state, message } = model.get("search");
    const failed = state === "failed" && `The data set could not be searched: ${message}`;
    warn(alert, [model.get("message"), failed].filter(Boolean).join(" "));
  };
  return mount({ model, el }, view, [
    [["target"], drawTarget],
    [["search", "message"], drawAlert],
    ...cards.draws, ...side.draws,
    [["shape"], () => { view.classList.toggle("xw-coarse", isCoarse(model.get("shape")[1])); }],
  ]);
}

export default { render };
