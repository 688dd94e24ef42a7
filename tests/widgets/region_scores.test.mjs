// The logic of the region scores' ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { evidence, removalStatus, spoken } from "../../xwidgets/widgets/region_scores.mjs";

test("evidence has an error where it is known", () => {
  assert.equal(evidence({ evidence: 7.967, error: 0.181 }), "+7.97 ± 0.18 bits");
  assert.equal(evidence({ evidence: -1, error: null }), "−1.00 bits");
  assert.equal(evidence({ evidence: null, error: null }), "");
});

const work = (state, share, changes) => removalStatus({ pixels: 5, scored: 20, samples: 20, progress: { state, share }, ...changes });

test("the status says what is being done", () => {
  assert.equal(work("complete", 1, { pixels: 0 }), "paint a region to remove it");
  assert.equal(work("computing", 0.25), "filling the region: 50.0 %");
  assert.equal(work("computing", 0.7), "8 of 20 samples");
  assert.equal(work("complete", 1), "mean of 20 samples");
  assert.equal(work("complete", 1, { scored: 1 }), "one filling");
  assert.equal(work("stopped", 0.4), "stopped at 40.0 %");
  assert.equal(work("failed"), "failed");
});

test("the first class is said once it is known", () => {
  assert.equal(spoken([]), "");
  assert.equal(spoken([{ name: "wren", before: 0.9, after: null }]), "");
  assert.equal(spoken([{ name: "wren", before: 0.9, after: 0.2 }]), "wren: 90.0 % with the region, 20.0 % without");
});
