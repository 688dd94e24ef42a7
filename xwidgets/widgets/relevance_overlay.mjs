// @ts-check
// The signed relevance map over its picture.

import { make, makeAlert, warn } from "./shared/dom.mjs";
import { download } from "./shared/saving.mjs";
import { mount } from "./shared/view.mjs";
import { makeWork } from "./shared/work.mjs";
import {
  HATCHING, endOf, findingWords, hatchWords, hatchedOf, limitOf, nothingWords, remarks, shownFrame, standing,
} from "./overlay/frames.mjs";
import { makeLegend } from "./overlay/legend.mjs";
import { makeSettings } from "./overlay/settings.mjs";
import { sheetOf } from "./overlay/sheet.mjs";
import { makeStage } from "./overlay/stage.mjs";
import { makeValues } from "./overlay/values.mjs";

/** @typedef {import("./shared/view.mjs").Model} Model */

/**
 * How far the map is, and why there is none.
 *
 * @param {Model} model
 */
function makeState(model) {
  const alert = makeAlert();
  const work = makeWork(model, "progress", "share computed");
  const draw = () => {
    const progress = model.get("progress");
    work.show(standing(progress, shownFrame(model)));
    warn(alert, progress.state === "failed" ? `The map could not be computed: ${progress.message}` : "");
  };
  return { alert, work: work.element, draw };
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const caption = make("figcaption", { className: "xw-heading" });
  const note = make("p", { className: "xw-note" });
  const remark = make("p", { className: "xw-remark" });
  const sentence = make("p", { className: "xw-finding" });
  const [stage, legend, state, values] = [makeStage(model), makeLegend(model), makeState(model), makeValues(model)];
  const settings = makeSettings(model, () => {
    const frame = shownFrame(model);
    const sheet = sheetOf({
      photo: stage.photo, map: stage.canvas, hatching: stage.hatching, outline: stage.outline.copy(),
      ramp: legend.ramp, size: stage.element.getBoundingClientRect(), frame,
      end: frame ? endOf(model, frame) : 1,
      meaning: frame ? hatchWords(frame, limitOf(model, frame), model.get("hide_uncertain")) : "",
      opacity: model.get("opacity"), coarse: stage.element.classList.contains("xw-coarse"),
    });
    warn(state.alert, download("relevance.png", sheet.toDataURL("image/png")));
  });
  const view = make("figure", { className: "xw-view xw-overlay" }, caption,
    make("div", { className: "xw-panel" },
      stage.element, state.alert, stage.readout, legend.element, sentence, values.element, state.work, remark),
    note, settings.element);

  const drawWords = () => {
    caption.hidden = !model.get("caption");
    caption.textContent = caption.title = model.get("caption");
    view.classList.toggle("xw-noted", Boolean(model.get("note")));
    note.textContent = model.get("note");
  };
  const drawRemark = () => { remark.textContent = remarks(shownFrame(model)); };
  const drawSentence = () => {
    const frame = shownFrame(model);
    const limit = frame ? limitOf(model, frame) : 0;
    const hatched = hatchedOf(frame, limit, model.get("hide_uncertain"));
    const nothing = nothingWords(frame, hatched, limit); // the stage says it
    sentence.textContent = nothing ? "" : findingWords(frame, hatched);
  };
  return mount({ model, el }, view, [
    ...stage.draws, ...legend.draws, ...values.draws, ...settings.draws,
    [["frames", "index", "progress"], state.draw],
    [["frames", "index"], drawRemark],
    [["frames", "index", ...HATCHING], drawSentence],
    [["caption", "note"], drawWords],
    [["controls"], () => { view.dataset.controls = model.get("controls"); }],
  ]);
}

export default { render };
