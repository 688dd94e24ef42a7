// @ts-check
// The class scores with and without a region, and samples of what it is filled with.

import { make, makeAlert, warn } from "./shared/dom.mjs";
import { makeHelp } from "./shared/help.mjs";
import { number, percent, signed } from "./shared/numbers.mjs";
import { picture } from "./shared/pictures.mjs";
import { mount } from "./shared/view.mjs";
import { makeWork, status } from "./shared/work.mjs";

const LEAST = 0.005; // bits of evidence that speak for or against

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 * @typedef {import("./shared/view.mjs").Draw} Draw
 *
 * @typedef {{
 *   name: string, before: number, after: number | null, evidence: number | null, error: number | null,
 * }} Row a class; null for what is not known
 */

/**
 * "+7.97 ± 0.18 bits"; without error where it is not known; "" without evidence.
 *
 * @param {Pick<Row, "evidence" | "error">} row
 */
export function evidence({ evidence: value, error }) {
  if (value === null) return "";
  return `${signed(value)}${error === null ? "" : ` ± ${number(error, 2)}`} bits`;
}

/**
 * One line on how far the computation is.
 *
 * @param {{ pixels: number, scored: number, samples: number, progress: import("./shared/work.mjs").Progress }} work
 */
export function removalStatus({ pixels, scored, samples, progress }) {
  const { state, share = 0 } = progress;
  if (state === "failed") return "failed";
  if (!pixels) return "paint a region to remove it";
  if (state === "stopped") return status(progress);
  if (state === "complete") return scored === 1 ? "one filling" : `mean of ${scored} samples`;
  if (share < 0.5) return `filling the region: ${percent(2 * share)}`;
  return `${Math.round((2 * share - 1) * samples)} of ${samples} samples`;
}

/**
 * What is said of the first class once the computation is over.
 *
 * @param {Row[]} rows
 */
export function spoken([first]) {
  if (!first || first.after === null) return "";
  return `${first.name}: ${percent(first.before)} with the region, ${percent(first.after)} without`;
}

/**
 * Shows PNG files as images, which are made anew as others come.
 *
 * @param {HTMLElement} parent
 * @param {DataView[]} pngs
 * @param {(at: number) => string} alt
 */
function showPictures(parent, pngs, alt) {
  parent.replaceChildren(...pngs.map((png, at) => {
    const { image, show } = picture({ alt: alt(at) });
    show(png);
    return image;
  }));
}

/**
 * A row of the table.
 *
 * @param {Row} row
 */
function makeRow(row) {
  const known = [["with", row.before], ["without", row.after]].filter(([, share]) => share !== null);
  const shares = known.map(([kind, share]) => {
    const bar = make("span", { className: `xw-${kind}` });
    bar.style.width = `${100 * Number(share)}%`;
    return make("span", { className: "xw-share" },
      make("span", { className: "xw-track" }, bar), make("span", { textContent: percent(Number(share)) }));
  });
  const bits = row.evidence ?? 0;
  const side = Math.abs(bits) < LEAST ? "" : bits > 0 ? "xw-for" : "xw-against";
  return make("tr", {}, make("th", { scope: "row", textContent: row.name, title: row.name }),
    make("td", { className: "xw-shares" }, ...shares),
    make("td", { className: `xw-evidence ${side}`, textContent: evidence(row) }));
}

/**
 * The table of the classes.
 *
 * @param {Model} model
 */
function makeTable(model) {
  const key = make("span", { className: "xw-key" },
    make("span", { className: "xw-with" }), "with", make("span", { className: "xw-without" }), "without");
  const body = make("tbody");
  const element = make("table", {},
    make("caption", { textContent: "What is predicted with the region and without" }),
    make("thead", {}, make("tr", {},
      make("th", { scope: "col", textContent: "class" }),
      make("th", { scope: "col", className: "xw-shares" }, key),
      make("th", { scope: "col", className: "xw-evidence" }, "evidence of the region", makeHelp("evidence").element))),
    body);
  const draw = () => body.replaceChildren(...model.get("rows").map(makeRow));
  return { element, draw };
}

/**
 * Some of the samples, beside the region as it is.
 *
 * @param {Model} model
 */
function makeSamples(model) {
  const [crop, contents] = ["xw-crop", "xw-contents"].map((className) => make("div", { className }));
  const element = make("section", { className: "xw-samples" },
    make("figure", {}, crop, make("figcaption", { textContent: "as it is" })),
    make("figure", { className: "xw-many" }, contents, make("figcaption", { textContent: "what could have been there" })));
  const draw = () => {
    const pngs = model.get("contents");
    element.hidden = pngs.length === 0;
    showPictures(contents, pngs, (at) => `sample ${at + 1}`);
  };
  const drawCrop = () => {
    showPictures(crop, model.get("crop").byteLength ? [model.get("crop")] : [], () => "the region as it is");
  };
  return { element, draw, drawCrop };
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const marked = picture({ alt: "the picture with the region marked" });
  const work = makeWork(model, "progress", "progress");
  const said = make("div", { className: "xw-spoken", role: "status" });
  const remark = make("p", { className: "xw-remark" });
  const alert = makeAlert();
  const [table, samples] = [makeTable(model), makeSamples(model)];
  const view = make("div", { className: "xw-view xw-region-scores" },
    make("div", { className: "xw-marked" }, marked.image), work.element, alert, table.element, remark, samples.element,
    said);

  const drawWork = () => {
    const [pixels, scored, count, progress] = ["pixels", "scored", "samples", "progress"].map((name) => model.get(name));
    work.show(progress, removalStatus({ pixels, scored, samples: count, progress }));
    warn(alert, progress.message ?? "");
    view.classList.toggle("xw-stale", progress.state === "computing" && (progress.share ?? 0) <= 0.5);
    if (progress.state === "complete") said.textContent = spoken(model.get("rows"));
  };
  return mount({ model, el }, view, [
    [["rows"], table.draw],
    [["rows", "progress", "pixels", "scored", "samples"], drawWork],
    [["contents"], samples.draw],
    [["crop"], samples.drawCrop],
    [["remark"], () => { remark.textContent = model.get("remark"); }],
    [["marked"], () => marked.show(model.get("marked"))],
    [["coarse"], () => { view.classList.toggle("xw-coarse", model.get("coarse")); }],
  ]);
}

export default { render };
