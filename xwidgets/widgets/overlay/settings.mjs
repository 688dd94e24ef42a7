// @ts-check
// How maps are drawn: which of them, opacity, threshold, colours.

import { makeSlider } from "../shared/control.mjs";
import { make, press, tick } from "../shared/dom.mjs";
import { put } from "../shared/view.mjs";
import { shownFrame } from "./frames.mjs";

/** @typedef {import("../shared/view.mjs").Model} Model */

/**
 * A slider from 0 to 100 with its name before it.
 *
 * @param {string} name
 * @param {(value: number) => void} onInput
 */
function makeNamed(name, onInput) {
  const { input, output, set } = makeSlider(onInput, { min: "0", max: "100", step: "1" });
  const title = make("span");
  const label = make("label", { className: "xw-control" }, title, input, output);
  /** @param {string} text */
  const call = (text) => {
    title.textContent = text;
    input.ariaLabel = text.toLowerCase();
  };
  call(name);
  return { label, input, call, set };
}

/**
 * The choice between several maps; hidden where there is one.
 *
 * @param {Model} model
 */
function makeMaps(model) {
  const maps = makeNamed("Map", (index) => put(model, { index }));
  const draw = () => {
    const count = model.get("frames").length;
    const frame = shownFrame(model);
    maps.label.hidden = count < 2;
    maps.input.max = String(Math.max(0, count - 1));
    maps.call(frame?.slider ?? "Map");
    maps.set(model.get("index"), frame?.name ?? "");
  };
  return { label: maps.label, draw };
}

/**
 * Controls of how maps are drawn.
 *
 * @param {Model} model
 * @param {() => void} onSave what the button does
 */
export function makeSettings(model, onSave) {
  const maps = makeMaps(model);
  const opacity = makeNamed("Opacity", (value) => put(model, { opacity: value / 100 }));
  const threshold = makeNamed("Threshold", (value) => put(model, { threshold: value / 100 }));
  const choice = make("select", { ariaLabel: "colour map" },
    ...Object.keys(model.get("color_maps")).map((name) => make("option", { value: name, textContent: name })));
  choice.addEventListener("change", () => put(model, { color_map: choice.value }));
  const colors = make("div", { className: "xw-control xw-colors" },
    make("span", { textContent: "Colours" }), choice, press("Save PNG", onSave));
  const hiding = tick("Hide what is within 2 standard errors of zero",
    (on) => put(model, { hide_uncertain: on }), { className: "xw-control xw-check" });
  const outline = tick("Outline the object", (on) => put(model, { outline: on }), { className: "xw-control xw-check" });
  const object = makeNamed("Object", (value) => put(model, { object_threshold: value / 100 }));
  object.input.min = "1";
  const element = make("div", { className: "xw-settings" },
    maps.label, opacity.label, threshold.label, colors, hiding.label, outline.label, object.label);

  const drawThreshold = () => {
    const hundredths = Math.round(100 * model.get("threshold"));
    threshold.set(hundredths, hundredths ? `below ${hundredths} % hidden` : "off");
  };
  const drawOpacity = () => {
    const hundredths = Math.round(100 * model.get("opacity"));
    opacity.set(hundredths, `${hundredths} %`);
  };
  const drawHiding = () => {
    hiding.input.checked = model.get("hide_uncertain");
    hiding.label.hidden = shownFrame(model)?.error_scale === undefined;
  };
  const drawOutline = () => {
    const known = shownFrame(model)?.object !== undefined;
    outline.input.checked = model.get("outline");
    outline.label.hidden = model.get("controls") !== "all" || !(known || model.get("segments"));
    object.label.hidden = !known || !model.get("outline");
    const hundredths = Math.round(100 * model.get("object_threshold"));
    object.set(hundredths, `from ${hundredths} % likely`);
  };
  /** @type {import("../shared/view.mjs").Draw[]} */
  const draws = [
    [["frames", "index", "outline", "object_threshold", "segments", "controls"], drawOutline],
    [["frames", "index"], maps.draw],
    [["opacity"], drawOpacity],
    [["threshold"], drawThreshold],
    [["color_map"], () => { choice.value = model.get("color_map"); }],
    [["frames", "index", "hide_uncertain"], drawHiding],
  ];
  return { element, draws };
}
