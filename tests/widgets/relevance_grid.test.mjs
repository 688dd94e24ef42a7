// The logic of the grid's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { unpacked } from "../../xwidgets/widgets/overlay/hatching.mjs";
import { inWords, named, reading } from "../../xwidgets/widgets/relevance_grid.mjs";

const MAP = { title: "saliency for 'wren'", unit: "bits", highest: 1.2345, lowest: -0.5 };
const MASK = { title: "5.0 % of the pixels" };

test("a map is read with its strongest values, a picture by its title", () => {
  assert.equal(reading(MAP), "saliency for 'wren'; strongest for +1.23, against −0.500 bits");
  assert.equal(reading({ ...MAP, lowest: 0 }), "saliency for 'wren'; strongest for +1.23, against 0 bits");
  assert.equal(reading({ ...MAP, signed: false }), "saliency for 'wren'; strongest 1.23 bits");
  assert.equal(reading(MASK), "5.0 % of the pixels");
});

test("a map in words tells where it is strongest too", () => {
  assert.equal(inWords({ ...MAP, sentence: "Most is in the centre." }),
    "saliency for 'wren'; strongest for +1.23, against −0.500 bits. Most is in the centre.");
  assert.equal(inWords(MASK), "5.0 % of the pixels");
});

test("a mask has a bit for each pixel, in whatever part of a message it lies", () => {
  const bits = new DataView(Uint8Array.of(9, 0b10100000, 0b01000001).buffer, 1);
  assert.deepEqual([...unpacked(bits, 10)], [1, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
});

test("a cell is named by its titles, or by its place", () => {
  assert.equal(named(["cat", "dog"], ["first", "second"], [1, 0]), "dog, first");
  assert.equal(named([], ["first", "second"], [1, 1]), "second");
  assert.equal(named([], [], [1, 2]), "row 2, column 3");
});
