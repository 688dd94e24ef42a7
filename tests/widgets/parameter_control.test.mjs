// The logic of the parameter control's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { called, choices, position, resized, spoken, told } from "../../xwidgets/widgets/parameter_control.mjs";

test("a side and a rectangle are told in pixels, other numbers without tails", () => {
  assert.equal(told(10, "pixels"), "10 × 10 pixels");
  assert.equal(told([8, 16], "pixels"), "8 × 16 pixels");
  assert.equal(told(0.1 + 0.2, ""), "0.3");
  assert.equal(told(50, "images"), "50 images");
  assert.equal(told([0.5, 0.4, 0.1 + 0.2], ""), "0.5, 0.4, 0.3");
});

test("choices are told with the units of their results where these differ", () => {
  assert.deepEqual(choices(["evidence", "drop"], ["bits", "probability"]), ["evidence, in bits", "drop, in probability"]);
  assert.deepEqual(choices(["8", "16"], []), ["8", "16"]);
});

test("a slider stands at the longer side of a rectangle, the strongest of a colour", () => {
  assert.equal(position([8, 16]), 16);
  assert.equal(position([0.5, 0.4, 0.3]), 0.5);
  assert.equal(position(0.5), 0.5);
});

test("of a rectangle one side is moved, and the other stays", () => {
  assert.deepEqual(resized([8, 16], 0, 5), [5, 16]);
  assert.deepEqual(resized([8, 16], 1, 5), [8, 5]);
  assert.deepEqual(resized(8, 1, 5), [8, 5]);
  assert.deepEqual(resized(8, 0, 8), [8, 8]);
});

test("a control is called by its label and unit", () => {
  assert.equal(spoken("Window", "pixels"), "window in pixels");
  assert.equal(spoken("Measure", ""), "measure");
  assert.equal(spoken(called("Window", ""), "pixels"), "window in pixels");
  assert.equal(spoken(called("Window", "left"), "pixels"), "window (left) in pixels");
});
