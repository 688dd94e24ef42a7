// The logic of the groups', choosers' and strips' ES modules.
import assert from "node:assert/strict";
import { test } from "node:test";

import { listed, sharesOf } from "../../xwidgets/widgets/class_chooser.mjs";
import { barOf, tellRow } from "../../xwidgets/widgets/filling_comparison.mjs";
import { titled } from "../../xwidgets/widgets/method_chooser.mjs";
import { base64, range } from "../../xwidgets/widgets/picture_strip.mjs";
import { changes, link } from "../../xwidgets/widgets/shared/group.mjs";

const NAMES = ["tabby cat", "bobcat", "sports car", "catamaran", "wild cat"];
const SHARES = [0.1, 0.2, 0.5, 0.05, 0.15];

/** A model that tells who listens. */
function model(state) {
  const heard = new Map();
  return {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; heard.get(`change:${name}`)?.(); },
    save_changes: () => {},
    on: (event, callback) => heard.set(event, callback),
    off: (event) => heard.delete(event),
    heard,
  };
}

test("probabilities arrive as bytes", () => {
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setFloat64(0, 0.25, true);
  bytes.setFloat64(8, 0.75, true);
  assert.deepEqual(sharesOf(bytes), [0.25, 0.75]);
});

test("the most probable classes come first, and the target is among them", () => {
  assert.deepEqual(listed(NAMES, SHARES, { search: "", k: 2, target: 2 }), [2, 1]);
  assert.deepEqual(listed(NAMES, SHARES, { search: " ", k: 2, target: 3 }), [2, 1, 3]);
  assert.deepEqual(listed(NAMES, SHARES, { search: "", k: 1, target: null }), [2]);
});

test("a search goes over all classes, and words that begin so come first", () => {
  assert.deepEqual(listed(NAMES, SHARES, { search: "cat", k: 1, target: 2 }), [4, 0, 3, 1]);
  assert.deepEqual(listed(NAMES, SHARES, { search: "CAT tab", k: 1, target: 2 }), [0]);
  assert.deepEqual(listed(NAMES, SHARES, { search: "dog", k: 1, target: 2 }), []);
  const many = Array.from({ length: 40 }, (_, at) => `cat ${at}`);
  assert.equal(listed(many, many.map(() => 0.01), { search: "cat", k: 1, target: 0 }).length, 12);
});

test("a method's name begins a line", () => {
  assert.equal(titled("prediction difference"), "Prediction difference");
  assert.equal(titled(""), "");
});

test("the strip tells which pictures it shows, where there are others", () => {
  assert.equal(range(0, 8, 8), "");
  assert.equal(range(8, 8, 20), "9 to 16 of 20");
  assert.equal(range(16, 8, 20), "17 to 20 of 20");
});

test("bytes of any length become base64", () => {
  for (const length of [0, 1, 2, 3, 70_000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => (7 * at) % 256);
    assert.equal(base64(bytes), Buffer.from(bytes).toString("base64"));
  }
});

test("views that are new and views that are gone are told apart", () => {
  const before = { a: "anywidget:1", b: "anywidget:2", c: "anywidget:3" };
  assert.deepEqual(changes(before, { a: "anywidget:1", b: "anywidget:9", d: "anywidget:4" }), {
    fresh: ["b", "d"], gone: ["b", "c"],
  });
  assert.deepEqual(changes(before, before), { fresh: [], gone: [] });
});

test("traits of a name stay alike until the link is ended", () => {
  const models = [model({ pixel: [] }), model({ pixel: [] }), model({ pixel: [] })];
  const end = link(models, ["pixel"]);
  models[1].set("pixel", [3, 4]);
  assert.deepEqual(models.map(({ get }) => get("pixel")), [[3, 4], [3, 4], [3, 4]]);
  end();
  models[0].set("pixel", [1, 1]);
  assert.deepEqual(models[2].get("pixel"), [3, 4]);
  assert.deepEqual(models.map(({ heard }) => heard.size), [0, 0, 0]);
});

test("a way to remove a region tells evidence, its margin and the probabilities", () => {
  const row = { evidence: 4.5, error: 0.25, before: 0.9996, after: 0.9 };
  assert.deepEqual(tellRow(row), ["+4.50 ± 0.250 bits", "from > 99.9 % to 90.0 %"]);
  assert.deepEqual(tellRow({ evidence: -0.2, error: null, before: null, after: null }), ["−0.200 bits", ""]);
  const overtaken = { ...row, first: "wren", first_share: 0.6 };
  assert.equal(tellRow(overtaken)[1], "from > 99.9 % to 90.0 %; most likely then: wren, 60.0 %");
});

test("bars of all rows begin at one zero", () => {
  assert.deepEqual(barOf(4, [4, 2]), { left: 0, width: 1, zero: 0 });
  assert.deepEqual(barOf(-1, [3, -1]), { left: 0, width: 0.25, zero: 0.25 });
  assert.deepEqual(barOf(3, [3, -1]), { left: 0.25, width: 0.75, zero: 0.25 });
  assert.deepEqual(barOf(0, [0]), { left: 0, width: 0, zero: 0 });
  assert.equal(barOf(-0.001, [-0.001]).width, 0.001, "a small number has no large bar");
  assert.equal(barOf(-0.001, [-0.001]).zero, 1);
});
