// @ts-check
// What is searched for: the study's target, a class, a channel of a layer, or an x-feature.

import { keepKeys, make } from "../shared/dom.mjs";
import { isCommand, take } from "../shared/keyboard.mjs";
import { layerName } from "../shared/neurons.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("../shared/view.mjs").Draw} Draw
 * @typedef {{ kind: string, name: string, number: number, layer: string }} Choice
 * @typedef {{ name: string, convolution: number | null, channels: number }} Layer
 */

/**
 * The kinds that can be chosen, by what they are called.
 *
 * @param {{ target: string, choice: Pick<Choice, "kind" | "name">, features: string[] }} state
 * @returns {Record<string, string>}
 */
export function kindsOf({ target, choice, features }) {
  return {
    target: `the target, ${target}`,
    class: "a class",
    channel: "a channel",
    ...(features.length ? { "x-feature": "an x-feature" } : {}),
    ...(choice.kind === "other" ? { other: choice.name } : {}),
  };
}

/**
 * The message that asks to search for another kind, beginning where the last of it was.
 *
 * @param {string} kind
 * @param {Record<string, { number: number, layer?: string }>} last by kind
 */
export function asked(kind, last) {
  return { type: "search", kind, ...(last[kind] ?? {}) };
}

/**
 * A number of a channel that the layer has.
 *
 * @param {number} number
 * @param {number} channels
 */
export function within(number, channels) {
  return Math.max(0, Math.min(channels - 1, Math.round(number)));
}

/**
 * A drop-down with its name before it.
 *
 * @param {string} label
 * @param {() => void} onChange
 */
function makeSelect(label, onChange) {
  const select = make("select", { ariaLabel: label.toLowerCase() });
  select.addEventListener("change", onChange);
  const element = make("label", { className: "xw-control" }, make("span", { textContent: label }), select);
  /**
   * @param {[value: string, text: string][]} options
   * @param {string} chosen
   */
  const show = (options, chosen) => {
    select.replaceChildren(...options.map(([value, textContent]) => make("option", { value, textContent })));
    select.value = chosen;
  };
  return { element, select, show };
}

/**
 * The controls; only where there is a kernel that searches.
 *
 * @param {Model} model
 */
export function makeChoice(model) {
  /** @type {Record<string, { number: number, layer?: string }>} */
  const last = { class: { number: 0 }, channel: { number: 0, layer: "" }, "x-feature": { number: 0 } };
  const ask = (/** @type {string} */ kind) => model.send(asked(kind, last));
  const kind = makeSelect("Search for", () => ask(kind.select.value));
  const classes = makeSelect("Class", () => {
    last.class = { number: Number(classes.select.value) };
    ask("class");
  });
  const features = makeSelect("X-feature", () => {
    last["x-feature"] = { number: Number(features.select.value) };
    ask("x-feature");
  });
  const layers = makeSelect("Layer", () => {
    last.channel = { layer: layers.select.value, number: within(last.channel.number, channelsOf(layers.select.value)) };
    ask("channel");
  });
  const channel = make("input", { type: "number", min: 0, step: 1, ariaLabel: "channel" });
  const channels = make("label", { className: "xw-control" }, make("span", { textContent: "Channel" }), channel);
  const commit = () => {
    const [layer, number] = [layers.select.value, channel.valueAsNumber];
    if (!Number.isNaN(number)) last.channel = { layer, number: within(number, channelsOf(layer)) };
    channel.value = String(last.channel.number);
    ask("channel");
  };
  channel.addEventListener("change", commit);
  channel.addEventListener("keydown", (event) => { // JupyterLab keeps the change of Enter from the input
    if (event.key !== "Enter" || isCommand(event)) return;
    take(event);
    commit();
  });
  const element = make("div", { className: "xw-choice" },
    kind.element, classes.element, layers.element, channels, features.element);
  keepKeys(element);
  const channelsOf = (/** @type {string} */ name) => {
    /** @type {Layer[]} */
    const known = model.get("layers");
    return known.find((layer) => layer.name === name)?.channels ?? 1;
  };
  const draw = () => {
    /** @type {Choice} */
    const choice = { kind: "target", name: "", number: 0, layer: "", ...model.get("choice") };
    /** @type {Layer[]} */
    const known = model.get("layers");
    last.channel.layer ||= known[known.length >> 1]?.name ?? "";
    if (choice.kind in last) last[choice.kind] = { number: choice.number, ...(choice.layer && { layer: choice.layer }) };
    element.hidden = !model.get("alive");
    const kinds = kindsOf({ target: model.get("target"), choice, features: model.get("features") });
    kind.show(Object.entries(kinds), choice.kind);
    classes.element.hidden = choice.kind !== "class";
    layers.element.hidden = channels.hidden = choice.kind !== "channel";
    features.element.hidden = choice.kind !== "x-feature";
    const numbered = (/** @type {string} */ name, /** @type {number} */ at) => /** @type {[string, string]} */ ([String(at), name]);
    classes.show(model.get("classes").map(numbered), String(choice.number));
    features.show(model.get("features").map(numbered), String(choice.number));
    const others = known.some(({ name }) => name === choice.layer) || choice.kind !== "channel"
      ? [] : [{ name: choice.layer, convolution: null, channels: choice.number + 1 }];
    layers.show([...known, ...others].map((layer) => [layer.name, layerName(layer)]), choice.layer);
    channel.max = String(channelsOf(choice.layer) - 1);
    channel.value = String(choice.number);
  };
  /** @type {Draw[]} */
  const draws = [[["alive", "choice", "target", "classes", "layers", "features"], draw]];
  return { element, draws };
}
