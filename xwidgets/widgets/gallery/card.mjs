// @ts-check
// The card of a neuron: reconstruction, patch, and the images that drive it most.

import { keepKeys, make, press, tick } from "../shared/dom.mjs";
import { neuronName } from "../shared/neurons.mjs";
import { number } from "../shared/numbers.mjs";
import { picture, sizeOf } from "../shared/pictures.mjs";
import { framed, makeBox, makeSample } from "../shared/boxes.mjs";
import { cutOut, stateOf } from "./cards.mjs";

/**
 * @typedef {import("./cards.mjs").Card} Card
 * @typedef {import("./cards.mjs").TopImage} TopImage
 * @typedef {((source: string) => void) | false} Look
 */

/**
 * One of a neuron's top images; a button where there is a kernel to look at it.
 *
 * @param {Look} onLook
 */
function makeTopImage(onLook) {
  const patch = picture();
  const whole = framed("");
  const value = make("span");
  const parts = [make("span", { className: "xw-patch" }, patch.image), whole.frame, value];
  let shown = "";
  const element = onLook ? press(parts, () => onLook(shown)) : make("span", { role: "img" }, ...parts);
  if (onLook) keepKeys(element);
  /**
   * @param {string} color
   * @param {TopImage} image
   */
  const show = (color, { picture: png, crop, box, activation, source }) => {
    shown = source;
    patch.show(crop);
    whole.set(png, sizeOf(png), [makeBox(color, box)]);
    value.textContent = number(activation);
    element.title = `${source}, activation ${number(activation)}`;
    element.ariaLabel = onLook ? `Look at ${element.title}` : element.title;
  };
  return { element, show };
}

/**
 * The images that drive a neuron most.
 *
 * @param {Look} onLook
 */
function makeStrip(onLook) {
  const caption = make("div", { className: "xw-quiet" });
  const element = make("div", { className: "xw-strip" });
  /** @type {ReturnType<typeof makeTopImage>[]} */
  const parts = [];
  /**
   * @param {string} color
   * @param {import("./cards.mjs").Match | undefined} match
   */
  const show = (color, match) => {
    const images = match?.images ?? [];
    caption.hidden = element.hidden = !images.length;
    caption.textContent = `top images among ${match?.searched} searched`;
    for (const extra of parts.splice(images.length)) extra.element.remove();
    images.forEach((image, place) => {
      parts[place] ??= makeTopImage(onLook);
      parts[place].show(color, image);
      if (!parts[place].element.parentElement) element.append(parts[place].element);
    });
  };
  return { caption, element, show };
}

/** Reconstruction, of the patch unless the whole is asked for, and patch, side by side. */
function makePair() {
  const [reconstruction, patch] = ["reconstruction", "patch"].map((alt) => picture({ alt }));
  const frame = make("div", {}, reconstruction.image);
  const figures = [make("div", { className: "xw-cut" }, frame), patch.image].map((content, at) =>
    make("figure", {}, content, make("figcaption", { textContent: ["reconstruction", "patch"][at] })));
  const element = make("div", { className: "xw-pair" }, ...figures);
  /**
   * @param {Card} card
   * @param {number[] | null} box of the reconstruction that is shown; null for all
   * @param {number[]} shape of the picture
   */
  const show = (card, box, shape) => {
    element.hidden = card.reconstruction === undefined;
    if (card.reconstruction === undefined) return;
    reconstruction.show(card.reconstruction);
    const { around, inside } = cutOut(box ?? [0, 0, ...shape], shape);
    Object.assign(frame.style, around);
    Object.assign(reconstruction.image.style, inside);
    if (card.crop) patch.show(card.crop);
    figures[1].hidden = !card.box;
  };
  return { element, show };
}

/**
 * A card.
 *
 * @param {{ onTick: (on: boolean) => void, onLook: Look }} actions
 */
export function makeCard({ onTick, onLook }) {
  const color = make("span", { className: "xw-color" });
  const [name, activation] = [make("b"), make("span")];
  const [pair, strip] = [makePair(), makeStrip(onLook)];
  const contains = tick("contains the object", onTick, { className: "" });
  const element = make("div", { className: "xw-card", role: "group", tabIndex: -1 },
    make("div", { className: "xw-title" }, color, name),
    pair.element, make("div", { className: "xw-line" }, activation, contains.label),
    strip.caption, strip.element);
  keepKeys(element);
  /**
   * @param {Card} card
   * @param {import("./cards.mjs").Match | undefined} match
   * @param {boolean} isTicked
   * @param {number[] | null} box of the reconstruction that is shown; null for all
   * @param {number[]} shape of the picture
   */
  const show = (card, match, isTicked, box, shape) => {
    const computed = card.reconstruction !== undefined;
    name.textContent = element.ariaLabel = neuronName(card);
    element.ariaBusy = String(!computed && Boolean(onLook));
    color.replaceChildren(...(computed ? [makeSample(card.color ?? "")] : []));
    contains.label.hidden = !card.box;
    contains.input.checked = isTicked;
    activation.textContent = stateOf(card, Boolean(onLook));
    pair.show(card, box, shape);
    strip.show(card.color ?? "", computed ? match : undefined);
  };
  return { element, show };
}
