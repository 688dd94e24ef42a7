// The logic of the grid's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { unpacked } from "../../xwidgets/widgets/overlay/hatching.mjs";
import { bothSigns, hatchKey, inWords, legend, named, reading } from "../../xwidgets/widgets/relevance_grid.mjs";

const MAP = { title: "saliency for 'wren'", unit: "bits", highest: 1.2345, lowest: -0.5, scale: 2.5, block: 1 };
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

test("what is hatched is told by numbers where they are the same for all maps", () => {
  const [bits, noise] = ["hatched: within ±0.05 bits", "hatched: not told from zero (2 standard errors)"];
  const of = (...meanings) => [meanings.map((hatching) => ({ ...MAP, hatching }))];
  assert.equal(hatchKey([[MASK, ...of(bits)[0]], ...of(bits)]), bits);
  assert.equal(hatchKey(of(bits, "", noise)), "hatched: too small to matter, or not told from zero");
  assert.equal(hatchKey([[MASK]]), "");
});

test("a mask has a bit for each pixel, in whatever part of a message it lies", () => {
  const bits = new DataView(Uint8Array.of(9, 0b10100000, 0b01000001).buffer, 1);
  assert.deepEqual([...unpacked(bits, 10)], [1, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
});

test("only maps that can be negative speak against something", () => {
  const [plain, both] = [{ ...MAP, signed: false }, { ...MAP, signed: true }];
  assert.equal(bothSigns([[plain, MASK]]), false);
  assert.equal(bothSigns([[plain], [both]]), true);
  assert.equal(legend("all", [[plain]]), "up to 2.50 bits");
});

test("a cell is named by its titles, or by its place", () => {
  assert.equal(named(["cat", "dog"], ["first", "second"], [1, 0]), "dog, first");
  assert.equal(named([], ["first", "second"], [1, 1]), "second");
  assert.equal(named([], [], [1, 2]), "row 2, column 3");
});

test("the legend says what full colour means", () => {
  assert.equal(legend("own", [[MAP]]), "each map by its own largest magnitude");
  assert.equal(legend("row", [[MAP]]), "each row by its largest magnitude");
  assert.equal(legend("all", [[MASK, MAP]]), "up to ±2.50 bits");
  assert.equal(legend("all", [[MASK]]), "");
  assert.equal(legend("all", [[MAP, { ...MAP, block: 2 }]]),
    "up to ±2.50 bits; of every 2 × 2 pixels, the strongest");
});
