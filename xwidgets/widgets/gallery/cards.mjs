// @ts-check
// Which neurons have cards, and what these say.

import { idOf } from "../shared/neurons.mjs";
import { number, percent } from "../shared/numbers.mjs";

/** How deep a layer lies, by the colour of its box; the dashes tell it without colours. */
export const DEPTHS = { red: "shallow", green: "middle", blue: "deep" };

/**
 * A neuron, and what is computed of it; `box` is top, left, bottom, right.
 *
 * @typedef {{
 *   layer: string, channel: number, convolution?: number | null, color?: string, activation?: number,
 *   reconstruction?: DataView, crop?: DataView, box?: number[] | null,
 * }} Card
 *
 * @typedef {{
 *   picture: DataView, crop: DataView, box: number[], activation: number, source: string,
 * }} TopImage
 *
 * @typedef {{ layer: string, channel: number, searched: number, total: number, images: TopImage[] }} Match
 */

/**
 * What tells cards apart.
 *
 * @param {{ layer: string, channel: number }} card
 */
export function cardId({ layer, channel }) {
  return idOf([layer, channel]);
}

/**
 * The cards of the selected neurons, in their order; without pictures where they are not computed.
 *
 * @param {import("../shared/neurons.mjs").Neuron[]} selected
 * @param {Card[]} cards
 * @returns {Card[]}
 */
export function shownCards(selected, cards) {
  const known = new Map(cards.map((card) => [cardId(card), card]));
  return selected.map(([layer, channel]) => known.get(idOf([layer, channel])) ?? { layer, channel });
}

/**
 * Cards with a box, the largest first, so that the others can be pointed at.
 *
 * @template {{ box?: number[] | null }} Some
 * @param {Some[]} cards
 */
export function stacked(cards) {
  const area = (/** @type {Some} */ { box }) => {
    const [top, left, bottom, right] = box ?? [0, 0, 0, 0];
    return (bottom - top) * (right - left);
  };
  return cards.filter(({ box }) => box).sort((a, b) => area(b) - area(a));
}

/**
 * How many of the computed cards are ticked: "5 of 7 ticked = 0.714"; "" without any.
 *
 * @param {Card[]} cards
 * @param {Record<string, boolean>} ticks
 */
export function localisation(cards, ticks) {
  const computed = cards.filter(({ reconstruction }) => reconstruction !== undefined);
  const count = computed.filter((card) => ticks[cardId(card)]).length;
  const all = computed.length;
  return all ? `${count} of ${all} ticked = ${number(count / all)}` : "";
}

/**
 * The ticks when all cards with a box are ticked, or none; those of other neurons stay.
 *
 * @param {Pick<Card, "layer" | "channel" | "box">[]} cards
 * @param {Record<string, boolean>} ticks
 * @param {boolean} on
 */
export function ticked(cards, ticks, on) {
  const changed = { ...ticks };
  for (const card of cards.filter(({ box }) => box)) {
    if (on) changed[cardId(card)] = true;
    else delete changed[cardId(card)];
  }
  return changed;
}

/**
 * Where a frame around a box stands in a square, in its middle and as large as can be, and where the
 * whole picture in that frame; in percent.
 *
 * @param {number[]} box top, left, bottom, right
 * @param {number[]} shape height and width of the picture
 */
export function cutOut([top, left, bottom, right], [height, width]) {
  const [down, across] = [bottom - top, right - left];
  const side = Math.max(down, across);
  const percents = (/** @type {Record<string, number>} */ shares) =>
    Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, `${100 * share}%`]));
  return {
    around: percents({
      height: down / side, top: (1 - down / side) / 2, width: across / side, left: (1 - across / side) / 2,
    }),
    inside: percents({ height: height / down, top: -top / down, width: width / across, left: -left / across }),
  };
}

/**
 * What a card says of its neuron; without a kernel, nothing more will be computed.
 *
 * @param {Card} card
 * @param {boolean} alive
 */
export function stateOf({ reconstruction, box, activation }, alive) {
  if (!reconstruction) return alive ? "computing …" : "not on this page";
  return box ? `activation ${number(activation)}` : "silent in this picture";
}

/**
 * How far the search is: "searched 40 of 150 images", or a share before anything was found.
 *
 * @param {import("../shared/work.mjs").Progress} progress
 * @param {Pick<Match, "searched" | "total">[]} matches
 */
export function searchStatus({ state, share = 0 }, matches) {
  const [least] = [...matches].sort((a, b) => a.searched - b.searched);
  const far = least
    ? `searched ${least.searched} of ${least.total} images`
    : `searched ${percent(share)} of the images`;
  return state === "stopped" ? `${far}, stopped` : far;
}
