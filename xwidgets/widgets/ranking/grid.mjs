// @ts-check
// The table itself: its rows, and how pointer and keys select them.

import { make } from "../shared/dom.mjs";
import { movedInList, take } from "../shared/keyboard.mjs";
import { idOf } from "../shared/neurons.mjs";
import { put } from "../shared/view.mjs";
import { makeHead } from "./head.mjs";
import { selection } from "./order.mjs";
import { ROW, makeRows, scrolledTo } from "./rows.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("./state.mjs").Table} Table
 * @typedef {{ extend?: boolean, toggle?: boolean }} How
 * @typedef {{ to: number, how?: How } | "all" | "none"} Action where to go, or what is selected
 * @typedef {{ from: number, count: number, page: number, selects: boolean }} State
 */

const HINT = "Click a neuron to select it, with Ctrl or Shift to select more. "
  + "Keys: arrows, Shift with arrows, Space, Ctrl+A, Escape.";

/**
 * What a key does in the table.
 *
 * @param {KeyboardEvent} event
 * @param {State} state
 * @returns {Action | null}
 */
export function actionOf(event, { from, count, page, selects }) {
  const { key, shiftKey: extend } = event;
  const control = event.ctrlKey || event.metaKey;
  const to = movedInList(from, key, count, page);
  if (to !== null) return control && !extend ? { to } : { to, how: { extend, toggle: control } };
  if (key === " " && from >= 0) return { to: from, how: { toggle: true } };
  if (key === "a" && control) return "all";
  return key === "Escape" && selects ? "none" : null;
}

/**
 * What a click does in the table; null beside its rows.
 *
 * @param {MouseEvent} event
 * @returns {{ to: number, how: How } | null}
 */
function chosenBy(event) {
  const target = /** @type {Element} */ (event.target);
  /** @type {HTMLElement | null} */
  const row = target.closest(".xw-row");
  const toggle = event.ctrlKey || event.metaKey || target.closest(".xw-mark") !== null;
  return row && { to: Number(row.dataset.at), how: { extend: event.shiftKey, toggle } };
}

/**
 * Does what keys and clicks in the table mean.
 *
 * @param {HTMLElement} element
 * @param {HTMLElement} rows
 * @param {() => State} state
 * @param {(action: Action) => void} act
 */
function listen(element, rows, state, act) {
  element.addEventListener("keydown", (event) => {
    const action = event.target !== element || event.altKey ? null : actionOf(event, state());
    if (action === null) return;
    take(event);
    act(action);
  });
  rows.addEventListener("click", (event) => {
    const action = chosenBy(event);
    if (action) act(action);
  });
}

/** The grid without rows, and what is said below it. */
function makeFrame() {
  const id = Math.random().toString(36).slice(2);
  const hint = make("div", { id: `${id}-hint`, className: "xw-quiet", textContent: HINT });
  const element = make("div", { className: "xw-grid", role: "grid", tabIndex: 0, ariaMultiSelectable: "true" });
  element.setAttribute("aria-describedby", hint.id);
  return { id, element, count: make("div", { role: "status" }), hint };
}

/**
 * How many neurons are listed and selected, in words.
 *
 * @param {Table} table
 * @param {Set<string>} selected
 */
function countsOf({ listed, places }, selected) {
  const unlisted = [...selected].filter((name) => !places.has(name)).length;
  return `${listed.length} neurons listed, ${selected.size} selected`
    + (unlisted ? `, ${unlisted} of them not listed` : "");
}

/**
 * Draws the rows in sight anew as they change, and all of them on paper, which does not scroll.
 *
 * @param {HTMLElement} element
 * @param {() => void} drawInSight
 * @param {() => void} drawAll
 * @returns {() => void} what ends it
 */
function followBox(element, drawInSight, drawAll) {
  const sizes = new ResizeObserver(drawInSight);
  sizes.observe(element);
  element.addEventListener("scroll", drawInSight);
  window.addEventListener("beforeprint", drawAll);
  window.addEventListener("afterprint", drawInSight);
  return () => {
    sizes.disconnect();
    window.removeEventListener("beforeprint", drawAll);
    window.removeEventListener("afterprint", drawInSight);
  };
}

/**
 * The neurons in rows.
 *
 * @param {Model} model
 * @param {() => Table} table
 */
export function makeGrid(model, table) {
  const { id, element, count, hint } = makeFrame();
  let active = ""; // the id of the row that keys start from
  let anchor = ""; // and of the one that Shift extends from
  /** @type {Set<string>} */
  let selected = new Set(); // ids

  const head = makeHead(model);
  const rows = makeRows(model, (row, at) => {
    const name = idOf(table().pairs[at]);
    Object.assign(row, { id: `${id}-${at}`, ariaRowIndex: at + 1 + head.element.childElementCount });
    row.ariaSelected = String(selected.has(name));
    row.classList.toggle("xw-active", name === active);
  });
  element.append(head.element, rows.element);

  const height = () => element.clientHeight - head.element.offsetHeight; // in which rows are seen
  const drawRows = () => rows.draw(table(), element.scrollTop, height());

  /** Shows another table. */
  const show = () => {
    const { listed, order } = table();
    head.mark(order);
    rows.element.style.height = `${ROW * listed.length}px`;
    element.ariaRowCount = String(listed.length + head.element.childElementCount);
    rows.clear();
    drawSelection();
    drawRows();
  };
  const drawSelection = () => {
    const { places } = table();
    selected = new Set(model.get("selected").map(idOf));
    rows.markAll();
    count.textContent = countsOf(table(), selected);
    if (places.has(active)) element.setAttribute("aria-activedescendant", `${id}-${places.get(active)}`);
    else element.removeAttribute("aria-activedescendant");
  };
  /** Goes to row `at`, and chooses it where it is said how. */
  const go = (/** @type {number} */ at, /** @type {How | undefined} */ how) => {
    const { pairs, places } = table();
    const from = places.get(anchor) ?? at;
    active = idOf(pairs[at]);
    if (!how?.extend || !places.has(anchor)) anchor = active;
    element.scrollTop = scrolledTo(at, element.scrollTop, height());
    drawRows();
    if (how) put(model, { selected: selection(model.get("selected"), pairs, at, { ...how, anchor: from }) });
    drawSelection();
  };

  const state = () => {
    const { pairs, places } = table();
    const page = Math.floor(height() / ROW) - 1;
    return { from: places.get(active) ?? -1, count: pairs.length, page, selects: selected.size > 0 };
  };
  listen(element, rows.element, state, (action) => {
    if (action === "all") put(model, { selected: table().pairs });
    else if (action === "none") put(model, { selected: [] });
    else go(action.to, action.how);
  });

  const leave = followBox(element, drawRows, () => rows.draw(table(), 0, Infinity));
  return { element, words: [count, hint], build: head.build, show, drawSelection, leave };
}
