// The logic of the relevance overlay's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { UNKNOWN, cover, paint, palette, rampOf, shadesOf } from "../../xwidgets/widgets/overlay/colors.mjs";
import {
  ERROR_UNKNOWN, alternativeOf, endOf, estimate, findingWords, hatchWords, hatchedOf, hatchedShare, limitOf, nothingWords, reading, remarks, sharesOf,
  standing,
} from "../../xwidgets/widgets/overlay/frames.mjs";
import { hatchTile } from "../../xwidgets/widgets/overlay/hatching.mjs";
import { enlargement, outlined } from "../../xwidgets/widgets/overlay/outline.mjs";
import { scaleTexts, scaleWords } from "../../xwidgets/widgets/overlay/legend.mjs";
import { pixelAt } from "../../xwidgets/widgets/overlay/stage.mjs";
import { finenessOf, partValue, powerText, rangeText, rangesOf, stepped, textsOf } from "../../xwidgets/widgets/overlay/values.mjs";

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
    const painted = paint(Int8Array.of(code), shadesOf(table)).subarray(0, 3);
    assert.deepEqual(rampOf(table, { signed: false }).subarray(4 * code, 4 * code + 3), painted);
  }
});

const BITS = { unit: "bits", ends: ["against wren", "for wren"] };
const SHARE = { unit: "share", ends: ["less excitation", "more excitation of wren"], signed: false };

test("the ramp's ends and middle are told in the map's unit", () => {
  assert.deepEqual(scaleTexts(BITS, 2), ["−2.00", "0 bits", "+2.00"]);
  assert.deepEqual(scaleTexts(SHARE, 0.25), ["0", "share", "0.250"]);
});

test("the ramp is told in words, which speak against nothing where nothing can be negative", () => {
  const words = (frame) => scaleWords(frame, scaleTexts(frame, 2));
  assert.equal(words(BITS), "Scale from −2.00 against wren over zero to +2.00 bits for wren");
  assert.equal(words(SHARE), "Scale from zero to 2.00 share: more excitation of wren");
  assert.equal(scaleWords(undefined, ["", "0", ""]), "Scale, zero in the middle");
});

test("positive codes are painted in the last colour, negative in the first", () => {
  const pixels = paint(Int8Array.of(127, -127, 0), shadesOf(palette(STOPS)));
  assert.deepEqual([...pixels.subarray(0, 4)], [255, 0, 0, 255]);
  assert.deepEqual([...pixels.subarray(4, 8)], [0, 0, 255, 255]);
  assert.ok(pixels[11] > 0 && pixels[11] < 128, "zero is a veil");
});

test("unknown and hatched pixels are not painted", () => {
  const pixels = paint(Int8Array.of(UNKNOWN, 60, -70), shadesOf(palette(STOPS)), Uint8Array.of(0, 1, 0));
  assert.deepEqual([3, 7, 11].map((i) => pixels[i] > 0), [false, false, true]);
});

test("what cannot be negative is the darker the less, and transparent at zero", () => {
  const pixels = paint(Int8Array.of(0, 127), shadesOf(palette(["#000000", "#804020", "#ffffff"], false), 1, false));
  assert.deepEqual([...pixels], [0, 0, 0, 0, 255, 255, 255, 255]);
  assert.deepEqual([cover(0, false), cover(0.25, false), cover(0.5, false), cover(1, false)], [0, 0.5, 1, 1]);
  assert.deepEqual([...palette(["#000000", "#ffffff"], false).subarray(3 * 127, 3 * 128)], [0, 0, 0]);
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

test("what is within 2 standard errors of zero is hatched, where the error is known", () => {
  const frame = {
    scale: 1, map: view(Int8Array.of(127, 127, -127, -127, 0, UNKNOWN)),
    error: view(Uint8Array.of(126, 128, 126, ERROR_UNKNOWN, 0, 254)), error_scale: 1,
  };
  assert.deepEqual([...hatchedOf(frame, 0, true)], [0, 1, 0, 0, 1, 0]);
  assert.deepEqual([...hatchedOf(frame, 0, false)], [0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...hatchedOf(FRAME, 0, true)], [0, 0, 0, 0]);
  assert.equal(hatchedOf(undefined, 0, true).length, 0);
});

test("what is below the limit is hatched, but not what is unknown", () => {
  assert.deepEqual([...hatchedOf(FRAME, 1.5, true)], [1, 0, 0, 1]);
  assert.deepEqual([...hatchedOf(FRAME, 1, true)], [1, 0, 0, 0]);
  assert.deepEqual(sharesOf(FRAME, hatchedOf(FRAME, 1.5, true)), { known: 0.75, hatched: 2 / 3 });
  assert.deepEqual(sharesOf(undefined, new Uint8Array()), { known: 0, hatched: 0 });
});

const modelOf = (traits) => ({ get: (name) => ({ scale: null, scale_locked: true, effect: null, threshold: 0, ...traits })[name] });

test("locked, all maps have one scale; unlocked, each its own; a scale that is given wins", () => {
  const frame = { ...FRAME, end: 20 };
  assert.equal(endOf(modelOf({}), frame), 20);
  assert.equal(endOf(modelOf({ scale_locked: false }), frame), 2);
  assert.equal(endOf(modelOf({ scale: 7 }), frame), 7);
  assert.equal(endOf(modelOf({}), FRAME), 2);
});

test("what is too small is said by the effect or by a share of the scale, and the larger counts", () => {
  const frame = { ...FRAME, end: 20, effect: 0.05 };
  assert.equal(limitOf(modelOf({}), frame), 0.05);
  assert.equal(limitOf(modelOf({ effect: 0 }), frame), 0);
  assert.equal(limitOf(modelOf({ effect: 0.3, threshold: 0.1 }), frame), 2);
  assert.equal(limitOf(modelOf({ effect: 3, threshold: 0.1 }), frame), 3);
});

test("the legend says in numbers what hatching means", () => {
  assert.equal(hatchWords(ESTIMATED, 0.05, true), "hatched: within ±0.05 bits, or not told from zero (2 standard errors)");
  assert.equal(hatchWords(FRAME, 0.05, true), "hatched: within ±0.05 bits");
  assert.equal(hatchWords(ESTIMATED, 0, true), "hatched: not told from zero (2 standard errors)");
  assert.equal(hatchWords(ESTIMATED, 0, false), "");
  const early = { ...FRAME, error_scale: 0 };
  assert.equal(hatchWords(early, 0.05, true), "hatched: within ±0.05 bits; no standard errors yet");
  assert.equal(hatchWords(early, 0, true), "no standard errors yet");
  assert.equal(hatchWords(early, 0.05, false), "hatched: within ±0.05 bits");
  assert.equal(hatchWords({ ...SHARE, scale: 1 }, 0.5, true), "hatched: below 0.5 share");
  assert.equal(hatchWords(undefined, 0, true), "");
});

test("shares are told as multiples of an even spread", () => {
  const frame = { ...SHARE, ...{ scale: 0.5, map: FRAME.map, factor: 4, told: "× an even spread" } };
  assert.equal(reading(frame, [0, 1], 2), "row 0, column 1: 2.00 × an even spread");
  assert.deepEqual(scaleTexts(frame, 0.5), ["0", "× an even spread", "2.00"]);
});

test("of a map of nothing it is said what is known", () => {
  const words = (frame, limit) => nothingWords(frame, hatchedOf(frame, limit, true), limit);
  const small = { scale: 0.04, unit: "bits", map: view(Int8Array.of(0, 127, -64)) };
  assert.equal(words(small, 0.05), "Nothing here changes the score by more than 0.05 bits.");
  assert.equal(words({ ...small, about: "windows" }, 0.05),
    "On average over the windows, nothing here changes the score by more than 0.05 bits.");
  assert.equal(words({ ...small, about: "remaining" }, 0.05), "");
  assert.equal(words(small, 0.03), "", "there is something");
  assert.equal(words({ ...small, map: view(Int8Array.of(0, UNKNOWN)) }, 0.05), "", "not all is known");
  const noisy = { ...small, error: view(Uint8Array.of(254, 254, 254)), error_scale: 0.1 };
  assert.equal(words(noisy, 0.05), "Nothing here changes the score by more than 0.05 bits as far as is known; the values are not larger than their noise.");
  assert.equal(words({ ...noisy, scale: 0.1 }, 0.05), "Nothing here is told from zero: the values are not larger than their noise.");
  assert.equal(words({ ...small, map: view(Int8Array.of(0, 0)) }, 0), "Nothing here changes the score at all.");
  assert.equal(words({ ...small, about: "maps" }, 0.05), "The two maps do not differ by more than 0.05 bits.");
  assert.equal(nothingWords(undefined, new Uint8Array(), 0), "");
});

test("a map is told in words: its title, what it shows, how much of it is hatched", () => {
  const frame = { ...FRAME, title: "occlusion for 'wren'", sentence: "Most is in the centre." };
  const none = hatchedOf(frame, 0, true);
  assert.equal(alternativeOf(frame, none, 0), "Signed relevance: occlusion for 'wren'. Most is in the centre.");
  assert.equal(findingWords(frame, hatchedOf(frame, 1.5, true)), "Most is in the centre. 67 % of that is hatched.");
  assert.equal(alternativeOf({ ...frame, signed: false }, none, 0),
    "Relevance: occlusion for 'wren'. Most is in the centre.");
  const zero = { ...frame, map: view(Int8Array.of(0, 0)) };
  assert.equal(alternativeOf(zero, hatchedOf(zero, 0, true), 0),
    "Signed relevance: occlusion for 'wren'. Nothing here changes the score at all.");
  assert.equal(alternativeOf(undefined, new Uint8Array(), 0), "Relevance: nothing computed yet.");
});

test("rows and columns are split into at most eight ranges that are nearly equal", () => {
  assert.deepEqual(rangesOf([0, 63]).slice(0, 2), [[0, 7], [8, 15]]);
  assert.deepEqual(rangesOf([5, 7]), [[5, 5], [6, 6], [7, 7]]);
  for (let length = 1; length < 40; length++) {
    const ranges = rangesOf([3, 2 + length]);
    const lengths = ranges.map(([first, last]) => last - first + 1);
    assert.deepEqual(ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at)),
      Array.from({ length }, (_, at) => 3 + at), "each pixel is in one");
    assert.ok(ranges.length === Math.min(8, length) && Math.max(...lengths) - Math.min(...lengths) <= 1);
  }
  assert.deepEqual([rangeText([8, 15]), rangeText([6, 6])], ["8–15", "6"]);
});

test("a part's value is the mean of what is known of it", () => {
  const frame = { unit: "bits", scale: 1.27, map: view(Int8Array.of(10, 20, UNKNOWN, 40, -50, UNKNOWN)) };
  const hatched = Uint8Array.of(1, 0, 0, 1, 1, 0);
  const value = (rows, columns) => partValue(frame, hatched, 3, rows, columns);
  assert.ok(Math.abs(value([0, 1], [0, 1]).mean - 0.05) < 1e-12);
  assert.equal(value([0, 1], [0, 1]).hatched, false);
  assert.ok(Math.abs(value([1, 1], [0, 2]).mean + 0.05) < 1e-12);
  assert.equal(value([1, 1], [0, 2]).hatched, true);
  assert.deepEqual(value([0, 1], [2, 2]), { mean: null, hatched: false });
});

test("values of a table are told by the largest, which has two digits", () => {
  assert.deepEqual(finenessOf([0.55, -0.2], 1e-3), { power: 0, step: 0.01 });
  assert.deepEqual(finenessOf([-120, 3], 1), { power: 0, step: 10 });
  assert.deepEqual(finenessOf([0, 3.2e-4], 1e-6), { power: -4, step: 0.1 });
  assert.deepEqual(finenessOf([25000], 1), { power: 4, step: 0.1 });
  assert.deepEqual([0.554, -0.006, 0.004, -0.004].map((value) => stepped(value, 0.01)), ["+0.55", "−0.01", "≈ 0", "≈ 0"]);
  assert.deepEqual([-4, 12, 0].map(powerText), ["10⁻⁴ ", "10¹² ", ""]);
});

test("values of a table are told no finer than they are known", () => {
  assert.deepEqual(finenessOf([0.08, -0.02], 0.009), { power: -2, step: 1 });
  assert.deepEqual(finenessOf([0.55], 1 / 90), { power: 0, step: 0.02 });
  assert.deepEqual(finenessOf([0.55], 0.028), { power: 0, step: 0.05 });
  assert.deepEqual(finenessOf([300], 60), { power: 0, step: 100 });
  assert.deepEqual(finenessOf([0, 0.003], 0.009), { power: 0, step: 0.01 });
});

test("beside an outlier, values that are smaller than a step of the map are not told as none", () => {
  const truth = [1, ...Array.from({ length: 15 }, (_, at) => 0.0037 * (at - 5))];
  const codes = Int8Array.from(truth, (value) => Math.round(value * 127));
  const frame = { ...BITS, scale: 1, map: view(codes) };
  const values = (/** @type {number[]} */ rows) =>
    rows.map((row) => [0, 1, 2, 3].map((column) => partValue(frame, new Uint8Array(16), 4, [row, row], [column, column])));
  const { texts, caption } = textsOf(frame, values([1, 2, 3]), true);
  assert.equal(caption, "Values in 10⁻² bits, by rows and columns of pixels, in steps of 1.");
  assert.deepEqual(texts.flat().slice(0, 5), ["−1", "≈ 0", "≈ 0", "≈ 0", "+1"]);
  for (const [at, text] of texts.flat().entries()) {
    const told = Number(text.replace("−", "-").replace("≈ ", "")) / 100;
    assert.ok(Math.abs(told - truth[4 + at]) <= 0.01, text);
  }
  const flat = { ...frame, map: view(Int8Array.of(127, 0, 0, 0)) }; // 1 and thrice 0.0037
  const part = partValue(flat, new Uint8Array(4), 4, [0, 0], [1, 3]);
  assert.deepEqual(textsOf(flat, [[part]], false), {
    texts: [["≈ 0"]],
    caption: "Means over parts of the picture in bits, by rows and columns of pixels, in steps of 0.01.",
  });
});

test("a table tells its unit, and in brackets what is hatched", () => {
  const at = (mean, hatched = false) => ({ mean, hatched });
  assert.deepEqual(textsOf({ ...BITS, scale: 0.6 }, [[at(0.51), at(-0.2)], [at(0.011, true), at(null)]], false), {
    texts: [["+0.51", "−0.2"], ["(+0.01)", "–"]],
    caption: "Means over parts of the picture in bits, by rows and columns of pixels, in steps of 0.01. "
      + "In brackets: all of it is hatched.",
  });
  const shares = { ...SHARE, scale: 1, factor: 4, told: "× an even spread" };
  assert.deepEqual(textsOf(shares, [[at(0.5), at(0, true)]], true), {
    texts: [["2", "(≈ 0)"]],
    caption: "Values in × an even spread, by rows and columns of pixels, in steps of 0.1. In brackets: hatched.",
  });
  assert.deepEqual(textsOf({ ...SHARE, unit: "logits", scale: 0.001 }, [[at(0.00032), at(0.00001), at(0.000001)]], false), {
    texts: [["3.2", "0.1", "≈ 0"]],
    caption: "Means over parts of the picture in 10⁻⁴ logits, by rows and columns of pixels, in steps of 0.1.",
  });
});

test("the hatched share is told in whole per cent", () => {
  assert.equal(hatchedShare({ known: 1, hatched: 0.379 }), "38 % of the picture is hatched.");
  assert.equal(hatchedShare({ known: 0.5, hatched: 0.001 }), "Less than 1 % of that is hatched.");
  assert.equal(hatchedShare({ known: 1, hatched: 0.999 }), "More than 99 % of the picture is hatched.");
  assert.equal(hatchedShare({ known: 1, hatched: 0 }), "");
});

test("hatching is a dark and a light line in every square that repeats", () => {
  const pixels = hatchTile(7, 1);
  for (let row = 0; row < 7; row++) {
    const inks = [...Array(7).keys()].map((column) => pixels.subarray(4 * (7 * row + column), 4 * (7 * row + column) + 4));
    assert.equal(inks.filter((ink) => ink[3] && ink[0] === 0).length, 1);
    assert.equal(inks.filter((ink) => ink[3] && ink[0] === 255).length, 1);
  }
  assert.equal(hatchTile(14, 2).filter((value, at) => at % 4 === 3 && value).length, 14 * 4);
});

test("remarks stand in lines", () => {
  assert.equal(remarks({ ...FRAME, remark: "run whole", no_object: "No object: flat." }), "run whole\nNo object: flat.");
  assert.equal(remarks(undefined), "");
});

test("on a larger scale the same value has a paler colour", () => {
  const table = palette(STOPS);
  const half = paint(Int8Array.of(127, UNKNOWN), shadesOf(table, 0.5));
  assert.deepEqual([...half], [...paint(Int8Array.of(64, UNKNOWN), shadesOf(table))]);
  assert.deepEqual([...paint(Int8Array.of(127), shadesOf(table, 9))], [255, 0, 0, 255]);
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
