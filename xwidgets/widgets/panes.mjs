// @ts-check
// All views of a study: tools above, picture and map on the left, what is asked and found on the right.

import { keepKeys, make, makeAlert, press, warn } from "./shared/dom.mjs";
import { makeGroup } from "./shared/group.mjs";
import { download, jsonHref, makeCopy } from "./shared/saving.mjs";
import { mount, put } from "./shared/view.mjs";

/** Events by which a person goes elsewhere. */
const MOVES = ["wheel", "pointerdown", "keydown"];

/** @typedef {import("./shared/view.mjs").Model} Model */

/**
 * Undo and redo, files of settings, Python, and the size.
 *
 * @param {Model} model
 */
function makeTools(model) {
  /** @type {(text: string, type: string, title: string) => HTMLButtonElement} */
  const command = (text, type, title) => press(text, () => model.send({ type }), { title, ariaLabel: title });
  const undo = command("↶ Undo", "undo", "undo the last change of what is asked");
  const redo = command("↷ Redo", "redo", "redo what was undone");
  const file = make("input", { type: "file", accept: ".json", hidden: true });
  file.addEventListener("change", async () => {
    const [chosen] = file.files ?? [];
    if (chosen) model.send({ type: "take", text: await chosen.text() });
    file.value = "";
  });
  const large = press("Larger", () => put(model, { large: !model.get("large") }), { title: "larger, for a projector" });
  const element = make("div", { className: "xw-tools", role: "toolbar", ariaLabel: "settings" }, undo, redo,
    command("Save", "save", "save the settings as a file"),
    press("Restore…", () => file.click(), { title: "restore settings from a file" }), file,
    command("Copy as Python", "python", "Python that shows this again"), large);
  const draw = () => {
    undo.disabled = !model.get("can_undo");
    redo.disabled = !model.get("can_redo");
    large.ariaPressed = String(model.get("large"));
  };
  return { element, draw };
}

/**
 * A button for each view that can be opened below.
 *
 * @param {Model} model
 * @param {(name: string) => void} onOpen
 * @param {() => void} onPaint
 */
function makePanels(model, onOpen, onPaint) {
  const paint = press("Remove a region", () => {
    if (!model.get("painting")) onPaint();
    put(model, { painting: !model.get("painting") });
  });
  /** @type {{ name: string, label: string }[]} */
  const offered = model.get("offered");
  const buttons = offered.map(({ name, label }) => press(label, () => {
    if (!(name in model.get("panels"))) onOpen(name);
    model.send({ type: "toggle", name });
  }, { value: name }));
  const element = make("div", { className: "xw-tools", role: "toolbar", ariaLabel: "further views" },
    make("span", { className: "xw-quiet", textContent: "Open:" }), paint, ...buttons);
  const draw = () => {
    const open = model.get("panels");
    for (const button of buttons) button.ariaPressed = String(button.value in open);
    paint.hidden = !model.get("can_paint");
    paint.ariaPressed = String(model.get("painting"));
  };
  return { element, draw };
}

/**
 * Brings what a press has opened into sight, as soon as it is there and while it grows, until a
 * person moves on: a panel, or what is put below.
 *
 * @param {HTMLElement} panels
 * @param {HTMLElement} el
 */
function makeFinder(panels, el) {
  let wanted = "";
  const sizes = new ResizeObserver((entries) => {
    const drawn = entries.find(({ contentRect }) => contentRect.height >= 40); // or else it is empty yet
    drawn?.target.scrollIntoView({ block: "nearest" });
  });
  const added = new MutationObserver(() => { // a box puts an empty element there at first
    if (el.nextElementSibling) sizes.observe(el.nextElementSibling);
  });
  const leave = () => {
    wanted = "";
    sizes.disconnect();
    added.disconnect();
    for (const name of MOVES) removeEventListener(name, leave, true);
  };
  const begin = () => {
    leave();
    for (const name of MOVES) addEventListener(name, leave, true);
  };
  return {
    want: (/** @type {string} */ name) => {
      begin();
      wanted = name;
    },
    wantBelow: () => {
      begin();
      if (el.parentElement) added.observe(el.parentElement, { childList: true });
    },
    draw: () => {
      const box = wanted && panels.querySelector(`.xw-part-${wanted}`);
      if (box) sizes.observe(box);
    },
    leave,
  };
}

/** @param {import("./shared/group.mjs").Place} place */
function render(place) {
  const { model } = place;
  const [parts, panels] = [makeGroup(place), makeGroup(place, "panels")];
  const finder = makeFinder(panels.element, place.el);
  const [tools, choice, python, alert] = [makeTools(model), makePanels(model, finder.want, finder.wantBelow), makeCopy("Python of what is shown"), makeAlert()];
  parts.element.classList.add("xw-panes");
  panels.element.classList.add("xw-panels");
  const view = make("div", { className: "xw-view xw-explorer" },
    tools.element, alert, python.element, parts.element, choice.element, panels.element);
  /** @param {{ type: string, text: string }} message */
  const hear = ({ type, text }) => {
    if (type === "file") warn(alert, download("explorer.json", jsonHref(text)));
    if (type === "python") python.show(text);
  };
  keepKeys(python.element);
  return mount(place, view, [
    ...parts.draws, ...panels.draws,
    [["panels"], finder.draw],
    [["can_undo", "can_redo", "large"], tools.draw],
    [["panels", "offered", "can_paint", "painting"], choice.draw],
    [["alive"], () => { tools.element.hidden = choice.element.hidden = !model.get("alive"); }],
    [["large"], () => view.classList.toggle("xw-large", model.get("large"))],
    [["message"], () => warn(alert, model.get("message"))],
  ], () => {
    parts.leave();
    panels.leave();
    finder.leave();
  }, hear);
}

export default { render };
