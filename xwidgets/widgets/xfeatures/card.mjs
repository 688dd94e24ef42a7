// @ts-check
// The card of an x-feature: where it is in the picture, what it adds, its name and its votes.

import { keepKeys, make, press } from "../shared/dom.mjs";
import { number, signed } from "../shared/numbers.mjs";
import { heated } from "../shared/pictures.mjs";
import { nameOf, role } from "./features.mjs";

const PARTS = "activation E × weight v: together they are what the x-feature contributes to the score";

/**
 * @typedef {import("./features.mjs").Feature} Feature
 * @typedef {{
 *   list: string, onName: (text: string) => void, onVote: (vote: string) => void, onMany: () => void,
 * }} Actions `list` is the id of the names that are offered
 */

/**
 * The field for a name; what is typed is not lost when the model changes meanwhile.
 *
 * @param {number} index
 * @param {Actions} actions
 */
function makeName(index, { list, onName }) {
  const unnamed = nameOf(index, []);
  const input = make("input", {
    type: "text", maxLength: 60, placeholder: unnamed, spellcheck: false, ariaLabel: `name of ${unnamed}`,
  });
  input.setAttribute("list", list);
  let known = ""; // the name as the model has it
  const commit = () => {
    onName(input.value);
    input.value = known;
  };
  input.addEventListener("change", commit);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") commit();
    else if (event.key === "Escape") input.value = known;
  });
  /** @param {string} name */
  const show = (name) => {
    const { activeElement } = /** @type {Document | ShadowRoot} */ (input.getRootNode());
    if (input.value === known || activeElement !== input) input.value = name;
    known = input.title = name;
  };
  return { input, show };
}

/**
 * The votes, and the button for many images.
 *
 * @param {Actions} actions
 */
function makeVotes({ onVote, onMany }) {
  const buttons = {
    trust: press("Trust", () => onVote("trust")),
    distrust: press("Don't trust", () => onVote("distrust")),
  };
  const many = press("In many images", onMany);
  const element = make("div", { className: "xw-votes" }, ...Object.values(buttons), many);
  /**
   * @param {string} vote
   * @param {{ shown: boolean, offersMany: boolean }} images
   */
  const show = (vote, { shown, offersMany }) => {
    for (const [which, button] of Object.entries(buttons)) button.ariaPressed = String(vote === which);
    many.ariaPressed = String(shown);
    many.hidden = !offersMany;
  };
  return { element, show };
}

/**
 * A card.
 *
 * @param {number} index
 * @param {Actions} actions
 */
export function makeCard(index, actions) {
  const [value, tag, length] = [make("b"), make("span", { className: "xw-tag" }), make("i")];
  const { frame, set } = heated();
  const [name, votes] = [makeName(index, actions), makeVotes(actions)];
  const [active, weighted] = [make("span"), make("span")];
  const element = make("div", { className: "xw-card", role: "group", tabIndex: -1 },
    make("div", { className: "xw-top" }, value, tag),
    frame,
    make("span", { className: "xw-bar" }, length),
    name.input,
    make("div", { className: "xw-parts", title: PARTS }, active, " ", weighted),
    votes.element);
  keepKeys(element);

  /**
   * @param {Feature} feature
   * @param {{ photo: DataView, shape: number[], largest: number }} picture
   */
  const show = (feature, { photo, shape, largest }) => {
    const { activation, weight, contribution, map } = feature;
    element.dataset.role = role(feature);
    value.textContent = activation === 0 ? "0" : signed(contribution);
    tag.textContent = role(feature);
    length.style.width = `${largest > 0 ? (100 * Math.abs(contribution)) / largest : 0}%`;
    active.textContent = `activation ${number(activation)}`;
    weighted.textContent = `× weight ${number(weight)}`;
    set(photo, map, shape);
  };
  /**
   * @param {string} called
   * @param {string} vote
   * @param {{ shown: boolean, offersMany: boolean }} images
   */
  const mark = (called, vote, images) => {
    element.ariaLabel = called || nameOf(index, []);
    frame.ariaLabel = `where ${element.ariaLabel} is in the picture`;
    element.dataset.vote = vote;
    name.show(called);
    votes.show(vote, images);
  };
  return { element, show, mark };
}
