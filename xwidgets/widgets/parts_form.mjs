// @ts-check
// Which parts does a heat map show? One question after another, for a study with people.

import { make, makeAlert, press, warn } from "./shared/dom.mjs";
import { isCommand, take } from "./shared/keyboard.mjs";
import { download, jsonHref, makeCopy } from "./shared/saving.mjs";
import { mount, put } from "./shared/view.mjs";
import { answerTo, answered, file, following, optionOf, progress, resumed, revised, toggled, withheld } from "./form/answers.mjs";
import { makeMemory } from "./form/memory.mjs";
import { makeLook, makeOptions } from "./form/question.mjs";

const CONTEXT = "context";
const TITLE = "Which parts do the heat maps show?";

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 * @typedef {import("./form/answers.mjs").Choice} Choice
 */

/**
 * What is ticked, and how it becomes an answer.
 *
 * @param {Model} model
 * @param {() => void} onChoose
 */
function makeDialogue(model, onChoose) {
  /** @type {string[]} */
  const options = [...model.get("facts").parts, CONTEXT];
  /** @type {Choice} */
  let choice = null;
  const asked = () => model.get("questions")[model.get("position")];
  const choose = (/** @type {Choice} */ changed) => {
    choice = changed;
    onChoose();
  };
  const pending = () => Boolean(asked()) && revised(choice, answerTo(model.get("answers"), asked()));
  /** Makes the choice, if there is one, the answer. */
  const keep = () => {
    if (choice && pending()) put(model, { answers: answered(model.get("answers"), asked(), choice) });
  };
  /** Whether it went on, or a choice is missing. */
  const goOn = () => {
    if (!asked()) return true;
    if (!choice) return false;
    keep();
    const [position, questions, answers] = ["position", "questions", "answers"].map((name) => model.get(name));
    put(model, { position: following(position, questions, answers) });
    return true;
  };
  const goBack = () => {
    if (!model.get("position")) return;
    keep();
    put(model, { position: model.get("position") - 1 });
  };
  /** Takes up what was answered. */
  const restart = () => choose(asked() ? answerTo(model.get("answers"), asked()) : null);
  return { options, asked, choose, pending, keep, goOn, goBack, restart, choice: () => choice };
}

/**
 * How the answers outlive a page without a kernel: kept by the browser, as a file, or copied.
 *
 * @param {Model} model
 * @param {ReturnType<typeof makeDialogue>} dialogue
 */
function makeKeeping(model, dialogue) {
  const alive = model.get("alive");
  const memory = makeMemory(model.get("facts"));
  if (!alive) put(model, resumed(model.get("questions"), memory.recall()));
  let kept = model.get("answers"); // those that closing the page does not lose
  const copy = makeCopy("Answers");
  const told = make("div", { className: "xw-hint", role: "status" });
  const written = () => {
    dialogue.keep();
    kept = model.get("answers");
    return file(model.get("facts"), kept);
  };
  const save = () => { told.textContent = download("answers.json", jsonHref(written())); };
  const buttons = [
    press("Download answers", save, { hidden: alive }),
    press("Copy answers", () => copy.show(written()), { hidden: alive }),
  ];
  const draw = () => {
    const answers = model.get("answers");
    if (!alive && memory.keep(answers)) kept = answers;
  };
  const isLost = () => !alive && (dialogue.pending() || model.get("answers") !== kept);
  return { buttons, elements: [told, copy.element], draw, isLost };
}

/**
 * The buttons that lead on and back, and save.
 *
 * @param {Model} model
 * @param {ReturnType<typeof makeDialogue>} dialogue
 * @param {HTMLButtonElement[]} keeping
 */
function makeButtons(model, dialogue, keeping) {
  const hint = make("div", { className: "xw-hint", role: "status" });
  const goOn = () => {
    if (!dialogue.goOn()) hint.textContent = "Tick the parts that the heat map shows, or “cannot tell”.";
  };
  const back = press("Back", dialogue.goBack, { ariaKeyShortcuts: "Backspace" });
  const next = press("Next", goOn, { ariaKeyShortcuts: "Enter" });
  const keys = make("div", { className: "xw-quiet xw-keys" },
    make("kbd", { textContent: "Enter" }), " next ", make("kbd", { textContent: "Backspace" }), " back");
  const element = make("div", { className: "xw-buttons" }, back, next, keys, ...keeping);
  const draw = () => {
    next.hidden = keys.hidden = !dialogue.asked();
    back.ariaDisabled = String(model.get("position") === 0); // keeps the focus, unlike disabled
  };
  const drawChoice = () => {
    next.classList.toggle("xw-ready", Boolean(dialogue.choice()));
    hint.textContent = "";
  };
  return { element, hint, goOn, draw, drawChoice };
}

/**
 * What a key does; undefined for most keys.
 *
 * @param {KeyboardEvent} event
 * @param {Model} model
 * @param {ReturnType<typeof makeDialogue>} dialogue
 * @param {() => void} goOn
 */
function actionOf({ key, target }, model, dialogue, goOn) {
  const { options, choice, choose } = dialogue;
  if (key === "Enter") return /** @type {Element} */ (target).matches("button") ? undefined : goOn;
  if (key === "Backspace") return dialogue.goBack;
  if (!dialogue.asked()) return undefined;
  if (key.toLowerCase() === "h") return () => put(model, { heat: !model.get("heat") });
  if (key === "0") return () => choose(withheld(choice()));
  const name = optionOf(key, options);
  return name && (() => choose(toggled(choice(), name, options)));
}

/** @param {{ model: Model, el: HTMLElement }} place */
function render({ model, el }) {
  const [alive, questions] = ["alive", "questions"].map((name) => model.get(name));
  const dialogue = makeDialogue(model, () => {
    options.draw();
    buttons.drawChoice();
  });
  const far = make("span", { role: "status" });
  const bar = make("progress", { max: questions.length, ariaLabel: "questions answered" });
  const alert = makeAlert();
  const look = makeLook(model);
  const options = makeOptions(dialogue.options, dialogue.choice, dialogue.choose);
  const end = make("div", { className: "xw-end" },
    make("b", { textContent: "All questions are answered. Thank you." }),
    make("div", { textContent: "Please download the answers, or copy them, and send them back.", hidden: alive }));
  const keeping = makeKeeping(model, dialogue);
  const buttons = makeButtons(model, dialogue, keeping.buttons);
  const view = make("div", { className: "xw-view xw-parts-form", tabIndex: -1, role: "group", ariaLabel: TITLE },
    make("div", { className: "xw-far" }, far, bar), alert,
    make("div", { className: "xw-columns" }, look.element,
      make("div", {}, options.element, end, buttons.hint, buttons.element, ...keeping.elements)));

  const drawPosition = () => {
    const ended = !dialogue.asked();
    const held = view.contains(/** @type {Document | ShadowRoot} */ (view.getRootNode()).activeElement);
    far.textContent = progress(model.get("position"), questions.length);
    options.element.hidden = ended;
    end.hidden = !ended;
    look.draw();
    buttons.draw();
    if (ended && held) view.focus({ preventScroll: true });
  };
  const drawAnswers = () => {
    keeping.draw();
    bar.value = model.get("answers").length;
    dialogue.restart();
  };
  view.addEventListener("keydown", (event) => {
    const act = isCommand(event) || event.repeat ? undefined : actionOf(event, model, dialogue, buttons.goOn);
    if (!act) return;
    take(event);
    act();
  });
  const warnOfLoss = (/** @type {BeforeUnloadEvent} */ event) => {
    if (keeping.isLost()) event.preventDefault();
  };
  window.addEventListener("beforeunload", warnOfLoss);
  const leave = mount({ model, el }, view, [
    [["position"], drawPosition],
    [["position", "answers"], drawAnswers],
    [["heat"], look.drawHeat],
    [["message"], () => warn(alert, model.get("message"))],
  ], () => window.removeEventListener("beforeunload", warnOfLoss));
  if (!alive) view.focus({ preventScroll: true }); // keys work at once on a page of its own
  return leave;
}

export default { render };
