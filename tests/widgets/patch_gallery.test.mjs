// The logic of the patch gallery's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cardId, cutOut, localisation, searchStatus, shownCards, stacked, stateOf, ticked,
} from "../../xwidgets/widgets/gallery/cards.mjs";

const bytes = (...values) => new DataView(Uint8Array.from(values).buffer);
const CARDS = [
  { layer: "a", channel: 0, convolution: 1, box: [0, 0, 4, 5], reconstruction: bytes(1) },
  { layer: "a", channel: 1, convolution: 1, box: null, reconstruction: bytes(2) },
  { layer: "b", channel: 0, convolution: null, box: [0, 0, 9, 9], reconstruction: bytes(3) },
];

test("cards stand in the order of the selection; those to come have no pictures", () => {
  const list = shownCards([["b", 0], ["c", 7], ["a", 0]], CARDS);
  assert.deepEqual(list.map(cardId), ["b 0", "c 7", "a 0"]);
  assert.deepEqual(list.map(({ reconstruction }) => reconstruction !== undefined), [true, false, true]);
});

test("small boxes lie over large ones; silent neurons and those to come have none", () => {
  assert.deepEqual(stacked(shownCards([["a", 0], ["a", 1], ["b", 0], ["c", 7]], CARDS)).map(cardId), ["b 0", "a 0"]);
});

test("the localisation ratio is over the computed cards, a silent one contains nothing", () => {
  assert.equal(localisation(CARDS, { "a 0": true, "a 1": true, "z 9": true }), "2 of 3 ticked = 0.667");
  assert.equal(localisation([{ layer: "a", channel: 0 }], {}), "");
});

test("ticking all or none leaves other neurons' ticks", () => {
  const ticks = { "a 0": true, "z 9": true };
  assert.deepEqual(ticked(CARDS, ticks, true), { "a 0": true, "b 0": true, "z 9": true });
  assert.deepEqual(ticked(CARDS, ticks, false), { "z 9": true });
  assert.deepEqual(ticks, { "a 0": true, "z 9": true });
});

test("a card says what is known of its neuron", () => {
  assert.equal(stateOf({ ...CARDS[0], activation: 2.3149 }, true), "activation 2.31");
  assert.equal(stateOf(CARDS[1], true), "silent in this picture");
  assert.deepEqual([true, false].map((alive) => stateOf({ layer: "c", channel: 7 }, alive)),
    ["computing …", "not on this page"]);
});

test("a box fills a square as far as it can, and the picture lies behind it as it does", () => {
  const [box, shape] = [[10, 20, 30, 60], [64, 80]]; // 20 × 40
  const { around, inside } = cutOut(box, shape);
  assert.deepEqual(around, { height: "50%", top: "25%", width: "100%", left: "0%" });
  assert.deepEqual(inside, { height: "320%", top: "-50%", width: "200%", left: "-50%" });
  const whole = cutOut([0, 0, 5, 5], [5, 5]);
  assert.deepEqual(Object.values(whole.around).map(parseFloat), [100, 0, 100, 0]);
  assert.deepEqual(Object.values(whole.inside).map((share) => Math.abs(parseFloat(share))), [100, 0, 100, 0]);
});

test("the search is as far as for the neuron with the fewest images", () => {
  const matches = [{ searched: 60, total: 150 }, { searched: 40, total: 150 }];
  assert.equal(searchStatus({ state: "computing", share: 0.5 }, matches), "searched 40 of 150 images");
  assert.equal(searchStatus({ state: "stopped", share: 0.5 }, matches), "searched 40 of 150 images, stopped");
  assert.equal(searchStatus({ state: "computing", share: 0.5 }, []), "searched 50.0 % of the images");
});
