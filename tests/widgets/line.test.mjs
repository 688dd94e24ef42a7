// The line to the kernel, in a page that only remembers what widgets and lines send.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { takeLine } from "../../xwidgets/widgets/shared/line.mjs";
import { put } from "../../xwidgets/widgets/shared/view.mjs";

let sent; // where each message went, and what it was
beforeEach(() => { sent = []; });

/** A comm that notes what is sent, and what is done with its line. */
function comm(name, more = {}) {
  return { send: (...message) => { sent.push([name, ...message]); return `${name} ${sent.length}`; }, ...more };
}

/** A kernel's manager with these widgets, whose lines open when `started` says so. */
function managerOf(ids, { kernel = {}, started = () => Promise.resolve() } = {}) {
  const models = new Map(ids.map((id) => [id, { comm: comm(id) }]));
  const manager = {
    kernel: { supportsSubshells: true, info: Promise.resolve({}), ...kernel },
    lines: [],
    get_model: async (id) => {
      if (!models.has(id)) throw new Error("widget model not found");
      return models.get(id);
    },
    _create_comm: async (target) => {
      const line = comm("line", {
        open: () => sent.push(["opened", target]), jsServicesComm: { isDisposed: false, subshellStarted: started() },
      });
      manager.lines.push(line);
      return line;
    },
  };
  return { manager, models };
}

/** A model as anywidget gives it to a view: what it sends goes over its comm. */
function modelOf({ manager, models }, id, ids = [id]) {
  const state = { _on_line: ids };
  let changed = {};
  const send = (data, ...rest) => models.get(id).comm.send(data, ...rest);
  return {
    widget_manager: manager,
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; changed[name] = value; },
    save_changes: () => { send({ method: "update", state: changed }, "callbacks"); changed = {}; },
    send: (content) => send({ method: "custom", content }),
  };
}

test("traits and commands go over the line in their order, and the view keeps its values", async () => {
  const page = managerOf(["a"]);
  const model = modelOf(page, "a");
  await takeLine(model);
  put(model, { window: 3 });
  model.send({ type: "stop" });
  assert.deepEqual(sent, [
    ["opened", "xwidgets.line"],
    ["line", { to: "a", data: { method: "update", state: { window: 3 } } }, "callbacks"],
    ["line", { to: "a", data: { method: "custom", content: { type: "stop" } } }],
  ]);
  assert.equal(model.get("window"), 3);
});

test("the name of a message comes back, by which widgets know their echo", async () => {
  const page = managerOf(["a"]);
  await takeLine(modelOf(page, "a"));
  assert.equal(page.models.get("a").comm.send({}), "line 2");
});

test("a view brings along what stands beside it, and misses nothing that is gone", async () => {
  const page = managerOf(["a", "b", "c"]);
  await takeLine(modelOf(page, "a", ["a", "gone", "b"]));
  for (const model of page.models.values()) model.comm.send({});
  assert.deepEqual(sent.map(([way]) => way), ["opened", "line", "line", "c"]);
});

test("views of one kernel share a line, drawn once or twice; another kernel has its own", async () => {
  const [page, other] = [managerOf(["a", "b"]), managerOf(["c"])];
  await Promise.all([takeLine(modelOf(page, "a")), takeLine(modelOf(page, "b")), takeLine(modelOf(other, "c"))]);
  await takeLine(modelOf(page, "a"));
  page.models.get("a").comm.send({});
  assert.deepEqual([page.manager.lines.length, other.manager.lines.length], [1, 1]);
  assert.deepEqual(sent.at(-1), ["line", { to: "a", data: {} }]);
});

test("a line that a restart of the kernel has ended is opened anew", async () => {
  const page = managerOf(["a"]);
  await takeLine(modelOf(page, "a"));
  page.manager.lines[0].jsServicesComm.isDisposed = true;
  await takeLine(modelOf(page, "a"));
  assert.equal(page.manager.lines.length, 2);
});

test("a line that opens late is taken late", async () => {
  let start;
  const page = managerOf(["a"], { started: () => new Promise((resolve) => { start = resolve; }) });
  const model = modelOf(page, "a");
  await takeLine(model);
  model.send({ type: "shown" });
  start();
  await new Promise(setImmediate);
  model.send({ type: "stop" });
  assert.deepEqual(sent.map(([way]) => way), ["a", "opened", "line"]);
});

test("a line is opened when its thread runs, and not before", async () => {
  let start;
  const page = managerOf(["a"], { started: () => new Promise((resolve) => { start = resolve; }) });
  const taken = takeLine(modelOf(page, "a"));
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(sent, []);
  start();
  await taken;
  assert.deepEqual(sent, [["opened", "xwidgets.line"]]);
});

test("a line that cannot be opened is tried once, for whatever number of views", async () => {
  console.debug = () => {};
  const page = managerOf(["a", "b", "c"], { started: () => Promise.reject(new Error("no thread")) });
  await Promise.all([takeLine(modelOf(page, "a")), takeLine(modelOf(page, "b"))]);
  await takeLine(modelOf(page, "c"));
  console.debug = quiet.debug;
  assert.equal(page.manager.lines.length, 1);
  for (const model of page.models.values()) model.comm.send({});
  assert.deepEqual(sent.map(([way]) => way), ["a", "b", "c"]);
});

const quiet = { debug: console.debug };
for (const [why, page] of Object.entries({
  "no manager": { ...managerOf(["a"]), manager: undefined },
  "no kernel": { ...managerOf(["a"]), manager: {} },
  "one thread": managerOf(["a"], { kernel: { supportsSubshells: false } }),
  "threads not wanted": managerOf(["a"], { kernel: { commsOverSubshells: "disabled" } }),
  "no word of threads": managerOf(["a"], { started: () => undefined }),
  "no thread": managerOf(["a"], { started: () => Promise.reject(new Error("no thread")) }),
  "a thread that never starts": managerOf(["a"], { started: () => new Promise(() => {}) }),
})) {
  test(`where there can be no line, widgets send as ever: ${why}`, async () => {
    console.debug = () => {};
    const model = modelOf(page, "a");
    await takeLine(model);
    console.debug = quiet.debug;
    model.send({ type: "stop" });
    assert.deepEqual(sent.map(([way]) => way), ["a"]);
  });
}
