// Where keys move.
import assert from "node:assert/strict";
import { test } from "node:test";

import { isCommand, movedInGrid, movedInList, movedInTiles } from "../../xwidgets/widgets/shared/keyboard.mjs";

test("in rows and columns keys move to a neighbour and stop at the borders", () => {
  const size = [2, 3];
  assert.deepEqual(movedInGrid([0, 1], "ArrowDown", size), [1, 1]);
  assert.deepEqual(movedInGrid([1, 1], "ArrowDown", size), [1, 1]);
  assert.deepEqual(movedInGrid([0, 0], "ArrowUp", size), [0, 0]);
  assert.deepEqual(movedInGrid([0, 0], "ArrowLeft", size), [0, 0]);
  assert.deepEqual(movedInGrid([0, 2], "ArrowRight", size), [0, 2]);
  assert.deepEqual(["Home", "End"].map((key) => movedInGrid([1, 1], key, size)), [[1, 0], [1, 2]]);
  assert.deepEqual(["Enter", "b", "constructor"].map((key) => movedInGrid([0, 0], key, size)), [null, null, null]);
});

test("far moves stop at the borders too", () => {
  assert.deepEqual(movedInGrid([3, 3], "ArrowUp", [8, 8], 2), [1, 3]);
  assert.deepEqual(movedInGrid([3, 3], "ArrowDown", [8, 8], 10), [7, 3]);
  assert.deepEqual(movedInGrid([3, 3], "ArrowLeft", [8, 8], 10), [3, 0]);
  assert.deepEqual(movedInGrid([3, 3], "End", [8, 8], 10), [3, 7]);
});

test("in a list keys move by a row, a page, or to the ends, and stay inside", () => {
  const keys = ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"];
  assert.deepEqual(keys.map((key) => movedInList(5, key, 20, 10)), [4, 6, 0, 15, 0, 19]);
  assert.equal(movedInList(-1, "ArrowDown", 20, 10), 0);
  assert.equal(movedInList(19, "ArrowDown", 20, 10), 19);
  assert.equal(movedInList(0, "ArrowDown", 0, 10), null);
  assert.equal(movedInList(5, "x", 20, 10), null);
});

test("between tiles keys move where there is one", () => {
  const go = (at, key) => movedInTiles(at, key, 7, 3);
  assert.deepEqual(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].map((key) => go(4, key)),
    [3, 5, 1, null, 0, 6]);
  assert.deepEqual([go(0, "ArrowLeft"), go(6, "ArrowRight"), go(2, "ArrowUp"), go(3, "ArrowDown"), go(3, "x")],
    [null, null, null, 6, null]);
});

test("keys with Ctrl, Alt or Meta are the browser's", () => {
  const none = { ctrlKey: false, metaKey: false, altKey: false };
  assert.equal(isCommand(none), false);
  for (const held of Object.keys(none)) assert.equal(isCommand({ ...none, [held]: true }), true);
});
