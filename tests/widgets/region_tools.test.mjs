// The logic of the region tools' ES module.
import assert from "node:assert/strict";
import { test } from "node:test";

import { count, fault } from "../../xwidgets/widgets/region_tools.mjs";

const shape = [20, 30];
const rectangle = (changes) => ({ top: 2, left: 3, height: 4, width: 5, ...changes });

test("pixels are counted in words", () => {
  assert.deepEqual([0, 1, 812].map(count), ["no pixels", "1 pixel", "812 pixels"]);
});

test("a rectangle in the picture has no fault", () => {
  assert.equal(fault(rectangle(), shape), "");
  assert.equal(fault({ top: 0, left: 0, height: 20, width: 30 }, shape), "");
});

test("a rectangle that cannot be is refused in a sentence", () => {
  assert.match(fault(rectangle({ top: NaN }), shape), /four whole numbers/);
  assert.match(fault(rectangle({ width: 1.5 }), shape), /four whole numbers/);
  assert.match(fault(rectangle({ height: 0 }), shape), /at least 1/);
  for (const changes of [{ top: -1 }, { left: -1 }, { height: 19 }, { width: 28 }]) {
    assert.match(fault(rectangle(changes), shape), /out of the picture of 20 × 30 pixels/);
  }
});
