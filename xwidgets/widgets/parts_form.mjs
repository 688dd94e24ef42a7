// @ts-check
// Which parts does a heat map show? One question after another, for a study with people.

import { make, makeAlert, press, warn } from "./shared/dom.mjs";
import { isCommand, take } from "./shared/keyboard.mjs";
import { mount, put } from "./shared/view.mjs";
import { answerTo, answered, file, following, optionOf, progress, revised, toggled, withheld } from "./form/answers.mjs";
import { makeLook, makeOptions } from "./form/question.mjs";

const CONTEXT = "context";
const TITLE = "Which parts do the heat maps show?";

/**
 * @typedef {import("./shared/view.mjs").Model} Model
 * @typedef {import("./form/answers.mjs").Choice} Choice
 */

/**
 * Lets a person keep a text as a file.
 *
 * @param {string} name
 * @param {string} text
 */
function download(name, text) {
  const link = make("a", { download: name });
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser reads it meanwhile
}

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
 * The buttons that lead on and back, and save.
 *
 * @param {Model} model
 * @param {ReturnType<typeof makeDialogue>} dialogue
 * @param {() => void} onSave
 */
function makeButtons(model, dialogue, onSave) {
  const hint = make("div", { className: "xw-hint", role: "status" });
  const goOn = () => {
    if (!dialogue.goOn()) hint.textContent = "Tick the parts that the heat map shows, or “cannot tell”.";
  };
  const back = press("Back", dialogue.goBack, { ariaKeyShortcuts: "Backspace" });
  const next = press("Next", goOn, { ariaKeyShortcuts: "Enter" });
  const save = press("Download answers", onSave, { hidden: model.get("alive") });
  const keys = make("div", { className: "xw-quiet xw-keys" },
    make("kbd", { textContent: "Enter" }), " next ", make("kbd", { textContent: "Backspace" }), " back");
  const element = make("div", { className: "xw-buttons" }, back, next, keys, save);
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
  let kept = model.get("answers"); // those that closing the page does not lose
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
    make("div", { textContent: "Please download the answers, and send the file back.", hidden: alive }));
  const buttons = makeButtons(model, dialogue, () => {
    dialogue.keep();
    kept = model.get("answers");
    download("answers.json", file(model.get("facts"), kept));
  });
  const view = make("div", { className: "xw-view xw-parts-form", tabIndex: -1, role: "group", ariaLabel: TITLE },
    make("div", { className: "xw-far" }, far, bar), alert,
    make("div", { className: "xw-columns" }, look.element,
      make("div", {}, options.element, end, buttons.hint, buttons.element)));

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
    if (!alive && (dialogue.pending() || model.get("answers") !== kept)) event.preventDefault();
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
