// @ts-check
// The top images of one neuron, class or x-feature.

import { make } from "../shared/dom.mjs";
import { moveFocus } from "../shared/keyboard.mjs";
import { keepParts, keysOf } from "../shared/parts.mjs";
import { isCoarse } from "../shared/pictures.mjs";
import { makeTile } from "./tile.mjs";
import { extentOf, skippedText } from "./tops.mjs";

/**
 * A section.
 *
 * @param {((source: string) => void) | false} onLook
 */
export function makeSection(onLook) {
  const [name, extent] = [make("b"), make("span", { className: "xw-quiet" })];
  const grid = make("div", { className: "xw-tiles", tabIndex: -1 });
  const [skipped, files] = [make("summary"), make("p")];
  const missing = make("details", { className: "xw-quiet" }, skipped, files);
  const element = make("section", {}, make("p", { className: "xw-about" }, name, " ", extent), grid, missing);
  /** @type {ReturnType<typeof keepParts<ReturnType<typeof makeTile>>>} */
  const parts = keepParts(grid);
  moveFocus(grid);
  /**
   * @param {import("./tops.mjs").Top} top
   * @param {{ k: number, looked: string, patchesAlone: boolean, named: boolean }} look
   */
  const show = (top, { k, looked, patchesAlone, named }) => {
    const images = top.images.slice(0, k);
    const hasPatches = top.images.some(({ box }) => box.length);
    name.textContent = element.ariaLabel = `${top.name} (${top.network})`;
    name.hidden = !named;
    extent.textContent = extentOf(top, k);
    grid.classList.toggle("xw-alone", patchesAlone && hasPatches);
    grid.classList.toggle("xw-whole", !hasPatches);
    grid.classList.toggle("xw-coarse", isCoarse(top.width));
    parts.keep(keysOf(images), () => makeTile(onLook)).forEach((tile, at) => {
      tile.show(images[at], at + 1, top.unit, looked);
    });
    missing.hidden = !top.skipped.length;
    skipped.textContent = skippedText(top.skipped);
    files.textContent = top.skipped.join(", ");
  };
  return { element, show };
}
