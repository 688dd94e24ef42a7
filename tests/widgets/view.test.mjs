// What all views do on a page, in a page that only remembers.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { mount, put } from "../../xwidgets/widgets/shared/view.mjs";

class Element {
  dataset = {};
  classes = new Set();
  classList = { toggle: (name, on) => { this.classes[on ? "add" : "delete"](name); } };
  querySelectorAll() { return []; }
  append(...children) { this.children = children; }
}

let pages; // what hears of the page's events
beforeEach(() => {
  pages = new Map();
  globalThis.HTMLElement = Element;
  globalThis.document = { createElement: () => new Element() };
  globalThis.window = {
    addEventListener: (name, callback) => pages.set(name, callback),
    removeEventListener: (name, callback) => pages.get(name) === callback && pages.delete(name),
  };
});

function fake(state) {
  const listeners = [];
  const sent = [];
  return {
    sent, listeners, saved: 0,
    get: (name) => state[name],
    set(name, value) {
      state[name] = value;
      for (const [event, callback] of listeners) if (event === `change:${name}`) callback();
    },
    save_changes() { this.saved += 1; },
    on: (event, callback) => listeners.push([event, callback]),
    off: (event, callback) => listeners.splice(listeners.findIndex(([name, heard]) =>
      name === event && heard === callback), 1),
    send: (message) => sent.push(message.type),
  };
}

test("parts are drawn at first, and anew when what they show changes", () => {
  const model = fake({ a: 1, b: 2, c: 3 });
  const drawn = [];
  mount({ model, el: new Element() }, new Element(), [
    [["a", "b"], () => drawn.push(`${model.get("a")} ${model.get("b")}`)],
    [["c"], () => drawn.push(model.get("c"))],
  ]);
  assert.deepEqual(drawn, ["1 2", 3]);
  put(model, { b: 5, c: 6 });
  assert.deepEqual(drawn.slice(2), ["1 5", 6]);
  assert.equal(model.saved, 1);
});

test("the place of a view without a kernel from the start is marked, and nothing is said", async () => {
  for (const live of [true, false]) {
    const [model, el] = [fake({ _on_line: ["mine"] }), new Element()];
    model.widget_manager = { get_model: async () => ({ comm_live: live }) };
    mount({ model, el }, new Element(), []);
    await new Promise(setImmediate);
    assert.deepEqual([...el.classes], live ? [] : ["xw-still"]);
    assert.equal(el.children[0].textContent ?? "", "");
  }
});

test("a view whose kernel is gone says so, until there is one again", async () => {
  const [model, el] = [fake({ _on_line: ["mine"] }), new Element()];
  mount({ model, el }, new Element(), []);
  const [, draw] = model.listeners.find(([event]) => event === "comm_live_update");
  await draw(); // on a page without a kernel there is none that could be gone
  assert.equal(el.children[0].textContent, "");
  const known = new Map([["mine", { comm_live: true }]]);
  model.widget_manager = { get_model: async (id) => known.get(id) ?? Promise.reject(new Error("unknown")) };
  for (const [live, said] of [[true, /^$/], [false, /^The kernel is gone\./], [true, /^$/]]) {
    known.get("mine").comm_live = live;
    await draw();
    assert.match(el.children[0].textContent, said);
  }
  known.clear();
  await draw();
  assert.match(el.children[0].textContent, /^The kernel is gone\./);
});

test("each event is subscribed by its own name", () => {
  const model = fake({});
  mount({ model, el: new Element() }, new Element(), [[["a", "b"], () => {}], [["c"], () => {}]]);
  assert.deepEqual(model.listeners.map(([event]) => event), ["change:a", "change:b", "change:c", "comm_live_update", "msg:custom"]);
});

test("a view that leaves hears nothing more and says so", async () => {
  const model = fake({});
  let left = 0;
  const leave = mount({ model, el: new Element() }, new Element(), [[["a"], () => {}]], () => { left += 1; });
  await new Promise(setImmediate);
  assert.deepEqual(model.sent, ["shown"]);
  assert.ok(pages.has("pagehide"));
  leave();
  await new Promise(setImmediate);
  assert.deepEqual(model.sent, ["shown", "hidden"]);
  assert.deepEqual(model.listeners, []);
  assert.deepEqual([left, pages.size], [1, 0]);
});

test("a page that is left says so", async () => {
  const model = fake({});
  mount({ model, el: new Element() }, new Element(), []);
  pages.get("pagehide")();
  await new Promise(setImmediate);
  assert.deepEqual(model.sent, ["shown", "hidden"]);
});
