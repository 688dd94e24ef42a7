// The logic of the relevance overlay's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { UNKNOWN, cover, paint, palette, rampOf } from "../../xwidgets/widgets/overlay/colors.mjs";
import { ERROR_UNKNOWN, estimate, reading, remarks, standing, uncertain } from "../../xwidgets/widgets/overlay/frames.mjs";
import { enlargement, outlined } from "../../xwidgets/widgets/overlay/outline.mjs";
import { scaleTexts, scaleWords } from "../../xwidgets/widgets/overlay/legend.mjs";
import { pixelAt } from "../../xwidgets/widgets/overlay/stage.mjs";

const STOPS = ["#0000ff", "#ffffff", "#ff0000"];

test("the palette runs from the first stop over the middle one to the last", () => {
  const table = palette(STOPS);
  assert.equal(table.length, 3 * 255);
  assert.deepEqual([...table.subarray(0, 3)], [0, 0, 255]);
  assert.deepEqual([...table.subarray(3 * 127, 3 * 128)], [255, 255, 255]);
  assert.deepEqual([...table.subarray(3 * 254)], [255, 0, 0]);
});

test("the ramp has the map's colours, of values that cannot be negative the upper half", () => {
  const table = palette(STOPS);
  const colors = (frame) => {
    const pixels = rampOf(table, frame);
    const opaque = pixels.filter((_, i) => i % 4 === 3).every((alpha) => alpha === 255);
    return [pixels.length / 4, opaque, [...pixels.subarray(0, 3)], [...pixels.subarray(-4, -1)]];
  };
  assert.deepEqual(colors({ signed: true }), [255, true, [0, 0, 255], [255, 0, 0]]);
  assert.deepEqual(colors(undefined), colors({ signed: true }));
  assert.deepEqual(colors({ signed: false }), [128, true, [255, 255, 255], [255, 0, 0]]);
  for (const code of [0, 50, 127]) {
    const painted = paint(Int8Array.of(code), table, 0).subarray(0, 3);
    assert.deepEqual(rampOf(table, { signed: false }).subarray(4 * code, 4 * code + 3), painted);
  }
});

const BITS = { unit: "bits", ends: ["against wren", "for wren"] };
const SHARE = { unit: "share", ends: ["", "for wren"], signed: false };

test("the ramp's ends and middle are told in the map's unit", () => {
  assert.deepEqual(scaleTexts(BITS, 2), ["−2.00", "0 bits", "+2.00"]);
  assert.deepEqual(scaleTexts(SHARE, 0.25), ["0", "share", "0.250"]);
});

test("the ramp is told in words, which speak against nothing where nothing can be negative", () => {
  const words = (frame) => scaleWords(frame, scaleTexts(frame, 2));
  assert.equal(words(BITS), "Scale from −2.00 against wren over zero to +2.00 bits for wren");
  assert.equal(words(SHARE), "Scale from zero to 2.00 share for wren");
  assert.equal(scaleWords(undefined, ["", "0", ""]), "Scale, zero in the middle");
});

test("positive codes are painted in the last colour, negative in the first", () => {
  const pixels = paint(Int8Array.of(127, -127, 0), palette(STOPS), 0);
  assert.deepEqual([...pixels.subarray(0, 4)], [255, 0, 0, 255]);
  assert.deepEqual([...pixels.subarray(4, 8)], [0, 0, 255, 255]);
  assert.ok(pixels[11] > 0 && pixels[11] < 128, "zero is a veil");
});

test("unknown pixels and those below the threshold are not painted", () => {
  const pixels = paint(Int8Array.of(UNKNOWN, 60, -70), palette(STOPS), 0.5);
  assert.deepEqual([3, 7, 11].map((i) => pixels[i] > 0), [false, false, true]);
});

test("cover grows with the magnitude, whatever the sign", () => {
  assert.ok(cover(0) < cover(0.2) && cover(0.2) < cover(0.4));
  assert.equal(cover(-0.3), cover(0.3));
  assert.equal(cover(1), 1);
});

test("when the work is over, a map that is not complete says how far it is", () => {
  const over = { state: "complete", share: 1 };
  const partial = standing(over, { completed: 0.002 });
  assert.deepEqual(partial, { state: "partial", share: 0.002 });
  assert.equal(standing(over, { completed: 1 }), over);
  assert.equal(standing(over, undefined), over);
  const computing = { state: "computing", share: 0.5 };
  assert.equal(standing(computing, { completed: 0.4 }), computing);
});

test("the pixel under the pointer follows the box's place and size", () => {
  const box = { left: 10, top: 20, width: 100, height: 50 };
  assert.deepEqual(pixelAt(10, 20, box, [5, 10]), [0, 0]);
  assert.deepEqual(pixelAt(109, 69, box, [5, 10]), [4, 9]);
  assert.equal(pixelAt(110, 69, box, [5, 10]), null);
  assert.equal(pixelAt(9, 30, box, [5, 10]), null);
});

const view = (codes) => new DataView(codes.buffer);
const FRAME = { scale: 2, unit: "bits", map: view(Int8Array.of(0, 127, UNKNOWN, -64)) };
const ESTIMATED = {
  ...FRAME, error: view(Uint8Array.of(10, 254, 0, ERROR_UNKNOWN)), error_scale: 0.5,
};

test("a reading tells place, value and unit", () => {
  assert.equal(reading(FRAME, [0, 1], 2), "row 0, column 1: +2.00 bits");
  assert.equal(reading(FRAME, [1, 1], 2), "row 1, column 1: −1.01 bits");
  assert.equal(reading(FRAME, [1, 0], 2), "row 1, column 0: not computed yet");
  assert.equal(reading(undefined, [1, 0], 2), "row 1, column 0: not computed yet");
});

test("a reading tells the standard error where it is known", () => {
  assert.equal(reading(ESTIMATED, [0, 1], 2), "row 0, column 1: +2.00 ± 0.50 bits");
  assert.equal(reading(ESTIMATED, [0, 0], 2), "row 0, column 0: 0 ± 0.020 bits");
  assert.equal(reading(ESTIMATED, [1, 1], 2), "row 1, column 1: −1.01 bits");
});

test("codes stand for shares of their scales, in whatever part of a message they lie", () => {
  const bytes = Uint8Array.of(9, 9, 127, 129, 254, 255);
  const frame = {
    scale: 3, map: new DataView(bytes.buffer, 2, 2),
    error: new DataView(bytes.buffer, 4, 2), error_scale: 0.25,
  };
  assert.deepEqual(estimate(frame, 0), [3, 0.25]);
  assert.deepEqual(estimate(frame, 1), [-3, null]);
});

test("what is within 2 standard errors of zero is uncertain, where the error is known", () => {
  const frame = {
    scale: 1, map: view(Int8Array.of(127, 127, -127, -127, 0)),
    error: view(Uint8Array.of(126, 128, 126, ERROR_UNKNOWN, 0)), error_scale: 1,
  };
  assert.deepEqual([0, 1, 2, 3, 4].map(uncertain(frame)), [false, true, false, false, true]);
  assert.equal(uncertain(FRAME)(0), false);
});

test("where no standard error is known, hiding says that it hides nothing", () => {
  const frame = { ...FRAME, remark: "run whole" };
  assert.equal(remarks(frame, false), "run whole");
  assert.match(remarks(frame, true), /^run whole\nNothing is hidden here: /);
  assert.match(remarks({ ...FRAME, remark: "" }, true), /^Nothing is hidden here: /);
  assert.equal(remarks({ ...ESTIMATED, remark: "" }, true), "");
  assert.equal(remarks(undefined, true), "");
});

test("hidden pixels are not painted", () => {
  const pixels = paint(Int8Array.of(100, 100), palette(STOPS), 0, 1, (i) => i === 0);
  assert.deepEqual([pixels[3], pixels[7]], [0, 255]);
});

test("on a larger scale the same value has a paler colour, and the threshold is a share of it", () => {
  const table = palette(STOPS);
  const half = paint(Int8Array.of(127, UNKNOWN), table, 0, 0.5);
  assert.deepEqual([...half], [...paint(Int8Array.of(64, UNKNOWN), table, 0)]);
  assert.equal(paint(Int8Array.of(127), table, 0.6, 0.5)[3], 0);
  assert.deepEqual([...paint(Int8Array.of(127), table, 0, 9)], [255, 0, 0, 255]);
});

test("an outline is white inside the object, black outside, and leaves the rest as it is", () => {
  const object = Uint8Array.of(0, 0, 0, 0, 255, 255, 0, 255, 255);
  const colors = (threshold, factor) => {
    const pixels = outlined(object, 3, threshold, factor);
    return [...Array(pixels.length / 4).keys()].map((i) => (pixels[4 * i + 3] ? (pixels[4 * i] ? "w" : "b") : "."));
  };
  assert.deepEqual(colors(0.5).join(""), ".bbbwwbw.");
  const large = colors(0.5, 2);
  assert.equal(large.length, 36);
  assert.deepEqual(large.slice(12, 18).join(""), ".bwwww");
  assert.deepEqual(large.slice(30, 36).join(""), ".bw...");
});

test("the threshold is a probability, and nothing is outlined where all pixels are on one side", () => {
  const painted = (threshold) => outlined(Uint8Array.of(100, 150), 2, threshold).some((value) => value > 0);
  assert.deepEqual([0.3, 0.5, 0.7].map(painted), [false, true, false]);
});

test("small maps are outlined with more pixels than they have", () => {
  assert.deepEqual([64, 224, 448, 1000].map(enlargement), [7, 2, 1, 1]);
});

test("why there is no object stands among the remarks", () => {
  assert.equal(remarks({ ...ESTIMATED, remark: "", no_object: "No object: flat." }, false), "No object: flat.");
});
