// @ts-check
// An element that holds several views.

import { make } from "./dom.mjs";
import { arrange } from "./parts.mjs";
import { mount } from "./view.mjs";

/** @typedef {import("./view.mjs").Model} Model */

/**
 * What finds other widgets; anywidget has it from 0.11 on, and page.mjs without a kernel.
 *
 * @typedef {{
 *   getModel: (reference: string) => Promise<Model>,
 *   getWidget: (reference: string) => Promise<{ render: (place: { el: HTMLElement, signal: AbortSignal }) => Promise<void> }>,
 * }} Host
 *
 * @typedef {{ model: Model, el: HTMLElement, host?: Host, signal?: AbortSignal }} Place
 */

const NO_HOST = "Several views in one need anywidget 0.11 or newer in the browser; show the parts one by one.";

/**
 * What has changed between two records of references: those that are new and those that are gone.
 *
 * @param {Record<string, string>} before
 * @param {Record<string, string>} after
 */
export function changes(before, after) {
  /** @type {(one: Record<string, string>, other: Record<string, string>) => string[]} */
  const without = (one, other) => Object.keys(one).filter((name) => one[name] !== other[name]);
  return { fresh: without(after, before), gone: without(before, after) };
}

/**
 * Keeps traits of the same name alike in those of several models that have them.
 *
 * @param {Model[]} models
 * @param {string[]} names
 * @returns {() => void} what ends it
 */
export function link(models, names) {
  const links = names.flatMap((name) => models.map((model) => {
    const pass = () => {
      const value = model.get(name);
      for (const other of models) {
        const told = JSON.stringify(other.get(name)); // undefined where it has no such trait
        if (told === undefined || told === JSON.stringify(value)) continue;
        other.set(name, value);
        other.save_changes();
      }
    };
    model.on(`change:${name}`, pass);
    return () => model.off(`change:${name}`, pass);
  }));
  return () => { for (const end of links) end(); };
}

/**
 * An element that holds the views that a trait names.
 *
 * @param {Place} place
 * @param {string} [trait]
 */
export function makeGroup({ model, host, signal }, trait = "parts") {
  const element = make("div", { className: "xw-parts" });
  /** @type {Record<string, string>} */
  let shown = {};
  /** @type {Record<string, { box: HTMLElement, leave: AbortController }>} */
  const places = {};
  let unlink = () => {};

  /**
   * @param {string} name
   * @param {string} reference
   */
  const show = async (name, reference) => {
    const { box, leave } = places[name];
    try {
      const widget = await /** @type {Host} */ (host).getWidget(reference);
      if (!leave.signal.aborted) await widget.render({ el: box, signal: leave.signal });
    } catch (error) {
      if (!leave.signal.aborted) box.textContent = host ? `This part could not be drawn: ${error}` : NO_HOST;
    }
  };
  /** @param {string} name */
  const hide = (name) => {
    places[name].leave.abort();
    delete places[name];
  };
  const linkAll = async () => {
    unlink();
    unlink = () => {};
    const [names, references] = [model.get("shared"), shown];
    if (!host || !names.length) return;
    const { getModel } = host;
    const models = await Promise.all(Object.values(references).map((reference) => getModel(reference)));
    if (references === shown) unlink = link(models, names); // or else there are others meanwhile
  };
  const draw = () => {
    const references = model.get(trait);
    const { fresh, gone } = changes(shown, references);
    for (const name of gone) hide(name);
    for (const name of fresh) {
      const box = make("div", { className: `xw-part xw-part-${name}` });
      places[name] = { box, leave: new AbortController() };
    }
    arrange(element, Object.keys(references).map((name) => places[name].box));
    shown = { ...references };
    for (const name of fresh) show(name, references[name]);
    linkAll().catch((error) => console.debug("parts are not linked", error));
  };
  const leave = () => {
    unlink();
    for (const name of Object.keys(places)) hide(name);
    shown = {};
  };
  signal?.addEventListener("abort", leave);
  /** @type {import("./view.mjs").Draw[]} */
  const draws = [
    [[trait, "shared"], draw],
    [["arrangement"], () => { element.dataset.arrangement = model.get("arrangement"); }],
  ];
  return { element, draws, leave };
}

/**
 * Puts a view that is a group on the page.
 *
 * @param {Place} place
 * @param {string} [name] class of the view, beside those of all groups
 */
export function mountGroup(place, name = "") {
  const group = makeGroup(place);
  const view = make("div", { className: `xw-view xw-group ${name}`.trim() }, group.element);
  return mount(place, view, group.draws, group.leave);
}
