// The logic of the window slider's ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { sizeText } from "../../xwidgets/widgets/window_slider.mjs";

test("the size is told in pixels", () => {
  assert.equal(sizeText(10), "10 × 10 pixels");
});
