// @ts-check
// The layers as a strip of blocks from the picture to the output, to choose one.

import { keepKeys, make, press } from "../shared/dom.mjs";
import { moveFocus } from "../shared/keyboard.mjs";
import { layerName } from "../shared/neurons.mjs";
import { put } from "../shared/view.mjs";
import { shownLayers } from "./state.mjs";

/**
 * A layer that is ranked; `size` is height and width of its maps, empty where it is not known.
 *
 * @typedef {{ name: string, convolution: number | null, channels?: number, size?: number[] }} RankedLayer
 */

const LEAST = 0.12; // of the height and width of a block, so that it can be seen

/**
 * Heights of blocks, which grow with the channels, and widths, which grow with the maps; as shares of
 * the largest. They are square roots, as both double and double again.
 *
 * @param {RankedLayer[]} layers
 */
export function blocksOf(layers) {
  const channels = layers.map(({ channels: count }) => count ?? 1);
  const sides = layers.map(({ size }) => (size?.length ? Math.sqrt(size[0] * size[1]) : NaN));
  const [most, widest] = [channels, sides].map((values) => Math.max(...values.filter((value) => value > 0)));
  return layers.map((_, at) => ({
    height: Math.max(LEAST, Math.sqrt(channels[at] / most)),
    width: Number.isNaN(sides[at]) ? 1 : Math.max(LEAST, Math.sqrt(sides[at] / widest)),
  }));
}

/**
 * "conv 5 · features.9: 256 channels, 14 × 14"
 *
 * @param {RankedLayer} layer
 */
export function layerWords(layer) {
  const { channels, size } = layer;
  const facts = [channels && `${channels} ${channels === 1 ? "channel" : "channels"}`, size?.length && size.join(" × ")];
  return [layerName(layer), facts.filter(Boolean).join(", ")].filter(Boolean).join(": ");
}

/**
 * The layers that are listed when one is chosen; all when it was the only one.
 *
 * @param {string[]} shown names; empty for all
 * @param {string} name
 */
export function choosing(shown, name) {
  return shown.length === 1 && shown[0] === name ? [] : [name];
}

/**
 * What is said below the strip.
 *
 * @param {RankedLayer[]} layers
 * @param {string[]} shown names of those that are chosen; empty for all
 * @param {RankedLayer} [pointed] the one that is pointed at
 */
export function stripWords(layers, shown, pointed) {
  const chosen = shown.length ? layers.filter(({ name }) => shown.includes(name)) : layers;
  const only = pointed ?? (chosen.length === 1 ? chosen[0] : undefined);
  if (only) return layerWords(only);
  return shown.length ? `${chosen.length} layers chosen` : "Choose a layer: the picture is on the left, the output on the right.";
}

/**
 * The strip, and what is said of the layer that is pointed at or chosen.
 *
 * @param {import("../shared/view.mjs").Model} model
 */
export function makeArchitecture(model) {
  const strip = make("div", { className: "xw-blocks", role: "toolbar", ariaLabel: "layers, from the picture to the output" });
  const words = make("span", { className: "xw-quiet" });
  const all = press("All layers", () => put(model, { shown_layers: [] }));
  const element = make("div", { className: "xw-architecture" }, strip, make("div", { className: "xw-field" }, words, all));
  /** @type {HTMLButtonElement[]} */
  let blocks = [];
  /** @returns {RankedLayer[]} */
  const layers = () => model.get("layers");
  moveFocus(strip);

  /** @param {RankedLayer} [pointed] */
  const tell = (pointed) => { words.textContent = stripWords(layers(), model.get("shown_layers"), pointed); };
  const build = () => {
    const sizes = blocksOf(layers());
    blocks = layers().map((layer, at) => {
      const block = make("i");
      block.style.height = `${100 * sizes[at].height}%`;
      const button = press(block, () => put(model, { shown_layers: choosing(model.get("shown_layers"), layer.name) }), {
        className: "xw-block", title: layerWords(layer), ariaLabel: layerWords(layer), tabIndex: -1,
      });
      button.style.flexGrow = String(sizes[at].width);
      for (const event of ["pointerenter", "focus"]) button.addEventListener(event, () => tell(layer));
      for (const event of ["pointerleave", "blur"]) button.addEventListener(event, () => tell());
      button.addEventListener("focus", () => stopAt(button));
      return button;
    });
    const last = blocks.at(-1);
    if (last) stopAt(last);
    strip.replaceChildren(...blocks);
    strip.scrollLeft = strip.scrollWidth; // the last layers come first
    keepKeys(strip);
  };
  /** @param {HTMLButtonElement} stop the one block that Tab stops at */
  const stopAt = (stop) => {
    for (const block of blocks) block.tabIndex = block === stop ? 0 : -1;
  };
  const draw = () => {
    const [shown, some] = [shownLayers(model), model.get("shown_layers").length > 0];
    blocks.forEach((block, at) => { block.ariaPressed = String(some && shown.has(at)); });
    element.hidden = !blocks.length;
    all.hidden = !some;
    tell();
  };
  /** @type {import("../shared/view.mjs").Draw[]} */
  const draws = [[["layers"], build], [["layers", "shown_layers"], draw]];
  return { element, draws };
}
