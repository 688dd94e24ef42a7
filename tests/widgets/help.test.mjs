// Help on terms: which label needs which, and where it stands.
import assert from "node:assert/strict";
import { test } from "node:test";

import { placeOfHelp, termOf } from "../../xwidgets/widgets/shared/help.mjs";
import { TERMS } from "../../xwidgets/widgets/shared/terms.mjs";

test("labels have the term that they are, or need, in whatever case", () => {
  assert.deepEqual(["Window", " bits", "activation_precision", "× an even spread", "Clear", ""].map(termOf),
    ["window", "bits", "precision", "share", "", ""]);
});

test("no two terms claim one label", () => {
  const claimed = [...TERMS].flatMap(([name, { labels }]) => [name.toLowerCase(), ...labels]);
  assert.deepEqual(claimed.filter((label, at) => claimed.indexOf(label) !== at), []);
});

test("help stands below its button, or above where there is no room, within the page", () => {
  const place = (left, bottom, width, across) =>
    placeOfHelp({ left, bottom, top: bottom - 18 }, { width, height: 120 }, { width: across, height: 600 });
  assert.deepEqual(place(100, 50, 340, 900), { left: 100, top: 54 });
  assert.deepEqual(place(300, 50, 340, 390), { left: 42, top: 54 });
  assert.deepEqual(place(2, 50, 374, 390), { left: 8, top: 54 });
  assert.deepEqual(place(100, 560, 340, 900), { left: 100, top: 418 });
});
