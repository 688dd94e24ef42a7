// The logic of the class models' ES modules.
import assert from "node:assert/strict";
import { test } from "node:test";

import { caption } from "../../xwidgets/widgets/class_model_explorer.mjs";
import { extent, pointsOf, valueAt } from "../../xwidgets/widgets/class_models/curves.mjs";
import { stepShown } from "../../xwidgets/widgets/class_models/frames.mjs";
import { called, offered } from "../../xwidgets/widgets/class_models/settings.mjs";

test("a chart reaches from the least to the largest known value", () => {
  assert.deepEqual(extent([[1, 4, null], [-2, 3]]), [-2, 4]);
  assert.deepEqual(extent([[3, 3]]), [2.5, 3.5]);
  assert.deepEqual(extent([[null]]), [0, 1]);
});

test("curves go from left to right and upwards, without what is not known", () => {
  assert.equal(pointsOf([0, 1, 2], [0, 2], 2), "0,120 150,60 300,0");
  assert.equal(pointsOf([0, 1, null], [0, 2], 2), "0,120 150,60");
  assert.equal(pointsOf([1], [0.5, 1.5], 0), "0,60");
});

test("behind its end a curve has its last value", () => {
  assert.equal(valueAt([1, 2, null, null], 1), 2);
  assert.equal(valueAt([1, 2, null, null], 3), 2);
  assert.equal(valueAt([1, 2, 5], 0), 1);
  assert.equal(valueAt([], 3), null);
});

test("a frame is of its step, and else the newest is shown", () => {
  const scores = [[0, 1, 2, 3, 4]];
  assert.equal(stepShown(1, [0, 2, 4], scores), 2);
  assert.equal(stepShown(-1, [0, 2, 4], scores), 4);
  assert.equal(stepShown(7, [0, 2, 4], scores), 4);
  assert.equal(stepShown(-1, [], []), 0);
});

test("captions tell the probability of classes only", () => {
  assert.equal(caption(2, 49.92, "logits", 0.998), "seed 2 · 49.9 logits · p\u00a0=\u00a099.8\u00a0%");
  assert.equal(caption(2, 49.92, "logits", 0.99999), "seed 2 · 49.9 logits · p\u00a0>\u00a099.9\u00a0%");
  assert.equal(caption(0, 0.5, "activation", null), "seed 0 · 0.500 activation");
});

test("values are told without the tails of fractions, and offered among the choices", () => {
  assert.equal(called(0.1 + 0.2), "0.3");
  assert.equal(called(4, "pixels"), "4 pixels");
  assert.equal(called(null), "suited");
  assert.deepEqual(offered({ value: 0.2, choices: [null, 0.1] }), [0.2, null, 0.1]);
  assert.deepEqual(offered({ value: null, choices: [null, 0.1] }), [null, 0.1]);
});
