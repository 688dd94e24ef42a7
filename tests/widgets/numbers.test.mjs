// How views write numbers; tests/results/test_numbers.py reads the same cases.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { brief, number, percent, signed, timeLeft } from "../../xwidgets/widgets/shared/numbers.mjs";

const CASES = JSON.parse(readFileSync(new URL("../data/numbers.json", import.meta.url), "utf-8"));

for (const [kind, write] of Object.entries({ brief, number, signed, percent })) {
  test(`each ${kind} is written in one way`, () => {
    assert.deepEqual(CASES[kind].map(([value]) => write(value)), CASES[kind].map(([, text]) => text));
  });
}

test("what JSON cannot hold is written too", () => {
  assert.deepEqual([NaN, undefined, Infinity, -Infinity, -0].map((value) => number(value)), ["–", "–", "∞", "−∞", "0"]);
});

test("an error has two digits", () => {
  assert.deepEqual([0.181, 12.6, 0.5, 250].map((value) => number(value, 2)), ["0.18", "13", "0.50", "250"]);
});

test("time left is told in the unit that fits", () => {
  assert.deepEqual([0.2, 4.2, 89, 120, 7800, null, undefined].map(timeLeft),
    ["1 s left", "5 s left", "89 s left", "2 min left", "2 h 10 min left", "", ""]);
});
