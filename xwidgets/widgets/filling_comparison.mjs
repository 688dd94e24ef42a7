// @ts-check
// Ways to remove a region beside each other: what stands there, what it takes from the class, and why.

import { keepKeys, make, press } from "./shared/dom.mjs";
import { makeHelp } from "./shared/help.mjs";
import { number, percent, signed } from "./shared/numbers.mjs";
import { keepParts } from "./shared/parts.mjs";
import { picture } from "./shared/pictures.mjs";
import { mount, put } from "./shared/view.mjs";
import { makeWork } from "./shared/work.mjs";

/**
 * @typedef {{
 *   name: string, title: string, asks: string, png: DataView, coarse: boolean,
 *   evidence: number, error: number | null, before: number | null, after: number | null,
 *   first: string, first_share: number | null,
 * }} Row
 */

/** A bar is never longer than its bits are of this many, so that a small number has no large bar. */
const LEAST = 1;

/**
 * What a row says of the class: "+4.50 ± 0.50 bits", and "from > 99.9 % to 40.0 %; most likely then:
 * wren, 60.0 %".
 *
 * @param {Omit<Row, "name" | "title" | "asks" | "png" | "coarse">} row
 */
export function tellRow({ evidence, error, before, after, first, first_share: share }) {
  const margin = error === null ? "" : ` ± ${number(error)}`;
  const chances = after === null ? "" : `from ${percent(before)} to ${percent(after)}`;
  return [`${signed(evidence)}${margin} bits`, first ? `${chances}; most likely then: ${first}, ${percent(share)}` : chances];
}

/**
 * Where a bar from zero begins, and how long it is, of a line that holds all of them and zero.
 *
 * @param {number} value
 * @param {number[]} values
 */
export function barOf(value, values) {
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const low = most < -least ? Math.min(least, most - LEAST) : least;
  const span = Math.max(most, low + LEAST) - low;
  return { left: (Math.min(0, value) - low) / span, width: Math.abs(value) / span, zero: Math.abs(low) / span };
}

function makeRow() {
  const shown = picture({ alt: "" });
  const [title, asks] = [make("b"), make("span", { className: "xw-quiet" })];
  const [bits, chances] = [make("span"), make("span", { className: "xw-quiet" })];
  const [bar, zero, help] = [make("i", { ariaHidden: "true" }), make("i", { className: "xw-filling-zero" }), makeHelp()];
  const element = make("div", { className: "xw-filling", role: "listitem" },
    make("span", { className: "xw-filling-picture" }, shown.image),
    make("div", {}, title, " ", help.element, make("div", {}, asks)),
    make("div", { className: "xw-filling-numbers" }, bits, make("div", { className: "xw-filling-bar" }, bar, zero), chances));
  /**
   * @param {Row} row
   * @param {number[]} values
   */
  const draw = (row, values) => {
    shown.show(row.png);
    element.classList.toggle("xw-coarse", row.coarse);
    help.show(row.name);
    title.textContent = row.title;
    asks.textContent = row.asks;
    [bits.textContent, chances.textContent] = tellRow(row);
    const { left, width, zero: middle } = barOf(row.evidence, values);
    zero.style.left = `${100 * middle}%`;
    Object.assign(bar.style, { left: `${100 * left}%`, width: `${100 * width}%` });
    bar.classList.toggle("xw-negative", row.evidence < 0);
  };
  return { element, draw };
}

/** @param {{ model: import("./shared/view.mjs").Model, el: HTMLElement }} place */
function render({ model, el }) {
  const heading = make("div", { className: "xw-heading" });
  const parts = make("div", { className: "xw-filling-parts", role: "group", ariaLabel: "parts of the drawing" });
  const list = make("div", { role: "list", ariaLabel: "ways to remove the region" });
  const hint = make("p", { className: "xw-quiet" });
  const reasons = make("ul", { className: "xw-filling-reasons" });
  const work = makeWork(model, "progress", "share computed");
  const view = make("div", { className: "xw-view xw-fillings" }, heading, parts, hint, list, reasons, work.element);
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeRow>>>} */
  const { keep } = keepParts(list);

  const drawParts = () => {
    /** @type {string[]} */
    const names = model.get("parts");
    parts.hidden = !names.length || !model.get("alive");
    if (String([...parts.children].map(({ textContent }) => textContent)) !== String(names)) {
      parts.replaceChildren(...names.map((part) => press(part, () => put(model, { part }))));
      keepKeys(parts);
    }
    for (const button of parts.children) button.ariaPressed = String(button.textContent === model.get("part"));
  };
  const drawRows = () => {
    /** @type {Row[]} */
    const rows = model.get("rows");
    const values = rows.map(({ evidence }) => evidence);
    for (const [at, row] of keep(rows.map(({ name }) => name), makeRow).entries()) row.draw(rows[at], values);
    const part = model.get("part");
    heading.textContent = `Evidence of the ${part || "region"} for ${model.get("label")}, by way of removal`;
    const choose = model.get("parts").length ? "Choose a part, or remove a region with the brush." : "Remove a region with the brush.";
    hint.textContent = rows.length ? "" : choose;
    hint.hidden = rows.length > 0;
    reasons.replaceChildren(...model.get("reasons").map((/** @type {string} */ textContent) => make("li", { textContent })));
    reasons.hidden = !rows.length;
    work.element.hidden = !rows.length && model.get("progress").state !== "computing";
  };
  return mount({ model, el }, view, [
    [["parts", "part", "alive"], drawParts],
    [["rows", "reasons", "label", "part", "parts", "progress"], drawRows],
    [["progress"], () => work.show(model.get("progress"))],
  ]);
}

export default { render };
