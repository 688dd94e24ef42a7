// How far work is, in words.
import assert from "node:assert/strict";
import { test } from "node:test";

import { status } from "../../xwidgets/widgets/shared/work.mjs";

test("the status names the state, the share and the time left", () => {
  assert.equal(status({ state: "computing", share: 0.042, seconds_left: 30 }), "4.2 %, 30 s left");
  assert.equal(status({ state: "computing", share: 0, seconds_left: null }), "0 %");
  assert.equal(status({ state: "stopped", share: 0.5, seconds_left: 30 }), "stopped at 50.0 %");
  assert.equal(status({ state: "partial", share: 0.002 }), "0.2 % computed");
  assert.equal(status({ state: "complete", share: 1 }), "complete");
  assert.equal(status({ state: "failed" }), "failed");
  assert.equal(status({}), "");
});

test("100 % is not said before the end", () => {
  for (const share of [0.9996, 1]) {
    assert.equal(status({ state: "partial", share }), "> 99.9 % computed");
    assert.equal(status({ state: "computing", share }), "> 99.9 %");
  }
});

test("a map that grows says what it is good for", () => {
  const growing = { state: "computing", share: 0.042, seconds_left: 31200 };
  assert.equal(status({ ...growing, first_look: 7.2 }), "first look in 8 s, 4.2 %, 8 h 40 min left");
  assert.equal(status({ ...growing, first_look: 0 }), "first look, still noisy, 4.2 %, 8 h 40 min left");
  assert.equal(status({ ...growing, first_look: 0, readable: true }), "readable now, refining, 4.2 %, 8 h 40 min left");
  assert.equal(status({ ...growing, first_look: null }), "4.2 %, 8 h 40 min left");
  assert.equal(status({ ...growing, state: "stopped", first_look: 0, readable: true }), "stopped at 4.2 %");
});
