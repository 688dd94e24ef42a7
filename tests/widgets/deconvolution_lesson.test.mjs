// The logic of the lesson's ES modules; test_lesson_numbers.py compares their numbers with Python's.
import assert from "node:assert/strict";
import { test } from "node:test";

import { backward, counted, forward, partsOfFilter } from "../../xwidgets/widgets/deconvolution_lesson.mjs";
import { indexed, paddedNames, scaleOf, short } from "../../xwidgets/widgets/lesson/cells.mjs";
import { gramOf, matrixOf, missed, problemOf } from "../../xwidgets/widgets/lesson/convolution.mjs";
import { parseNumbers, written } from "../../xwidgets/widgets/lesson/fields.mjs";
import { equation } from "../../xwidgets/widgets/lesson/product.mjs";
import { distances, verdict } from "../../xwidgets/widgets/lesson/reconstruction.mjs";
import { slidEquation, stepTitles } from "../../xwidgets/widgets/lesson/steps.mjs";

const NOTES = { filter: [-1, 0, 0, 1], stride: 2, padding: 2, signal: [0, 1, 3, 4, 4, 3, 1, 0] };
const FIVE = { ...NOTES, filter: [-1, 0, 0, 0, 1] };

test("numbers are written short, and read however they are written", () => {
  assert.deepEqual([-1, 0.5, 3.0817, 1e-12, 12].map(short), ["−1", "0.5", "3.1", "0", "12"]);
  assert.deepEqual(parseNumbers(" (−1, 0;0 .5) "), [-1, 0, 0, 0.5]);
  assert.deepEqual(parseNumbers("1, x"), [1, NaN]);
  assert.deepEqual(parseNumbers(""), []);
  assert.equal(written([-1, 0, 0.25]), "−1, 0, 0.25");
});

test("entries have names", () => {
  assert.equal(indexed("x", 11), "x₁₂");
  assert.deepEqual(paddedNames("x", 2, 1, "0"), ["0", "x₁", "x₂", "0"]);
  assert.equal(scaleOf([0, 0]), 1);
});

test("a row is read as an equation, as in the notes", () => {
  assert.equal(equation(forward(NOTES), 0), "y₁ = w₁·0 + w₂·0 + w₃·x₁ + w₄·x₂ = (−1)·0 + 0·0 + 0·0 + 1·1 = 1");
  assert.equal(equation(backward(NOTES), 2), "x̂₁ = w₃·y₁ + w₁·y₂ = 0·1 + (−1)·4 = −4");
  const unread = { filter: [1], stride: 3, padding: 0, signal: [5, 6] };
  assert.equal(equation(backward(unread), 1), "x̂₂ = 0: no window reads this number");
});

test("windows are counted, and what they leave over", () => {
  assert.match(counted(NOTES), /⌊\(12 − 4\) \/ 2⌋ \+ 1 = 5 times, so W is 5 × 12\.$/);
  assert.match(counted(FIVE), /= 4 times, so W is 4 × 12\. No window reads the last number\.$/);
  assert.match(partsOfFilter(NOTES), /every second one/);
  assert.match(partsOfFilter({ ...NOTES, stride: 1 }), /convolution already/);
});

test("W Wᵀ is told from the numbers", () => {
  assert.equal(verdict(gramOf(matrixOf(NOTES))), "W Wᵀ = 2 I: the rows are orthogonal to each other, and W⁺ = Wᵀ / 2.");
  assert.match(verdict(gramOf(matrixOf(FIVE))), /^W Wᵀ is no multiple of I: rows 1 and 3 have the dot product −1, not 0\./);
  assert.match(verdict([[1, 0], [0, 1]]), /^W Wᵀ = I: .* W⁺ = Wᵀ\.$/);
});

test("distances are shares of the signal's length", () => {
  assert.equal(missed([3, 4], [3, 0]), 0.8);
  assert.equal(missed([0, 0], [0, 0]), null);
  assert.match(distances(1, [3, 4], [0, 0], [3, 0]), /^W⁺ y is 80\.0 % .* Wᵀ y 100 %\. 1 numbers cannot tell 2/);
  assert.match(distances(2, [3, 4], [0, 0], [3, 4]), /nothing of it was lost/);
  assert.match(distances(2, [0, 0], [0, 0], [0, 0]), /signal is zero/);
});

test("the steps say how many zeros", () => {
  const titles = stepTitles(NOTES);
  assert.match(titles[1], /s − 1 = 1 zero between/);
  assert.match(titles[2], /f − 1 = 3 zeros at each end/);
  assert.match(stepTitles({ ...NOTES, stride: 1 })[1], /= no zeros between/);
  assert.equal(slidEquation("x̂₁", [1, -2], [0, 3, -4], 1), "x̂₁ = 1·3 + (−2)·(−4) = 11");
});

for (const [change, sentence] of /** @type {[object, RegExp][]} */ ([
  [{ filter: [] }, /filter must be 1 to 8 finite numbers/],
  [{ filter: [1, NaN] }, /filter must be 1 to 8 finite numbers/],
  [{ filter: Array(9).fill(1) }, /filter must be 1 to 8/],
  [{ filter: [0, 0, 0, 0] }, /zeros only/],
  [{ stride: 0 }, /stride must be a whole number from 1 to 8/],
  [{ stride: 1.5 }, /stride must be/],
  [{ stride: NaN }, /stride must be/],
  [{ padding: 4 }, /padding must be a whole number from 0 to 3/],
  [{ padding: -1 }, /padding must be/],
  [{ signal: [] }, /signal must be 1 to 16/],
  [{ signal: [1], padding: 0 }, /filter has 4 weights, but the signal only 1 numbers/],
])) {
  test(`what cannot be is said: ${JSON.stringify(change)}`, () => {
    assert.match(problemOf({ ...NOTES, ...change }), sentence);
  });
}
