// The logic of the form's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  answerTo, answered, file, following, keyOf, optionOf, progress, revised, toggled, withheld,
} from "../../xwidgets/widgets/form/answers.mjs";

const OPTIONS = ["beak", "tail", "context"];
const heat = (picture, feature) => ({ picture, "x-feature": feature });
const QUESTIONS = [heat(1, 0), heat(0, 2), heat(1, 2)].map((one) => ({ ...one, map: "bytes" }));
const reply = (at, ...parts) => ({ picture: QUESTIONS[at].picture, "x-feature": QUESTIONS[at]["x-feature"], parts });

test("sixteen options have keys, and each key leads back to its option", () => {
  const options = Array.from({ length: 40 }, (_, at) => `part ${at}`);
  const keys = options.map((_, at) => keyOf(at));
  assert.equal(keys.slice(0, 16).join(""), "123456789abcdefg");
  assert.equal(new Set(keys.slice(0, 34)).size, 34);
  assert.deepEqual(keys.slice(34), Array(6).fill(""));
  keys.slice(0, 34).forEach((key, at) => assert.equal(optionOf(key, options), options[at]));
});

test("0 and h tick no part, capital letters do, other keys do nothing", () => {
  const options = Array.from({ length: 40 }, (_, at) => `part ${at}`);
  assert.equal(optionOf("A", options), "part 9");
  for (const key of ["0", "h", "H", "Enter", "F1", "ab", "", " ", "é"]) assert.equal(optionOf(key, options), undefined);
  assert.equal(optionOf("4", OPTIONS), undefined, "there is no fourth option");
});

test("parts are ticked in the order of the options, and unticked", () => {
  assert.deepEqual(toggled(null, "tail", OPTIONS), ["tail"]);
  assert.deepEqual(toggled(["tail"], "beak", OPTIONS), ["beak", "tail"]);
  assert.deepEqual(toggled(["beak", "tail"], "beak", OPTIONS), ["tail"]);
  assert.equal(toggled(["tail"], "tail", OPTIONS), null, "nothing ticked is no answer");
});

test("cannot tell goes with no part, and is withdrawn by a second press", () => {
  assert.deepEqual(withheld(null), []);
  assert.deepEqual(withheld(["beak"]), []);
  assert.equal(withheld([]), null);
  assert.deepEqual(toggled([], "beak", OPTIONS), ["beak"]);
});

test("an answer is found by its picture and its x-feature", () => {
  const answers = [reply(2, "tail"), reply(0)];
  assert.deepEqual(QUESTIONS.map((question) => answerTo(answers, question)), [[], null, ["tail"]]);
});

test("a revised answer takes the place of the earlier one", () => {
  const first = answered([], QUESTIONS[0], ["beak"]);
  const both = answered(first, QUESTIONS[1], []);
  assert.deepEqual(both, [reply(0, "beak"), reply(1)]);
  assert.deepEqual(answered(both, QUESTIONS[0], ["tail"]), [reply(0, "tail"), reply(1)]);
  assert.deepEqual(both, [reply(0, "beak"), reply(1)], "what was is left as it was");
});

test("a choice is new unless it is what was answered", () => {
  assert.ok(revised(["beak"], null));
  assert.ok(revised([], null));
  assert.ok(revised([], ["beak"]));
  assert.ok(revised(["a,b"], ["a", "b"]));
  assert.ok(!revised(["beak"], ["beak"]));
  assert.ok(!revised([], []));
  assert.ok(!revised(null, ["beak"]), "nothing ticked does not withdraw an answer");
});

test("questions follow in order, those left open after the last", () => {
  assert.equal(following(0, QUESTIONS, []), 1);
  assert.equal(following(0, QUESTIONS, [reply(1, "beak")]), 1, "answered ones are shown again");
  assert.equal(following(2, QUESTIONS, [reply(0), reply(2)]), 1);
  assert.equal(following(2, QUESTIONS, [reply(0), reply(1), reply(2)]), 3);
});

test("progress counts from one", () => {
  assert.equal(progress(0, 40), "1 of 40");
  assert.equal(progress(39, 40), "40 of 40");
  assert.equal(progress(40, 40), "40 of 40 answered");
});

test("the file holds what was asked and answered, to be read by people", () => {
  const text = file({ module: "ab", parts: ["<b>é</b>"] }, [reply(0, "<b>é</b>")]);
  assert.deepEqual(JSON.parse(text), { module: "ab", parts: ["<b>é</b>"], answers: [reply(0, "<b>é</b>")] });
  assert.ok(text.startsWith('{\n  "module": "ab",\n  "parts": [\n    "<b>é</b>"\n  ],\n  "answers": ['));
});
