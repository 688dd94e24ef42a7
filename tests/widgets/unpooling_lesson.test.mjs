// The logic of the unpooling lesson's ES module; test_lesson_numbers.py compares its numbers.
import assert from "node:assert/strict";
import { test } from "node:test";

import { inside, pool, unpool } from "../../xwidgets/widgets/lesson/pooling.mjs";
import { drawn, pooledAgain, switchOf } from "../../xwidgets/widgets/unpooling_lesson.mjs";

test("a switch is told with its window", () => {
  const signal = [[3, 1, 2, 7]];
  assert.equal(switchOf(signal, pool(signal, [1, 2], 2), 0, 1), "7 is the largest of 2, 7; its switch is place 4, and there it is put back.");
  const map = [[1, 3], [4, 2]];
  assert.match(switchOf(map, pool(map, [2, 2], 2), 0, 0), /switch is row 2, column 1/);
});

test("pooling again is compared with the outputs", () => {
  assert.match(pooledAgain([[3, 7]], [[3, 7]], false), /same outputs/);
  assert.match(pooledAgain([[3, -2]], [[3, 0]], false), /gives 0 in place of −2: an output is below 0/);
  const rows = [[1, 5, 2]];
  const pooled = pool(rows, [1, 2], 1);
  assert.deepEqual(unpool(pooled, [1, 3]), [[0, 10, 0]], "both windows put 5 back to one place");
  assert.match(pooledAgain(pooled.values, [[10, 10]], true), /windows overlap/);
});

test("a place is in a window or not", () => {
  const window = { row: 2, column: 0, height: 2, width: 2 };
  assert.deepEqual([[2, 0], [3, 1], [1, 0], [2, 2]].map(([y, x]) => inside(window, y, x)), [true, true, false, false]);
});

test("numbers are drawn within their limits", () => {
  assert.ok(drawn(200, false).every((value) => value >= 0 && value <= 9));
  assert.ok(drawn(200, true).some((value) => value < 0));
});
