// The logic of the grid's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { bothSigns, legend, named, reading } from "../../xwidgets/widgets/relevance_grid.mjs";

const MAP = { title: "saliency for 'wren'", unit: "bits", highest: 1.2345, lowest: -0.5, scale: 2.5, block: 1 };
const MASK = { title: "5.0 % of the pixels" };

test("a map is read with its strongest values, a picture by its title", () => {
  assert.equal(reading(MAP), "saliency for 'wren'; strongest for +1.23, against −0.500 bits");
  assert.equal(reading({ ...MAP, lowest: 0 }), "saliency for 'wren'; strongest for +1.23, against 0 bits");
  assert.equal(reading({ ...MAP, signed: false }), "saliency for 'wren'; strongest 1.23 bits");
  assert.equal(reading(MASK), "5.0 % of the pixels");
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
