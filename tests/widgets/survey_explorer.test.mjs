// Points of a survey: where they are, which are at a place, and what is said of those selected.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  arrayOf, colorsOf, differences, inside, nearest, nextPoint, UNKNOWN_COLOR, pixelOf, plot, pointsOf, rangeOf,
} from "../../xwidgets/widgets/survey/points.mjs";
import { channelsOf } from "../../xwidgets/widgets/shared/colors.mjs";
import { countsOf } from "../../xwidgets/widgets/survey/legend.mjs";

/** @param {number[][]} places */
const cloud = (places, aspect = 1) =>
  pointsOf(Int32Array.from(places.keys(), (at) => 10 * at), new Float32Array(places.flat()), aspect);

const CROSS = cloud([[0, 0], [-2, 0], [2, 0], [0, -1], [0, 1]]);

test("bytes at any offset become numbers", () => {
  const bytes = new Uint8Array(9);
  new DataView(bytes.buffer).setFloat32(1, 2.5, true);
  new DataView(bytes.buffer).setFloat32(5, -1, true);
  assert.deepEqual([...arrayOf(new DataView(bytes.buffer, 1, 8), Float32Array)], [2.5, -1]);
});

test("all points are in the plane, and one unit is as long across as down", () => {
  const aspect = 4 / 3;
  const { xs, ys } = cloud([[0, 0], [10, 0], [10, 1], [NaN, NaN]], aspect);
  assert.ok([...xs.slice(0, 3), ...ys.slice(0, 3)].every((share) => share > 0 && share < 1));
  assert.ok(Number.isNaN(xs[3]) && Number.isNaN(ys[3]));
  const [across, down] = [(xs[1] - xs[0]) / 10, (ys[2] - ys[1]) / aspect];
  assert.ok(Math.abs(across - down) < 1e-6);
});

test("one point alone is in the middle", () => {
  const { xs, ys } = cloud([[3, 5]]);
  assert.deepEqual([xs[0], ys[0]], [0.5, 0.5]);
});

test("names have their colours, and what is not known a colour of its own", () => {
  const column = { name: "class", values: Int16Array.of(1, -1, 0), names: ["a", "b"], colors: ["#ff0000", "#0000ff"] };
  assert.deepEqual([...colorsOf(column, 3)], [pixelOf(channelsOf("#0000ff")), pixelOf(channelsOf(UNKNOWN_COLOR)), pixelOf(channelsOf("#ff0000"))]);
  assert.equal(pixelOf(channelsOf("#010203"), 0.5), 0x80030201);
});

test("numbers have the colours from the smallest to the largest", () => {
  const column = { name: "area", values: Float32Array.of(5, NaN, 1, 3), stops: ["#000000", "#ff00ff", "#ffffff"] };
  const [most, none, least, middle] = colorsOf(column, 4);
  assert.deepEqual([most, none, least], [pixelOf(channelsOf("#ffffff")), pixelOf(channelsOf(UNKNOWN_COLOR)), pixelOf(channelsOf("#000000"))]);
  assert.ok(Math.abs((middle & 255) - 255) <= 2 && (middle >> 8 & 255) <= 2);
  assert.deepEqual(rangeOf(column.values), [1, 5]);
  assert.equal(rangeOf([NaN]), null);
});

test("points are drawn where they are, the selected above the others", () => {
  const points = { numbers: Int32Array.of(0, 1), xs: Float32Array.of(0.5, 0.5), ys: Float32Array.of(0.5, 0.5) };
  const [colors, faint] = [Uint32Array.of(7, 8), 5];
  const pixels = new Uint32Array(20 * 10);
  const part = { top: 0, left: 0, side: 1 };
  plot(pixels, 20, points, colors, { radius: 0, raised: 0, part, chosen: null, faint });
  assert.equal(pixels[5 * 20 + 10], 8);
  assert.equal(pixels.filter(Boolean).length, 1);
  plot(pixels, 20, points, colors, { radius: 0, raised: 1, part, chosen: Uint8Array.of(1, 0), faint });
  assert.equal(pixels[5 * 20 + 10], 7);
  assert.equal(pixels.filter(Boolean).length, 5, "a disc of radius one for the selected");
  plot(pixels, 20, points, colors, { radius: 0, raised: 0, part: { top: 0.5, left: 0.5, side: 0.5 }, chosen: null, faint });
  assert.equal(pixels.findIndex(Boolean), 0, "at the corner of this part");
});

test("the nearest point is found within reach alone", () => {
  const at = [CROSS.xs[2] + 0.01, CROSS.ys[2]];
  assert.equal(nearest(CROSS, at, [0.02, 0.02]), 2);
  assert.equal(nearest(CROSS, at, [0.005, 0.005]), -1);
});

test("an arrow goes to the next point in its direction", () => {
  assert.deepEqual(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Tab"].map((key) => nextPoint(CROSS, 0, key)), [1, 2, 3, 4, -1]);
  assert.equal(nextPoint(CROSS, 2, "ArrowRight"), -1);
});

test("a lasso holds what a slow look at angles says", () => {
  const random = (/** @type {number} */ at) => (Math.abs(Math.sin(12.9898 * at)) * 43758.5453) % 1;
  const points = {
    numbers: Int32Array.from({ length: 300 }, (_, at) => at),
    xs: Float32Array.from({ length: 300 }, (_, at) => random(at)),
    ys: Float32Array.from({ length: 300 }, (_, at) => random(at + 0.5)),
  };
  const star = Array.from({ length: 11 }, (_, at) => {
    const [angle, length] = [2 * Math.PI * at / 11, at % 2 ? 0.45 : 0.15];
    return [0.5 + length * Math.cos(angle), 0.5 + length * Math.sin(angle)];
  });
  const slow = points.numbers.filter((_, at) => {
    let turned = 0;
    star.forEach(([x, y], corner) => {
      const [u, v] = star[(corner + 1) % star.length];
      const from = Math.atan2(y - points.ys[at], x - points.xs[at]);
      const angle = Math.atan2(v - points.ys[at], u - points.xs[at]) - from;
      turned += Math.atan2(Math.sin(angle), Math.cos(angle));
    });
    return Math.abs(turned) > Math.PI;
  });
  assert.ok(slow.length > 20 && slow.length < 280);
  assert.deepEqual(inside(points, star), [...slow]);
});

test("what is selected is told by what is unlike all the others", () => {
  const columns = [
    { name: "same", values: Float32Array.of(1, 3, 1, 3) },
    { name: "mark", values: Int16Array.of(0, 0, 1, -1), names: ["yes", "no"] },
    { name: "area", values: Float32Array.of(8, 8, 0, NaN) },
  ];
  const told = differences(columns, Uint8Array.of(1, 1, 0, 0));
  assert.deepEqual(told.map(({ name }) => name), ["mark", "area", "same"]);
  assert.deepEqual([told[0].selected, told[0].all], ["yes 100 %", "66.7 %"]);
  assert.deepEqual([told[1].selected, told[1].all], ["8.00", "5.33"]);
  assert.equal(told[2].by, 0);
  assert.deepEqual(differences(columns, new Uint8Array(4)), []);
});

test("points without a name are counted apart", () => {
  assert.deepEqual(countsOf(Int16Array.of(0, 1, 1, -1), 3), { counts: [1, 2, 0], none: 1 });
});
