// The logic of the top images' ES modules.
import assert from "node:assert/strict";
import { test } from "node:test";

import { asked, kindsOf, within } from "../../xwidgets/widgets/top_images/choice.mjs";
import { extentOf, headingOf, progressText, skippedText, strength } from "../../xwidgets/widgets/top_images/tops.mjs";

const images = (count) => Array.from({ length: count }, () => ({}));

test("an activation has a number, and a score its unit", () => {
  assert.equal(strength(8.694, "activation"), "activation 8.69");
  assert.equal(strength(-12.06, "logits"), "−12.1 logits");
});

test("it is told how many images were compared, and that others may follow", () => {
  assert.equal(extentOf({ searched: 150, total: 150, images: images(20) }, 9), "the best 9 of 150 images");
  assert.equal(extentOf({ searched: 4, total: 4, images: images(4) }, 9), "the best 4 of 4 images");
  assert.equal(
    extentOf({ searched: 40, total: 150, images: images(20) }, 9),
    "the best 9 so far, 40 of 150 images searched",
  );
});

test("files that cannot be read are counted", () => {
  assert.equal(skippedText([]), "");
  assert.equal(skippedText(["a.jpg"]), "1 file could not be read");
  assert.equal(skippedText(["a.jpg", "b.jpg"]), "2 files could not be read");
});

test("progress is told in images", () => {
  const top = { searched: 40, total: 150 };
  assert.equal(progressText({ state: "computing" }, []), "searching …");
  assert.equal(progressText({ state: "computing" }, [top]), "searched 40 of 150 images");
  assert.equal(progressText({ state: "stopped" }, [top]), "searched 40 of 150 images, stopped");
});

test("the heading names what is searched for, before anything is found too", () => {
  const [one, other] = ["wing", "beak"].map((name) => ({ name, network: "birds" }));
  assert.equal(headingOf("wing", []), "Where wing is strongest");
  assert.equal(headingOf("wing", [one]), "Where wing is strongest (birds)");
  assert.equal(headingOf(undefined, [other]), "Where beak is strongest (birds)");
  assert.equal(headingOf(undefined, [one, other]), "Where each is strongest");
});

test("x-features are offered where there are some, and a unit while it is searched for", () => {
  const choice = { kind: "target", name: "wren" };
  const kinds = kindsOf({ target: "wren", choice, features: [] });
  assert.deepEqual(Object.keys(kinds), ["target", "class", "channel"]);
  assert.equal(kinds.target, "the target, wren");
  const more = kindsOf({ target: "wren", choice: { kind: "other", name: "unit 3" }, features: ["0 of wren"] });
  assert.deepEqual(Object.keys(more), ["target", "class", "channel", "x-feature", "other"]);
  assert.equal(more.other, "unit 3");
});

test("another kind begins where its last choice was", () => {
  const last = { class: { number: 7 }, channel: { number: 3, layer: "conv" } };
  assert.deepEqual(asked("target", last), { type: "search", kind: "target" });
  assert.deepEqual(asked("class", last), { type: "search", kind: "class", number: 7 });
  assert.deepEqual(asked("channel", last), { type: "search", kind: "channel", number: 3, layer: "conv" });
});

test("a channel is one of the layer's", () => {
  assert.deepEqual([-2, 3.4, 99].map((number) => within(number, 16)), [0, 3, 15]);
});
