// The logic of the ranking table's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { emptiness } from "../../xwidgets/widgets/neuron_ranking.mjs";
import { actionOf } from "../../xwidgets/widgets/ranking/grid.mjs";
import { jaccard, measure, ranks, read, remaining, shared, shares, union } from "../../xwidgets/widgets/ranking/measures.mjs";
import {
  DEFAULT_ORDER, compared, matches, ordered, possible, rankedBy, selection, sorted,
} from "../../xwidgets/widgets/ranking/order.mjs";
import { ROW, grey, inSight, scrolledTo } from "../../xwidgets/widgets/ranking/rows.mjs";
import { idOf } from "../../xwidgets/widgets/shared/neurons.mjs";

const LAYERS = [{ name: "features.0", convolution: 1 }, { name: "head", convolution: null }];
const METRICS = ["activation_precision", "output_correlation"];
const BOTH = new Set([0, 1]);

/** Bytes as they arrive: somewhere in a larger buffer. */
function bytes(numbers, offset = 3) {
  const buffer = new Uint8Array(numbers.byteLength + offset);
  buffer.set(new Uint8Array(numbers.buffer), offset);
  return new DataView(buffer.buffer, offset);
}

function example() {
  return read({
    layer: bytes(Int32Array.of(0, 0, 0, 0, 1, 1)),
    channel: bytes(Int32Array.of(0, 1, 2, 3, 0, 1)),
    importance: bytes(Float64Array.of(1, 4, 4, NaN, Infinity, 2, 0.5, NaN, 0.7, 0.1, -1, -2)),
    activation: bytes(Float64Array.of(0.2, 0.1, 0.3, 0.4, 0.05, 0.5)),
  }, METRICS, LAYERS);
}

const choices = { top: 2, minimum: 0.1, shown: BOTH };
const both = (neurons, changed = {}) =>
  METRICS.map((metric) => measure(neurons, metric, { ...choices, ...changed }));

test("bytes become numbers wherever they lie in their buffer", () => {
  const neurons = example();
  assert.deepEqual([...neurons.channel], [0, 1, 2, 3, 0, 1]);
  assert.deepEqual([...neurons.importance.output_correlation], [0.5, NaN, 0.7, 0.1, -1, -2]);
  assert.deepEqual(neurons.pairs[4], ["head", 0]);
});

test("before anything is computed there are no neurons", () => {
  const neurons = read({}, METRICS, LAYERS);
  const columns = both(neurons);
  assert.deepEqual(neurons.pairs, []);
  assert.deepEqual(union(columns), []);
  assert.deepEqual(sorted([], neurons, columns, DEFAULT_ORDER), []);
});

test("ranks fall with the value in each layer: ties by channel, NaN last, infinity first", () => {
  assert.deepEqual([...ranks(example(), "activation_precision", 0)], [3, 1, 2, 4, 1, 2]);
  assert.deepEqual([...ranks(example(), "output_correlation", 0)], [2, 4, 1, 3, 1, 2]);
});

test("infinities tie by channel too", () => {
  const neurons = { ...example(), importance: { weight_sum: Float64Array.of(1, Infinity, Infinity, -Infinity, NaN, NaN) } };
  assert.deepEqual([...ranks(neurons, "weight_sum", 0)], [3, 1, 2, 4, 1, 2]);
});

test("neurons below the minimum have no rank for the precision, and one for every other metric", () => {
  assert.deepEqual([...ranks(example(), "activation_precision", 0.2)], [2, 0, 1, 3, 0, 1]);
  assert.deepEqual([...ranks(example(), "output_correlation", 0.2)], [2, 4, 1, 3, 1, 2]);
});

test("a NaN activation is never active enough", () => {
  const neurons = { ...example(), activation: new Float64Array(6).fill(NaN) };
  assert.deepEqual([...ranks(neurons, "activation_precision", 0)], [0, 0, 0, 0, 0, 0]);
});

test("shares are of the best of the layer; none for the negative, the unknown and the unranked", () => {
  const neurons = example();
  const [precision, correlation] = both(neurons);
  assert.deepEqual([...precision.shares], [0.25, 1, 1, NaN, NaN, 1]);
  assert.deepEqual([...correlation.shares].map((share) => Number(share.toFixed(2))), [0.71, NaN, 1, 0.14, NaN, NaN]);
});

test("beside an infinite best, the others are compared with the best finite one", () => {
  const values = Float64Array.of(Infinity, 4, 1, 0, Infinity, 0);
  assert.deepEqual([...shares(example(), values, new Int32Array(6).fill(1))], [1, 1, 0.25, 0, 1, NaN]);
});

test("the top sets hold the best of each shown layer", () => {
  const neurons = example();
  assert.deepEqual([...both(neurons)[0].inTop], [0, 1, 1, 0, 0, 1]);
  assert.deepEqual([...both(neurons, { shown: new Set([1]) })[0].inTop], [0, 0, 0, 0, 0, 1]);
});

test("a top of 0 holds all ranked neurons", () => {
  assert.deepEqual([...both(example(), { top: 0, minimum: 0.2 })[0].inTop], [1, 0, 1, 1, 0, 1]);
});

test("the Jaccard index is the shared part of the union", () => {
  const columns = both(example());
  assert.deepEqual(union(columns), [0, 1, 2, 4, 5]);
  assert.deepEqual(shared(columns), [2, 5]);
  assert.equal(jaccard(...columns), 2 / 5);
  assert.equal(jaccard(columns[0], columns[0]), 1);
  assert.ok(Number.isNaN(jaccard(...both(example(), { shown: new Set() }))));
});

test("rows stand by layer, then by the rank of the first metric, the unranked last", () => {
  const neurons = example();
  const columns = both(neurons);
  assert.deepEqual(sorted(union(columns), neurons, columns, DEFAULT_ORDER), [5, 4, 1, 2, 0], "the last layer first");
  assert.deepEqual(sorted(union(columns), neurons, columns, { by: "layer", down: false }), [1, 2, 0, 5, 4]);
});

test("numbers that are missing stand last in either direction", () => {
  const neurons = example();
  const columns = both(neurons);
  const by = (key, down) => sorted([0, 1, 2, 4, 5], neurons, columns, { by: key, metric: "output_correlation", down });
  assert.deepEqual(by("value", true), [2, 0, 4, 5, 1]);
  assert.deepEqual(by("value", false), [5, 4, 0, 2, 1]);
  assert.deepEqual(by("share", true), [2, 0, 1, 5, 4]);
  assert.deepEqual(sorted([4, 5, 0], neurons, columns, { by: "rank", metric: "activation_precision", down: true }), [0, 5, 4]);
});

test("a header sorts the usual way first, and the other way when pressed again", () => {
  const once = ordered(DEFAULT_ORDER, "value", "output_correlation");
  assert.deepEqual(once, { by: "value", metric: "output_correlation", down: true });
  assert.equal(ordered(once, "value", "output_correlation").down, false);
  assert.equal(ordered(once, "value", "activation_precision").down, true);
  assert.equal(ordered(once, "rank", "output_correlation").down, false);
  assert.equal(ordered(DEFAULT_ORDER, "layer").down, false);
});

test("an order by a metric that is not shown is the usual one", () => {
  const order = { by: "value", metric: "weight_sum", down: true };
  assert.deepEqual(possible(order, ["weight_sum"]), order);
  assert.deepEqual(possible(order, ["output_correlation"]), DEFAULT_ORDER);
  assert.deepEqual(possible({ by: "channel", down: true }, ["output_correlation"]), { by: "channel", down: true });
  assert.deepEqual(possible({}, ["output_correlation"]), DEFAULT_ORDER);
});

test("keys move, extend, toggle, select all and none", () => {
  const act = (key, held = {}, state = {}) =>
    actionOf({ key, shiftKey: false, ctrlKey: false, metaKey: false, ...held },
      { from: 2, count: 9, page: 4, selects: true, ...state });
  assert.deepEqual(act("ArrowDown"), { to: 3, how: { extend: false, toggle: false } });
  assert.deepEqual(act("ArrowDown", { shiftKey: true }), { to: 3, how: { extend: true, toggle: false } });
  assert.deepEqual(act("ArrowDown", { ctrlKey: true }), { to: 3 }, "moves without selecting");
  assert.deepEqual(act("ArrowUp", { ctrlKey: true, shiftKey: true }), { to: 1, how: { extend: true, toggle: true } });
  assert.deepEqual(act(" "), { to: 2, how: { toggle: true } });
  assert.deepEqual([act(" ", {}, { from: -1 }), act("a"), act("b")], [null, null, null]);
  assert.deepEqual([act("a", { ctrlKey: true }), act("a", { metaKey: true })], ["all", "all"]);
  assert.deepEqual([act("Escape"), act("Escape", {}, { selects: false })], ["none", null]);
});

test("a number finds channels, other text layers", () => {
  const hits = (text) => [matches(text, LAYERS[0], 1), matches(text, LAYERS[0], 10), matches(text, LAYERS[1], 1)];
  assert.deepEqual(hits(" 1 "), [true, false, true]);
  assert.deepEqual(hits("Conv 1"), [true, true, false]);
  assert.deepEqual(hits("features.0"), [true, true, false]);
  assert.deepEqual(hits(""), [true, true, true]);
});

test("it is counted how many neurons are active enough", () => {
  assert.deepEqual(remaining(example(), 0.3, BOTH), { count: 3, total: 6, largest: 0.5 });
  assert.deepEqual(remaining(example(), 0.45, new Set([0])), { count: 0, total: 4, largest: 0.4 });
});

test("where neurons are missing it is said why", () => {
  const left = { count: 0, total: 6, largest: 0.0831 };
  assert.match(emptiness({ left, ticked: 2, byActivity: true }), /largest mean magnitude is 0\.0831/);
  assert.equal(emptiness({ left, ticked: 2, byActivity: false }), "");
  assert.equal(emptiness({ left: { ...left, count: 1 }, ticked: 2, byActivity: true }), "");
  assert.equal(emptiness({ left: { ...left, total: 0 }, ticked: 2, byActivity: true }), "Nothing is computed yet.");
  assert.equal(emptiness({ left, ticked: 0, byActivity: true }), "No layer is ticked.");
});

test("another metric ranks: a compared one changes places, a new one replaces", () => {
  assert.deepEqual(rankedBy(["a", "b", "c"], "c"), ["c", "a", "b"]);
  assert.deepEqual(rankedBy(["a", "b"], "c"), ["c", "b"]);
  assert.deepEqual(compared(["a"], "b", true), ["a", "b"]);
  assert.deepEqual(compared(["a", "b"], "b", false), ["a"]);
});

test("one row is selected, several are, or a range is", () => {
  const listed = [["a", 0], ["a", 1], ["b", 0], ["b", 1]];
  const names = (selected) => selected.map(idOf);
  assert.deepEqual(names(selection([["z", 9]], listed, 1, {})), ["a 1"]);
  assert.deepEqual(names(selection([["z", 9]], listed, 1, { toggle: true })), ["z 9", "a 1"]);
  assert.deepEqual(names(selection([["z", 9], ["a", 1]], listed, 1, { toggle: true })), ["z 9"]);
  assert.deepEqual(names(selection([["z", 9]], listed, 3, { extend: true, anchor: 1 })), ["a 1", "b 0", "b 1"]);
  assert.deepEqual(names(selection([], listed, 0, { extend: true, anchor: 2 })), ["b 0", "a 1", "a 0"]);
  assert.deepEqual(names(selection([["z", 9], ["b", 0]], listed, 2, { extend: true, toggle: true, anchor: 1 })),
    ["z 9", "a 1", "b 0"]);
});

test("only the rows in sight and a few around them are made", () => {
  assert.deepEqual(inSight(0, 10 * ROW, 4000), [0, 14]);
  assert.deepEqual(inSight(100.5 * ROW, 10 * ROW, 4000), [96, 115]);
  assert.deepEqual(inSight(3995 * ROW, 10 * ROW, 4000), [3991, 4000]);
  assert.deepEqual(inSight(0, 10 * ROW, 3), [0, 3]);
});

test("scrolling goes no further than it must", () => {
  assert.equal(scrolledTo(5, 0, 10 * ROW), 0);
  assert.equal(scrolledTo(12, 0, 10 * ROW), 3 * ROW);
  assert.equal(scrolledTo(2, 5 * ROW, 10 * ROW), 2 * ROW);
});

test("maps are painted in grey", () => {
  assert.deepEqual([...grey(Uint8Array.of(0, 200))], [0, 0, 0, 255, 200, 200, 200, 255]);
});
