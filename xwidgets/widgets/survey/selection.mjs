// @ts-check
// What is selected: in what it differs from all, its maps and its rows.

import { keepKeys, make, press } from "../shared/dom.mjs";
import { keepParts } from "../shared/parts.mjs";
import { number } from "../shared/numbers.mjs";
import { picture } from "../shared/pictures.mjs";
import { put } from "../shared/view.mjs";
import { differences } from "./points.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("./survey.mjs").Survey} Survey
 * @typedef {{ number: number, source: string, fault: string, png: DataView }} Card
 */

const MORE = 24; // further pictures that a press shows
const DIFFERENCES = 8; // in which selected pictures differ most

/**
 * A table with a row of headings.
 *
 * @param {string} caption
 */
function makeTable(caption) {
  const [head, body] = [make("tr"), make("tbody")];
  const element = make("table", {}, make("caption", { textContent: caption }), make("thead", {}, head), body);
  /**
   * @param {string[]} names
   * @param {string[][]} rows
   */
  const show = (names, rows) => {
    head.replaceChildren(...names.map((textContent) => make("th", { scope: "col", textContent })));
    body.replaceChildren(...rows.map((cells) => make("tr", {}, ...cells.map((textContent) => make("td", { textContent })))));
  };
  return { element, show };
}

/**
 * A picture of the gallery; a button that opens it where there is a kernel.
 *
 * @param {Model} model
 */
function makeCard(model) {
  const shown = picture();
  const [name, fault] = [make("span", { className: "xw-source" }), make("span", { className: "xw-quiet" })];
  let at = 0;
  const element = press([shown.image, name, fault], () => put(model, { opened: at }), { className: "xw-card" });
  keepKeys(element);
  /** @param {Card} card */
  const show = (card) => {
    at = card.number;
    shown.show(card.png);
    name.textContent = card.source === String(card.number) ? `picture ${card.number}` : card.source;
    fault.textContent = card.fault;
    element.disabled = !model.get("alive") || Boolean(card.fault);
    element.ariaPressed = String(model.get("opened") === card.number);
    element.title = element.disabled ? "" : "open it with its map";
  };
  return { element, show };
}

/**
 * @param {Model} model
 * @param {() => Survey} survey
 */
export function makeSelection(model, survey) {
  const heading = make("div", { className: "xw-heading", role: "status" });
  const unlike = makeTable("In what they differ most: the most frequent name, or the mean");
  const gallery = make("div", { className: "xw-cards" });
  const more = press("Show more", () => put(model, { shown: model.get("shown") + MORE }));
  const rows = makeTable("Rows of the pictures shown");
  const details = make("details", {}, make("summary", { textContent: "Table" }), make("div", { className: "xw-scroll", tabIndex: 0 }, rows.element));
  const missing = make("p", { className: "xw-quiet" });
  const element = make("div", { className: "xw-selection" }, heading, unlike.element, gallery, missing, more, details);
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeCard>>>} */
  const parts = keepParts(gallery);
  const drawWords = () => {
    const { columns, chosen } = survey();
    const { length } = model.get("selected");
    heading.textContent = length
      ? `${length} ${length === 1 ? "picture" : "pictures"} selected`
      : "Draw a line around points, or press a name, to select pictures.";
    const lines = chosen ? differences(columns, chosen).slice(0, DIFFERENCES) : [];
    unlike.element.hidden = !lines.length;
    unlike.show(["column", "selected", "all"], lines.map(({ name, selected, all }) => [name, selected, all]));
  };
  const drawCards = () => {
    const known = survey();
    /** @type {Card[]} */
    const cards = model.get("cards").filter((/** @type {Card} */ card) => known.chosen?.[known.rowOf.get(card.number) ?? -1]);
    const others = model.get("selected").length - cards.length;
    missing.textContent = others && !model.get("alive") ? "Further maps are shown where there is a kernel." : "";
    parts.keep(cards.map((card) => String(card.number)), () => makeCard(model)).forEach((card, at) => card.show(cards[at]));
    more.hidden = !model.get("alive") || model.get("shown") >= model.get("selected").length;
    details.hidden = !cards.length;
    rows.show(["picture", ...known.columns.map(({ name }) => name)], cards.map((card) => {
      const place = known.rowOf.get(card.number) ?? 0;
      return [card.source, ...known.columns.map(({ names, values }) => {
        const value = values[place];
        return names ? names[value] ?? "–" : number(value);
      })];
    }));
  };
  /** @type {import("../shared/view.mjs").Draw[]} */
  const draws = [[["selected", "columns", "numbers"], drawWords], [["cards", "selected", "shown", "opened", "columns", "alive"], drawCards]];
  return { element, draws };
}
