// The logic of the method comparison's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { curve, randomisedWords } from "../../xwidgets/widgets/comparison/randomised.mjs";
import { agreementWords, cellModel, drawsOfCell, effort } from "../../xwidgets/widgets/method_comparison.mjs";

test("the overlay of a cell sees its own map and the pixel of all", () => {
  const state = { cells: [{ frame: null, progress: { state: "computing" } }, { frame: "map" }], pixel: [1, 2] };
  const model = { get: (name) => state[name], set: (name, value) => { state[name] = value; }, save_changes() {} };
  assert.deepEqual(cellModel(model, 0).get("frames"), []);
  assert.deepEqual(cellModel(model, 1).get("frames"), ["map"]);
  assert.deepEqual(cellModel(model, 0).get("progress"), { state: "computing" });
  assert.equal(cellModel(model, 1).get("threshold"), 0);
  assert.equal(cellModel(model, 1).get("scale"), null);
  cellModel(model, 1).set("pixel", [3, 4]);
  assert.deepEqual(cellModel(model, 0).get("pixel"), [3, 4]);
});

test("what draws a cell's map is called when the cells change, once", () => {
  const draw = () => {};
  assert.deepEqual(drawsOfCell([[["frames", "index", "pixel"], draw]]), [[["cells", "pixel"], draw]]);
});

test("a map says how long it took, or how far it is", () => {
  assert.equal(effort({ seconds: 0.3149, progress: { state: "complete" } }), "computed in 0.31 s");
  assert.equal(effort({ seconds: null, progress: { state: "complete" } }), "");
  assert.equal(effort({ seconds: 2, progress: { state: "computing", share: 0.5 } }), "50.0 %");
});

test("a map agrees with the chosen one, unless it is that or not known", () => {
  const cell = { agreements: [null, 0.456, null] };
  assert.equal(agreementWords(cell, 0, 1, "occlusion"), "Agrees with occlusion: 0.46");
  assert.equal(agreementWords(cell, 0, 2, "occlusion"), "");
  assert.equal(agreementWords(cell, 0, 0, "saliency"), "The others are compared with this map.");
});

test("the curve begins at 1 for the network itself, and leaves out what is not known", () => {
  assert.deepEqual(curve([0, null, -1], 4), [[0, 0], [25, 12], [75, 24]]);
  assert.deepEqual(curve([], 4), [[0, 0]]);
});

test("it is told how far the layers are random, and what became of the map", () => {
  const layers = ["head", "second", "first"];
  assert.equal(randomisedWords(layers, []), "");
  assert.equal(randomisedWords(layers, [0.9, 0.123]),
    "With 2 of 3 layers random, down to second: agrees with this map 0.12");
  assert.equal(randomisedWords(layers, [0.9, 0.1, -0.5]), "With all 3 layers random: agrees with this map −0.50");
  assert.equal(randomisedWords(layers, [0.9, 0.1, null]), "With all 3 layers random: an even map");
});
