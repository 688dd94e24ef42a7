// What pointers and the wheel do on an element.
import assert from "node:assert/strict";
import { test } from "node:test";

import { listenToGestures } from "../../xwidgets/widgets/shared/gestures.mjs";

/** An element at (100, 50) that says what it heard, and a function that sends it an event. */
function heard() {
  const element = Object.assign(new EventTarget(), {
    getBoundingClientRect: () => ({ left: 100, top: 50 }),
    setPointerCapture: () => {},
  });
  const told = [];
  const tell = (name) => (...places) => told.push([name, ...places.filter((place) => !(place instanceof Event))]);
  const names = ["drag", "pinch", "turn", "click", "drop", "hover"];
  listenToGestures(element, Object.fromEntries(names.map((name) => [name, tell(name)])));
  const send = (type, down, right, more = {}) => {
    const event = Object.assign(new Event(type, { cancelable: true }), {
      clientX: 100 + right, clientY: 50 + down, pointerId: 1, button: 0, ctrlKey: false, metaKey: false, ...more,
    });
    element.dispatchEvent(event);
    return event;
  };
  return { told, send };
}

test("a pointer that hardly moves clicks", () => {
  const { told, send } = heard();
  send("pointerdown", 10, 20);
  send("pointermove", 12, 21);
  send("pointerup", 12, 21);
  send("lostpointercapture", 12, 21);
  assert.deepEqual(told, [["click", [12, 21]]]);
});

test("one that moves drags from place to place, and is dropped", () => {
  const { told, send } = heard();
  send("pointermove", 1, 2);
  send("pointerdown", 10, 20);
  send("pointermove", 20, 20);
  send("pointermove", 21, 20);
  send("pointerup", 21, 20);
  send("pointermove", 30, 20);
  assert.deepEqual(told, [
    ["hover", [1, 2]], ["drag", [10, 20], [20, 20]], ["drag", [20, 20], [21, 20]], ["drop"], ["hover", [30, 20]],
  ]);
});

test("two pinch, and what is left of them drags until the last is dropped", () => {
  const { told, send } = heard();
  send("pointerdown", 0, 0);
  send("pointerdown", 0, 40, { pointerId: 2 });
  send("pointermove", 0, 41, { pointerId: 2 });
  send("pointerup", 0, 41, { pointerId: 2 });
  send("pointermove", 1, 0);
  send("pointerup", 1, 0);
  assert.deepEqual(told, [
    ["pinch", [[0, 40], [0, 0]], [[0, 41], [0, 0]]], ["drag", [0, 0], [1, 0]], ["drop"],
  ]);
});

test("a pointer that is taken away neither clicks nor stays", () => {
  const { told, send } = heard();
  send("pointerdown", 0, 0);
  send("pointercancel", 0, 0);
  send("pointerdown", 5, 5, { button: 2 });
  send("pointermove", 50, 50);
  assert.deepEqual(told, [["hover", [50, 50]]]);
});

test("a wheel turns with Ctrl or ⌘ alone, and scrolls the page otherwise", () => {
  const { told, send } = heard();
  assert.ok(!send("wheel", 3, 4, { deltaY: 10, deltaMode: 0 }).defaultPrevented);
  assert.ok(send("wheel", 3, 4, { deltaY: 10, deltaMode: 0, ctrlKey: true }).defaultPrevented);
  send("wheel", 3, 4, { deltaY: -1, deltaMode: 1, metaKey: true });
  assert.deepEqual(told, [["turn", 10, [3, 4]], ["turn", -16, [3, 4]]]);
});
