// @ts-check
// Signed maps side by side, in rows and columns.
//
// A table whose cells hold one button each; one of them is in the tab order, the arrow keys move
// between them, and the one that is chosen is shown large in a dialog.

import { make, press } from "./shared/dom.mjs";
import { isCommand, movedInGrid, take } from "./shared/keyboard.mjs";
import { number, signed } from "./shared/numbers.mjs";
import { picture, sizeOf } from "./shared/pictures.mjs";
import { mount, put } from "./shared/view.mjs";
import { makeHatching, makeSwatch, unpacked } from "./overlay/hatching.mjs";

const ASK = "Point at a map for its strongest values; click it to see it large.";

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 *
 * @typedef {{
 *   title: string, unit?: string, highest: number, lowest: number, signed?: boolean,
 *   png: DataView, hatched?: DataView, small?: Drawn, coarse: boolean, sentence?: string,
 * }} Cell a map; a picture has neither unit nor values
 * @typedef {{ png: DataView, hatched?: DataView }} Drawn a map over its picture, and a bit for each pixel: whether it
 *   is hatched
 */

/**
 * What a cell shows, in words, with its strongest values.
 *
 * @param {Pick<Cell, "title" | "unit" | "highest" | "lowest" | "signed">} cell
 */
export function reading({ title, unit, highest, lowest, signed: both }) {
  if (unit === undefined) return title;
  if (both === false) return `${title}; strongest ${number(highest)} ${unit}`;
  return `${title}; strongest for ${signed(highest)}, against ${signed(lowest)} ${unit}`;
}

/**
 * The same, with where a map is strongest.
 *
 * @param {Pick<Cell, "title" | "unit" | "highest" | "lowest" | "signed" | "sentence">} cell
 */
export function inWords(cell) {
  return [reading(cell), cell.sentence].filter(Boolean).join(". ");
}

/**
 * The name of a cell: the titles of its row and its column, or its place where there are none.
 *
 * @param {string[]} rows
 * @param {string[]} columns
 * @param {number[]} place
 */
export function named(rows, columns, [row, column]) {
  const titles = [rows[row], columns[column]].filter(Boolean);
  return titles.length ? titles.join(", ") : `row ${row + 1}, column ${column + 1}`;
}

/** A map over its picture, with lines where it tells nothing. */
function makeMap() {
  const [{ image, show: showPng }, hatching] = [picture(), makeHatching()];
  const element = make("span", { className: "xw-map-box" }, image, hatching.canvas);
  hatching.turn({ top: 0, left: 0, side: 1 });
  /**
   * @param {Drawn} drawn
   * @param {boolean} coarse
   */
  const show = ({ png, hatched }, coarse) => {
    const [height, width] = sizeOf(png);
    image.className = coarse ? "xw-coarse" : "";
    showPng(png);
    hatching.show(hatched ? unpacked(hatched, height * width) : new Uint8Array(), width);
  };
  return { element, show };
}

/**
 * Colours between what their ends mean.
 *
 * @param {{ stops: string[], ends: string[] }} colors
 */
function makeRamp({ stops, ends: [low, high] }) {
  const ramp = make("i", { className: "xw-ramp" });
  ramp.style.background = `border-box linear-gradient(to right, ${stops.join(", ")})`;
  return [make("span", { textContent: low }), ramp, make("span", { textContent: high })];
}

/**
 * What colours and hatching mean: a ramp each for maps with signs and for those without.
 *
 * @param {Model} model
 */
function makeKey(model) {
  const { ramps = [], colors = "", hatching = "" } = model.get("key");
  const swatch = makeSwatch();
  swatch.show(hatching);
  return make("div", { className: "xw-key", hidden: !colors },
    ...ramps.flatMap(makeRamp), make("span", { className: "xw-quiet", textContent: colors }), swatch.element);
}

/**
 * The table of a button for each cell.
 *
 * @param {string[]} rows
 * @param {string[]} columns
 * @param {HTMLButtonElement[][]} buttons
 */
function makeTable(rows, columns, buttons) {
  const title = (/** @type {string} */ scope, /** @type {string} */ text) =>
    make("th", { scope }, make("span", { textContent: text }));
  const head = make("thead", {}, make("tr", {}, ...(rows.length ? [make("td")] : []),
    ...columns.map((text) => title("col", text))));
  const body = buttons.map((row, y) => make("tr", {},
    ...(rows.length ? [title("row", rows[y])] : []), ...row.map((button) => make("td", {}, button))));
  const table = make("table", { ariaLabel: "maps" },
    ...(columns.length ? [head] : []), make("tbody", {}, ...body));
  table.style.setProperty("--xw-columns", String(buttons[0].length));
  return make("div", { className: "xw-scroll" }, table);
}

/**
 * The dialog that shows one cell large.
 *
 * @param {Model} model
 * @param {(place: number[]) => string} describe
 * @param {(event: KeyboardEvent, place: number[], move: (to: number[]) => void) => void} go
 * @param {(place: number[]) => void} focus
 */
function makeDialog(model, describe, go, focus) {
  const enlarge = (/** @type {number[]} */ place) => put(model, { enlarged: place });
  const large = makeMap();
  const caption = make("div", { className: "xw-caption", ariaLive: "polite" });
  const close = press("Close", () => element.close());
  const element = make("dialog", { className: "xw-view xw-enlarged", ariaLabel: "one map, enlarged" },
    make("div", { className: "xw-large" }, large.element), caption, close);
  element.addEventListener("click", ({ target }) => target === element && element.close());
  element.addEventListener("keydown", (event) => {
    const place = model.get("enlarged");
    if (place.length) go(event, place, enlarge);
  });
  element.addEventListener("close", () => {
    const place = model.get("enlarged");
    if (element.open || !place.length) return; // open again: the event comes later than the closing
    enlarge([]);
    focus(place);
  });
  const draw = () => {
    const [row, column] = model.get("enlarged");
    /** @type {Cell | undefined} */
    const cell = model.get("cells")[row]?.[column];
    if (!cell) {
      element.close();
      return;
    }
    caption.textContent = describe([row, column]);
    if (!element.open) element.showModal();
    large.show(cell, cell.coarse);
    close.focus();
  };
  return { element, enlarge, draw };
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const [rows, columns] = ["rows", "columns"].map((name) => model.get(name));
  /** @type {Cell[][]} */
  const cells = model.get("cells");
  const size = [cells.length, cells[0].length];
  const describe = (/** @type {number[]} */ [row, column], tell = inWords) =>
    `${named(rows, columns, [row, column])}: ${tell(cells[row][column])}`;
  const focus = (/** @type {number[]} */ [row, column]) => buttons[row][column].focus();
  const point = (/** @type {number[]} */ place) => put(model, { hovered: place });
  const go = (
    /** @type {KeyboardEvent} */ event, /** @type {number[]} */ from, /** @type {(to: number[]) => void} */ move,
  ) => {
    const to = isCommand(event) ? null : movedInGrid(from, event.key, size);
    if (to === null) return;
    take(event);
    move(to);
  };
  const dialog = makeDialog(model, describe, go, focus);

  const buttons = cells.map((row, y) => row.map((cell, x) => {
    const map = makeMap();
    map.show(cell.small ?? cell, cell.coarse);
    const button = press(map.element, () => dialog.enlarge([y, x]), {
      tabIndex: y || x ? -1 : 0, ariaLabel: describe([y, x]), ariaHasPopup: "dialog",
    });
    button.addEventListener("pointerenter", () => point([y, x]));
    button.addEventListener("focus", () => {
      point([y, x]);
      for (const other of buttons.flat()) other.tabIndex = other === button ? 0 : -1; // Tab comes to this one
    });
    button.addEventListener("keydown", (event) => go(event, [y, x], focus));
    return button;
  }));
  const readout = make("div", { className: "xw-readout xw-quiet" });
  const view = make("div", { className: "xw-view xw-grid" },
    makeKey(model), makeTable(rows, columns, buttons), readout, dialog.element);
  const drawReading = () => {
    const [row, column] = model.get("hovered");
    readout.textContent = cells[row]?.[column] ? describe([row, column], reading) : ASK;
  };
  return mount({ model, el }, view, [[["hovered"], drawReading], [["enlarged"], dialog.draw]]);
}

export default { render };
