// The logic of the patch gallery's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  digits, id, localisation, same, shown, sizeOf, stacked, state, status, ticked, title,
} from "../../xwidgets/widgets/patch_gallery.mjs";

const bytes = (...values) => new DataView(Uint8Array.from(values).buffer);
const CARDS = [
  { layer: "a", channel: 0, convolution: 1, box: [0, 0, 4, 5], reconstruction: bytes(1) },
  { layer: "a", channel: 1, convolution: 1, box: null, reconstruction: bytes(2) },
  { layer: "b", channel: 0, convolution: null, box: [0, 0, 9, 9], reconstruction: bytes(3) },
];

test("titles name the convolution where there is one", () => {
  assert.equal(title({ layer: "features.10", channel: 12, convolution: 5 }), "conv 5 · channel 12 (features.10)");
  assert.equal(title({ layer: "head", channel: 1, convolution: null }), "channel 1 (head)");
  assert.equal(title({ layer: "head", channel: 1 }), "channel 1 (head)");
});

test("cards stand in the order of the selection; those to come have no pictures", () => {
  const list = shown([["b", 0], ["c", 7], ["a", 0]], CARDS);
  assert.deepEqual(list.map(id), ["b 0", "c 7", "a 0"]);
  assert.deepEqual(list.map(({ reconstruction }) => reconstruction !== undefined), [true, false, true]);
});

test("small boxes lie over large ones; silent neurons and those to come have none", () => {
  assert.deepEqual(stacked(shown([["a", 0], ["a", 1], ["b", 0], ["c", 7]], CARDS)).map(id), ["b 0", "a 0"]);
});

test("the localisation ratio is over the computed cards, a silent one contains nothing", () => {
  assert.equal(localisation(CARDS, { "a 0": true, "a 1": true, "z 9": true }), "2 of 3 ticked = 0.67");
  assert.equal(localisation([{ layer: "a", channel: 0 }], {}), "");
});

test("ticking all or none leaves other neurons' ticks", () => {
  const ticks = { "a 0": true, "z 9": true };
  assert.deepEqual(ticked(CARDS, ticks, true), { "a 0": true, "b 0": true, "z 9": true });
  assert.deepEqual(ticked(CARDS, ticks, false), { "z 9": true });
  assert.deepEqual(ticks, { "a 0": true, "z 9": true });
});

test("a card says what is known of its neuron", () => {
  assert.equal(state({ ...CARDS[0], activation: 2.3149 }, true), "activation 2.31");
  assert.equal(state(CARDS[1], true), "silent in this picture");
  assert.deepEqual([true, false].map((alive) => state({ layer: "c", channel: 7 }, alive)),
    ["computing …", "not on this page"]);
});

test("the search is as far as for the neuron with the fewest images", () => {
  const matches = [{ searched: 60, total: 150 }, { searched: 40, total: 150 }];
  assert.equal(status({ state: "computing", share: 0.5 }, matches), "searched 40 of 150 images");
  assert.equal(status({ state: "stopped", share: 0.5 }, matches), "searched 40 of 150 images, stopped");
  assert.equal(status({ state: "computing", share: 0.5 }, []), "searched 50 % of the images");
});

test("a PNG's header tells its size", () => {
  const png = new DataView(new ArrayBuffer(33));
  png.setUint32(16, 640);
  png.setUint32(20, 480);
  assert.deepEqual(sizeOf(png), [480, 640]);
});

test("bytes are compared, not views", () => {
  assert.ok(same(bytes(1, 2), bytes(1, 2)));
  assert.ok(!same(bytes(1, 2), bytes(1, 3)));
  assert.ok(!same(bytes(1), bytes(1, 2)));
  assert.ok(same(bytes(2), new DataView(Uint8Array.of(1, 2).buffer, 1)));
});

test("numbers have three digits", () => {
  assert.deepEqual([2.3149, -0.5, 12345, 0].map(digits), ["2.31", "−0.500", "12300", "0.00"]);
});
