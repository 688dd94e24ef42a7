// The logic of the x-feature comparison's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { largestOf, margin, spoken } from "../../xwidgets/widgets/xfeature_comparison.mjs";

const feature = (index, contribution) => ({ index, activation: contribution === 0 ? 0 : 1, contribution });

test("the class with the higher score is named first, with the difference", () => {
  const [one, other] = [{ label: "wren", score: 2.5 }, { label: "tit", score: -1 }];
  assert.equal(margin(one, other), "The score of wren is 3.50 higher than that of tit.");
  assert.equal(margin(other, one), "The score of wren is 3.50 higher than that of tit.");
  assert.equal(margin(one, { label: "crow", score: 2.5 }), "The scores of wren and crow are equal.");
});

test("what speaks most for a class and against it is named, at most two each", () => {
  const features = [feature(0, 1), feature(1, 4), feature(2, -0.5), feature(3, 2), feature(4, 0)];
  assert.equal(spoken({ label: "wren", lack: "", features }),
    "Most for wren: x-feature 1 (+4.00) and x-feature 3 (+2.00); against it: x-feature 2 (−0.500).");
  assert.equal(spoken({ label: "wren", lack: "", features: [feature(0, -1), feature(1, -3)] }),
    "Nothing speaks for wren; against it: x-feature 1 (−3.00) and x-feature 0 (−1.00).");
  assert.equal(spoken({ label: "wren", lack: "", features: [feature(0, 0)] }),
    "No x-feature speaks for wren or against it.");
  assert.equal(spoken({ label: "wren", lack: "Too few.", features: [] }), "");
});

test("bars of both classes have one scale", () => {
  assert.equal(largestOf([{ features: [feature(0, 1)] }, { features: [feature(0, -3), feature(1, 2)] }]), 3);
  assert.equal(largestOf([{ features: [] }, { features: [] }]), 0);
});
