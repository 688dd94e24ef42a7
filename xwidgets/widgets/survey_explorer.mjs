// @ts-check
// A survey: its pictures as points, those that are selected, and one of them with its map.

import { make, makeAlert, press, warn } from "./shared/dom.mjs";
import { makeGroup } from "./shared/group.mjs";
import { mount, put } from "./shared/view.mjs";
import { status } from "./shared/work.mjs";
import { makeLegend } from "./survey/legend.mjs";
import { makeNaming } from "./survey/naming.mjs";
import { makeScatter } from "./survey/scatter.mjs";
import { makeSelection } from "./survey/selection.mjs";
import { surveyOf } from "./survey/survey.mjs";

/** @param {import("./shared/group.mjs").Place} place */
function render(place) {
  const { model } = place;
  const survey = surveyOf(model);
  const [scatter, legend, selection, naming] = [
    makeScatter(model, survey), makeLegend(model, survey), makeSelection(model, survey), makeNaming(model),
  ];
  const opened = makeGroup(place);
  const sentence = make("p", { className: "xw-finding" });
  const name = make("span", { className: "xw-heading" });
  const close = press("Close", () => put(model, { opened: null }));
  const title = make("div", { className: "xw-title" }, name, close);
  const drawTitle = () => {
    const number = model.get("opened");
    title.hidden = opened.element.hidden = number === null;
    name.textContent = `Picture ${number}`;
  };
  const bar = make("progress", { max: 1, ariaLabel: "share of the pictures that are done" });
  const [line, alert] = [make("span", { className: "xw-status" }), makeAlert()];
  const work = make("div", { className: "xw-work" }, bar, line);
  const view = make("div", { className: "xw-view xw-survey" }, sentence, work, alert,
    make("div", { className: "xw-survey-panels" },
      make("div", { className: "xw-panel" }, scatter.element, legend.element, naming.element),
      make("div", { className: "xw-panel" }, title, opened.element, selection.element)));
  const drawWork = () => {
    const progress = model.get("work");
    work.hidden = progress.state !== "computing";
    work.dataset.state = progress.state ?? "";
    bar.value = progress.share ?? 0;
    line.textContent = status(progress);
    const failed = progress.state === "failed" ? `The survey cannot be read: ${progress.message}` : "";
    warn(alert, [model.get("message"), failed].filter(Boolean).join(" "));
  };
  return mount(place, view, [
    [["sentence"], () => { sentence.textContent = model.get("sentence"); }],
    [["work", "message"], drawWork],
    [["opened"], drawTitle],
    ...scatter.draws, ...legend.draws, ...selection.draws, ...naming.draws, ...opened.draws,
  ], () => {
    scatter.leave();
    opened.leave();
  });
}

export default { render };
