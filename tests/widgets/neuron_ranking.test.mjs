// The logic of the ranking table's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  DEFAULT_ORDER, ROW, compared, digits, emptiness, grey, id, inSight, jaccard, layerName, matches, measure,
  metricName, moved, ordered, percent, rankedBy, ranks, read, remaining, scrolledTo, selection, shared,
  shares, sorted, status, union,
} from "../../xwidgets/widgets/neuron_ranking.mjs";

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
  assert.deepEqual(sorted(union(columns), neurons, columns, DEFAULT_ORDER), [1, 2, 0, 5, 4]);
  assert.deepEqual(sorted(union(columns), neurons, columns, { by: "layer", down: true }), [5, 4, 1, 2, 0]);
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
  assert.equal(ordered(DEFAULT_ORDER, "layer").down, true);
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
  assert.match(emptiness(left, { ticked: 2, byActivity: true }), /largest mean activation is 0\.0831/);
  assert.equal(emptiness(left, { ticked: 2, byActivity: false }), "");
  assert.equal(emptiness({ ...left, count: 1 }, { ticked: 2, byActivity: true }), "");
  assert.equal(emptiness({ ...left, total: 0 }, { ticked: 2, byActivity: true }), "Nothing is computed yet.");
  assert.equal(emptiness(left, { ticked: 0, byActivity: true }), "No layer is ticked.");
});

test("another metric ranks: a compared one changes places, a new one replaces", () => {
  assert.deepEqual(rankedBy(["a", "b", "c"], "c"), ["c", "a", "b"]);
  assert.deepEqual(rankedBy(["a", "b"], "c"), ["c", "b"]);
  assert.deepEqual(compared(["a"], "b", true), ["a", "b"]);
  assert.deepEqual(compared(["a", "b"], "b", false), ["a"]);
});

test("keys move by a row, a page, or to the ends, and stay inside", () => {
  assert.deepEqual(["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"].map((key) => moved(5, key, 20, 10)),
    [4, 6, 0, 15, 0, 19]);
  assert.equal(moved(-1, "ArrowDown", 20, 10), 0);
  assert.equal(moved(19, "ArrowDown", 20, 10), 19);
  assert.equal(moved(0, "ArrowDown", 0, 10), null);
  assert.equal(moved(5, "x", 20, 10), null);
});

test("one row is selected, several are, or a range is", () => {
  const listed = [["a", 0], ["a", 1], ["b", 0], ["b", 1]];
  const names = (selected) => selected.map(id);
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

test("numbers have three digits", () => {
  assert.deepEqual([0.5, 12.3456, 123.456, 12345, 1234567, 0.000123, 0, -2.5, NaN, Infinity, -Infinity].map(digits),
    ["0.500", "12.3", "123", "12300", "1.23e6", "1.23e−4", "0", "−2.50", "–", "∞", "−∞"]);
});

test("shares, names and states in words", () => {
  assert.deepEqual([0.256, 1, NaN].map(percent), ["26 %", "100 %", "–"]);
  assert.equal(metricName("activation_precision"), "activation precision");
  assert.deepEqual(LAYERS.map(layerName), ["conv 1 · features.0", "head"]);
  assert.equal(status({ state: "computing", share: 0.42 }), "42 %");
  assert.equal(status({ state: "stopped", share: 0.42 }), "stopped at 42 %");
  assert.equal(status({ state: "complete", share: 1 }), "complete");
});

test("maps are painted in grey", () => {
  assert.deepEqual([...grey(Uint8Array.of(0, 200))], [0, 0, 0, 255, 200, 200, 200, 255]);
});
