// Signed maps side by side, in rows and columns.
//
// A table whose cells hold one button each; one of them is in the tab order, the arrow keys move
// between them, and the one that is chosen is shown large in a dialog.

/** A signed number to three digits: "+1.25", "−0.031", "0". */
export function signed(value) {
  if (value === 0) return "0";
  const digits = Number(Math.abs(value).toPrecision(3)).toString();
  return (value > 0 ? "+" : "−") + digits;
}

/** What a cell shows, in words, with its strongest values. */
export function reading({ title, unit, highest, lowest, signed: both }) {
  if (unit === undefined) return title;
  if (both === false) return `${title}; strongest ${signed(highest).replace("+", "")} ${unit}`;
  return `${title}; strongest for ${signed(highest)}, against ${signed(lowest)} ${unit}`;
}

/** The name of a cell: the titles of its row and its column, or its place where there are none. */
export function named(rows, columns, [row, column]) {
  const titles = [rows[row], columns[column]].filter(Boolean);
  return titles.length ? titles.join(", ") : `row ${row + 1}, column ${column + 1}`;
}

/** Where an arrow key, Home or End moves; null for other keys. */
export function moved([row, column], key, [height, width]) {
  const moves = {
    ArrowUp: [row - 1, column],
    ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1],
    Home: [row, 0],
    End: [row, width - 1],
  };
  if (!(key in moves)) return null;
  const [y, x] = moves[key];
  return [Math.max(0, Math.min(height - 1, y)), Math.max(0, Math.min(width - 1, x))];
}

/** Whether any map can speak against something; otherwise the upper half of the colours is all. */
export function bothSigns(cells) {
  return cells.flat().some(({ unit, signed }) => unit !== undefined && signed !== false);
}

/** What the colours mean: "each map by its own largest magnitude", "up to ±1.5 bits". */
export function legend(scale, cells) {
  const maps = cells.flat().filter(({ unit }) => unit !== undefined);
  if (!maps.length) return "";
  const colors = {
    own: "each map by its own largest magnitude",
    row: "each row by its largest magnitude",
    all: `up to ${bothSigns(cells) ? "±" : ""}${signed(maps[0].scale).slice(1)} ${maps[0].unit}`,
  }[scale];
  const block = Math.max(...maps.map(({ block }) => block));
  return block > 1 ? `${colors}; of every ${block} × ${block} pixels, the strongest` : colors;
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function shown(png, coarse) {
  const url = URL.createObjectURL(new Blob([png], { type: "image/png" }));
  return make("img", { src: url, alt: "", draggable: false, className: coarse ? "xw-coarse" : "" });
}

function render({ model, el }) {
  const [rows, columns, cells] = ["rows", "columns", "cells"].map((name) => model.get(name));
  const size = [cells.length, cells[0].length];
  const titles = (at) => named(rows, columns, at);

  const buttons = cells.map((row, y) => row.map((cell, x) => {
    const picture = shown(cell.small ?? cell.png, cell.coarse);
    const button = make("button", { type: "button", tabIndex: y || x ? -1 : 0 }, picture);
    button.dataset.lmSuppressShortcuts = "true";
    button.setAttribute("aria-label", `${titles([y, x])}: ${reading(cell)}`);
    button.setAttribute("aria-haspopup", "dialog");
    button.addEventListener("pointerenter", () => read([y, x]));
    button.addEventListener("focus", () => settle([y, x]));
    button.addEventListener("click", () => enlarge([y, x]));
    button.addEventListener("keydown", (event) => go(event, [y, x], (at) => at && focus(at)));
    return button;
  }));
  const scope = (name, text) => {
    const head = make("th", {}, make("span", { textContent: text }));
    head.scope = name;
    return head;
  };
  const head = make("tr", {}, ...(rows.length ? [make("td")] : []),
    ...columns.map((text) => scope("col", text)));
  const body = buttons.map((row, y) => make("tr", {},
    ...(rows.length ? [scope("row", rows[y])] : []),
    ...row.map((button) => make("td", {}, button))));
  const table = make("table", {},
    ...(columns.length ? [make("thead", {}, head)] : []), make("tbody", {}, ...body));
  table.setAttribute("aria-label", "maps");
  table.style.setProperty("--xw-columns", size[1]);
  const scroll = make("div", { className: "xw-scroll" }, table);

  const ramp = make("i", { className: "xw-ramp" });
  const [colors, both] = [model.get("colors"), bothSigns(cells)];
  const stops = both ? colors : colors.slice((colors.length - 1) / 2);
  const [low, high] = both ? ["against", "for"] : ["zero", "strongest"];
  ramp.style.background = `border-box linear-gradient(to right, ${stops.join(", ")})`;
  const words = legend(model.get("scale"), cells);
  const key = make("div", { className: "xw-key", hidden: !cells.flat().some(({ unit }) => unit) },
    make("span", { textContent: low }), ramp, make("span", { textContent: high }),
    make("span", { className: "xw-quiet", textContent: words }));
  const readout = make("div", { className: "xw-readout xw-quiet" });
  const ask = "Point at a map for its strongest values; click it to see it large.";
  readout.textContent = ask;

  const large = make("div", { className: "xw-large" });
  const caption = make("div", { className: "xw-caption" });
  caption.setAttribute("aria-live", "polite");
  const close = make("button", { type: "button", textContent: "Close" });
  const dialog = make("dialog", { className: "xw-view xw-enlarged" }, large, caption, close);
  dialog.setAttribute("aria-label", "one map, enlarged");
  close.dataset.lmSuppressShortcuts = "true";
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const at = model.get("enlarged");
    if (at.length) go(event, at, enlarge);
  });
  dialog.addEventListener("close", () => {
    const at = model.get("enlarged");
    if (!at.length) return;
    put([]);
    focus(at);
  });

  const view = make("div", { className: "xw-view xw-grid" }, key, scroll, readout, dialog);
  el.append(view);

  function put(at) {
    model.set("enlarged", at);
    model.save_changes();
  }

  function read(at) {
    const [row, column] = at;
    readout.textContent = `${titles(at)}: ${reading(cells[row][column])}`;
  }

  /** Makes a cell the one that Tab comes to. */
  function settle(at) {
    read(at);
    buttons.forEach((row, y) => row.forEach((button, x) => {
      button.tabIndex = y === at[0] && x === at[1] ? 0 : -1;
    }));
  }

  function focus([row, column]) {
    buttons[row][column].focus();
  }

  function go(event, at, move) {
    const next = moved(at, event.key, size);
    if (next === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(next);
  }

  function enlarge(at) {
    put(at);
  }

  function showEnlarged() {
    const at = model.get("enlarged");
    for (const { src } of large.querySelectorAll("img")) URL.revokeObjectURL(src);
    large.replaceChildren();
    const cell = cells[at[0]]?.[at[1]];
    if (!cell) {
      if (dialog.open) dialog.close();
      return;
    }
    large.append(shown(cell.png, cell.coarse));
    caption.textContent = `${titles(at)}: ${reading(cell)}`;
    if (!dialog.open) dialog.showModal();
    close.focus();
  }

  model.on("change:enlarged", showEnlarged);
  showEnlarged();
  return () => {
    model.off("change:enlarged", showEnlarged);
    for (const { src } of view.querySelectorAll("img")) URL.revokeObjectURL(src);
  };
}

export default { render };
