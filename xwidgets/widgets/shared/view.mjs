// @ts-check
// What all views do on a page: draw parts of the model's state, anew whenever it changes.

import { keepKeys, make } from "./dom.mjs";
import { takeLine } from "./line.mjs";

/**
 * The state that the kernel and the views share, as anywidget offers it, and page.mjs without a
 * kernel.
 *
 * @typedef {Pick<import("@anywidget/types").AnyModel, "get" | "set" | "save_changes" | "on" | "off" | "send">
 *   & { widget_manager?: object }} Model
 *
 * @typedef {[names: string[], draw: () => void]} Draw the traits that a part shows, and how it is drawn
 *
 * @typedef {{ element: HTMLElement, draws: Draw[] }} Panel a part of a view
 */

/**
 * Changes traits here and in the kernel.
 *
 * @param {Model} model
 * @param {Record<string, any>} values
 */
export function put(model, values) {
  for (const [name, value] of Object.entries(values)) model.set(name, value);
  model.save_changes();
}

const GONE = "The kernel is gone. This is what it showed last; run the cells again to go on.";

/**
 * Whether the kernel behind a view is gone. ipywidgets marks views for that, but not anywidget's.
 *
 * @param {Model} model
 */
async function isGone(model) {
  /** @type {{ get_model: (id: string) => Promise<{ comm_live?: boolean }> } | undefined} */
  const manager = /** @type {any} */ (model.widget_manager);
  if (!manager) return false;
  try {
    const [own] = model.get("_on_line");
    return (await manager.get_model(own)).comm_live === false;
  } catch {
    return true; // it knows the view no more
  }
}

/**
 * Where it is said that the kernel is gone.
 *
 * @param {Model} model
 */
function makeGone(model) {
  const element = make("div", { className: "xw-gone", role: "status" });
  const draw = async () => {
    element.textContent = await isGone(model) ? GONE : "";
  };
  return { element, draw };
}

/**
 * Draws the sentence on what a view shows below it, where there is one and the view has no place
 * for it.
 *
 * @param {Model} model
 * @param {HTMLElement} view
 * @returns {Draw[]}
 */
function sentenceDraws(model, view) {
  if (model.get("sentence") === undefined || view.querySelector(".xw-finding")) return [];
  const element = make("p", { className: "xw-finding" });
  view.append(element);
  return [[["sentence"], () => { element.textContent = model.get("sentence"); }]];
}

/**
 * Puts a view on the page, draws it, and draws each part anew when a trait that it shows changes.
 *
 * The kernel is told when the view is shown and when it is hidden, as work rests that nobody sees.
 * Where there is none from the start, as in a saved notebook, the place has the class xw-still.
 *
 * @param {{ model: Model, el: HTMLElement }} place
 * @param {HTMLElement} view
 * @param {Draw[]} draws
 * @param {() => void} [onLeave] what else ends with the view
 * @param {(message: any) => void} [onMessage] what hears messages of the kernel
 * @returns {() => void} what takes it off the page
 */
export function mount({ model, el }, view, draws, onLeave = () => {}, onMessage = () => {}) {
  const gone = makeGone(model);
  keepKeys(view);
  el.append(gone.element, view);
  // several names in one subscription are never heard in marimo
  const all = [...draws, ...sentenceDraws(model, view)];
  /** @type {{ event: string, draw: (message?: any) => void }[]} */
  const subscriptions = all.flatMap(([names, draw]) => names.map((name) => ({ event: `change:${name}`, draw })));
  subscriptions.push({ event: "comm_live_update", draw: gone.draw });
  subscriptions.push({ event: "msg:custom", draw: onMessage });
  for (const { event, draw } of subscriptions) model.on(event, draw);
  for (const [, draw] of all) draw();
  isGone(model).then((still) => el.classList.toggle("xw-still", still));
  const shown = takeLine(model).then(() => model.send({ type: "shown" }));
  const hide = () => shown.then(() => model.send({ type: "hidden" })).catch(() => {}); // the kernel may be gone
  shown.catch(() => {});
  window.addEventListener("pagehide", hide);
  return () => {
    window.removeEventListener("pagehide", hide);
    for (const { event, draw } of subscriptions) model.off(event, draw);
    onLeave();
    hide();
  };
}
