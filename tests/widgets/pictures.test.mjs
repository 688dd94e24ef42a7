// Pictures that arrive as PNG files.
import assert from "node:assert/strict";
import { test } from "node:test";

import { hrefOf, isCoarse, same, sizeOf } from "../../xwidgets/widgets/shared/pictures.mjs";

const bytes = (...values) => new DataView(Uint8Array.from(values).buffer);

test("a PNG's header tells its size", () => {
  const png = new DataView(new ArrayBuffer(33));
  png.setUint32(16, 640);
  png.setUint32(20, 480);
  assert.deepEqual(sizeOf(png), [480, 640]);
});

test("bytes are compared, not views", () => {
  assert.ok(same(bytes(1, 2), bytes(1, 2)));
  assert.ok(!same(bytes(1, 2), bytes(1, 3)));
  assert.ok(!same(bytes(1), bytes(1, 2)));
  assert.ok(same(bytes(), bytes()));
  assert.ok(same(bytes(2), new DataView(Uint8Array.of(1, 2).buffer, 1)));
});

test("an address holds all bytes of its view, of any number", () => {
  const all = Uint8Array.from({ length: 20_003 }, (_, at) => (7 * at) % 256);
  const href = hrefOf(new DataView(all.buffer, 3));
  assert.equal(href, `data:image/png;base64,${Buffer.from(all.subarray(3)).toString("base64")}`);
});

test("small pictures are coarse", () => {
  assert.deepEqual([159, 160, undefined].map(isCoarse), [true, false, false]);
});
