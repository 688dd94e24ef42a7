// @ts-check
// How maps are drawn: which of them, opacity, threshold, colours.

import { makeSlider } from "../shared/control.mjs";
import { make, press, tick } from "../shared/dom.mjs";
import { makeHelp } from "../shared/help.mjs";
import { brief } from "../shared/numbers.mjs";
import { put } from "../shared/view.mjs";
import { HATCHING, endOf, limitOf, shownFrame, telling } from "./frames.mjs";

/** @typedef {import("../shared/view.mjs").Model} Model */

/**
 * A slider from 0 to 100 with its name before it.
 *
 * @param {string} name
 * @param {(value: number) => void} onInput
 */
function makeNamed(name, onInput) {
  const { input, output, set } = makeSlider(onInput, { min: "0", max: "100", step: "1" });
  const [title, help] = [make("span"), makeHelp()];
  const label = make("label", { className: "xw-control" }, title, input, output, help.element);
  /** @param {string} text */
  const call = (text) => {
    title.textContent = text;
    input.ariaLabel = text.toLowerCase();
    help.show(text);
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
 * The upper end of the slider for what is too small: that of the colours, or the default if larger.
 *
 * @param {Model} model
 */
function topOf(model) {
  const frame = shownFrame(model);
  return frame ? Math.max(endOf(model, frame), 2 * (frame.effect ?? 0)) : 1;
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
  const least = makeNamed("Too small", (value) => put(model, { threshold: 0, effect: (value / 100) * topOf(model) }));
  const choice = make("select", { ariaLabel: "colour map" },
    ...Object.keys(model.get("color_maps")).map((name) => make("option", { value: name, textContent: name })));
  choice.addEventListener("change", () => put(model, { color_map: choice.value }));
  const hue = make("span", { textContent: "Colours" });
  const colors = make("div", { className: "xw-control xw-colors" },
    hue, choice, press("Save PNG", onSave));
  const hiding = tick("Hatch what is within 2 standard errors of zero",
    (on) => put(model, { hide_uncertain: on }), { className: "xw-control xw-check" });
  const outline = tick("Outline the object", (on) => put(model, { outline: on }), { className: "xw-control xw-check" });
  const object = makeNamed("Object", (value) => put(model, { object_threshold: value / 100 }));
  object.input.min = "1";
  const element = make("div", { className: "xw-settings" },
    maps.label, opacity.label, least.label, colors, hiding.label, outline.label, object.label);
  hiding.label.append(makeHelp("standard error").element);

  const drawLeast = () => {
    const frame = shownFrame(model);
    least.label.hidden = !frame;
    if (!frame) return;
    const limit = limitOf(model, frame);
    const { factor, unit } = telling(frame);
    const words = `${frame.signed === false ? "below " : "within ±"}${brief(limit * factor)} ${unit} hatched`;
    least.set(Math.round((100 * limit) / topOf(model)), limit ? words : "off");
  };
  const drawOpacity = () => {
    const hundredths = Math.round(100 * model.get("opacity"));
    opacity.set(hundredths, `${hundredths} %`);
  };
  const drawColors = () => {
    choice.value = model.get("color_map");
    choice.hidden = hue.hidden = shownFrame(model)?.signed === false;
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
    [["frames", "index", ...HATCHING], drawLeast],
    [["frames", "index", "color_map"], drawColors],
    [["frames", "index", "hide_uncertain"], drawHiding],
  ];
  return { element, draws };
}
