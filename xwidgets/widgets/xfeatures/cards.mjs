// @ts-check
// The cards of all x-features, and what names and votes change.

import { make } from "../shared/dom.mjs";
import { number } from "../shared/numbers.mjs";
import { keepParts } from "../shared/parts.mjs";
import { put } from "../shared/view.mjs";
import { makeCard } from "./card.mjs";
import { judged } from "./explanation.mjs";
import { nameOf, sorted } from "./features.mjs";
import { named, offered, pushed, voted } from "./opinion.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("../shared/view.mjs").Draw} Draw
 * @typedef {import("./features.mjs").Feature} Feature
 */

/**
 * What the votes lead to, to be said after what was done.
 *
 * @param {Model} model
 * @param {string} before
 */
export function outcomeOf(model, before) {
  const { value, verdict } = judged(model);
  const score = `Score without the distrusted x-features ${number(value)}`;
  return `${before} ${[score, verdict?.text].filter(Boolean).join(", ")}.`;
}

/**
 * Changes names or votes, which can be undone.
 *
 * @param {Model} model
 * @param {{ names?: string[], votes?: string[] }} changes
 */
function alter(model, changes) {
  const opinion = model.get("opinion"); // with its class, so that it is never taken for another's
  put(model, { opinion: { ...opinion, history: pushed(opinion.history, opinion), ...changes } });
}

/**
 * The cards, by contribution.
 *
 * @param {Model} model
 * @param {(text: string) => void} speak
 * @param {() => void} onMany after another x-feature is shown in many images
 */
export function makeCards(model, speak, onMany) {
  const exported = model.get("shown"); // without a kernel, there are images of no other
  const choices = make("datalist", { id: `${Math.random().toString(36).slice(2)}-names` });
  const grid = make("div", { className: "xw-cards", tabIndex: -1, role: "group", ariaLabel: "x-features" });
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeCard>>>} */
  const cards = keepParts(grid);

  const build = (/** @type {number} */ index) => makeCard(index, {
    list: choices.id,
    onName: (text) => {
      const names = named(model.get("opinion").names, index, text, model.get("features").length);
      if (names) alter(model, { names });
    },
    onVote: (vote) => {
      const votes = voted(model.get("opinion").votes, index, vote, model.get("features").length);
      alter(model, { votes });
      const told = { trust: "trusted", distrust: "not trusted" }[votes[index]] ?? "no vote";
      speak(outcomeOf(model, `${nameOf(index, model.get("opinion").names)}: ${told}.`));
    },
    onMany: () => {
      put(model, { shown: model.get("shown") === index ? -1 : index });
      onMany();
    },
  });

  const draw = () => {
    /** @type {Feature[]} */
    const features = sorted(model.get("features"));
    grid.hidden = !features.length;
    if (grid.hidden) return;
    const largest = Math.max(...features.map(({ contribution }) => Math.abs(contribution)));
    const picture = { photo: model.get("photo"), shape: model.get("shape"), largest };
    cards.keep(features.map(({ index }) => index), build)
      .forEach((card, at) => card.show(features[at], picture));
    grid.style.setProperty("--xw-count", String(features.length));
  };
  const mark = () => {
    const { names, votes } = model.get("opinion");
    const [shown, alive, images] = ["shown", "alive", "images"].map((name) => model.get(name));
    for (const [index, card] of cards.parts) {
      const offersMany = alive || (index === exported && images.length > 0);
      card.mark(names[index] ?? "", votes[index] ?? "", { shown: shown === index, offersMany });
    }
  };
  const offer = () => {
    const names = offered(model.get("opinion").names, model.get("suggestions"));
    if (names.join("\n") !== [...choices.children].map((choice) => choice.getAttribute("value")).join("\n")) {
      choices.replaceChildren(...names.map((value) => make("option", { value })));
    }
  };
  /** @type {Draw[]} */
  const draws = [
    [["features", "photo", "shape"], draw],
    [["features", "opinion", "shown", "images"], mark],
    [["opinion", "suggestions"], offer],
  ];
  return { elements: [grid, choices], draws };
}
