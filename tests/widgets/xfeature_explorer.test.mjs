// The logic of the x-feature explorer's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { article, reasons, sentence, verdict, without } from "../../xwidgets/widgets/xfeatures/explanation.mjs";
import { nameOf, role, sorted } from "../../xwidgets/widgets/xfeatures/features.mjs";
import { fitted } from "../../xwidgets/widgets/xfeatures/fit.mjs";
import { keysOf } from "../../xwidgets/widgets/shared/parts.mjs";
import { searched } from "../../xwidgets/widgets/xfeatures/images.mjs";
import { LIMIT, named, offered, pushed, undone, voted } from "../../xwidgets/widgets/xfeatures/opinion.mjs";
import { percent } from "../../xwidgets/widgets/shared/numbers.mjs";
import { place, scale } from "../../xwidgets/widgets/xfeatures/summary.mjs";

const feature = (index, activation, weight) => ({ index, activation, weight, contribution: activation * weight });
const FEATURES = [feature(0, 2, 1), feature(1, 2, 3), feature(2, 0, 4), feature(3, 4, -0.25), feature(4, 1, 2)];
const NONE = ["", "", "", "", ""];
const RIVALS = [{ label: "Briar finch", score: 5 }, { label: "Isle finch", score: 1 }];

function say(changes = {}) {
  const parts = sentence({
    label: "Alder finch", features: FEATURES, names: NONE, votes: NONE, score: 9, value: 9, rivals: RIVALS, ...changes,
  });
  return parts.map((part) => (typeof part === "string" ? part : `*${part.name}* (${percent(part.share)})`)).join("");
}

test("x-features have a person's name or their index", () => {
  assert.equal(nameOf(1, ["", "beak"]), "beak");
  assert.equal(nameOf(0, ["", "beak"]), "x-feature 0");
  assert.equal(nameOf(7, ["", "beak"]), "x-feature 7");
});

test("the article follows the first letter", () => {
  const nouns = ["Alder finch", "briar finch", "Isle finch", "égret", "“owl”", "8", ""];
  assert.deepEqual(nouns.map(article), ["an", "a", "an", "an", "an", "a", "a"]);
});

test("x-features speak for, against, not at all, or are silent", () => {
  assert.deepEqual([feature(0, 1, 2), feature(0, 1, -2), feature(0, 1, 0), feature(0, 0, -2)].map(role),
    ["speaks for", "speaks against", "no effect", "silent in this picture"]);
});

test("they are sorted by contribution, the silent ones last, ties by index", () => {
  assert.deepEqual(sorted(FEATURES).map(({ index }) => index), [1, 0, 4, 3, 2]);
  assert.deepEqual(sorted([...FEATURES].reverse()).map(({ index }) => index), [1, 0, 4, 3, 2]);
  const silent = [feature(0, 0, 1), feature(1, 1, -9), feature(2, 0, -1), feature(3, 1, 0)];
  assert.deepEqual(sorted(silent).map(({ index }) => index), [3, 1, 0, 2]);
  assert.deepEqual(FEATURES.map(({ index }) => index), [0, 1, 2, 3, 4]);
});

test("shares are of the positive contributions that are not distrusted", () => {
  assert.deepEqual(reasons(FEATURES, NONE, NONE),
    [{ name: "x-feature 1", share: 0.6 }, { name: "x-feature 0", share: 0.2 }, { name: "x-feature 4", share: 0.2 }]);
  assert.deepEqual(reasons(FEATURES, ["", "beak"], ["trust", "distrust", "", "", ""]),
    [{ name: "x-feature 0", share: 0.5 }, { name: "x-feature 4", share: 0.5 }]);
  assert.deepEqual(reasons(FEATURES, ["", "beak"], []).map(({ name }) => name), ["beak", "x-feature 0", "x-feature 4"]);
});

test("x-features with one name are one reason", () => {
  const found = reasons([feature(0, 1, 3), feature(1, 1, 4), feature(2, 1, 3)], ["beak", "tail", "beak"], NONE);
  assert.deepEqual(found, [{ name: "beak", share: 0.6 }, { name: "tail", share: 0.4 }]);
});

test("shares below one percent are left out", () => {
  const names = (least) => reasons([feature(0, 1, 100 - least), feature(1, 1, least)], NONE, NONE).map(({ name }) => name);
  assert.deepEqual(names(0.99), ["x-feature 0"]);
  assert.deepEqual(names(1), ["x-feature 0", "x-feature 1"]);
});

test("the sentence lists one, two or more reasons", () => {
  const [one, two] = [[FEATURES[0]], [FEATURES[0], FEATURES[1]]];
  assert.equal(say({ features: one }), "It is an Alder finch because of *x-feature 0* (100 %).");
  assert.equal(say({ features: two, names: ["crown", "beak"] }),
    "It is an Alder finch because of *beak* (75.0 %) and *crown* (25.0 %).");
  assert.equal(say({ label: "Briar finch" }),
    "It is a Briar finch because of *x-feature 1* (60.0 %), *x-feature 0* (20.0 %) and *x-feature 4* (20.0 %).");
});

test("names stay apart from the words, so that they are shown as text", () => {
  const [words, reason, stop] = sentence({
    label: "A", features: [FEATURES[0]], names: ["<b>x</b>"], votes: NONE, score: 9, value: 9, rivals: [],
  });
  assert.deepEqual([words, reason, stop], ["It is an A because of ", { name: "<b>x</b>", share: 1 }, "."]);
});

test("the sentence does not claim a class that loses", () => {
  const end = "speak for an Alder finch, but more speaks for a Briar finch.";
  assert.ok(say({ score: 4.9 }).endsWith(end), "in the network");
  assert.ok(say({ value: 4.9 }).endsWith(end), "without the distrusted x-features");
  assert.equal(say({ features: [FEATURES[0]], value: 0 }),
    "*x-feature 0* (100 %) speaks for an Alder finch, but more speaks for a Briar finch.");
  assert.ok(say({ score: 5, value: 5 }).startsWith("It is an"), "level is not behind");
  assert.ok(say({ value: -9, rivals: [] }).startsWith("It is an"), "without other classes none is ahead");
});

test("without a reason, the sentence says so", () => {
  assert.equal(say({ features: [FEATURES[2], FEATURES[3]] }), "No x-feature speaks for an Alder finch in this picture.");
  assert.equal(say({ features: FEATURES.slice(2), votes: ["", "", "", "", "distrust"] }),
    "No x-feature that is trusted speaks for an Alder finch.");
  assert.equal(say({ features: [FEATURES[3]], votes: ["", "", "", "distrust", ""] }),
    "No x-feature speaks for an Alder finch in this picture.", "a distrusted objection was no reason");
});

test("distrusted contributions are taken off, also negative ones", () => {
  assert.equal(without(9.5, FEATURES, NONE), 9.5);
  assert.equal(without(9.5, FEATURES, ["trust", "", "", "", ""]), 9.5);
  assert.equal(without(9.5, FEATURES, ["", "distrust", "", "", ""]), 3.5);
  assert.equal(without(9.5, FEATURES, ["", "distrust", "distrust", "distrust", ""]), 4.5);
  assert.equal(without(9.5, FEATURES, []), 9.5);
});

test("votes go by the x-feature's index, not by its place", () => {
  assert.equal(without(9, [FEATURES[4], FEATURES[1]], ["", "distrust"]), 3);
});

test("crumbs of single precision are nothing", () => {
  assert.equal(without(0.30000001, [feature(0, 1, 0.1), feature(1, 1, 0.2)], ["distrust", "distrust"]), 0);
  assert.equal(without(-1e-9, [], []), -1e-9);
});

test("the verdict tells by how much the class wins or loses", () => {
  const tell = (score, value, marked = false) => verdict({ score, value, rivals: RIVALS, voted: marked });
  assert.deepEqual(tell(9, 8.1), { wins: true, text: "ahead of Briar finch by 3.10" });
  assert.deepEqual(tell(9, 8.1, true), { wins: true, text: "still ahead of Briar finch by 3.10" });
  assert.deepEqual(tell(9, 4.5, true), { wins: false, text: "Briar finch would win by 0.500" });
  assert.deepEqual(tell(4, 4.5), { wins: false, text: "behind Briar finch by 0.500" });
  assert.deepEqual(tell(4, 4.5, true), { wins: false, text: "still behind Briar finch by 0.500" });
  assert.deepEqual(tell(4, 7, true), { wins: true, text: "would be ahead of Briar finch by 2.00" });
  assert.deepEqual(tell(9, 5, true), { wins: false, text: "level with Briar finch" });
  assert.equal(verdict({ score: 1, value: 1, rivals: [], voted: true }), null);
});

test("a scale holds zero", () => {
  assert.deepEqual([[3, 5], [-3, -5], [-1, 2], []].map(scale), [[0, 5], [-5, 0], [-1, 2], [0, 0]]);
  assert.deepEqual([0, -2, 6].map((value) => place(value, [-2, 6])), [0.25, 0, 1]);
  assert.equal(place(0, [0, 0]), 0);
});

test("names are trimmed, and nothing changes without a change", () => {
  assert.deepEqual(named(["", "crown"], 0, "  yellow \n beak ", 3), ["yellow beak", "crown", ""]);
  assert.equal(named(["beak"], 0, " beak ", 3), null);
  assert.equal(named([], 2, "  ", 3), null);
  assert.deepEqual(named(["beak"], 0, "", 1), [""]);
});

test("a vote pressed again is withdrawn", () => {
  assert.deepEqual(voted([], 1, "trust", 3), ["", "trust", ""]);
  assert.deepEqual(voted(["", "trust", ""], 1, "trust", 3), ["", "", ""]);
  assert.deepEqual(voted(["", "trust", "trust"], 1, "distrust", 3), ["", "distrust", "trust"]);
});

test("names and votes of x-features that are not shown stay", () => {
  assert.deepEqual(voted(["trust", "", "distrust"], 1, "trust", 2), ["trust", "trust", "distrust"]);
});

test("changes leave what they change as it was", () => {
  const [names, votes, history] = [["a"], ["trust"], [{ names: [], votes: [] }]];
  named(names, 0, "b", 1);
  voted(votes, 0, "trust", 1);
  pushed(history, { names, votes });
  undone(history);
  assert.deepEqual([names, votes, history], [["a"], ["trust"], [{ names: [], votes: [] }]]);
});

test("undoing goes back state by state", () => {
  const [first, second] = [{ names: ["a"], votes: [""] }, { names: ["a"], votes: ["trust"] }];
  const history = pushed(pushed([], first), second);
  const once = undone(history);
  assert.deepEqual(once, { history: [first], ...second });
  assert.deepEqual(undone(once.history), { history: [], ...first });
  assert.equal(undone([]), null);
});

test("the history forgets the oldest states", () => {
  let history = [];
  for (let at = 0; at < LIMIT + 5; at++) history = pushed(history, { names: [String(at)], votes: [] });
  assert.equal(LIMIT, 100);
  assert.equal(history.length, LIMIT);
  assert.deepEqual([history[0].names, history.at(-1).names], [["5"], [String(LIMIT + 4)]]);
});

test("names are offered once, those in use first", () => {
  assert.deepEqual(offered(["beak", "", "tail", "beak"], ["crown", "tail"]), ["beak", "tail", "crown"]);
});

test("images are told apart by their source, also when one comes twice", () => {
  assert.deepEqual(keysOf([{ source: "a" }, { source: "b" }, { source: "a" }]), ["1 a", "1 b", "2 a"]);
});

test("the search tells how far it is until it is over", () => {
  assert.equal(searched({ state: "computing", share: 0.4, seconds_left: 12 }), "searched 40.0 %, 12 s left");
  assert.equal(searched({ state: "computing" }), "searched 0 %");
  assert.equal(searched({ state: "stopped", share: 0.4, seconds_left: 12 }), "stopped at 40.0 %");
  assert.deepEqual([{}, { state: "complete", share: 1 }, { state: "failed" }].map(searched), ["", "", ""]);
});

test("the fit tells its epoch and its error", () => {
  const training = { share: 0.37, seconds_left: 74, epoch: 12, error: 0.1543, message: "" };
  assert.equal(fitted({ state: "computing", ...training }),
    "fitting the module · epoch 12 · held-out error 0.154 · 37.0 % · 74 s left");
  assert.equal(fitted({ state: "stopped", ...training }),
    "stopped at epoch 12 · held-out error 0.154 · the best so far is kept");
  assert.equal(fitted({ state: "complete", ...training }), "module fitted · held-out error 0.154");
  assert.equal(fitted({ state: "computing", epoch: null, error: null, message: "looking at 40 images" }),
    "fitting the module · 0 % · looking at 40 images");
  assert.equal(fitted({ state: "stopped" }), "stopped · the best so far is kept");
  assert.deepEqual([{}, { state: "failed", message: "no memory" }].map(fitted), ["", ""]);
});
